/*
 * The sums of whole.h over many records, several at a time: SipHash is a chain of additions, each
 * waiting for the one before, and a processor can do four such chains side by side.
 */
#ifndef EMSA_STORE_CRYPTO_WHOLE_MANY_H
#define EMSA_STORE_CRYPTO_WHOLE_MANY_H

#include "store/crypto/whole.h"

#define WHOLE_LANES 4
#define WHOLE_LANE_SIZE 776u /* the longest element in words of 8 bytes, and one more */

struct whole_lanes { /* elements of one size, each in a lane of its own */
    uint8_t data[WHOLE_LANES][WHOLE_LANE_SIZE];
    size_t size;
    unsigned count;
};

struct whole_many {
    const struct whole_keys *keys; /* borrowed */
    struct whole_sums sums;        /* of all that was added, once it was ended */
    struct whole_lanes names, records;
};

void whole_many_begin(struct whole_many *many, const struct whole_keys *keys);

/* Adds whole_name of the key, and whole_record of the hash. */
void whole_many_name(struct whole_many *many, const char *database, const void *key, size_t size);
void whole_many_record(struct whole_many *many, const uint8_t hash[static RECORD_HASH_SIZE]);

void whole_many_end(struct whole_many *many);

#endif
