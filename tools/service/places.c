/* Environments and services: made, and taken away. */
#include "store/error.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"
#include "tools/service/write.h"

static int wrong_depth(const struct path *path, const char *wanted)
{
    char text[PATH_TEXT_MAX];
    return error_set(ERR_INVALID, "'%s' is not %s", path_text(path, text), wanted);
}

static int add_environment(struct request *request, struct change *change, const struct path *path)
{
    struct environment_terms terms;
    if (path_depth(path) != PATH_ENVIRONMENT)
        return wrong_depth(path, "the name of an environment");
    int error = parameter_environment(request->call->parameters, &terms);
    return error < 0 ? error : change_environment_add(change, path->environment, &terms);
}

int verb_environment_add(struct request *request)
{
    return write_each(request, "names", add_environment);
}

static int add_service(struct request *request, struct change *change, const struct path *path)
{
    (void)request;
    if (path_depth(path) != PATH_SERVICE)
        return wrong_depth(path, "a service (environment/service)");
    return change_service_add(change, path);
}

int verb_service_add(struct request *request)
{
    return write_each(request, "paths", add_service);
}

static int wants_all(struct request *request, bool *all)
{
    return parameter_bool(request->call->parameters, "all", all);
}

static int remove_environment(struct request *request, struct change *change,
                              const struct path *path)
{
    bool all = false;
    if (path_depth(path) != PATH_ENVIRONMENT)
        return wrong_depth(path, "the name of an environment");
    int error = wants_all(request, &all);
    if (error < 0)
        return error;
    return all ? change_remove_all(change, path)
               : change_environment_remove(change, path->environment);
}

int verb_environment_remove(struct request *request)
{
    return write_each(request, "names", remove_environment);
}

static int remove_service(struct request *request, struct change *change, const struct path *path)
{
    bool all = false;
    if (path_depth(path) != PATH_SERVICE)
        return wrong_depth(path, "a service (environment/service)");
    int error = wants_all(request, &all);
    if (error < 0)
        return error;
    return all ? change_remove_all(change, path) : change_service_remove(change, path);
}

int verb_service_remove(struct request *request)
{
    return write_each(request, "paths", remove_service);
}
