/*
 * The tree, served: FUSE requests answered from a store. One object a server process; it serves any
 * number of views (one FUSE superblock each) from one libfuse session with threads of its own, and
 * never waits in a handler for a network, a log, an fsync or a lock that a writer holds.
 */
#ifndef EMSA_FS_FS_H
#define EMSA_FS_FS_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "store/limits.h"
#include "store/name.h"
#include "store/store.h"

struct audit_ring; /* store/audit_ring.h */
struct fs;
struct state_figures; /* fs/state.h */
struct state_times;

/* The most that one READ brings (mount option max_read): what a view has by default, and at most.
 */
#define VIEW_MAX_READ 65536u
#define VIEW_MAX_READ_LIMIT 1048576u

struct fs_options {
    struct store *store; /* borrowed; outlives the fs */
    unsigned threads;    /* 0: as many as cores, at least 2, at most 8 */
    /* How long a thread that has answered looks for more before it blocks, in microseconds: 0 is
     * the default, negative never. It stops looking when that found nothing a few times. */
    int spin;
    int state_fd;             /* shared memory made by state_create (fs/state.h); taken over */
    struct audit_ring *audit; /* who is given a secret is told there; borrowed; NULL: nowhere */
    int roster_fd; /* who the notifier is (fs/roster.h); stays the caller's; -1: there is none */
    void (*alarm)(void *arg, const char *text);
    /* A view whose superblock is gone (unmounted, aborted): the server must forget it and say so to
     * the supervisor. Called once per view, from a server thread. */
    void (*gone)(void *arg, uint32_t view);
    void *arg;
};

/* How much of the tree a view has: all of it (an administrators' view), or one environment, or one
 * service of one (a consumer's view: it shows nothing of anything else). */
enum view_extent { VIEW_ALL, VIEW_ENVIRONMENT, VIEW_SERVICE };

/* Where that stands: tree, below its names as in the whole tree (DIR/prod/billing/KEY); flat, at
 * the root of the view (DIR/KEY). */
enum view_layout { LAYOUT_TREE, LAYOUT_FLAT };

#define VIEW_KEY_SIZE 16

struct view_options {  /* what one superblock shows, and to whom; travels between processes as is */
    uint32_t id;       /* given by the supervisor, never reused */
    uint32_t max_read; /* as in the mount option; 0: VIEW_MAX_READ */
    uid_t uid;         /* owner of everything in it */
    gid_t gid;
    uid_t maker;             /* who asked for it */
    uint16_t directory_mode; /* permission bits; 0: 0700, in a consumer's view 0555 */
    uint16_t file_mode;      /* 0: 0400, in a consumer's view 0444 */
    uint8_t cache;           /* plain values of up to a page may be kept by the kernel */
    uint8_t masked;          /* secrets show names, sizes and attributes, and cannot be opened */
    uint8_t replay;    /* what a dead server had in its hands comes from the shared memory, and
                          not from the kernel: it cannot (before Linux 6.9), or shall not */
    uint8_t extent;    /* enum view_extent */
    uint8_t layout;    /* enum view_layout; LAYOUT_TREE where extent is VIEW_ALL */
    uint8_t history;   /* a consumer's: every revision stands in at/, not only the newest */
    uint8_t idmap;     /* mounts of it may be mapped to a user namespace */
    uint64_t pin;      /* the revision that it begins at and stays at until moved; 0: the newest */
    int64_t made_time; /* when it was made, in nanoseconds since 1970 */
    unsigned char key[VIEW_KEY_SIZE]; /* random: of the ids that a consumer's kernel sees */
    char environment[ENVIRONMENT_NAME_MAX + 1]; /* of the extent; else "" */
    char service[SERVICE_NAME_MAX + 1];
};

/* Fills in of options what a new view of a path needs (the root: all; an environment; a service):
 * extent and names, the time, and a key of its own. ERR_INVALID: the path is a key's; ERR_IO: the
 * system gives no random numbers. */
