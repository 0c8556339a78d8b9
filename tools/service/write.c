#include "tools/service/write.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/error.h"
#include "tools/service/condition.h"
#include "tools/service/operation.h"
#include "tools/service/parameter.h"
#include "tools/service/people.h"
#include "tools/service/right_words.h"
#include "tools/service/signing.h"
#include "tools/service/stream.h"

#define EQUAL_LINES 60u /* of one change, in the audit record; the rest is one more */

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

/* "user:alice may read, set" */
static json_t *grant_note(const struct change_line *line)
{
    char words[RIGHT_WORDS_MAX];
    return json_sprintf("%s %s %s", line->with, line->mark == '-' ? "may no longer" : "may",
                        rights_text(words, line->rights));
}

static void add_compaction(json_t *object, const struct change_line *line)
{
    json_object_set_new(object, "values", json_integer((json_int_t)line->values));
    json_object_set_new(object, "bytes", json_integer((json_int_t)line->bytes));
    json_object_set_new(object, "note",
                        json_sprintf("%llu values of %llu bytes, replaced by revision %llu",
                                     (unsigned long long)line->values,
                                     (unsigned long long)line->bytes,
                                     (unsigned long long)line->was_rev));
}

/* What is about a name and no value, in words. */
static void add_note(json_t *object, const struct change_line *line)
{
    struct path path;
    bool is_gone = line->mark == '-';
    bool is_schema = path_depth(change_line_path(&path, line)) == PATH_SERVICE;
    if (line->subject == CHANGE_TAG)
        json_object_set_new(object, "note", json_sprintf("tag %s", line->with));
    if (line->subject == CHANGE_LOCK)
        json_object_set_new(object, "note", json_string(is_gone ? "unlocked" : "locked"));
    if (line->subject == CHANGE_SCHEMA)
        json_object_set_new(object, "note", json_string(is_gone ? "schema removed" : "schema"));
    if (line->subject == CHANGE_GRANT)
        json_object_set_new(object, "note", grant_note(line));
    if (line->subject == CHANGE_IDENTITY)
        json_object_set_new(object, "note", json_sprintf("id:%s is known", line->with));
    if (line->subject == CHANGE_KEYS)
        json_object_set_new(
            object, "note",
            json_sprintf("new keys%s%s", line->with[0] != '\0' ? ", " : "", line->with));
    if (line->subject == CHANGE_PURGE && is_gone)
        json_object_set_new(object, "note",
                            json_sprintf("%s revision %llu set is destroyed",
                                         is_schema ? "the schema that" : "what",
                                         (unsigned long long)line->was_rev));
    if (line->subject == CHANGE_COMPACT && is_gone)
        add_compaction(object, line);
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
    json_t *object = json_pack("{s:s, s:s, s:b}", "path", change_line_text(line, text), "mark",
                               mark, "secret", (int)line->secret);
    if (object != NULL && line->was_rev != 0)
        json_object_set_new(object, "was_rev", json_integer((json_int_t)line->was_rev));
    if (object != NULL && line->expires != 0)
        json_object_set_new(object, "expires", json_integer((json_int_t)line->expires));
    add_note(object, line);
    return object;
}

/* Whether one line can tell of both: the same was done to two keys of one service. */
static bool goes_with(const struct change_line *line, const struct change_line *before)
{
    return line->mark == before->mark && line->secret == before->secret &&
           line->subject == CHANGE_PLACE && before->subject == CHANGE_PLACE &&
           line->was_rev == before->was_rev && line->expires == before->expires &&
           line->key[0] != '\0' && before->key[0] != '\0' &&
           strcmp(line->service, before->service) == 0 &&
           strcmp(line->environment, before->environment) == 0;
}

/* The line of a key becomes that of its service, with a list of keys. */
static json_t *begin_keys(json_t *object, const struct change_line *line)
{
    struct path service = {0};
    char text[PATH_TEXT_MAX];
    json_t *keys = json_array();
    json_array_append_new(keys, json_string(line->key));
    path_make(&service, line->environment, line->service, NULL);
    json_object_set_new(object, "path", json_string(path_text(&service, text)));
    return json_object_set_new(object, "keys", keys) < 0 ? NULL : keys;
}

