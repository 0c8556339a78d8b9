/*
 * The head's pin: which commit was the newest, kept in a small file outside the store. A store that
 * was verified is whole by its own account, and so is an older copy of it, or one that somebody
 * made who knows the hashes; what tells those is a word from elsewhere.
 *
 * The process that owns the store writes its pin after each commit, without waiting for the disk:
 * after a power cut it may lag, and then stands at a commit that the chain still holds. It is
 * checked when a store is opened (store_options.pin_fd), commit by commit from the pinned one to
 * the newest. The layout is in store/FORMAT.md, "Pin".
 */
#ifndef EMSA_STORE_PIN_H
#define EMSA_STORE_PIN_H

#include <stdint.h>

#include "store/store.h"

struct pin {
    uint8_t store_id[STORE_ID_SIZE];
    uint64_t rev;
    uint8_t hash[HASH_SIZE]; /* of that commit */
};

/* Opens the file, which is made, mode 0600, where it is not there; the descriptor is the caller's
 * and above 0. ERR_DENIED, ERR_IO, ERR_FULL: there is none to be had, and the store has to go
 * without; ERR_REFUSED: what is there is no file. */
int pin_open(const char *path);

/* 0; positive NOT_THERE: nothing was pinned yet; ERR_CORRUPT: the file is no pin; ERR_IO. */
int pin_read(struct pin *out, int fd);

/* Pins a newer commit, not waiting for the disk: of two places in the file the one that has not the
 * last pin. ERR_IO, ERR_FULL. */
int pin_write(int fd, const struct pin *pin);

/* Pins a commit in place of whatever was pinned, durably. ERR_IO, ERR_FULL. */
int pin_replace(int fd, const struct pin *pin);

struct pin_report {
    bool is_pinned; /* the store has a pin to write to */
    bool had_pin;   /* something was pinned when the store was opened: */
    struct pin was;
    struct pin head;        /* the newest commit */
    int verdict;            /* of what was pinned about the store: 0 or -ERR_CORRUPT */
    const char *difference; /* its words; "": none. Borrowed from the store */
};

/* What the pin said when the store was opened, and where the store stands now. Failures of the
 * store. */
int store_pinned(struct store *store, struct pin_report *out);

/* Pins the newest commit durably, in place of whatever was pinned. For who has verified the store.
 * 0 also where it has no pin. ERR_IO, ERR_FULL; failures of the store. */
int store_pin_head(struct store *store);

#endif
