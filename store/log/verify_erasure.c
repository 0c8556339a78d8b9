/*
 * Values that were destroyed. One that is gone names the operation that destroyed it, and that one
 * must have meant it; one that is there must have been meant by none. What a compaction takes
 * follows from the history and from which revisions had names when it was made, so the compactions
 * are found before the walk through the log comes to the sets that they mean.
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/log/remains.h"
#include "store/log/verify_internal.h"

/* What cannot be read is told of by the walk that comes there. */
static int passable(struct verify *verify, int result)
{
    if (result != -ERR_CORRUPT && result != -ERR_FORMAT)
        return result;
    error_clear();
    verify->is_barred = true;
    const int error = verify_go_on(verify);
    return error ? error : TXN_NOT_FOUND;
}

static int add(struct verify *verify, const struct operation *operation, uint64_t rev, uint32_t op)
{
    struct verify_erasures *erasures = &verify->erasures;
    struct compaction *grown = realloc(erasures->items, (erasures->count + 1) * sizeof *grown);
    if (!grown)
        return error_set(ERR_NOMEM, "no memory to verify");
    erasures->items = grown;
    struct compaction *compaction = &grown[erasures->count++];
    *compaction = (struct compaction){.is_whole = verify->rev == 1};
    struct erasure *erasure = &compaction->is;
    *erasure = (struct erasure){.rev = rev,
                                .op = op,
                                .environment = operation->environment,
                                .service = operation->service,
                                .until = operation->until};
    const struct relations *tags = &erasures->tags;
    for (size_t i = 0; i < tags->capacity; i++)
        if (tags->slots[i].is_used && tags->slots[i].rev &&
            erasure_keep(erasure, tags->slots[i].tagged))
            return -ERR_NOMEM;
    erasure_sort(erasure);
    return 0;
}

static int collect_operation(struct verify *verify, uint64_t rev, uint32_t op)
{
    struct operation operation;
    int found = operation_get(verify->txn, &operation, rev, op);
    found = passable(verify, found);
    if (found)
        return found < 0 ? found : 0;
    if (operation.kind == OPERATION_COMPACT)
        return add(verify, &operation, rev, op);
    if (!operation_is_of_tag(operation.kind))
        return 0;
    found = relations_apply(&verify->erasures.tags, &operation, rev, op);
    return found < 0 ? found : 0;
}

/* A compaction stands alone in its commit, and tags are of no place. */
static int collect_commit(struct verify *verify, uint64_t rev)
{
    struct slice body;
    struct header header = {0};
    struct key key;
    int found = txn_get(verify->txn, &body, DB_COMMIT, key_commit(&key, rev));
    if (!found)
        found = header_decode(&header, body);
    found = passable(verify, found);
    if (found || (header.operations != 1 && !header_touches(&header, 0, 0)))
        return found < 0 ? found : 0;
    const uint32_t count = header.operations;
    for (uint32_t op = 0; op < count; op++) {
        const int error = collect_operation(verify, rev, op);
        if (error)
            return error;
    }
    return 0;
}

int verify_collect_erasures(struct verify *verify, uint64_t head)
{
    struct verify_erasures *erasures = &verify->erasures;
    while (erasures->upto < head) {
        const int error = collect_commit(verify, erasures->upto + 1);
        if (error)
            return error;
        erasures->upto++;
    }
    return 0;
}

void verify_erasures_release(struct verify_erasures *erasures)
{
    for (size_t i = 0; i < erasures->count; i++)
        erasure_release(&erasures->items[i].is);
    free(erasures->items);
    relations_release(&erasures->tags);
    *erasures = (struct verify_erasures){0};
}

static struct compaction *find(const struct verify_erasures *erasures, uint64_t rev, uint32_t op)
{
    for (size_t i = 0; i < erasures->count; i++)
        if (erasures->items[i].is.rev == rev && erasures->items[i].is.op == op)
            return &erasures->items[i];
    return NULL;
}

/* Whether that operation is a purge of the set in hand that left that sum of it. */
static int purges(struct verify *verify, uint64_t rev, uint32_t op, uint32_t set_op,
                  const uint8_t *sum)
{
    struct operation operation;
    int found = operation_get(verify->txn, &operation, rev, op);
    found = passable(verify, found);
    if (found)
        return found < 0 ? found : 0;
    return operation.kind == OPERATION_PURGE && operation.purged_rev == verify->rev &&
           operation.purged_op == set_op && !operation.remains == !sum &&
           (!sum || memcmp(operation.remains, sum, HASH_SIZE) == 0);
}

