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

#include "store/codec.h"
#include "store/crypto/hash.h"
#include "store/db/keys.h"
#include "store/db/whole.h"
#include "store/error.h"
#include "store/log/commit.h"
#include "store/model/whole.h"

#define PLACE_SIZE 128u
#define PLACES 2u
#define PIN_FORMAT 2
#define PIN_FORMAT_BEFORE 1 /* without flags and key */
#define BODY_SIZE_BEFORE (1u + STORE_ID_SIZE + 8u + HASH_SIZE)
#define BODY_SIZE (BODY_SIZE_BEFORE + 1u + PIN_KEY_SIZE)
#define FLAG_SEALED 1u
_Static_assert(BODY_SIZE + BLAKE_SIZE <= PLACE_SIZE, "a place has room for it");
#define HINT                                                                                       \
    "if that was meant (a backup was brought back, say), accept it: emsa verify --accept-head"

/* --- the file --- */

int pin_open(const char *path)
{
    const int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK, 0600);
    struct stat info;
    if (fd < 0 && errno != ELOOP && errno != EISDIR && errno != ENXIO)
        return error_system(errno, "cannot open the pin '%s'", path);
    if (fd >= 0 && fstat(fd, &info) == 0 && S_ISREG(info.st_mode))
        return fd;
    if (fd >= 0)
        close(fd);
    return error_set(ERR_REFUSED, "the pin '%s' is no file (a link is not followed)", path);
}

/* Places have a key in them: whoever has one on the stack wipes it. */
static void encode(unsigned char place[static PLACE_SIZE], const struct pin *pin,
                   const struct secret *key)
{
    unsigned char *at = place;
    memset(place, 0, PLACE_SIZE);
    *at++ = PIN_FORMAT;
    memcpy(at, pin->store_id, STORE_ID_SIZE);
    at += STORE_ID_SIZE;
    for (int i = 0; i < 8; i++)
        *at++ = (unsigned char)(pin->rev >> (8 * i));
    memcpy(at, pin->hash, HASH_SIZE);
    at += HASH_SIZE;
    *at++ = pin->is_sealed ? FLAG_SEALED : 0;
    memcpy(at, key->data, PIN_KEY_SIZE);
    hash_parts(place + BODY_SIZE, "emsa-pin-1", &(struct hash_part){place, BODY_SIZE}, 1);
}

/* Where the key stands in the place is *key, or NULL. */
static bool decode(struct pin *out, const unsigned char **key,
                   const unsigned char place[static PLACE_SIZE])
{
    uint8_t hash[BLAKE_SIZE];
    const unsigned size = place[0] == PIN_FORMAT ? BODY_SIZE : BODY_SIZE_BEFORE;
    struct decoder in = DECODER(place, size);
    hash_parts(hash, "emsa-pin-1", &(struct hash_part){place, size}, 1);
    const unsigned format = take_u8(&in);
    if (memcmp(hash, place + size, BLAKE_SIZE) != 0 ||
        (format != PIN_FORMAT && format != PIN_FORMAT_BEFORE))
        return false;
    take_copy(&in, out->store_id, STORE_ID_SIZE);
    out->rev = take_u64(&in);
    take_copy(&in, out->hash, HASH_SIZE);
    out->is_sealed = format == PIN_FORMAT && (take_u8(&in) & FLAG_SEALED);
    *key = format == PIN_FORMAT ? take_bytes(&in, PIN_KEY_SIZE) : NULL;
    return true;
}

static int read_places(struct pin *out, struct secret *key,
                       const unsigned char places[static PLACES * PLACE_SIZE])
{
    struct pin pin = {0};
    const unsigned char *at = NULL, *best_key = NULL;
    bool has_best = false;
    for (size_t i = 0; i < PLACES; i++)
        if (decode(&pin, &at, places + i * PLACE_SIZE) &&
            (!has_best || pin.rev > out->rev || (pin.rev == out->rev && i == pin.rev % PLACES))) {
            *out = pin;
            best_key = at;
            has_best = true;
        }
    if (!has_best)
        return error_set(ERR_CORRUPT, "the pin is damaged");
    return key && best_key ? secret_copy(key, best_key, PIN_KEY_SIZE) : 0;
}

int pin_read(struct pin *out, struct secret *key, int fd)
{
    unsigned char places[PLACES * PLACE_SIZE] = {0};
    struct pin pin = {0};
    const ssize_t size = pread(fd, places, sizeof places, 0);
    if (size < 0)
        return error_system(errno, "cannot read the pin");
    if (size == 0)
        return NOT_THERE;
    const int error = read_places(&pin, key, places);
    explicit_bzero(places, sizeof places);
    if (!error)
        *out = pin;
    return error;
}

