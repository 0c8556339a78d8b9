/* What happened: the log, and one commit. Secrets are masked; small plain texts are shown. */
#include <string.h>

#include "store/error.h"
#include "store/history.h"
#include "tools/service/hex.h"
#include "tools/service/item.h"
#include "tools/service/parameter.h"
#include "tools/service/pattern.h"
#include "tools/service/provenance.h"
#include "tools/service/revision.h"
#include "tools/service/right_words.h"
#include "tools/service/verb.h"

#define LOG_LIMIT 1000u
#define LOOKED_MAX 20000u /* commits that one call looks at */
#define SHOW_LIMIT 10000u
#define SHOWN_VALUE_MAX 256u

static json_t *commit_object(const struct commit_info *commit)
{
    char hash[2 * HASH_SIZE + 1];
    char parent[2 * HASH_SIZE + 1];
    hex_text(hash, commit->hash, HASH_SIZE);
    hex_text(parent, commit->parent, HASH_SIZE);
    json_t *object =
        json_pack("{s:I, s:I, s:s, s:b, s:s, s:I, s:s, s:s}", "rev", (json_int_t)commit->rev,
                  "time", (json_int_t)commit->time, "author", commit->author.name, "signed",
                  (int)commit->author.is_signed, "reason", commit->reason, "operations",
                  (json_int_t)commit->operations, "hash", hash, "parent", parent);
    if (object != NULL && item_add_signer(object, &commit->author) == 0)
        return object;
    json_decref(object);
    return NULL;
}

/* The newest revision from *rev down that touched the path. */
static int touched(struct snapshot *snapshot, const struct path *path, uint64_t *rev)
{
    if (path_depth(path) == PATH_ROOT)
        return *rev > 0 ? 0 : NOT_THERE;
    for (;;) {
        uint64_t found = *rev;
        int result = history_touched(snapshot, &found, path, *rev);
        if (result == NOT_THERE || result < 0)
            return result;
        *rev = found;
        if (result == 0)
            return 0;
    }
}

/* Which commits are wanted, of those that touched the path. */
struct filter {
    struct path path;
    const char *author;    /* a part of its name, in any case of letters; NULL: any */
    uint64_t since, until; /* nanoseconds since 1970 */
    struct pattern key;
    bool has_key;
};

static bool is_in(const struct path *place, const struct path *path)
{
    return (place->environment[0] == '\0' || strcmp(place->environment, path->environment) == 0) &&
           (place->service[0] == '\0' || strcmp(place->service, path->service) == 0) &&
           (place->key[0] == '\0' || strcmp(place->key, path->key) == 0);
}

static bool is_meant(const struct filter *filter, const struct path *path)
{
    return is_in(&filter->path, path) && pattern_means(&filter->key, path);
}

/* Whether one of the keys that the commit set, or that were seen to change by it, is meant. */
static int touches_key(struct snapshot *snapshot, const struct filter *filter, uint64_t rev)
{
    int found = 0;
    for (uint32_t op = 0; found == 0; op++) {
        struct operation_info operation;
        found = history_operation(snapshot, &operation, rev, op);
        if (found == 0 && is_meant(filter, &operation.path))
            return 1;
    }
    if (found > 0)
        found = 0;
    for (uint32_t index = 0; found == 0; index++) {
        struct outcome outcome;
        struct path path;
        found = history_outcome(snapshot, &outcome, rev, index);
        if (found == 0)
            found = history_outcome_path(snapshot, &path, &outcome);
        if (found == 0 && is_meant(filter, &path))
            return 1;
    }
    return found < 0 ? found : 0;
}

/* 1: the commit is wanted; 0: it is not; or a failure. */
static int passes(struct snapshot *snapshot, const struct filter *filter,
                  const struct commit_info *commit)
{
    if (commit->time > 0 && (uint64_t)commit->time > filter->until)
        return 0;
    if (filter->author != NULL && strcasestr(commit->author.name, filter->author) == NULL)
        return 0;
    return filter->has_key ? touches_key(snapshot, filter, commit->rev) : 1;
}