static json_t *line_objects(const struct change_result *result, bool grouped)
{
    json_t *lines = json_array(), *last = NULL, *keys = NULL;
    for (size_t i = 0; i < result->count; i++) {
        const struct change_line *line = &result->lines[i];
        if (grouped && last != NULL && goes_with(line, line - 1)) {
            if (keys == NULL)
                keys = begin_keys(last, line - 1);
            json_array_append_new(keys, json_string(line->key));
            continue;
        }
        last = line_object(line);
        keys = NULL;
        json_array_append_new(lines, last);
    }
    return lines;
}

/* How a change is told of: in numbers only, for loads of many thousands; with one line for keys of
 * one service to which the same was done; or with a line for each. */
struct telling {
    bool quiet, grouped;
};

/* A right may be granted before there is anybody of that name; it may also be mistyped. */
static void note_unknown(const struct change_line *line, json_t *notes)
{
    char text[PATH_TEXT_MAX];
    if (line->subject == CHANGE_GRANT && line->mark != '-' && !people_known(line->with))
        json_array_append_new(
            notes,
            json_pack("{s:s, s:o}", "path", change_line_text(line, text), "text",
                      json_sprintf("is for '%s', who is nobody of this system yet", line->with)));
}

/* What a schema that was set says of what is there; also of a dry run. */
static json_t *note_list(const struct change_result *result)
{
    char text[PATH_TEXT_MAX];
    json_t *notes = json_array();
    for (size_t i = 0; i < result->note_count; i++) {
        const struct change_note *note = &result->notes[i];
        json_t *object =
            json_pack("{s:s, s:s}", "path", path_text(&note->path, text), "text", note->text);
        if (note->is_of_asked)
            json_object_set_new(object, "asked", json_true());
        json_array_append_new(notes, object);
    }
    for (size_t i = 0; i < result->count; i++)
        note_unknown(&result->lines[i], notes);
    return notes;
}

static json_t *result_object(const struct change_result *result, bool dry_run, bool late,
                             const struct telling *telling)
{
    struct tally tally = {0};
    for (size_t i = 0; i < result->count; i++)
        count(&tally, result->lines[i].mark);
    json_t *lines = telling->quiet ? json_array() : line_objects(result, telling->grouped);
    return json_pack("{s:I, s:b, s:b, s:b, s:b, s:I, s:I, s:I, s:I, s:o, s:o}", "rev",
                     (json_int_t)result->rev, "committed", (int)result->committed, "repeated",
                     (int)result->repeated, "dry_run", (int)dry_run, "late", (int)late, "made",
                     tally.made, "changed", tally.changed, "removed", tally.removed, "same",
                     tally.same, "lines", lines, "notes", note_list(result));
}

static int64_t seconds_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now); /* setting the clock ends no hour */
    return now.tv_sec;
}

/* The first place that the verb works on, for what is written down of it: what it does not look at
 * may say anything. */
static void first_place(const struct request *request, char out[static PATH_TEXT_MAX])
{
    const char *name = request->verb->judged != NULL ? request->verb->judged : "operations";
    json_t *found = json_object_get(request->call->parameters, name);
    struct path path = {0};
    if (json_is_array(found))
        found = json_array_get(found, 0);
    if (json_is_object(found))
        found = json_object_get(found, "path");
    if (path_of(found, &path) < 0) {
        path = (struct path){0};
        error_clear();
    }
    path_text(&path, out);
}

/* Whoever was told too often that a value is a secret's is told nothing more. */
static int admit(struct request *request, const struct change *change,
                 const struct change_terms *terms)
{
    struct dispatcher *service = request->service;
    const struct caller *caller = &request->call->caller;
    char place[PATH_TEXT_MAX];
    if (!change_brings_values(change) || guard_admits(&service->guard, caller->uid, seconds_now()))
        return 0;
    first_place(request, place);
    audit_denied(service, caller, "Unexamined", place);
    error_set(ERR_DENIED,
              "%s brought %u values within an hour that were equal to secrets of another place: "
              "changes with values are refused unexamined until the hour is over",
              terms->author.name, GUARD_HITS);
    return error_add(ERR_DENIED, "each of them is a line of the audit record: 'emsa audit'");
}

