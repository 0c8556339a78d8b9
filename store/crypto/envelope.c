/* See envelope.h for the format; offsets here are those of its table. */
#include "store/crypto/envelope.h"

#include <stdlib.h>
#include <string.h>

#include "store/crypto/keyring.h"
#include "store/crypto/seal.h"
#include "store/error.h"
#include "store/limits.h"

#define VERSION 2
#define PLACE_SIZE 54

enum { AT_VERSION = 0, AT_COUNT = 2, AT_PADDED = 4, AT_COMMITMENT = 8, AT_LENGTH = 40, HEAD = 64 };
enum { LENGTH_SIZE = 8 };
enum { SLOT_EPHEMERAL = 12, SLOT_WRAP = 44, SLOT = 92 };

_Static_assert(ENVELOPE_HEAD_OF_ONE == HEAD + SLOT, "the head with one slot");

#define LABEL_COMMITMENT "emsa-commitment-1"
#define LABEL_LENGTH "emsa-length-2"
#define LABEL_WRAP "emsa-wrap-1"
#define LABEL_VALUE "emsa-value-2"
#define LABEL_HEAD "emsa-envelope-1"

#define PADDING_FINE 64u
#define PADDING_FINE_UP_TO 4096u

size_t envelope_padded(size_t size)
{
    size_t step = PADDING_FINE;
    if (size > PADDING_FINE_UP_TO)
        step = ((size_t)1 << (63 - __builtin_clzll(size - 1))) / 8;
    size_t padded = (size + step - 1) / step * step;
    return padded ? padded : PADDING_FINE;
}

static size_t head_size(size_t count)
{
    return HEAD + SLOT * count;
}

size_t envelope_size(size_t value_size, size_t count)
{
    return head_size(count) + envelope_padded(value_size) + SEAL_TAG_SIZE;
}

static void write_place(unsigned char out[static PLACE_SIZE], const struct place *place)
{
    unsigned char *at = out;
    memcpy(at, place->store_id, sizeof(place->store_id));
    at = write_u32(at + sizeof(place->store_id), place->environment);
    at = write_u32(at, place->service);
    at = write_u64(at, place->name_id);
    at = write_u64(at, place->entry_id);
    at = write_u64(at, place->rev);
    at = write_u32(at, place->op);
    *at++ = place->kind;
    *at = place->flags;
}

/* The ephemeral pair of a sealer for one recipient: its private half lives only as long as it takes
 * to make the shared key, which is kept in its stead. */
struct pair {
    struct recipient recipient;
    uint8_t ephemeral[CRYPTO_KEY_SIZE];
    size_t kek; /* offset in sealer->keys */
};

struct sealer {
    struct pair *pairs;
    size_t count, capacity;
    size_t *
        table; /* open addressing: index of a pair and 1, or 0; a power of two, at most half full */
    size_t table_size;
    struct secret keys; /* the shared keys of all pairs */
};

int sealer_new(struct sealer **out)
{
    int error = crypto_setup();
    if (error)
        return error;
    struct sealer *sealer = calloc(1, sizeof(*sealer));
    if (!sealer)
        return error_set(ERR_NOMEM, "cannot get memory to seal secrets");
    *out = sealer;
    return 0;
}

void sealer_free(struct sealer *sealer)
{
    if (!sealer)
        return;
    secret_release(&sealer->keys);
    free(sealer->pairs);
    free(sealer->table);
    free(sealer);
}

static bool same_recipient(const struct recipient *a, const struct recipient *b)
{
    return a->environment == b->environment && a->service == b->service &&
           a->generation == b->generation &&
           memcmp(a->public_key, b->public_key, CRYPTO_KEY_SIZE) == 0;
}

/* Where the recipient stands in the table, or the free place where it would. */
static size_t *find_slot(struct sealer *sealer, const struct recipient *recipient)
{
    uint32_t start; /* a public key is as good as random */
    memcpy(&start, recipient->public_key, sizeof(start));
    size_t at = start & (sealer->table_size - 1);
    while (sealer->table[at] &&
           !same_recipient(&sealer->pairs[sealer->table[at] - 1].recipient, recipient))
        at = (at + 1) & (sealer->table_size - 1);
    return &sealer->table[at];
}

