#include "tools/service/walk.h"

#include <string.h>

#include "store/error.h"
#include "tools/service/find.h"

/* Stands on a place of the scope's own depth. */
static int enter_scope(struct walk *walk, const struct path *scope)
{
    switch (path_depth(scope)) {
    case PATH_ROOT:
        return 0;
    case PATH_ENVIRONMENT:
        return find_environment(walk->snapshot, &walk->environment, scope);
    case PATH_SERVICE:
        return find_service(walk->snapshot, &walk->environment, &walk->service, scope);
    default:
        walk->only_itself = true;
        return find_entry(walk->snapshot, &walk->environment, &walk->service, &walk->entry, scope);
    }
}

static bool lies_in(const struct path *path, const struct path *scope)
{
    return (scope->environment[0] == '\0' || strcmp(path->environment, scope->environment) == 0) &&
           (scope->service[0] == '\0' || strcmp(path->service, scope->service) == 0) &&
           path_depth(path) > path_depth(scope);
}

/* A part of after that is gone is passed by as if it were empty. */
static int resume(struct walk *walk, const struct path *after)
{
    walk->at = *after;
    int found = snapshot_environment(walk->snapshot, &walk->environment, after->environment);
    if (found != 0) {
        walk->at.service[0] = '\0';
        walk->at.key[0] = '\0';
        walk->environment.id = 0;
        return found < 0 ? found : 0;
    }
    if (after->service[0] == '\0')
        return 0;
    found = snapshot_service(walk->snapshot, &walk->service, walk->environment.id, after->service);
    if (found != 0) {
        walk->at.key[0] = '\0';
        walk->service.id = 0;
    }
    return found < 0 ? found : 0;
}

int walk_start(struct walk *walk, struct snapshot *snapshot, const struct path *scope,
               enum path_depth deepest, const struct path *after)
{
    *walk = (struct walk){
        .snapshot = snapshot, .scope = path_depth(scope), .deepest = deepest, .at = *scope};
    int error = enter_scope(walk, scope);
    if (error < 0 || path_depth(after) == PATH_ROOT)
        return error;
    if (!lies_in(after, scope))
        return error_set(ERR_INVALID, "the place to go on after is not in the place to list");
    return resume(walk, after);
}

static int next_entry(struct walk *walk)
{
    if (walk->deepest < PATH_KEY || path_depth(&walk->at) < PATH_SERVICE || walk->service.id == 0)
        return NOT_THERE;
    int found = snapshot_next_entry(walk->snapshot, &walk->entry, walk->environment.id,
                                    walk->service.id, walk->at.key);
    if (found == 0)
        memcpy(walk->at.key, walk->entry.key, sizeof walk->at.key);
    return found;
}

static int next_service(struct walk *walk)
{
    if (walk->scope > PATH_ENVIRONMENT || walk->deepest < PATH_SERVICE ||
        path_depth(&walk->at) < PATH_ENVIRONMENT || walk->environment.id == 0)
        return NOT_THERE;
    struct service next;
    int found =
        snapshot_next_service(walk->snapshot, &next, walk->environment.id, walk->at.service);
    if (found != 0)
        return found;
    walk->service = next;
    memcpy(walk->at.service, next.name, sizeof walk->at.service);
    walk->at.key[0] = '\0';
    return 0;
}

static int next_environment(struct walk *walk)
{
    if (walk->scope > PATH_ROOT)
        return NOT_THERE;
    struct environment next;
    int found = snapshot_next_environment(walk->snapshot, &next, walk->at.environment);
    if (found != 0)
        return found;
    walk->environment = next;
    walk->at = (struct path){0};
    memcpy(walk->at.environment, next.name, sizeof walk->at.environment);
    return 0;
}

int walk_step(struct walk *walk)
{
    if (walk->only_itself) { /* given once: the scope's own depth is passed after that */
        bool given = walk->deepest == PATH_ROOT;
        walk->deepest = PATH_ROOT;
        return given ? NOT_THERE : 0;
    }
    int found = next_entry(walk);
    if (found == NOT_THERE)
        found = next_service(walk);
    if (found == NOT_THERE)
        found = next_environment(walk);
    return found;
}

void walk_pass(struct walk *walk)
{
    if (path_depth(&walk->at) == PATH_ENVIRONMENT)
        walk->environment.id = 0; /* no environment's: it has no service */
    else
        walk->service.id = 0;
}