/* Each value that was a secret's: counted, and a line of the audit record with its place. */
static void note_equal(struct request *request, const struct change_terms *terms, size_t equal)
{
    struct dispatcher *service = request->service;
    const struct caller *caller = &request->call->caller;
    const char *method = terms->dry_run ? "Equal-dry-run" : "Equal";
    const struct change_places *places = &terms->told->equal;
    char text[PATH_TEXT_MAX];
    size_t lines = 0;
    guard_count(&service->guard, caller->uid, seconds_now(), equal);
    for (size_t i = 0; i < places->count; i++) {
        path_text(&places->list[i].path, text);
        for (size_t n = 0; n < places->list[i].times && lines < EQUAL_LINES; n++, lines++)
            audit_denied(service, caller, method, text);
    }
    if (lines < equal)
        audit_denied_rest(service, caller, method, equal - lines);
}

/* Each place at which a schema or a template was judged by secrets. */
static int note_judged(struct request *request, const struct change_places *places, size_t judged)
{
    int told = 0;
    size_t named = 0;
    for (size_t i = 0; i < places->count && told == 0; i++) {
        const size_t times = places->list[i].times;
        told = audit_given_at(request, &places->list[i].path, 0, times > 1 ? times : 0);
        named += times;
    }
    return told == 0 && named < judged ? audit_given_rest(request, judged - named) : told;
}

/* What a change tells of secrets that it does not bring, or that are there already; what is done
 * is done, and only a trial can still be refused. */
static int note_told(struct request *request, const struct change_terms *terms,
                     struct change_result *result, int error)
{
    struct path path = {0};
    int told = note_judged(request, &terms->told->judged, result->judged);
    for (size_t i = 0; error == 0 && i < result->count && told == 0; i++) {
        const struct change_line *line = &result->lines[i];
        if (line->mark == '=' && line->secret)
            told = audit_given_at(request, change_line_path(&path, line), line->was_rev, 0);
    }
    if (error < 0 || told == 0 || !terms->dry_run)
        return error;
    change_result_release(result);
    return told;
}

static void drop_snapshot(struct request *request)
{
    if (request->snapshot != NULL)
        snapshot_end(request->snapshot);
    snapshot_free(request->snapshot);
    request->snapshot = NULL;
}

/* places: as condition_read has them. */
static int read_terms(struct request *request, struct change_terms *terms, struct path **places,
                      struct telling *telling)
{
    *telling = (struct telling){0};
    *places = NULL;
    int error = parameter_terms(request->call->parameters, terms);
    if (error == 0)
        error = parameter_bool(request->call->parameters, "quiet", &telling->quiet);
    if (error == 0)
        error = parameter_bool(request->call->parameters, "grouped", &telling->grouped);
    if (error == 0 && terms->override != 0) /* past a rule: for who may do all */
        error = rights_judge(request->service, &request->call->caller, RIGHT_ADMIN, "Override",
                             &(struct path){0});
    if (error == 0)
        error = condition_read(request, terms, places);
    if (error == 0)
        caller_text(&request->call->caller, terms->author.name, sizeof terms->author.name);
    return error;
}

/* Tells the views and makes the reply; takes the result over. */
static void conclude(struct request *request, const struct change_terms *terms,
                     struct change_result *result, const struct telling *telling)
{
    const struct service_host *host = &request->service->host;
    bool late = false;
    if (result->expires != 0 && host->expiring != NULL)
        host->expiring(host->arg, result->expires);
    /* A repeated one too: the server that committed it may have ended before it could tell. */
    if ((result->committed || result->repeated) && host->published != NULL)
        late = host->published(host->arg, result->rev) != 0;
    request->call->reply = result_object(result, terms->dry_run, late, telling);
    change_result_release(result);
}

/* What a call was signed as: the text is made anew of what came, which is what is done. */
struct warrant {
    struct signature signature;
    struct bytes text;
};

