/* Mount and Views: what is made of the tree for whom, and what there is of it. */
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
