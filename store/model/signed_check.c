#include "store/model/signed_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/crypto/signature.h"
#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/commit.h"
#include "store/log/copied.h"
#include "store/log/follow.h"
#include "store/log/state.h"
#include "store/model/value.h"

#define COMMITS_A_STEP 256
#define SECRETS_A_STEP 512

struct checking {
    struct store *store;
    const struct verify_options *options;
    struct verify_report *report;
    struct txn *txn; /* owned */
    uint64_t rev, head;
    struct secret scratch, source;
    unsigned opened; /* in this snapshot */
};

static void tell(struct checking *checking, uint32_t op, const char *which)
{
    char text[128];
    (void)snprintf(text, sizeof text,
                   "commit %" PRIu64 ": operation %u: the secret is not the one that was %s",
                   checking->rev, op, which);
    checking->report->faults++;
    if (checking->options->fault)
        checking->options->fault(checking->options->arg, text);
}

/* What another part of the proof tells of, or nobody here can look at: what was destroyed, nobody
 * can. */
static int passed_over(int error)
{
    return error == -ERR_CORRUPT || error == -ERR_FORMAT || error == -ERR_NO_KEY ||
                   error == -ERR_PURGED
               ? 0
               : error;
}

static struct definition definition_of(const struct operation *operation, uint64_t rev, uint32_t op)
{
    return (struct definition){.kind = ENTRY_SECRET,
                               .environment = operation->environment,
                               .service = operation->service,
                               .name_id = operation->name_id,
                               .entry_id = operation->entry_id,
                               .rev = rev,
                               .op = op};
}

static int check_secret(struct checking *checking, const struct operation *operation, uint32_t op,
                        const uint8_t asked[static HASH_SIZE])
{
    const struct definition definition = definition_of(operation, checking->rev, op);
    const struct place place = value_place(checking->store, &definition);
    const unsigned char *envelope;
    size_t size;
    int found = value_sealed(checking->txn, &envelope, &size, &definition);
    if (!found)
        found = request_check_secret(checking->store->keyring, checking->txn, &checking->scratch,
                                     &place, envelope, size, asked);
    if (found > 0)
        tell(checking, op, "signed");
    checking->opened++;
    return found < 0 ? passed_over(found) : 0;
}

static int open_secret(struct checking *checking, struct slice *out, struct secret *scratch,
                       const struct operation *operation, uint64_t rev, uint32_t op)
{
    const struct definition definition = definition_of(operation, rev, op);
    return value_bytes(checking->store, checking->txn, &out->data, &out->size, &definition,
                       scratch);
}

/* A secret that was copied is sealed anew, so that the log does not show whether it is the same. */
static int check_copy(struct checking *checking, const struct operation *copy, uint32_t op)
{
    struct operation set = {.from = {0}};
    struct slice body = {0}, was, is;
    struct key key;
    uint32_t source = 0;
    int found = copied_source(checking->txn, &source, copy, checking->rev, op);
    if (!found)
        found = txn_get(checking->txn, &body, DB_LOG, key_operation(&key, copy->from.rev, source));
    if (!found)
        found = operation_decode(&set, body);
    if (found || set.kind != OPERATION_SET_SECRET)
        return found < 0 ? passed_over(found) : 0; /* which the log alone tells */
    found = open_secret(checking, &was, &checking->source, &set, copy->from.rev, source);
    if (!found)
        found = open_secret(checking, &is, &checking->scratch, copy, checking->rev, op);
    if (!found && (was.size != is.size || (is.size && memcmp(was.data, is.data, is.size) != 0)))
        tell(checking, op, "copied");
    checking->opened += 2;
    return passed_over(found);
}

/* Large commits are looked at in more snapshots than one. */
static int renew(struct checking *checking)
{
    if (checking->opened < SECRETS_A_STEP)
        return 0;
    checking->opened = 0;
    txn_reset(checking->txn);
    return txn_renew(checking->txn);
}

/* Positive 1: no more of this commit. */
static int check_operation(struct checking *checking, struct follow *follow, uint32_t op)
{
    struct operation operation;
    int found = renew(checking);
    if (!found)
        found = operation_get(checking->txn, &operation, checking->rev, op);
    if (!found)
        found = follow_operation(follow, checking->txn, &operation);
    if (!found && operation.kind == OPERATION_SET_SECRET && operation.from.environment)
        return check_copy(checking, &operation, op);
    const uint8_t *asked = found ? NULL : follow_secret(follow, &operation);
    return asked ? check_secret(checking, &operation, op, asked) : found;
}

static int check_commit(struct checking *checking, struct slice text)
{
    struct header header;
    struct follow follow;
    struct slice body;
    struct key key;
    int found = txn_get(checking->txn, &body, DB_COMMIT, key_commit(&key, checking->rev));
    if (!found)
        found = header_decode(&header, body);
    if (!found)
        found = follow_begin(&follow, text);
    if (found)
        return found;
    follow.time = header.time;
    for (uint32_t op = 0; op < header.operations && !found; op++)
        found = check_operation(checking, &follow, op);
    follow_release(&follow);
    return found;
}

static int step(struct checking *checking)
{
    int found = txn_renew(checking->txn);
    if (found)
        return found;
    checking->opened = 0;
    for (int i = 0; i < COMMITS_A_STEP && checking->rev < checking->head && !found; i++) {
        struct slice text;
        struct key key;
        checking->rev++;
        found = txn_get(checking->txn, &text, DB_SIGNED, key_commit(&key, checking->rev));
        if (!found)
            found = check_commit(checking, text);
        found = found > 0 ? 0 : passed_over(found);
    }
    txn_reset(checking->txn);
    return found;
}

int signed_check(struct store *store, const struct verify_options *options,
                 struct verify_report *report)
{
    struct checking checking = {
        .store = store, .options = options, .report = report, .head = store_revision(store)};
    if (!keyring_has_identity(store->keyring))
        return 0;
    int result = txn_reader_new(&checking.txn, store->env);
    while (!result && checking.rev < checking.head)
        result = step(&checking);
    txn_free(checking.txn);
    secret_release(&checking.scratch);
    secret_release(&checking.source);
    return passed_over(result);
}