static int warrant_digest(void *arg, uint8_t out[static HASH_SIZE], uint32_t number,
                          enum operation_kind kind, json_t *given, size_t size)
{
    const uint8_t *digest = change_value_digest(arg, number);
    (void)kind;
    (void)given;
    (void)size;
    if (digest == NULL)
        return error_set(ERR_INVALID, "the call is signed, and its values came without a seed");
    memcpy(out, digest, HASH_SIZE);
    return 0;
}

static int read_warrant(struct request *request, struct change *change, struct warrant *warrant,
                        struct change_terms *terms)
{
    bool given, is_seeded;
    json_t *parameters = request->call->parameters;
    int error = signing_parameter(parameters, &warrant->signature, &given, &is_seeded);
    if (error < 0 || !given)
        return error;
    warrant->text = BYTES_INIT(REQUEST_TEXT_MAX);
    error = signing_text(&warrant->text, store_id(request->service->store), request->verb->name,
                         parameters, warrant_digest, change);
    terms->signature = &warrant->signature;
    terms->request = warrant->text.data;
    terms->request_size = warrant->text.size;
    return error;
}

/* rev: 0, or what the change was made from. told: zeros, for what it tells of secrets. */
static int commit_telling(struct request *request, struct change *change, uint64_t rev,
                          const struct path *path, struct change_told *told)
{
    struct change_terms terms = {0};
    struct change_result result = {0};
    struct path *places = NULL;
    struct telling telling;
    struct warrant warrant = {0};
    drop_snapshot(request);
    int error = read_terms(request, &terms, &places, &telling);
    if (error == 0)
        error = read_warrant(request, change, &warrant, &terms);
    if (error == 0)
        error = admit(request, change, &terms);
    if (error < 0) {
        bytes_release(&warrant.text);
        free(places);
        return error;
    }
    if (rev > 0 && !terms.has_if_rev) {
        terms.has_if_rev = true;
        terms.if_rev = rev;
        terms.if_path = *path;
    }
    terms.blind = operations_blind(request);
    terms.told = told;
    error = change_commit(change, &terms, &result);
    free(places);
    bytes_release(&warrant.text);
    note_equal(request, &terms, result.equal);
    error = note_told(request, &terms, &result, error);
    if (error == 0)
        conclude(request, &terms, &result, &telling);
    return error;
}

static int commit(struct request *request, struct change *change, uint64_t rev,
                  const struct path *path)
{
    struct change_told *told = calloc(1, sizeof *told);
    if (told == NULL)
        return error_set(ERR_NOMEM, "no memory for a change");
    const int error = commit_telling(request, change, rev, path, told);
    free(told);
    return error;
}

int write_commit(struct request *request, struct change *change)
{
    return commit(request, change, 0, NULL);
}

int write_commit_of(struct request *request, struct change *change, uint64_t rev,
                    const struct path *path)
{
    return commit(request, change, rev, path);
}

/* A change with nothing in it does nothing, and finds the request that was done before. */
int write_repeated(struct request *request)
{
    struct change *change CHANGE_CLEANUP = NULL;
    struct change_terms terms = {0};
    struct change_result result = {0};
    struct path *places = NULL;
    struct telling telling;
    int error = read_terms(request, &terms, &places, &telling);
    if (error == 0)
        error = write_begin(request, &change);
    if (error == 0)
        error = change_commit(change, &terms, &result);
    free(places);
    if (error < 0)
        return error;
    if (result.repeated)
        conclude(request, &terms, &result, &telling);
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

/* The seed of a call that is signed stands before its values, for it is as secret as they are. */
static int take_seed(json_t *parameters, struct change *change, struct stream *stream)
{
    struct secret seed SECRET_CLEANUP = {0};
    struct signature signature;
    bool given, is_seeded;
    int error = signing_parameter(parameters, &signature, &given, &is_seeded);
    if (error < 0 || !is_seeded)
        return error;
    error = secret_alloc(&seed, REQUEST_SEED_SIZE);
    if (error == 0)
        error = stream_take(stream, seed.data, REQUEST_SEED_SIZE);
    return error < 0 ? error : change_seed(change, seed.data);
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
        error = take_seed(call->parameters, change, &stream);
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
