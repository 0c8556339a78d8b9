/*
 * What a server keeps for the supervisor that may follow a dead one: the descriptors that it was
 * set up with, and every view with its connection. The server goes on without a supervisor, and
 * hands all of it to the next, so that nobody needs the right to look into another process.
 * Any thread.
 */
#ifndef EMSA_TOOLS_EMSAD_ESTATE_H
#define EMSA_TOOLS_EMSAD_ESTATE_H

#include <pthread.h>
#include <stdbool.h>

#include "tools/emsad/channel.h"

struct estate_view {
    struct channel_message *message; /* VIEW, as it came */
    int fuse_fd;
};

struct estate {
    pthread_mutex_t mutex; /* protects what is below; held while it is handed over */
    struct channel_message setup;
    int fds[SETUP_DESCRIPTORS]; /* -1 where there is none */
    struct estate_view *views;
    size_t count, capacity;
};

/* Keeps copies of SETUP and its descriptors. ERR_IO; estate_release is due in any case. */
int estate_init(struct estate *, const struct channel_message *setup,
                const struct channel_descriptors *given);
void estate_release(struct estate *);

/* Keeps a copy of VIEW and its descriptor. ERR_NOMEM, ERR_IO. */
int estate_add(struct estate *, const struct channel_message *view, int fuse_fd);

/* Calls for each view as it came, until one says something else than 0, which it returns; nothing
 * of this may be called from it. */
int estate_each(struct estate *, int (*each)(void *arg, const struct channel_message *view),
                void *arg);

/* Whether a volume stands at a path, with such options (NULL: whichever); and the number of its
 * superblock (NULL: not asked; 0: not known). */
bool estate_has_volume(struct estate *, const char *path, const struct view_options *options,
                       unsigned *number);

/* No volume stands at a path any more; whoever has its view mounted elsewhere keeps it. */
void estate_unplace(struct estate *, const char *path);

/* A view is no more. */
void estate_remove(struct estate *, uint32_t view);

/* A copy of the identity's descriptor, the caller's; -1: there is none. */
int estate_identity(struct estate *);

/* Keeps another one in its place, which is taken. */
void estate_keep_identity(struct estate *, int *fd);

/* Hands everything over: HELD, each VIEW, HANDED. ERR_IO: the other end is gone. */
int estate_hand_over(struct estate *, int channel);

#endif
