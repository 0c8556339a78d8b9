/*
 * Who uses a name. A definition of any layer that refers to it counts where it is in effect: in an
 * environment that has the service, and that has no definition above it. So do those that refer to
 * such a one in turn. A name of a base or of `all` is used in every environment where it is what
 * is in effect.
 */
#include <string.h>

#include "store/error.h"
#include "store/relations.h"
#include "tools/service/find.h"
#include "tools/service/item.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"

#define REFERRERS_MAX 100000u
#define HOPS_MAX 16 /* more than the store lets any reference go */

struct refs {
    struct request *request;
    struct snapshot *snapshot;
    struct environment environment; /* the one that is looked at now */
    uint32_t layers[LAYERS_MAX];
    int layer_count;
    json_t *seen; /* paths of this environment's */
    json_t *referrers;
    bool is_cut;
};

struct used { /* a name that is used, and how far from the one that was asked for */
    const char *service;
    const char *key;
    const char *path; /* of it, where it is a referrer itself; NULL: it was asked for */
    int hops;
};

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for a list");
}

static int uses_of(struct refs *refs, const struct used *used);

static int add_referrer(struct refs *refs, const struct used *used, const struct entry *entry,
                        const char *service)
{
    struct path path;
    char text[PATH_TEXT_MAX];
    int error = path_make(&path, refs->environment.name, service, entry->key);
    if (error < 0)
        return error;
    path_text(&path, text);
    if (json_object_get(refs->seen, text) != NULL)
        return 0;
    if (json_array_size(refs->referrers) == REFERRERS_MAX) {
        refs->is_cut = true;
        return 0;
    }
    json_object_set_new(refs->seen, text, json_true());
    json_t *object =
        json_pack("{s:s, s:s, s:s, s:s, s:b, s:I, s:s*}", "path", text, "environment",
                  refs->environment.name, "kind", kind_word(entry->defined.kind), "origin",
                  origin_word(entry->origin), "secret", (int)(entry->kind == ENTRY_SECRET), "rev",
                  (json_int_t)entry->defined.rev, "through", used->path);
    if (object == NULL || json_array_append_new(refs->referrers, object) < 0)
        return no_memory();
    struct used next = {
        .service = service, .key = entry->key, .path = text, .hops = used->hops + 1};
    return uses_of(refs, &next);
}

/* One that a layer has, if it is what is in effect here. */
static int consider(struct refs *refs, const struct used *used, uint32_t layer,
                    const struct referrer *referrer)
{
    struct service service;
    struct entry entry;
    int found = snapshot_service_by_id(refs->snapshot, &service, refs->environment.id,
                                       referrer->service, SERVICE_ANY);
    if (found == 0)
        found =
            snapshot_entry_by_name(refs->snapshot, &entry, refs->environment.id, referrer->name_id);
    if (found != 0 || entry.defined.environment != layer)
        return found < 0 ? found : 0;
    return add_referrer(refs, used, &entry, service.name);
}

static int uses_of(struct refs *refs, const struct used *used)
{
    if (used->hops == HOPS_MAX) {
        refs->is_cut = true;
        return 0;
    }
    for (int i = 0; i < refs->layer_count; i++) {
        struct referrer referrer = {0};
        for (;;) {
            int found = relation_next_referrer(refs->snapshot, &referrer, refs->layers[i],
                                               used->service, used->key);
            if (found == 0)
                found = consider(refs, used, refs->layers[i], &referrer);
            if (found < 0)
                return found;
            if (found != 0)
                break;
        }
    }
    return 0;
}

static int gather_environment(struct refs *refs, const struct environment *environment,
                              const struct path *path)
{
    struct used used = {.service = path->service, .key = path->key};
    refs->environment = *environment;
    refs->seen = json_object();
    refs->layer_count = relation_layers(refs->snapshot, refs->layers, environment->id);
    int error = refs->layer_count < 0 ? refs->layer_count : uses_of(refs, &used);
    json_decref(refs->seen);
    return error;
}

/* Whether what is in effect at the name in that environment is the layer's definition. */
static int stands_on(struct refs *refs, const struct environment *environment, uint32_t layer,
                     const struct path *path)
{
    struct service service;
    struct entry entry;
    struct path there;
    int error = path_make(&there, environment->name, path->service, path->key);
    if (error < 0)
        return error;
    if (!rights_hold(refs->request->service, &refs->request->call->caller, RIGHT_LIST, &there))
        return 0;
    int found = snapshot_service(refs->snapshot, &service, environment->id, path->service);
    if (found == 0)
        found = snapshot_entry(refs->snapshot, &entry, environment->id, service.id, path->key);
    return found < 0 ? found : found == 0 && entry.defined.environment == layer;
}

