/* What is to be changed because somebody knows it who may not any more. */
#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "tools/service/find.h"
#include "tools/service/item.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"

#define EXPOSED_LIMIT 10000u /* a reply: a message stays far below its maximum */

struct listing {
    struct snapshot *snapshot;
    struct path path;
    json_t *secrets;
    uint64_t skip; /* so many that were told of already */
    bool more;
};

static bool lies_in(const struct path *key, const struct path *place)
{
    return (place->environment[0] == '\0' || strcmp(place->environment, key->environment) == 0) &&
           (place->service[0] == '\0' || strcmp(place->service, key->service) == 0) &&
           (place->key[0] == '\0' || strcmp(place->key, key->key) == 0);
}

static int add(void *arg, const struct exposed *exposed)
{
    struct listing *listing = arg;
    char text[PATH_TEXT_MAX];
    if (!lies_in(&exposed->path, &listing->path))
        return 0;
    if (listing->skip > 0) {
        listing->skip--;
        return 0;
    }
    if (json_array_size(listing->secrets) == EXPOSED_LIMIT) {
        listing->more = true;
        return 1;
    }
    json_t *object = json_pack("{s:s, s:I, s:s, s:I}", "path", path_text(&exposed->path, text),
                               "rev", (json_int_t)exposed->rev, "who", exposed->principal, "since",
                               (json_int_t)exposed->since);
    if (object == NULL || json_array_append_new(listing->secrets, object) < 0)
        return error_set(ERR_NOMEM, "no memory for a list");
    return item_add_commit(listing->snapshot, object, exposed->since, false);
}

/* A place that is asked for and is not there is no empty list. */
static int find_place(struct listing *listing)
{
    struct environment environment;
    struct service service;
    switch (path_depth(&listing->path)) {
    case PATH_ROOT:
        return 0;
    case PATH_ENVIRONMENT:
        return find_environment(listing->snapshot, &environment, &listing->path);
    default:
        return find_service(listing->snapshot, &environment, &service, &listing->path);
    }
}

int verb_exposed(struct request *request)
{
    struct listing listing = {0};
    int error = parameter_path(request->call->parameters, "path", &listing.path);
    if (error == 0)
        error = parameter_number(request->call->parameters, "skip", &listing.skip, NULL);
    if (error == 0)
        error = request_snapshot(request, &listing.snapshot);
    if (error == 0)
        error = find_place(&listing);
    if (error < 0)
        return error;
    listing.secrets = json_array();
    error = grant_each_exposed(listing.snapshot, add, &listing);
    if (error < 0) {
        json_decref(listing.secrets);
        return error;
    }
    request->call->reply =
        json_pack("{s:I, s:o, s:b}", "rev", (json_int_t)snapshot_revision(listing.snapshot),
                  "secrets", listing.secrets, "more", (int)listing.more);
    return 0;
}
