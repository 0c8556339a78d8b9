#include "store/model/leak_check.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"
#include "store/model/value.h"

#define SECRETS_A_STEP 512

struct checking {
    struct store *store;
    const struct verify_options *options;
    struct verify_report *report;
    struct txn *txn; /* owned */
    struct state_leak at;
};

static void tell(struct checking *checking, const char *why)
{
    char text[256];
    (void)snprintf(text, sizeof text, "the fingerprint of key %" PRIu64 " of environment %u: %s",
                   checking->at.name_id, checking->at.environment, why);
    checking->report->faults++;
    if (checking->options->fault)
        checking->options->fault(checking->options->arg, text);
}

/* The next place that has one. NOT_THERE: that was all. */
static int next_place(struct checking *checking)
{
    struct key from;
    struct slice found, body;
    const int result =
        txn_seek(checking->txn, &found, &body, DB_LEAK,
                 key_leak_place(&from, checking->at.environment, checking->at.name_id), true);
    return result ? result
                  : key_leak_place_parse(found, &checking->at.environment, &checking->at.name_id);
}

static int fingerprint_now(struct checking *checking, uint8_t out[static FINGERPRINT_SIZE])
{
    SECRET_CLEANUP struct secret scratch = {0};
    struct definition definition = {.environment = checking->at.environment,
                                    .name_id = checking->at.name_id,
                                    .kind = ENTRY_SECRET};
    char key[KEY_NAME_MAX + 1];
    const unsigned char *data;
    struct spot spot = {.kind = SPOT_NONE};
    size_t size;
    int found = state_name(checking->txn, &definition.service, key, definition.name_id);
    if (!found)
        found = state_moment(checking->txn, &spot, definition.environment, definition.name_id,
                             UINT64_MAX);
    if (found || spot.kind != ENTRY_SECRET)
        return found ? found : NOT_THERE;
    definition.entry_id = spot.entry_id;
    definition.rev = spot.since;
    definition.op = spot.op;
    definition.stored_size = spot.stored_size;
    found = value_bytes(checking->store, checking->txn, &data, &size, &definition, &scratch);
    return found ? found
                 : keyring_fingerprint(checking->store->keyring, checking->txn, out, data, size);
}

static int check_one(struct checking *checking)
{
    uint8_t fingerprint[FINGERPRINT_SIZE];
    int found = state_leak(checking->txn, &checking->at);
    if (!found)
        found = fingerprint_now(checking, fingerprint);
    if (found == NOT_THERE)
        return 0; /* verification has told of that */
    if (found == -ERR_CORRUPT || found == -ERR_FORMAT) {
        tell(checking, error_text());
        return 0;
    }
    if (!found && memcmp(fingerprint, checking->at.fingerprint, FINGERPRINT_SIZE) != 0)
        tell(checking, "it is not that of the secret");
    return found;
}

/* Positive NOT_THERE: the end. */
static int step(struct checking *checking)
{
    int result = txn_renew(checking->txn);
    if (result)
        return result;
    for (int i = 0; i < SECRETS_A_STEP && !result; i++) {
        result = next_place(checking);
        if (!result)
            result = check_one(checking);
    }
    txn_reset(checking->txn);
    return result;
}

int leak_check(struct store *store, const struct verify_options *options,
               struct verify_report *report)
{
    struct checking checking = {.store = store, .options = options, .report = report};
    if (!keyring_has_identity(store->keyring))
        return 0;
    int result = txn_reader_new(&checking.txn, store->env);
    while (!result)
        result = step(&checking);
    txn_free(checking.txn);
    /* Damage on the way is told of by the walks; without the key nothing more can be said. */
    return result == -ERR_CORRUPT || result == -ERR_FORMAT || result == -ERR_NO_KEY || result > 0
               ? 0
               : result;
}
