/* The superblocks that the supervisor made, and holds so that a server's death does not end them.
 */
#ifndef EMSA_TOOLS_EMSAD_VIEWS_H
#define EMSA_TOOLS_EMSAD_VIEWS_H

#include <stdbool.h>
#include <stddef.h>

#include "fs/mount.h"
#include "tools/emsad/channel.h"

struct view {
    struct view_options options; /* with its id */
    struct mount mount;
    char *directory; /* where it is mounted, as far as that is known; owned, or NULL */
    bool is_ours;    /* the supervisor mounts it there, and takes it away at the end */
    bool is_volume;  /* one of those: its name is the last part of directory */
    bool is_again;   /* in the place of one that died; others may have led its path elsewhere */
    uint64_t taken;  /* of the watch: what it saw last, */
    unsigned looks;  /* how often in a row the same, */
    unsigned seen;   /* and at which look */
};

struct views { /* zeroed: none */
    struct view *items;
    size_t count, capacity;
    uint32_t last_id;
};

/* Makes a superblock with a new id; one of
 * a kernel that cannot send requests again is for replay, whatever options say. *out is valid until
 * the next call that makes or ends one. As mount_make; ERR_NOMEM. */
int views_make(struct views *views, struct view **out, const struct view_options *options);

/* Takes a view that another supervisor made, as VIEW describes it. The descriptor is taken over on
 * success. ERR_IO: no such thing; ERR_NOMEM. */
int views_adopt(struct views *views, const struct channel_message *message, int *fuse_fd);

/* Where a view is mounted. ERR_NOMEM. */
int view_place(struct view *view, const char *directory, bool is_ours);

/* It is mounted nowhere any more, as far as that is known. */
void view_unplace(struct view *view);

/* Those that the supervisor mounted itself are mounted nowhere any more. */
void views_forget_ours(struct views *views);

/* NULL: there is none. Valid as above. */
struct view *views_of(struct views *views, uint32_t id);

/* Closes and forgets one; an unknown id is nothing. */
void views_end(struct views *views, uint32_t id);
void views_end_all(struct views *views);

/* Hands a view over to the server or the notifier. As channel_send. */
int view_send(const struct view *view, int channel, int deadline);

#endif
