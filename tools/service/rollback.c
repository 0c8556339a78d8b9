/*
 * A key, a service or an environment as it was: a new commit that sets again what was defined there
 * as of a revision, and removes what was not. What stands beneath (a base, `all`) is not touched,
 * and what shows otherwise because of that is told. Secrets stay as they are unless they are asked
 * for: bringing back a password that the database no longer knows is the second outage of the
 * night.
 *
 * What did not change since is passed by: a definition is the one that it was where the same
 * operation set it, so that nothing is read to find that out.
 */
#include <string.h>
#include <time.h>

#include "store/error.h"
#include "store/history.h"
#include "store/relations.h"
#include "tools/service/compare.h"
#include "tools/service/find.h"
#include "tools/service/parameter.h"
#include "tools/service/revision.h"
#include "tools/service/verb.h"
#include "tools/service/write.h"

/* A change that others overtake is made anew from what is there then. */
#define TRIES_MAX 8

struct side { /* an environment, then or now */
    uint32_t environment;
    uint32_t beneath[LAYERS_MAX]; /* without itself */
    int count;
    uint64_t rev;
};

struct rollback {
    struct request *request;
    struct snapshot *snapshot;
    struct change *change;
    struct path path;
    bool with_secrets;
    int64_t clock;
    struct side then, now;
    struct path at; /* what is looked at */
    uint32_t service;
    json_t *left, *beneath;
    json_int_t same;
    /* Of the service in hand: whether it was there then, and how many definitions stay that were
     * not. */
    bool was;
    size_t kept;
};

struct past { /* a definition of one side */
    bool is_there;
    struct definition is;
    int64_t expires;
};

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for a rollback");
}

static int note(json_t *list, json_t *object)
{
    return object != NULL && json_array_append_new(list, object) == 0 ? 0 : no_memory();
}

static int stay(struct rollback *back, const char *why, int64_t ended)
{
    char text[PATH_TEXT_MAX];
    json_t *object = json_pack("{s:s, s:s}", "path", path_text(&back->at, text), "why", why);
    if (object != NULL && ended != 0)
        json_object_set_new(object, "ended", json_integer((json_int_t)ended));
    return note(back->left, object);
}

/* --- what shows from beneath --- */

static int find_beneath(struct rollback *back, struct past *out, const struct side *side,
                        uint64_t name_id)
{
    out->is_there = false;
    for (int i = 0; i < side->count; i++) {
        int found = history_definition(back->snapshot, &out->is, &out->expires, side->beneath[i],
                                       name_id, side->rev);
        if (found < 0)
            return found;
        if (found == 0) {
            out->is_there = true;
            return 0;
        }
    }
    return 0;
}

static int tell_beneath(struct rollback *back, const struct past *now)
{
    char text[PATH_TEXT_MAX], in[PATH_TEXT_MAX] = "";
    struct path path = back->at;
    int error = 0;
    if (now->is_there) {
        memset(path.environment, 0, sizeof path.environment);
        error = snapshot_environment_name(back->snapshot, path.environment, now->is.environment);
        path_text(&path, in);
    }
    if (error != 0)
        return error < 0 ? error : 0;
    json_t *object = json_pack("{s:s}", "path", path_text(&back->at, text));
    if (object != NULL && now->is_there) {
        json_object_set_new(object, "in", json_string(in));
        json_object_set_new(object, "rev", json_integer((json_int_t)now->is.rev));
    }
    return note(back->beneath, object);
}

/* Set by one and the same operation: nothing needs to be opened to know that. */
static bool is_one(const struct past *then, const struct past *now)
{
    return then->is_there && now->is_there && then->is.rev == now->is.rev &&
           then->is.op == now->is.op;
}

/* Whether both set the same; where that is something of two secrets, it is audited. */
static int compare_sides(struct rollback *back, enum likeness *out, const struct past *then,
                         const struct past *now)
{
    int error = compare_definitions(back->snapshot, out, &then->is, &now->is);
    if (error < 0 || *out == LIKENESS_UNKNOWN || is_one(then, now) ||
        then->is.kind != ENTRY_SECRET || now->is.kind != ENTRY_SECRET)
        return error;
    error = audit_given_at(back->request, &back->at, then->is.rev, 0);
    return error < 0 ? error : audit_given_at(back->request, &back->at, now->is.rev, 0);
}

/* Where nothing is defined here, then and after this. */
static int look_beneath(struct rollback *back, uint64_t name_id)
{
    struct past then, now;
    enum likeness likeness = LIKENESS_OTHER;
    int error = back->was ? find_beneath(back, &then, &back->then, name_id) : NOT_THERE;
    if (error > 0)
        return 0;
    if (error == 0)
        error = find_beneath(back, &now, &back->now, name_id);
    if (error < 0 || (!then.is_there && !now.is_there))
        return error;
    if (then.is_there && now.is_there)
        error = compare_sides(back, &likeness, &then, &now);
    return error < 0 || likeness == LIKENESS_SAME ? error : tell_beneath(back, &now);
}

/* --- one key --- */

