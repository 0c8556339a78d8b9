/* One operation against everything that was derived from it, and one current entry against its
 * history. */
#include <inttypes.h>
#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/verify_internal.h"

struct subject { /* the operation in hand */
    uint32_t op;
    struct operation operation;
    char what[64];
    char name[KEY_NAME_MAX + 1];
};

static int check_value(struct verify *verify, const struct subject *subject)
{
    struct slice body;
    struct key key;
    uint8_t digest[HASH_SIZE];
    const unsigned char *data;
    size_t size = 0;
    const struct operation *operation = &subject->operation;
    int found =
        txn_get(verify->txn, &body, DB_VALUE, key_operation(&key, verify->rev, subject->op));
    if (!found) {
        value_digest(digest, body);
        if (memcmp(digest, operation->digest, HASH_SIZE) != 0)
            return verify_fault(verify, "%s: its value does not match its hash", subject->what);
        found = value_decode(&data, &size, operation->kind, body);
    }
    found = verify_read(verify, found, subject->what);
    if (found)
        return found == TXN_NOT_FOUND
                   ? verify_fault(verify, "%s: its value is not there", subject->what)
               : found < 0 ? found
                           : 0;
    verify->report->values++;
    if (operation->kind == OPERATION_SET_PLAIN && size != operation->stored_size)
        verify_fault(verify, "%s: its value is not of its recorded size", subject->what);
    return 0;
}

/* When the key's life began, as the history before this revision says. */
static int find_first(struct verify *verify, const struct operation *operation, uint64_t *rev,
                      int64_t *time)
{
    struct moment before;
    *rev = verify->rev;
    *time = verify->time;
    if (operation->first || verify->rev == 1)
        return 0;
    const int found = state_moment(verify->txn, &before, operation->environment, operation->name_id,
                                   verify->rev - 1);
    if (!found && !before.removed && before.entry.entry_id == operation->entry_id) {
        *rev = before.entry.first_rev;
        *time = before.entry.first_time;
    }
    return found < 0 ? found : 0;
}

/* Whether the moment is of a later operation of this commit on the same key: 1, 0, or a failure
 * that is no damage. */
static int is_later(struct verify *verify, const struct subject *subject,
                    const struct moment *moment)
{
    struct slice body;
    struct key key;
    struct operation later;
    const struct operation *operation = &subject->operation;
    if (moment->entry.op <= subject->op)
        return 0;
    const struct slice place = key_operation(&key, verify->rev, moment->entry.op);
    int found = txn_get(verify->txn, &body, DB_LOG, place);
    if (!found)
        found = operation_decode(&later, body);
    if (found)
        return found == -ERR_CORRUPT || found == -ERR_FORMAT || found > 0 ? 0 : found;
    return later.environment == operation->environment && later.name_id == operation->name_id;
}

/* Where the operation is the newest of its key, the current entry is what it made. (The walk of the
 * current entries alone would miss one that the tree no longer leads to.) */
static int check_current(struct verify *verify, const struct subject *subject)
{
    const struct operation *operation = &subject->operation;
    struct moment newest;
    struct entry entry;
    int found =
        state_moment(verify->txn, &newest, operation->environment, operation->name_id, UINT64_MAX);
    if (!found && (newest.entry.rev != verify->rev || newest.entry.op != subject->op))
        return 0;
    if (!found)
        found = state_current(verify->txn, &entry, operation->environment, operation->service,
                              subject->name);
    found = verify_read(verify, found, subject->what);
    if (found < 0 || found == VERIFY_DAMAGED)
        return found < 0 ? found : 0;
    const bool is_there = !found && entry.rev == verify->rev && entry.op == subject->op;
    if (is_there && !newest.removed)
        return verify_expiry_of(verify, &entry);
    if (is_there == newest.removed || (newest.removed && !found))
        verify_fault(verify, "%s: the current entry '%s' does not match the log", subject->what,
                     subject->name);
    return 0;
}

/* A removal that says that a moment had come is of an entry that was to end then, and not earlier:
 * so nobody's ttl, nobody's removal. */
static int check_expired(struct verify *verify, const struct subject *subject)
{
    const struct operation *operation = &subject->operation;
    struct moment before;
    const int found = verify_read(verify,
                                  state_moment(verify->txn, &before, operation->environment,
                                               operation->name_id, verify->rev - 1),
                                  subject->what);
    if (found < 0 || found == VERIFY_DAMAGED)
        return found < 0 ? found : 0;
    if (found || before.removed || before.entry.entry_id != operation->entry_id ||
        before.entry.expires != operation->expires || operation->expires > verify->time)
        verify_fault(verify, "%s: it says that '%s' expired, which the log does not bear out",
                     subject->what, subject->name);
    return 0;
}

