/*
 * Whose a commit's outcomes are: which places it says something of, so that each of a thousand
 * views that it says nothing to finds that out by a look into memory.
 *
 * Outcomes stand in the order of places, so those of one place are one run. The outline of a commit
 * is made once, by reading all of it, for all views that have a part of the tree, and kept while it
 * is likely to be asked for again (what is told of a commit is told in three rounds).
 */
#ifndef EMSA_FS_OUTLINE_H
#define EMSA_FS_OUTLINE_H

#include "fs/scope.h"

#define OUTLINES_KEPT 64u

/* Places in all outlines that are kept, but for the one that was made last. */
#define OUTLINE_RUNS_KEPT 65536u

struct run { /* of one place: a service of an environment, or (0) the environment itself */
    uint32_t service;
    uint32_t first; /* of its outcomes; they end where the next run's begin */
};

struct group { /* of one environment */
    char name[ENVIRONMENT_NAME_MAX + 1];
    uint32_t first, end; /* of its runs */
};

struct outline {
    uint64_t rev; /* 0: of none */
    uint32_t outcomes;
    struct run *runs; /* owned, as groups */
    struct group
        *groups; /* by name; one that was removed and made again has two, the older first */
    uint32_t run_count, group_count;
};

struct outlines { /* zero is empty */
    struct outline kept[OUTLINES_KEPT];
    uint32_t runs; /* in all of them */
};

void outlines_release(struct outlines *outlines);

/*
 * The first outcome of a revision from *index on that is a scope's (all are, where that is NULL or
 * all of it); outlines may be NULL then. NOT_THERE: no more; ERR_NOMEM, or a failure of the store.
 */
int outlines_next(struct outlines *outlines, struct snapshot *snapshot, struct scope *scope,
                  struct outcome *out, uint64_t rev, uint32_t *index);

#endif
