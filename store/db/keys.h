/*
 * Every key of every database, built and parsed here and nowhere else. Integers are big-endian, so
 * that the order of bytes (LMDB's memcmp) is the order of numbers. A text stands last in its key,
 * or is short: a byte that is its length, then its bytes (so shorter ones come first). A prefix
 * walk (txn_seek from the key with an empty text or number 0 in all that is to vary) meets all that
 * share what stands before it.
 *
 * A builder writes into the caller's struct key and returns a slice of it, valid as long as that
 * is: txn_get(txn, &body, DB_CURRENT, key_current(&(struct key){0}, environment, service, "PORT"));
 * A parser reads a key that was found. It returns 0, or ERR_CORRUPT where the key is none of that
 * kind; its outputs are set on success only. Names are checked for their length, not for their
 * letters.
 */
#ifndef EMSA_STORE_DB_KEYS_H
#define EMSA_STORE_DB_KEYS_H

#include <stdint.h>

#include "store/crypto/hash.h"
#include "store/db/txn.h"
#include "store/limits.h"

#define PUBLIC_KEY_SIZE 32
#define REQUEST_KEY_SIZE 16

/* Room for the longest, that of a share; LMDB takes up to 511. */
struct key {
    unsigned char data[4 + 1 + SERVICE_NAME_MAX + 1 + KEY_NAME_MAX + 1 + SERVICE_NAME_MAX];
    size_t size;
};

/* DB_META: a name */
struct slice key_meta(struct key *, const char *name);

/* DB_COMMIT: rev u64 */
struct slice key_commit(struct key *, uint64_t rev);
int key_commit_parse(struct slice found, uint64_t *rev);

/* DB_LOG and DB_VALUE: rev u64, op u32 */
struct slice key_operation(struct key *, uint64_t rev, uint32_t op);
int key_operation_parse(struct slice found, uint64_t *rev, uint32_t *op);

/* DB_REQUEST: 16 bytes */
struct slice key_request(struct key *, const uint8_t id[static REQUEST_KEY_SIZE]);

/* DB_ENVIRONMENT: name */
struct slice key_environment(struct key *, const char *name);
int key_environment_parse(struct slice found, char name[static ENVIRONMENT_NAME_MAX + 1]);

/* DB_PLACE: environment u32, service name ("" to start a walk) */
struct slice key_place(struct key *, uint32_t environment, const char *service);
int key_place_parse(struct slice found, uint32_t *environment,
                    char service[static SERVICE_NAME_MAX + 1]);

/* DB_CURRENT: environment u32, service u32, key ("" to start a walk) */
struct slice key_current(struct key *, uint32_t environment, uint32_t service, const char *key);
int key_current_parse(struct slice found, uint32_t *environment, uint32_t *service,
                      char key[static KEY_NAME_MAX + 1]);

/* DB_HISTORY: environment u32, name id u64, rev u64 */
struct slice key_history(struct key *, uint32_t environment, uint64_t name_id, uint64_t rev);
int key_history_parse(struct slice found, uint32_t *environment, uint64_t *name_id, uint64_t *rev);

/* DB_EXPIRY: moment u64 (nanoseconds since 1970, never negative), environment u32, name id u64: in
 * the order in which they are due. */
struct slice key_expiry(struct key *, int64_t moment, uint32_t environment, uint64_t name_id);
int key_expiry_parse(struct slice found, int64_t *moment, uint32_t *environment, uint64_t *name_id);

/* DB_NAME: the first byte says which.
 *   'E' environment u32        -> its name
 *   'S' service u32            -> its name
 *   's' service name           -> its id
 *   'N' name id u64            -> service and key
 *   'n' service u32, key       -> name id */
struct slice key_name_environment(struct key *, uint32_t environment);
struct slice key_name_service(struct key *, uint32_t service);
struct slice key_name_service_text(struct key *, const char *service);
struct slice key_name_entry(struct key *, uint64_t name_id);
struct slice key_name_entry_text(struct key *, uint32_t service, const char *key);
int key_name_environment_parse(struct slice found, uint32_t *environment);
int key_name_service_parse(struct slice found, uint32_t *service);
int key_name_service_text_parse(struct slice found, char service[static SERVICE_NAME_MAX + 1]);
int key_name_entry_parse(struct slice found, uint64_t *name_id);
int key_name_entry_text_parse(struct slice found, uint32_t *service,
                              char key[static KEY_NAME_MAX + 1]);

/* DB_KEY: the first byte says which. Service 0 is the environment itself.
 *   'I' public key of an identity (X25519)                     -> the identity
 *   'K' environment u32, service u32, generation u32           -> public key
 *   'W' environment u32, service u32, generation u32, holder's public key -> wrapped private key
 *   'i' name of an identity                                    -> its public key
 *   'V' rev u64, op u32, environment u32, service u32, generation u32 -> the key of that secret
 *   'X' environment u32, service u32, rev u64, op u32          -> who could read there until then
 */
