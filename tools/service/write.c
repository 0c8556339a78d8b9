#include "tools/service/write.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/service/parameter.h"
#include "tools/service/stream.h"

int write_begin(struct request *request, struct change **out)
{
    return change_new(out, request->service->store);
}

struct tally {
    json_int_t made, changed, removed, same;
};

static void count(struct tally *tally, char mark)
{
    switch (mark) {
    case '+':
        tally->made++;
        break;
    case '~':
        tally->changed++;
        break;
    case '-':
        tally->removed++;
        break;
    default:
        tally->same++;
    }
}

static json_t *line_object(const struct change_line *line)
{
    char text[PATH_TEXT_MAX];
    char mark[2] = {line->mark, '\0'};
    json_t *object = json_pack("{s:s, s:s, s:b}", "path", path_text(&line->path, text), "mark",
                               mark, "secret", (int)line->secret);
    if (object != NULL && line->was_rev != 0)
        json_object_set_new(object, "was_rev", json_integer((json_int_t)line->was_rev));
    if (object != NULL && line->expires != 0)
        json_object_set_new(object, "expires", json_integer((json_int_t)line->expires));
    return object;
}

/* quiet: the numbers only, for loads of many thousands. */
static json_t *result_object(const struct change_result *result, bool dry_run, bool late,
                             bool quiet)
{
    struct tally tally = {0};
    json_t *lines = json_array();
    for (size_t i = 0; i < result->count; i++) {
        count(&tally, result->lines[i].mark);
        if (!quiet)
            json_array_append_new(lines, line_object(&result->lines[i]));
    }
    return json_pack("{s:I, s:b, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:o}", "rev",
                     (json_int_t)result->rev, "committed", (int)result->committed, "repeated",
                     (int)result->repeated, "dry_run", (int)dry_run, "late", (int)late, "made",
                     tally.made, "changed", tally.changed, "removed", tally.removed, "same",
                     tally.same, "lines", lines);
}

int write_commit(struct request *request, struct change *change)
{
    const struct service_host *host = &request->service->host;
    struct change_terms terms = {0};
    struct change_result result = {0};
    bool quiet = false;
    if (request->snapshot != NULL)
        snapshot_end(request->snapshot);
    snapshot_free(request->snapshot);
    request->snapshot = NULL;
    int error = parameter_terms(request->call->parameters, &terms);
    if (error == 0)
        error = parameter_bool(request->call->parameters, "quiet", &quiet);
    if (error < 0)
        return error;
    caller_text(&request->call->caller, terms.author.name, sizeof terms.author.name);
    error = change_commit(change, &terms, &result);
    if (error < 0)
        return error;
    /* A repeated one too: the server that committed it may have ended before it could tell. */
    bool late = false;
    if (result.expires != 0 && host->expiring != NULL)
        host->expiring(host->arg, result.expires);
    if ((result.committed || result.repeated) && host->published != NULL)
        late = host->published(host->arg, result.rev) != 0;
    request->call->reply = result_object(&result, terms.dry_run, late, quiet);
    change_result_release(&result);
    return 0;
}

int write_each(struct request *request, const char *parameter, write_step step)
{
    struct change *change CHANGE_CLEANUP = NULL;
    json_t *paths;
    size_t index;
    json_t *text;
    int error = parameter_list(request->call->parameters, parameter, &paths);
    if (error == 0)
        error = write_begin(request, &change);
    if (error < 0)
        return error;
    json_array_foreach(paths, index, text)
    {
        struct path path;
        error = path_of(text, &path);
        if (error == 0)
            error = step(request, change, &path);
        if (error < 0)
            return error;
    }
    return write_commit(request, change);
}

static int set_from_text(struct change *change, const struct path *path, bool is_secret,
                         json_t *value)
{
    if (!json_is_string(value))
        return error_set(ERR_INVALID, "the parameter 'value' is not a text");
    if (is_secret) /* its copies in a parser cannot be wiped */
        return error_set(ERR_INVALID, "a secret travels in the stream, never as a parameter");
    return change_set_plain(change, path, json_string_value(value), json_string_length(value));
}

