/* Who may do what: the grants, as they stand. */
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "tools/service/find.h"
#include "tools/service/holdings.h"
#include "tools/service/item.h"
#include "tools/service/parameter.h"
#include "tools/service/right_words.h"
#include "tools/service/verb.h"

struct listing {
    struct request *request;
    struct snapshot *snapshot;
    struct path path;
    const char *who; /* NULL: anybody */
    json_t *grants;
};

/* Whether one of the two lies in the other: a grant above holds here as well. */
static bool concerns(const struct path *place, const struct path *asked)
{
    return (place->environment[0] == '\0' || asked->environment[0] == '\0' ||
            strcmp(place->environment, asked->environment) == 0) &&
           (place->service[0] == '\0' || asked->service[0] == '\0' ||
            strcmp(place->service, asked->service) == 0);
}

static bool may_see(const struct listing *listing, const struct path *place, const char *who)
{
    const struct caller *caller = &listing->request->call->caller;
    struct dispatcher *service = listing->request->service;
    return rights_hold(service, caller, RIGHT_AUDIT, place) ||
           rights_hold(service, caller, RIGHT_ADMIN, place) ||
           (caller->holdings != NULL && people_have(&caller->holdings->people, who));
}

static int place_of(struct snapshot *snapshot, struct path *out, const struct grant *grant)
{
    char environment[ENVIRONMENT_NAME_MAX + 1] = "", service[SERVICE_NAME_MAX + 1] = "";
    int found = 0;
    if (grant->environment != 0)
        found = snapshot_environment_name(snapshot, environment, grant->environment);
    if (found == 0 && grant->service != 0)
        found = snapshot_service_name(snapshot, service, grant->service);
    if (found > 0)
        return error_set(ERR_CORRUPT, "a place has no name");
    return found < 0 ? found : path_make(out, environment, service, NULL);
}

/* What an identity may read is decided by the keys that it holds, wherever the store lies. */
static const char *enforced(const struct grant *grant)
{
    if (!principal_is_identity(grant->principal) || !(grant->rights & GRANT_READ))
        return "server";
    return grant->rights == GRANT_READ ? "cryptography" : "cryptography, server";
}

static int add(struct listing *listing, const struct grant *grant)
{
    struct path place = {0};
    char text[PATH_TEXT_MAX];
    int error = place_of(listing->snapshot, &place, grant);
    if (error < 0)
        return error;
    if (!concerns(&place, &listing->path) || !may_see(listing, &place, grant->principal) ||
        (listing->who != NULL && strcmp(listing->who, grant->principal) != 0))
        return 0;
    json_t *object = json_pack("{s:s, s:s, s:o, s:I, s:s, s:b}", "path", path_text(&place, text),
                               "who", grant->principal, "rights", rights_words(grant->rights),
                               "rev", (json_int_t)grant->rev, "enforced", enforced(grant), "known",
                               (int)people_known(grant->principal));
    if (object == NULL || json_array_append_new(listing->grants, object) < 0)
        return error_set(ERR_NOMEM, "no memory for a list");
    return item_add_commit(listing->snapshot, object, grant->rev,
                           rights_hold(listing->request->service, &listing->request->call->caller,
                                       RIGHT_AUDIT, &place));
}

static int gather(struct listing *listing)
{
    struct grant grant = {0};
    for (;;) {
        int found = grant_next(listing->snapshot, &grant);
        if (found == 0)
            found = add(listing, &grant);
        if (found != 0)
            return found < 0 ? found : 0;
    }
}

static int by_place(const void *a, const void *b)
{
    json_t *const *one = a, *const *other = b;
    int order = strcmp(json_string_value(json_object_get(*one, "path")),
                       json_string_value(json_object_get(*other, "path")));
    return order != 0 ? order
                      : strcmp(json_string_value(json_object_get(*one, "who")),
                               json_string_value(json_object_get(*other, "who")));
}

/* As lists of places are. */
static int sort(struct listing *listing)
{
    size_t count = json_array_size(listing->grants);
    json_t **list = calloc(count + 1, sizeof(json_t *));
    json_t *sorted = json_array();
    if (list == NULL || sorted == NULL) {
        free(list);
        json_decref(sorted);
        return error_set(ERR_NOMEM, "no memory for a list");
    }
    for (size_t i = 0; i < count; i++)
        list[i] = json_array_get(listing->grants, i);
    qsort(list, count, sizeof(json_t *), by_place);
    for (size_t i = 0; i < count; i++)
        json_array_append(sorted, list[i]);
    free(list);
    json_decref(listing->grants);
    listing->grants = sorted;
    return 0;
}

static int read_parameters(struct listing *listing)
{
    json_t *parameters = listing->request->call->parameters;
    char text[PATH_TEXT_MAX];
    int error = parameter_path(parameters, "path", &listing->path);
    if (error == 0)
        error = parameter_text(parameters, "who", &listing->who);
    if (error == 0 && listing->who != NULL)
        error = principal_check(listing->who, strlen(listing->who));
    if (error == 0 && path_depth(&listing->path) == PATH_KEY)
        error = error_set(ERR_INVALID,
                          "'%s' is a key: rights are held to a service, an environment or "
                          "everything",
                          path_text(&listing->path, text));
    return error;
}

/* A place that is asked for and is not there is no empty list. */
static int find_place(struct listing *listing)
{
    struct environment environment;
    struct service service;
    const struct path *path = &listing->path;
    if (path_depth(path) == PATH_ROOT)
        return 0;
    int error = rights_judge(listing->request->service, &listing->request->call->caller, RIGHT_SEE,
                             "Grants", path);
    if (error < 0)
        return error;
    return path_depth(path) == PATH_ENVIRONMENT
               ? find_environment(listing->snapshot, &environment, path)
               : find_service(listing->snapshot, &environment, &service, path);
}

int verb_grants(struct request *request)
{
    struct listing listing = {.request = request};
    int error = read_parameters(&listing);
    if (error == 0)
        error = request_snapshot(request, &listing.snapshot);
    if (error == 0)
        error = find_place(&listing);
    if (error < 0)
        return error;
    listing.grants = json_array();
    error = gather(&listing);
    if (error == 0)
        error = sort(&listing);
    if (error < 0) {
        json_decref(listing.grants);
        return error;
    }
    request->call->reply =
        json_pack("{s:I, s:o}", "rev", (json_int_t)snapshot_revision(listing.snapshot), "grants",
                  listing.grants);
    return 0;
}
