/* What a range of the log changes in the tree of a view, as effects for its kernel (fs/message.h).
 */
#ifndef EMSA_FS_EFFECT_H
#define EMSA_FS_EFFECT_H

#include <stdbool.h>
#include <stddef.h>

#include "fs/message.h"
#include "store/history.h"

struct cursor { /* the next operation to look at */
    uint64_t rev;
    uint32_t op;
};

struct effects { /* a run of effects, as it goes into a message */
    unsigned char data[MESSAGE_MAX - sizeof(struct message)];
    size_t size;
    uint64_t waited; /* the directory waited for last, which need not be said again */
    uint64_t listed; /* the directory whose NODE stands at the end of data */
};

/* The effects of one operation, appended whole or not at all: false when there is no room. */
bool effects_of(struct effects *out, const struct operation_info *operation);

/*
 * Fills out with effects from *cursor on, no further than revision upto, and moves *cursor behind
 * what is in it. Done when cursor->rev > upto. 0, or a failure of the store; what was gathered
 * until then stands.
 */
int effects_gather(struct snapshot *snapshot, struct effects *out, struct cursor *cursor,
                   uint64_t upto);

/* The next effect of a run: false at its end, or where it is malformed. *at starts at 0. name is
 * not ended by NUL. */
bool effects_next(const unsigned char *data, size_t size, size_t *at, struct effect *out,
                  const char **name);

#endif