static int set_plain(struct change *change, const struct path *path, struct stream *stream,
                     size_t size)
{
    struct bytes value BYTES_CLEANUP = BYTES_INIT(VALUE_MAX);
    unsigned char *room = size == 0 ? NULL : bytes_reserve(&value, size);
    if (size > 0 && room == NULL)
        return error_set(ERR_NOMEM, "no memory for a value of %zu bytes", size);
    int error = stream_take(stream, room, size);
    return error < 0 ? error
                     : change_set_plain(change, path, size == 0 ? "" : (const void *)room, size);
}

static int set_secret(struct change *change, const struct path *path, struct stream *stream,
                      size_t size)
{
    struct secret value SECRET_CLEANUP = {0};
    int error = secret_alloc(&value, size > 0 ? size : 1);
    if (error == 0)
        error = stream_take(stream, value.data, size);
    if (error < 0)
        return error;
    value.size = size;
    return change_set_secret(change, path, &value);
}

static int set_from_stream(struct change *change, const struct path *path, bool is_secret,
                           struct stream *stream, json_t *size)
{
    char text[PATH_TEXT_MAX];
    if (!json_is_integer(size) || json_integer_value(size) < 0)
        return error_set(ERR_INVALID, "the operation on '%s' has neither a value nor a size",
                         path_text(path, text));
    if (json_integer_value(size) > (json_int_t)VALUE_MAX)
        return error_set(ERR_INVALID,
                         "the value of '%s' is over %u bytes: larger things are files, not values",
                         path_text(path, text), VALUE_MAX);
    size_t bytes = (size_t)json_integer_value(size);
    return is_secret ? set_secret(change, path, stream, bytes)
                     : set_plain(change, path, stream, bytes);
}

static int set_value(struct change *change, json_t *operation, struct stream *stream)
{
    struct path path;
    const char *kind = json_string_value(json_object_get(operation, "kind"));
    json_t *value = json_object_get(operation, "value");
    int error = path_of(json_object_get(operation, "path"), &path);
    if (error < 0)
        return error;
    bool is_secret = kind != NULL && strcmp(kind, "secret") == 0;
    if (!is_secret && (kind == NULL || strcmp(kind, "plain") != 0))
        return error_set(ERR_INVALID, "the kind of an operation is neither 'plain' nor 'secret'");
    if (value != NULL && !json_is_null(value))
        return set_from_text(change, &path, is_secret, value);
    return set_from_stream(change, &path, is_secret, stream, json_object_get(operation, "size"));
}

/* The value, and how long it lives where that is said. */
static int set_one(struct change *change, json_t *operation, struct stream *stream)
{
    uint64_t ttl = 0;
    bool has_ttl = false;
    int error = parameter_number(operation, "ttl", &ttl, &has_ttl);
    if (error == 0)
        error = set_value(change, operation, stream);
    return error == 0 && has_ttl ? change_ttl(change, ttl) : error;
}

static int set_all(struct change *change, json_t *operations, struct stream *stream)
{
    size_t index;
    json_t *operation;
    json_array_foreach(operations, index, operation)
    {
        int error = set_one(change, operation, stream);
        if (error < 0)
            return error;
    }
    return 0;
}

int verb_set(struct request *request)
{
    struct call *call = request->call;
    struct change *change CHANGE_CLEANUP = NULL;
    struct stream stream = {.fd = -1};
    json_t *operations;
    int error = parameter_list(call->parameters, "operations", &operations);
    if (error == 0)
        error = write_begin(request, &change);
    if (error == 0)
        error = stream_begin(&stream, call->input, call->input_deadline);
    if (error == 0)
        error = set_all(change, operations, &stream);
    stream_end(&stream);
    return error < 0 ? error : write_commit(request, change);
}

static int remove_key(struct request *request, struct change *change, const struct path *path)
{
    (void)request;
    return change_remove(change, path);
}

int verb_remove(struct request *request)
{
    return write_each(request, "paths", remove_key);
}
