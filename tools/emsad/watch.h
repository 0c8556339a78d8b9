/*
 * Judging a server that lives. A stopped, frozen or deadlocked one is as bad for readers as a dead
 * one, and nothing tells of it: so its progress is looked at, from outside, in the memory that it
 * shares with us, and four times a second while there is something to be done. While there is not,
 * an epoll set over the connections waits for the first request, and nobody is woken for nothing.
 *
 * Stuck is, for two seconds of looking:
 *   - a view with a request waiting of which none is taken,
 *   - a thread that has a request in its hands and gets no further, unless it waits for a disk
 *     (state D): ending it could not help, and the requests of others are taken by other threads.
 *     One that waits in that state for its control group's memory is stuck, though,
 *   - a server with a caller that does not say that it is there. The writer may wait for a disk as
 *     long as that takes: it is the main thread that answers,
 *   - one that has not seen to the end of a key, and does not say that it is there,
 *   - one that is stopped before it was ready, or is not ready after half a minute.
 *
 * The notifier is judged with it: whenever there is something to look at its main thread is asked
 * too, and is stuck when it does not answer for two seconds (half a minute if it never did, and is
 * not stopped). A lane that hangs in the kernel, with a view that does not come back, is no reason.
 * One that has ended but for such a lane cannot be reaped as long as a reader likes: it is held,
 * and another is to be started beside it.
 *
 * Looks are counted, not seconds: where nobody gets the processor, we do not either.
 */
#ifndef EMSA_TOOLS_EMSAD_WATCH_H
#define EMSA_TOOLS_EMSAD_WATCH_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/state.h"
#include "tools/emsad/views.h"

#define WATCH_WHY_MAX 160
#define WATCH_PAUSE 250 /* milliseconds between two looks */

struct watch {
    int set;           /* epoll: what may be waiting, by view; 0 is the listening socket */
    int64_t next;      /* moment of the next look; -1: there is nothing to look at */
    bool is_ready;     /* the server answers, and is judged by what it does */
    unsigned tick;     /* looks so far */
    unsigned starting; /* looks since the server was started */
    unsigned stopped;  /* of them, in a row, at a stopped one */
    unsigned asked;    /* looks since the server was asked and did not answer; 0: it did */
    uint32_t calls;    /* that run, as far as is known */
    int64_t due;       /* the end of a key that the server was asked about, when it had come */
    struct {
        uint64_t taken;
        unsigned still; /* looks in a row that found it busy and no further */
    } threads[REQUEST_SLOTS];
    struct {
        unsigned asked; /* looks since it was asked and did not answer; 0: it did */
        bool is_known;  /* it has answered once */
        bool is_stuck;  /* it was judged, and is to be reaped */
    } notifier;
};

enum watch_verdict { WATCH_WELL, WATCH_STUCK, WATCH_HELD };

struct watched { /* what is judged; borrowed for a look */
    struct views *views;
    struct state *memory;
    pid_t pid;
    int channel; /* to the server's main thread */
    pid_t notifier;
    int notifier_channel; /* -1: there is none */
};

/* ERR_IO, ERR_NOMEM. watch_end is due in any case. */
int watch_begin(struct watch *, int listener);
void watch_end(struct watch *);

/* A view came; one is to be closed. */
int watch_add(struct watch *, const struct view *);
void watch_remove(struct watch *, const struct view *);

/* A server was started, answers from now on, or is gone: nothing is held against the next. */
void watch_started(struct watch *);
void watch_ready(struct watch *);
void watch_gone(struct watch *);

/* The server said that a call has come; or that it is there, and how many run. */
void watch_called(struct watch *);
void watch_answered(struct watch *, uint32_t calls);

/* Milliseconds until the server is to be looked at for the end of a key that it has not seen to
 * though it has come (state.due): a stopped one has nobody else who would ask. -1: no such moment.
 * watch_due: it has come. */
int watch_due_left(const struct watch *, const struct state *memory);
void watch_due(struct watch *, const struct state *memory);

/* A notifier was started; it said that it is there. */
void watch_notifier_started(struct watch *);
void watch_notifier_answered(struct watch *);

/* What poll shall wait for: readable once there is something to look at; -1 while there is. */
int watch_descriptor(const struct watch *);

/* The descriptor was readable, or the next moment has come: looks. When the verdict is STUCK, why
 * says so for people, and the request that a thread is stuck with is marked, so that the next
 * server knows what this one died of. */
enum watch_verdict watch_look(struct watch *, const struct watched *,
                              char why[static WATCH_WHY_MAX]);

/* After that: the same of the notifier, of which nothing is marked. It is found stuck once; HELD:
 * it has ended and is not to be waited for. */
enum watch_verdict watch_look_at_notifier(struct watch *, const struct watched *,
                                          char why[static WATCH_WHY_MAX]);

#endif
