#include "store/db/guard.h"

#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stddef.h>

#include "store/error.h"

/* Where this thread goes on after a fault; NULL outside of any guard. */
static __thread sigjmp_buf *landing;

/* ThreadSanitizer runs every handler with all signals blocked, whatever the handler asked for. */
#if defined(__SANITIZE_THREAD__)
#define SAVE_MASK 1
#elif defined(__has_feature)
#if __has_feature(thread_sanitizer)
#define SAVE_MASK 1
#endif
#endif
#ifndef SAVE_MASK
#define SAVE_MASK 0
#endif

static const int signals[] = {SIGSEGV, SIGBUS};
#define SIGNALS (sizeof(signals) / sizeof(signals[0]))
static struct sigaction
    before[SIGNALS]; /* written under mutex; read by the handler, once installed */
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;

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
    for (size_t i = 0; i < SIGNALS; i++)
        if (signals[i] == number)
            hand_on(&before[i], number, info, context);
}

/* Whoever else set a handler since (a library, a test's frame) is what ours hands on to. */
static int install(size_t i)
{
    /* SA_NODEFER: the jump out leaves no signal blocked, so that the jump need not save and restore
     * the mask (a system call each time). SA_ONSTACK: a stack that overflowed is not stepped on
     * once more. */
    struct sigaction action = {.sa_sigaction = on_fault,
                               .sa_flags = SA_SIGINFO | SA_NODEFER | SA_ONSTACK};
    struct sigaction now;
    sigemptyset(&action.sa_mask);
    if (sigaction(signals[i], NULL, &now))
        return errno;
    if ((now.sa_flags & SA_SIGINFO) && now.sa_sigaction == on_fault)
        return 0;
    before[i] = now;
    return sigaction(signals[i], &action, NULL) ? errno : 0;
}

int guard_install(void)
{
    int failed = 0;
    pthread_mutex_lock(&mutex);
    for (size_t i = 0; i < SIGNALS && !failed; i++)
        failed = install(i);
    pthread_mutex_unlock(&mutex);
    return failed ? error_system(failed, "cannot catch faults of the map") : 0;
}

int guard_call(int (*work)(void *arg), void *arg)
{
    sigjmp_buf here;
    if (sigsetjmp(here, SAVE_MASK)) {
        landing = NULL;
        return GUARD_FAULT;
    }
    landing = &here;
    int result = work(arg);
    landing = NULL;
    return result;
}
