#include "tools/service/wish.h"

#include <limits.h>
#include <string.h>

#include "store/error.h"
#include "tools/service/find.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"

#define MODE_MAX 0444u /* nothing in a tree can be written or run */

static int read_number(json_t *parameters, const char *name, uint64_t maximum, uint64_t *out)
{
    uint64_t number = *out;
    int error = parameter_number(parameters, name, &number, NULL);
    if (error == 0 && number > maximum)
        error = error_set(ERR_INVALID, "the parameter '%s' is larger than %llu", name,
                          (unsigned long long)maximum);
    if (error == 0)
        *out = number;
    return error;
}

/* Of files; who may read them may go through the directories. */
static int read_mode(struct view_wish *wish, json_t *parameters)
{
    uint64_t mode = 0;
    bool is_given;
    int error = parameter_number(parameters, "mode", &mode, &is_given);
    if (error < 0 || !is_given)
        return error;
    if (mode == 0 || (mode & ~(uint64_t)MODE_MAX) != 0)
        return error_set(ERR_INVALID,
                         "the mode %04llo will not do: files can only be read, so it is made of 4s "
                         "(0400, 0440, 0444)",
                         (unsigned long long)mode);
    wish->file_mode = (uint16_t)mode;
    wish->directory_mode = (uint16_t)(mode | mode >> 2);
    return 0;
}

static int read_modes(struct view_wish *wish, json_t *parameters)
{
    uint64_t directory = 0, file = 0;
    int error = read_mode(wish, parameters);
    if (error == 0)
        error = read_number(parameters, "directory_mode", 0777, &directory);
    if (error == 0)
        error = read_number(parameters, "file_mode", 0777, &file);
    if (error == 0 && directory != 0)
        wish->directory_mode = (uint16_t)directory;
    if (error == 0 && file != 0)
        wish->file_mode = (uint16_t)file;
    return error;
}

static int read_owner(struct view_wish *wish, json_t *parameters)
{
    uint64_t uid = wish->uid, gid = wish->gid;
    int error = read_number(parameters, "uid", UINT32_MAX - 1, &uid);
    if (error == 0)
        error = read_number(parameters, "gid", UINT32_MAX - 1, &gid);
    wish->uid = (uid_t)uid;
    wish->gid = (gid_t)gid;
    return error;
}

static int read_place(struct view_wish *wish, json_t *parameters)
{
    const char *layout = NULL;
    int error = parameter_path(parameters, "path", &wish->path);
    if (error == 0 && path_depth(&wish->path) == PATH_KEY)
        return error_set(ERR_INVALID,
                         "a view is of a service, an environment or everything, and "
                         "'%s' is a key",
                         wish->path.key);
    if (error == 0)
        error = parameter_text(parameters, "layout", &layout);
    if (error < 0 || layout == NULL)
        return error;
    if (strcmp(layout, "flat") != 0 && strcmp(layout, "tree") != 0)
        return error_set(ERR_INVALID, "there is no layout '%.64s': it is tree or flat", layout);
    wish->is_flat = strcmp(layout, "flat") == 0;
    if (wish->is_flat && path_depth(&wish->path) == PATH_ROOT)
        return error_set(ERR_INVALID, "the whole tree has no flat layout: name an environment and "
                                      "a service");
    return 0;
}

static int read_flags(struct view_wish *wish, json_t *parameters)
{
    int error = parameter_bool(parameters, "history", &wish->has_history);
    if (error == 0)
        error = parameter_bool(parameters, "cache", &wish->is_cached);
    if (error == 0)
        error = parameter_bool(parameters, "masked", &wish->is_masked);
    if (error == 0)
        error = parameter_bool(parameters, "idmap", &wish->may_map);
    return error;
}

int wish_read(struct view_wish *wish, json_t *parameters)
{
    uint64_t max_read = 0;
    int error = read_place(wish, parameters);
    if (error == 0)
        error = read_owner(wish, parameters);
    if (error == 0)
        error = read_modes(wish, parameters);
    if (error == 0)
        error = read_flags(wish, parameters);
    if (error == 0)
        error = read_number(parameters, "max_read", 1048576, &max_read);
    if (error == 0)
        error = parameter_text(parameters, "directory", &wish->directory);
    if (error == 0 && wish->directory != NULL &&
        (wish->directory[0] != '/' || strlen(wish->directory) >= PATH_MAX))
        error = error_set(ERR_INVALID, "the parameter 'directory' is no absolute path");
    wish->max_read = (uint32_t)max_read;
    return error;
}

int wish_check(struct request *request, const struct view_wish *wish)
{
    struct snapshot *snapshot;
    struct environment environment;
    struct service service;
    enum path_depth depth = path_depth(&wish->path);
    if (depth == PATH_ROOT)
        return 0;
    int error = request_snapshot(request, &snapshot);
    if (error < 0)
        return error;
    return depth == PATH_SERVICE ? find_service(snapshot, &environment, &service, &wish->path)
                                 : find_environment(snapshot, &environment, &wish->path);
}
