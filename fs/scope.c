#include "fs/scope.h"

#include <stdio.h>
#include <string.h>

#include "fs/hidden.h"
#include "fs/scope_past.h"
#include "store/error.h"
#include "store/name.h"
#include "store/permute.h"

/* A view's own directories have the ids up to this, and an offset is no more than a signed number
 * may be: the kernel and programs take it for one. */
#define OWN_MOST 3u
static const struct permute_range ids = {OWN_MOST + 1, UINT64_MAX};
static const struct permute_range offsets = {OFFSET_ENTRIES + 1, INT64_MAX};

/* Uses of the key. */
enum { USE_ID = 1, USE_OFFSET, USE_GENERATION };

/* Own directories by how deep they are. */
enum depth { DEPTH_ROOT, DEPTH_ENVIRONMENT, DEPTH_SERVICE, DEPTH_NONE };

int scope_check(const struct view_options *options)
{
    const bool has_environment = options->extent != VIEW_ALL;
    const bool has_service = options->extent == VIEW_SERVICE;
    if (options->extent > VIEW_SERVICE || options->layout > LAYOUT_FLAT ||
        (!has_environment && options->layout != LAYOUT_TREE) ||
        has_environment != (options->environment[0] != '\0') ||
        has_service != (options->service[0] != '\0') ||
        !memchr(options->environment, '\0', sizeof(options->environment)) ||
        !memchr(options->service, '\0', sizeof(options->service)))
        return error_set(ERR_INVALID, "a mount shows everything, one environment, or one service");
    if (options->pin && !has_environment)
        return error_set(ERR_INVALID, "a mount of everything can't be held at a revision: name an "
                                      "environment or a service");
    int error = has_environment ? name_check(NAME_ENVIRONMENT, options->environment,
                                             strlen(options->environment))
                                : 0;
    if (!error && has_service)
        error = name_check(NAME_SERVICE, options->service, strlen(options->service));
    return error;
}

void scope_init(struct scope *out, const struct view_options *options, const struct view_slot *slot)
{
    *out = (struct scope){.options = options, .slot = slot};
    if (options->extent == VIEW_ALL)
        return;
    const uint32_t generation = (uint32_t)permute(options->key, USE_GENERATION, 0);
    out->generation = generation ? generation : 1;
}

/* Own directories */

static enum depth extent_depth(const struct scope *scope)
{
    return scope->options->extent == VIEW_SERVICE ? DEPTH_SERVICE : DEPTH_ENVIRONMENT;
}

static enum depth depth_of(const struct scope *scope, uint64_t id)
{
    const enum depth extent = extent_depth(scope);
    if (scope->options->layout == LAYOUT_FLAT)
        return id == NODE_ROOT ? extent : DEPTH_NONE;
    return id >= NODE_ROOT && id - NODE_ROOT <= (uint64_t)extent ? (enum depth)(id - NODE_ROOT)
                                                                 : DEPTH_NONE;
}

static uint64_t id_at(const struct scope *scope, enum depth depth)
{
    return scope->options->layout == LAYOUT_FLAT ? NODE_ROOT : NODE_ROOT + (uint64_t)depth;
}

static const char *name_at(const struct scope *scope, enum depth depth)
{
    return depth == DEPTH_SERVICE       ? scope->options->service
           : depth == DEPTH_ENVIRONMENT ? scope->options->environment
                                        : "";
}

static void describe_own(const struct scope *scope, struct place *out, enum depth depth)
{
    static const enum node_kind kinds[] = {NODE_IS_ROOT, NODE_IS_ENVIRONMENT, NODE_IS_SERVICE};
    *out = (struct place){.kind = NODE_IS_OWN, .id = id_at(scope, depth)};
    out->corner.node.kind = kinds[depth];
    out->corner.time = scope->options->made_time;
    (void)snprintf(out->corner.name, sizeof(out->corner.name), "%s", name_at(scope, depth));
}

/* The environment or service that a view is of, as it stands; out->id is its node. */
static int find_extent(const struct scope *scope, struct snapshot *snapshot, struct place *out)
{
    struct environment environment;
    struct place place;
    int found = snapshot_environment(snapshot, &environment, scope->options->environment);
    if (found)
        return found;
    if (scope->options->extent == VIEW_ENVIRONMENT) {
        place.kind = NODE_IS_ENVIRONMENT;
        place.id = node_environment(environment.id);
        place.environment = environment;
    } else {
        struct service *service = &place.service;
        found = snapshot_service(snapshot, service, environment.id, scope->options->service);
        if (found)
            return found;
        place.kind = NODE_IS_SERVICE;
        place.id = node_service(service->environment, service->id, service->incarnation);
    }
    *out = place;
    return 0;
}

