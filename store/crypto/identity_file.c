/* What a file of an identity holds, and what opens it; on disk: identity_disk.c. */
#include "store/identity_file.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/crypto/private.h"
#include "store/crypto/seal.h"
#include "store/error.h"

int identity_file_alloc(struct identity_file **out, const char *path)
{
    int error = crypto_setup();
    struct identity_file *file = error ? NULL : calloc(1, sizeof(*file));
    if (error)
        return error;
    if (!file)
        return error_set(ERR_NOMEM, "cannot get memory for an identity");
    file->lock_fd = -1;
    file->path = strdup(path);
    error = file->path ? secret_alloc(&file->memory, IDENTITY_SLOTS_MAX * sizeof(struct slot))
                       : error_set(ERR_NOMEM, "cannot get memory for an identity");
    if (error) {
        identity_file_free(file);
        return error;
    }
    file->memory.size = IDENTITY_SLOTS_MAX * sizeof(struct slot);
    *out = file;
    return 0;
}

int identity_file_new(struct identity_file **out, const struct identity *identity)
{
    int error = identity_file_alloc(out, "new");
    if (error)
        return error;
    memcpy((*out)->name, identity->name, sizeof(identity->name));
    memcpy((*out)->x25519, identity->x25519, 32);
    memcpy((*out)->ed25519, identity->ed25519, 32);
    return 0;
}

void identity_file_free(struct identity_file *file)
{
    if (!file)
        return;
    secret_release(&file->memory);
    if (file->lock_fd >= 0)
        close(file->lock_fd);
    free(file->path);
    free(file);
}

const char *identity_file_name(const struct identity_file *file)
{
    return file->name;
}

void identity_file_public(const struct identity_file *file, char text[static IDENTITY_TEXT_MAX])
{
    identity_public_text(text, file->x25519, file->ed25519);
}

size_t identity_file_slot_count(const struct identity_file *file)
{
    return file->count;
}

struct identity_slot identity_file_slot(const struct identity_file *file, size_t index)
{
    return identity_file_slots(file)[index].is;
}

bool identity_file_has(const struct identity_file *file, enum identity_slot_kind kind)
{
    for (size_t i = 0; i < file->count; i++)
        if (identity_file_slots(file)[i].is.kind == kind)
            return true;
    return false;
}

/* The seed opened it: whether all that is in clear is its own. */
static int check_seed(struct identity **out, const struct identity_file *file,
                      const uint8_t seed[static SEED_SIZE])
{
    struct identity *identity;
    uint8_t mac[BLAKE_SIZE];
    int error = identity_from_seed(&identity, file->name, seed);
    if (error)
        return error;
    identity_mac(mac, seed, file->digest);
    if (memcmp(identity->x25519, file->x25519, 32) != 0 ||
        memcmp(identity->ed25519, file->ed25519, 32) != 0 ||
        !equal_constant_time(mac, file->mac, sizeof(mac))) {
        identity_free(identity);
        return error_set(ERR_CORRUPT,
                         "identity '%s' is damaged: what it says of itself in clear is not of its "
                         "key, so somebody changed it; take it from its backup",
                         file->path);
    }
    *out = identity;
    return 0;
}

static bool is_given(const struct secret *secret)
{
    return secret && secret->size > 0;
}

static int nothing_opens(const struct identity_file *file, const struct identity_opener *opener)
{
    const bool takes_key = identity_file_has(file, IDENTITY_KEY_FILE);
    const bool takes_passphrase = identity_file_has(file, IDENTITY_PASSPHRASE);
    if (opener && takes_passphrase && is_given(opener->passphrase))
        return error_set(ERR_NO_KEY, "identity '%s': the passphrase is wrong", file->path);
    if (opener && takes_key && is_given(opener->key))
        return error_set(ERR_NO_KEY, "identity '%s': the key file is another one's", file->path);
    return error_set(ERR_NO_KEY, "identity '%s' is locked: it opens with %s%s%s", file->path,
                     takes_key ? "its key file (EMSA_IDENTITY_KEY)" : "",
                     takes_key && takes_passphrase ? " or " : "",
                     takes_passphrase ? "its passphrase ('emsa identity unlock')" : "");
}

