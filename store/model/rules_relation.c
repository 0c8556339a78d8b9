/* What may be said of names: with whom they are shared, and that they may not change. */
#include <string.h>

#include "store/error.h"
#include "store/log/state_relation.h"
#include "store/model/inforce.h"
#include "store/model/resolve.h"
#include "store/model/rules_internal.h"

/* Whether something is in effect at a key as the change stands, which is settled only when it is
 * whole: a definition of its own, one of a layer beneath, or a default. NOT_THERE. */
static int find_defined(struct judge *judge, struct spot *out, const struct service *service,
                        const char *key)
{
    struct resolver resolver;
    unsigned kind;
    resolver_begin(&resolver, judge->store, judge->index->txn, service->environment, UINT64_MAX);
    int found = resolver_layers(&resolver);
    if (found)
        return found;
    const uint32_t layers[] = {service->environment, resolver.base,
                               resolver.is_all ? 0 : resolver.all};
    for (unsigned i = 0; i < 3; i++) {
        found = resolve_layer(&resolver, out, layers[i], service->id, key);
        if (found <= 0)
            return found;
    }
    return resolver.is_all ? NOT_THERE : inforce_default(&resolver, &kind, out, service->id, key);
}

/* The name of what a wish takes back, where that was said and is still: also of a key that went
 * meanwhile, for what was said of it stays until it is taken back. NOT_THERE. */
static int find_said(struct judge *judge, uint64_t *name_id, const struct service *service,
                     const struct wish *wish)
{
    struct state_lock lock = {.environment = service->environment};
    struct state_share share = {.layer = service->environment};
    int found = NOT_THERE;
    if (wish->kind == OPERATION_UNLOCK) {
        memcpy(lock.service, wish->service, strlen(wish->service) + 1);
        memcpy(lock.key, wish->key, strlen(wish->key) + 1);
        found = state_lock(judge->index->txn, &lock);
    } else if (wish->kind == OPERATION_UNSHARE) {
        memcpy(share.service, wish->service, strlen(wish->service) + 1);
        memcpy(share.key, wish->key, strlen(wish->key) + 1);
        memcpy(share.consumer, wish->with, strlen(wish->with) + 1);
        found = state_share(judge->index->txn, &share);
    }
    return found ? found : state_name_id(judge->index->txn, name_id, service->id, wish->key);
}

/* The place that the wish speaks of; name_id and name are filled in as deep as it goes. NOT_THERE:
 * refused. Something must be in effect there, or be said of it and taken back. */
static int find_place(struct judge *judge, struct operation *operation, const char **name,
                      const struct wish *wish)
{
    struct environment environment;
    struct service service;
    struct spot spot = {.name_id = 0};
    bool refused;
    int found;
    if (!wish->service[0]) {
        found = judge_find_environment(judge, &environment, wish->environment);
        operation->environment = found ? 0 : environment.id;
        *name = wish->environment;
        return found;
    }
    found = judge_find_service(judge, &environment, &service, wish, &refused);
    if (found > 0) {
        found = refused ? 0 : judge_no_service(judge, wish, environment.id);
        return found ? found : NOT_THERE;
    }
    if (found)
        return found;
    operation->environment = environment.id;
    operation->service = service.id;
    operation->turn = service.incarnation;
    *name = wish->service;
    if (!wish->key[0])
        return 0;
    *name = wish->key;
    found = find_defined(judge, &spot, &service, wish->key);
    if (found > 0)
        found = find_said(judge, &spot.name_id, &service, wish);
    if (found > 0) {
        found = judge_no_key(judge, wish, &service);
        return found ? found : NOT_THERE;
    }
    operation->name_id = spot.name_id;
    return found;
}

static int line_of(struct judge *judge, char mark, const struct wish *wish, uint64_t was,
                   enum change_subject subject, const char *with)
{
    const int error =
        plan_line(judge->plan, mark, false, was, wish->environment, wish->service, wish->key);
    return error ? error : plan_line_subject(judge->plan, subject, with);
}

int judge_share(struct judge *judge, const struct wish *wish)
{
    const bool is_share = wish->kind == OPERATION_SHARE;
    struct operation operation = {
        .kind = wish->kind, .consumer = wish->with, .consumer_size = strlen(wish->with)};
    struct state_share share = {0};
    const char *name;
    int found = find_place(judge, &operation, &name, wish);
    if (found)
        return found < 0 ? found : 0;
    share.layer = operation.environment;
    memcpy(share.service, wish->service, strlen(wish->service) + 1);
    memcpy(share.key, wish->key, strlen(wish->key) + 1);
    memcpy(share.consumer, wish->with, operation.consumer_size + 1);
    found = state_share(judge->index->txn, &share);
    if (found < 0)
        return found;
    if (is_share && !found)
        return line_of(judge, '=', wish, share.rev, CHANGE_SHARE, wish->with);
    if (!is_share && found)
        return judge_refuse(judge, ERR_NOT_FOUND,
                            "'%s/%s/%s' is not shared with '%s' there (emsa refs %s/%s/%s lists "
                            "with whom it is)",
                            wish->environment, wish->service, wish->key, wish->with,
                            wish->environment, wish->service, wish->key);
    const uint64_t was = is_share ? 0 : share.rev;
    found = judge_step(judge, &operation, name, NULL);
    return found ? found
                 : line_of(judge, is_share ? '+' : '-', wish, was, CHANGE_SHARE, wish->with);
}

int judge_lock(struct judge *judge, const struct wish *wish)
{
    const bool is_lock = wish->kind == OPERATION_LOCK;
    struct operation operation = {.kind = wish->kind};
    struct state_lock lock = {0};
    const char *name;
    int found = find_place(judge, &operation, &name, wish);
    if (found)
        return found < 0 ? found : 0;
    lock.environment = operation.environment;
    memcpy(lock.service, wish->service, strlen(wish->service) + 1);
    memcpy(lock.key, wish->key, strlen(wish->key) + 1);
    found = state_lock(judge->index->txn, &lock);
    if (found < 0)
        return found;
    if (is_lock && !found)
        return line_of(judge, '=', wish, lock.rev, CHANGE_LOCK, "");
    if (!is_lock && found) {
        char text[PATH_TEXT_MAX];
        struct path path = {0};
        path_make(&path, wish->environment, wish->service, wish->key);
        return judge_refuse(judge, ERR_NOT_FOUND,
                            "'%s' is not locked itself (emsa lock lists what is)",
                            path_text(&path, text));
    }
    const uint64_t was = is_lock ? 0 : lock.rev;
    found = judge_step(judge, &operation, name, NULL);
    return found ? found : line_of(judge, is_lock ? '+' : '-', wish, was, CHANGE_LOCK, "");
}
