#include "store/log/expected_key.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/grant.h"

#define NO_FIT(text)                                                                               \
    do {                                                                                           \
        *why = (text);                                                                             \
        return 1;                                                                                  \
    } while (0)

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory to verify");
}

static struct expected_pair *slot_of(struct expected_pair *pairs, size_t capacity,
                                     uint32_t environment, uint32_t service)
{
    size_t slot = ((uint64_t)environment * 0x9e3779b1u + service) * 0x85ebca6bu & (capacity - 1);
    while (pairs[slot].newest.generation &&
           (pairs[slot].newest.environment != environment || pairs[slot].newest.service != service))
        slot = (slot + 1) & (capacity - 1);
    return &pairs[slot];
}

const struct expected_pair *expected_pair(const struct expected_keys *keys, uint32_t environment,
                                          uint32_t service)
{
    if (!keys->capacity)
        return NULL;
    const struct expected_pair *pair = slot_of(keys->pairs, keys->capacity, environment, service);
    return pair->newest.generation ? pair : NULL;
}

const struct expected_identity *expected_identity(const struct expected_keys *keys,
                                                  const char *name, size_t size)
{
    for (size_t i = 0; i < keys->identity_count; i++)
        if (strlen(keys->identities[i].name) == size &&
            memcmp(keys->identities[i].name, name, size) == 0)
            return &keys->identities[i];
    return NULL;
}

static const struct expected_identity *identity_of(const struct expected_keys *keys,
                                                   const uint8_t public_key[static CRYPTO_KEY_SIZE])
{
    for (size_t i = 0; i < keys->identity_count; i++)
        if (memcmp(keys->identities[i].public_key, public_key, CRYPTO_KEY_SIZE) == 0)
            return &keys->identities[i];
    return NULL;
}

static bool is_signer(const struct expected_keys *keys,
                      const uint8_t signing_key[static CRYPTO_KEY_SIZE])
{
    for (size_t i = 0; i < keys->identity_count; i++)
        if (memcmp(keys->identities[i].signing_key, signing_key, CRYPTO_KEY_SIZE) == 0)
            return true;
    return false;
}

static int learn_identity(struct expected_keys *keys, const char **why,
                          const struct operation *operation, uint64_t rev)
{
    if (operation->environment || operation->service || operation->turn)
        NO_FIT("its identity is in a place");
    if (identity_name_check(operation->name, operation->name_size))
        NO_FIT("its identity's name is none");
    if (expected_identity(keys, operation->name, operation->name_size) ||
        identity_of(keys, operation->public_key) || is_signer(keys, operation->signing_key))
        NO_FIT("its identity was known");
    struct expected_identity *grown =
        realloc(keys->identities, (keys->identity_count + 1) * sizeof *grown);
    if (!grown)
        return no_memory();
    keys->identities = grown;
    struct expected_identity *identity = &grown[keys->identity_count++];
    *identity = (struct expected_identity){.rev = rev};
    memcpy(identity->name, operation->name, operation->name_size);
    memcpy(identity->public_key, operation->public_key, CRYPTO_KEY_SIZE);
    memcpy(identity->signing_key, operation->signing_key, CRYPTO_KEY_SIZE);
    keys->records += 2; /* by key and by name */
    return 0;
}

static int grow(struct expected_keys *keys)
{
    if (keys->count * 2 < keys->capacity)
        return 0;
    const size_t capacity = keys->capacity ? keys->capacity * 2 : 64;
    struct expected_pair *pairs = calloc(capacity, sizeof *pairs);
    if (!pairs)
        return no_memory();
    for (size_t i = 0; i < keys->capacity; i++) {
        const struct recipient *old = &keys->pairs[i].newest;
        if (old->generation)
            *slot_of(pairs, capacity, old->environment, old->service) = keys->pairs[i];
    }
    free(keys->pairs);
    keys->pairs = pairs;
    keys->capacity = capacity;
    return 0;
}

static int take_pair(struct expected_keys *keys, const char **why,
                     const struct operation *operation, uint64_t rev)
{
    const struct expected_pair *environment = expected_pair(keys, operation->environment, 0);
    if (operation->service && (!environment || memcmp(environment->newest.public_key,
                                                      operation->for_key, CRYPTO_KEY_SIZE) != 0))
        NO_FIT("its key is not wrapped for its environment's newest");
    if (grow(keys))
        return -ERR_NOMEM;
    struct expected_pair *pair =
        slot_of(keys->pairs, keys->capacity, operation->environment, operation->service);
    if (operation->turn != pair->newest.generation + 1 || !operation->turn)
        NO_FIT("its generation does not fit what came before");
    keys->count += !pair->newest.generation;
    pair->rev = rev;
    pair->newest = (struct recipient){.environment = operation->environment,
                                      .service = operation->service,
                                      .generation = operation->turn};
    memcpy(pair->newest.public_key, operation->public_key, CRYPTO_KEY_SIZE);
    keys->records += operation->service ? 2 : 1; /* the public key, and the wrapped private one */
    return 0;
}