/* When a view that is held at a revision came to show it: all of its lists are since then. */
static int64_t shown_time(const struct scope *scope)
{
    const int64_t moved = scope->slot ? atomic_load(&scope->slot->moved_time) : 0;
    return moved ? moved : scope->options->made_time;
}

/* What the past shows of when others changed something, it shows not. */
static void cover(const struct scope *scope, const struct snapshot *snapshot, struct place *place)
{
    const bool is_as_of = snapshot_as_of(snapshot) != 0;
    if (node_is_past(place->kind) ||
        (is_as_of && (node_is_text(place->kind) || node_is_link(place->kind))))
        place->corner.time = scope->options->made_time;
    else if (is_as_of && place->kind == NODE_IS_SERVICE)
        place->service.listed_time = shown_time(scope);
    else if (is_as_of && place->kind == NODE_IS_ENVIRONMENT)
        place->environment.listed_time = shown_time(scope);
}

/* What stands in one of the view's own directories. */
static int find_own(const struct scope *scope, struct snapshot *snapshot, struct place *out,
                    enum depth depth)
{
    struct place place;
    int found = depth == extent_depth(scope) ? find_extent(scope, snapshot, &place) : NOT_THERE;
    if (found < 0)
        return found;
    if (found == NOT_THERE)
        describe_own(scope, &place, depth);
    place.id = id_at(scope, depth);
    cover(scope, snapshot, &place);
    *out = place;
    return 0;
}

uint64_t scope_own(const struct scope *scope, uint64_t node)
{
    struct node parsed;
    if (scope_is_all(scope) || node <= OWN_MOST || !node_parse(&parsed, node))
        return node;
    if (parsed.kind == NODE_IS_ENVIRONMENT)
        return id_at(scope, DEPTH_ENVIRONMENT);
    if (parsed.kind == NODE_IS_SERVICE && scope->options->extent == VIEW_SERVICE)
        return id_at(scope, DEPTH_SERVICE);
    return node;
}

/* The wire */

uint64_t scope_wire(const struct scope *scope, uint64_t node)
{
    if (scope_is_all(scope))
        return node;
    return permute_within(scope->options->key, USE_ID, ids, scope_own(scope, node));
}

uint64_t scope_decipher(const struct scope *scope, uint64_t wire)
{
    if (scope_is_all(scope))
        return wire;
    return permute_back_within(scope->options->key, USE_ID, ids, wire);
}

uint64_t scope_offset(const struct scope *scope, uint64_t offset)
{
    if (scope_is_all(scope))
        return offset;
    return permute_within(scope->options->key, USE_OFFSET, offsets, offset);
}

uint64_t scope_offset_back(const struct scope *scope, uint64_t wire)
{
    if (scope_is_all(scope))
        return wire;
    return permute_back_within(scope->options->key, USE_OFFSET, offsets, wire);
}

/* Whether ids are of the view's names. Names are for ever, so this is; a service's id 0 is the
 * environment itself. 0, NOT_THERE or a failure. */
static int is_ours(const struct scope *scope, struct snapshot *snapshot, uint32_t environment,
                   uint32_t service)
{
    char name[ENVIRONMENT_NAME_MAX + 1];
    _Static_assert(ENVIRONMENT_NAME_MAX == SERVICE_NAME_MAX, "one of both");
    int found = environment ? snapshot_environment_name(snapshot, name, environment) : NOT_THERE;
    if (!found && strcmp(name, scope->options->environment) != 0)
        found = NOT_THERE;
    if (found || scope->options->extent == VIEW_ENVIRONMENT)
        return found;
    found = service ? snapshot_service_name(snapshot, name, service) : NOT_THERE;
    if (!found && strcmp(name, scope->options->service) != 0)
        found = NOT_THERE;
    return found;
}

static int is_our_name(const struct scope *scope, struct snapshot *snapshot,
                       const struct node *node)
{
    char key[KEY_NAME_MAX + 1];
    uint32_t service;
    int found = snapshot_name(snapshot, &service, key, node->name_id);
    return found ? found : is_ours(scope, snapshot, node->environment, service);
}

static int is_our_past(const struct scope *scope, struct snapshot *snapshot,
                       const struct node *node)
{
    struct outcome outcome;
    int found = history_outcome(snapshot, &outcome, node->rev, node->index);
    if (!found && outcome.kind != OUTCOME_KEY)
        found = NOT_THERE;
    return found ? found : is_ours(scope, snapshot, outcome.environment, outcome.service);
}

