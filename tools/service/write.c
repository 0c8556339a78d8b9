#include "tools/service/write.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/error.h"
#include "tools/service/operation.h"
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

/* What is about a name and no value, in words. */
static void add_note(json_t *object, const struct change_line *line)
{
    bool is_gone = line->mark == '-';
    if (line->subject == CHANGE_LOCK)
        json_object_set_new(object, "note", json_string(is_gone ? "unlocked" : "locked"));
    if (line->subject == CHANGE_SHARE)
        json_object_set_new(
            object, "note",
            json_sprintf("%s with %s", is_gone ? "no longer shared" : "shared",
                         strcmp(line->with, "*") == 0 ? "every service" : line->with));
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
    add_note(object, line);
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

static int64_t seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* setting the clock ends no hour */
    return now.tv_sec;
}

/* The first place that the call names, for what is written down of it. */
static const char *first_place(const struct request *request)
{
    static const char *const lists[] = {"operations", "paths", "names"};
    json_t *parameters = request->call->parameters;
    json_t *found = json_object_get(parameters, "to");
    for (size_t i = 0; i < sizeof lists / sizeof lists[0] && found == NULL; i++)
        found = json_array_get(json_object_get(parameters, lists[i]), 0);
    if (json_is_object(found))
        found = json_object_get(found, "path");
    return json_is_string(found) ? json_string_value(found) : "";
}

/* Whoever was told too often that a value is a secret's is told nothing more. */
static int admit(struct request *request, const struct change *change,
                 const struct change_terms *terms)
{
    struct dispatcher *service = request->service;
    const struct caller *caller = &request->call->caller;
    if (!change_brings_values(change) || guard_admits(&service->guard, caller->uid, seconds_now()))
        return 0;
    denials_add(&service->denials, store_path(service->store), time(NULL), caller, "Unexamined",
                first_place(request));
    error_set(ERR_DENIED,
              "%s brought %u values within an hour that were equal to secrets of another place: "
              "changes with values are refused unexamined until the hour is over",
              terms->author.name, GUARD_HITS);
    return error_add(ERR_DENIED, "each of them is a line in '%s/denials'",
                     store_path(service->store));
}

/* Each value that was a secret's: counted, and a line in the denials. */
static void note_equal(struct request *request, const struct change_terms *terms, size_t equal)
{
    struct dispatcher *service = request->service;
    const struct caller *caller = &request->call->caller;
    guard_count(&service->guard, caller->uid, seconds_now(), equal);
    for (size_t i = 0; i < equal && i < DENIALS_A_MINUTE; i++)
        denials_add(&service->denials, store_path(service->store), time(NULL), caller,
                    terms->dry_run ? "Equal-dry-run" : "Equal", first_place(request));
}

static void drop_snapshot(struct request *request)
{
    if (request->snapshot != NULL)
        snapshot_end(request->snapshot);
    snapshot_free(request->snapshot);
    request->snapshot = NULL;
}

static int read_terms(struct request *request, struct change_terms *terms, bool *quiet)
{
    *quiet = false;
    int error = parameter_terms(request->call->parameters, terms);
    if (error == 0)
        error = parameter_bool(request->call->parameters, "quiet", quiet);
    if (error == 0)
        caller_text(&request->call->caller, terms->author.name, sizeof terms->author.name);
    return error;
}

/* Tells the views and makes the reply; takes the result over. */
static void conclude(struct request *request, const struct change_terms *terms,
                     struct change_result *result, bool quiet)
{
    const struct service_host *host = &request->service->host;
    bool late = false;
    if (result->expires != 0 && host->expiring != NULL)
        host->expiring(host->arg, result->expires);
    /* A repeated one too: the server that committed it may have ended before it could tell. */
    if ((result->committed || result->repeated) && host->published != NULL)
        late = host->published(host->arg, result->rev) != 0;
    request->call->reply = result_object(result, terms->dry_run, late, quiet);
    change_result_release(result);
}

int write_commit(struct request *request, struct change *change)
{
    struct change_terms terms = {0};
    struct change_result result = {0};
    bool quiet;
    drop_snapshot(request);
    int error = read_terms(request, &terms, &quiet);
    if (error == 0)
        error = admit(request, change, &terms);
    if (error < 0)
        return error;
    error = change_commit(change, &terms, &result);
    note_equal(request, &terms, result.equal);
    if (error == 0)
        conclude(request, &terms, &result, quiet);
    return error;
}

/* A change with nothing in it does nothing, and finds the request that was done before. */
int write_repeated(struct request *request)
{
    struct change *change CHANGE_CLEANUP = NULL;
    struct change_terms terms = {0};
    struct change_result result = {0};
    bool quiet;
    int error = read_terms(request, &terms, &quiet);
    if (error == 0)
        error = write_begin(request, &change);
    if (error == 0)
        error = change_commit(change, &terms, &result);
    if (error < 0)
        return error;
    if (result.repeated)
        conclude(request, &terms, &result, quiet);
    else
        change_result_release(&result);
    return request->call->reply != NULL ? 1 : 0;
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
        error = operations_add(change, operations, &stream);
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
