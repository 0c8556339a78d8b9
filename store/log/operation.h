/*
 * One operation, as the log has it: what was done, where, and the digest of the value that it
 * brought. The layout is in store/FORMAT.md, "Operation"; this file and commit.c are the only ones
 * that know it.
 *
 * A record is complete by itself: it holds the ids that the change was given, so that whoever reads
 * the log needs no derived state to know which place an operation speaks of.
 */
#ifndef EMSA_STORE_LOG_OPERATION_H
#define EMSA_STORE_LOG_OPERATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/bytes.h"
#include "store/crypto/keyring.h"
#include "store/db/txn.h"
#include "store/history.h"

struct operation {
    enum operation_kind kind;
    bool first;            /* made what it names; see struct operation_info */
    bool is_same;          /* of a key: what is in effect there stayed as it was */
    bool is_allowed_equal; /* of a set: its value was let be equal to a secret of elsewhere */
    bool is_protected;     /* of an environment that is made */
    bool is_signed;        /* of one that takes signed changes only */
    bool is_override;      /* a rule was overridden in its commit */
    uint32_t environment;  /* 0: none */
    uint32_t service;      /* 0: the environment itself, or none */
    uint32_t turn; /* of a service and its keys: the incarnation; of a key pair: the generation */
    uint64_t name_id; /* of a key; 0: none */
    uint64_t entry_id;
    uint32_t stored_size; /* of a value that is set: its size, padded for a secret */
    int64_t expires; /* of what is made: when it ends, 0: never; of a removal: that moment, where it
                        came */
    uint32_t base;   /* of an environment that is made: what it stands on; 0: nothing */
    uint8_t digest[HASH_SIZE]; /* of salt and value, or 32 random bytes where there is no value */
    /* The last part of the path, not ended by NUL, borrowed (from a record, or from whoever made
     * this). */
    const char *name;
    size_t name_size;
    struct copied_from from; /* of a set that copies: what it was taken from */
    uint64_t tagged;         /* of a tag: the revision that it names */
    /* Of a share: a service's name, "*": all; borrowed, not ended; NULL: none. */
    const char *consumer;
    size_t consumer_size;
    /* Of a grant of rights and its taking back: to whom, borrowed, not ended; NULL: none. */
    const char *principal;
    size_t principal_size;
    unsigned rights; /* and which of them */
    /* Key material, borrowed, NULL where the kind has none; sizes are fixed. */
    const uint8_t *public_key;  /* 32: X25519 of an identity, environment or service */
    const uint8_t *for_key;     /* 32: whose holder can open wrapped */
    const uint8_t *wrapped;     /* WRAPPED_KEY_SIZE: the private half */
    const uint8_t *signing_key; /* 32: Ed25519 of an identity */
    const uint8_t *value_key;   /* VALUE_WRAP_SIZE: the key of a secret, for this pair */
    uint64_t sealed_rev;        /* of a value key: the set of that secret; 0: none */
    uint32_t sealed_op;
    uint64_t purged_rev; /* of a purge: the set whose value it destroys; 0: none */
    uint32_t purged_op;
    uint64_t until; /* of a compaction: the revision by which what goes was replaced; 0: none */
    /* Of what destroys: HASH_SIZE, borrowed, the sum of what is left of templates (remains.h); of
     * a purge of anything else none. */
    const uint8_t *remains;
};

/* Whether this kind brings a value (DB_VALUE has a record of the same key). */
bool operation_has_value(enum operation_kind kind);

/* The kind that its record there says: a default's is a plain value's. */
enum operation_kind operation_value_kind(enum operation_kind kind);

/* Whether this kind sets a key of a service. */
bool operation_is_set(enum operation_kind kind);

/* Whether this kind sets or removes one key of a service. */
bool operation_is_of_key(enum operation_kind kind);

/* Whether this kind sets or removes the default of one key: a definition in the layer of
 * defaults. */
bool operation_is_of_default(enum operation_kind kind);

/* Whether this kind sets or removes a service's schema. */
bool operation_is_of_schema(enum operation_kind kind);

/* The layer in which a set or removal of a key or a default defines something. */
uint32_t operation_layer(const struct operation *operation);

/* Whether this kind says something about a name, and brings no value: of a share or a lock. */
bool operation_is_relation(enum operation_kind kind);

/* Whether this kind names a revision, or takes that back. */
bool operation_is_of_tag(enum operation_kind kind);

/* Whether this kind destroys values. */
bool operation_destroys(enum operation_kind kind);

/* Whether this kind grants rights, or takes them back. */
bool operation_is_of_rights(enum operation_kind kind);

/* Whether this kind makes a key, or gives somebody one: made when all else was judged. */
bool operation_makes_keys(enum operation_kind kind);

/* Appends the record's body. Sticky error of out. */
void operation_encode(struct bytes *out, const struct operation *operation);

/* Reads a body; what is borrowed lives as long as the body. ERR_FORMAT for a kind, flag or field
 * that this build does not know, ERR_CORRUPT for a record that is none; *out untouched. */
int operation_decode(struct operation *out, struct slice body);

/* The operation that the log has at this place: looked up and decoded. What is borrowed lives as
 * long as a record that txn_get gives. TXN_NOT_FOUND: there is none; failures as of txn_get and
 * operation_decode; *out untouched then. */
int operation_get(struct txn *txn, struct operation *out, uint64_t rev, uint32_t op);

/* The leaf of a scope's hash: binds the operation to its store, revision and number. */
void operation_leaf(uint8_t out[static HASH_SIZE], const uint8_t store_id[static STORE_ID_SIZE],
                    uint64_t rev, uint32_t op, struct slice body);

/* What stands in DB_VALUE: a head and then the bytes or the envelope. */
#define VALUE_HEAD_SIZE (2 + SALT_SIZE)

/* Appends the head: format, kind and a salt, random and used once. The bytes follow, appended by
 * the caller. */
void value_head_encode(struct bytes *out, enum operation_kind kind,
                       const uint8_t salt[static SALT_SIZE]);

/* Splits a DB_VALUE body: *data and *size are what follows the head. ERR_FORMAT, ERR_CORRUPT (also
 * a kind that is not the one expected), ERR_PURGED. */
int value_decode(const unsigned char **data, size_t *size, enum operation_kind expected,
                 struct slice body);

/* The body of a value that was destroyed: which operation did it, and behind it what is left of a
 * template. */
#define VALUE_PURGED_SIZE (2u + 8u + 4u)
void value_purged_encode(struct bytes *out, uint64_t rev, uint32_t op);

/* Whether it is one: 1, with *rev and *op set; 0; or ERR_CORRUPT. */
int value_purged(uint64_t *rev, uint32_t *op, struct slice body);

/* The digest of a body of this kind, with this salt and these bytes. */
void value_digest_of(uint8_t out[static HASH_SIZE], enum operation_kind kind,
                     const uint8_t salt[static SALT_SIZE], const void *data, size_t size);

/* The digest that an operation's record holds of its DB_VALUE body. */
void value_digest(uint8_t out[static HASH_SIZE], struct slice body);

#endif
