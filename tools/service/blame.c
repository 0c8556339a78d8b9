/* Who changed last what is in effect: for each key the commit that its value is of, and where the
 * definition behind it was taken from, if it is a copy. */
#include <string.h>

#include "store/error.h"
#include "store/history.h"
#include "tools/service/item.h"
#include "tools/service/parameter.h"
#include "tools/service/provenance.h"
#include "tools/service/verb.h"
#include "tools/service/walk.h"

#define LINES_MAX 10000u

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for a list");
}

/* The path of a definition, where that is another one than the key's own. */
static int add_defined(struct snapshot *snapshot, json_t *object, const struct definition *is,
                       const char *own)
{
    struct path path;
    char text[PATH_TEXT_MAX];
    int error = history_path(snapshot, &path, definition_environment(is), is->name_id);
    if (error < 0)
        return error;
    path_text(&path, text);
    if (strcmp(text, own) != 0)
        json_object_set_new(object, "defined", json_string(text));
    return 0;
}

static int line_of(struct walk *walk, json_t **out)
{
    const struct entry *entry = &walk->entry;
    struct operation_info operation;
    char text[PATH_TEXT_MAX];
    path_text(&walk->at, text);
    *out = json_pack("{s:s, s:s, s:s, s:I}", "path", text, "kind", kind_word(entry->kind), "origin",
                     origin_word(entry->origin), "rev", (json_int_t)entry->rev);
    if (*out == NULL)
        return no_memory();
    int error = item_add_commit(walk->snapshot, *out, entry->rev, true);
    if (error == 0)
        error = add_defined(walk->snapshot, *out, &entry->value, text);
    if (error == 0)
        error = history_operation(walk->snapshot, &operation, entry->value.rev, entry->value.op);
    if (error == 0)
        error = provenance_add(walk->snapshot, *out, &operation);
    if (error != 0)
        json_decref(*out);
    return error > 0 ? error_set(ERR_CORRUPT, "'%s': its operation is gone", text) : error;
}

static int gather(struct walk *walk, uint64_t limit, json_t *lines, bool *more)
{
    for (;;) {
        json_t *line;
        if (json_array_size(lines) == limit) {
            *more = true;
            return 0;
        }
        int found = walk_step(walk);
        if (found != 0)
            return found < 0 ? found : 0;
        if (path_depth(&walk->at) != PATH_KEY)
            continue;
        found = line_of(walk, &line);
        if (found < 0)
            return found;
        if (json_array_append_new(lines, line) < 0)
            return no_memory();
    }
}

int verb_blame(struct request *request)
{
    json_t *parameters = request->call->parameters;
    struct walk walk;
    struct snapshot *snapshot;
    struct path path = {0}, after = {0};
    uint64_t limit = LINES_MAX;
    bool more = false;
    int error = parameter_path(parameters, "path", &path);
    if (error == 0)
        error = parameter_path(parameters, "after", &after);
    if (error == 0)
        error = parameter_number(parameters, "limit", &limit, NULL);
    if (error == 0)
        error = request_snapshot(request, &snapshot);
    if (error == 0)
        error = walk_start(&walk, snapshot, &path, PATH_KEY, &after);
    if (error < 0)
        return error;
    json_t *lines = json_array();
    error = gather(&walk, limit == 0 || limit > LINES_MAX ? LINES_MAX : limit, lines, &more);
    if (error < 0) {
        json_decref(lines);
        return error;
    }
    request->call->reply =
        json_pack("{s:I, s:o, s:b}", "rev", (json_int_t)snapshot_revision(snapshot), "lines", lines,
                  "more", (int)more);
    return 0;
}
