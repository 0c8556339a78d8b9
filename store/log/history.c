#include "store/log/history.h"

#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/commit.h"
#include "store/log/operation.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"

/* Headers that one call of past_touched looks at before it says "look on". */
#define HEADERS_A_CALL 256

static int find_header(struct txn *txn, struct header *out, struct slice *body, uint64_t rev)
{
    struct key key;
    int found = txn_get(txn, body, DB_COMMIT, key_commit(&key, rev));
    if (!found)
        found = header_decode(out, *body);
    if (!found && out->rev != rev)
        found = error_set(ERR_CORRUPT, "revision %llu: its record is another's",
                          (unsigned long long)rev);
    return found;
}

int past_commit(struct txn *txn, struct commit_info *out, uint64_t rev)
{
    struct slice body;
    struct header header;
    const int found = find_header(txn, &header, &body, rev);
    if (found)
        return found;
    out->rev = rev;
    out->time = header.time;
    header_hash(out->hash, body);
    memcpy(out->parent, header.parent, HASH_SIZE);
    out->operations = header.operations;
    memcpy(out->author.name, header.author, header.author_size);
    out->author.name[header.author_size] = '\0';
    out->author.is_signed = header.is_signed;
    out->author.is_known = false;
    out->author.identity[0] = '\0';
    if (header.is_signed) {
        struct identity_state signer;
        const int known = state_signer(txn, &signer, header.signature.key, rev);
        if (known < 0)
            return known;
        out->author.is_known = !known;
        if (!known)
            memcpy(out->author.identity, signer.name, sizeof out->author.identity);
        memcpy(out->author.key, header.signature.key, SIGNING_KEY_SIZE);
    }
    memcpy(out->reason, header.reason, header.reason_size);
    out->reason[header.reason_size] = '\0';
    return 0;
}

/* The names of an operation's place: those above it by id, the last from the operation itself. */
static int find_path(struct txn *txn, struct path *path, const struct operation *operation)
{
    uint32_t before;
    char key[KEY_NAME_MAX + 1];
    uint32_t service;
    int error = 0;
    *path = (struct path){0};
    if (operation->environment)
        error = state_environment_name(txn, path->environment, &before, operation->environment);
    if (!error && operation->service)
        error = state_service_name(txn, path->service, operation->service);
    if (!error && operation->name_id) {
        error = state_name(txn, &service, key, operation->name_id);
        if (!error)
            memcpy(path->key, key, sizeof key);
    }
    return error > 0 ? error_set(ERR_CORRUPT, "an operation names a place that never was") : error;
}

int past_operation(struct txn *txn, struct operation_info *out, uint64_t rev, uint32_t op)
{
    struct operation operation;
    struct operation_info info = {.rev = rev, .op = op};
    int found = operation_get(txn, &operation, rev, op);
    if (!found)
        found = find_path(txn, &info.path, &operation);
    if (found)
        return found;
    info.kind = operation.kind;
    info.environment = operation.environment;
    info.service = operation.service;
    const bool is_key = operation.kind == OPERATION_SERVICE_KEY ||
                        operation.kind == OPERATION_ENVIRONMENT_KEY ||
                        operation.kind == OPERATION_GRANT;
    info.incarnation = is_key ? 0 : (uint16_t)operation.turn;
    info.name_id = operation.name_id;
    info.first = operation.first;
    info.stored_size = operation.stored_size;
    info.expires = operation.expires;
    info.is_same = operation.is_same;
    info.is_allowed_equal = operation.is_allowed_equal;
    info.is_override = operation.is_override;
    info.from = operation.from;
    info.tagged = operation.tagged;
    info.purged_rev = operation.purged_rev;
    info.purged_op = operation.purged_op;
    info.until = operation.until;
    if (operation_is_of_tag(operation.kind) && operation.name_size <= TAG_NAME_MAX)
        memcpy(info.tag, operation.name, operation.name_size);
    info.rights = operation.rights;
    if (operation.principal)
        memcpy(info.with, operation.principal, operation.principal_size);
    if (operation.consumer)
        memcpy(info.with, operation.consumer, operation.consumer_size);
    *out = info;
    return 0;
}

