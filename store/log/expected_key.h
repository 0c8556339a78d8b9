/* Whose key pairs there are, which identities, and who reads where, as far as the log was read:
 * held in memory while it is verified, a hundred bytes for each. */
#ifndef EMSA_STORE_LOG_EXPECTED_KEY_H
#define EMSA_STORE_LOG_EXPECTED_KEY_H

#include "store/log/expected_relation.h"
#include "store/log/operation.h"

struct expected_pair {
    struct recipient newest; /* generation 0: the slot is free */
    uint64_t rev;            /* that made it */
};

struct expected_identity {
    char name[PRINCIPAL_NAME_MAX + 1];
    uint8_t public_key[CRYPTO_KEY_SIZE], signing_key[CRYPTO_KEY_SIZE];
    uint64_t rev;
};

struct expected_keys {
    struct expected_pair *pairs; /* owned; an open hash table */
    size_t capacity, count;
    struct expected_identity *identities; /* owned */
    size_t identity_count;
    struct recipient *due; /* owned: places that must have a new pair when the commit is whole */
    size_t due_count;
    uint64_t records; /* that there must be */
};

/* Takes an operation of kinds 32 to 36. Places are checked by the caller. 0; positive 1: it does
 * not fit what came before, and *why says how (static); ERR_NOMEM. */
int expected_keys_apply(struct expected_keys *, const char **why, const struct relations *,
                        const struct operation *, uint64_t rev);

/* The same of a grant or taking back of rights, once the relations have it. What is due where
 * everything may be read no more is said by who knows the environments (expected.c). */
int expected_keys_rights(struct expected_keys *, const char **why, const struct relations *,
                         const struct operation *, uint64_t rev);

/* Whether a principal reads a place because it may read all of the environment, or everything. */
bool expected_reads_above(const struct relations *, uint32_t environment, uint32_t service,
                          const char *principal);

/* A place whose new pair must be in this commit too. */
int expected_keys_due(struct expected_keys *, uint32_t environment, uint32_t service);

/* When a commit is whole: positive 1 where one took reading from an identity and made no new keys
 * there. */
int expected_keys_settle(struct expected_keys *, uint64_t rev);

/* NULL: there is none. */
const struct expected_pair *expected_pair(const struct expected_keys *, uint32_t environment,
                                          uint32_t service);
const struct expected_identity *expected_identity(const struct expected_keys *, const char *name,
                                                  size_t size);

void expected_keys_release(struct expected_keys *);

#endif