static int grow_sealer(struct sealer *sealer)
{
    size_t capacity = sealer->capacity ? 2 * sealer->capacity : 16;
    struct pair *pairs = realloc(sealer->pairs, capacity * sizeof(*pairs));
    if (!pairs)
        return error_set(ERR_NOMEM, "cannot get memory to seal secrets");
    sealer->pairs = pairs;
    size_t *table = calloc(2 * capacity, sizeof(*table));
    if (!table)
        return error_set(ERR_NOMEM, "cannot get memory to seal secrets");
    free(sealer->table);
    sealer->table = table;
    sealer->table_size = 2 * capacity;
    sealer->capacity = capacity;
    for (size_t i = 0; i < sealer->count; i++)
        *find_slot(sealer, &pairs[i].recipient) = i + 1;
    return secret_grow(&sealer->keys, capacity * CRYPTO_KEY_SIZE);
}

static int make_pair(struct sealer *sealer, const struct recipient *recipient)
{
    if (sealer->count == sealer->capacity ||
        sealer->keys.capacity < sealer->keys.size + CRYPTO_KEY_SIZE) {
        int error = grow_sealer(sealer);
        if (error)
            return error;
    }
    struct pair *pair = &sealer->pairs[sealer->count];
    uint8_t private_key[CRYPTO_KEY_SIZE];
    new_pair(private_key, pair->ephemeral);
    int failed = shared_key(sealer->keys.data + sealer->keys.size, private_key,
                            recipient->public_key, pair->ephemeral, recipient->public_key);
    wipe(private_key, sizeof(private_key));
    if (failed)
        return error_set(ERR_INVALID, "the public key of environment %u, service %u is none",
                         (unsigned)recipient->environment, (unsigned)recipient->service);
    pair->recipient = *recipient;
    pair->kek = sealer->keys.size;
    sealer->keys.size += CRYPTO_KEY_SIZE;
    *find_slot(sealer, recipient) = ++sealer->count;
    return 0;
}

static int pair_for(struct sealer *sealer, const struct pair **out,
                    const struct recipient *recipient)
{
    size_t *slot = sealer->table_size ? find_slot(sealer, recipient) : NULL;
    if (!slot || !*slot) {
        int error = make_pair(sealer, recipient);
        if (error)
            return error;
        slot = find_slot(sealer, recipient);
    }
    *out = &sealer->pairs[*slot - 1];
    return 0;
}

/* One slot: who, with which ephemeral key, and the data key under the shared key of the two. */
static int write_slot(struct sealer *sealer, unsigned char *slot,
                      const unsigned char place[static PLACE_SIZE],
                      const uint8_t commitment[static BLAKE_SIZE],
                      const struct recipient *recipient, const uint8_t dek[static CRYPTO_KEY_SIZE])
{
    const struct pair *pair;
    int error = pair_for(sealer, &pair, recipient);
    if (error)
        return error;
    unsigned char ad[PLACE_SIZE + OWNER_SIZE];
    uint8_t key[CRYPTO_KEY_SIZE];
    memcpy(ad, place, PLACE_SIZE);
    write_owner(ad + PLACE_SIZE, recipient);
    write_owner(slot, recipient);
    memcpy(slot + SLOT_EPHEMERAL, pair->ephemeral, CRYPTO_KEY_SIZE);
    derive_key(key, sealer->keys.data + pair->kek, LABEL_WRAP, commitment, BLAKE_SIZE);
    seal(slot + SLOT_WRAP, key, ad, sizeof(ad), dek, CRYPTO_KEY_SIZE);
    wipe(key, sizeof(key));
    return 0;
}