int view_options_of(struct view_options *options, const struct path *path);

/* Whether two show the same to the same: what makes each its own (id, key, maker, time) does not
 * count. */
bool view_options_alike(const struct view_options *one, const struct view_options *other);

/* Has threads that die of a signal of their own making say what they were at, so that a request
 * that kills servers is found (fs/replay.h). Once a process, before the store is opened. ERR_IO. */
int fs_catch(void);

/* Starts nothing yet. ERR_FORMAT: the shared memory is of another version; ERR_NOMEM, ERR_IO. */
int fs_new(struct fs **out, const struct fs_options *options);
void fs_free(struct fs *fs); /* stops the threads; closes every descriptor it adopted */

/* Adopts a live connection: its /dev/fuse descriptor (taken over, also on failure) and the INIT
 * request that the supervisor answered for it. ERR_INVALID: there can be no such view; ERR_REFUSED,
 * ERR_NOMEM, ERR_IO. */
int fs_adopt(struct fs *fs, const struct view_options *view, int fuse_fd, const void *init,
             size_t init_size);

/*
 * Starts the threads, and tells kernels what a server before committed and could not tell (the
 * shared memory says from where). So the views that it served must be adopted before this, and
 * nothing may be committed before it; new views may come at any time.
 */
int fs_start(struct fs *fs);

/* The channel to the notifier (a SOCK_SEQPACKET socket, taken over); replaces the one before, and
 * what that one had not confirmed is sent again. */
int fs_notifier(struct fs *fs, int socket);

/*
 * After a commit: tells every view's kernel what changed up to revision rev, and returns when the
 * notifier has done it, so that whoever is answered after this reads the new value by any way. From
 * a thread that may wait, never from a handler. Positive 1: a view did not come back within the
 * time allowed (it is told as soon as it does).
 */
int fs_publish(struct fs *fs, uint64_t rev);

/*
 * Moves a view of an environment or a service to a revision, which it shows until it is moved
 * again; 0: to the newest, which it follows from then on. When it returns, what is read and listed
 * is that revision's; events follow. What differs is told as a change is. From a thread that may
 * wait, never from a handler. Two at one time are one after the other. Positive 1: the view did not
 * come back within the time allowed (it is moved, and told as soon as it does). ERR_NOT_FOUND: no
 * such view, or no such revision; ERR_REFUSED: what it shows was not there at that, or the view
 * does not come back with what it was told before; ERR_INVALID: it shows everything; ERR_NOMEM, or
 * a failure of the store: it was not moved.
 */
int fs_move(struct fs *fs, uint32_t view, uint64_t rev);

struct fs_status {
    uint32_t views;
    uint32_t open_files; /* handles that are pinned to a revision */
    uint32_t readers;    /* views in which there is one */
    uint64_t requests, reads, decryptions, errors;
    uint64_t published; /* the revision that every view's kernel was told of */
};
void fs_status(struct fs *fs, struct fs_status *out);

struct fs_view {
    uint64_t told;     /* its kernel knows everything up to this revision */
    uint64_t pin;      /* the revision that it is held at; 0: it follows the newest */
    int64_t read_time; /* of the last READ, nanoseconds since 1970; 0: nobody has read yet */
    uint64_t read_rev; /* what that was answered from */
    uint32_t uid, pid; /* who that was: hints (-1 in a mapped mount; a pid that is used again) */
};
/* 1: there is no view of that id. Any thread. */
int fs_view(struct fs *fs, struct fs_view *out, uint32_t view);

/* What the shared memory counts, also of servers before this one; it lives as long as the fs. */
const struct state_figures *fs_figures(const struct fs *fs);
const struct state_times *fs_times(const struct fs *fs);

/* Where the server says when the first key ends, for the supervisor to look at; as long as that. */
_Atomic int64_t *fs_due(struct fs *fs);

#endif
