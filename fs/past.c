#include "fs/past.h"

#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/history.h"

int past_too_large(uint64_t rev)
{
    return error_set(ERR_FULL, "revision %llu of this place is beyond what the tree can show",
                     (unsigned long long)rev);
}

int past_time(struct snapshot *snapshot, int64_t *time, const struct node *node)
{
    struct commit_info commit;
    int found = node->rev > snapshot_revision(snapshot) ? NOT_THERE : 0;
    if (!found && node->environment)
        found = history_stands(snapshot, node->environment, node->service, node->rev);
    if (!found)
        found = history_commit(snapshot, &commit, node->rev);
    if (!found)
        *time = commit.time;
    return found;
}

static int describe(struct snapshot *snapshot, struct place *out, const struct node *node,
                    const char *name)
{
    struct place place = {.kind = node->kind};
    place.corner.node = *node;
    place.id = node_of_revision(node->kind, node->environment, node->service, node->rev);
    if (!place.id)
        return past_too_large(node->rev);
    int found = past_time(snapshot, &place.corner.time, node);
    if (found)
        return found;
    (void)snprintf(place.corner.name, sizeof(place.corner.name), "%s", name);
    *out = place;
    return 0;
}

static int describe_key(struct snapshot *snapshot, struct place *place)
{
    const struct entry *entry = &place->entry;
    uint32_t index;
    int found = history_outcome_of(snapshot, &index, entry->environment, entry->service,
                                   entry->name_id, entry->rev);
    if (found > 0)
        found = error_set(ERR_CORRUPT, "revision %llu does not tell of '%s' (emsa verify)",
                          (unsigned long long)entry->rev, entry->key);
    if (found)
        return found;
    place->kind = NODE_IS_PAST_KEY;
    place->id = node_past_key(entry->rev, index);
    return place->id ? 0 : past_too_large(entry->rev);
}

int past_enter(struct snapshot *snapshot, struct place *out, const struct node *at, uint64_t rev)
{
    char name[32];
    struct node node = {.kind = at->service       ? NODE_IS_PAST_BY_SERVICE
                                : at->environment ? NODE_IS_PAST_BY_ENVIRONMENT
                                                  : NODE_IS_PAST,
                        .environment = at->environment,
                        .service = at->service,
                        .rev = rev};
    if (rev == 0 || rev > snapshot_revision(snapshot))
        return NOT_THERE;
    (void)snprintf(name, sizeof(name), "%llu", (unsigned long long)rev);
    return describe(snapshot, out, &node, name);
}

static int lookup_key(struct snapshot *snapshot, struct place *out, const struct node *parent,
                      const char *name)
{
    struct place place;
    int found = history_entry(snapshot, &place.entry, parent->environment, parent->service, name,
                              parent->rev);
    if (!found)
        found = describe_key(snapshot, &place);
    if (!found)
        *out = place;
    return found;
}

int past_lookup(struct snapshot *snapshot, struct place *out, const struct node *parent,
                const char *name)
{
    struct node node = *parent;
    int found;
    if (parent->service)
        return lookup_key(snapshot, out, parent, name);
    if (parent->environment)
        found = history_service(snapshot, &node.service, parent->environment, name, parent->rev);
    else
        found = history_environment(snapshot, &node.environment, name, parent->rev);
    return found ? found : describe(snapshot, out, &node, name);
}

static int find_key(struct snapshot *snapshot, struct place *out, const struct node *node,
                    uint64_t id)
{
    struct outcome outcome;
    struct place place = {.kind = NODE_IS_PAST_KEY, .id = id};
    int found = history_outcome(snapshot, &outcome, node->rev, node->index);
    if (!found && (outcome.kind != OUTCOME_KEY || outcome.mark == '-'))
        found = NOT_THERE;
    if (!found)
        found = snapshot_entry_at(snapshot, &place.entry, outcome.environment, outcome.name_id,
                                  node->rev);
    if (!found)
        *out = place;
    return found;
}

int past_find(struct snapshot *snapshot, struct place *out, const struct node *node, uint64_t id)
{
    if (node->kind == NODE_IS_PAST_KEY)
        return find_key(snapshot, out, node, id);
    return describe(snapshot, out, node, "");
}

static int next_key(struct snapshot *snapshot, struct place *out, const struct node *directory,
                    const char *after, uint64_t *id)
{
    struct place place;
    int found = history_next_entry(snapshot, &place.entry, directory->environment,
                                   directory->service, after, directory->rev);
    if (!found)
        found = describe_key(snapshot, &place);
    if (found)
        return found;
    *out = place;
    *id = place.entry.name_id;
    return 0;
}

int past_next(struct snapshot *snapshot, struct place *out, const struct node *directory,
              const char *after, uint64_t *id)
{
    char name[SERVICE_NAME_MAX + 1];
    struct node node = *directory;
    _Static_assert(ENVIRONMENT_NAME_MAX == SERVICE_NAME_MAX, "one of both");
    if (directory->service)
        return next_key(snapshot, out, directory, after, id);
    (void)snprintf(name, sizeof(name), "%.*s", SERVICE_NAME_MAX, after);
    int found =
        directory->environment
            ? history_next_service(snapshot, &node.service, name, node.environment, node.rev)
            : history_next_environment(snapshot, &node.environment, name, node.rev);
    if (!found)
        found = describe(snapshot, out, &node, name);
    if (!found)
        *id = directory->environment ? node.service : node.environment;
    return found;
}
