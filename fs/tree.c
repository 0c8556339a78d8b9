#include "fs/tree.h"

#include "fs/hidden.h"
#include "fs/past.h"

#include <stdio.h>
#include <string.h>

static void place_environment(struct place *place)
{
    place->kind = NODE_IS_ENVIRONMENT;
    place->id = node_environment(place->environment.id);
}

static void place_service(struct place *place)
{
    place->kind = NODE_IS_SERVICE;
    place->id =
        node_service(place->service.environment, place->service.id, place->service.incarnation);
}

static void place_entry(struct place *place)
{
    place->kind = NODE_IS_KEY;
    place->id = node_key(place->entry.environment, place->entry.name_id);
}

static void place_root(struct place *place)
{
    *place = (struct place){.kind = NODE_IS_ROOT, .id = NODE_ROOT};
}

int tree_find(struct snapshot *snapshot, struct place *out, uint64_t id)
{
    struct node node;
    if (!node_parse(&node, id))
        return NOT_THERE;
    struct place place;
    int found = 0;
    switch (node.kind) {
    case NODE_IS_ROOT:
        place_root(&place);
        break;
    case NODE_IS_ENVIRONMENT:
        found = snapshot_environment_by_id(snapshot, &place.environment, node.environment);
        if (!found)
            place_environment(&place);
        break;
    case NODE_IS_SERVICE:
        found = snapshot_service_by_id(snapshot, &place.service, node.environment, node.service,
                                       node.incarnation);
        if (!found)
            place_service(&place);
        break;
    case NODE_IS_KEY:
        found = snapshot_entry_by_name(snapshot, &place.entry, node.environment, node.name_id);
        if (!found)
            place_entry(&place);
        break;
    case NODE_IS_PAST_KEY:
    case NODE_IS_PAST:
    case NODE_IS_PAST_BY_ENVIRONMENT:
    case NODE_IS_PAST_BY_SERVICE:
        found = past_find(snapshot, &place, &node, id);
        break;
    default:
        found = hidden_find(snapshot, &place, &node, id);
        break;
    }
    if (!found)
        *out = place;
    return found;
}

int tree_find_removed(struct snapshot *snapshot, struct place *out, uint64_t id, uint64_t left)
{
    struct node node;
    struct place place;
    if (!node_parse(&node, id) || node.kind != NODE_IS_KEY)
        return NOT_THERE;
    int found = snapshot_entry_last(snapshot, &place.entry, node.environment, node.name_id);
    if (found == NOT_THERE && left)
        found = snapshot_entry_at(snapshot, &place.entry, node.environment, node.name_id, left);
    if (found)
        return found;
    place_entry(&place);
    *out = place;
    return 0;
}

static int lookup_key(struct snapshot *snapshot, struct place *place, const struct node *parent,
                      const char *name)
{
    struct service service;
    /* an older life of the directory has no names any more */
    int found = snapshot_service_by_id(snapshot, &service, parent->environment, parent->service,
                                       parent->incarnation);
    if (!found)
        found = snapshot_entry(snapshot, &place->entry, parent->environment, parent->service, name);
    if (!found)
        place_entry(place);
    return found;
}

static int lookup_service(struct snapshot *snapshot, struct place *place, const struct node *parent,
                          const char *name)
{
    struct environment environment;
    int found = snapshot_environment_by_id(snapshot, &environment, parent->environment);
    if (!found)
        found = snapshot_service(snapshot, &place->service, parent->environment, name);
    if (!found)
        place_service(place);
    return found;
}