static int admit(const struct scope *scope, struct snapshot *snapshot, uint64_t id)
{
    struct node node;
    if (!node_parse(&node, id) || node.rev > snapshot_revision(snapshot))
        return NOT_THERE; /* of a revision that there is not, there are so many that one is hit */
    switch (node.kind) {
    case NODE_IS_KEY:
        return is_our_name(scope, snapshot, &node);
    case NODE_IS_PAST_KEY:
        return is_our_past(scope, snapshot, &node);
    case NODE_IS_SERVICE:
    case NODE_IS_PAST_BY_ENVIRONMENT:
        if (scope->options->extent != VIEW_ENVIRONMENT)
            return NOT_THERE;
        break;
    case NODE_IS_ROOT:
    case NODE_IS_ENVIRONMENT:
    case NODE_IS_PAST:
    case NODE_IS_TAG:
        return NOT_THERE;
    default:
        break;
    }
    return is_ours(scope, snapshot, node.environment, node.service);
}

int scope_admit(const struct scope *scope, struct snapshot *snapshot, uint64_t *node)
{
    if (scope_is_all(scope))
        return 0;
    if (*node <= OWN_MOST) {
        *node = depth_of(scope, *node) == DEPTH_NONE ? 0 : *node;
        return 0;
    }
    int found = admit(scope, snapshot, *node);
    if (found == NOT_THERE)
        *node = 0;
    return found < 0 ? found : 0;
}

/* The tree */

int scope_find(const struct scope *scope, struct snapshot *snapshot, struct place *out, uint64_t id)
{
    if (scope_is_all(scope))
        return tree_find(snapshot, out, id);
    const enum depth depth = depth_of(scope, id);
    if (depth != DEPTH_NONE)
        return find_own(scope, snapshot, out, depth);
    int found = id > OWN_MOST ? tree_find(snapshot, out, id) : NOT_THERE;
    if (!found)
        cover(scope, snapshot, out);
    return found;
}

static int lookup_hidden(const struct scope *scope, struct snapshot *snapshot, struct place *out,
                         const struct node *parent, const char *name)
{
    int found = parent->kind == NODE_IS_AT ? scope_past_enter(scope, snapshot, parent, name) : 0;
    if (!found)
        found = hidden_lookup(snapshot, out, parent, name, HIDDEN_FOR_CONSUMER);
    if (!found)
        cover(scope, snapshot, out);
    return found;
}

int scope_lookup(const struct scope *scope, struct snapshot *snapshot, struct place *out,
                 uint64_t parent, const char *name)
{
    struct place place;
    struct node node;
    if (scope_is_all(scope))
        return tree_lookup(snapshot, out, parent, name);
    const enum depth depth = depth_of(scope, parent);
    if (depth < extent_depth(scope))
        return strcmp(name, name_at(scope, depth + 1)) == 0
                   ? find_own(scope, snapshot, out, depth + 1)
                   : NOT_THERE;
    if (depth == DEPTH_NONE && node_parse(&node, parent) &&
        (node.kind == NODE_IS_HIDDEN || node.kind == NODE_IS_AT))
        return lookup_hidden(scope, snapshot, out, &node, name);
    int found = 0;
    if (depth != DEPTH_NONE) {
        found = find_extent(scope, snapshot, &place);
        parent = place.id;
    }
    if (!found)
        found = tree_lookup(snapshot, out, parent, name);
    if (!found)
        cover(scope, snapshot, out);
    return found;
}

int scope_shown(const struct scope *scope, struct snapshot *snapshot, const struct place *place,
                const struct step *step)
{
    if (!scope_is_all(scope) && place->id <= OWN_MOST)
        return 0; /* a directory of the view's own neither comes nor goes */
    const bool is_in_own =
        !scope_is_all(scope) &&
        place->kind == (scope->options->extent == VIEW_SERVICE ? NODE_IS_KEY : NODE_IS_SERVICE);
    return tree_shown(snapshot, place, step, is_in_own);
}

int scope_walk_begin(const struct scope *scope, struct snapshot *snapshot, struct scope_walk *walk,
                     uint64_t directory, uint64_t offset)
{
    struct place place;
    *walk = (struct scope_walk){0};
    const enum depth depth = scope_is_all(scope) ? DEPTH_NONE : depth_of(scope, directory);
    if (depth == DEPTH_NONE) {
        const int found = walk_begin(snapshot, &walk->walk, directory, offset);
        walk->walk.for_consumer = !scope_is_all(scope);
        return found;
    }
    if (depth < extent_depth(scope)) {
        walk->is_own = true;
        walk->is_at_end = offset > OFFSET_ENTRIES;
        walk->child = id_at(scope, depth + 1);
        return 0;
    }
    int found = find_extent(scope, snapshot, &place);
    if (found == NOT_THERE)
        walk->is_at_end = true;
    if (found)
        return found < 0 ? found : 0;
    return walk_begin(snapshot, &walk->walk, place.id, offset);
}

