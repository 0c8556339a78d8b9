#include "tools/service/since.h"

#include <inttypes.h>

#include "store/error.h"
#include "store/history.h"
#include "tools/service/item.h"

#define COMMITS_MAX 16u
#define PATHS_MAX 8u /* of one commit */

struct since {
    struct request *request;
    struct snapshot *snapshot;
    json_t *asked;        /* an object: paths as members */
    json_t *environments; /* the same: those of the asked paths */
    json_t *commits;
};

/* Whether an operation says what is defined; locks and keys of the store's own do not. */
static bool says(enum operation_kind kind)
{
    return kind <= OPERATION_REMOVE || kind == OPERATION_SHARE || kind == OPERATION_UNSHARE ||
           (kind >= OPERATION_ENVIRONMENT_ADD && kind <= OPERATION_SERVICE_REMOVE) ||
           kind == OPERATION_SCHEMA_SET || kind == OPERATION_SCHEMA_REMOVE;
}

/* Whether a place lies in one of those that were asked for, or is the environment of one. */
static bool is_asked(const struct since *since, const struct path *path)
{
    char text[PATH_TEXT_MAX];
    struct path outer = *path;
    outer.key[0] = '\0';
    if (json_object_get(since->asked, "") != NULL ||
        json_object_get(since->asked, path_text(&outer, text)) != NULL)
        return true;
    if (path_depth(path) == PATH_ENVIRONMENT)
        return json_object_get(since->environments, path->environment) != NULL;
    return json_object_get(since->asked, path->environment) != NULL;
}

static int add_path(json_t *paths, const struct path *path)
{
    char text[PATH_TEXT_MAX];
    size_t count = json_array_size(paths);
    path_text(path, text);
    if (count > PATHS_MAX)
        return 0;
    return json_array_append_new(paths, json_string(count == PATHS_MAX ? "..." : text)) == 0
               ? 0
               : error_set(ERR_NOMEM, "no memory for what was changed");
}

/* The places of one commit; an empty list where it says nothing of those that are asked for. */
static int gather_paths(const struct since *since, uint64_t rev, json_t *paths)
{
    for (uint32_t op = 0;; op++) {
        struct operation_info operation;
        int found = history_operation(since->snapshot, &operation, rev, op);
        if (found != 0)
            return found < 0 ? found : 0;
        if (says(operation.kind) && is_asked(since, &operation.path))
            found = add_path(paths, &operation.path);
        if (found < 0)
            return found;
    }
}

static int add_commit(const struct since *since, uint64_t rev)
{
    json_t *paths = json_array();
    int error = gather_paths(since, rev, paths);
    if (error < 0 || json_array_size(paths) == 0) {
        json_decref(paths);
        return error;
    }
    bool by_whom = rights_hold(since->request->service, &since->request->call->caller, RIGHT_AUDIT,
                               &(struct path){0});
    json_t *commit = json_pack("{s:I, s:o}", "rev", (json_int_t)rev, "paths", paths);
    if (commit == NULL || json_array_append_new(since->commits, commit) < 0)
        return error_set(ERR_NOMEM, "no memory for what was changed");
    return item_add_commit(since->snapshot, commit, rev, by_whom);
}

static int ask_environment(struct since *since, const char *name)
{
    return json_object_set_new(since->environments, name, json_true()) < 0
               ? error_set(ERR_NOMEM, "no memory for what was changed")
               : 0;
}

static int ask(struct since *since, json_t *paths, json_t *environments)
{
    size_t index;
    json_t *text;
    json_array_foreach(environments, index, text)
    {
        int error = ask_environment(since, json_string_value(text));
        if (error < 0)
            return error;
    }
    json_array_foreach(paths, index, text)
    {
        struct path path;
        char shown[PATH_TEXT_MAX];
        const char *word = json_string_value(text);
        int error = path_parse(&path, word, json_string_length(text));
        if (error < 0)
            return error;
        if (json_object_set_new(since->asked, path_text(&path, shown), json_true()) < 0)
            return error_set(ERR_NOMEM, "no memory for what was changed");
        error = ask_environment(since, path.environment);
        if (error < 0)
            return error;
    }
    return 0;
}

static int walk(struct since *since, uint64_t rev)
{
    uint64_t newest = snapshot_revision(since->snapshot);
    if (rev > newest)
        return error_set(ERR_CONFLICT,
                         "there is no revision %" PRIu64 " yet; the newest is %" PRIu64, rev,
                         newest);
    for (rev++; rev <= newest && json_array_size(since->commits) < COMMITS_MAX; rev++) {
        int error = add_commit(since, rev);
        if (error < 0)
            return error;
    }
    return 0;
}

int since_gather(json_t **out, struct request *request, json_t *paths, uint64_t rev)
{
    struct since since = {.request = request,
                          .asked = json_object(),
                          .environments = json_object(),
                          .commits = json_array()};
    int error = request_snapshot(request, &since.snapshot);
    if (error == 0)
        error = ask(&since, paths, json_object_get(request->call->parameters, "environments"));
    if (error == 0)
        error = walk(&since, rev);
    json_decref(since.asked);
    json_decref(since.environments);
    if (error < 0)
        json_decref(since.commits);
    else
        *out = since.commits;
    return error;
}