int tree_lookup(struct snapshot *snapshot, struct place *out, uint64_t parent, const char *name)
{
    struct node node;
    if (!node_parse(&node, parent))
        return NOT_THERE;
    if (node_is_past(node.kind))
        return past_lookup(snapshot, out, &node, name);
    if (node.kind == NODE_IS_HIDDEN || node.kind == NODE_IS_AT)
        return hidden_lookup(snapshot, out, &node, name, HIDDEN_FOR_ALL);
    if (node.kind > NODE_IS_SERVICE)
        return NOT_THERE;
    if (strcmp(name, HIDDEN_NAME) == 0)
        return hidden_of(snapshot, out, &node);
    size_t limit = node.kind == NODE_IS_SERVICE ? KEY_NAME_MAX
                   : node.kind == NODE_IS_ROOT  ? ENVIRONMENT_NAME_MAX
                                                : SERVICE_NAME_MAX;
    size_t length = strlen(name);
    if (length == 0 || length > limit)
        return NOT_THERE;
    struct place place;
    int found;
    if (node.kind == NODE_IS_SERVICE) {
        found = lookup_key(snapshot, &place, &node, name);
    } else if (node.kind == NODE_IS_ENVIRONMENT) {
        found = lookup_service(snapshot, &place, &node, name);
    } else {
        found = snapshot_environment(snapshot, &place.environment, name);
        if (!found)
            place_environment(&place);
    }
    if (!found)
        *out = place;
    return found;
}

/* Whether a key was there at a revision: 0, NOT_THERE or a failure. */
static int key_at(struct snapshot *snapshot, const struct entry *entry, uint64_t rev)
{
    struct entry then;
    return snapshot_entry_at(snapshot, &then, entry->environment, entry->name_id, rev);
}

/* Nobody watches in a directory that is new: all that it has came with it. 1, 0 or a failure. */
static int came_with_directory(struct snapshot *snapshot, const struct entry *entry,
                               const struct step *step)
{
    struct service service;
    int found =
        snapshot_service_by_id(snapshot, &service, entry->environment, entry->service, SERVICE_ANY);
    return found < 0 ? found : found == NOT_THERE || service.made_rev > step->told;
}

static int key_shown(struct snapshot *snapshot, const struct place *place, const struct step *step,
                     bool is_watched)
{
    const struct entry *entry = &place->entry;
    int was = NOT_THERE;
    int with_its_directory = is_watched ? 0 : came_with_directory(snapshot, entry, step);
    if (with_its_directory < 0)
        return with_its_directory;
    if (!with_its_directory && (was = key_at(snapshot, entry, step->told)) < 0)
        return was;
    int is = key_at(snapshot, entry, step->upto);
    if (is < 0 || with_its_directory)
        return is;
    return step_shows(step, place->id, was == 0, is == 0) ? 0 : NOT_THERE;
}

static int service_shown(struct snapshot *snapshot, const struct place *place,
                         const struct step *step, bool is_watched)
{
    struct environment environment;
    bool is = place->service.made_rev <= step->upto;
    int found =
        is_watched ? 0
                   : snapshot_environment_by_id(snapshot, &environment, place->service.environment);
    if (found)
        return found;
    if (is_watched || environment.made_rev <= step->told)
        is = step_shows(step, place->id, false, is);
    return is ? 0 : NOT_THERE;
}

/* Whether a service was there at a revision, in the same life: 1, 0 or a failure. */
static int service_at(struct snapshot *snapshot, const struct service *service, uint64_t rev)
{
    struct service then;
    const uint64_t as_of = snapshot_as_of(snapshot);
    snapshot_stand(snapshot, rev);
    int found = snapshot_service_by_id(snapshot, &then, service->environment, service->id,
                                       service->incarnation);
    snapshot_stand(snapshot, as_of);
    return found < 0 ? found : found == 0;
}

/* In a move either may be older, and each name goes and comes by itself, whatever its directory
 * does (fs/move.h). */
static int moved_shown(struct snapshot *snapshot, const struct place *place,
                       const struct step *step)
{
    int was, is;
    if (place->kind == NODE_IS_KEY) {
        was = key_at(snapshot, &place->entry, step->told);
        is = was < 0 ? was : key_at(snapshot, &place->entry, step->upto);
        if (is < 0)
            return is;
        was = was == 0;
        is = is == 0;
    } else if (place->kind == NODE_IS_SERVICE) {
        was = service_at(snapshot, &place->service, step->told);
        is = was < 0 ? was : service_at(snapshot, &place->service, step->upto);
        if (is < 0)
            return is;
    } else {
        return 0;
    }
    return step_shows(step, place->id, was, is) ? 0 : NOT_THERE;
}