struct slice key_identity(struct key *, const uint8_t public_key[static PUBLIC_KEY_SIZE]);
struct slice key_pair(struct key *, uint32_t environment, uint32_t service, uint32_t generation);
struct slice key_wrapped(struct key *, uint32_t environment, uint32_t service, uint32_t generation,
                         const uint8_t holder[static PUBLIC_KEY_SIZE]);
int key_identity_parse(struct slice found, uint8_t public_key[static PUBLIC_KEY_SIZE]);
int key_pair_parse(struct slice found, uint32_t *environment, uint32_t *service,
                   uint32_t *generation);
int key_wrapped_parse(struct slice found, uint32_t *environment, uint32_t *service,
                      uint32_t *generation, uint8_t holder[static PUBLIC_KEY_SIZE]);

struct slice key_identity_name(struct key *, const char *name);
int key_identity_name_parse(struct slice found, char name[static PRINCIPAL_NAME_MAX + 1]);
struct key_value_wrap {
    uint64_t rev;
    uint32_t op, environment, service, generation;
};
struct slice key_value_wrap(struct key *, const struct key_value_wrap *);
int key_value_wrap_parse(struct slice found, struct key_value_wrap *out);
struct slice key_exposure(struct key *, uint32_t environment, uint32_t service, uint64_t rev,
                          uint32_t op);
int key_exposure_parse(struct slice found, uint32_t *environment, uint32_t *service, uint64_t *rev,
                       uint32_t *op);

/* DB_OUTCOME: rev u64, chunk u32 */
struct slice key_outcome(struct key *, uint64_t rev, uint32_t chunk);
int key_outcome_parse(struct slice found, uint64_t *rev, uint32_t *chunk);

/* DB_REFERENCE: layer u32, short service, short key, the referrer's name id u64 (0 to start a walk)
 */
struct slice key_reference(struct key *, uint32_t layer, const char *service, const char *key,
                           uint64_t name_id);
int key_reference_parse(struct slice found, uint32_t *layer,
                        char service[static SERVICE_NAME_MAX + 1],
                        char key[static KEY_NAME_MAX + 1], uint64_t *name_id);

/* DB_SHARE: layer u32, short service, short key, short consumer ("" to start a walk) */
struct slice key_share(struct key *, uint32_t layer, const char *service, const char *key,
                       const char *consumer);
int key_share_parse(struct slice found, uint32_t *layer, char service[static SERVICE_NAME_MAX + 1],
                    char key[static KEY_NAME_MAX + 1], char consumer[static SERVICE_NAME_MAX + 1]);

/* DB_LOCK: environment u32, short service, short key; "" where the lock is wider, and to start a
 * walk, which meets the wider ones first */
struct slice key_lock(struct key *, uint32_t environment, const char *service, const char *key);
int key_lock_parse(struct slice found, uint32_t *environment,
                   char service[static SERVICE_NAME_MAX + 1], char key[static KEY_NAME_MAX + 1]);

/* DB_TAG: name ("" to start a walk) */
struct slice key_tag(struct key *, const char *name);
int key_tag_parse(struct slice found, char name[static TAG_NAME_MAX + 1]);

/* DB_GRANT: environment u32 (0: everything), service u32 (0: all of the environment), principal (""
 * to start a walk) */
struct slice key_grant(struct key *, uint32_t environment, uint32_t service, const char *principal);
int key_grant_parse(struct slice found, uint32_t *environment, uint32_t *service,
                    char principal[static PRINCIPAL_MAX + 1]);

/* DB_SCHEMA: layer u32, service u32 (0 to start a walk) */
struct slice key_schema(struct key *, uint32_t layer, uint32_t service);
int key_schema_parse(struct slice found, uint32_t *layer, uint32_t *service);

/* DB_PRESENCE: environment u32, service u32 (0: the environment itself), rev u64, op u32 */
struct slice key_presence(struct key *, uint32_t environment, uint32_t service, uint64_t rev,
                          uint32_t op);
int key_presence_parse(struct slice found, uint32_t *environment, uint32_t *service, uint64_t *rev,
                       uint32_t *op);

/* DB_LEAK: the first byte says which.
 *   'F' fingerprint, environment u32, name id u64 (0 and 0 to start a walk) -> nothing
 *   'P' environment u32, name id u64                                       -> fingerprint */
struct slice key_leak_value(struct key *, const uint8_t fingerprint[static FINGERPRINT_SIZE],
                            uint32_t environment, uint64_t name_id);
struct slice key_leak_place(struct key *, uint32_t environment, uint64_t name_id);
int key_leak_value_parse(struct slice found, uint8_t fingerprint[static FINGERPRINT_SIZE],
                         uint32_t *environment, uint64_t *name_id);
int key_leak_place_parse(struct slice found, uint32_t *environment, uint64_t *name_id);

#endif