static int gather_referrers(struct refs *refs, const struct environment *asked,
                            const struct path *path)
{
    struct environment environment = {0};
    bool is_all = strcmp(asked->name, "all") == 0;
    int error = is_all ? 0 : gather_environment(refs, asked, path);
    while (error == 0) {
        char after[ENVIRONMENT_NAME_MAX + 1];
        memcpy(after, environment.name, sizeof after);
        int found = snapshot_next_environment(refs->snapshot, &environment, after);
        if (found != 0)
            return found < 0 ? found : 0;
        if (environment.id == asked->id || (!is_all && environment.base != asked->id))
            continue;
        found = stands_on(refs, &environment, asked->id, path);
        error = found > 0 ? gather_environment(refs, &environment, path) : found;
    }
    return error;
}

static int add_share(struct refs *refs, uint32_t layer, const struct share *share, json_t *shares)
{
    struct path path;
    char name[ENVIRONMENT_NAME_MAX + 1], text[PATH_TEXT_MAX];
    int found = snapshot_environment_name(refs->snapshot, name, layer);
    if (found != 0)
        return found < 0 ? found : error_set(ERR_CORRUPT, "an environment has no name");
    int error = path_make(&path, name, share->service, share->key);
    if (error < 0)
        return error;
    json_t *object = json_pack("{s:s, s:s, s:I}", "with", share->consumer, "path",
                               path_text(&path, text), "rev", (json_int_t)share->rev);
    if (object == NULL || json_array_append_new(shares, object) < 0)
        return no_memory();
    bool by_whom =
        rights_hold(refs->request->service, &refs->request->call->caller, RIGHT_AUDIT, &path);
    return item_add_commit(refs->snapshot, object, share->rev, by_whom);
}

/* The lists of the environment's layers, which count together. */
static int gather_shares(struct refs *refs, const struct environment *environment,
                         const struct path *path, json_t *shares)
{
    uint32_t layers[LAYERS_MAX];
    int count = relation_layers(refs->snapshot, layers, environment->id);
    for (int i = 0; i < count; i++) {
        struct share share = {0};
        for (;;) {
            int found =
                relation_next_share(refs->snapshot, &share, layers[i], path->service, path->key);
            if (found == 0)
                found = add_share(refs, layers[i], &share, shares);
            if (found < 0)
                return found;
            if (found != 0)
                break;
        }
    }
    return count < 0 ? count : 0;
}

static int gather(struct refs *refs, const struct environment *environment,
                  const struct entry *entry, const struct path *path)
{
    char text[PATH_TEXT_MAX];
    json_t *shares = json_array();
    refs->referrers = json_array();
    /* plain values of `shared` are everybody's from birth */
    bool is_common = strcmp(path->service, "shared") == 0 && entry->kind != ENTRY_SECRET;
    json_t *reply =
        json_pack("{s:I, s:s, s:b, s:o, s:o}", "rev", (json_int_t)snapshot_revision(refs->snapshot),
                  "path", path_text(path, text), "common", (int)is_common, "shares", shares,
                  "referrers", refs->referrers);
    if (reply == NULL)
        return no_memory();
    refs->request->call->reply = reply;
    int error = gather_shares(refs, environment, path, shares);
    if (error == 0)
        error = gather_referrers(refs, environment, path);
    json_object_set_new(reply, "cut", json_boolean(refs->is_cut));
    return error;
}

int verb_refs(struct request *request)
{
    struct refs refs = {.request = request};
    struct environment environment;
    struct service service;
    struct entry entry;
    struct path path = {0};
    char text[PATH_TEXT_MAX];
    int error = parameter_path(request->call->parameters, "path", &path);
    if (error == 0 && path_depth(&path) != PATH_KEY)
        error = error_set(ERR_INVALID, "'%s' is no key: write ENVIRONMENT/SERVICE/KEY",
                          path_text(&path, text));
    if (error == 0)
        error = request_snapshot(request, &refs.snapshot);
    if (error == 0)
        error = find_entry(refs.snapshot, &environment, &service, &entry, &path);
    return error < 0 ? error : gather(&refs, &environment, &entry, &path);
}
