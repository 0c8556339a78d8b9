/*
 * The crash protocol: what a server that dies has in its hands.
 *
 * A request that was read from /dev/fuse and not answered hangs its reader until somebody answers
 * it: the kernel gives it out once. From Linux 6.9 on it can be told to give all such out again
 * (FUSE_NOTIFY_RESEND); before, nobody has the request but the memory it was read into. So that
 * memory is never the server's own. Each thread receives into its slot of the memory that outlives
 * servers, and the thread that has the slot in the next server answers what lies there, before
 * anything else (views with `replay`). Where the kernel sends again, slots tell only what the dead
 * one was at.
 *
 * Nobody writes a journal: the slot is right at every single instruction, because
 *
 *   - the length in the request's header is 0 before the read and after the answer, and the kernel
 *     writes it together with the request. The kernel's copying is not cut short by a SIGKILL as
 *     long as the pages are there, so a slot holds a whole request or none. What was answered and
 *     not yet marked so is answered again; a unique is never used twice, so the kernel says ENOENT;
 *   - the view is named before the read, and only while the length is 0: were it named after, a
 *     server that dies in between would leave a request that is answered on another view's
 *     connection, to whoever has the same unique there;
 *   - handlers change nothing but pins and marks, and both bear being done twice.
 *
 * And the two rules of pages: the slot's are touched by its thread after it started and locked
 * where the limit allows; an answer is sent from memory of this process that was just written.
 * Shared memory would not do for answers: its page may be absent in this process though it is in
 * memory, and SIGKILL in that moment ends the request with EIO.
 *
 * A request that kills servers would be sent again for ever. So who dies of a signal of its own
 * making says so in the slot of the thread (fs/fatal.h), and the next server counts a death for
 * what that thread had in its hands; where nobody could say so (a system call that the sandbox
 * forbids, an exit), for all that was in hands. Suspects are answered one at a time, so that the
 * second death tells which of them it was; the others are cleared by their answers. After two
 * deaths a request is answered EIO when it comes a third time, and everybody else goes on. Somebody
 * else's SIGKILL is nobody's fault and counts for nothing. A thread that is stuck for good is
 * marked by the supervisor before it kills the server.
 */
#ifndef EMSA_FS_REPLAY_H
#define EMSA_FS_REPLAY_H

#include <stdbool.h>
#include <stddef.h>

#include "fs/state.h"

/* The supervisor, when it has reaped a server that it had let answer: how it ended. */
void replay_died(struct state *state, int wait_status);

/* A server, before its threads: counts what the one before died of, if it says so. What slots hold
 * stays there. */
void replay_begin(struct state *state);

/* A thread of a server, first of all: the slot is its own now. Touches its pages. */
void replay_attach(struct request_slot *slot);

/* The size of the request in a slot, 0: none, or nothing that could be one. */
size_t replay_size(const struct request_slot *slot);

/* What is read from now on is this view's. Nothing may be in the slot. */
void replay_view(struct request_slot *slot, uint32_t view);

/* A request was read into the slot, and is to be answered. */
void replay_taken(struct request_slot *slot);

/* It was answered, or nothing was read. */
void replay_done(struct request_slot *slot);

enum replay_verdict {
    REPLAY_FINE,
    REPLAY_SUSPECT, /* a server died of it, or of another: between replay_try and replay_cleared */
    REPLAY_REFUSED, /* it is to be answered EIO; it is forgotten, and counted */
};

/* Whether the request in the slot may be answered. Costs a load when nothing is suspected. */
enum replay_verdict replay_judge(struct state *state, const struct request_slot *slot);

/* The suspect in the slot is answered now; waits until no other is. */
void replay_try(struct request_slot *slot);

/* It was answered and nobody died. */
void replay_cleared(struct state *state, struct request_slot *slot);

#endif
