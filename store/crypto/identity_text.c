/*
 * The text of an identity's file. Lines that start with '#' are for people, empty ones are passed
 * over, and so are spaces and a CR at a line's end; what is left is, in this order,
 *     emsa-identity-2 NAME
 *     public emsa1 X25519 ED25519        without these spaces, 64 hex digits each
 *     plain SEED | passphrase PASSES KIB SALT SEALED | key-file SALT SEALED      one or more
 *     check CHECK MAC
 * with D = H("emsa-identity-2", each of the lines before "check"), CHECK the first 16 bytes of D,
 * MAC = derive(seed, "emsa-identity-mac-2", D). Hex digits are small; there is one space between
 * fields: one content has one text.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/crypto/private.h"
#include "store/crypto/seal.h"
#include "store/error.h"
#include "store/name.h"

#define MAGIC "emsa-identity-"
#define VERSION_2 "emsa-identity-2 "
#define CHECK_SIZE 16
#define TEXT_MAX 4096u

void identity_mac(uint8_t out[static BLAKE_SIZE], const uint8_t seed[static SEED_SIZE],
                  const uint8_t digest[static BLAKE_SIZE])
{
    derive_key(out, seed, "emsa-identity-mac-2", digest, BLAKE_SIZE);
}

static void put(struct secret *out, const char *text)
{
    const size_t size = strlen(text);
    memcpy(out->data + out->size, text, size);
    out->size += size;
}

static void put_hex(struct secret *out, const uint8_t *data, size_t size)
{
    sodium_bin2hex((char *)out->data + out->size, 2 * size + 1, data, size);
    out->size += 2 * size;
}

static void put_slot(struct secret *out, const struct slot *slot)
{
    char head[SLOT_HEAD_MAX];
    slot_head(head, slot);
    put(out, head);
    put_hex(out, slot->sealed, slot->is.kind == IDENTITY_PLAIN ? SEED_SIZE : SLOT_SEALED_SIZE);
    put(out, "\n");
}

static void put_remarks(struct secret *out, const struct identity_file *file)
{
    put(out, "# An identity of emsa. Keep it apart from the store and from its backups.\n");
    put(out, identity_file_has(file, IDENTITY_PLAIN)
                 ? "# Whoever has this file can read what it may open.\n"
                 : "# It is locked: whoever has what opens it, too, can read what it may open.\n");
}

struct line {
    const char *at;
    size_t size;
};

struct reading {
    const char *at, *end;
    const char *path;
};

/* The next line that counts; of size 0: there is none. */
static struct line next_line(struct reading *reading)
{
    while (reading->at < reading->end) {
        struct line line = {.at = reading->at};
        const char *end = memchr(line.at, '\n', (size_t)(reading->end - line.at));
        reading->at = end ? end + 1 : reading->end;
        line.size = (size_t)((end ? end : reading->end) - line.at);
        while (line.size > 0 && (line.at[line.size - 1] == '\r' || line.at[line.size - 1] == ' '))
            line.size--;
        if (line.size > 0 && line.at[0] != '#')
            return line;
    }
    return (struct line){0};
}

/* Whether the line goes on with text, which is passed over. */
static bool take(struct line *line, const char *text)
{
    const size_t size = strlen(text);
    if (line->size < size || memcmp(line->at, text, size) != 0)
        return false;
    line->at += size;
    line->size -= size;
    return true;
}

/* The hash of all lines up to the check, which is returned; of size 0: there is none. */
static struct line hash_lines(uint8_t digest[static BLAKE_SIZE], struct reading reading)
{
    struct hasher hasher;
    struct line line;
    hasher_begin(&hasher, "emsa-identity-2");
    for (;;) {
        line = next_line(&reading);
        if (line.size == 0 || take(&line, "check "))
            break;
        hasher_add(&hasher, line.at, line.size);
    }
    hasher_end(&hasher, digest);
    wipe(&hasher, sizeof(hasher));
    if (line.size > 0 && next_line(&reading).size > 0)
        line = (struct line){0}; /* it is the last, or it is none */
    return line;
}

int identity_text_write(struct secret *out, const struct identity_file *file,
                        const struct identity *identity)
{
    char public_text[IDENTITY_TEXT_MAX];
    uint8_t digest[BLAKE_SIZE], mac[BLAKE_SIZE];
    int error = secret_alloc(out, TEXT_MAX);
    if (error)
        return error;
    put_remarks(out, file);
    put(out, VERSION_2);
    put(out, file->name);
    identity_public_text(public_text, file->x25519, file->ed25519);
    put(out, "\npublic ");
    put(out, public_text);
    put(out, "\n");
    for (size_t i = 0; i < file->count; i++)
        put_slot(out, &identity_file_slots(file)[i]);
    const char *text = (const char *)out->data;
    hash_lines(digest, (struct reading){.at = text, .end = text + out->size});
    identity_mac(mac, identity_secrets(identity)->seed, digest);
    put(out, "check ");
    put_hex(out, digest, CHECK_SIZE);
    put(out, " ");
    put_hex(out, mac, sizeof(mac));
    put(out, "\n");
    return 0;
}