/* The history's record of this revision is about the last operation on the key in it. */
static int check_moment(struct verify *verify, const struct subject *subject)
{
    const struct operation *operation = &subject->operation;
    const bool is_removal = operation->kind == OPERATION_REMOVE;
    const int64_t expires = is_removal ? 0 : operation->expires;
    struct moment moment;
    uint64_t first_rev = 0;
    int64_t first_time = 0;
    verify->report->derived++;
    int found =
        state_moment(verify->txn, &moment, operation->environment, operation->name_id, verify->rev);
    if (!found && moment.entry.rev != verify->rev)
        found = TXN_NOT_FOUND;
    const int later = found ? 0 : is_later(verify, subject, &moment);
    if (later)
        return later < 0 ? later : 0; /* its turn will come */
    if (!found)
        found = find_first(verify, operation, &first_rev, &first_time);
    found = verify_read(verify, found, subject->what);
    if (found < 0)
        return found;
    verify->expected.moments++;
    const struct entry *entry = &moment.entry;
    if (found == TXN_NOT_FOUND ||
        (!found && (entry->op != subject->op || moment.removed != is_removal ||
                    (!is_removal && entry->kind != (enum entry_kind)operation->kind) ||
                    entry->entry_id != operation->entry_id || entry->first_rev != first_rev ||
                    entry->first_time != first_time || entry->time != verify->time ||
                    entry->expires != expires || entry->stored_size != operation->stored_size)))
        verify_fault(verify, "%s: the history of '%s' does not match the log", subject->what,
                     subject->name);
    return check_current(verify, subject);
}

/* The name's record, both ways. */
static int check_name(struct verify *verify, const struct subject *subject)
{
    const struct operation *operation = &subject->operation;
    char key[KEY_NAME_MAX + 1];
    uint32_t service = 0;
    uint64_t id = 0;
    verify->report->derived += 2;
    int found = state_name(verify->txn, &service, key, operation->name_id);
    if (!found)
        found = state_name_id(verify->txn, &id, operation->service, subject->name);
    found = verify_read(verify, found, subject->what);
    if (found == TXN_NOT_FOUND ||
        (!found && (service != operation->service || id != operation->name_id ||
                    strcmp(key, subject->name) != 0)))
        verify_fault(verify, "%s: the id of '%s' is recorded wrongly", subject->what,
                     subject->name);
    return found < 0 ? found : 0;
}

static int check_identity(struct verify *verify, const struct subject *subject)
{
    const struct operation *operation = &subject->operation;
    struct identity_state identity;
    verify->report->derived++;
    const int found = verify_read(
        verify, state_identity(verify->txn, &identity, operation->public_key), subject->what);
    if (found == TXN_NOT_FOUND ||
        (!found && (identity.rev != verify->rev ||
                    memcmp(identity.signing_key, operation->signing_key, CRYPTO_KEY_SIZE) != 0)))
        verify_fault(verify, "%s: the identity's record does not match the log", subject->what);
    return found < 0 ? found : 0;
}

static int check_pair(struct verify *verify, const struct subject *subject)
{
    const struct operation *operation = &subject->operation;
    struct wrapped_key key = {.owner = {.environment = operation->environment,
                                        .service = operation->service,
                                        .generation = operation->turn}};
    int found = 0;
    verify->report->derived++;
    if (operation->public_key) {
        found = state_pair(verify->txn, &key.owner);
        if (!found && memcmp(key.owner.public_key, operation->public_key, CRYPTO_KEY_SIZE) != 0)
            found = TXN_NOT_FOUND;
    }
    if (!found && operation->wrapped) {
        memcpy(key.for_public_key, operation->for_key, CRYPTO_KEY_SIZE);
        found = state_wrapped_key(verify->txn, &key);
        if (!found && memcmp(key.data, operation->wrapped, WRAPPED_KEY_SIZE) != 0)
            found = TXN_NOT_FOUND;
    }
    found = verify_read(verify, found, subject->what);
    if (found == TXN_NOT_FOUND)
        verify_fault(verify, "%s: the key's record does not match the log", subject->what);
    return found < 0 ? found : 0;
}

