/* Values: what a Get gathers. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/service/find.h"
#include "tools/service/item.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"

#define ENTRIES_MAX 262144u /* of one reply: it must fit a message */

struct take {
    struct request *request;
    struct snapshot *snapshot;
    bool reveal;
    bool skip_secrets;
    json_t *entries;
    size_t capacity;
    uint64_t bytes;
    /* Keys that are missing or refused: all are told, not the first only. */
    struct bytes reasons;
    int failure;
};

/* Keeps the failure's text as one of the reasons; 0 where the others are still worth looking at. */
static int add_reason(struct take *take, int error)
{
    if (error != -ERR_NOT_FOUND && error != -ERR_REFUSED)
        return error;
    if (take->failure == 0)
        take->failure = error;
    else
        bytes_append_text(&take->reasons, "\n");
    bytes_append_text(&take->reasons, error_text());
    return 0;
}

static int tell_reasons(struct take *take)
{
    if (take->failure == 0)
        return 0;
    bytes_append(&take->reasons, "", 1);
    if (take->reasons.error < 0)
        return take->failure; /* too many to list: the last one stands */
    const char *line = (const char *)take->reasons.data;
    size_t length = strcspn(line, "\n");
    error_set((enum error_code) - take->failure, "%.*s", (int)length, line);
    while (line[length] == '\n') {
        line += length + 1;
        length = strcspn(line, "\n");
        error_add((enum error_code) - take->failure, "%.*s", (int)length, line);
    }
    return take->failure;
}

static int part_room(struct take *take, struct value_part **out)
{
    struct call *call = take->request->call;
    if (call->part_count == take->capacity) {
        size_t capacity = take->capacity == 0 ? 16 : take->capacity * 2;
        struct value_part *parts = realloc(call->parts, capacity * sizeof *parts);
        if (parts == NULL)
            return error_set(ERR_NOMEM, "no memory for %zu values", capacity);
        call->parts = parts;
        take->capacity = capacity;
    }
    *out = &call->parts[call->part_count++];
    **out = (struct value_part){.plain = BYTES_INIT(VALUE_MAX)};
    return 0;
}

static int take_value(struct take *take, const struct entry *entry, size_t *size)
{
    struct value_part *part;
    const unsigned char *data;
    int error = part_room(take, &part);
    if (error < 0)
        return error;
    part->is_secret = entry->kind == ENTRY_SECRET;
    if (part->is_secret)
        error = audit_given(take->request, entry);
    if (error < 0)
        return error;
    error = snapshot_value(take->snapshot, &data, size, entry, &part->secret);
    if (error != 0)
        return error < 0 ? error
                         : error_set(ERR_CORRUPT, "the value of '%s' is not there", entry->key);
    take->bytes += *size;
    if (take->bytes > COMMIT_BYTES_MAX)
        return error_set(ERR_INVALID, "more than %u bytes at once: ask for fewer keys",
                         COMMIT_BYTES_MAX);
    if (part->is_secret)
        return 0;
    bytes_append(&part->plain, data, *size);
    secret_release(&part->secret); /* where it was put together */
    return part->plain.error;
}

static int take_entry(struct take *take, const struct entry *entry, const struct path *path)
{
    char text[PATH_TEXT_MAX];
    json_t *item;
    size_t size;
    path_text(path, text);
    if (entry->kind == ENTRY_SECRET && take->skip_secrets)
        return 0;
    if (entry->kind == ENTRY_SECRET && !take->reveal)
        return add_reason(take,
                          error_set(ERR_REFUSED, "'%s' is a secret: add --reveal to see it", text));
    if (take->failure != 0)
        return 0;
    if (json_array_size(take->entries) == ENTRIES_MAX)
        return error_set(ERR_INVALID, "more than %u keys at once: ask for fewer", ENTRIES_MAX);
    int error = take_value(take, entry, &size);
    if (error == -ERR_NO_KEY)
        return error_set(ERR_NO_KEY,
                         "the secret '%s' cannot be opened here: 'emsa status' tells which "
                         "identity is used",
                         text);
    if (error == 0)
        error = item_of_entry(take->snapshot, entry, path, &item);
    if (error < 0)
        return error;
    json_object_set_new(item, "size", json_integer((json_int_t)size));
    json_array_append_new(take->entries, item);
    return 0;
}

static int take_service(struct take *take, const struct path *path)
{
    struct environment environment;
    struct service service;
    struct entry entry = {0};
    struct path key = *path;
    int found = find_service(take->snapshot, &environment, &service, path);
    if (found != 0)
        return add_reason(take, found);
    for (;;) {
        found = snapshot_next_entry(take->snapshot, &entry, environment.id, service.id, key.key);
        if (found != 0)
            return found < 0 ? found : 0;
        memcpy(key.key, entry.key, sizeof key.key);
        int error = take_entry(take, &entry, &key);
        if (error < 0)
            return error;
    }
}

static int take_path(struct take *take, const struct path *path)
{
    struct environment environment;
    struct service service;
    struct entry entry;
    char text[PATH_TEXT_MAX];
    switch (path_depth(path)) {
    case PATH_SERVICE:
        return take_service(take, path);
    case PATH_KEY: {
        int found = find_entry(take->snapshot, &environment, &service, &entry, path);
        return found != 0 ? add_reason(take, found) : take_entry(take, &entry, path);
    }
    default:
        return error_set(ERR_INVALID,
                         "'%s' names no value: give environment/service/KEY or environment/service",
                         path_text(path, text));
    }
}

static int take_all(struct take *take, json_t *paths)
{
    size_t index;
    json_t *text;
    json_array_foreach(paths, index, text)
    {
        struct path path;
        int error = path_of(text, &path);
        if (error == 0)
            error = take_path(take, &path);
        if (error < 0)
            return error;
    }
    return tell_reasons(take);
}

int verb_get(struct request *request)
{
    struct call *call = request->call;
    struct take take = {.request = request, .reasons = BYTES_INIT(ERROR_TEXT_MAX)};
    json_t *paths;
    int error = parameter_list(call->parameters, "paths", &paths);
    if (error == 0)
        error = parameter_bool(call->parameters, "reveal", &take.reveal);
    if (error == 0)
        error = parameter_bool(call->parameters, "skip_secrets", &take.skip_secrets);
    if (error == 0)
        error = request_snapshot(request, &take.snapshot);
    if (error < 0)
        return error;
    take.entries = json_array();
    error = take_all(&take, paths);
    bytes_release(&take.reasons);
    if (error < 0) {
        json_decref(take.entries);
        return error;
    }
    call->reply = json_pack("{s:I, s:o}", "rev", (json_int_t)snapshot_revision(take.snapshot),
                            "entries", take.entries);
    if (call->part_count > 0 && call->reply != NULL)
        json_object_set_new(call->reply, "values", json_integer(0));
    return 0;
}
