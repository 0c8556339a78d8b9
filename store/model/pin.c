/*
 * Two places of PLACE_SIZE bytes, written in turn: whatever a power cut leaves of one, the other is
 * whole, and of two whole ones the greater revision counts.
 */
#include "store/model/pin.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/bytes.h"
#include "store/codec.h"
#include "store/crypto/hash.h"
#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/commit.h"

#define PLACE_SIZE 128u
#define PLACES 2u
#define PIN_FORMAT 1
#define BODY_SIZE (1u + STORE_ID_SIZE + 8u + HASH_SIZE)
#define HINT                                                                                       \
    "if that was meant (a backup was brought back, say), accept it: emsa verify --accept-head"

/* --- the file --- */

int pin_open(const char *path)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    struct stat info;
    if (fd < 0)
        return error_system(errno, "cannot open the pin '%s'", path);
    if (fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
        return fd;
    close(fd);
    return error_set(ERR_REFUSED, "the pin '%s' is no file", path);
}

static void encode(unsigned char place[static PLACE_SIZE], const struct pin *pin)
{
    struct bytes body BYTES_CLEANUP = BYTES_INIT(PLACE_SIZE);
    put_u8(&body, PIN_FORMAT);
    bytes_append(&body, pin->store_id, STORE_ID_SIZE);
    put_u64(&body, pin->rev);
    bytes_append(&body, pin->hash, HASH_SIZE);
    memset(place, 0, PLACE_SIZE);
    if (body.error)
        return; /* a place of zeros is none */
    memcpy(place, body.data, BODY_SIZE);
    hash_parts(place + BODY_SIZE, "emsa-pin-1", &(struct hash_part){place, BODY_SIZE}, 1);
}

static bool decode(struct pin *out, const unsigned char place[static PLACE_SIZE])
{
    uint8_t hash[BLAKE_SIZE];
    struct decoder in = DECODER(place, BODY_SIZE);
    hash_parts(hash, "emsa-pin-1", &(struct hash_part){place, BODY_SIZE}, 1);
    if (memcmp(hash, place + BODY_SIZE, BLAKE_SIZE) != 0 || take_u8(&in) != PIN_FORMAT)
        return false;
    take_copy(&in, out->store_id, STORE_ID_SIZE);
    out->rev = take_u64(&in);
    take_copy(&in, out->hash, HASH_SIZE);
    return true;
}

int pin_read(struct pin *out, int fd)
{
    unsigned char places[PLACES][PLACE_SIZE] = {{0}};
    struct pin best = {.rev = 0}, pin;
    bool has_best = false;
    const ssize_t size = pread(fd, places, sizeof places, 0);
    if (size < 0)
        return error_system(errno, "cannot read the pin");
    for (size_t i = 0; i < PLACES; i++)
        if (decode(&pin, places[i]) && (!has_best || pin.rev > best.rev)) {
            best = pin;
            has_best = true;
        }
    if (!has_best)
        return size > 0 ? error_set(ERR_CORRUPT, "the pin is damaged") : NOT_THERE;
    *out = best;
    return 0;
}

static int write_place(int fd, const unsigned char place[static PLACE_SIZE], unsigned number)
{
    const ssize_t done = pwrite(fd, place, PLACE_SIZE, (off_t)(number * PLACE_SIZE));
    if (done == (ssize_t)PLACE_SIZE)
        return 0;
    return error_system(done < 0 ? errno : ENOSPC, "cannot write the pin");
}

int pin_write(int fd, const struct pin *pin)
{
    unsigned char place[PLACE_SIZE];
    encode(place, pin);
    return write_place(fd, place, (unsigned)(pin->rev % PLACES));
}

int pin_replace(int fd, const struct pin *pin)
{
    unsigned char place[PLACE_SIZE];
    int error = 0;
    encode(place, pin);
    for (unsigned i = 0; i < PLACES && !error; i++)
        error = write_place(fd, place, i);
    if (!error && fsync(fd))
        error = error_system(errno, "cannot write the pin out");
    return error;
}

/* --- a store against its pin --- */

static int hash_of(struct txn *txn, uint8_t hash[static HASH_SIZE], struct header *header,
                   uint64_t rev)
{
    struct slice body;
    struct key key;
    int found = txn_get(txn, &body, DB_COMMIT, key_commit(&key, rev));
    if (!found)
        found = header_decode(header, body);
    if (found)
        return found < 0 ? found : error_set(ERR_CORRUPT, "commit %" PRIu64 " is not there", rev);
    header_hash(hash, body);
    return 0;
}

