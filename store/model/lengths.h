/*
 * The exact sizes of secrets' versions, remembered once they were opened, so that stat(2) and ls
 * cost no decryption. A size is no secret to somebody who may open the value, and only such a
 * process fills this.
 *
 * A fixed table of 64-bit words, read and written without a lock: each word holds a whole fact, a
 * version's tag and its size, so that no reader can see half of one. Two versions that share a slot
 * push each other out. A version never changes, so nothing is ever stale.
 */
#ifndef EMSA_STORE_MODEL_LENGTHS_H
#define EMSA_STORE_MODEL_LENGTHS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LENGTHS_SLOT_BITS 14

struct lengths {
    _Atomic uint64_t slots[1u << LENGTHS_SLOT_BITS];
};

/* Whether the size of version (rev, op) is known, and then *size. */
bool lengths_find(struct lengths *lengths, size_t *size, uint64_t rev, uint32_t op);
void lengths_note(struct lengths *lengths, size_t size, uint64_t rev, uint32_t op);

#endif