/* Of one key's log: that what the commit set there was destroyed since, and by which revision. */
static int mark_purged(struct snapshot *snapshot, const struct path *path, uint64_t rev,
                       json_t *object)
{
    struct definition definition;
    uint32_t environment, op;
    uint64_t name_id = 0, by;
    int64_t expires;
    if (path_depth(path) != PATH_KEY)
        return 0;
    int found = history_environment(snapshot, &environment, path->environment, rev);
    if (found == 0)
        found = history_name(snapshot, &name_id, path->service, path->key);
    if (found == 0)
        found = history_definition(snapshot, &definition, &expires, environment, name_id, rev);
    if (found == NOT_THERE && name_id != 0) /* a default of its own schema */
        found = history_definition(snapshot, &definition, &expires, environment | LAYER_OF_DEFAULTS,
                                   name_id, rev);
    if (found == 0 && definition.rev != rev)
        found = NOT_THERE;
    if (found == 0)
        found = history_purged(snapshot, &by, &op, definition.rev, definition.op);
    if (found == 0)
        json_object_set_new(object, "purged", json_integer((json_int_t)by));
    return found < 0 ? found : 0;
}

/* Up to limit of them, from rev down; *next is where to go on, 0: that was all. */
static int gather_commits(struct snapshot *snapshot, const struct filter *filter, uint64_t rev,
                          uint64_t limit, json_t *commits, uint64_t *next)
{
    *next = 0;
    for (uint64_t looked = 0; rev > 0; looked++, rev--) {
        struct commit_info commit;
        int found = touched(snapshot, &filter->path, &rev);
        if (found == 0 && (json_array_size(commits) == limit || looked == LOOKED_MAX)) {
            *next = rev + 1;
            return 0;
        }
        if (found == 0)
            found = history_commit(snapshot, &commit, rev);
        if (found != 0)
            return found < 0 ? found : 0;
        if (commit.time < 0 || (uint64_t)commit.time < filter->since)
            return 0; /* and those before it are older still */
        found = passes(snapshot, filter, &commit);
        if (found < 0)
            return found;
        if (found == 0)
            continue;
        json_t *object = commit_object(&commit);
        json_array_append_new(commits, object);
        found = mark_purged(snapshot, &filter->path, rev, object);
        if (found < 0)
            return found;
    }
    return 0;
}

static int read_filter(json_t *parameters, struct filter *filter)
{
    const char *key = NULL;
    int error = parameter_path(parameters, "path", &filter->path);
    if (error == 0)
        error = parameter_text(parameters, "author", &filter->author);
    if (error == 0)
        error = parameter_number(parameters, "since", &filter->since, NULL);
    if (error == 0)
        error = parameter_number(parameters, "until", &filter->until, NULL);
    if (error == 0)
        error = parameter_text(parameters, "key", &key);
    filter->has_key = key != NULL;
    return error < 0 || key == NULL ? error : pattern_parse(&filter->key, key);
}

int verb_log(struct request *request)
{
    json_t *parameters = request->call->parameters;
    struct snapshot *snapshot;
    struct filter filter = {.until = UINT64_MAX};
    uint64_t before = 0, limit = LOG_LIMIT, next;
    bool has_before = false;
    int error = read_filter(parameters, &filter);
    if (error == 0)
        error = parameter_number(parameters, "before", &before, &has_before);
    if (error == 0)
        error = parameter_number(parameters, "limit", &limit, NULL);
    if (error == 0)
        error = request_snapshot(request, &snapshot);
    if (error < 0)
        return error;
    uint64_t rev = snapshot_revision(snapshot);
    if (has_before && before <= rev)
        rev = before == 0 ? 0 : before - 1;
    json_t *commits = json_array();
    error = gather_commits(snapshot, &filter, rev,
                           limit == 0 || limit > LOG_LIMIT ? LOG_LIMIT : limit, commits, &next);
    if (error < 0) {
        json_decref(commits);
        return error;
    }
    request->call->reply = json_pack("{s:o, s:b, s:I}", "commits", commits, "more", (int)(next > 0),
                                     "next", (json_int_t)next);
    return 0;
}

