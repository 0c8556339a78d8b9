/*
 * What is in effect in two places, or in one place at two revisions, side by side. Both are walked
 * in the order of names. Of one environment at two revisions only what was seen to change between
 * them is looked at, where that can be told without walking further than through all that is there.
 */
#include <string.h>

#include "store/error.h"
#include "store/history.h"
#include "tools/service/changed.h"
#include "tools/service/compare.h"
#include "tools/service/find.h"
#include "tools/service/item.h"
#include "tools/service/parameter.h"
#include "tools/service/revision.h"
#include "tools/service/verb.h"

#define LINES_MAX 10000u
#define LOOKED_MAX 200000u
#define SHOWN_VALUE_MAX 256u

struct end { /* one of the two */
    struct path path;
    uint64_t rev;
    bool is_now;
    bool has_environment, has_service; /* the service in hand */
    uint32_t environment, service;
    char service_name[SERVICE_NAME_MAX + 1];
    bool has_entry;
    struct entry entry; /* in hand */
};

struct diff {
    struct request *request;
    struct snapshot *snapshot;
    struct end left, right;
    struct path after; /* what was looked at last, by its path in the left one */
    uint64_t limit, looked;
    json_t *lines;
    bool more;
};

static bool is_full(struct diff *diff)
{
    diff->more = json_array_size(diff->lines) >= diff->limit || diff->looked >= LOOKED_MAX;
    return diff->more;
}

/* --- lines --- */

/* A secret is not looked at but for whether there is one. */
static int add_purged(struct snapshot *snapshot, json_t *out, const struct definition *value)
{
    uint64_t by;
    uint32_t op;
    const int found = history_purged(snapshot, &by, &op, value->rev, value->op);
    if (found == 0)
        json_object_set_new(out, "purged", json_true());
    return found < 0 ? found : 0;
}

static int side_object(struct diff *diff, const struct entry *entry, json_t **out)
{
    struct secret scratch SECRET_CLEANUP = {0};
    const unsigned char *data;
    size_t size;
    *out = json_pack("{s:s, s:s, s:I}", "kind", kind_word(entry->kind), "origin",
                     origin_word(entry->origin), "rev", (json_int_t)entry->rev);
    if (*out == NULL)
        return error_set(ERR_NOMEM, "no memory for a difference");
    if (entry->kind == ENTRY_SECRET)
        return add_purged(diff->snapshot, *out, &entry->value);
    int error = snapshot_value(diff->snapshot, &data, &size, entry, &scratch);
    if (error == -ERR_PURGED) {
        json_object_set_new(*out, "purged", json_true());
        return 0;
    }
    if (error != 0) {
        json_decref(*out);
        return error < 0 ? error : error_set(ERR_CORRUPT, "'%s' is gone", entry->key);
    }
    json_object_set_new(*out, "size", json_integer((json_int_t)size));
    item_add_text(*out, "value", data, size, SHOWN_VALUE_MAX);
    return 0;
}

/* The path that both have in common is not told again. */
static json_t *relative(const struct diff *diff, const char *service, const char *key)
{
    const enum path_depth depth = path_depth(&diff->left.path);
    if (depth >= PATH_SERVICE)
        return json_string(key);
    return key[0] != '\0' ? json_sprintf("%s/%s", service, key) : json_string(service);
}

static int add_line(struct diff *diff, const char *mark, const char *service, const char *key,
                    const struct entry *left, const struct entry *right)
{
    json_t *line = json_pack("{s:s, s:o}", "mark", mark, "path", relative(diff, service, key));
    int error = line != NULL ? 0 : error_set(ERR_NOMEM, "no memory for a difference");
    const struct entry *const entries[] = {left, right};
    static const char *const names[] = {"left", "right"};
    for (int i = 0; i < 2 && error == 0; i++) {
        json_t *side;
        if (entries[i] == NULL)
            continue;
        error = side_object(diff, entries[i], &side);
        if (error == 0)
            json_object_set_new(line, names[i], side);
    }
    if (error == 0 && json_array_append(diff->lines, line) < 0)
        error = error_set(ERR_NOMEM, "no memory for a difference");
    json_decref(line);
    return error;
}

/* That two secrets are equal, or are not, is something of both; one that is shown twice tells
 * nothing of itself. */
static int audit_compared(struct diff *diff, const struct entry *left, const struct entry *right)
{
    if (left->kind != ENTRY_SECRET || right->kind != ENTRY_SECRET || compare_is_one(left, right))
        return 0;
    int error = audit_given(diff->request, left);
    return error < 0 ? error : audit_given(diff->request, right);
}

