#include "store/log/follow.h"

#include <stdlib.h>
#include <string.h>

#include "store/codec.h"
#include "store/error.h"
#include "store/limits.h"
#include "store/log/follow_internal.h"
#include "store/log/state.h"

#define BIT(kind) (UINT64_C(1) << (kind))

/* --- names --- */

/* The path of what an operation is about. Names are for ever, and operations come in runs of one
 * service. */
static int find_names(struct follow *follow, struct txn *txn, const struct operation *operation)
{
    uint32_t before;
    int error = 0;
    if (operation->environment != follow->named_environment) {
        memset(follow->names.environment, 0, sizeof follow->names.environment);
        follow->named_environment = operation->environment;
        if (operation->environment)
            error = state_environment_name(txn, follow->names.environment, &before,
                                           operation->environment);
    }
    if (!error && operation->service != follow->named_service) {
        memset(follow->names.service, 0, sizeof follow->names.service);
        follow->named_service = operation->service;
        if (operation->service)
            error = state_service_name(txn, follow->names.service, operation->service);
    }
    follow->names.key[0] = '\0';
    if (!error && operation->name_id && operation->name_size < sizeof follow->names.key) {
        memcpy(follow->names.key, operation->name, operation->name_size);
        follow->names.key[operation->name_size] = '\0';
    }
    return error > 0 ? error_set(ERR_CORRUPT, "an operation names a place that never was") : error;
}

/* What an environment that is made stands on. */
static int find_under(struct follow *follow, struct txn *txn, const struct operation *operation)
{
    uint32_t before;
    memset(follow->under, 0, sizeof follow->under);
    if (!operation->base)
        return 0;
    if (follow_copies_base(follow->method)) {
        const int found = follow_from_stands_on(follow, txn, operation->base);
        if (found)
            return found < 0 ? found : 0;
    }
    const int error = state_environment_name(txn, follow->under, &before, operation->base);
    return error > 0 ? error_set(ERR_CORRUPT, "an environment stands on what never was") : error;
}

/* --- one operation against one thing that was asked for --- */

static bool is_text(struct slice text, const char *other, size_t size)
{
    return text.size == size && (size == 0 || memcmp(text.data, other, size) == 0);
}

static bool covers_part(const char *place, const char *part)
{
    return place[0] == '\0' || strcmp(place, part) == 0;
}

/* Whether the path is at the place, or in it where that will do. */
static bool is_at(const struct asked *asked, struct slice text, const struct path *path)
{
    struct path parsed;
    const struct path *place = asked->service ? asked->service : &parsed;
    if (!asked->service && path_parse(&parsed, (const char *)text.data, text.size) < 0) {
        error_clear();
        return false;
    }
    if (asked->service)
        return strcmp(place->environment, path->environment) == 0 &&
               strcmp(place->service, path->service) == 0 &&
               is_text(asked->path, path->key, strlen(path->key));
    if (!asked->is_whole)
        return strcmp(place->environment, path->environment) == 0 &&
               strcmp(place->service, path->service) == 0 && strcmp(place->key, path->key) == 0;
    return covers_part(place->environment, path->environment) &&
           covers_part(place->service, path->service) && covers_part(place->key, path->key);
}

/* Later than asked; what ends sooner is told by the commit's time, which the writer has from its
 * clock. */
static bool is_late(const struct follow *follow, const struct operation *operation, uint64_t ttl)
{
    const int64_t rest = operation->expires - follow->time;
    return operation->expires && rest > 0 && ((uint64_t)rest + 999999999) / 1000000000 > ttl;
}

static bool is_environment(const struct follow *follow, const struct operation *operation,
                           const struct asked *asked)
{
    return asked->is_protected == operation->is_protected &&
           asked->is_signed == operation->is_signed &&
           is_text(asked->base, follow->under, strlen(follow->under)) &&
           (asked->ttl != 0) == (operation->expires != 0) &&
           !is_late(follow, operation, asked->ttl);
}

static bool is_set_as_asked(const struct follow *follow, const struct asked *asked,
                            const struct operation *operation)
{
    if (!asked->copies && !asked->digest)
        return false; /* a value that nobody signed */
    if (!asked->copies &&
        ((asked->ttl != 0) != (operation->expires != 0) || is_late(follow, operation, asked->ttl)))
        return false;
    if (!operation->from.environment)
        return !asked->copies || (asked->sets_ends && operation->expires);
    return asked->copies && follow_is_source(follow, asked, operation);
}

