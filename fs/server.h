/* The inside of struct fs, for the files that answer requests. */
#ifndef EMSA_FS_SERVER_H
#define EMSA_FS_SERVER_H

#define FUSE_USE_VERSION 314

#include <fuse_lowlevel.h>
#include <pthread.h>
#include <stdatomic.h>

#include "fs/crew.h"
#include "fs/fs.h"
#include "fs/mark.h"
#include "fs/notify.h"
#include "fs/pace.h"
#include "fs/poll.h"
#include "fs/recent.h"
#include "fs/roster.h"
#include "fs/state.h"
#include "fs/tree.h"
#include "fs/view.h"
#include "store/secret.h"
#include "store/snapshot.h"

struct counters { /* written by one thread, read by any */
    _Atomic uint64_t requests, reads, decryptions, errors;
};

#define THREADS_MAX REQUEST_SLOTS

/* A value that is read piece by piece, kept while its reader is likely to come for the next piece.
 */
struct kept {
    struct entry entry; /* which version */
    const unsigned char *data;
    size_t size; /* 0: nothing is kept */
};

/* How long a text of `.emsa` is (fs/text.h), which never changes. */
#define TEXT_NOTES 64u
struct text_note {
    uint64_t id; /* of its node; 0: nothing is noted */
    size_t size;
    bool has_secret;
    bool is_too_large;
};

/* What an id on the wire of a consumer's view is known to be (fs/gate.h): for ever. */
#define KNOWN_SLOTS 256u
struct known {
    uint32_t view; /* 0: nothing is noted */
    uint64_t wire, node;
};

/* One thread that answers requests, and all that it needs for one: nothing is shared with the
 * others. */
struct worker {
    struct fs *fs;
    pthread_t thread;
    bool started;
    struct snapshot *snapshot;
    struct secret scratch; /* plaintext; cleared at the latest before this thread blocks */
    bool has_opened;       /* a secret, which scratch or a register may still hold */
    struct kept kept;      /* in scratch, or in copy */
    struct secret window;  /* a piece of a text, until it is sent (fs/text.h) */
    struct text_note notes[TEXT_NOTES];
    struct recents *recents;
    struct known known[KNOWN_SLOTS];
    unsigned char *copy;          /* VALUE_MAX; of a plain value */
    unsigned char *reply;         /* VIEW_MAX_READ_LIMIT; written before it is sent, so present */
    struct request_slot *request; /* what it has in its hands; fs/replay.h */
    size_t size;                  /* of that, as it was read */
    struct view *view;            /* whose request is being answered */
    uint64_t wire;                /* the node that it is about, as the kernel has it */
    _Atomic uint32_t slot;        /* of that view */
    struct watched watched;       /* fs/crew.h */
    uint64_t sweep_node; /* to be swept when the answer is out, as the kernel has it; 0: none */
    uint32_t sweep_turn;
    uint32_t pin_hint;
    bool is_left;  /* the request in hand lay in the slot */
    bool again;    /* a server before had this request too */
    bool was_told; /* the last request was the notifier's last one for a file */
    struct pace pace;
    unsigned credit; /* how often looking for more may still find nothing before it stops */
    struct counters counters;
};

struct fs {
    struct store *store;      /* borrowed */
    struct audit_ring *audit; /* borrowed; NULL: nothing is audited */
    void (*alarm)(void *arg, const char *text);
    void (*gone)(void *arg, uint32_t view);
    void *arg;
    uint64_t spin; /* nanoseconds that a thread looks for more before it blocks; 0: never */
    int state_fd;
    struct state *state;
    struct marks marks;
    struct views views;
    struct polls *polls;
    struct notify *notify;
    struct roster *roster;        /* read only; NULL: there is no notifier to know */
    pthread_mutex_t session_lock; /* over ready: the session is told of INIT once */
    bool ready;
    struct fuse_session *session;
    int epoll_fd;
    int stop_fd; /* an eventfd; readable once the threads are to end */
    atomic_bool stopping;
    struct crew crew;
    atomic_uint spinning;         /* threads that look for more just now */
    _Atomic uint64_t last_answer; /* monotonic nanoseconds */
    _Atomic uint64_t last_alarm;  /* the same; alarms come once a second at most */
    unsigned thread_count;
    struct worker workers[THREADS_MAX];
};

