/* Fingerprints of all secrets that are set, made anew where the store has none. */
#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/state.h"
#include "store/model/leak.h"
#include "store/model/leak_check.h"
#include "store/model/resolve.h"
#include "store/model/value.h"

#define SPOTS_A_STEP 512u

struct mark {
    uint32_t environment;
    uint64_t name_id;
    uint8_t fingerprint[FINGERPRINT_SIZE];
};

struct making {
    struct store *store;
    struct txn *txn; /* owned; a reader */
    /* the last spot that was looked at; service 0: none was */
    uint32_t environment, service;
    char key[KEY_NAME_MAX + 1];
    struct mark marks[SPOTS_A_STEP]; /* of this step */
    size_t count;
    uint64_t without;
};

/* The secret's mark; nothing where it is one that the guard does not look at. */
static int mark_secret(struct making *making, const struct spot *spot)
{
    SECRET_CLEANUP struct secret scratch = {0};
    const struct definition definition = spot_definition(spot);
    struct mark *mark = &making->marks[making->count];
    const unsigned char *data;
    size_t size;
    int error = value_bytes(making->store, making->txn, &data, &size, &definition, &scratch);
    if (!error && !leak_is_telling(data, size))
        return 0;
    if (!error)
        error =
            keyring_fingerprint(making->store->keyring, making->txn, mark->fingerprint, data, size);
    if (error == -ERR_NO_KEY) {
        making->without++;
        return 0;
    }
    mark->environment = spot->environment;
    mark->name_id = spot->name_id;
    making->count += !error;
    return error;
}

/* NOT_THERE: that was the last. */
static int next_spot(struct making *making)
{
    struct key from;
    struct slice found, body;
    struct spot spot = {.kind = SPOT_NONE};
    int result = txn_seek(making->txn, &found, &body, DB_CURRENT,
                          key_current(&from, making->environment, making->service, making->key),
                          making->service != 0);
    if (!result)
        result = key_current_parse(found, &making->environment, &making->service, making->key);
    if (!result)
        result =
            state_current(making->txn, &spot, making->environment, making->service, making->key);
    if (result || spot.kind != ENTRY_SECRET)
        return result;
    return mark_secret(making, &spot);
}

static int write_marks(struct making *making)
{
    struct txn *txn;
    int error = env_make_room(making->store->env, making->count * 256);
    if (!error)
        error = txn_write_begin(&txn, making->store->env);
    if (error)
        return error;
    for (size_t i = 0; i < making->count && !error; i++)
        error = leak_note(txn, making->marks[i].environment, making->marks[i].name_id,
                          making->marks[i].fingerprint);
    if (!error)
        return txn_commit(txn);
    txn_free(txn);
    return error;
}

/* NOT_THERE: the end. */
static int step(struct making *making)
{
    making->count = 0;
    int result = txn_renew(making->txn);
    if (result)
        return result;
    for (size_t i = 0; i < SPOTS_A_STEP && !result; i++)
        result = next_spot(making);
    txn_reset(making->txn);
    const int error = result >= 0 && making->count ? write_marks(making) : 0;
    return error ? error : result;
}

int leak_make(struct store *store, uint64_t *without)
{
    struct making making = {.store = store};
    int result = txn_reader_new(&making.txn, store->env);
    while (!result)
        result = step(&making);
    txn_free(making.txn);
    if (result < 0)
        return result;
    *without = making.without;
    return 0;
}
