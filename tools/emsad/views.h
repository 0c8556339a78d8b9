/* The superblocks that the supervisor made, and holds so that a server's death does not end them.
 */
#ifndef EMSA_TOOLS_EMSAD_VIEWS_H
#define EMSA_TOOLS_EMSAD_VIEWS_H

#include <stddef.h>

#include "fs/mount.h"
#include "tools/emsad/channel.h"

struct view {
    struct view_options options; /* with its id */
    struct mount mount;
    const char *directory; /* where the supervisor attached it itself, or NULL; borrowed */
    uint64_t taken;        /* of the watch: what it saw last, */
    unsigned looks;        /* how often in a row the same, */
    unsigned seen;         /* and at which look */
};

struct views { /* zeroed: none */
    struct view *items;
    size_t count, capacity;
    uint32_t last_id;
};

/* Makes a superblock with a new id; one of a kernel that cannot send requests again is for replay,
 * whatever options say. *out is valid until the next call that makes or ends one. As
 * mount_make; ERR_NOMEM. */
int views_make(struct views *views, struct view **out, const struct view_options *options);

/* NULL: there is none. Valid as above. */
struct view *views_of(struct views *views, uint32_t id);

/* Closes and forgets one; an unknown id is nothing. */
void views_end(struct views *views, uint32_t id);
void views_end_all(struct views *views);

/* Hands a view over to the server or the notifier. As channel_send. */
int view_send(const struct view *view, int channel, int deadline);

#endif
