/*
 * One lane of the notifier: what is still to be done to one view, and the thread that does it. The
 * thread may be stuck in the kernel as long as a reader of that view likes; only that view waits.
 *
 * What the kernel is to forget goes first, then names, then events. Names and events need a
 * writable mount, which the lane asks for when it has some and gives back soon after: as long as it
 * is there, a view that everybody has unmounted does not end. If none can be had, names are only
 * told to the kernel (watchers don't hear of them, readers see them), and events wait. An event
 * that is refused though there is a mount is tried again for a minute and a half; what comes after
 * it does not wait.
 */
#ifndef EMSA_FS_LANE_H
#define EMSA_FS_LANE_H

#include <stdint.h>

#include "fs/message.h"
#include "fs/roster.h"

struct lane;

#define LANE_LATER (-1)  /* the mount comes by lane_mount */
#define LANE_NOBODY (-2) /* there is nobody to ask any more: none will come */

struct lane_hooks { /* called by lane threads */
    /* A message is done. generation is as given to lane_add. */
    void (*done)(void *arg, const struct message *message, uint32_t generation);
    /* A writable, detached mount of the view is wanted: its descriptor (taken over) or one of the
     * above. */
    int (*ask)(void *arg, uint32_t view);
    /* Watchers cannot be told of something (yet), and why. NULL: nobody hears that. */
    void (*alarm)(void *arg, const char *text);
    struct roster *roster; /* NULL: there is none, and so no names and events of its own */
    void *arg;
};

/* hooks outlive the lane, unless it is ended. */
int lane_new(struct lane **out, uint32_t view, const struct lane_hooks *hooks);

/* Ends the thread when what it is doing is done, and frees the lane; does not wait for it. */
void lane_end(struct lane *lane);

/* The same, and waits. Never where the view's own processes wait for the caller. */
void lane_join(struct lane *lane);

/* Closes the view's /dev/fuse, before lane_join: if nobody else has it, that ends the connection,
 * and what the thread waits for in the kernel. Its number stays taken until lane_join. */
void lane_let_go(struct lane *lane);

/* The view's /dev/fuse (taken over); until it comes, messages wait. The thread is started with the
 * first. */
int lane_descriptor(struct lane *lane, int fuse_fd);

/* The mount that was asked for (taken over), or LANE_LATER: it cannot be had now. */
void lane_mount(struct lane *lane, int mount_fd);

/* Adds a message with its effects (copied). ERR_NOMEM. */
int lane_add(struct lane *lane, const struct message *message, const void *effects,
             uint32_t generation);

/* Forgets all that waits: the server that asked is gone and the next one will ask again. */
void lane_clear(struct lane *lane);

uint32_t lane_view(const struct lane *lane);

#endif
