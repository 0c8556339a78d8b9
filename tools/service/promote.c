/*
 * What one environment defines, defined in another one too: of a service, of some of its keys, or
 * of all services that both have. What is promoted is what is set in the source itself or in its
 * base; what stands in `all` is the same everywhere. Never what the schema says belongs to one
 * environment, nor what ends by itself; a secret only if it is named. What the target has and the
 * source has not stays, and is told.
 */
#include <string.h>

#include "store/error.h"
#include "store/schema.h"
#include "tools/service/compare.h"
#include "tools/service/find.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"
#include "tools/service/write.h"

#define TRIES_MAX 8 /* a change that others overtake is made anew */

struct promotion {
    struct request *request;
    struct snapshot *snapshot;
    struct change *change;
    struct path from, to;
    struct environment source, target;
    json_t *keys; /* borrowed: those that are named, or NULL */
    json_t *left; /* what is not promoted, and why */
    json_int_t same;
    struct path from_at, to_at; /* the key in hand */
    struct schema schema;       /* the source's, where has_schema */
    bool has_schema;
};

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for a promotion");
}

static int leave(struct promotion *promotion, const struct path *path, const char *why)
{
    char text[PATH_TEXT_MAX];
    json_t *object = json_pack("{s:s, s:s}", "path", path_text(path, text), "why", why);
    return object != NULL && json_array_append_new(promotion->left, object) == 0 ? 0 : no_memory();
}

/* --- one key --- */

static bool is_named(const struct promotion *promotion, const char *key)
{
    size_t index;
    json_t *name;
    if (promotion->keys == NULL)
        return true;
    json_array_foreach(promotion->keys, index,
                       name) if (strcmp(json_string_value(name), key) == 0) return true;
    return false;
}

/* Whether the target's reader gets what the source's definition says: its own definition, or what
 * shows there from beneath, is of the same kind and bytes. target NULL: nothing shows. */
static int is_there_already(struct promotion *promotion, const struct entry *entry,
                            const struct entry *target)
{
    enum likeness likeness;
    if (target == NULL)
        return 0;
    int error = compare_defined(promotion->snapshot, &likeness, entry, target);
    const bool is_told = error == 0 && likeness != LIKENESS_UNKNOWN &&
                         entry->kind == ENTRY_SECRET && target->kind == ENTRY_SECRET &&
                         !compare_is_one(entry, target);
    if (is_told)
        error = audit_given(promotion->request, entry);
    if (is_told && error == 0)
        error = audit_given(promotion->request, target);
    return error < 0 ? error : likeness == LIKENESS_SAME;
}

/* Whether the schema lets a key be in the target at all. */
static bool may_be_there(const struct promotion *promotion, const char *key)
{
    char base[ENVIRONMENT_NAME_MAX + 1] = "";
    char text[TYPE_TEXT_MAX];
    enum verdict verdict = VERDICT_VALID;
    struct schema_subject subject = {
        .environment = promotion->target.name, .key = key, .is_there = true};
    if (promotion->target.base != 0 &&
        snapshot_environment_name(promotion->snapshot, base, promotion->target.base) == 0)
        subject.base = base;
    return schema_judge(&promotion->schema, &verdict, text, &subject) != 0 ||
           verdict != VERDICT_ELSEWHERE;
}

/* Why a definition of the source is not promoted; NULL: it is. */
static const char *objection(const struct promotion *promotion, const struct entry *entry)
{
    const struct schema_key *declared =
        promotion->has_schema ? schema_find(&promotion->schema, entry->key) : NULL;
    if (declared != NULL && declared->is_fixed)
        return "fixed";
    if (declared != NULL && !may_be_there(promotion, entry->key))
        return "elsewhere";
    if (entry->expires != 0)
        return "ends";
    if (entry->defined.kind == ENTRY_SECRET && promotion->keys == NULL)
        return "secret";
    return NULL;
}

static bool is_of_source(const struct promotion *promotion, const struct entry *entry)
{
    const uint32_t layer = entry->defined.environment;
    return layer == promotion->source.id ||
           (promotion->source.base != 0 && layer == promotion->source.base);
}

static int promote_key(struct promotion *promotion, const struct entry *entry,
                       const struct entry *target)
{
    const int same = is_there_already(promotion, entry, target);
    promotion->same += same > 0;
    if (same != 0)
        return same < 0 ? same : 0;
    const char *why = objection(promotion, entry);
    if (why != NULL)
        return leave(promotion, &promotion->from_at, why);
    struct path definition = promotion->from_at;
    memset(definition.environment, 0, sizeof definition.environment);
    int error = snapshot_environment_name(promotion->snapshot, definition.environment,
                                          entry->defined.environment);
    return error != 0 ? error : change_copy(promotion->change, &promotion->to_at, &definition);
}