/* What the two have of one key; NULL: nothing. */
static int put_side_by_side(struct diff *diff, const char *service, const struct entry *left,
                            const struct entry *right)
{
    enum likeness likeness;
    if (left == NULL && right == NULL)
        return 0;
    if (left == NULL || right == NULL)
        return add_line(diff, left != NULL ? "-" : "+", service,
                        left != NULL ? left->key : right->key, left, right);
    int error = compare_entries(diff->snapshot, &likeness, left, right);
    if (error == 0 && likeness != LIKENESS_UNKNOWN)
        error = audit_compared(diff, left, right);
    if (error < 0 || likeness == LIKENESS_SAME)
        return error;
    return add_line(diff, likeness == LIKENESS_OTHER ? "~" : "?", service, left->key, left, right);
}

/* --- one service --- */

/* The entry after key in the service in hand. */
static int next_entry(struct diff *diff, struct end *end, const char *key)
{
    char at[KEY_NAME_MAX + 1];
    uint64_t name_id;
    int found = NOT_THERE;
    if (!end->has_service) {
        end->has_entry = false;
        return 0;
    }
    memcpy(at, key, strlen(key) + 1);
    if (end->is_now) {
        found =
            snapshot_next_entry(diff->snapshot, &end->entry, end->environment, end->service, at);
    } else {
        while ((found = history_next_name(diff->snapshot, &name_id, at, end->service)) == 0) {
            diff->looked++;
            found =
                snapshot_entry_at(diff->snapshot, &end->entry, end->environment, name_id, end->rev);
            if (found != NOT_THERE)
                break;
        }
    }
    end->has_entry = found == 0;
    diff->looked++;
    return found < 0 ? found : 0;
}

/* The service that both have in hand, or one; its name for lines is the left one's, if any. */
static int walk_entries(struct diff *diff, const char *name)
{
    struct end *left = &diff->left, *right = &diff->right;
    int error = next_entry(diff, left, diff->after.key);
    if (error == 0)
        error = next_entry(diff, right, diff->after.key);
    while (error == 0 && (left->has_entry || right->has_entry)) {
        const int order = !left->has_entry    ? 1
                          : !right->has_entry ? -1
                                              : strcmp(left->entry.key, right->entry.key);
        const struct entry *a = order <= 0 ? &left->entry : NULL;
        const struct entry *b = order >= 0 ? &right->entry : NULL;
        char key[KEY_NAME_MAX + 1];
        memcpy(key, order <= 0 ? left->entry.key : right->entry.key, sizeof key);
        if (is_full(diff))
            return 0;
        error = put_side_by_side(diff, name, a, b);
        memcpy(diff->after.key, key, sizeof key);
        if (error == 0 && a != NULL)
            error = next_entry(diff, left, key);
        if (error == 0 && b != NULL)
            error = next_entry(diff, right, key);
    }
    diff->after.key[0] = '\0';
    return error;
}

/* --- an environment --- */

static int next_service(struct diff *diff, struct end *end, const char *after)
{
    struct service service;
    int found = NOT_THERE;
    memcpy(end->service_name, after, strlen(after) + 1);
    if (end->has_environment && end->is_now) {
        found = snapshot_next_service(diff->snapshot, &service, end->environment, after);
        if (found == 0) {
            memcpy(end->service_name, service.name, sizeof service.name);
            end->service = service.id;
        }
    } else if (end->has_environment) {
        found = history_next_service(diff->snapshot, &end->service, end->service_name,
                                     end->environment, end->rev);
    }
    end->has_service = found == 0;
    return found < 0 ? found : 0;
}

/* Both ends as they are for the service of that name, by itself. */
static int take_service(struct diff *diff, struct end *end, const char *name)
{
    int found = end->has_environment ? history_service(diff->snapshot, &end->service,
                                                       end->environment, name, end->rev)
                                     : NOT_THERE;
    end->has_service = found == 0;
    return found < 0 ? found : 0;
}

static int walk_service(struct diff *diff, const char *name)
{
    const bool in_both = diff->left.has_service && diff->right.has_service;
    int error = 0;
    if (!in_both && diff->after.key[0] == '\0')
        error = add_line(diff, diff->left.has_service ? "-" : "+", name, "", NULL, NULL);
    return error < 0 ? error : walk_entries(diff, name);
}

