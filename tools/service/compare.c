#include "tools/service/compare.h"

#include <string.h>

#include "store/error.h"

/* Takes as long whatever the bytes are. */
static bool is_equal(const unsigned char *a, size_t a_size, const unsigned char *b, size_t b_size)
{
    unsigned char differing = 0;
    if (a_size != b_size)
        return false;
    for (size_t i = 0; i < a_size; i++)
        differing |= a[i] ^ b[i];
    return differing == 0;
}

/* One stored value, whoever shows it. */
static bool is_one(const struct definition *a, const struct definition *b)
{
    return a->rev == b->rev && a->op == b->op;
}

static int conclude(enum likeness *out, int error, bool is_same)
{
    const bool is_unknown = error == -ERR_NO_KEY || error == -ERR_PURGED;
    if (is_unknown)
        *out = LIKENESS_UNKNOWN;
    else if (error == 0)
        *out = is_same ? LIKENESS_SAME : LIKENESS_OTHER;
    return is_unknown ? 0 : error;
}

/* What is in effect as of the newest revision is set now. */
static bool are_now(struct snapshot *snapshot, const struct entry *a, const struct entry *b)
{
    const uint64_t newest = snapshot_revision(snapshot);
    return a->as_of == newest && b->as_of == newest;
}

/* Whether it is certain that they are others, without a look at their bytes: 1, 0 or a failure. */
static int are_others(struct snapshot *snapshot, const struct definition *a,
                      const struct definition *b, bool are_set)
{
    if (a->kind != b->kind || a->stored_size != b->stored_size)
        return 1;
    return a->kind == ENTRY_SECRET ? snapshot_secrets_differ(snapshot, a, b, are_set) : 0;
}

static int compare(struct snapshot *snapshot, enum likeness *out, const struct definition *a,
                   const struct definition *b, bool are_set)
{
    struct secret a_scratch SECRET_CLEANUP = {0}, b_scratch SECRET_CLEANUP = {0};
    const unsigned char *a_data = NULL, *b_data = NULL;
    size_t a_size = 0, b_size = 0;
    if (is_one(a, b))
        return conclude(out, 0, true);
    const int others = are_others(snapshot, a, b, are_set);
    if (others != 0)
        return others < 0 ? others : conclude(out, 0, false);
    int error = snapshot_text(snapshot, &a_data, &a_size, a, &a_scratch);
    if (error == 0)
        error = snapshot_text(snapshot, &b_data, &b_size, b, &b_scratch);
    return conclude(out, error, error == 0 && is_equal(a_data, a_size, b_data, b_size));
}

int compare_definitions(struct snapshot *snapshot, enum likeness *out, const struct definition *a,
                        const struct definition *b)
{
    return compare(snapshot, out, a, b, false);
}

int compare_defined(struct snapshot *snapshot, enum likeness *out, const struct entry *a,
                    const struct entry *b)
{
    return compare(snapshot, out, &a->defined, &b->defined, are_now(snapshot, a, b));
}

/* Whether the value is as it lies in the store. */
static bool is_stored(const struct entry *entry)
{
    return !entry_is_composed(entry);
}

bool compare_is_one(const struct entry *a, const struct entry *b)
{
    return is_stored(a) && is_stored(b) && a->kind == b->kind && is_one(&a->value, &b->value);
}

int compare_entries(struct snapshot *snapshot, enum likeness *out, const struct entry *a,
                    const struct entry *b)
{
    struct secret a_scratch SECRET_CLEANUP = {0}, b_scratch SECRET_CLEANUP = {0};
    const unsigned char *a_data = NULL, *b_data = NULL;
    size_t a_size = 0, b_size = 0;
    const bool are_stored = is_stored(a) && is_stored(b);
    if (compare_is_one(a, b))
        return conclude(out, 0, true);
    const int others = a->kind != b->kind ? 1
                       : are_stored
                           ? are_others(snapshot, &a->value, &b->value, are_now(snapshot, a, b))
                           : 0;
    if (others != 0)
        return others < 0 ? others : conclude(out, 0, false);
    int error = snapshot_value(snapshot, &a_data, &a_size, a, &a_scratch);
    if (error == 0)
        error = snapshot_value(snapshot, &b_data, &b_size, b, &b_scratch);
    return conclude(out, error, error == 0 && is_equal(a_data, a_size, b_data, b_size));
}
