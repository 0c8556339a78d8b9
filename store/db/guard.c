#include "store/db/guard.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

#include "store/error.h"

/* Where this thread goes on after a fault; NULL outside of any guard. */
static __thread sigjmp_buf *landing;

static const int signals[] = {SIGSEGV, SIGBUS};
static struct sigaction before[sizeof(signals) / sizeof(signals[0])];
static pthread_once_t once = PTHREAD_ONCE_INIT;
static int install_errno;

void guard_escape(void)
{
    if (landing)
        siglongjmp(*landing, 1);
}

static void hand_on(const struct sigaction *old, int number, siginfo_t *info, void *context)
{
    if (old->sa_flags & SA_SIGINFO) {
        old->sa_sigaction(number, info, context);
    } else if (old->sa_handler != SIG_DFL && old->sa_handler != SIG_IGN) {
        old->sa_handler(number);
    } else {
        /* The default is to die of it: the instruction faults again when this handler returns. One
         * that was sent by kill has no instruction, so it is sent again. */
        sigaction(number, old, NULL);
        if (info->si_code <= 0)
            raise(number);
    }
}

static void on_fault(int number, siginfo_t *info, void *context)
{
    /* si_code > 0: made by the kernel for an instruction of this thread, not sent by somebody. */
    if (info->si_code > 0)
        guard_escape();
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (signals[i] == number)
            hand_on(&before[i], number, info, context);
}

static void install(void)
{
    /* SA_NODEFER: the jump out leaves no signal blocked, so that the jump need not save and restore
     * the mask (a system call each time). SA_ONSTACK: a stack that overflowed is not stepped on
     * once more. */
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    sigemptyset(&action.sa_mask);
    for (size_t i = 0; i < sizeof(signals) / sizeof(signals[0]); i++)
        if (sigaction(signals[i], &action, &before[i]) && !install_errno)
            install_errno = errno;
}

int guard_install(void)
{
    pthread_once(&once, install);
    return install_errno ? error_system(install_errno, "cannot catch faults of the map") : 0;
}

int guard_call(int (*work)(void *arg), void *arg)
{
    sigjmp_buf here;
    if (sigsetjmp(here, 0)) {
        landing = NULL;
        return GUARD_FAULT;
    }
    landing = &here;
    int result = work(arg);
    landing = NULL;
    return result;
}