static int walk_services(struct diff *diff)
{
    struct end *left = &diff->left, *right = &diff->right;
    char name[SERVICE_NAME_MAX + 1];
    int error = 0;
    if (diff->after.service[0] != '\0') { /* taken up within one */
        memcpy(name, diff->after.service, sizeof name);
        error = take_service(diff, left, name);
        if (error == 0)
            error = take_service(diff, right, name);
        if (error == 0)
            error = walk_entries(diff, name);
    }
    if (error == 0 && !diff->more)
        error = next_service(diff, left, diff->after.service);
    if (error == 0 && !diff->more)
        error = next_service(diff, right, diff->after.service);
    while (error == 0 && !diff->more && (left->has_service || right->has_service)) {
        const struct end ends[] = {*left, *right};
        const int order = !left->has_service    ? 1
                          : !right->has_service ? -1
                                                : strcmp(left->service_name, right->service_name);
        memcpy(name, order <= 0 ? left->service_name : right->service_name, sizeof name);
        left->has_service = order <= 0;
        right->has_service = order >= 0;
        memcpy(diff->after.service, name, sizeof name);
        error = walk_service(diff, name);
        if (error < 0 || diff->more)
            return error;
        left->has_service = ends[0].has_service;
        right->has_service = ends[1].has_service;
        if (order <= 0)
            error = next_service(diff, left, name);
        if (error == 0 && order >= 0)
            error = next_service(diff, right, name);
    }
    return error;
}

/* --- one environment at two revisions --- */

static int entry_then(struct diff *diff, const struct end *end, struct entry *out, uint64_t name_id)
{
    return end->has_environment
               ? snapshot_entry_at(diff->snapshot, out, end->environment, name_id, end->rev)
               : NOT_THERE;
}

static int look_at_service(struct diff *diff, const struct changed_name *name)
{
    int error = take_service(diff, &diff->left, name->service);
    if (error == 0)
        error = take_service(diff, &diff->right, name->service);
    if (error < 0 || diff->left.has_service == diff->right.has_service)
        return error;
    return add_line(diff, diff->left.has_service ? "-" : "+", name->service, "", NULL, NULL);
}

static int look_at(struct diff *diff, const struct changed_name *name)
{
    if (name->name_id == 0)
        return path_depth(&diff->left.path) < PATH_SERVICE ? look_at_service(diff, name) : 0;
    const int left = entry_then(diff, &diff->left, &diff->left.entry, name->name_id);
    const int right =
        left < 0 ? left : entry_then(diff, &diff->right, &diff->right.entry, name->name_id);
    if (right < 0)
        return right;
    return put_side_by_side(diff, name->service, left == 0 ? &diff->left.entry : NULL,
                            right == 0 ? &diff->right.entry : NULL);
}

static int walk_changed(struct diff *diff, struct changed *changed)
{
    int error = 0;
    for (size_t i = 0; i < changed->count && error == 0; i++) {
        const struct changed_name *name = &changed->names[i];
        const int order = strcmp(name->service, diff->after.service);
        if (order < 0 || (order == 0 && strcmp(name->key, diff->after.key) <= 0))
            continue;
        if (is_full(diff))
            return 0;
        diff->looked++;
        error = look_at(diff, name);
        memcpy(diff->after.service, name->service, sizeof name->service);
        memcpy(diff->after.key, name->key, sizeof name->key);
    }
    return error;
}

/* --- any two --- */

static int find_key(struct diff *diff, struct end *end)
{
    uint64_t name_id;
    int found = end->has_service
                    ? history_name(diff->snapshot, &name_id, end->path.service, end->path.key)
                    : NOT_THERE;
    if (found == 0)
        found = entry_then(diff, end, &end->entry, name_id);
    end->has_entry = found == 0;
    return found < 0 ? found : 0;
}

/* A key that neither has is a mistake. */
static int look_at_keys(struct diff *diff)
{
    struct end *left = &diff->left, *right = &diff->right;
    char text[PATH_TEXT_MAX];
    int error = find_key(diff, left);
    if (error == 0)
        error = find_key(diff, right);
    if (error == 0 && !left->has_entry && !right->has_entry)
        error =
            error_set(ERR_NOT_FOUND, "no key '%s' on either side", path_text(&left->path, text));
    return error < 0
               ? error
               : put_side_by_side(diff, left->path.service, left->has_entry ? &left->entry : NULL,
                                  right->has_entry ? &right->entry : NULL);
}

static int walk(struct diff *diff)
{
    const struct end *left = &diff->left, *right = &diff->right;
    struct changed changed CHANGED_CLEANUP = {0};
    const enum path_depth depth = path_depth(&left->path);
    int error = 0;
    if (depth == PATH_KEY)
        return look_at_keys(diff);
    const bool is_one = left->has_environment && right->has_environment &&
                        left->environment == right->environment &&
                        strcmp(left->path.service, right->path.service) == 0;
    if (is_one)
        error = changed_between(diff->snapshot, &changed, left->environment, left->path.service,
                                left->rev, right->rev);
    if (error < 0)
        return error;
    if (is_one && error == 0)
        return walk_changed(diff, &changed);
    return depth == PATH_SERVICE ? walk_entries(diff, left->path.service) : walk_services(diff);
}

