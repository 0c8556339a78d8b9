/* Mount, Views and ViewMove: what is made of the tree for whom, what there is of it, and which
 * revision that shows. */
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"
#include "tools/service/wish.h"

#define NO_SERVER "no server runs for this store: start one with 'emsad'"

int verb_mount(struct request *request)
{
    const struct service_host *host = &request->service->host;
    struct call *call = request->call;
    struct view_wish wish = {.uid = call->caller.uid,
                             .gid = call->caller.gid,
                             .maker = call->caller.uid,
                             .is_unbounded = service_owned_by(request->service, &call->caller)};
    struct view_made made = {.mount_fd = -1};
    if (host->mount == NULL)
        return error_set(ERR_REFUSED, NO_SERVER);
    int error = wish_read(&wish, call->parameters);
    /* All of it shows who changed what and why, of everybody. */
    if (error == 0 && path_depth(&wish.path) == PATH_ROOT)
        error = rights_judge(request->service, &call->caller, RIGHT_ADMIN, "Mount", &wish.path);
    if (error == 0)
        error = wish_check(request, &wish);
    if (error == 0)
        error = host->mount(host->arg, &wish, &made);
    if (error < 0)
        return error;
    call->output_fd = made.mount_fd;
    call->reply = json_pack("{s:i, s:I}", "mount", 0, "view", (json_int_t)made.view);
    return 0;
}

static bool is_within(const struct path *path, const struct path *scope)
{
    return (scope->environment[0] == '\0' || strcmp(scope->environment, path->environment) == 0) &&
           (scope->service[0] == '\0' || strcmp(scope->service, path->service) == 0);
}

/* Who reads a view, and who asked for it, is told to who may audit; its own to everybody. */
static void sift_view(struct request *request, json_t *view, const struct path *path)
{
    const struct caller *caller = &request->call->caller;
    if (rights_hold(request->service, caller, RIGHT_AUDIT, path))
        return;
    (void)json_object_del(view, "read");
    if (json_integer_value(json_object_get(view, "maker")) != (json_int_t)caller->uid)
        (void)json_object_del(view, "maker");
}

/* What the caller may not list is not told of. */
static int sift(struct request *request, json_t *views, const struct path *scope)
{
    const struct caller *caller = &request->call->caller;
    for (size_t i = json_array_size(views); i > 0; i--) {
        struct path path;
        json_t *view = json_array_get(views, i - 1);
        int error = path_of(json_object_get(view, "path"), &path);
        if (error < 0)
            return error;
        if (!is_within(&path, scope) || !rights_hold(request->service, caller, RIGHT_LIST, &path))
            (void)json_array_remove(views, i - 1);
        else
            sift_view(request, view, &path);
    }
    return 0;
}

int verb_views(struct request *request)
{
    const struct service_host *host = &request->service->host;
    struct path scope = {0};
    int error = parameter_path(request->call->parameters, "path", &scope);
    if (error == 0 && path_depth(&scope) != PATH_ROOT)
        error = rights_judge(request->service, &request->call->caller, RIGHT_LIST, "Views", &scope);
    if (error < 0)
        return error;
    json_t *views = json_array();
    if (views == NULL)
        return error_set(ERR_NOMEM, "no memory for the views");
    error = host->views != NULL ? host->views(host->arg, views) : 0;
    if (error == 0)
        error = sift(request, views, &scope);
    if (error < 0)
        json_decref(views);
    else
        request->call->reply = json_pack("{s:o}", "views", views);
    return error;
}

/* Whether a view is the one that is named: by its number, or by where it stands. */
static bool is_named(json_t *view, const char *name)
{
    const char *directory = json_string_value(json_object_get(view, "directory"));
    if (name[0] == '/')
        return directory != NULL && strcmp(directory, name) == 0;
    char *end;
    const unsigned long long id = strtoull(name, &end, 10);
    return name[0] >= '0' && name[0] <= '9' && *end == '\0' &&
           (json_int_t)id == json_integer_value(json_object_get(view, "id"));
}

/* The last one that is named so: what is mounted over others is what is seen there. What the caller
 * may not list is not found. */
static int find_view(struct request *request, json_t *views, const char *name, json_t **out)
{
    const struct path everything = {0};
    const struct service_host *host = &request->service->host;
    int error = host->views(host->arg, views);
    if (error == 0)
        error = sift(request, views, &everything);
    if (error < 0)
        return error;
    for (size_t i = json_array_size(views); i > 0; i--) {
        json_t *view = json_array_get(views, i - 1);
        if (!is_named(view, name))
            continue;
        *out = view;
        return 0;
    }
    return error_set(ERR_NOT_FOUND, "there is no view '%.256s': 'emsa views' shows them", name);
}

static json_t *revision_or_null(uint64_t rev)
{
    return rev != 0 ? json_integer((json_int_t)rev) : json_null();
}

/* One's own view, as of whom mounts it; another's takes more, since others read what it shows. (Of
 * those that the caller may not audit its own alone have a maker still.) */
static int judge_move(struct request *request, json_t *view, const struct path *path)
{
    const struct caller *caller = &request->call->caller;
    const json_t *maker = json_object_get(view, "maker");
    const bool is_all = path_depth(path) == PATH_ROOT;
    const bool is_own = maker != NULL && json_integer_value(maker) == (json_int_t)caller->uid;
    int error = rights_judge(request->service, caller, is_own && !is_all ? RIGHT_READ : RIGHT_ADMIN,
                             "ViewMove", path);
    if (error == 0 && is_all)
        error =
            error_set(ERR_INVALID, "a view of everything can't be held at a revision: only what "
                                   "shows an environment or a service can");
    return error;
}

static int move_view(struct request *request, json_t *view, const char *to)
{
    const struct service_host *host = &request->service->host;
    const json_int_t id = json_integer_value(json_object_get(view, "id"));
    bool is_trial = false;
    struct path path;
    uint64_t pin = 0;
    int late = 0;
    int error = path_of(json_object_get(view, "path"), &path);
    if (error == 0)
        error = judge_move(request, view, &path);
    if (error == 0)
        error = parameter_bool(request->call->parameters, "dry_run", &is_trial);
    if (error == 0 && strcmp(to, "live") != 0)
        error = wish_revision(request, &pin, &path, to);
    if (error == 0 && !is_trial)
        late = error = host->view_move(host->arg, (uint32_t)id, pin);
    if (error < 0)
        return error;
    json_t *from = json_object_get(view, "pin");
    request->call->reply =
        json_pack("{s:I, s:O, s:o, s:o, s:b}", "view", id, "path", json_object_get(view, "path"),
                  "from", from != NULL ? json_incref(from) : json_null(), "to",
                  revision_or_null(pin), "late", late > 0);
    return request->call->reply != NULL ? 0 : error_set(ERR_NOMEM, "no memory for the reply");
}

int verb_view_move(struct request *request)
{
    json_t *parameters = request->call->parameters, *view;
    const char *name = NULL, *to = NULL;
    if (request->service->host.view_move == NULL)
        return error_set(ERR_REFUSED, NO_SERVER);
    int error = parameter_text(parameters, "view", &name);
    if (error == 0)
        error = parameter_text(parameters, "to", &to);
    if (error == 0 && (name == NULL || to == NULL))
        error =
            error_set(ERR_INVALID, "the parameter '%s' is missing", name == NULL ? "view" : "to");
    if (error < 0)
        return error;
    json_t *views = json_array();
    if (views == NULL)
        return error_set(ERR_NOMEM, "no memory for the views");
    error = find_view(request, views, name, &view);
    if (error == 0)
        error = move_view(request, view, to);
    json_decref(views);
    return error;
}