int scope_walk_next(const struct scope *scope, struct snapshot *snapshot, struct scope_walk *walk,
                    struct place *out, uint64_t *offset)
{
    if (walk->is_at_end)
        return NOT_THERE;
    if (walk->is_own) {
        walk->is_at_end = true;
        *offset = node_offset(0);
        return scope_find(scope, snapshot, out, walk->child);
    }
    int found = walk_next(snapshot, &walk->walk, out, offset);
    if (!found && !scope_is_all(scope))
        cover(scope, snapshot, out);
    return found;
}

uint64_t scope_parent(const struct scope *scope, uint64_t id)
{
    const enum depth depth = scope_is_all(scope) ? DEPTH_NONE : depth_of(scope, id);
    if (depth == DEPTH_NONE)
        return scope_own(scope, node_parent(id));
    return id > NODE_ROOT ? id - 1 : NODE_ROOT;
}

/* A view's own directory is another place's from one time to the next, and so is what is hidden in
 * it. What is no newest revision any more is soon not to be had; nor is any that is newer than what
 * the view is moved back to. */
bool scope_stays(const struct scope *scope, const struct place *place)
{
    if (!place_stays(place))
        return false;
    if (scope_is_all(scope))
        return true;
    if (place->kind == NODE_IS_HIDDEN)
        return scope->options->extent == VIEW_ENVIRONMENT && place->corner.node.service;
    return !node_is_past(place->kind);
}

bool scope_stays_away(const struct scope *scope, uint64_t parent, const char *name)
{
    struct node node;
    if (!scope_is_all(scope) && depth_of(scope, parent) != DEPTH_NONE)
        return strcmp(name, HIDDEN_NAME) != 0;
    return node_parse(&node, parent) && node.kind != NODE_IS_AT; /* revisions come by themselves */
}

uint64_t scope_revision(const struct scope *scope, const struct snapshot *snapshot)
{
    (void)scope;
    return snapshot_shown(snapshot);
}

uint64_t scope_left(const struct scope *scope)
{
    return scope->slot ? atomic_load(&scope->slot->left) : 0;
}

/* The revision that last changed an environment or service: anything in it, or for a consumer what
 * that sees. */
static uint64_t changed(const struct scope *scope, const struct place *place)
{
    const bool is_all = scope_is_all(scope);
    if (place->kind == NODE_IS_SERVICE)
        return is_all ? place->service.changed_rev : place->service.shown_rev;
    return is_all ? place->environment.changed_rev : place->environment.shown_rev;
}

int scope_changed(const struct scope *scope, struct snapshot *snapshot, uint64_t *rev,
                  const struct place *place)
{
    struct place extent;
    if (place->kind == NODE_IS_SERVICE || place->kind == NODE_IS_ENVIRONMENT) {
        *rev = changed(scope, place);
        return 0;
    }
    if (place->kind > NODE_IS_KEY && place->kind != NODE_IS_OWN && place->corner.node.rev) {
        *rev = place->corner.node.rev;
        return 0;
    }
    if (scope_is_all(scope)) {
        *rev = snapshot_revision(snapshot);
        return 0;
    }
    if (place->kind != NODE_IS_OWN)
        return hidden_revision(snapshot, rev, &place->corner.node, HIDDEN_FOR_CONSUMER);
    int found = find_extent(scope, snapshot, &extent);
    if (!found)
        *rev = changed(scope, &extent);
    return found;
}

bool scope_is_behind(const struct scope *scope, struct snapshot *snapshot, uint64_t rev)
{
    struct place extent;
    if (rev >= scope_revision(scope, snapshot))
        return false;
    return scope_is_all(scope) || find_extent(scope, snapshot, &extent) != 0 ||
           changed(scope, &extent) > rev;
}

/* What is told */

int scope_service(struct scope *scope, struct snapshot *snapshot, uint32_t *id)
{
    uint32_t known = atomic_load_explicit(&scope->service_id, memory_order_relaxed);
    int found = known || scope->options->extent != VIEW_SERVICE
                    ? 0
                    : history_service_id(snapshot, &known, scope->options->service);
    if (found < 0)
        return found;
    if (found == 0)
        atomic_store_explicit(&scope->service_id, known, memory_order_relaxed);
    *id = found ? 0 : known;
    return 0;
}

bool scope_is_own(const struct scope *scope, const struct outcome *outcome)
{
    return !scope_is_all(scope) &&
           (outcome->kind == OUTCOME_ENVIRONMENT ||
            (outcome->kind == OUTCOME_SERVICE && scope->options->extent == VIEW_SERVICE));
}

const char *scope_path(const struct scope *scope, const char *path)
{
    if (scope_is_all(scope) || scope->options->layout != LAYOUT_FLAT)
        return path;
    for (enum depth depth = DEPTH_ROOT; depth < extent_depth(scope); depth++) {
        const char *slash = strchr(path, '/');
        path = slash ? slash + 1 : path;
    }
    return path;
}