/* What shows of the key in hand in the source and in the target; NULL: nothing. What is defined in
 * the target and not in the source is told, where not some keys are named. */
static int look_at(struct promotion *promotion, const struct entry *source,
                   const struct entry *target)
{
    const bool is_told = promotion->keys == NULL && target != NULL &&
                         target->defined.environment == promotion->target.id;
    if (source != NULL && is_of_source(promotion, source))
        return is_named(promotion, source->key) ? promote_key(promotion, source, target) : 0;
    return is_told
               ? leave(promotion, &promotion->to_at, source != NULL ? "inherited" : "only-there")
               : 0;
}

/* --- one service --- */

static void take_key(struct promotion *promotion, const char *key)
{
    memcpy(promotion->from_at.key, key, strlen(key) + 1);
    memcpy(promotion->to_at.key, key, strlen(key) + 1);
}

struct side {
    const struct service *service; /* NULL: it has no keys */
    struct entry entry;            /* in hand; its key alone counts where there is none */
    bool has_entry;
};

static int next_entry(struct promotion *promotion, struct side *side)
{
    char after[KEY_NAME_MAX + 1];
    int found = NOT_THERE;
    memcpy(after, side->entry.key, sizeof after);
    if (side->service != NULL)
        found = snapshot_next_entry(promotion->snapshot, &side->entry, side->service->environment,
                                    side->service->id, after);
    side->has_entry = found == 0;
    return found < 0 ? found : 0;
}

/* Side by side, in the order of their names. */
static int promote_keys(struct promotion *promotion, const struct service *source,
                        const struct service *target)
{
    struct side from = {.service = source}, to = {.service = target};
    int error = next_entry(promotion, &from);
    if (error == 0)
        error = next_entry(promotion, &to);
    while (error == 0 && (from.has_entry || to.has_entry)) {
        const int order = !from.has_entry ? 1
                          : !to.has_entry ? -1
                                          : strcmp(from.entry.key, to.entry.key);
        take_key(promotion, order <= 0 ? from.entry.key : to.entry.key);
        error = look_at(promotion, order <= 0 ? &from.entry : NULL, order >= 0 ? &to.entry : NULL);
        if (error == 0 && order <= 0)
            error = next_entry(promotion, &from);
        if (error == 0 && order >= 0)
            error = next_entry(promotion, &to);
    }
    return error;
}

/* All that are named and not there, at once. */
static int check_names(struct promotion *promotion, const struct service *source)
{
    size_t index;
    json_t *name;
    char text[PATH_TEXT_MAX];
    int error = 0;
    json_array_foreach(promotion->keys, index, name)
    {
        struct entry entry;
        struct path path = promotion->from_at;
        int found = path_make(&path, path.environment, path.service, json_string_value(name));
        if (found == 0)
            found = snapshot_entry(promotion->snapshot, &entry, source->environment, source->id,
                                   path.key);
        if (found < 0)
            return found;
        if (found == 0 && is_of_source(promotion, &entry))
            continue;
        path_text(&path, text);
        const char *before = found != 0 ? "no key " : "";
        const char *behind = found != 0 ? ": 'emsa ls' lists what is there"
                                        : " is not defined there, but where it is the same for "
                                          "all (emsa explain)";
        error = error == 0 ? error_set(ERR_NOT_FOUND, "%s'%s'%s", before, text, behind)
                           : error_add(ERR_NOT_FOUND, "%s'%s'%s", before, text, behind);
    }
    return error;
}

static int read_schema(struct promotion *promotion, const struct service *source)
{
    struct schema_place place;
    schema_release(&promotion->schema);
    int found = snapshot_schema(promotion->snapshot, &promotion->schema, &place,
                                source->environment, source->id);
    promotion->has_schema = found == 0;
    return found < 0 ? found : 0;
}

/* target NULL: it is made. */
static int promote_service(struct promotion *promotion, const struct service *source,
                           const struct service *target)
{
    promotion->from_at = (struct path){{0}, {0}, {0}};
    promotion->to_at = (struct path){{0}, {0}, {0}};
    int error = path_make(&promotion->from_at, promotion->source.name, source->name, NULL);
    if (error == 0)
        error = path_make(&promotion->to_at, promotion->target.name,
                          target != NULL ? target->name : promotion->to.service, NULL);
    if (error == 0)
        error = read_schema(promotion, source);
    if (error == 0)
        error = check_names(promotion, source);
    return error != 0 ? error : promote_keys(promotion, source, target);
}

static int promote_one(struct promotion *promotion)
{
    struct environment environment;
    struct service source, target;
    int error = find_service(promotion->snapshot, &environment, &source, &promotion->from);
    if (error < 0)
        return error;
    int found =
        snapshot_service(promotion->snapshot, &target, promotion->target.id, promotion->to.service);
    return found < 0 ? found : promote_service(promotion, &source, found == 0 ? &target : NULL);
}