static int damaged(const struct reading *reading, const char *why)
{
    return error_set(ERR_CORRUPT, "identity '%s' is damaged: %s; take it from its backup",
                     reading->path, why);
}

/* Size bytes in small hex digits. */
static bool take_hex(struct line *line, uint8_t *out, size_t size)
{
    size_t got = 0;
    if (line->size < 2 * size)
        return false;
    for (size_t i = 0; i < 2 * size; i++)
        if (line->at[i] >= 'A' && line->at[i] <= 'F')
            return false;
    if (sodium_hex2bin(out, size, line->at, 2 * size, NULL, &got, NULL) || got != size)
        return false;
    line->at += 2 * size;
    line->size -= 2 * size;
    return true;
}

/* A number without leading zeros and a space behind it. */
static bool take_number(struct line *line, uint32_t *out)
{
    uint64_t number = 0;
    size_t at = 0;
    while (at < line->size && at < 10 && line->at[at] >= '0' && line->at[at] <= '9')
        number = 10 * number + (uint64_t)(line->at[at++] - '0');
    if (at == 0 || (line->at[0] == '0' && at > 1) || number > UINT32_MAX)
        return false;
    *out = (uint32_t)number;
    line->at += at;
    line->size -= at;
    return take(line, " ");
}

static int parse_slot(struct identity_file *file, struct line line, const struct reading *reading)
{
    struct slot *slot = &identity_file_slots(file)[file->count];
    bool is_whole = false;
    if (file->count == IDENTITY_SLOTS_MAX)
        return damaged(reading, "it has too many slots");
    if (take(&line, "plain ")) {
        slot->is.kind = IDENTITY_PLAIN;
        is_whole =
            !identity_file_has(file, IDENTITY_PLAIN) && take_hex(&line, slot->sealed, SEED_SIZE);
    } else if (take(&line, "passphrase ")) {
        slot->is.kind = IDENTITY_PASSPHRASE;
        is_whole = take_number(&line, &slot->is.cost.passes) &&
                   take_number(&line, &slot->is.cost.memory) &&
                   take_hex(&line, slot->salt, SLOT_SALT_SIZE) && take(&line, " ") &&
                   take_hex(&line, slot->sealed, SLOT_SEALED_SIZE);
    } else if (take(&line, "key-file ")) {
        slot->is.kind = IDENTITY_KEY_FILE;
        is_whole = take_hex(&line, slot->salt, SLOT_SALT_SIZE) && take(&line, " ") &&
                   take_hex(&line, slot->sealed, SLOT_SEALED_SIZE);
    } else {
        return error_set(ERR_FORMAT, "identity '%s' has a slot that this version does not know",
                         reading->path);
    }
    if (!is_whole || line.size > 0)
        return damaged(reading, "a slot has the wrong form");
    if (slot->is.kind == IDENTITY_PASSPHRASE) {
        int error = slot_check_cost(&slot->is.cost, reading->path);
        if (error)
            return error;
    }
    file->count++;
    return 0;
}

static int parse_head(struct identity_file *file, struct reading *reading)
{
    struct line line = next_line(reading);
    if (!take(&line, VERSION_2))
        return take(&line, MAGIC)
                   ? error_set(ERR_FORMAT,
                               "identity '%s' is of a form that this version does not know",
                               reading->path)
                   : error_set(ERR_NO_KEY, "'%s' is no identity", reading->path);
    if (line.size >= IDENTITY_NAME_MAX || identity_name_check(line.at, line.size))
        return damaged(reading, "its name has the wrong form");
    memcpy(file->name, line.at, line.size);
    file->name[line.size] = '\0';
    line = next_line(reading);
    if (!take(&line, "public emsa1") || !take_hex(&line, file->x25519, 32) ||
        !take_hex(&line, file->ed25519, 32) || line.size > 0)
        return damaged(reading, "its public half has the wrong form");
    return 0;
}

/* Damage is told before anything that was damaged is looked at. */
static int parse_check(struct identity_file *file, const struct reading *reading)
{
    uint8_t check[CHECK_SIZE];
    struct reading begin = *reading;
    struct line line = next_line(&begin);
    if (line.size == 0)
        return error_set(ERR_NO_KEY, "'%s' is no identity: it has no key in it", reading->path);
    if (!take(&line, VERSION_2))
        return 0; /* what it is instead is told by the rest */
    line = hash_lines(file->digest, *reading);
    if (!take_hex(&line, check, CHECK_SIZE) || !take(&line, " ") ||
        !take_hex(&line, file->mac, sizeof(file->mac)) || line.size > 0)
        return damaged(reading, "it does not end in its check");
    if (memcmp(check, file->digest, CHECK_SIZE) != 0)
        return damaged(reading, "it does not match its check");
    return 0;
}

int identity_text_parse(struct identity_file *file, const struct secret *text)
{
    const char *begin = (const char *)text->data;
    struct reading reading = {.at = begin, .end = begin + text->size, .path = file->path};
    int error = parse_check(file, &reading);
    if (!error)
        error = parse_head(file, &reading);
    while (!error) {
        struct line line = next_line(&reading);
        if (take(&line, "check "))
            break;
        error = parse_slot(file, line, &reading);
    }
    if (!error && file->count == 0)
        error = damaged(&reading, "it has no slot");
    return error;
}