static const char *operation_word(const struct operation_info *operation)
{
    static const struct {
        enum operation_kind kind;
        const char *word;
    } words[] = {
        {OPERATION_SET_PLAIN, "set"},
        {OPERATION_SET_SECRET, "set-secret"},
        {OPERATION_SET_TEMPLATE, "set-template"},
        {OPERATION_SET_LINK, "set-link"},
        {OPERATION_REMOVE, "remove"},
        {OPERATION_LOCK, "lock"},
        {OPERATION_UNLOCK, "unlock"},
        {OPERATION_SHARE, "share"},
        {OPERATION_UNSHARE, "unshare"},
        {OPERATION_ENVIRONMENT_ADD, "environment-add"},
        {OPERATION_ENVIRONMENT_REMOVE, "environment-remove"},
        {OPERATION_SERVICE_ADD, "service-add"},
        {OPERATION_SERVICE_REMOVE, "service-remove"},
        {OPERATION_SCHEMA_SET, "schema"},
        {OPERATION_SCHEMA_REMOVE, "schema-remove"},
        {OPERATION_DEFAULT_SET, "default"},
        {OPERATION_DEFAULT_REMOVE, "default-remove"},
        {OPERATION_TAG, "tag"},
        {OPERATION_UNTAG, "untag"},
        {OPERATION_PURGE, "purge"},
        {OPERATION_COMPACT, "compact"},
        {OPERATION_IDENTITY, "identity"},
        {OPERATION_ENVIRONMENT_KEY, "environment-key"},
        {OPERATION_SERVICE_KEY, "service-key"},
        {OPERATION_RIGHTS_GRANT, "grant"},
        {OPERATION_RIGHTS_REVOKE, "revoke"},
        {OPERATION_GRANT, "key-grant"},
    };
    if (operation->kind == OPERATION_REMOVE && operation->expires != 0)
        return "expire";
    if (operation->kind == OPERATION_ENVIRONMENT_REMOVE && operation->expires != 0)
        return "environment-expire";
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++)
        if (words[i].kind == operation->kind)
            return words[i].word;
    return "unknown";
}

static int add_default(struct snapshot *snapshot, const struct operation_info *operation,
                       json_t *object)
{
    const struct definition defined = {.environment = operation->environment | LAYER_OF_DEFAULTS,
                                       .service = operation->service,
                                       .name_id = operation->name_id,
                                       .rev = operation->rev,
                                       .op = operation->op,
                                       .kind = ENTRY_PLAIN,
                                       .stored_size = operation->stored_size};
    const unsigned char *data;
    size_t size;
    int error = snapshot_text(snapshot, &data, &size, &defined, NULL);
    if (error != 0)
        return error;
    json_object_set_new(object, "size", json_integer((json_int_t)size));
    item_add_text(object, "value", data, size, SHOWN_VALUE_MAX);
    return 0;
}

/* The size, and the text where it is small and no secret, of what this very operation set: of a
 * link or a template its own text. A later operation of the same commit on the same key hides it.
 */
static int add_value(struct snapshot *snapshot, const struct operation_info *operation,
                     json_t *object)
{
    struct secret scratch SECRET_CLEANUP = {0};
    struct entry entry;
    const unsigned char *data;
    size_t size;
    int found = snapshot_entry_at(snapshot, &entry, operation->environment, operation->name_id,
                                  operation->rev);
    const struct definition *defined = &entry.defined;
    if (found != 0 || defined->environment != operation->environment ||
        defined->rev != operation->rev || defined->op != operation->op)
        return found < 0 ? found : 0;
    int error = 0;
    if (defined->kind == ENTRY_SECRET) {
        error = snapshot_size(snapshot, &size, &entry);
        if (error == 0)
            json_object_set_new(object, "size", json_integer((json_int_t)size));
        return error == -ERR_NO_KEY ? 0 : error;
    }
    error = snapshot_text(snapshot, &data, &size, defined, &scratch);
    if (error != 0)
        return error < 0 ? error : 0;
    json_object_set_new(object, "size", json_integer((json_int_t)size));
    item_add_text(object, "value", data, size, SHOWN_VALUE_MAX);
    return 0;
}

