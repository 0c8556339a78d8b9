/* What an opening left: the bodies of all records against their hashes (store/model/whole.h). */
#include <string.h>

#include "store/error.h"
#include "store/model/core.h"
#include "store/pin.h"

#define RECORDS_A_STEP 1000
#define TOLD_MAX 16
#define KEY_MAX 511 /* of LMDB */

struct reading {
    struct txn *txn;
    enum database database;
    unsigned char key[KEY_MAX]; /* of the last that was read, with its size; 0: none yet */
    size_t size;
    unsigned damaged;
};

/* Some records, in a snapshot of its own. Positive: the database has no more. */
static int read_some(struct reading *reading)
{
    int result = txn_renew(reading->txn);
    for (int i = 0; i < RECORDS_A_STEP && !result; i++) {
        struct slice found = {0}, body;
        result = txn_seek(reading->txn, &found, &body, reading->database,
                          (struct slice){reading->key, reading->size}, true);
        if (result == -ERR_CORRUPT && found.data && found.size <= KEY_MAX) {
            reading->damaged++; /* the environment has raised its alarm */
            result = 0;
        }
        if (result)
            break;
        memcpy(reading->key, found.data, found.size);
        reading->size = found.size;
    }
    txn_reset(reading->txn);
    return result;
}

static int read_all(struct store *store, struct reading *reading, const atomic_bool *stops)
{
    int result = 0;
    for (int i = 0; i < DB_COUNT && result >= 0; i++) {
        reading->database = (enum database)i;
        reading->size = 0;
        do {
            if (atomic_load(stops))
                return 0;
            if (reading->damaged >= TOLD_MAX)
                return store_damage(store, env_alarms(store->env),
                                    error_set(ERR_CORRUPT, "more records may be damaged; which "
                                                           "they are: emsa verify"));
            result = read_some(reading);
        } while (!result);
    }
    return result < 0 ? result : 0;
}

bool store_is_read(const struct store *store)
{
    return !store->bodies_left;
}

int store_read_on(struct store *store, const atomic_bool *stops)
{
    struct reading reading = {.size = 0};
    if (store_is_read(store))
        return 0;
    int error = txn_reader_new(&reading.txn, store->env);
    if (error)
        return error;
    error = read_all(store, &reading, stops);
    txn_free(reading.txn);
    return error;
}