static void write_head(unsigned char *envelope, const unsigned char place[static PLACE_SIZE],
                       size_t size, size_t count, const uint8_t dek[static CRYPTO_KEY_SIZE])
{
    unsigned char ad[PLACE_SIZE + AT_LENGTH], length[LENGTH_SIZE];
    uint8_t key[CRYPTO_KEY_SIZE];
    envelope[AT_VERSION] = VERSION;
    envelope[AT_VERSION + 1] = 0;
    envelope[AT_COUNT] = (unsigned char)count;
    envelope[AT_COUNT + 1] = (unsigned char)(count >> 8);
    write_u32(envelope + AT_PADDED, (uint32_t)envelope_padded(size));
    derive_key(envelope + AT_COMMITMENT, dek, LABEL_COMMITMENT, place, PLACE_SIZE);
    memcpy(ad, place, PLACE_SIZE);
    memcpy(ad + PLACE_SIZE, envelope, AT_LENGTH);
    write_u64(length, size);
    derive_key(key, dek, LABEL_LENGTH, envelope + AT_COMMITMENT, BLAKE_SIZE);
    seal(envelope + AT_LENGTH, key, ad, sizeof(ad), length, sizeof(length));
    wipe(key, sizeof(key));
    wipe(length, sizeof(length));
}

/* PLACE and the hash of everything before the value. */
static void hash_head(uint8_t out[static BLAKE_SIZE], const unsigned char *envelope, size_t count)
{
    struct hash_part head = {.data = envelope, .size = head_size(count)};
    hash_parts(out, LABEL_HEAD, &head, 1);
}

static int write_value(unsigned char *envelope, const unsigned char place[static PLACE_SIZE],
                       const struct secret *value, size_t count,
                       const uint8_t dek[static CRYPTO_KEY_SIZE])
{
    SECRET_CLEANUP struct secret padded = {0};
    size_t size = envelope_padded(value->size);
    int error = secret_alloc(&padded, size);
    if (error)
        return error;
    if (value->size > 0)
        memcpy(padded.data, value->data, value->size);
    unsigned char ad[PLACE_SIZE + BLAKE_SIZE];
    uint8_t key[CRYPTO_KEY_SIZE];
    memcpy(ad, place, PLACE_SIZE);
    hash_head(ad + PLACE_SIZE, envelope, count);
    derive_key(key, dek, LABEL_VALUE, envelope + AT_COMMITMENT, BLAKE_SIZE);
    seal(envelope + head_size(count), key, ad, sizeof(ad), padded.data, size);
    wipe(key, sizeof(key));
    return 0;
}

int envelope_seal(struct sealer *sealer, struct bytes *out, const struct place *place,
                  const struct secret *value, const struct recipient recipients[], size_t count)
{
    uint8_t dek[CRYPTO_KEY_SIZE];
    random_bytes(dek, sizeof(dek));
    const int error = envelope_seal_with(sealer, out, place, value, recipients, count, dek);
    wipe(dek, sizeof(dek));
    return error;
}

int envelope_seal_with(struct sealer *sealer, struct bytes *out, const struct place *place,
                       const struct secret *value, const struct recipient recipients[],
                       size_t count, const uint8_t dek[static CRYPTO_KEY_SIZE])
{
    if (value->size > VALUE_MAX)
        return error_set(ERR_INVALID, "a value of %zu bytes, at most %u are allowed", value->size,
                         VALUE_MAX);
    if (count == 0 || count > CONSUMERS_MAX)
        return error_set(ERR_INVALID, "a secret for %zu services, 1 to %u are allowed", count,
                         CONSUMERS_MAX);
    size_t size = envelope_size(value->size, count);
    unsigned char *envelope = bytes_reserve(out, size);
    if (!envelope)
        return out->error;
    unsigned char where[PLACE_SIZE];
    write_place(where, place);
    write_head(envelope, where, value->size, count, dek);
    int error = 0;
    for (size_t i = 0; i < count && !error; i++)
        error = write_slot(sealer, envelope + HEAD + SLOT * i, where, envelope + AT_COMMITMENT,
                           &recipients[i], dek);
    if (!error)
        error = write_value(envelope, where, value, count, dek);
    if (!error)
        out->size += size;
    return error;
}