static int find_past(struct rollback *back, struct past *out, const struct side *side,
                     uint64_t name_id)
{
    int found = history_definition(back->snapshot, &out->is, &out->expires, side->environment,
                                   name_id, side->rev);
    out->is_there = found == 0;
    return found < 0 ? found : 0;
}

static bool is_secret(const struct past *past)
{
    return past->is_there && past->is.kind == ENTRY_SECRET;
}

static int is_as_it_was(struct rollback *back, const struct past *then, const struct past *now)
{
    enum likeness likeness;
    if (!then->is_there || !now->is_there || then->expires != now->expires)
        return 0;
    int error = compare_sides(back, &likeness, then, now);
    return error < 0 ? error : likeness == LIKENESS_SAME;
}

static int set_again(struct rollback *back, const struct past *then, const struct past *now)
{
    int error = 0;
    if (is_secret(now) && !is_secret(then)) /* no secret becomes plain */
        error = change_remove(back->change, &back->at);
    return error < 0 ? error : change_copy_at(back->change, &back->at, &back->at, back->then.rev);
}

static int roll_key(struct rollback *back, uint64_t name_id)
{
    struct past then, now;
    int error = find_past(back, &then, &back->then, name_id);
    if (error == 0)
        error = find_past(back, &now, &back->now, name_id);
    if (error < 0)
        return error;
    if (!then.is_there && !now.is_there)
        return look_beneath(back, name_id);
    const bool is_hidden = !back->with_secrets && (is_secret(&then) || is_secret(&now));
    const int same = is_hidden ? is_one(&then, &now) : is_as_it_was(back, &then, &now);
    if (same != 0) {
        back->same++;
        return same < 0 ? same : 0;
    }
    const bool has_ended = then.is_there && then.expires != 0 && then.expires <= back->clock;
    if (is_hidden || has_ended) {
        back->kept += now.is_there;
        return stay(back, is_hidden ? "secret" : "ended", is_hidden ? 0 : then.expires);
    }
    if (then.is_there)
        return set_again(back, &then, &now);
    error = change_remove(back->change, &back->at);
    return error < 0 ? error : look_beneath(back, name_id);
}

/* --- one service --- */

static int roll_keys(struct rollback *back)
{
    uint64_t name_id;
    int found;
    back->at.key[0] = '\0';
    while ((found = history_next_name(back->snapshot, &name_id, back->at.key, back->service)) ==
           0) {
        int error = roll_key(back, name_id);
        if (error < 0)
            return error;
    }
    back->at.key[0] = '\0';
    return found < 0 ? found : 0;
}

/* The service that back->at names. */
static int roll_service(struct rollback *back, bool was, const struct service *now)
{
    const bool is_one = back->then.environment == back->now.environment;
    if (was && now != NULL && is_one && now->changed_rev <= back->then.rev)
        return 0;
    int error = was && now == NULL ? change_service_add(back->change, &back->at) : 0;
    back->was = was;
    back->kept = 0;
    if (error == 0)
        error = roll_keys(back);
    if (error == 0 && !was && now != NULL && back->kept == 0)
        error = change_service_remove(back->change, &back->at);
    return error;
}

static int was_not_there(const struct rollback *back, const struct path *path)
{
    char text[PATH_TEXT_MAX];
    path_text(path, text);
    const bool is_service = path_depth(path) == PATH_SERVICE;
    return error_set(
        ERR_REFUSED, "'%s' did not exist as of revision %llu: 'emsa %s rm %s --all' removes it",
        text, (unsigned long long)back->then.rev, is_service ? "service" : "env", text);
}

static int no_service(struct rollback *back)
{
    struct environment environment;
    struct service service;
    return find_service(back->snapshot, &environment, &service, &back->path);
}

static int roll_one(struct rollback *back)
{
    struct service now;
    struct path path = back->path;
    uint64_t name_id;
    path.key[0] = '\0';
    back->at = path;
    uint32_t id;
    int found =
        history_service(back->snapshot, &id, back->then.environment, path.service, back->then.rev);
    const bool was = found == 0;
    if (found >= 0)
        found = snapshot_service(back->snapshot, &now, back->now.environment, path.service);
    const bool is = found == 0;
    if (found < 0)
        return found;
    if (!was && is)
        return was_not_there(back, &path);
    if (!was)
        return no_service(back);
    if (back->path.key[0] == '\0')
        return roll_service(back, was, is ? &now : NULL);
    back->at = back->path;
    back->was = true;
    found = history_name(back->snapshot, &name_id, path.service, back->path.key);
    if (found == NOT_THERE) {
        struct environment environment;
        struct entry entry;
        return find_entry(back->snapshot, &environment, &now, &entry, &back->path);
    }
    return found < 0 ? found : roll_key(back, name_id);
}

/* --- an environment --- */

