/*
 * A thread that hangs must not take its view with it.
 *
 * A view is served by one thread at a time unless that one invites others (fs/loop.c). It may hang
 * in the kernel, on a page of a disk that has stopped, for as long as it likes, with the view's
 * event in its hands: everybody who reads from the view would wait for that one page. So while
 * threads are at work another looks every now and then whether each has taken a request since; of
 * one that has not, the view is armed again for the others, who no longer count on the hanging one
 * to do so, and there is one thread more, so that as many as before can answer. Where one hangs the
 * next may: until it is back, whoever takes a request of that view arms it before it answers, so
 * that nobody waits for the next look. When they are back, those that are too many leave, each
 * after a request.
 *
 * Nobody is woken for that on a server that has nothing to do: after a second of that the looking
 * ends, until a thread that begins to work finds that nobody looks (a load, and a call in that
 * case).
 */
#ifndef EMSA_FS_CREW_H
#define EMSA_FS_CREW_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

struct fs;
struct worker;
struct view;

struct crew {
    pthread_t thread; /* that looks */
    bool started;
    int wake_fd;        /* eventfd; -1: none */
    atomic_bool asleep; /* nobody looks until somebody begins to work */
    atomic_uint able;   /* threads that were not stuck at the last look, less those that left */
};

/* What is known of one thread. */
struct watched {
    _Atomic uint64_t turn;          /* of serving a view; only ever counts up */
    _Atomic uint64_t counted;       /* its turn while it is one of view->serving, 0: it is not */
    uint64_t seen_turn, seen_taken; /* the watcher's: at its last look */
    bool is_stuck;                  /* the watcher's */
    atomic_bool has_left;           /* to be joined by the watcher, and may be started again */
};

int crew_init(struct fs *fs);
/* Begins to watch, when the first threads were started. */
int crew_start(struct fs *fs);
/* Ends the watching, so that no thread is started any more. */
void crew_stop(struct fs *fs);
void crew_release(struct fs *fs);

/* A thread begins to serve the view in this slot of the table, and ends it. */
void crew_enter(struct worker *worker, struct view *view, uint32_t slot);
/* True: nobody else is at it or has armed it; the caller does. */
bool crew_leave(struct worker *worker, struct view *view);
/* Whether there are enough without this thread; then it must end. */
bool crew_is_surplus(struct worker *worker);

#endif