static bool has_details(const struct follow *follow, const struct asked *asked,
                        const struct operation *operation)
{
    if (asked->digest && operation->kind != OPERATION_SET_SECRET &&
        memcmp(asked->digest, operation->digest, HASH_SIZE) != 0)
        return false;
    if (operation_is_set(operation->kind) && !is_set_as_asked(follow, asked, operation))
        return false;
    if (asked->reencrypts &&
        (!operation->is_same || operation->from.environment != operation->environment ||
         operation->from.name_id != operation->name_id))
        return false;
    if (operation->kind == OPERATION_ENVIRONMENT_ADD && !asked->is_whole &&
        !is_environment(follow, operation, asked))
        return false;
    if (operation->consumer && !asked->is_whole &&
        !is_text(asked->with, operation->consumer, operation->consumer_size))
        return false;
    if (operation->principal &&
        (!is_text(asked->with, operation->principal, operation->principal_size) ||
         (operation->rights & ~asked->rights)))
        return false;
    return true;
}

static bool matches(const struct follow *follow, const struct asked *asked,
                    const struct operation *operation)
{
    const struct path *path = &follow->names;
    if (operation_is_of_tag(operation->kind))
        return (asked->kinds & BIT(operation->kind)) &&
               is_text(asked->path, operation->name, operation->name_size) &&
               (operation->kind != OPERATION_TAG || !follow->to_rev ||
                follow->to_rev == operation->tagged);
    if ((asked->kinds & BIT(operation->kind)) && is_at(asked, asked->path, path) &&
        has_details(follow, asked, operation))
        return true;
    return (asked->kinds_from & BIT(operation->kind)) && is_at(asked, asked->from, path);
}

/* --- what no request names --- */

static bool is_in_environment(const struct asked *asked, const char *environment)
{
    const size_t size = strlen(environment);
    if (asked->service)
        return strcmp(asked->service->environment, environment) == 0;
    return asked->path.size >= size && memcmp(asked->path.data, environment, size) == 0 &&
           (asked->path.size == size || asked->path.data[size] == '/');
}

static bool may_place(const struct follow *follow, const struct operation *operation)
{
    if (operation->environment == follow->made_environment)
        return true;
    if (strcmp(follow->names.service, "shared") == 0) /* it comes with what needs it */
        return true;
    if (follow->count && is_in_environment(&follow->asked[follow->at], follow->names.environment))
        return true;
    for (size_t i = 0; i < follow->count; i++)
        if (is_in_environment(&follow->asked[i], follow->names.environment))
            return true;
    return false;
}

/* Whether somebody is granted something who becomes known by it, by this name and these keys. */
static bool is_introduced(const struct follow *follow, const struct operation *operation)
{
    unsigned char keys[2][CRYPTO_KEY_SIZE];
    for (size_t i = 0; i < follow->count; i++) {
        const struct asked *asked = &follow->asked[i];
        const size_t prefix = strlen(PRINCIPAL_IDENTITY);
        if (!asked->key.size || asked->with.size < prefix ||
            memcmp(asked->with.data, PRINCIPAL_IDENTITY, prefix) != 0 ||
            !is_text((struct slice){asked->with.data + prefix, asked->with.size - prefix},
                     operation->name, operation->name_size))
            continue;
        if (identity_public_parse(keys[0], keys[1], (const char *)asked->key.data,
                                  asked->key.size) < 0)
            error_clear();
        else if (memcmp(keys[0], operation->public_key, CRYPTO_KEY_SIZE) == 0 &&
                 memcmp(keys[1], operation->signing_key, CRYPTO_KEY_SIZE) == 0)
            return true;
    }
    return false;
}

/* By a method whose parameters are of all environments that it makes. */
static bool is_made_as_asked(const struct follow *follow, const struct operation *operation)
{
    const struct asked terms = {.is_protected = follow->is_protected,
                                .is_signed = follow->is_signed,
                                .base = follow->base,
                                .ttl = follow->ttl};
    return is_environment(follow, operation, &terms);
}

/* A schema that says the default which is to be purged. */
static bool is_purged_along(const struct follow *follow, const struct operation *operation)
{
    struct path path;
    if (operation->name_id || !follow->count ||
        path_parse(&path, (const char *)follow->asked[0].path.data, follow->asked[0].path.size) < 0)
        return false;
    return strcmp(path.environment, follow->names.environment) == 0 &&
           strcmp(path.service, follow->names.service) == 0;
}

