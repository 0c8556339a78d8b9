#include "fs/outline.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"

/* Grows by doubling, when count is a power of two or nothing. */
static bool make_room(void **items, uint32_t count, size_t size)
{
    if (count && (count < 8 || (count & (count - 1)) != 0))
        return true;
    void *grown = reallocarray(*items, count ? 2ul * count : 8, size);
    if (grown)
        *items = grown;
    return grown;
}

static int add_group(struct outline *outline, struct snapshot *snapshot, uint32_t environment)
{
    struct group group = {.first = outline->run_count};
    int found = snapshot_environment_name(snapshot, group.name, environment);
    if (found > 0)
        found = error_set(ERR_CORRUPT, "the name of an environment is not there");
    if (found)
        return found;
    void *groups = outline->groups;
    if (!make_room(&groups, outline->group_count, sizeof(group)))
        return error_set(ERR_NOMEM, "no memory for the places of a change");
    outline->groups = groups;
    if (outline->group_count)
        outline->groups[outline->group_count - 1].end = outline->run_count;
    outline->groups[outline->group_count++] = group;
    return 0;
}

static int add_run(struct outline *outline, const struct outcome *outcome)
{
    void *runs = outline->runs;
    if (!make_room(&runs, outline->run_count, sizeof(struct run)))
        return error_set(ERR_NOMEM, "no memory for the places of a change");
    outline->runs = runs;
    outline->runs[outline->run_count++] =
        (struct run){.service = outcome->service, .first = outcome->index};
    return 0;
}

static void outline_release(struct outline *outline)
{
    free(outline->runs);
    free(outline->groups);
    *outline = (struct outline){0};
}

static int by_name(const void *a, const void *b)
{
    const struct group *one = a, *two = b;
    const int order = strcmp(one->name, two->name);
    return order ? order : one->first < two->first ? -1 : one->first > two->first;
}

/* All outcomes are in it. */
static void outline_end(struct outline *outline, uint64_t rev)
{
    if (outline->group_count) {
        outline->groups[outline->group_count - 1].end = outline->run_count;
        qsort(outline->groups, outline->group_count, sizeof(struct group), by_name);
    }
    outline->rev = rev;
}

static int outline_make(struct outline *outline, struct snapshot *snapshot, uint64_t rev)
{
    struct outcome now, before = {0};
    int error = 0, found = 0;
    for (uint32_t index = 0; !error; index++) {
        found = history_outcome(snapshot, &now, rev, index);
        if (found)
            break;
        const bool is_new = index == 0 || now.environment != before.environment;
        if (is_new)
            error = add_group(outline, snapshot, now.environment);
        if (!error && (is_new || now.service != before.service))
            error = add_run(outline, &now);
        before = now;
        outline->outcomes = index + 1;
    }
    if (error || found < 0) {
        outline_release(outline);
        return error ? error : found;
    }
    outline_end(outline, rev);
    return 0;
}

void outlines_release(struct outlines *outlines)
{
    for (uint32_t i = 0; i < OUTLINES_KEPT; i++)
        outline_release(&outlines->kept[i]);
    outlines->runs = 0;
}

static int find_outline(struct outlines *outlines, struct snapshot *snapshot,
                        const struct outline **out, uint64_t rev)
{
    struct outline *outline = &outlines->kept[rev % OUTLINES_KEPT];
    *out = outline;
    if (outline->rev == rev)
        return 0;
    if (outlines->runs > OUTLINE_RUNS_KEPT)
        outlines_release(outlines);
    outlines->runs -= outline->run_count;
    outline_release(outline);
    int error = outline_make(outline, snapshot, rev);
    outlines->runs += outline->run_count;
    return error;
}

static uint32_t start_of(const struct outline *outline, uint32_t run)
{
    return run < outline->run_count ? outline->runs[run].first : outline->outcomes;
}

/* The run of a service from low on; high: there is none. */
static uint32_t find_run(const struct outline *outline, uint32_t low, uint32_t high,
                         uint32_t service)
{
    const uint32_t end = high;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (outline->runs[middle].service < service)
            low = middle + 1;
        else
            high = middle;
    }
    return low < end && outline->runs[low].service == service ? low : end;
}

/* The first group of a name that is not below it. */
static uint32_t find_group(const struct outline *outline, const char *name)
{
    uint32_t low = 0, high = outline->group_count;
    while (low < high) {
        const uint32_t middle = low + (high - low) / 2;
        if (strcmp(outline->groups[middle].name, name) < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

/* The first of a scope from index on. False: no more. */
static bool next_of(const struct outline *outline, const struct scope *scope, uint32_t service,
                    uint32_t *index)
{
    const char *name = scope->options->environment;
    for (uint32_t i = find_group(outline, name);
         i < outline->group_count && strcmp(outline->groups[i].name, name) == 0; i++) {
        const uint32_t end = outline->groups[i].end;
        uint32_t first = outline->groups[i].first, last = end;
        if (start_of(outline, end) <= *index)
            continue;
        if (scope->options->extent == VIEW_SERVICE) {
            first = find_run(outline, first, end, service);
            last = first == end ? end : first + 1;
        }
        if (first == last || start_of(outline, last) <= *index)
            continue;
        if (*index < start_of(outline, first))
            *index = start_of(outline, first);
        return true;
    }
    return false;
}

int outlines_next(struct outlines *outlines, struct snapshot *snapshot, struct scope *scope,
                  struct outcome *out, uint64_t rev, uint32_t *index)
{
    const struct outline *outline;
    uint32_t service;
    if (!scope_is_all(scope)) {
        int error = find_outline(outlines, snapshot, &outline, rev);
        if (!error)
            error = scope_service(scope, snapshot, &service);
        if (error)
            return error;
        if (scope->options->extent == VIEW_SERVICE && !service)
            return NOT_THERE; /* nobody ever had its name */
        if (!next_of(outline, scope, service, index))
            return NOT_THERE;
    }
    return history_outcome(snapshot, out, rev, *index);
}
