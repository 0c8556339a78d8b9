/*
 * What a Set is made of: operations, each of a kind. One table says of each kind which right it
 * takes and what it does to the change; a client composes any commit of them, and their order
 * counts.
 */
#ifndef EMSA_TOOLS_SERVICE_OPERATION_H
#define EMSA_TOOLS_SERVICE_OPERATION_H

#include "tools/service/stream.h"
#include "tools/service/verb.h"

/* Every operation that the call's list names, before any of it is done: its kind's right to its
 * path, and what it takes to read where it copies from. ERR_DENIED, ERR_INVALID. */
int operations_judge(struct request *request);

/* Whether one of them is at a place that the caller may not read: what it sets must not tell
 * whether it was so before (change_terms.blind). */
bool operations_blind(struct request *request);

/* Adds them to the change, in their order; values that are not in the list come from the stream.
 * ERR_INVALID: a kind, a member or a path that is none. */
int operations_add(struct change *change, json_t *operations, struct stream *stream);

#endif
