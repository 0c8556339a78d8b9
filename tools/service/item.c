#include "tools/service/item.h"

#include "store/error.h"
#include "store/history.h"

const char *kind_word(enum entry_kind kind)
{
    switch (kind) {
    case ENTRY_PLAIN:
        return "plain";
    case ENTRY_SECRET:
        return "secret";
    case ENTRY_LINK:
        return "link";
    case ENTRY_TEMPLATE:
        return "template";
    }
    return "unknown";
}

static int item(json_t **out, const char *name, const struct path *path, const char *kind,
                uint64_t rev, int64_t time)
{
    char text[PATH_TEXT_MAX];
    *out = json_pack("{s:s, s:s, s:s, s:I, s:I}", "name", name, "path", path_text(path, text),
                     "kind", kind, "rev", (json_int_t)rev, "time", (json_int_t)time);
    return *out != NULL ? 0 : error_set(ERR_NOMEM, "no memory for a list");
}

/* When a revision was committed. */
static int time_of(struct snapshot *snapshot, uint64_t rev, int64_t *time)
{
    struct commit_info commit;
    int found = history_commit(snapshot, &commit, rev);
    if (found == 0)
        *time = commit.time;
    return found < 0 ? found : 0;
}

int item_of_entry(struct snapshot *snapshot, const struct entry *entry, const struct path *path,
                  json_t **out)
{
    size_t size;
    int error = item(out, entry->key, path, kind_word(entry->kind), entry->rev, entry->time);
    if (error < 0)
        return error;
    if (entry->expires != 0)
        json_object_set_new(*out, "expires", json_integer((json_int_t)entry->expires));
    int sized = snapshot_size(snapshot, &size, entry);
    if (sized == 0)
        json_object_set_new(*out, "size", json_integer((json_int_t)size));
    if (sized == 0 || sized == -ERR_NO_KEY) /* without its key a secret has no size to show */
        return 0;
    json_decref(*out);
    return sized;
}

static int item_of_place(struct walk *walk, const char *name, const char *kind, uint64_t rev,
                         int64_t made, json_t **out)
{
    int64_t time = made;
    int error = time_of(walk->snapshot, rev, &time);
    return error < 0 ? error : item(out, name, &walk->at, kind, rev, time);
}

int item_of_walk(struct walk *walk, json_t **out)
{
    switch (path_depth(&walk->at)) {
    case PATH_ENVIRONMENT:
        return item_of_place(walk, walk->environment.name, "environment",
                             walk->environment.changed_rev, walk->environment.made_time, out);
    case PATH_SERVICE:
        return item_of_place(walk, walk->service.name, "service", walk->service.changed_rev,
                             walk->service.made_time, out);
    default:
        return item_of_entry(walk->snapshot, &walk->entry, &walk->at, out);
    }
}