/* The services that were there and those that are, in the order of their names. */
static int roll_services(struct rollback *back)
{
    struct service now = {.name = ""};
    char then[SERVICE_NAME_MAX + 1] = "";
    uint32_t id = 0;
    int was = 0, is = 0;
    bool step_then = true, step_now = true;
    for (;;) {
        if (step_then)
            was = history_next_service(back->snapshot, &id, then, back->then.environment,
                                       back->then.rev);
        if (step_now) {
            char after[SERVICE_NAME_MAX + 1];
            memcpy(after, now.name, sizeof after);
            is = snapshot_next_service(back->snapshot, &now, back->now.environment, after);
        }
        if (was < 0 || is < 0)
            return was < 0 ? was : is;
        if (was != 0 && is != 0)
            return 0;
        const int order = was != 0 ? 1 : is != 0 ? -1 : strcmp(then, now.name);
        step_then = order <= 0;
        step_now = order >= 0;
        const char *name = step_then ? then : now.name;
        memcpy(back->at.service, name, strlen(name) + 1);
        back->service = step_then ? id : now.id;
        int error = roll_service(back, step_then, step_now ? &now : NULL);
        if (error < 0)
            return error;
    }
}

static int fill_side(struct rollback *back, struct side *side, uint64_t rev)
{
    uint32_t layers[LAYERS_MAX];
    const int count = relation_layers(back->snapshot, layers, side->environment);
    side->count = 0;
    for (int i = 1; i < count; i++)
        side->beneath[side->count++] = layers[i];
    side->rev = rev;
    return count < 0 ? count : 0;
}

static int find_sides(struct rollback *back, uint64_t rev)
{
    struct environment now;
    const char *name = back->path.environment;
    back->then.rev = rev;
    int was = history_environment(back->snapshot, &back->then.environment, name, rev);
    if (was < 0)
        return was;
    int is = snapshot_environment(back->snapshot, &now, name);
    if (is < 0)
        return is;
    struct path path;
    int error = path_make(&path, name, NULL, NULL);
    if (error == 0 && is != 0 && was == 0)
        return error_set(ERR_REFUSED,
                         "'%s' is not there any more: make it ('emsa env add %s') and roll it back "
                         "then",
                         name, name);
    if (error == 0 && is != 0)
        error = find_environment(back->snapshot, &now, &path);
    if (error == 0 && was != 0)
        error = was_not_there(back, &path);
    if (error < 0)
        return error;
    back->now.environment = now.id;
    error = fill_side(back, &back->then, rev);
    return error < 0 ? error : fill_side(back, &back->now, snapshot_revision(back->snapshot));
}

static int roll(struct rollback *back, uint64_t rev)
{
    int error = find_sides(back, rev);
    if (error < 0)
        return error;
    if (path_depth(&back->path) >= PATH_SERVICE) {
        const int found = history_service_id(back->snapshot, &back->service, back->path.service);
        return found < 0 ? found : found == 0 ? roll_one(back) : no_service(back);
    }
    memcpy(back->at.environment, back->path.environment, sizeof back->at.environment);
    return roll_services(back);
}

/* --- the verb --- */

static int64_t clock_now(void)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    return now.tv_sec * INT64_C(1000000000) + now.tv_nsec;
}

static void extend(json_t *reply, struct rollback *back)
{
    const json_int_t same = json_integer_value(json_object_get(reply, "same"));
    json_object_set_new(reply, "same", json_integer(same + back->same));
    json_object_set_new(reply, "to", json_integer((json_int_t)back->then.rev));
    json_object_set(reply, "left", back->left);
    json_object_set(reply, "beneath", back->beneath);
}

static int attempt(struct request *request, struct rollback *back)
{
    struct change *change CHANGE_CLEANUP = NULL;
    uint64_t rev = 0;
    bool given;
    int error = request_snapshot(request, &back->snapshot);
    if (error == 0)
        error = revision_parameter(back->snapshot, request->call->parameters, "to", &rev, &given);
    if (error == 0 && !given)
        error = error_set(ERR_INVALID, "a revision to roll back to is missing (to)");
    if (error == 0)
        error = write_begin(request, &change);
    back->change = change;
    back->left = json_array();
    back->beneath = json_array();
    back->same = 0;
    if (error == 0)
        error = roll(back, rev);
    const uint64_t seen = error == 0 ? snapshot_revision(back->snapshot) : 0;
    if (error == 0)
        error = write_commit_of(request, change, seen, &back->path);
    if (error == 0)
        extend(request->call->reply, back);
    json_decref(back->left);
    json_decref(back->beneath);
    return error;
}

int verb_rollback(struct request *request)
{
    struct rollback back = {.request = request, .clock = clock_now()};
    json_t *parameters = request->call->parameters;
    int error = parameter_path(parameters, "path", &back.path);
    if (error == 0)
        error = parameter_bool(parameters, "with_secrets", &back.with_secrets);
    if (error == 0 && path_depth(&back.path) == PATH_ROOT)
        error = error_set(ERR_INVALID, "what is rolled back is a key, a service or an environment");
    if (error == 0)
        error = write_repeated(request);
    if (error != 0)
        return error < 0 ? error : 0;
    const bool is_given = json_object_get(parameters, "if_rev") != NULL;
    for (int i = 0; i < TRIES_MAX; i++) {
        error = attempt(request, &back);
        if (error != -ERR_CONFLICT || is_given)
            break;
    }
    return error;
}
