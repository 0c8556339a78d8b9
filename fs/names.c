/*
 * The names of a step (fs/effect.h), from the outcomes alone: whether a name was there before is
 * what its first one says, whether it is there afterwards what its last one does, and one that is
 * as it was is no change.
 */
#include <stdlib.h>

#include "fs/effect.h"
#include "fs/node.h"
#include "fs/step.h"
#include "store/error.h"

static int append(struct name_changes *changes, const struct name_change *change)
{
    if (changes->count == changes->capacity) {
        size_t capacity = changes->capacity ? 2 * changes->capacity : 16;
        struct name_change *items = reallocarray(changes->items, capacity, sizeof(*items));
        if (!items)
            return error_set(ERR_NOMEM, "no memory for the names of a change");
        changes->items = items;
        changes->capacity = capacity;
    }
    changes->items[changes->count++] = *change;
    return 0;
}

int name_changes_add(struct name_changes *changes, const struct outcome *outcome)
{
    if ((outcome->mark != '+' && outcome->mark != '-') || scope_is_own(changes->scope, outcome))
        return 0;
    struct name_change change = {.at = {.rev = outcome->rev, .index = outcome->index},
                                 .made = outcome->mark == '+'};
    uint64_t environment = node_environment(outcome->environment);
    uint64_t service = node_service(outcome->environment, outcome->service, outcome->incarnation);
    switch (outcome->kind) {
    case OUTCOME_KEY:
        change.node = node_key(outcome->environment, outcome->name_id);
        change.parent = service;
        break;
    case OUTCOME_SERVICE:
        change.node = service;
        change.parent = environment;
        break;
    case OUTCOME_ENVIRONMENT:
        change.node = environment;
        change.parent = NODE_ROOT;
        break;
    default:
        return 0;
    }
    return append(changes, &change);
}

static int by_node(const void *a, const void *b)
{
    const struct name_change *one = a, *two = b;
    if (one->node != two->node)
        return one->node < two->node ? -1 : 1;
    if (one->at.rev != two->at.rev)
        return one->at.rev < two->at.rev ? -1 : 1;
    return one->at.index < two->at.index ? -1 : one->at.index > two->at.index;
}

static uint64_t position(const struct name_change *change)
{
    return step_position(change->node, change->made);
}

static int by_position(const void *a, const void *b)
{
    uint64_t one = position(a), two = position(b);
    return one < two ? -1 : one > two;
}

/* What comes to nothing goes. */
static void merge(struct name_changes *changes)
{
    size_t kept = 0;
    for (size_t i = 0; i < changes->count;) {
        size_t last = i;
        while (last + 1 < changes->count && changes->items[last + 1].node == changes->items[i].node)
            last++;
        /* made first: it wasn't there; made last: it is */
        if (changes->items[i].made == changes->items[last].made)
            changes->items[kept++] = changes->items[changes->items[i].made ? last : i];
        i = last + 1;
    }
    changes->count = kept;
}

/* Whether a directory is made in this step. In the order of nodes, and a directory's is smaller
 * than those of what stands in it. */
static bool is_made(const struct name_change *items, size_t count, uint64_t directory)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (items[middle].node == directory)
            return items[middle].made;
        if (items[middle].node < directory)
            low = middle + 1;
        else
            high = middle;
    }
    return false;
}

/* What is made in a directory that is made in the same step comes with it: nobody could watch. */
static void leave_out_insides(struct name_changes *changes)
{
    size_t kept = 0;
    for (size_t i = changes->count; i-- > 0;) {
        struct name_change *change = &changes->items[i];
        if (change->made && is_made(changes->items, i, change->parent))
            change->node = 0; /* none; from the end on, so that none is looked for any more */
    }
    for (size_t i = 0; i < changes->count; i++)
        if (changes->items[i].node != 0)
            changes->items[kept++] = changes->items[i];
    changes->count = kept;
}

void name_changes_settle(struct name_changes *changes)
{
    if (changes->count == 0)
        return;
    qsort(changes->items, changes->count, sizeof(*changes->items), by_node);
    merge(changes);
    leave_out_insides(changes);
    qsort(changes->items, changes->count, sizeof(*changes->items), by_position);
}

void name_changes_order(struct name_changes *changes)
{
    if (changes->count)
        qsort(changes->items, changes->count, sizeof(*changes->items), by_position);
}

int name_changes_gather(struct snapshot *snapshot, struct name_changes *out, uint64_t from,
                        uint64_t upto)
{
    struct outcome outcome;
    int error = 0;
    out->count = 0;
    out->from = out->upto = 0;
    for (uint64_t rev = from + 1; !error && rev <= upto; rev++) {
        for (uint32_t index = 0; !error; index++) {
            int found = outlines_next(out->outlines, snapshot, out->scope, &outcome, rev, &index);
            if (found == NOT_THERE)
                break;
            error = found ? found : name_changes_add(out, &outcome);
        }
    }
    if (error) {
        out->count = 0;
        return error;
    }
    name_changes_settle(out);
    out->from = from;
    out->upto = upto;
    return 0;
}

static enum effect_kind kind_of(const struct name_change *change)
{
    struct node node;
    bool file = node_parse(&node, change->node) && node.kind == NODE_IS_KEY;
    if (change->made)
        return file ? EFFECT_MAKE_FILE : EFFECT_MAKE_DIRECTORY;
    return file ? EFFECT_REMOVE_FILE : EFFECT_REMOVE_DIRECTORY;
}

/* The first behind a position. */
static size_t first_behind(const struct name_changes *changes, uint64_t reached)
{
    size_t low = 0, high = changes->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (position(&changes->items[middle]) <= reached)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

int name_changes_effects(struct snapshot *snapshot, struct effects *out,
                         const struct name_changes *changes, uint64_t *reached)
{
    char path[PATH_TEXT_MAX];
    out->size = 0;
    out->waited = 0;
    for (size_t i = first_behind(changes, *reached); i < changes->count; i++) {
        const struct name_change *change = &changes->items[i];
        int error = called_path(snapshot, &out->called, path, change->node);
        if (error)
            return error;
        struct effect effect = {.node = change->node,
                                .parent = change->parent,
                                .kind = (uint16_t)kind_of(change),
                                .position = position(change)};
        if (!effects_append(out, &effect, path))
            return 0;
        *reached = position(change);
    }
    return 0;
}

uint64_t name_changes_last(const struct name_changes *changes)
{
    return changes->count ? position(&changes->items[changes->count - 1]) : 0;
}

void name_changes_release(struct name_changes *changes)
{
    free(changes->items);
    *changes = (struct name_changes){0};
}