/* Whether the compaction, or else the purge, that is said to have destroyed it did. */
static int is_meant_by(struct verify *verify, const struct operation *operation, uint32_t op,
                       struct slice remains, uint64_t rev, uint32_t by)
{
    const bool is_template = operation->kind == OPERATION_SET_TEMPLATE;
    struct compaction *compaction = find(&verify->erasures, rev, by);
    uint8_t sum[HASH_SIZE] = {0};
    uint64_t until = 0;
    if (!erasure_may(operation->kind) || rev <= verify->rev)
        return 0;
    if (is_template)
        remains_add(compaction ? compaction->sum : sum, verify->rev, op, remains);
    return compaction
               ? erasure_takes(&compaction->is, verify->txn, operation, verify->rev, op, &until)
               : purges(verify, rev, by, op, is_template ? sum : NULL);
}

int verify_erased(struct verify *verify, const struct operation *operation, uint32_t op,
                  struct slice body, const char *what)
{
    uint64_t rev = 0;
    uint32_t by = 0;
    int is_meant = value_purged(&rev, &by, body);
    const struct slice remains = is_meant > 0 ? remains_in(body) : (struct slice){0};
    if (remains.size && (operation->kind != OPERATION_SET_TEMPLATE || !remains_is_bare(remains)))
        return verify_fault(verify, "%s: a value that was destroyed says more than by what", what);
    if (is_meant > 0)
        is_meant = is_meant_by(verify, operation, op, remains, rev, by);
    is_meant = verify_read(verify, is_meant, what);
    return is_meant ? (is_meant < 0 ? is_meant : 0)
                    : verify_fault(verify,
                                   "%s: its value is gone, and operation %u of commit %" PRIu64
                                   ", which is said to have destroyed it, did not",
                                   what, by, rev);
}

int verify_not_erased(struct verify *verify, const struct operation *operation, uint32_t op,
                      const char *what)
{
    const struct verify_erasures *erasures = &verify->erasures;
    uint64_t until = 0;
    for (size_t i = 0; i < erasures->count; i++) {
        const struct erasure *erasure = &erasures->items[i].is;
        const int taken = verify_read(
            verify, erasure_takes(erasure, verify->txn, operation, verify->rev, op, &until), what);
        if (taken == 1)
            return verify_fault(verify,
                                "%s: its value is there, and was destroyed by commit %" PRIu64,
                                what, erasure->rev);
        if (taken < 0)
            return taken;
    }
    return 0;
}

int verify_compaction_of(struct verify *verify, const struct operation *operation, uint32_t op,
                         const char *what)
{
    const struct compaction *compaction = find(&verify->erasures, verify->rev, op);
    /* One that was made while the walk was under way takes what that came by before. */
    if (!compaction || !compaction->is_whole)
        return 0;
    return memcmp(operation->remains, compaction->sum, HASH_SIZE) == 0
               ? 0
               : verify_fault(verify, "%s: what is left of templates is not what it left", what);
}

static bool is_same_place(const struct operation *a, const struct operation *b)
{
    return a->environment == b->environment && a->service == b->service && a->turn == b->turn &&
           a->name_id == b->name_id && a->entry_id == b->entry_id && a->name_size == b->name_size &&
           memcmp(a->name, b->name, a->name_size) == 0;
}

/* Whether the set is what stood at its place as of the revision that a signed purge names: else
 * somebody chose what is destroyed. */
static int is_asked(struct verify *verify, const struct operation *purge,
                    const struct operation *set)
{
    struct spot spot;
    if (!verify->is_signed || !purge->name_id)
        return 1;
    const uint64_t named = verify->follow.rev;
    const int found = verify_moment(verify, &spot, operation_layer(set), set->name_id,
                                    named < verify->rev ? named : verify->rev - 1);
    return found < 0 ? found
                     : !found && spot.since == purge->purged_rev && spot.op == purge->purged_op;
}

int verify_purge_of(struct verify *verify, const struct operation *operation, uint32_t op,
                    const char *what)
{
    struct operation set;
    uint64_t rev = 0;
    uint32_t by = 0;
    int found = operation_get(verify->txn, &set, operation->purged_rev, operation->purged_op);
    found = verify_read(verify, found, what);
    if (found < 0 || found == VERIFY_DAMAGED)
        return found < 0 ? found : 0;
    if (found || operation->purged_rev >= verify->rev || !erasure_may(set.kind) ||
        !operation->remains != (set.kind != OPERATION_SET_TEMPLATE) ||
        !is_same_place(operation, &set))
        return verify_fault(verify, "%s: it destroys what is no earlier value of its place", what);
    found = verify_read(verify, is_asked(verify, operation, &set), what);
    if (!found)
        verify_fault(verify, "%s: it destroys another value than the one that was asked for", what);
    if (found < 0)
        return found;
    found = verify_read(
        verify, erased_by(verify->txn, &rev, &by, operation->purged_rev, operation->purged_op),
        what);
    if (found < 0 || found == VERIFY_DAMAGED)
        return found < 0 ? found : 0;
    return found && rev == verify->rev && by == op
               ? 0
               : verify_fault(verify, "%s: the value that it destroyed is there%s", what,
                              found ? ", or was destroyed by another" : "");
}
