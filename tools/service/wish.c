#include "tools/service/wish.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/service/find.h"
#include "tools/service/parameter.h"
#include "tools/service/revision.h"
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

/* A tag is looked up when the place is: wish_check. */
static int read_revision(struct view_wish *wish, json_t *parameters)
{
    int error = parameter_text(parameters, "at", &wish->at);
    if (error < 0 || wish->at == NULL)
        return error;
    if (path_depth(&wish->path) == PATH_ROOT)
        return error_set(ERR_INVALID, "the whole tree can't be held at a revision: name an "
                                      "environment or a service");
    if (wish->at[0] != '\0' && strspn(wish->at, "0123456789") == strlen(wish->at))
        wish->pin = strtoull(wish->at, NULL, 10);
    return 0;
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
        error = read_revision(wish, parameters);
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

static int find_place(struct snapshot *snapshot, const struct path *path)
{
    struct environment environment;
    struct service service;
    return path_depth(path) == PATH_SERVICE ? find_service(snapshot, &environment, &service, path)
                                            : find_environment(snapshot, &environment, path);
}

/* One that is there now was not there then; of one that is not either, what it may have been meant
 * to be is said. */
static int find_then(struct snapshot *snapshot, const struct path *path, uint64_t rev)
{
    char text[PATH_TEXT_MAX];
    snapshot_stand(snapshot, rev);
    const int then = find_place(snapshot, path);
    snapshot_stand(snapshot, 0);
    if (then != -ERR_NOT_FOUND)
        return then;
    const int now = find_place(snapshot, path);
    if (now < 0)
        return now;
    return error_set(ERR_REFUSED,
                     "'%s' was not there at revision %llu: 'emsa log %s' shows since when it is",
                     path_text(path, text), (unsigned long long)rev, path_text(path, text));
}

int wish_revision(struct request *request, uint64_t *rev, const struct path *path, const char *text)
{
    struct snapshot *snapshot;
    uint64_t found = 0;
    int error = request_snapshot(request, &snapshot);
    if (error == 0)
        error = revision_parse(snapshot, &found, text);
    if (error == 0)
        error = find_then(snapshot, path, found);
    if (error == 0)
        *rev = found;
    return error;
}

int wish_check(struct request *request, struct view_wish *wish)
{
    struct snapshot *snapshot;
    if (path_depth(&wish->path) == PATH_ROOT)
        return 0;
    if (wish->at != NULL)
        return wish_revision(request, &wish->pin, &wish->path, wish->at);
    int error = request_snapshot(request, &snapshot);
    return error < 0 ? error : find_place(snapshot, &wish->path);
}