/* Which revision destroyed what this operation set. */
static int add_purged(struct snapshot *snapshot, json_t *object,
                      const struct operation_info *operation)
{
    uint64_t by = 0;
    uint32_t op;
    if (operation->kind > OPERATION_SET_TEMPLATE && operation->kind != OPERATION_SCHEMA_SET &&
        operation->kind != OPERATION_DEFAULT_SET)
        return 0;
    int found = history_purged(snapshot, &by, &op, operation->rev, operation->op);
    if (found == 0)
        json_object_set_new(object, "purged", json_integer((json_int_t)by));
    return found < 0 ? found : 0;
}

struct may {      /* of an operation's place */
    bool read;    /* what is set there; else of a value nothing is shown */
    bool compare; /* with what is anywhere: else whoever let a value be equal learns from it that
                     it guessed a secret of another place */
};

static int operation_object(struct snapshot *snapshot, const struct operation_info *operation,
                            struct may may, json_t **out)
{
    char text[PATH_TEXT_MAX];
    bool sets = may.read && operation->kind <= OPERATION_SET_TEMPLATE;
    *out =
        json_pack("{s:I, s:s, s:s, s:b, s:b}", "op", (json_int_t)operation->op, "kind",
                  operation_word(operation), "path", path_text(&operation->path, text), "secret",
                  (int)(operation->kind == OPERATION_SET_SECRET), "first", (int)operation->first);
    if (*out == NULL)
        return error_set(ERR_NOMEM, "no memory for a commit");
    if (operation->expires != 0)
        json_object_set_new(*out, "expires", json_integer((json_int_t)operation->expires));
    if (operation->with[0] != '\0')
        json_object_set_new(*out, "with", json_string(operation->with));
    if (operation->rights != 0)
        json_object_set_new(*out, "rights", rights_words(operation->rights));
    if (operation->is_same)
        json_object_set_new(*out, "same", json_true());
    if (operation->is_allowed_equal && may.compare)
        json_object_set_new(*out, "allowed_equal", json_true());
    if (operation->is_override)
        json_object_set_new(*out, "override", json_true());
    if (operation->kind == OPERATION_SCHEMA_SET)
        json_object_set_new(*out, "size", json_integer((json_int_t)operation->stored_size));
    if (operation->tag[0] != '\0')
        json_object_set_new(*out, "tag", json_string(operation->tag));
    if (operation->tagged != 0)
        json_object_set_new(*out, "tagged", json_integer((json_int_t)operation->tagged));
    if (operation->purged_rev != 0)
        json_object_set_new(*out, "set", json_integer((json_int_t)operation->purged_rev));
    if (operation->until != 0)
        json_object_set_new(*out, "until", json_integer((json_int_t)operation->until));
    int error = provenance_add(snapshot, *out, operation);
    if (error == 0)
        error = add_purged(snapshot, *out, operation);
    sets &= json_object_get(*out, "purged") == NULL;
    if (error == 0 && sets)
        error = add_value(snapshot, operation, *out);
    if (error == 0 && may.read && operation->kind == OPERATION_DEFAULT_SET &&
        json_object_get(*out, "purged") == NULL)
        error = add_default(snapshot, operation, *out);
    if (error < 0)
        json_decref(*out);
    return error;
}

struct piece { /* of a commit's operations */
    uint64_t from, limit;
};

/* Those of places that the caller may not audit are left out. */
static int gather_operations(struct request *request, struct snapshot *snapshot, uint64_t rev,
                             const struct piece *piece, json_t *operations, bool *more)
{
    const struct caller *caller = &request->call->caller;
    static const struct path everything;
    for (uint64_t op = piece->from;; op++) {
        struct operation_info operation;
        json_t *object;
        int found = history_operation(snapshot, &operation, rev, (uint32_t)op);
        if (found != 0)
            return found < 0 ? found : 0;
        if (op - piece->from == piece->limit) {
            *more = true;
            return 0;
        }
        if (!rights_hold(request->service, caller, RIGHT_AUDIT, &operation.path))
            continue;
        const struct may may = {
            .read = rights_hold(request->service, caller, RIGHT_READ, &operation.path),
            .compare = rights_hold(request->service, caller, RIGHT_LIST, &everything)};
        int error = operation_object(snapshot, &operation, may, &object);
        if (error < 0)
            return error;
        json_array_append_new(operations, object);
    }
}