static bool is_newest(const struct expected_keys *keys, const struct operation *operation)
{
    const struct expected_pair *pair =
        expected_pair(keys, operation->environment, operation->service);
    return pair && pair->newest.generation == operation->turn;
}

static bool reads_at(const struct relations *relations, uint32_t environment, uint32_t service,
                     const char *principal)
{
    return relations_rights(relations, environment, service, principal) & GRANT_READ;
}

bool expected_reads_above(const struct relations *relations, uint32_t environment, uint32_t service,
                          const char *principal)
{
    return (service && reads_at(relations, environment, 0, principal)) ||
           (environment && reads_at(relations, 0, 0, principal));
}

static int take_grant(struct expected_keys *keys, const char **why,
                      const struct relations *relations, const struct operation *operation)
{
    const struct expected_identity *holder = identity_of(keys, operation->for_key);
    char principal[PRINCIPAL_MAX + 1] = PRINCIPAL_IDENTITY;
    if (!is_newest(keys, operation))
        NO_FIT("it grants a key that is not the newest of its place");
    if (!holder)
        NO_FIT("it grants a key to an identity that is not known");
    memcpy(principal + strlen(PRINCIPAL_IDENTITY), holder->name, strlen(holder->name) + 1);
    if (!reads_at(relations, operation->environment, operation->service, principal) &&
        (operation->service || !reads_at(relations, 0, 0, principal)))
        NO_FIT("it grants a key to who may not read there");
    keys->records++;
    return 0;
}

int expected_keys_apply(struct expected_keys *keys, const char **why,
                        const struct relations *relations, const struct operation *operation,
                        uint64_t rev)
{
    switch ((unsigned)operation->kind) {
    case OPERATION_IDENTITY:
        return learn_identity(keys, why, operation, rev);
    case OPERATION_GRANT:
        return take_grant(keys, why, relations, operation);
    case OPERATION_VALUE_KEY:
        if (!is_newest(keys, operation) || !operation->service)
            NO_FIT("it wraps a secret's key for a pair that is not the newest of a service");
        if (operation->sealed_rev >= rev)
            NO_FIT("it wraps the key of a secret that was not set yet");
        keys->records++;
        return 0;
    default:
        return take_pair(keys, why, operation, rev);
    }
}

int expected_keys_due(struct expected_keys *keys, uint32_t environment, uint32_t service)
{
    struct recipient *grown = realloc(keys->due, (keys->due_count + 1) * sizeof *grown);
    if (!grown)
        return no_memory();
    keys->due = grown;
    grown[keys->due_count++] = (struct recipient){.environment = environment, .service = service};
    return 0;
}

int expected_keys_rights(struct expected_keys *keys, const char **why,
                         const struct relations *relations, const struct operation *operation,
                         uint64_t rev)
{
    char principal[PRINCIPAL_MAX + 1] = "";
    (void)rev;
    memcpy(principal, operation->principal, operation->principal_size);
    if (!principal_is_identity(principal))
        return 0;
    const size_t prefix = strlen(PRINCIPAL_IDENTITY);
    if (!expected_identity(keys, principal + prefix, operation->principal_size - prefix))
        NO_FIT("its rights are an identity's that is not known");
    if (!(operation->rights & GRANT_READ) || operation->kind == OPERATION_RIGHTS_GRANT ||
        expected_reads_above(relations, operation->environment, operation->service, principal))
        return 0;
    keys->records++; /* of what could be read */
    return operation->environment
               ? expected_keys_due(keys, operation->environment, operation->service)
               : 0;
}

int expected_keys_settle(struct expected_keys *keys, uint64_t rev)
{
    int is_missing = 0;
    for (size_t i = 0; i < keys->due_count; i++) {
        const struct expected_pair *pair =
            expected_pair(keys, keys->due[i].environment, keys->due[i].service);
        is_missing |= !pair || pair->rev != rev;
        for (size_t k = 0; !keys->due[i].service && k < keys->capacity; k++)
            is_missing |= keys->pairs[k].newest.generation &&
                          keys->pairs[k].newest.environment == keys->due[i].environment &&
                          keys->pairs[k].rev != rev;
    }
    keys->due_count = 0;
    return is_missing;
}

void expected_keys_release(struct expected_keys *keys)
{
    free(keys->pairs);
    free(keys->identities);
    free(keys->due);
    *keys = (struct expected_keys){0};
}
