/* What revisions are called. */
#include "store/error.h"
#include "store/history.h"
#include "tools/service/item.h"
#include "tools/service/parameter.h"
#include "tools/service/revision.h"
#include "tools/service/verb.h"
#include "tools/service/write.h"

static int read_name(json_t *parameters, const char **name)
{
    *name = NULL;
    int error = parameter_text(parameters, "name", name);
    return error < 0 || *name != NULL ? error : error_set(ERR_INVALID, "a tag is missing (name)");
}

int verb_tag(struct request *request)
{
    struct change *change CHANGE_CLEANUP = NULL;
    json_t *parameters = request->call->parameters;
    struct snapshot *snapshot;
    const char *name;
    uint64_t rev = 0;
    int error = read_name(parameters, &name);
    /* Without a revision it is the newest one, which a commit of this very request may be. */
    if (error == 0)
        error = write_repeated(request);
    if (error != 0)
        return error < 0 ? error : 0;
    error = request_snapshot(request, &snapshot);
    if (error == 0) {
        rev = snapshot_revision(snapshot);
        error = revision_parameter(snapshot, parameters, "rev", &rev, NULL);
    }
    if (error == 0)
        error = write_begin(request, &change);
    if (error == 0)
        error = change_tag(change, name, rev);
    if (error == 0)
        error = write_commit(request, change);
    if (error == 0)
        json_object_set_new(request->call->reply, "tagged", json_integer((json_int_t)rev));
    return error;
}

int verb_untag(struct request *request)
{
    struct change *change CHANGE_CLEANUP = NULL;
    const char *name;
    int error = read_name(request->call->parameters, &name);
    if (error == 0)
        error = write_begin(request, &change);
    if (error == 0)
        error = change_untag(change, name);
    return error < 0 ? error : write_commit(request, change);
}

static int tag_object(struct snapshot *snapshot, const struct tag *tag, json_t **out)
{
    *out = json_pack("{s:s, s:I, s:I}", "name", tag->name, "rev", (json_int_t)tag->rev, "said_rev",
                     (json_int_t)tag->said_rev);
    if (*out == NULL)
        return error_set(ERR_NOMEM, "no memory for a list");
    int error = item_add_commit(snapshot, *out, tag->said_rev, true);
    if (error < 0)
        json_decref(*out);
    return error;
}

int verb_tags(struct request *request)
{
    struct snapshot *snapshot;
    struct tag tag = {.name = ""};
    int error = request_snapshot(request, &snapshot);
    if (error < 0)
        return error;
    json_t *tags = json_array();
    while ((error = history_next_tag(snapshot, &tag)) == 0) {
        json_t *object;
        error = tag_object(snapshot, &tag, &object);
        if (error < 0)
            break;
        json_array_append_new(tags, object);
    }
    if (error < 0) {
        json_decref(tags);
        return error;
    }
    request->call->reply = json_pack("{s:o}", "tags", tags);
    return 0;
}
