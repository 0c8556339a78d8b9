/* Copies and moves: one key, or a whole service with all that is defined in it, in one commit. What
 * others add meanwhile makes a move a refusal, not a loss. */
#include <string.h>

#include "store/error.h"
#include "store/relations.h"
#include "tools/service/find.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"
#include "tools/service/write.h"

struct copy {
    struct snapshot *snapshot;
    struct change *change;
    struct path from, to;
    bool moves;
};

/* Both are keys, or both services; a key that is copied to a service keeps its name. */
static int check_depths(struct copy *copy)
{
    char from[PATH_TEXT_MAX], to[PATH_TEXT_MAX];
    enum path_depth depth = path_depth(&copy->from);
    if (depth == PATH_KEY && path_depth(&copy->to) == PATH_SERVICE)
        memcpy(copy->to.key, copy->from.key, sizeof copy->to.key);
    path_text(&copy->from, from);
    path_text(&copy->to, to);
    if (depth < PATH_SERVICE)
        return error_set(ERR_INVALID,
                         "'%s' is neither a key nor a service: 'emsa env cp' copies an environment",
                         from);
    if (path_depth(&copy->to) != depth)
        return error_set(ERR_INVALID, "'%s' is a %s and '%s' is not: name two keys or two services",
                         from, depth == PATH_KEY ? "key" : "service", to);
    if (strcmp(from, to) == 0)
        return error_set(ERR_INVALID, "'%s' would be %s to itself", from,
                         copy->moves ? "moved" : "copied");
    if (copy->moves && strcmp(copy->from.environment, copy->to.environment) != 0)
        return error_set(ERR_REFUSED,
                         "'%s' and '%s' lie in two environments: copy it there (emsa cp), and "
                         "remove it here",
                         from, to);
    return 0;
}

typedef int (*share_step)(struct change *, const struct path *key, const char *consumer);

/* Says of a key to each of those with whom the layer has the name at from shared. */
static int each_share(struct copy *copy, uint32_t layer, const struct path *from,
                      const struct path *key, share_step step)
{
    struct share share = {0};
    for (;;) {
        int found = relation_next_share(copy->snapshot, &share, layer, from->service, from->key);
        if (found == 0)
            found = step(copy->change, key, share.consumer);
        if (found != 0)
            return found < 0 ? found : 0;
    }
}

/* With whom a name is shared goes where the name goes. */
static int copy_key(struct copy *copy, uint32_t layer, const struct path *from,
                    const struct path *to)
{
    if (!copy->moves)
        return change_copy(copy->change, to, from);
    int error = each_share(copy, layer, from, from, change_unshare);
    if (error == 0)
        error = change_move(copy->change, to, from);
    return error < 0 ? error : each_share(copy, layer, from, to, change_share);
}

/* A target that has something already is no place for another service's keys. */
static int check_target(struct copy *copy)
{
    struct environment environment;
    struct service service;
    struct entry entry = {0};
    char text[PATH_TEXT_MAX];
    int found = find_environment(copy->snapshot, &environment, &copy->to);
    if (found < 0)
        return found;
    found = snapshot_service(copy->snapshot, &service, environment.id, copy->to.service);
    while (found == 0) {
        char after[KEY_NAME_MAX + 1];
        memcpy(after, entry.key, sizeof after);
        found = snapshot_next_entry(copy->snapshot, &entry, environment.id, service.id, after);
        if (found == 0 && entry.defined.environment == environment.id)
            return error_set(ERR_REFUSED,
                             "'%s' has keys already: remove it (emsa service rm %s --all), or name "
                             "another",
                             path_text(&copy->to, text), text);
    }
    return found < 0 ? found : 0;
}

/* What is defined in the service itself; what shows there from beneath shows in the other too. */
static int copy_keys(struct copy *copy, const struct environment *environment,
                     const struct service *service)
{
    struct entry entry = {0};
    struct path from = copy->from, to = copy->to;
    for (;;) {
        int found =
            snapshot_next_entry(copy->snapshot, &entry, environment->id, service->id, from.key);
        if (found != 0)
            return found < 0 ? found : 0;
        memcpy(from.key, entry.key, sizeof from.key);
        memcpy(to.key, entry.key, sizeof to.key);
        if (entry.defined.environment == environment->id)
            found = copy_key(copy, environment->id, &from, &to);
        if (found < 0)
            return found;
    }
}

/* A service's own schema goes where the service goes, unless there is one. What is copied is
 * declared for its new name by whoever copied it. */
static int move_schema(struct copy *copy, const struct environment *environment,
                       const struct service *service)
{
    struct schema schema = {0}, there = {0};
    struct service target;
    int found = snapshot_service(copy->snapshot, &target, environment->id, copy->to.service);
    if (found == 0)
        found = snapshot_schema_of(copy->snapshot, &there, NULL, environment->id, target.id);
    schema_release(&there);
    if (found <= 0)
        return found;
    found = snapshot_schema_of(copy->snapshot, &schema, NULL, environment->id, service->id);
    if (found != 0)
        return found < 0 ? found : 0;
    memcpy(schema.service, copy->to.service, sizeof schema.service);
    found = change_schema_set(copy->change, &copy->to, &schema);
    schema_release(&schema);
    return found;
}

static int copy_service(struct copy *copy)
{
    struct environment environment;
    struct service service;
    int error = find_service(copy->snapshot, &environment, &service, &copy->from);
    if (error == 0)
        error = check_target(copy);
    if (error == 0)
        error = change_service_add(copy->change, &copy->to);
    if (error == 0 && copy->moves)
        error = move_schema(copy, &environment, &service);
    if (error == 0)
        error = copy_keys(copy, &environment, &service);
    return error == 0 && copy->moves ? change_service_remove(copy->change, &copy->from) : error;
}

static int copy_any(struct copy *copy)
{
    struct environment environment;
    if (path_depth(&copy->from) == PATH_SERVICE)
        return copy_service(copy);
    int error = find_environment(copy->snapshot, &environment, &copy->from);
    return error < 0 ? error : copy_key(copy, environment.id, &copy->from, &copy->to);
}

/* What is moved is removed: a service, and the rights to it, by who may remove services. */
static enum right right_to_source(const struct copy *copy)
{
    if (!copy->moves)
        return RIGHT_READ;
    return path_depth(&copy->from) == PATH_SERVICE ? RIGHT_ADMIN : RIGHT_EDIT;
}

static int run(struct request *request, bool moves)
{
    struct change *change CHANGE_CLEANUP = NULL;
    struct copy copy = {.moves = moves};
    const struct call *call = request->call;
    int error = path_of(json_object_get(call->parameters, "from"), &copy.from);
    if (error == 0)
        error = path_of(json_object_get(call->parameters, "to"), &copy.to);
    if (error == 0)
        error = rights_judge(request->service, &call->caller, right_to_source(&copy),
                             moves ? "Move" : "Copy", &copy.from);
    if (error == 0)
        error = check_depths(&copy);
    int done = error == 0 ? write_repeated(request) : 0;
    if (done > 0)
        return 0;
    if (error == 0)
        error = done;
    if (error == 0)
        error = request_snapshot(request, &copy.snapshot);
    if (error == 0)
        error = write_begin(request, &change);
    copy.change = change;
    if (error == 0)
        error = copy_any(&copy);
    return error < 0 ? error : write_commit(request, change);
}

int verb_copy(struct request *request)
{
    return run(request, false);
}

int verb_move(struct request *request)
{
    return run(request, true);
}