/* What costs least first. */
static int open_kind(uint8_t seed[static SEED_SIZE], const struct identity_file *file,
                     enum identity_slot_kind kind, const struct secret *key)
{
    int outcome = 1;
    for (size_t i = 0; i < file->count && outcome > 0; i++)
        if (identity_file_slots(file)[i].is.kind == kind)
            outcome = slot_open(seed, &identity_file_slots(file)[i], file, key);
    return outcome;
}

int identity_file_open(struct identity **out, const struct identity_file *file,
                       const struct identity_opener *opener)
{
    SECRET_CLEANUP struct secret seed = {0};
    int outcome = secret_alloc(&seed, SEED_SIZE);
    if (outcome)
        return outcome;
    seed.size = SEED_SIZE;
    outcome = open_kind(seed.data, file, IDENTITY_PLAIN, NULL);
    if (outcome > 0 && opener && is_given(opener->key))
        outcome = open_kind(seed.data, file, IDENTITY_KEY_FILE, opener->key);
    if (outcome > 0 && opener && is_given(opener->passphrase))
        outcome = open_kind(seed.data, file, IDENTITY_PASSPHRASE, opener->passphrase);
    if (outcome > 0)
        return nothing_opens(file, opener);
    return outcome ? outcome : check_seed(out, file, seed.data);
}

static int check_key(enum identity_slot_kind kind, const struct secret *key,
                     const struct identity_cost *cost)
{
    if (kind == IDENTITY_PLAIN)
        return 0;
    const bool is_passphrase = kind == IDENTITY_PASSPHRASE;
    const unsigned least = is_passphrase ? IDENTITY_PASSPHRASE_MIN : IDENTITY_KEY_MIN;
    const unsigned most = is_passphrase ? IDENTITY_PASSPHRASE_MAX : IDENTITY_KEY_MAX;
    if (key->size < least || key->size > most)
        return error_set(ERR_INVALID, "that %s will not do: it takes %u to %u bytes%s",
                         is_passphrase ? "passphrase" : "key file", least, most,
                         is_passphrase ? ""
                                       : ", random ones, such as of 'head -c 32 /dev/urandom'");
    return is_passphrase ? slot_check_cost(cost, NULL) : 0;
}

int identity_file_add(struct identity_file *file, const struct identity *identity,
                      enum identity_slot_kind kind, const struct secret *key,
                      struct identity_cost cost)
{
    int error = check_key(kind, key, &cost);
    if (error)
        return error;
    if (file->count == IDENTITY_SLOTS_MAX)
        return error_set(ERR_REFUSED, "an identity opens in at most %d ways: take one away first",
                         IDENTITY_SLOTS_MAX);
    if (kind == IDENTITY_PLAIN && identity_file_has(file, IDENTITY_PLAIN))
        return error_set(ERR_REFUSED, "identity '%s' opens without anything already", file->path);
    struct slot *slot = &identity_file_slots(file)[file->count];
    *slot = (struct slot){.is = {.kind = kind}};
    if (kind == IDENTITY_PASSPHRASE)
        slot->is.cost = cost;
    error = slot_seal(slot, identity, key);
    if (!error)
        file->count++;
    return error;
}

int identity_file_remove(struct identity_file *file, size_t index)
{
    struct slot *slots = identity_file_slots(file);
    if (file->count == 1)
        return error_set(ERR_REFUSED,
                         "identity '%s' opens in no other way: give it another one first",
                         file->path);
    memmove(&slots[index], &slots[index + 1], (file->count - index - 1) * sizeof(*slots));
    file->count--;
    wipe(&slots[file->count], sizeof(*slots));
    return 0;
}