/* An envelope that is being opened. */
struct opening {
    const unsigned char *data;
    size_t count, padded;
    unsigned char place[PLACE_SIZE];
    uint8_t dek[CRYPTO_KEY_SIZE];
};

static int corrupt(const char *why)
{
    return error_set(ERR_CORRUPT, "a secret can't be opened: %s", why);
}

static uint32_t read_u32(const unsigned char *at)
{
    return (uint32_t)at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16 | (uint32_t)at[3] << 24;
}

static int parse(struct opening *opening, const void *envelope, size_t size)
{
    const unsigned char *data = envelope;
    if (size < HEAD)
        return corrupt("it is too short");
    if (data[AT_VERSION] != VERSION)
        return error_set(ERR_FORMAT, "a secret is of format %u, which this version does not know",
                         data[AT_VERSION]);
    opening->data = data;
    opening->count = (size_t)data[AT_COUNT] | (size_t)data[AT_COUNT + 1] << 8;
    opening->padded = read_u32(data + AT_PADDED);
    if (data[AT_VERSION + 1] != 0 || opening->count == 0 || opening->count > CONSUMERS_MAX ||
        opening->padded > envelope_padded(VALUE_MAX) ||
        size != head_size(opening->count) + opening->padded + SEAL_TAG_SIZE)
        return corrupt("its sizes can't be right");
    return 0;
}

/* The data key out of one slot. */
static int open_slot(struct keyring *keyring, void *context, struct opening *opening,
                     const unsigned char *slot)
{
    struct recipient owner = {.environment = read_u32(slot),
                              .service = read_u32(slot + 4),
                              .generation = read_u32(slot + 8)};
    uint8_t kek[CRYPTO_KEY_SIZE], key[CRYPTO_KEY_SIZE];
    unsigned char ad[PLACE_SIZE + OWNER_SIZE];
    int error = keyring_shared(keyring, kek, context, &owner, slot + SLOT_EPHEMERAL);
    if (error)
        return error;
    memcpy(ad, opening->place, PLACE_SIZE);
    memcpy(ad + PLACE_SIZE, slot, OWNER_SIZE);
    derive_key(key, kek, LABEL_WRAP, opening->data + AT_COMMITMENT, BLAKE_SIZE);
    if (unseal(opening->dek, key, ad, sizeof(ad), slot + SLOT_WRAP, SLOT - SLOT_WRAP))
        error = corrupt("its key is damaged or belongs to another place");
    wipe(kek, sizeof(kek));
    wipe(key, sizeof(key));
    return error;
}

/* What was wrapped later for others, or for later generations of the same. */
static int open_later_slot(struct keyring *keyring, void *context, struct opening *opening,
                           const struct place *place)
{
    struct value_wrap wrap = {.rev = place->rev, .op = place->op};
    unsigned char slot[SLOT];
    for (;;) {
        int found = keyring_next_wrap(keyring, context, &wrap);
        if (found)
            return found < 0 ? found : -ERR_NO_KEY;
        write_owner(slot, &wrap.owner);
        memcpy(slot + SLOT_EPHEMERAL, wrap.data, VALUE_WRAP_SIZE);
        found = open_slot(keyring, context, opening, slot);
        if (found != -ERR_NO_KEY)
            return found;
    }
}

static bool is_owner(const unsigned char *slot, const struct place *place)
{
    return read_u32(slot) == place->environment && read_u32(slot + 4) == place->service;
}

/* The owner's slot first: that is the key at hand where the place is served. */
static int open_any_slot(struct keyring *keyring, void *context, struct opening *opening,
                         const struct place *place)
{
    int error = 0;
    for (int pass = 0; pass < 2; pass++)
        for (size_t i = 0; i < opening->count; i++) {
            const unsigned char *slot = opening->data + HEAD + SLOT * i;
            if (is_owner(slot, place) != (pass == 0))
                continue;
            error = open_slot(keyring, context, opening, slot);
            if (error != -ERR_NO_KEY)
                return error;
        }
    return error;
}

