/* The views of a server: which connections there are, and what each shows. A view lives as long as
 * somebody holds it, so that its descriptor is not closed under a thread that reads from it. */
#ifndef EMSA_FS_VIEW_H
#define EMSA_FS_VIEW_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "fs/fs.h"
#include "fs/scope.h"
#include "fs/view_slot.h"

struct view {
    struct view_options options; /* never changes */
    struct scope scope;          /* what of the tree that is */
    struct view_slot *shared;    /* what servers leave to each other of it; NULL in some tests */
    int fuse_fd;                 /* owned */
    atomic_uint serving;         /* threads that are at it; the last one to go arms it again */
    atomic_uint looking;         /* of them, those that look for more (one at most) */
    atomic_uint given_up;        /* threads that hang with a request of it, of which others know */
    unsigned users;              /* under views.lock; the table is one of them */
    bool gone;                   /* under views.lock: out of the table */
};

struct views {
    pthread_mutex_t lock; /* over all below; held for some loads and stores only */
    struct view **slots;  /* by position; NULL: free */
    uint32_t capacity;
    uint32_t count;
};

int views_init(struct views *views);
/* Closes all; nobody may hold any. */
void views_release(struct views *views);

/* Takes fuse_fd over, also on failure; and shared, which is dropped when the view is removed and
 * nobody holds it any more. *slot names it for views_get. ERR_NOMEM; ERR_REFUSED: the id is there
 * already. */
int views_add(struct views *views, uint32_t *slot, const struct view_options *options,
              struct view_slot *shared, int fuse_fd);

/* The view in a slot, held; NULL if it is gone. views_put: whether that was the last hold, so that
 * the view is no more. */
struct view *views_get(struct views *views, uint32_t slot);
/* The view with an id, held, and its slot. NULL: there is none. */
struct view *views_find(struct views *views, uint32_t *slot, uint32_t id);
bool views_put(struct views *views, struct view *view);

/* Takes a view out of the table. False if somebody did already. */
bool views_remove(struct views *views, struct view *view);

uint32_t views_count(struct views *views);

#endif