/* From the pinned commit to the newest each names the one before. */
static int follow(struct txn *txn, const struct pin *pin, const struct head *head)
{
    uint8_t hash[HASH_SIZE], previous[HASH_SIZE];
    struct header header;
    memcpy(previous, pin->hash, HASH_SIZE);
    for (uint64_t rev = pin->rev; rev && rev <= head->rev; rev++) {
        const int error = hash_of(txn, hash, &header, rev);
        if (error)
            return error;
        const bool fits = rev == pin->rev ? memcmp(hash, previous, HASH_SIZE) == 0
                                          : memcmp(header.parent, previous, HASH_SIZE) == 0;
        if (!fits)
            return error_set(ERR_CORRUPT,
                             "a second head: commit %" PRIu64
                             " is not the one that was seen here before, or does not follow it",
                             rev);
        memcpy(previous, hash, HASH_SIZE);
    }
    if (memcmp(previous, head->hash, HASH_SIZE) == 0)
        return 0;
    return error_set(ERR_CORRUPT, "a second head: the newest commit is not what the chain of "
                                  "commits ends with");
}

static int compare(struct store *store, struct txn *txn, const struct head *head)
{
    const struct pin *pin = &store->pin_was;
    if (memcmp(pin->store_id, store->id, STORE_ID_SIZE) != 0)
        return error_set(ERR_CORRUPT, "another store: its id is not that of the store which was "
                                      "seen here before");
    if (head->rev < pin->rev)
        return error_set(ERR_CORRUPT,
                         "an older head: the store stands at revision %" PRIu64
                         ", and stood at revision %" PRIu64
                         " here before: this is an older copy of it",
                         head->rev, pin->rev);
    return follow(txn, pin, head);
}

static void pin_of(struct pin *out, const struct store *store, const struct head *head)
{
    out->rev = head->rev;
    memcpy(out->store_id, store->id, STORE_ID_SIZE);
    memcpy(out->hash, head->hash, HASH_SIZE);
}

void pin_head(struct store *store, const struct head *head)
{
    struct pin pin;
    if (store->pin_fd <= 0)
        return;
    pin_of(&pin, store, head);
    /* The commit is there. A pin that can't be written lags, as it does after a power cut. */
    if (pin_write(store->pin_fd, &pin) && !atomic_exchange(&store->pin_failed, true) &&
        store->alarm)
        store->alarm(store->alarm_arg, error_text());
}

static int refuse(struct store *store, bool accepts)
{
    (void)snprintf(store->pin_difference, sizeof store->pin_difference, "%s", error_text());
    if (accepts)
        return 0;
    error_set(ERR_CORRUPT, "%s", store->pin_difference);
    return error_add(ERR_CORRUPT, HINT);
}

int pin_begin(struct store *store, struct txn *txn, bool accepts)
{
    struct head head;
    if (store->pin_fd <= 0)
        return 0;
    int found = pin_read(&store->pin_was, store->pin_fd);
    store->had_pin = !found;
    int error = state_head(txn, &head);
    if (error)
        return error;
    if (!found)
        found = compare(store, txn, &head);
    if (found < 0)
        return found == -ERR_CORRUPT || found == -ERR_FORMAT ? refuse(store, accepts) : found;
    if (!store->had_pin || head.rev > store->pin_was.rev)
        pin_head(store, &head);
    return 0;
}

/* --- for who looks --- */

static int read_head(struct store *store, struct head *head)
{
    struct txn *txn;
    int error = txn_reader_new(&txn, store->env);
    if (error)
        return error;
    error = txn_renew(txn);
    if (!error) {
        error = state_head(txn, head);
        txn_reset(txn);
    }
    txn_free(txn);
    return error;
}

int store_pinned(struct store *store, struct pin_report *out)
{
    struct head head;
    const int error = read_head(store, &head);
    if (error)
        return error;
    *out = (struct pin_report){.is_pinned = store->pin_fd > 0,
                               .had_pin = store->had_pin,
                               .was = store->pin_was,
                               .verdict = store->pin_difference[0] ? -ERR_CORRUPT : 0,
                               .difference = store->pin_difference};
    pin_of(&out->head, store, &head);
    return 0;
}

int store_pin_head(struct store *store)
{
    struct head head;
    struct pin pin;
    if (store->pin_fd <= 0)
        return 0;
    pthread_mutex_lock(&store->writer);
    int error = read_head(store, &head);
    if (!error) {
        pin_of(&pin, store, &head);
        error = pin_replace(store->pin_fd, &pin);
    }
    if (!error)
        store->pin_difference[0] = '\0';
    pthread_mutex_unlock(&store->writer);
    return error;
}