static int open_key(struct keyring *keyring, void *context, struct opening *opening,
                    const struct place *place, const void *envelope, size_t size)
{
    uint8_t commitment[BLAKE_SIZE];
    int error = parse(opening, envelope, size);
    if (error)
        return error;
    write_place(opening->place, place);
    error = open_any_slot(keyring, context, opening, place);
    if (error == -ERR_NO_KEY)
        error = open_later_slot(keyring, context, opening, place);
    if (error)
        return error;
    derive_key(commitment, opening->dek, LABEL_COMMITMENT, opening->place, PLACE_SIZE);
    if (!equal_constant_time(commitment, opening->data + AT_COMMITMENT, BLAKE_SIZE))
        error = corrupt("its key is not the one it was sealed with");
    return error;
}

static int open_length(const struct opening *opening, size_t *length)
{
    unsigned char ad[PLACE_SIZE + AT_LENGTH], plain[LENGTH_SIZE] = {0};
    uint8_t key[CRYPTO_KEY_SIZE];
    memcpy(ad, opening->place, PLACE_SIZE);
    memcpy(ad + PLACE_SIZE, opening->data, AT_LENGTH);
    derive_key(key, opening->dek, LABEL_LENGTH, opening->data + AT_COMMITMENT, BLAKE_SIZE);
    int failed = unseal(plain, key, ad, sizeof(ad), opening->data + AT_LENGTH,
                        sizeof(plain) + SEAL_TAG_SIZE);
    wipe(key, sizeof(key));
    uint64_t size = read_u32(plain) | (uint64_t)read_u32(plain + 4) << 32;
    wipe(plain, sizeof(plain));
    if (failed || size > VALUE_MAX || envelope_padded(size) != opening->padded)
        return corrupt("its length is damaged");
    *length = size;
    return 0;
}

static int open_value(const struct opening *opening, struct secret *out, size_t length,
                      const uint8_t key[static CRYPTO_KEY_SIZE],
                      const uint8_t head_hash[static BLAKE_SIZE])
{
    int error = secret_grow(out, opening->padded);
    if (error)
        return error;
    unsigned char ad[PLACE_SIZE + BLAKE_SIZE];
    memcpy(ad, opening->place, PLACE_SIZE);
    memcpy(ad + PLACE_SIZE, head_hash, BLAKE_SIZE);
    int failed = unseal(out->data, key, ad, sizeof(ad), opening->data + head_size(opening->count),
                        opening->padded + SEAL_TAG_SIZE);
    if (failed)
        return corrupt("its value is damaged");
    unsigned char rest = 0;
    for (size_t i = length; i < opening->padded; i++)
        rest |= out->data[i];
    if (rest) {
        wipe(out->data, opening->padded);
        return corrupt("its padding is damaged");
    }
    out->size = length;
    return 0;
}

int envelope_length(struct keyring *keyring, void *context, size_t *length,
                    const struct place *place, const void *envelope, size_t size)
{
    struct opening opening = {.data = NULL};
    int error = open_key(keyring, context, &opening, place, envelope, size);
    if (!error)
        error = open_length(&opening, length);
    wipe(opening.dek, sizeof(opening.dek));
    return error;
}

int envelope_open(struct keyring *keyring, void *context, struct secret *out,
                  const struct place *place, const void *envelope, size_t size)
{
    return envelope_open_with_key(keyring, context, out, NULL, place, envelope, size);
}

