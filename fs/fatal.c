#include "fs/fatal.h"

#include <errno.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <unistd.h>

#include "store/error.h"

static const int signals[] = {SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))
static struct sigaction before[SIGNALS];

static struct state *_Atomic memory;
static __thread struct request_slot *mine;

/* Everything in here may be done in a handler: loads, stores, sigaction and raise. */

static void mark(const siginfo_t *info)
{
    struct state *state = atomic_load(&memory);
    /* si_code > 0: the kernel made it for an instruction of this thread; abort sends it to itself.
     * What somebody else sent is no request's fault. */
    bool ours = info->si_code > 0 || (info->si_code == SI_TKILL && info->si_pid == getpid());
    if (state)
        atomic_store(&state->explained, 1);
    if (ours && mine)
        atomic_store(&mine->fatal, 1);
}

static void hand_on(const struct sigaction *old, int number, siginfo_t *info, void *context)
{
    if (old->sa_flags & SA_SIGINFO) {
        old->sa_sigaction(number, info, context);
    } else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN) {
        old->sa_handler(number);
    } else {
        /* the instruction faults again when this returns; what was sent is sent again */
        struct sigaction last = {.sa_handler = SIG_DFL};
        sigaction(number, &last, NULL);
        if (info->si_code <= 0)
            raise(number);
    }
}

static void on_fatal(int number, siginfo_t *info, void *context)
{
    mark(info);
    for (size_t i = 0; i < SIGNALS; i++)
        if (signals[i] == number)
            hand_on(&before[i], number, info, context);
}

int fatal_catch(void)
{
    struct sigaction action = {.sa_sigaction = on_fatal, .sa_flags = SA_SIGINFO | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < SIGNALS; i++) {
        struct sigaction now;
        if (sigaction(signals[i], NULL, &now))
            return error_system(errno, "cannot look at the handler of a signal");
        if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_fatal)
            continue; /* the second time it would call itself */
        before[i] = now;
        if (sigaction(signals[i], &action, NULL))
            return error_system(errno, "cannot catch a signal");
    }
    return 0;
}

void fatal_state(struct state *state)
{
    atomic_store(&memory, state);
}

void fatal_attach(struct request_slot *slot)
{
    mine = slot;
}
