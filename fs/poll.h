/*
 * Who sleeps in poll on an open file, and whom to wake when it changes.
 *
 * A file is always readable and writable, as any regular file is for poll; that its value is newer
 * than what the handle is pinned to is told by POLLPRI and POLLERR, as sysfs does. The kernel gives
 * each open file that somebody may sleep on a handle of its own, by which it wants to be told; it
 * is kept in the memory that outlives servers, by view and handle, from the first poll to RELEASE.
 *
 * Nobody is missed: a poll is registered first and judged after that, so a commit that the
 * judgement did not see finds it registered. And what a slot remembers (the revision up to which
 * its sleepers were woken) moves only after they were woken, so a server that dies in between
 * leaves it to the next, which judges all that it finds when it starts.
 *
 * The wake-up is written by the server itself and not by the notifier: unlike an invalidation it
 * waits for nothing in the kernel (a spin lock and a wake-up), so it needs no messenger, no
 * confirmation, and nothing to be sent again when a notifier dies.
 */
#ifndef EMSA_FS_POLL_H
#define EMSA_FS_POLL_H

#include <stdbool.h>
#include <stdint.h>

#include "fs/state.h"
#include "fs/view.h"
#include "store/snapshot.h"

struct polls;

/* Takes over what a server before left in state. views: where a view's connection is found; both
 * are borrowed. ERR_NOMEM, and what opening a snapshot may say. */
int polls_new(struct polls **out, struct state *state, struct store *store, struct views *views);
void polls_free(struct polls *polls);

/* Registers a handle, before it is judged. kernel: by what the kernel wants to be told. shown: what
 * the view is held at; 0: at nothing. False when all slots are taken, or all that one view may
 * have: nobody will be woken. By any thread. */
bool polls_add(struct polls *polls, uint32_t view, uint64_t handle, uint64_t node, uint64_t kernel,
               uint64_t shown);

/* Forgets a handle, at RELEASE; does nothing where there is none. By any thread. */
void polls_drop(struct polls *polls, uint32_t view, uint64_t handle);

/* Forgets a view that has ended. By any thread. */
void polls_drop_view(struct polls *polls, uint32_t view);

/* The view's kernel was told of all up to revision told: wakes who sleeps on what changed. Costs a
 * look where nobody polls. By one thread, which is the only one for polls_judge_all too. */
void polls_judge(struct polls *polls, uint32_t view, uint64_t told);

/* The same for all views, for what a server before may have left undone; forgets views that are not
 * there any more. */
void polls_judge_all(struct polls *polls);

/* Whether what stands at the node of a key is another version than at rev, or gone. 0 or a failure.
 */
int poll_changed(struct snapshot *snapshot, bool *changed, uint64_t node, uint64_t rev);

#endif
