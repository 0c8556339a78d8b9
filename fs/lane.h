/*
 * One lane of the notifier: what one view's kernel is still to be told, and the thread that tells
 * it. The thread may be stuck in the kernel as long as a reader of that view likes; only that view
 * waits.
 */
#ifndef EMSA_FS_LANE_H
#define EMSA_FS_LANE_H

#include <stdint.h>

#include "fs/message.h"

struct lane;

/* Who hears that a message is done; called by lane threads. generation is as given to lane_add. */
typedef void lane_done(void *arg, const struct message *message, uint32_t generation);

int lane_new(struct lane **out, uint32_t view, lane_done *done, void *arg);

/* Ends the thread when what it is doing is done, and frees the lane; does not wait for it. */
void lane_end(struct lane *lane);

/* The same, and waits. Never where the view's own processes wait for the caller. */
void lane_join(struct lane *lane);

/* The view's /dev/fuse (taken over); until it comes, messages wait. The thread is started with the
 * first. */
int lane_descriptor(struct lane *lane, int fuse_fd);

/* Adds a message with its effects (copied). ERR_NOMEM. */
int lane_add(struct lane *lane, const struct message *message, const void *effects,
             uint32_t generation);

/* Forgets all that waits: the server that asked is gone and the next one will ask again. */
void lane_clear(struct lane *lane);

uint32_t lane_view(const struct lane *lane);

/* Tells a kernel: the writes themselves. What it doesn't know (ENOENT) and a view that is gone
 * (ENODEV, ENOTCONN) count as told. */
void lane_tell(int fuse_fd, const struct message *message, const void *effects);

#endif
