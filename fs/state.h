/*
 * Memory that outlives a server: what open handles are pinned to, which cached pages of secrets are
 * still to be swept, what each view's kernel was told of, who sleeps in poll, and the request that
 * each thread has in its hands. The supervisor makes it and hands the same to each server it
 * starts; it holds names and numbers, no value and no key. Used by one server at a time; the
 * supervisor reads what it judges a server by, and writes the figures.
 */
#ifndef EMSA_FS_STATE_H
#define EMSA_FS_STATE_H

#include <stdatomic.h>
#include <stdint.h>

#include "fs/histogram.h"

/* A sealed-size memfd, zeroed; the caller closes it. ERR_IO, ERR_NOMEM. */
int state_create(int *fd);

/* Inside: what a server sees of it. Private to fs/. */

#define PIN_SLOTS                                                                                  \
    262144u /* open handles on one host: beyond it a handle stays at what it was opened at */
#define MARK_SLOTS 16384u /* nodes of secrets with pages in some page cache at one time */
#define VIEW_SLOTS 16384u /* views of one server */
#define POLL_SLOTS 16384u /* open files that somebody sleeps on in poll */
#define REQUEST_SLOTS 32u /* threads of a server, at most */
#define REQUEST_MAX 8192u /* a request as the kernel sends it: FUSE_MIN_READ_BUFFER */
#define SUSPECT_SLOTS 64u /* requests that a server died of */

struct pin_slot {
    _Atomic uint64_t tag; /* fs/pin.c */
    _Atomic uint64_t rev; /* and a bit: the end was read */
};

struct mark_slot {
    uint64_t node; /* 0: free */
    uint32_t view;
    uint32_t turn; /* counts up with each read; a sweep names the turn that it covers */
};

/* What is known of one view (fs/view_slot.h). The numbers of its step (fs/step.h) say which names a
 * reader may see already, so a new server says the same as the one before. */
struct view_slot {
    _Atomic uint32_t view;  /* 0: free */
    uint32_t held;          /* by the server that lives */
    _Atomic uint64_t taken; /* requests taken from it; only ever counts up */
    _Atomic uint64_t told;  /* its kernel knows all up to this revision, and names are in step */
    _Atomic uint64_t upto;  /* the step under way goes from told to here; not behind told: none */
    _Atomic uint64_t done;  /* names of the step are in step up to this position */
    _Atomic uint64_t heard; /* its watchers know all up to this revision */
    _Atomic uint64_t pin;   /* the revision that it shows (fs/move.h); 0: the newest */
    /* Of the move under way. While there is one the step goes from move_from to move_upto, and its
     * names are in step up to done; UINT64_MAX: all of them. */
    _Atomic uint64_t move_from; /* 0: there is none */
    _Atomic uint64_t move_upto;
    _Atomic uint64_t move_pin;  /* what pin is to be */
    _Atomic uint64_t moves;     /* how many there were */
    _Atomic uint64_t left;      /* what it showed before the last; 0: it was never moved */
    _Atomic int64_t moved_time; /* nanoseconds since 1970 */
    _Atomic uint32_t pins;      /* how many of all it has; counted anew by each server */
    uint32_t polls;             /* the same, under the lock of fs/poll.c */
    /* Of the last READ; three stores, so two readers at one time may be mixed: a hint for people.
     */
    _Atomic uint64_t reader;   /* uid in the upper half, pid in the lower */
    _Atomic uint64_t read_rev; /* what it was answered from */
    _Atomic int64_t read_time; /* nanoseconds since 1970, as of the last tick; 0: nobody read yet */
};

/* An open file that the kernel wants to be told of (fs/poll.h). */
struct poll_slot {
    uint32_t view;   /* 0: free */
    uint32_t gone;   /* woken because the key was removed */
    uint64_t handle; /* as OPEN answered it */
    uint64_t kernel; /* the kernel's own handle for FUSE_NOTIFY_POLL */
    uint64_t node;
    uint64_t rev; /* who sleeps was woken for all up to this revision */
};

/* What one thread has in its hands (fs/replay.h). */
struct request_slot {
    _Atomic uint64_t taken; /* requests that this thread has taken; only ever counts up */
    _Atomic uint32_t busy;  /* it has one, or is about to read one */
    _Atomic uint32_t fatal; /* a signal that ends the process was raised in this thread */
    _Atomic uint32_t view;  /* whose; set before it is read */
    _Atomic uint32_t tid;   /* of the thread; 0: none */
    _Atomic uint32_t trial; /* it is suspected, and answered while no other suspect is */
    uint32_t spare[9];
    _Alignas(64) unsigned char data[REQUEST_MAX]; /* length 0 in its header: nothing */
};

/* A request that a server died of (fs/replay.h). */
struct suspect_slot {
    _Atomic uint64_t unique; /* without the kernel's mark of a request sent again; 0: free */
    uint64_t node;
    uint32_t view;
    uint32_t opcode;
    uint32_t deaths;
    uint32_t since; /* the last death, in monotonic seconds */
};

/* What the supervisor counts, for people (tools/emsad/tally.h). */
struct state_figures {
    _Atomic uint64_t server_started;   /* servers so far */
    _Atomic uint64_t server_crashed;   /* ended by themselves, or were killed */
    _Atomic uint64_t server_stuck;     /* were replaced because they didn't answer */
    _Atomic uint64_t notifier_started; /* notifiers so far */
    _Atomic uint64_t taken_over;       /* supervisors that followed a dead one */
    _Atomic uint64_t upgraded;         /* binaries replaced */
    _Atomic uint64_t upgrade_failed;   /* of them, taken back */
    _Atomic uint64_t last_pause;       /* nanoseconds without a server, last time */
    _Atomic uint64_t longest_pause;
    _Atomic uint64_t refused; /* requests answered EIO because servers died of them */
};

/* How long commits took to arrive, for people: from fs_publish on. The notifier's half of the
 * server adds to them (fs/notify.c); they go on counting when a server is replaced. */
struct state_times {
    struct histogram visible; /* until every view's kernel gives the new value */
    struct histogram event;   /* until every view's watchers have their events */
};

struct state {
    uint64_t magic;
    _Atomic uint64_t
        published; /* every view's kernel was told of all up to here; 0: nothing served yet */
    _Atomic uint32_t pins_used; /* counted anew by each server */
    _Atomic uint32_t
        pin_high; /* pins from here on were never used (reading them would make pages) */
    _Atomic int64_t
        due; /* when the first key ends, on the clock; 0: none does, or it is being seen to */
    uint32_t mark_high;             /* and marks from here on are free */
    _Atomic uint32_t view_high;     /* and views */
    uint32_t poll_high;             /* and polls */
    _Atomic uint32_t suspects_used; /* so that nobody looks while there are none */
    _Atomic uint32_t died;          /* the last server did, of nobody's signal but its own */
    _Atomic uint32_t explained;     /* and its threads had the time to say which of them it was */
    struct state_figures figures;
    struct state_times times;
    struct suspect_slot suspects[SUSPECT_SLOTS];
    _Alignas(64) struct request_slot requests[REQUEST_SLOTS];
    struct view_slot views[VIEW_SLOTS];
    struct poll_slot polls[POLL_SLOTS];
    struct pin_slot pins[PIN_SLOTS];
    struct mark_slot marks[MARK_SLOTS];
};

/* Maps what state_create made. ERR_FORMAT: made by a version with another layout; ERR_IO. */
int state_map(struct state **out, int fd);
void state_unmap(struct state *state);

#endif