/* loop.c */
int loop_init(struct fs *fs);
int loop_start(struct fs *fs);
void loop_stop(struct fs *fs); /* waits for the threads */
void loop_release(struct fs *fs);
/* Has a view's requests answered. */
int loop_watch(struct fs *fs, uint32_t slot, int fuse_fd);
/* The thread that is running this handler. */
struct worker *loop_worker(void);
/* Lets another thread take what comes for this view meanwhile: the answer in hand may take long. */
void loop_invite(struct worker *worker);
/* Has the next request of a view wake a thread. */
void loop_arm(struct fs *fs, struct view *view, uint32_t slot);
/* Has what this thread reads be what its view shows: the newest revision, or the one that the view
 * is held at (fs/move.h). Once a request, so that each is answered from one revision. */
void worker_stand(struct worker *worker);
/* One thread more. */
int loop_worker_start(struct fs *fs, unsigned index);

/* gate.c: the table for libfuse */
extern const struct fuse_lowlevel_ops gate_table;

/* ops.c: the small handlers, and what all share */
void ops_lookup(fuse_req_t request, fuse_ino_t parent, const char *name);
void ops_getattr(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info);
void ops_readlink(fuse_req_t request, fuse_ino_t node);
void ops_getxattr(fuse_req_t request, fuse_ino_t node, const char *name, size_t size);
void ops_listxattr(fuse_req_t request, fuse_ino_t node, size_t size);

/* How long the kernel may keep names and attributes: it is told when they change. */
#define KEEP_SECONDS (7.0 * 86400)

/* Ends a request with an errno. */
void ops_errno(fuse_req_t request, int errno_value);
/* Ends a request that failed: found is a failure, or NOT_THERE. Counts it, and calls the alarm
 * where something is wrong with this machine and not with the request. */
void ops_fail(struct worker *worker, fuse_req_t request, int found);
/* Tells people that something is wrong, a line a second at most. */
void ops_alarm(struct worker *worker, const char *text);
/* Fills what LOOKUP and READDIRPLUS tell of a place. */
int ops_entry(struct worker *worker, struct fuse_entry_param *out, const struct place *place);

/* dir.c */
void dir_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info);
void dir_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
              struct fuse_file_info *info);
void dir_read_plus(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
                   struct fuse_file_info *info);
void dir_release(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info);

/* file.c */
void file_open(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info);
void file_poll(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info,
               struct fuse_pollhandle *sleeper);
void file_release(fuse_req_t request, fuse_ino_t node, struct fuse_file_info *info);
/* ERR_DENIED for a secret in a view that masks them, else 0. */
int file_refuse_masked(const struct worker *worker, const struct entry *entry);

/* read.c */
void file_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
               struct fuse_file_info *info);
/* A page of a secret is about to reach a page cache: it is swept after the answer. */
void file_mark(struct worker *worker);
/* Says of the view who was answered a READ, and from which revision. */
void file_note_reader(struct worker *worker, fuse_req_t request, uint64_t rev);
/* audited.c: tells the audit ring that a piece of a secret is about to be given, or was refused
 * (masked). Never waits, but for a place where it is required. False: it must not be given. */
bool audited_read(struct worker *worker, fuse_req_t request, const struct entry *entry);
bool audited_text(struct worker *worker, fuse_req_t request, const struct node *node);
void audited_denied(struct worker *worker, fuse_req_t request, const struct node *node);

/* Forgets a secret that is kept, and wipes it. */
void file_forget(struct worker *worker);

#endif
