/*
 * The file of an identity: who it is, in clear, and one or more slots, each of which holds the seed
 * for whoever has what opens it: nothing (plain), a passphrase, or another file's bytes. A slot is
 * added and taken away without any other's key. The layout stands in store/FORMAT.md, "Identity".
 *
 * What is in clear is told from damage by a check, and bound to the seed: a file that somebody
 * changed who could not open it is refused once it is opened.
 */
#ifndef EMSA_STORE_IDENTITY_FILE_H
#define EMSA_STORE_IDENTITY_FILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/identity.h"
#include "store/secret.h"

struct identity_file; /* what it holds of seeds lies in the locked arena */

#define IDENTITY_SLOTS_MAX 8

enum identity_slot_kind { IDENTITY_PLAIN = 1, IDENTITY_PASSPHRASE, IDENTITY_KEY_FILE };

/* What a passphrase costs to try: Argon2id's passes and memory. Below the floor a stolen file is
 * guessed too cheaply; above the ceiling a file that somebody put there takes the server's memory.
 * Both hold where a slot is made and where it is opened. */
struct identity_cost {
    uint32_t passes;
    uint32_t memory; /* KiB */
};
#define IDENTITY_PASSES_FLOOR 2u
#define IDENTITY_PASSES_CEILING 16u
#define IDENTITY_MEMORY_FLOOR (64u << 10)
#define IDENTITY_MEMORY_CEILING (1u << 20)
#define IDENTITY_COST_USUAL ((struct identity_cost){3, 256u << 10})

/* A passphrase's length in bytes, and a key file's. */
#define IDENTITY_PASSPHRASE_MIN 8u
#define IDENTITY_PASSPHRASE_MAX 1024u
#define IDENTITY_KEY_MIN 32u
#define IDENTITY_KEY_MAX 4096u

struct identity_slot {
    enum identity_slot_kind kind;
    struct identity_cost cost; /* of a passphrase */
};

/* What somebody has at hand; NULL or empty: not that. */
struct identity_opener {
    const struct secret *passphrase, *key;
};

/* Of an identity, without any slot. ERR_NOMEM. All of these are freed by identity_file_free. */
int identity_file_new(struct identity_file **out, const struct identity *identity);

/* From an open descriptor, as identity_read. ERR_REFUSED: a passphrase's cost is below the floor or
 * above the ceiling. */
int identity_file_read(struct identity_file **out, int fd, const char *path);

/* identity_open and identity_file_read. */
int identity_file_load(struct identity_file **out, const char *path);

/* The same, to be changed: nobody else can meanwhile. ERR_BUSY: somebody does. */
int identity_file_edit(struct identity_file **out, const char *path);

void identity_file_free(struct identity_file *file);

/* Whose it is and how it is locked, as the file has it in clear: nothing needs to be opened, and
 * nothing is proven before it is. The name is borrowed, for the life of file; index is below the
 * count. */
const char *identity_file_name(const struct identity_file *file);
void identity_file_public(const struct identity_file *file, char text[static IDENTITY_TEXT_MAX]);
size_t identity_file_slot_count(const struct identity_file *file);
struct identity_slot identity_file_slot(const struct identity_file *file, size_t index);
bool identity_file_has(const struct identity_file *file, enum identity_slot_kind kind);

/* Opens it by the first slot that what is at hand opens; opener may be NULL. ERR_NO_KEY: by none,
 * with what it would take; ERR_CORRUPT: it was changed by somebody who could not open it;
 * ERR_NOMEM: also where there is no memory for Argon2id. */
int identity_file_open(struct identity **out, const struct identity_file *file,
                       const struct identity_opener *opener);

/* Adds a slot for the identity that the file is of. key: NULL for a plain one. ERR_INVALID: a key
 * too short or too long, or a cost that is not between floor and ceiling (only a passphrase's
 * matters); ERR_REFUSED: there are too many, or a plain one is there. */
int identity_file_add(struct identity_file *file, const struct identity *identity,
                      enum identity_slot_kind kind, const struct secret *key,
                      struct identity_cost cost);

/* Takes a slot away. ERR_REFUSED: it is the last one. */
int identity_file_remove(struct identity_file *file, size_t index);

/* Writes a new file, as identity_write. */
int identity_file_create(const struct identity_file *file, const struct identity *identity,
                         const char *path);

/* The text of such a file, not locked, for memory that stands in for it. ERR_NOMEM. */
int identity_text_plain(struct secret *out, const struct identity *identity);

/* Puts what identity_file_edit gave, changed, in the place of the file it came from: the old one
 * stands until the new one is durable. ERR_IO, ERR_FULL, ERR_DENIED: the old one is as it was. */
int identity_file_replace(const struct identity_file *file, const struct identity *identity);

#endif