int tree_shown(struct snapshot *snapshot, const struct place *place, const struct step *step,
               bool is_watched)
{
    if (step->is_move)
        return moved_shown(snapshot, place, step);
    switch (place->kind) {
    case NODE_IS_KEY:
        return place->entry.first_rev <= step->told ? 0
                                                    : key_shown(snapshot, place, step, is_watched);
    case NODE_IS_SERVICE:
        return place->service.made_rev <= step->told
                   ? 0
                   : service_shown(snapshot, place, step, is_watched);
    case NODE_IS_ENVIRONMENT:
        if (place->environment.made_rev <= step->told)
            return 0;
        return step_shows(step, place->id, false, place->environment.made_rev <= step->upto)
                   ? 0
                   : NOT_THERE;
    default:
        return 0;
    }
}

/* The name of the entry that was shown last, which need not be there any more. */
static int walk_resume(struct snapshot *snapshot, struct walk *walk, uint64_t last)
{
    uint32_t service;
    const struct node *directory = &walk->directory;
    if (directory->kind == NODE_IS_HIDDEN || directory->kind == NODE_IS_AT)
        return hidden_name(walk->name, last);
    if (!directory->environment)
        return last > ENVIRONMENT_ID_MAX
                   ? NOT_THERE
                   : snapshot_environment_name(snapshot, walk->name, (uint32_t)last);
    if (!directory->service)
        return last > SERVICE_ID_MAX ? NOT_THERE
                                     : snapshot_service_name(snapshot, walk->name, (uint32_t)last);
    return last > NAME_ID_MAX ? NOT_THERE : snapshot_name(snapshot, &service, walk->name, last);
}

int walk_begin(struct snapshot *snapshot, struct walk *walk, uint64_t directory, uint64_t offset)
{
    struct place place;
    int found = tree_find(snapshot, &place, directory);
    if (found)
        return found;
    if (!place_is_directory(&place) || !node_parse(&walk->directory, directory))
        return NOT_THERE;
    walk->name[0] = 0;
    walk->for_consumer = false;
    return offset <= OFFSET_ENTRIES ? 0 : walk_resume(snapshot, walk, node_offset_id(offset));
}

static int next_place(struct snapshot *snapshot, const struct walk *walk, struct place *place,
                      uint64_t *id)
{
    const struct node *directory = &walk->directory;
    int found;
    if (node_is_past(directory->kind)) {
        found = past_next(snapshot, place, directory, walk->name, id);
    } else if (directory->kind == NODE_IS_HIDDEN || directory->kind == NODE_IS_AT) {
        found = hidden_next(snapshot, place, directory, walk->name, id,
                            walk->for_consumer ? HIDDEN_FOR_CONSUMER : HIDDEN_FOR_ALL);
    } else if (directory->kind == NODE_IS_ROOT) {
        found = snapshot_next_environment(snapshot, &place->environment, walk->name);
        if (!found) {
            place_environment(place);
            *id = place->environment.id;
        }
    } else if (directory->kind == NODE_IS_ENVIRONMENT) {
        found =
            snapshot_next_service(snapshot, &place->service, directory->environment, walk->name);
        if (!found) {
            place_service(place);
            *id = place->service.id;
        }
    } else {
        found = snapshot_next_entry(snapshot, &place->entry, directory->environment,
                                    directory->service, walk->name);
        if (!found) {
            place_entry(place);
            *id = place->entry.name_id;
        }
    }
    return found;
}

int walk_next(struct snapshot *snapshot, struct walk *walk, struct place *out, uint64_t *offset)
{
    struct place place;
    uint64_t id;
    int found = next_place(snapshot, walk, &place, &id);
    if (found)
        return found;
    snprintf(walk->name, sizeof(walk->name), "%s", place_name(&place));
    *out = place;
    *offset = node_offset(id);
    return 0;
}

const char *place_name(const struct place *place)
{
    switch (place->kind) {
    case NODE_IS_ENVIRONMENT:
        return place->environment.name;
    case NODE_IS_SERVICE:
        return place->service.name;
    case NODE_IS_KEY:
    case NODE_IS_PAST_KEY:
        return place->entry.key;
    case NODE_IS_ROOT:
        return "";
    default:
        return place->corner.name;
    }
}

bool place_is_directory(const struct place *place)
{
    return !node_is_file(place->kind) && !node_is_text(place->kind) && !node_is_link(place->kind);
}

bool place_stays(const struct place *place)
{
    return !node_is_text(place->kind) && !node_is_link(place->kind);
}