static int write_place(int fd, const unsigned char place[static PLACE_SIZE], unsigned number)
{
    const ssize_t done = pwrite(fd, place, PLACE_SIZE, (off_t)(number * PLACE_SIZE));
    if (done == (ssize_t)PLACE_SIZE)
        return 0;
    return error_system(done < 0 ? errno : ENOSPC, "cannot write the pin");
}

int pin_write(int fd, const struct pin *pin, const struct secret *key)
{
    unsigned char place[PLACE_SIZE];
    encode(place, pin, key);
    const int error = write_place(fd, place, (unsigned)(pin->rev % PLACES));
    explicit_bzero(place, sizeof place);
    return error;
}

int pin_replace(int fd, const struct pin *pin, const struct secret *key)
{
    unsigned char place[PLACE_SIZE];
    int error = 0;
    encode(place, pin, key);
    for (unsigned i = 0; i < PLACES && !error; i++)
        error = write_place(fd, place, i);
    if (!error && fsync(fd))
        error = error_system(errno, "cannot write the pin out");
    explicit_bzero(place, sizeof place);
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

/* An environment that has the key writes a seal with each commit, also one that is unsure. */
static void pin_of(struct pin *out, const struct store *store, const struct head *head)
{
    *out = (struct pin){.rev = head->rev, .is_sealed = store->is_sealed};
    memcpy(out->store_id, store->id, STORE_ID_SIZE);
    memcpy(out->hash, head->hash, HASH_SIZE);
}

static void write_pin(struct store *store, const struct head *head)
{
    struct pin pin;
    pin_of(&pin, store, head);
    /* The commit is there. A pin that can't be written lags, as it does after a power cut. */
    if (pin_write(store->pin_fd, &pin, &store->pin_key) &&
        !atomic_exchange(&store->pin_failed, true) && store->alarm)
        store->alarm(store->alarm_arg, error_text());
}

void pin_head(struct store *store, const struct head *head)
{
    if (store->pin_fd <= 0)
        return;
    store->is_sealed = true; /* each commit of ours writes a seal */
    write_pin(store, head);
}

void pin_sealed(struct store *store, const struct head *head)
{
    if (store->pin_fd > 0 && !store->pin_difference[0] &&
        (store->is_sealed != store->pin_was.is_sealed || !store->had_pin ||
         head->rev != store->pin_was.rev))
        write_pin(store, head);
}

static int refuse(struct store *store, bool accepts)
{
    (void)snprintf(store->pin_difference, sizeof store->pin_difference, "%s", error_text());
    if (accepts)
        return 0;
    error_set(ERR_CORRUPT, "%s", store->pin_difference);
    return error_add(ERR_CORRUPT, HINT);
}

/* For a pin that has none: it is written with the pin. */
static int make_key(struct store *store)
{
    const int error = secret_alloc(&store->pin_key, PIN_KEY_SIZE);
    if (error)
        return error;
    random_bytes(store->pin_key.data, PIN_KEY_SIZE);
    store->pin_key.size = PIN_KEY_SIZE;
    return 0;
}

int pin_begin(struct store *store, struct txn *txn, bool accepts)
{
    struct head head;
    if (store->pin_fd <= 0)
        return 0;
    int found = pin_read(&store->pin_was, &store->pin_key, store->pin_fd);
    store->had_pin = !found;
    int error = state_head(txn, &head);
    if (!error && !store->pin_key.size)
        error = make_key(store);
    if (error)
        return error;
    if (!found)
        found = compare(store, txn, &head);
    if (found < 0)
        return found == -ERR_CORRUPT || found == -ERR_FORMAT ? refuse(store, accepts) : found;
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
    const char *difference =
        store->pin_difference[0] ? store->pin_difference : store->whole_difference;
    *out = (struct pin_report){.looked_at = store->looked_at,
                               .looked_for = store->looked_for,
                               .was_verified = store->was_verified,
                               .is_pinned = store->pin_fd > 0,
                               .had_pin = store->had_pin,
                               .was = store->pin_was,
                               .verdict = difference[0] ? -ERR_CORRUPT : 0,
                               .difference = difference};
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
    int error = whole_seal(store);
    if (!error)
        error = read_head(store, &head);
    if (!error) {
        pin_of(&pin, store, &head);
        error = pin_replace(store->pin_fd, &pin, &store->pin_key);
    }
    if (!error)
        store->pin_difference[0] = store->whole_difference[0] = '\0';
    pthread_mutex_unlock(&store->writer);
    return error;
}