static int check_derived(struct verify *verify, const struct subject *subject)
{
    int error = 0;
    switch (subject->operation.kind) {
    case OPERATION_SET_PLAIN:
    case OPERATION_SET_SECRET:
        error = check_value(verify, subject);
        if (error)
            return error;
        break;
    case OPERATION_IDENTITY:
        return check_identity(verify, subject);
    case OPERATION_ENVIRONMENT_KEY:
    case OPERATION_SERVICE_KEY:
    case OPERATION_GRANT:
        return check_pair(verify, subject);
    case OPERATION_REMOVE:
        error = subject->operation.expires ? check_expired(verify, subject) : 0;
        if (error)
            return error;
        break;
    default:
        return 0; /* places are compared at the end of the log */
    }
    error = check_name(verify, subject);
    return error ? error : check_moment(verify, subject);
}

static int add_leaf(struct verify *verify, const struct subject *subject, struct slice body)
{
    struct leaf leaf = {.environment = subject->operation.environment,
                        .service = subject->operation.service,
                        .op = subject->op};
    operation_leaf(leaf.hash, verify->store_id, verify->rev, subject->op, body);
    return leaves_add(&verify->leaves, &leaf);
}

int verify_operation(struct verify *verify, uint32_t op)
{
    struct subject subject = {.op = op};
    struct slice body;
    struct key key;
    const char *why = NULL;
    snprintf(subject.what, sizeof subject.what, "commit %" PRIu64 ": operation %u", verify->rev,
             op);
    int found = txn_get(verify->txn, &body, DB_LOG, key_operation(&key, verify->rev, op));
    if (!found)
        found = operation_decode(&subject.operation, body);
    found = verify_read(verify, found, subject.what);
    if (found == TXN_NOT_FOUND)
        verify_fault(verify, "%s: it is not there", subject.what);
    if (found)
        return found < 0 ? found : 0;
    verify->report->operations++;
    memcpy(subject.name, subject.operation.name, subject.operation.name_size);
    found = add_leaf(verify, &subject, body);
    if (found)
        return found;
    found = expected_apply(&verify->expected, &why, &subject.operation, verify->rev, verify->time);
    if (found > 0)
        verify_fault(verify, "%s: %s", subject.what, why);
    return found < 0 ? found : check_derived(verify, &subject);
}

/* --- current entries --- */

static bool same_entry(const struct entry *a, const struct entry *b)
{
    return a->kind == b->kind && a->entry_id == b->entry_id && a->rev == b->rev && a->op == b->op &&
           a->first_rev == b->first_rev && a->time == b->time && a->first_time == b->first_time &&
           a->expires == b->expires && a->stored_size == b->stored_size;
}

static int check_entry(struct verify *verify, const struct entry *entry)
{
    struct moment moment;
    char key[KEY_NAME_MAX + 1];
    uint32_t service = 0;
    verify->report->derived++;
    int found = state_moment(verify->txn, &moment, entry->environment, entry->name_id, UINT64_MAX);
    if (!found)
        found = state_name(verify->txn, &service, key, entry->name_id);
    found = verify_read(verify, found, "current entry");
    if (found == TXN_NOT_FOUND ||
        (!found && (moment.removed || !same_entry(entry, &moment.entry) ||
                    service != entry->service || strcmp(key, entry->key) != 0)))
        verify_fault(verify, "current entry '%s' of %u/%u does not match its history", entry->key,
                     entry->environment, entry->service);
    return found < 0 ? found : verify_expiry_of(verify, entry);
}

/* Remembers where the walk stands. False: the key is none. */
static bool stand_at(struct verify *verify, struct slice found)
{
    verify->has_entry = found.data && !key_current_parse(found, &verify->environment,
                                                         &verify->service, verify->key);
    return verify->has_entry;
}

int verify_next_entry(struct verify *verify)
{
    struct key from;
    struct slice found_key = {0}, body;
    struct entry entry;
    int found = txn_seek(verify->txn, &found_key, &body, DB_CURRENT,
                         key_current(&from, verify->environment, verify->service, verify->key),
                         verify->has_entry);
    found = verify_read(verify, found, "current entries");
    if (found == TXN_NOT_FOUND || found < 0)
        return found;
    /* A damaged record is passed over by its key; over a damaged tree there is no way on. */
    if (!stand_at(verify, found_key)) {
        verify_fault(verify, "current entries: the rest cannot be walked");
        return TXN_NOT_FOUND;
    }
    if (found)
        return 0;
    found = state_current(verify->txn, &entry, verify->environment, verify->service, verify->key);
    found = verify_read(verify, found, "current entry");
    return found ? (found < 0 ? found : 0) : check_entry(verify, &entry);
}