/* The tags that name a revision. */
static int add_tags(struct snapshot *snapshot, json_t *commit, uint64_t rev)
{
    struct tag tag = {.name = ""};
    json_t *tags = json_array();
    int found;
    while ((found = history_next_tag(snapshot, &tag)) == 0)
        if (tag.rev == rev)
            json_array_append_new(tags, json_string(tag.name));
    json_object_set_new(commit, "tags", tags);
    return found < 0 ? found : 0;
}

/* By its number or by a tag. */
static int wanted_revision(struct snapshot *snapshot, json_t *parameters, uint64_t *rev)
{
    bool has_rev = false, has_tag = false;
    int error = parameter_number(parameters, "rev", rev, &has_rev);
    if (error == 0)
        error = revision_parameter(snapshot, parameters, "tag", rev, &has_tag);
    if (error == 0 && has_rev == has_tag)
        error = error_set(ERR_INVALID, "a revision is wanted: a number, as 'emsa log' shows them, "
                                       "or a tag");
    return error;
}

/* Whether the caller may audit any of what a commit did. 1: it may. */
static int may_audit_some(struct request *request, struct snapshot *snapshot, uint64_t rev)
{
    struct operation_info operation;
    int found;
    for (uint32_t op = 0; (found = history_operation(snapshot, &operation, rev, op)) == 0; op++)
        if (rights_hold(request->service, &request->call->caller, RIGHT_AUDIT, &operation.path))
            return 1;
    return found < 0 ? found : 0;
}

/* Why and by whom is told to who may audit something that the commit did, though it may stand in
 * another piece than what was asked for. */
static int admit_commit(struct request *request, struct snapshot *snapshot,
                        const struct commit_info *commit, const json_t *operations)
{
    if (json_array_size(operations) > 0 ||
        rights_hold(request->service, &request->call->caller, RIGHT_AUDIT, &(struct path){0}))
        return 0;
    int may = may_audit_some(request, snapshot, commit->rev);
    if (may != 0)
        return may < 0 ? may : 0;
    return rights_judge(request->service, &request->call->caller, RIGHT_AUDIT, "Show",
                        &(struct path){0}) < 0
               ? error_set(ERR_DENIED, "revision %llu did nothing that you may audit",
                           (unsigned long long)commit->rev)
               : 0;
}

int verb_show(struct request *request)
{
    json_t *parameters = request->call->parameters;
    struct snapshot *snapshot;
    struct commit_info commit;
    struct piece piece = {.limit = SHOW_LIMIT};
    uint64_t rev = 0;
    bool more = false;
    int error = parameter_number(parameters, "from", &piece.from, NULL);
    if (error == 0)
        error = parameter_number(parameters, "limit", &piece.limit, NULL);
    if (piece.limit == 0 || piece.limit > SHOW_LIMIT)
        piece.limit = SHOW_LIMIT;
    if (error == 0 && piece.from > UINT32_MAX)
        error = error_set(ERR_INVALID, "no commit has so many operations (from)");
    if (error == 0)
        error = request_snapshot(request, &snapshot);
    if (error == 0)
        error = wanted_revision(snapshot, parameters, &rev);
    if (error == 0)
        error = history_commit(snapshot, &commit, rev);
    if (error == NOT_THERE)
        error = error_set(ERR_NOT_FOUND, "no revision %llu: the newest is %llu",
                          (unsigned long long)rev, (unsigned long long)snapshot_revision(snapshot));
    if (error < 0)
        return error;
    json_t *operations = json_array();
    error = gather_operations(request, snapshot, rev, &piece, operations, &more);
    if (error == 0)
        error = admit_commit(request, snapshot, &commit, operations);
    if (error < 0) {
        json_decref(operations);
        return error;
    }
    json_t *object = commit_object(&commit);
    request->call->reply =
        json_pack("{s:o, s:o, s:b}", "commit", object, "operations", operations, "more", (int)more);
    return add_tags(snapshot, object, rev);
}
