/*
 * The head's pin: which commit was the newest, kept in a small file outside the store. A store that
 * was verified is whole by its own account, and so is an older copy of it, or one that somebody
 * made who knows the hashes; what tells those is a word from elsewhere.
 *
 * The process that owns the store writes its pin after each commit, without waiting for the disk:
 * after a power cut it may lag, and then stands at a commit that the chain still holds. It is
 * checked when a store is opened (store_options.pin_fd), commit by commit from the pinned one to
 * the newest. The layout is in store/FORMAT.md, "Pin".
 *
 * Beside the head it holds the key of the seal of the whole (store/db/whole.h), which is made with
 * the pin and stays the same: with it, all records of the store are known to be what the owner of
 * this pin wrote, or the store is verified against its log before anything is read of it
 * (store/model/whole.h has the rules). What no pin can tell is an older store that was brought back
 * together with the pin of then.
 */
#ifndef EMSA_STORE_PIN_H
#define EMSA_STORE_PIN_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "store/secret.h"
#include "store/store.h"

#define PIN_KEY_SIZE 32

struct pin {
    uint8_t store_id[STORE_ID_SIZE];
    uint64_t rev;
    uint8_t hash[HASH_SIZE]; /* of that commit */
    bool is_sealed;          /* the store bears a seal of this pin's key since then */
};

/* Opens the file, which is made, mode 0600, where it is not there; the descriptor is the caller's
 * and above 0. ERR_DENIED, ERR_IO, ERR_FULL: there is none to be had, and the store has to go
 * without; ERR_REFUSED: what is there is no file, but
 * a link, say: somebody meant a pin, or means that there be none. */
int pin_open(const char *path);

/* Reads what was pinned, and the key into key (empty before; it stays so where the pin has none,
 * being older than seals; NULL: it is not wanted). 0; positive NOT_THERE: nothing was pinned yet;
 * ERR_CORRUPT: the file is no pin; ERR_IO, ERR_NOMEM. */
int pin_read(struct pin *out, struct secret *key, int fd);

/* Pins a newer commit, not waiting for the disk: of two places in the file the one that has not the
 * last pin. ERR_IO, ERR_FULL. */
int pin_write(int fd, const struct pin *pin, const struct secret *key);

/* Pins a commit in place of whatever was pinned, durably. ERR_IO, ERR_FULL. */
int pin_replace(int fd, const struct pin *pin, const struct secret *key);

struct pin_report {
    bool is_pinned; /* the store has a pin to write to */
    bool had_pin;   /* something was pinned when the store was opened: */
    struct pin was;
    struct pin head;        /* the newest commit */
    int verdict;            /* of what was pinned about the store: 0 or -ERR_CORRUPT */
    uint64_t looked_at;     /* records, when the store was opened */
    int64_t looked_for;     /* nanoseconds that it took, with the verification of all of it where */
    bool was_verified;      /* there was one */
    const char *difference; /* its words, or those of the seal; "": none. Borrowed */
};

/* What the pin said when the store was opened, and where the store stands now. Failures of the
 * store. */
int store_pinned(struct store *store, struct pin_report *out);

/* Pins the newest commit durably, in place of whatever was pinned, and seals the store anew where
 * it was not known to be what was sealed. For who has verified the store. 0 also where it has no
 * pin. ERR_IO, ERR_FULL; failures of the store. */
int store_pin_head(struct store *store);

/* Of a large store it was not looked at opening whether each record fits its own hash, only that
 * all hashes are those that were written: one that does not is an error when it is read. This looks
 * at what was left, if anything was, step by step and in a thread of the caller's, so that an alarm
 * tells of damage before somebody meets it; after a few it leaves the rest to verification. It ends
 * early where *stops is set. Before store_close. ERR_CORRUPT, told of; ERR_NOMEM, ERR_IO. */
int store_read_on(struct store *store, const atomic_bool *stops);

/* Whether anything was left. */
bool store_is_read(const struct store *store);

#endif
