/* Which keys an identity has, for who tries them with it. */
#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "store/log/state.h"
#include "store/model/core.h"

static int tell(struct snapshot *snapshot, const struct wrapped_key *wrapped, bool is_held,
                const struct path *path, int (*take)(void *arg, const struct held_key *), void *arg)
{
    struct held_key held = {.path = *path, .is_held = is_held};
    struct identity_key *key = &held.key;
    (void)snapshot;
    key->environment = wrapped->owner.environment;
    key->service = wrapped->owner.service;
    key->generation = wrapped->owner.generation;
    memcpy(key->public_key, wrapped->owner.public_key, sizeof key->public_key);
    if (is_held)
        memcpy(key->wrapped, wrapped->data, sizeof key->wrapped);
    return take(arg, &held);
}

struct holder {
    struct snapshot *snapshot;
    uint8_t public_key[CRYPTO_KEY_SIZE];
    int (*take)(void *arg, const struct held_key *);
    void *arg;
};

/* The newest key of a place, as it was wrapped for the holder. *is_held tells whether it was. */
static int look_at(struct holder *holder, const struct path *path, uint32_t environment,
                   uint32_t service, bool *is_held)
{
    struct txn *txn = snapshot_txn(holder->snapshot);
    struct wrapped_key wrapped = {.owner = {.environment = environment}};
    int found = state_public_key(txn, &wrapped.owner, environment, service);
    if (found)
        return found < 0 ? found : 0;
    memcpy(wrapped.for_public_key, holder->public_key, CRYPTO_KEY_SIZE);
    found = state_wrapped_key(txn, &wrapped);
    if (found < 0)
        return found;
    *is_held = !found;
    return found && service
               ? 0 /* it opens with the environment's */
               : tell(holder->snapshot, &wrapped, !found, path, holder->take, holder->arg);
}

static int look_at_services(struct holder *holder, const struct environment *environment)
{
    struct service service;
    const char *after = "";
    for (;;) {
        struct path path;
        bool is_held;
        int found = snapshot_next_service(holder->snapshot, &service, environment->id, after);
        if (found)
            return found < 0 ? found : 0;
        after = service.name;
        found = path_make(&path, environment->name, service.name, NULL);
        if (!found)
            found = look_at(holder, &path, environment->id, service.id, &is_held);
        if (found)
            return found;
    }
}

int grant_each_key(struct snapshot *snapshot, const char *public_text,
                   int (*take)(void *arg, const struct held_key *), void *arg)
{
    struct holder holder = {.snapshot = snapshot, .take = take, .arg = arg};
    struct path path = {0};
    struct environment environment;
    uint8_t signing_key[CRYPTO_KEY_SIZE];
    const char *after = "";
    bool is_held = false;
    int found =
        identity_public_parse(holder.public_key, signing_key, public_text, strlen(public_text));
    if (!found)
        found = look_at(&holder, &path, 0, 0, &is_held);
    while (!found) {
        found = snapshot_next_environment(snapshot, &environment, after);
        if (found)
            break;
        after = environment.name;
        found = path_make(&path, environment.name, NULL, NULL);
        if (!found)
            found = look_at(&holder, &path, environment.id, 0, &is_held);
        if (!found && !is_held)
            found = look_at_services(&holder, &environment);
    }
    return found == NOT_THERE ? 0 : found < 0 ? snapshot_answer(snapshot, found) : found;
}

int grant_identity_of(struct snapshot *snapshot, struct known_identity *out,
                      const char *public_text)
{
    struct identity_state identity;
    uint8_t keys[2][CRYPTO_KEY_SIZE];
    const int error = identity_public_parse(keys[0], keys[1], public_text, strlen(public_text));
    if (error)
        return error;
    const int found = state_identity(snapshot_txn(snapshot), &identity, keys[0]);
    if (found)
        return snapshot_answer(snapshot, found);
    return grant_identity(snapshot, out, identity.name);
}