/* Services that the target has not are not placed there: that is for who knows why. */
static int promote_all(struct promotion *promotion)
{
    struct service source = {.name = ""}, target;
    char after[SERVICE_NAME_MAX + 1] = "";
    int found;
    while ((found = snapshot_next_service(promotion->snapshot, &source, promotion->source.id,
                                          after)) == 0) {
        memcpy(after, source.name, sizeof after);
        int error =
            snapshot_service(promotion->snapshot, &target, promotion->target.id, source.name);
        struct path path;
        if (error == 0)
            error = promote_service(promotion, &source, &target);
        else if (error > 0 &&
                 !(error = path_make(&path, promotion->target.name, source.name, NULL)))
            error = leave(promotion, &path, "not-placed");
        if (error < 0)
            return error;
    }
    return found < 0 ? found : 0;
}

/* --- the verb --- */

static int check_places(struct promotion *promotion)
{
    const struct environment *source = &promotion->source, *target = &promotion->target;
    int error = find_environment(promotion->snapshot, &promotion->source, &promotion->from);
    if (error == 0)
        error = find_environment(promotion->snapshot, &promotion->target, &promotion->to);
    if (error < 0)
        return error;
    if (source->id == target->id)
        return error_set(
            ERR_INVALID,
            "'%s' is one environment: promoting is from one to another (emsa cp copies "
            "within one)",
            source->name);
    if (source->is_protected && !target->is_protected)
        return error_set(ERR_REFUSED,
                         "'%s' is protected and '%s' is not: nothing is promoted down from it",
                         source->name, target->name);
    return 0;
}

static int check_depths(const struct promotion *promotion)
{
    char from[PATH_TEXT_MAX], to[PATH_TEXT_MAX];
    const enum path_depth depth = path_depth(&promotion->from);
    path_text(&promotion->from, from);
    path_text(&promotion->to, to);
    if (depth != path_depth(&promotion->to) || (depth != PATH_SERVICE && depth != PATH_ENVIRONMENT))
        return error_set(ERR_INVALID, "'%s' and '%s': name two services, or two environments", from,
                         to);
    if (depth == PATH_ENVIRONMENT && promotion->keys != NULL)
        return error_set(ERR_INVALID, "keys are named of a service: write '%s/SERVICE'", from);
    return 0;
}

static int read_parameters(struct request *request, struct promotion *promotion)
{
    json_t *parameters = request->call->parameters;
    size_t index;
    json_t *name;
    int error = parameter_path(parameters, "from", &promotion->from);
    if (error == 0)
        error = parameter_path(parameters, "to", &promotion->to);
    if (error == 0 && json_object_get(parameters, "keys") != NULL)
        error = parameter_list(parameters, "keys", &promotion->keys);
    if (error == 0)
        error = check_depths(promotion);
    json_array_foreach(promotion->keys, index, name) if (error == 0) error =
        json_is_string(name)
            ? name_check(NAME_KEY, json_string_value(name), json_string_length(name))
            : error_set(ERR_INVALID, "'keys' is a list of names");
    return error < 0 ? error
                     : rights_judge(request->service, &request->call->caller, RIGHT_READ, "Promote",
                                    &promotion->from);
}

static void extend(json_t *reply, struct promotion *promotion)
{
    const json_int_t same = json_integer_value(json_object_get(reply, "same"));
    json_object_set_new(reply, "same", json_integer(same + promotion->same));
    json_object_set(reply, "left", promotion->left);
}

static int attempt(struct request *request, struct promotion *promotion)
{
    struct change *change CHANGE_CLEANUP = NULL;
    promotion->left = json_array();
    promotion->same = 0;
    int error = request_snapshot(request, &promotion->snapshot);
    if (error == 0)
        error = check_places(promotion);
    if (error == 0)
        error = write_begin(request, &change);
    promotion->change = change;
    if (error == 0)
        error = path_depth(&promotion->from) == PATH_SERVICE ? promote_one(promotion)
                                                             : promote_all(promotion);
    const uint64_t seen = error == 0 ? snapshot_revision(promotion->snapshot) : 0;
    if (error == 0)
        error = write_commit_of(request, change, seen, &promotion->to);
    if (error == 0)
        extend(request->call->reply, promotion);
    json_decref(promotion->left);
    schema_release(&promotion->schema);
    return error;
}

int verb_promote(struct request *request)
{
    struct promotion promotion = {.request = request};
    int error = read_parameters(request, &promotion);
    if (error == 0)
        error = write_repeated(request);
    if (error != 0)
        return error < 0 ? error : 0;
    const bool is_given = json_object_get(request->call->parameters, "if_rev") != NULL;
    for (int i = 0; i < TRIES_MAX; i++) {
        error = attempt(request, &promotion);
        if (error != -ERR_CONFLICT || is_given)
            break;
    }
    return error;
}
