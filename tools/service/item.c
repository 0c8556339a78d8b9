#include "tools/service/item.h"

#include <string.h>

#include "store/error.h"
#include "store/history.h"
#include "tools/service/hex.h"

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

const char *origin_word(enum entry_origin origin)
{
    switch (origin) {
    case ORIGIN_OWN:
        return "own";
    case ORIGIN_BASE:
        return "base";
    case ORIGIN_ALL:
        return "all";
    case ORIGIN_SHARED:
        return "shared";
    case ORIGIN_SCHEMA:
        return "schema";
    }
    return "unknown";
}

void item_add_text(json_t *object, const char *name, const unsigned char *data, size_t size,
                   size_t maximum)
{
    /* jansson makes no string of what is not UTF-8 */
    if (size <= maximum && (size == 0 || memchr(data, 0, size) == NULL))
        json_object_set_new(object, name, json_stringn(size == 0 ? "" : (const char *)data, size));
}

int item_add_signer(json_t *object, const struct author *author)
{
    char key[2 * SIGNING_KEY_SIZE + 1];
    if (!author->is_signed)
        return 0;
    hex_text(key, author->key, SIGNING_KEY_SIZE);
    return json_object_set_new(
               object, "signer",
               json_pack("{s:s, s:b, s:s*}", "key", key, "known", (int)author->is_known, "name",
                         author->identity[0] != '\0' ? author->identity : NULL)) == 0
               ? 0
               : error_set(ERR_NOMEM, "no memory for a list");
}

int item_add_commit(struct snapshot *snapshot, json_t *object, uint64_t rev, bool by_whom)
{
    struct commit_info commit;
    int found = history_commit(snapshot, &commit, rev);
    if (found != 0)
        return found < 0 ? found : 0;
    json_object_set_new(object, "time", json_integer((json_int_t)commit.time));
    if (by_whom) {
        json_object_set_new(object, "author", json_string(commit.author.name));
        json_object_set_new(object, "reason", json_string(commit.reason));
        return item_add_signer(object, &commit.author);
    }
    return 0;
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
    json_object_set_new(*out, "origin", json_string(origin_word(entry->origin)));
    if (entry->defined.kind != entry->kind)
        json_object_set_new(*out, "via", json_string(kind_word(entry->defined.kind)));
    if (entry->expires != 0)
        json_object_set_new(*out, "expires", json_integer((json_int_t)entry->expires));
    int sized = snapshot_size(snapshot, &size, entry);
    if (sized == 0)
        json_object_set_new(*out, "size", json_integer((json_int_t)size));
    /* Without its key a secret has no size to show. */
    if (sized == 0 || sized == -ERR_NO_KEY || sized == -ERR_PURGED)
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

static int item_of_environment(struct walk *walk, json_t **out)
{
    const struct environment *environment = &walk->environment;
    char base[ENVIRONMENT_NAME_MAX + 1] = "";
    int error = item_of_place(walk, environment->name, "environment", environment->changed_rev,
                              environment->made_time, out);
    if (error < 0)
        return error;
    if (environment->base != 0)
        error = snapshot_environment_name(walk->snapshot, base, environment->base);
    if (error < 0) {
        json_decref(*out);
        return error;
    }
    if (base[0] != '\0')
        json_object_set_new(*out, "base", json_string(base));
    if (environment->is_protected)
        json_object_set_new(*out, "protected", json_true());
    if (environment->is_signed)
        json_object_set_new(*out, "signed", json_true());
    if (environment->expires != 0)
        json_object_set_new(*out, "expires", json_integer((json_int_t)environment->expires));
    return 0;
}

int item_of_walk(struct walk *walk, json_t **out)
{
    switch (path_depth(&walk->at)) {
    case PATH_ENVIRONMENT:
        return item_of_environment(walk, out);
    case PATH_SERVICE:
        return item_of_place(walk, walk->service.name, "service", walk->service.changed_rev,
                             walk->service.made_time, out);
    default:
        return item_of_entry(walk->snapshot, &walk->entry, &walk->at, out);
    }
}
