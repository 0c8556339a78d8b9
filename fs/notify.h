/*
 * The server's half of telling kernels what changed: from the log, through the socket, to the
 * notifier.
 *
 * What is to be told is never kept in memory: the log has it (fs/target.h). A notifier that is new,
 * or a server that is, goes on behind what was confirmed.
 */
#ifndef EMSA_FS_NOTIFY_H
#define EMSA_FS_NOTIFY_H

#include <stdint.h>

#include "fs/mark.h"
#include "fs/poll.h"
#include "fs/scope.h"
#include "fs/state.h"
#include "store/store.h"

struct notify;

/* Borrows all four, which outlive it. Starts no thread yet. */
int notify_new(struct notify **out, struct store *store, struct state *state, struct marks *marks,
               struct polls *polls);
void notify_free(struct notify *notify);

/* Starts the thread that hears the notifier, and tells everybody what a server before could not. */
int notify_start(struct notify *notify);

/* A view that the kernels' owner should be told for from now on, and its end. scope (NULL: all) is
 * borrowed until then. */
int notify_view_add(struct notify *notify, uint32_t view, struct scope *scope);
void notify_view_remove(struct notify *notify, uint32_t view);

/* A new connection to a notifier (taken over). */
int notify_connect(struct notify *notify, int socket);

/* As fs_publish. */
int notify_publish(struct notify *notify, uint64_t rev);

/* As fs_move. */
int notify_move(struct notify *notify, uint32_t view, uint64_t pin);

/* Asks for the pages of a node to be dropped. Never waits: what does not go out now, goes later if
 * the node is marked. For handlers. */
void notify_sweep(struct notify *notify, uint32_t view, uint64_t node, uint32_t turn);

/* The revision that every view's kernel was told of. */
uint64_t notify_published(const struct notify *notify);

#endif
