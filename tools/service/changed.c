#include "tools/service/changed.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/history.h"

/* Outcomes and commits that are looked at; walking through everything takes no longer then. */
#define LOOKED_MAX 65536u

void changed_release(struct changed *changed)
{
    free(changed->names);
    *changed = (struct changed){0};
}

static int add(struct changed *changed, const struct outcome *outcome)
{
    if (changed->count == changed->capacity) {
        const size_t capacity = changed->capacity != 0 ? changed->capacity * 2 : 64;
        struct changed_name *names = realloc(changed->names, capacity * sizeof *names);
        if (names == NULL)
            return error_set(ERR_NOMEM, "no memory for what changed");
        changed->names = names;
        changed->capacity = capacity;
    }
    struct changed_name *name = &changed->names[changed->count++];
    name->service_id = outcome->service;
    name->name_id = outcome->name_id;
    name->service[0] = name->key[0] = '\0';
    return 0;
}

static int by_id(const void *a, const void *b)
{
    const struct changed_name *left = a, *right = b;
    if (left->service_id != right->service_id)
        return left->service_id < right->service_id ? -1 : 1;
    return left->name_id < right->name_id ? -1 : left->name_id > right->name_id;
}

static int by_name(const void *a, const void *b)
{
    const struct changed_name *left = a, *right = b;
    const int order = strcmp(left->service, right->service);
    return order != 0 ? order : strcmp(left->key, right->key);
}

static void keep_one_each(struct changed *changed)
{
    size_t kept = 0;
    if (changed->count > 1)
        qsort(changed->names, changed->count, sizeof *changed->names, by_id);
    for (size_t i = 0; i < changed->count; i++)
        if (i == 0 || by_id(&changed->names[i], &changed->names[kept - 1]) != 0)
            changed->names[kept++] = changed->names[i];
    changed->count = kept;
}

static int find_names(struct snapshot *snapshot, struct changed *changed)
{
    for (size_t i = 0; i < changed->count; i++) {
        struct changed_name *name = &changed->names[i];
        uint32_t service;
        int found = snapshot_service_name(snapshot, name->service, name->service_id);
        if (found == 0 && name->name_id != 0)
            found = snapshot_name(snapshot, &service, name->key, name->name_id);
        if (found != 0)
            return found < 0 ? found : error_set(ERR_CORRUPT, "what changed has no name");
    }
    if (changed->count > 1)
        qsort(changed->names, changed->count, sizeof *changed->names, by_name);
    return 0;
}

/* One commit's. */
static int gather(struct snapshot *snapshot, struct changed *out, uint32_t environment,
                  uint32_t service, uint64_t rev, uint64_t *looked)
{
    for (uint32_t index = 0;; index++) {
        struct outcome outcome;
        const int found = history_outcome(snapshot, &outcome, rev, index);
        if (found != 0)
            return found < 0 ? found : 0;
        if (++*looked > LOOKED_MAX)
            return CHANGED_MANY;
        if (outcome.environment != environment || outcome.service == 0 ||
            (service != 0 && outcome.service != service))
            continue;
        const int error = add(out, &outcome);
        if (error < 0)
            return error;
    }
}

int changed_between(struct snapshot *snapshot, struct changed *out, uint32_t environment,
                    const char *service, uint64_t a, uint64_t b)
{
    struct changed changed CHANGED_CLEANUP = {0};
    const uint64_t last = a < b ? b : a;
    uint64_t looked = 0;
    uint32_t id = 0;
    int error = service[0] != '\0' ? history_service_id(snapshot, &id, service) : 0;
    for (uint64_t rev = (a < b ? a : b) + 1; rev <= last && error == 0; rev++) {
        error = ++looked > LOOKED_MAX ? CHANGED_MANY : 0;
        if (error == 0)
            error = gather(snapshot, &changed, environment, id, rev, &looked);
    }
    if (error != 0)
        return error < 0 ? error : CHANGED_MANY;
    keep_one_each(&changed);
    error = find_names(snapshot, &changed);
    if (error < 0)
        return error;
    *out = changed;
    changed = (struct changed){0};
    return 0;
}