int envelope_open_with_key(struct keyring *keyring, void *context, struct secret *out,
                           uint8_t *data_key, const struct place *place, const void *envelope,
                           size_t size)
{
    struct opening opening = {.data = NULL};
    size_t length = 0;
    int error = open_key(keyring, context, &opening, place, envelope, size);
    if (!error)
        error = open_length(&opening, &length);
    if (!error) {
        uint8_t key[CRYPTO_KEY_SIZE];
        struct value_head head = {{0}, {0}};
        derive_key(key, opening.dek, LABEL_VALUE, opening.data + AT_COMMITMENT, BLAKE_SIZE);
        hash_head(head.hash, opening.data, opening.count);
        if (opening.count == 1)
            memcpy(head.bytes, opening.data, sizeof(head.bytes));
        error = open_value(&opening, out, length, key, head.hash);
        if (!error)
            keyring_keep_value_key(keyring, opening.data + AT_COMMITMENT, key, &head);
        wipe(key, sizeof(key));
    }
    if (error)
        secret_clear(out);
    else if (data_key)
        memcpy(data_key, opening.dek, CRYPTO_KEY_SIZE);
    wipe(opening.dek, sizeof(opening.dek));
    return error;
}

int envelope_reopen(struct keyring *keyring, struct secret *out, const struct place *place,
                    size_t length, const void *envelope, size_t size)
{
    struct opening opening = {.data = NULL};
    uint8_t key[CRYPTO_KEY_SIZE];
    struct value_head head;
    int error = parse(&opening, envelope, size);
    if (!error && envelope_padded(length) != opening.padded)
        error = corrupt("its length is damaged");
    if (!error && !keyring_value_key(keyring, key, &head, opening.data + AT_COMMITMENT))
        return 1;
    if (!error) {
        write_place(opening.place, place);
        if (opening.count != 1 || memcmp(opening.data, head.bytes, sizeof(head.bytes)) != 0)
            hash_head(head.hash, opening.data, opening.count);
        error = open_value(&opening, out, length, key, head.hash);
    }
    wipe(key, sizeof(key));
    if (error)
        secret_clear(out);
    return error;
}

int envelope_wrap(struct sealer *sealer, struct keyring *keyring, void *context,
                  struct value_wrap *out, const struct place *place, const void *envelope,
                  size_t size)
{
    struct opening opening;
    unsigned char slot[SLOT];
    int error = open_key(keyring, context, &opening, place, envelope, size);
    if (!error)
        error = write_slot(sealer, slot, opening.place, opening.data + AT_COMMITMENT, &out->owner,
                           opening.dek);
    wipe(opening.dek, sizeof(opening.dek));
    if (!error)
        memcpy(out->data, slot + SLOT_EPHEMERAL, VALUE_WRAP_SIZE);
    return error;
}

bool envelope_is_for(const void *envelope, size_t size, const struct recipient *owner)
{
    struct opening opening;
    unsigned char wanted[OWNER_SIZE];
    if (parse(&opening, envelope, size))
        return false;
    write_owner(wanted, owner);
    for (size_t i = 0; i < opening.count; i++)
        if (memcmp(opening.data + HEAD + SLOT * i, wanted, OWNER_SIZE) == 0)
            return true;
    return false;
}

bool envelope_has_key(const void *envelope, size_t size, const struct place *place,
                      const uint8_t key[static CRYPTO_KEY_SIZE])
{
    struct opening opening;
    uint8_t commitment[BLAKE_SIZE];
    if (parse(&opening, envelope, size)) {
        error_clear();
        return false;
    }
    write_place(opening.place, place);
    derive_key(commitment, key, LABEL_COMMITMENT, opening.place, PLACE_SIZE);
    return equal_constant_time(commitment, opening.data + AT_COMMITMENT, BLAKE_SIZE);
}

bool envelope_recipient(struct recipient *out, const void *envelope, size_t size, size_t number)
{
    struct opening opening;
    if (parse(&opening, envelope, size)) {
        error_clear();
        return false;
    }
    if (number >= opening.count)
        return false;
    const unsigned char *slot = opening.data + HEAD + SLOT * number;
    *out = (struct recipient){.environment = read_u32(slot),
                              .service = read_u32(slot + 4),
                              .generation = read_u32(slot + 8)};
    return true;
}
