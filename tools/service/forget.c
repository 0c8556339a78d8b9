/*
 * Values that are destroyed in history. The change is a commit as any; what it destroyed is in the
 * store's file until that is scrubbed, which is done before the call is answered, also of one that
 * was committed by an earlier try. Which other sets have the same bytes is told and not acted on:
 * each is a version of another key.
 */
#include "store/error.h"
#include "store/history.h"
#include "store/store.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"
#include "tools/service/write.h"

#define COPIES_MAX 10000u

struct version { /* what is to be destroyed, as it was found; set 0: it was not */
    struct request *request;
    struct snapshot *snapshot;
    uint64_t set, until; /* until 0: it is set still */
    uint64_t by;         /* destroyed already; 0: it was not */
    json_t *copies;      /* in places that the caller may list */
    json_int_t hidden;   /* in others */
};

static int read_revision(json_t *parameters, uint64_t *rev)
{
    bool given = false;
    int error = parameter_number(parameters, "rev", rev, &given);
    return error < 0 || given ? error : error_set(ERR_INVALID, "a revision is missing (rev)");
}

static int take_copy(void *arg, const struct operation_info *copy)
{
    struct version *version = arg;
    const struct request *request = version->request;
    char text[PATH_TEXT_MAX];
    uint64_t by;
    uint32_t op;
    int purged = history_purged(version->snapshot, &by, &op, copy->rev, copy->op);
    if (purged <= 0)
        return purged;
    if (!rights_hold(request->service, &request->call->caller, RIGHT_LIST, &copy->path) ||
        json_array_size(version->copies) == COPIES_MAX) {
        version->hidden++;
        return 0;
    }
    json_t *object =
        json_pack("{s:s, s:I}", "path", path_text(&copy->path, text), "rev", (json_int_t)copy->rev);
    return json_array_append_new(version->copies, object) < 0
               ? error_set(ERR_NOMEM, "no memory for a list of copies")
               : 0;
}

/* Of an environment of that name, also one that is gone. NOT_THERE: the commit says why. */
static int find_version(struct version *version, const struct path *path, uint64_t rev)
{
    struct definition definition;
    uint32_t environment, op;
    uint64_t name_id = 0;
    int64_t expires;
    struct snapshot *snapshot = version->snapshot;
    int found = history_environment(snapshot, &environment, path->environment, rev);
    if (found == 0)
        found = history_name(snapshot, &name_id, path->service, path->key);
    if (found == 0)
        found = history_definition(snapshot, &definition, &expires, environment, name_id, rev);
    if (found == NOT_THERE && name_id != 0) /* a default of its own schema */
        found = history_definition(snapshot, &definition, &expires, environment | LAYER_OF_DEFAULTS,
                                   name_id, rev);
    if (found != 0)
        return found < 0 ? found : 0;
    version->set = definition.rev;
    found = history_replaced(snapshot, &version->until, &definition);
    if (found >= 0)
        found = history_purged(snapshot, &version->by, &op, definition.rev, definition.op);
    if (found >= 0)
        found = history_copies(snapshot, &definition, take_copy, version);
    return found < 0 ? found : 0;
}

/* What the commit destroyed is in no page any more, or it is said that it is. */
static int scrub(struct request *request)
{
    json_t *reply = request->call->reply;
    uint64_t left = 0;
    if (json_is_true(json_object_get(reply, "dry_run")))
        return 0;
    int error = store_scrub(request->service->store, &left);
    json_object_set_new(reply, "scrubbed", json_boolean(error == 0 && left == 0));
    if (error < 0)
        json_object_set_new(reply, "unscrubbed", json_string(error_text()));
    else if (left > 0)
        json_object_set_new(reply, "unscrubbed",
                            json_string("somebody reads what was there before"));
    return 0;
}

static void extend(json_t *reply, const struct version *version)
{
    if (version->set > 0)
        json_object_set_new(reply, "set", json_integer((json_int_t)version->set));
    if (version->until > 0)
        json_object_set_new(reply, "until", json_integer((json_int_t)version->until));
    if (version->by > 0)
        json_object_set_new(reply, "by", json_integer((json_int_t)version->by));
    json_object_set(reply, "copies", version->copies);
    json_object_set_new(reply, "hidden", json_integer(version->hidden));
}

int verb_purge(struct request *request)
{
    struct change *change CHANGE_CLEANUP = NULL;
    struct version version = {.request = request, .copies = json_array()};
    json_t *parameters = request->call->parameters;
    struct path path;
    uint64_t rev = 0;
    int error = parameter_path(parameters, "path", &path);
    if (error == 0)
        error = read_revision(parameters, &rev);
    if (error == 0)
        error = request_snapshot(request, &version.snapshot);
    if (error == 0 && path_depth(&path) == PATH_KEY)
        error = find_version(&version, &path, rev);
    if (error == 0)
        error = write_begin(request, &change);
    if (error == 0)
        error = change_purge(change, &path, rev);
    if (error == 0)
        error = write_commit(request, change);
    if (error == 0)
        extend(request->call->reply, &version);
    json_decref(version.copies);
    return error < 0 ? error : scrub(request);
}

int verb_compact(struct request *request)
{
    struct change *change CHANGE_CLEANUP = NULL;
    json_t *parameters = request->call->parameters;
    struct path path = {0};
    uint64_t rev = 0;
    int error = parameter_path(parameters, "path", &path);
    if (error == 0)
        error = read_revision(parameters, &rev);
    if (error == 0)
        error = write_begin(request, &change);
    if (error == 0)
        error = change_compact(change, &path, rev);
    if (error == 0)
        error = write_commit(request, change);
    return error < 0 ? error : scrub(request);
}