/* Positive 1: it says of itself what it is. */
static int goes_without_saying(struct follow *follow, const struct operation *operation)
{
    switch ((unsigned)operation->kind) {
    case OPERATION_ENVIRONMENT_ADD:
        return strcmp(follow->names.environment, "all") == 0;
    case OPERATION_SERVICE_ADD:
        return may_place(follow, operation);
    case OPERATION_IDENTITY:
        return is_introduced(follow, operation);
    case OPERATION_ENVIRONMENT_KEY:
    case OPERATION_SERVICE_KEY:
    case OPERATION_GRANT:
    case OPERATION_VALUE_KEY:
        return 1; /* who has which key follows from places, rights and shares, and is verified */
    case OPERATION_DEFAULT_SET: /* behind its schema; before the removal of one: see below */
        return operation->environment == follow->schema_environment &&
               operation->service == follow->schema_service;
    case OPERATION_DEFAULT_REMOVE:
        return 1; /* it follows from the schemas alone, and is verified with them */
    case OPERATION_SHARE:
        return operation->is_override && follow->is_override;
    case OPERATION_PURGE:
        return is_purged_along(follow, operation);
    default:
        return 0;
    }
}

static void remember(struct follow *follow, const struct operation *operation)
{
    switch ((unsigned)operation->kind) {
    case OPERATION_ENVIRONMENT_ADD:
        follow->made_environment = operation->environment;
        break;
    case OPERATION_SCHEMA_SET:
        follow->schema_environment = operation->environment;
        follow->schema_service = operation->service;
        break;
    default:
        break;
    }
}

/* What was asked for stands in the order in which it is done, so that it is found at once; where
 * the order means nothing it may stand before the last that was found, too. */
static bool find(struct follow *follow, const struct operation *operation)
{
    const size_t before = follow_is_ordered(follow->method) ? 0 : follow->at;
    for (size_t i = 0; i < follow->count - follow->at + before; i++) {
        const size_t index = (follow->at + i) % follow->count;
        if (matches(follow, &follow->asked[index], operation)) {
            follow->at = index;
            return true;
        }
    }
    return false;
}

int follow_operation(struct follow *follow, struct txn *txn, const struct operation *operation)
{
    int error = find_names(follow, txn, operation);
    if (!error && operation->from.environment)
        error = follow_find_source(follow, txn, operation);
    if (!error && operation->kind == OPERATION_ENVIRONMENT_ADD)
        error = find_under(follow, txn, operation);
    if (error)
        return error;
    if ((operation->is_override && !follow->is_override) ||
        (operation->is_allowed_equal && !follow->is_allowed_equal))
        return 1;
    if (operation_destroys(operation->kind) &&
        (operation->until ? operation->until != follow->rev
                          : operation->name_id && operation->purged_rev > follow->rev))
        return 1;
    if (operation->kind == OPERATION_ENVIRONMENT_ADD && !follow_is_ordered(follow->method) &&
        !is_made_as_asked(follow, operation))
        return 1;
    const bool is_key =
        (operation->kind >= OPERATION_IDENTITY && !operation_destroys(operation->kind)) ||
        !follow->count;
    if ((is_key || !find(follow, operation)) && !goes_without_saying(follow, operation))
        return 1;
    remember(follow, operation);
    return 0;
}

const uint8_t *follow_secret(const struct follow *follow, const struct operation *operation)
{
    if (operation->kind != OPERATION_SET_SECRET || operation->from.environment || !follow->count)
        return NULL;
    return follow->asked[follow->at].digest;
}

/* --- the whole --- */

int follow_commit(const struct follow *follow, const uint8_t store_id[static STORE_ID_SIZE],
                  const uint8_t request_id[static REQUEST_ID_SIZE], const char *reason,
                  size_t reason_size, const char **why)
{
    static const uint8_t none[REQUEST_ID_SIZE];
    *why = NULL;
    if (memcmp(follow->store_id, store_id, STORE_ID_SIZE) != 0)
        *why = "what was signed is a request to another store";
    else if (memcmp(follow->request_id, request_id, REQUEST_ID_SIZE) != 0 ||
             memcmp(request_id, none, REQUEST_ID_SIZE) == 0)
        *why = "what was signed is another request";
    else if (follow->reason_size != reason_size ||
             (reason_size && memcmp(follow->reason, reason, reason_size) != 0))
        *why = "what was signed has another reason";
    else if (follow->is_dry_run)
        *why = "what was signed is a dry run";
    return *why ? 1 : 0;
}

void follow_release(struct follow *follow)
{
    bytes_release(&follow->text);
    free(follow->asked);
    free(follow->services);
    *follow = (struct follow){0};
}
