/*
 * What a change comes to: the operations of the log, in their order, and the lines that tell of
 * them. Judging (rules.c) makes the plan and applies it to the derived state at once, so that later
 * wishes see what earlier ones do; sealing (seal.c) adds digests, values and keys when nothing was
 * refused.
 */
#ifndef EMSA_STORE_MODEL_PLAN_H
#define EMSA_STORE_MODEL_PLAN_H

#include "store/change.h"
#include "store/log/operation.h"
#include "store/model/gather.h"

struct planned {
    struct operation operation; /* names are borrowed from the gather */
    const struct wish *wish;    /* whose value it sets; NULL: none */
};

struct plan {
    struct planned *steps; /* owned */
    size_t count, capacity;
    struct change_line *lines; /* owned */
    size_t line_count, line_capacity;
    struct text_blocks texts; /* of lines */
};

/* ERR_NOMEM; ERR_INVALID: over a commit's limit. */
int plan_add(struct plan *plan, const struct operation *operation, const struct wish *wish);

/* Room for so many steps and lines, as far as it is known; plan_add and plan_line make it for more.
 * ERR_NOMEM. */
int plan_reserve(struct plan *plan, size_t count);

/* Appends a line; the place is as deep as the texts that are not "", which are copied. ERR_NOMEM.
 */
int plan_line(struct plan *plan, char mark, bool secret, uint64_t was_rev, const char *environment,
              const char *service, const char *key);

/* The line that was added last is of a key that ends then (0: never). */
void plan_line_expires(struct plan *plan, int64_t expires);

/* The line that was added last is not of a place but of what is said of its name. ERR_NOMEM. */
int plan_line_subject(struct plan *plan, enum change_subject subject, const char *with);

/* The line that was added last is of a compaction. */
struct erased;
int plan_line_erased(struct plan *plan, const struct erased *erased);

/* The line that was added last is of rights that a principal holds or held. ERR_NOMEM. */
int plan_line_rights(struct plan *plan, const char *principal, unsigned rights);

void plan_release(struct plan *plan);

#endif