/* --- the verb --- */

static int not_then(const struct end *end)
{
    char text[PATH_TEXT_MAX];
    return error_set(ERR_NOT_FOUND, "'%s' did not exist as of revision %llu",
                     path_text(&end->path, text), (unsigned long long)end->rev);
}

static int find_end(struct diff *diff, struct end *end)
{
    int found =
        history_environment(diff->snapshot, &end->environment, end->path.environment, end->rev);
    end->has_environment = found == 0;
    if (found >= 0 && path_depth(&end->path) >= PATH_SERVICE)
        return take_service(diff, end, end->path.service);
    return found < 0 ? found : 0;
}

static bool is_there(const struct end *end)
{
    return path_depth(&end->path) >= PATH_SERVICE ? end->has_service : end->has_environment;
}

/* With what is near, where it is not there now. */
static int missing(struct diff *diff, const struct end *end)
{
    struct environment environment;
    struct service service;
    if (!end->is_now)
        return not_then(end);
    return path_depth(&end->path) >= PATH_SERVICE
               ? find_service(diff->snapshot, &environment, &service, &end->path)
               : find_environment(diff->snapshot, &environment, &end->path);
}

/* What did not exist at one of two revisions had nothing in it then. */
static int find_ends(struct diff *diff)
{
    struct end *left = &diff->left, *right = &diff->right;
    char a[PATH_TEXT_MAX], b[PATH_TEXT_MAX];
    int error = find_end(diff, left);
    if (error == 0)
        error = find_end(diff, right);
    if (error < 0)
        return error;
    const bool is_one = strcmp(path_text(&left->path, a), path_text(&right->path, b)) == 0;
    if (!is_there(right) && (!is_one || !is_there(left)))
        return missing(diff, right);
    return !is_there(left) && !is_one ? missing(diff, left) : 0;
}

static int read_end(struct diff *diff, struct end *end, const char *path, const char *at)
{
    json_t *parameters = diff->request->call->parameters;
    const uint64_t newest = snapshot_revision(diff->snapshot);
    end->rev = newest;
    int error = parameter_path(parameters, path, &end->path);
    if (error == 0)
        error = revision_parameter(diff->snapshot, parameters, at, &end->rev, NULL);
    end->is_now = end->rev == newest;
    return error;
}

static int read_ends(struct diff *diff)
{
    char a[PATH_TEXT_MAX], b[PATH_TEXT_MAX];
    json_t *parameters = diff->request->call->parameters;
    int error = read_end(diff, &diff->left, "path", "at");
    diff->right.path = diff->left.path;
    if (error == 0)
        error = read_end(diff, &diff->right, "other", "other_at");
    diff->after = diff->left.path;
    diff->after.key[0] = '\0';
    if (error == 0)
        error = parameter_path(parameters, "after", &diff->after);
    if (error == 0)
        error = parameter_number(parameters, "limit", &diff->limit, NULL);
    if (error < 0)
        return error;
    const enum path_depth depth = path_depth(&diff->left.path);
    path_text(&diff->left.path, a);
    path_text(&diff->right.path, b);
    if (depth == PATH_ROOT || depth != path_depth(&diff->right.path))
        return error_set(ERR_INVALID,
                         "'%s' and '%s': name two environments, two services or two keys", a, b);
    return rights_judge(diff->request->service, &diff->request->call->caller, RIGHT_READ, "Diff",
                        &diff->right.path);
}

static json_t *end_object(const struct end *end)
{
    char text[PATH_TEXT_MAX];
    return json_pack("{s:s, s:I}", "path", path_text(&end->path, text), "rev",
                     (json_int_t)end->rev);
}

int verb_diff(struct request *request)
{
    struct diff diff = {.request = request, .limit = LINES_MAX};
    char text[PATH_TEXT_MAX];
    int error = request_snapshot(request, &diff.snapshot);
    if (error == 0)
        error = read_ends(&diff);
    if (error == 0)
        error = find_ends(&diff);
    if (error < 0)
        return error;
    if (diff.limit == 0 || diff.limit > LINES_MAX)
        diff.limit = LINES_MAX;
    diff.lines = json_array();
    error = walk(&diff);
    if (error < 0) {
        json_decref(diff.lines);
        return error;
    }
    request->call->reply = json_pack(
        "{s:I, s:o, s:o, s:o, s:b, s:s}", "rev", (json_int_t)snapshot_revision(diff.snapshot),
        "left", end_object(&diff.left), "right", end_object(&diff.right), "lines", diff.lines,
        "more", (int)diff.more, "after", diff.more ? path_text(&diff.after, text) : "");
    return 0;
}
