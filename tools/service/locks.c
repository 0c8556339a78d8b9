/* Locks: what may not change, since when, and why. */
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/relations.h"
#include "tools/service/find.h"
#include "tools/service/item.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"

static int add_lock(struct snapshot *snapshot, const struct environment *environment,
                    const struct lock *lock, json_t *locks)
{
    struct path path;
    char text[PATH_TEXT_MAX];
    int error = path_make(&path, environment->name, lock->service, lock->key);
    if (error < 0)
        return error;
    json_t *object =
        json_pack("{s:s, s:I}", "path", path_text(&path, text), "rev", (json_int_t)lock->rev);
    if (object == NULL || json_array_append_new(locks, object) < 0)
        return error_set(ERR_NOMEM, "no memory for a list");
    return item_add_commit(snapshot, object, lock->rev, true);
}

static int gather(struct snapshot *snapshot, const struct environment *environment, json_t *locks)
{
    struct lock lock = {0};
    for (;;) {
        int found = relation_next_lock(snapshot, &lock, environment->id);
        if (found == 0)
            found = add_lock(snapshot, environment, &lock, locks);
        if (found != 0)
            return found < 0 ? found : 0;
    }
}

static int gather_all(struct snapshot *snapshot, json_t *locks)
{
    struct environment environment = {0};
    for (;;) {
        char after[ENVIRONMENT_NAME_MAX + 1];
        memcpy(after, environment.name, sizeof after);
        int found = snapshot_next_environment(snapshot, &environment, after);
        if (found == 0)
            found = gather(snapshot, &environment, locks);
        if (found != 0)
            return found < 0 ? found : 0;
    }
}

static int by_path(const void *a, const void *b)
{
    json_t *const *one = a, *const *other = b;
    return strcmp(json_string_value(json_object_get(*one, "path")),
                  json_string_value(json_object_get(*other, "path")));
}

/* As lists of places are. Takes the list over. */
static json_t *sorted(json_t *locks)
{
    size_t count = json_array_size(locks);
    json_t **list = calloc(count > 0 ? count : 1, sizeof(json_t *));
    json_t *out = json_array();
    for (size_t i = 0; list != NULL && i < count; i++)
        list[i] = json_array_get(locks, i);
    if (list != NULL)
        qsort(list, count, sizeof(json_t *), by_path);
    for (size_t i = 0; list != NULL && i < count; i++)
        json_array_append(out, list[i]);
    bool is_done = list != NULL && json_array_size(out) == count;
    free(list);
    json_decref(is_done ? locks : out);
    return is_done ? out : locks;
}

int verb_locks(struct request *request)
{
    struct snapshot *snapshot;
    struct environment environment;
    struct path path = {0};
    char text[PATH_TEXT_MAX];
    int error = parameter_path(request->call->parameters, "path", &path);
    if (error == 0 && path_depth(&path) > PATH_ENVIRONMENT)
        error = error_set(ERR_INVALID,
                          "'%s' is not the name of an environment: locks are listed "
                          "of one, or of all",
                          path_text(&path, text));
    if (error == 0)
        error = request_snapshot(request, &snapshot);
    if (error == 0 && path_depth(&path) == PATH_ENVIRONMENT)
        error = find_environment(snapshot, &environment, &path);
    if (error < 0)
        return error;
    json_t *locks = json_array();
    error = path_depth(&path) == PATH_ROOT ? gather_all(snapshot, locks)
                                           : gather(snapshot, &environment, locks);
    if (error < 0) {
        json_decref(locks);
        return error;
    }
    request->call->reply = json_pack("{s:I, s:o}", "rev", (json_int_t)snapshot_revision(snapshot),
                                     "locks", sorted(locks));
    return 0;
}
