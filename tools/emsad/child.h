/* A process that the supervisor started: from its own executable, with a channel, and again when it
 * dies. */
#ifndef EMSA_TOOLS_EMSAD_CHILD_H
#define EMSA_TOOLS_EMSAD_CHILD_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct child {
    const char *role;    /* as --role takes it */
    pid_t pid;           /* 0: there is none */
    int channel;         /* -1: there is none */
    int process;         /* pidfd of one that another supervisor started; -1 */
    bool is_ready;       /* it said so, or needs not to */
    bool has_entered;    /* it is in its sandbox, as it said (the notifier, the audit process) */
    bool is_leaving;     /* it was told to end: then its end is no news */
    unsigned failures;   /* deaths in a row that came at once */
    int64_t ready_since; /* a moment as deadline_in gives it */
    int64_t restart_at;  /* -1: never, or it runs */
};

#define CHILD_INIT(name)                                                                           \
    ((struct child){.role = (name), .channel = -1, .process = -1, .restart_at = -1})

/* Starts it. self is the supervisor's executable (its file may have been replaced since). ERR_IO,
 * ERR_NOMEM: there is none. */
int child_start(struct child *child, int self);

/* Takes a running one for its own, which some supervisor before started; both descriptors are taken
 * over. It is ready. */
void child_adopt(struct child *child, pid_t pid, int *process, int *channel);

/* How an adopted one ends is not told to who did not start it. */
#define CHILD_STATUS_UNKNOWN SIGKILL

/* It does its work from now on. */
void child_ready(struct child *child);

/* It was reaped: closes the channel, says why it ended, and settles when the next is to start: at
 * once, and with growing patience up to a second if they keep dying as soon as they are ready, or
 * before; without any where somebody kills them, and ten milliseconds if that goes on. */
void child_ended(struct child *child, int wait_status);

/* Ends it by force; it is still to be reaped. */
void child_kill(struct child *child);

#endif