/* Environments that had this name, newest first; a name that was never used has none. */
static int first_of_name(struct txn *txn, uint32_t *id, const char *name)
{
    struct environment_state state;
    const int found = state_environment(txn, &state, name);
    if (!found)
        *id = state.is.id;
    return found;
}

static int next_of_name(struct txn *txn, uint32_t *id)
{
    char name[ENVIRONMENT_NAME_MAX + 1];
    return state_environment_name(txn, name, id, *id);
}

static int touched_key(struct txn *txn, uint64_t *found, const struct path *path, uint32_t service,
                       uint64_t rev)
{
    struct spot spot;
    uint64_t name_id, newest = 0;
    uint32_t id = 0;
    int error = state_name_id(txn, &name_id, service, path->key);
    if (!error)
        error = first_of_name(txn, &id, path->environment);
    while (!error && id) {
        const int there = state_moment(txn, &spot, id, name_id, rev);
        if (there < 0)
            return there;
        if (!there && spot.since > newest)
            newest = spot.since;
        error = next_of_name(txn, &id);
    }
    if (error)
        return error;
    if (!newest)
        return NOT_THERE;
    *found = newest;
    return 0;
}

static int header_is_about(struct txn *txn, const struct header *header, const char *environment,
                           uint32_t service)
{
    uint32_t id = 0;
    int error = first_of_name(txn, &id, environment);
    while (!error && id) {
        if (header_touches(header, id, service))
            return 0;
        error = next_of_name(txn, &id);
    }
    return error < 0 ? error : NOT_THERE;
}

/* Whether a commit is seen in a place, also where its operations stand elsewhere. */
static int outcome_is_about(struct txn *txn, uint64_t rev, const char *environment,
                            uint32_t service)
{
    struct outcome outcomes[OUTCOMES_A_CHUNK];
    size_t count = 0;
    for (uint32_t chunk = 0;; chunk++) {
        const int found = state_outcomes(txn, outcomes, &count, rev, chunk);
        if (found)
            return found;
        uint32_t id = 0;
        int error = first_of_name(txn, &id, environment);
        while (!error && id) {
            for (size_t i = 0; i < count; i++)
                if (outcomes[i].environment == id &&
                    (service == COMMIT_ANY_SERVICE || outcomes[i].service == service))
                    return 0;
            error = next_of_name(txn, &id);
        }
        if (error)
            return error;
    }
}

static int touched_scope(struct txn *txn, uint64_t *found, const struct path *path,
                         uint32_t service, uint64_t rev)
{
    struct header header;
    struct slice body;
    for (int looked = 0; rev; rev--, looked++) {
        if (looked == HEADERS_A_CALL) {
            *found = rev;
            return LOOK_ON;
        }
        int error = find_header(txn, &header, &body, rev);
        if (error > 0)
            return error_set(ERR_CORRUPT, "revision %llu is gone", (unsigned long long)rev);
        if (!error)
            error = header_is_about(txn, &header, path->environment, service);
        if (error == NOT_THERE)
            error = outcome_is_about(txn, rev, path->environment, service);
        if (!error) {
            *found = rev;
            return 0;
        }
        if (error < 0)
            return error;
    }
    return NOT_THERE;
}

int past_touched(struct txn *txn, uint64_t *found, const struct path *path, uint64_t rev)
{
    struct head head;
    uint32_t service = COMMIT_ANY_SERVICE;
    int error = state_head(txn, &head);
    if (error)
        return error;
    if (rev > head.rev)
        rev = head.rev;
    const enum path_depth depth = path_depth(path);
    if (depth == PATH_ROOT) {
        if (!rev)
            return NOT_THERE;
        *found = rev;
        return 0;
    }
    uint32_t known;
    error = first_of_name(txn, &known, path->environment);
    if (!error && depth >= PATH_SERVICE)
        error = state_service_id(txn, &service, path->service);
    if (error)
        return error;
    return depth == PATH_KEY ? touched_key(txn, found, path, service, rev)
                             : touched_scope(txn, found, path, service, rev);
}
