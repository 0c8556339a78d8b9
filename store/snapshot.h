/*
 * One consistent revision of the store, and lookups in it.
 *
 * A snapshot belongs to one thread and is made once; between snapshot_begin and snapshot_end it
 * stands at the newest committed revision and never waits for a writer. No snapshot outlives a
 * request: one that is left open keeps the file growing. Every record that is read is checked
 * against its hash; a wrong one is ERR_CORRUPT (and the store's alarm), never wrong data. So is a
 * page of the file that faults.
 *
 * Lookups return 0, positive 1 (NOT_THERE) when there is no such thing, or a failure; *out is set
 * on 0 only.
 */
#ifndef EMSA_STORE_SNAPSHOT_H
#define EMSA_STORE_SNAPSHOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/limits.h"
#include "store/secret.h"
#include "store/store.h"

#define NOT_THERE 1

struct snapshot;

int snapshot_new(struct snapshot **out, struct store *store);
void snapshot_free(struct snapshot *snapshot);

/* Stands at the newest revision. ERR_IO, ERR_NOMEM, ERR_CORRUPT. */
int snapshot_begin(struct snapshot *snapshot);
void snapshot_end(struct snapshot *snapshot);

/* Names the state of the store that the snapshot shows; snapshot_newest, which may be called at any
 * time, names the newest. While both are the same nothing was committed, so that whatever was read
 * is what reading again would give. 0, which is never equal to anything: it can't be told. */
uint64_t snapshot_stamp(const struct snapshot *snapshot);
uint64_t snapshot_newest(const struct snapshot *snapshot);

uint64_t snapshot_revision(const struct snapshot *snapshot);
struct store *snapshot_store(const struct snapshot *snapshot);

/* Value types. Times are nanoseconds since 1970. */

struct environment {
    uint32_t id; /* new at every `env add`, so that a removed and re-made directory is a new one */
    char name[ENVIRONMENT_NAME_MAX + 1];
    uint64_t made_rev;    /* the revision that made it */
    uint64_t changed_rev; /* the last revision that changed anything in it */
    int64_t made_time;
    int64_t listed_time; /* when its set of services last changed: the directory's mtime */
};

struct service { /* a service present in an environment */
    uint32_t environment;
    uint32_t id; /* of its name, for ever the same, in all environments */
    uint16_t
        incarnation; /* how often it was placed here before: a re-made directory is a new one */
    char name[SERVICE_NAME_MAX + 1];
    uint64_t made_rev;
    uint64_t changed_rev; /* the last revision that changed anything in it */
    int64_t made_time;
    int64_t listed_time; /* when its set of keys last changed: the directory's mtime */
};

enum entry_kind { ENTRY_PLAIN = 1, ENTRY_SECRET = 2, ENTRY_LINK = 3, ENTRY_TEMPLATE = 4 };
enum entry_origin { ORIGIN_OWN = 0, ORIGIN_BASE, ORIGIN_ALL, ORIGIN_SHARED, ORIGIN_SCHEMA };

struct entry { /* the effective entry of one key of one service in one environment */
    uint32_t environment;
    uint32_t service;
    uint64_t name_id; /* of (service, key), for ever the same, in all environments */
    char key[KEY_NAME_MAX + 1];
    enum entry_kind kind;
    enum entry_origin origin;
    uint64_t entry_id; /* one life of a key: new when it is made again after a removal */
    uint64_t rev;      /* of the commit that last set it */
    uint32_t op;       /* which operation of that commit */
    uint64_t first_rev;
    int64_t time;         /* of that commit */
    int64_t first_time;   /* of first_rev */
    int64_t expires;      /* when a commit of the store's own will remove it; 0: never */
    uint32_t stored_size; /* plain: the value's size; secret: the padded size */
};

int snapshot_environment(struct snapshot *, struct environment *out, const char *name);
int snapshot_environment_by_id(struct snapshot *, struct environment *out, uint32_t id);
/* The first environment whose name is greater than after ("" for the first of all), in byte order.
 */
int snapshot_next_environment(struct snapshot *, struct environment *out, const char *after);

int snapshot_service(struct snapshot *, struct service *out, uint32_t environment,
                     const char *name);
/* incarnation must match the living one, else NOT_THERE; pass SERVICE_ANY to not ask. */
#define SERVICE_ANY 0x10000u
int snapshot_service_by_id(struct snapshot *, struct service *out, uint32_t environment,
                           uint32_t id, uint32_t incarnation);
int snapshot_next_service(struct snapshot *, struct service *out, uint32_t environment,
                          const char *after);

int snapshot_entry(struct snapshot *, struct entry *out, uint32_t environment, uint32_t service,
                   const char *key);
int snapshot_entry_by_name(struct snapshot *, struct entry *out, uint32_t environment,
                           uint64_t name_id);
int snapshot_next_entry(struct snapshot *, struct entry *out, uint32_t environment,
                        uint32_t service, const char *after);

/* The entry as it was at revision rev (which may be the newest). NOT_THERE if there was none then.
 */
int snapshot_entry_at(struct snapshot *, struct entry *out, uint32_t environment, uint64_t name_id,
                      uint64_t rev);

/* The last version that a key had, whether it is there or was removed. NOT_THERE if it never had
 * one (or had none outside of commits that removed it again). */
int snapshot_entry_last(struct snapshot *, struct entry *out, uint32_t environment,
                        uint64_t name_id);

/* What a name id means: the service's id and the key. For directory offsets, which are name ids. */
int snapshot_name(struct snapshot *, uint32_t *service, char key[static KEY_NAME_MAX + 1],
                  uint64_t name_id);
/* The name of a service id, also of one that is present nowhere; the same for environments that
 * ended. */
int snapshot_service_name(struct snapshot *, char name[static SERVICE_NAME_MAX + 1],
                          uint32_t service);
int snapshot_environment_name(struct snapshot *, char name[static ENVIRONMENT_NAME_MAX + 1],
                              uint32_t environment);

/* The exact size of the value. For a secret its sealed length is opened (once per version; then
 * cached). ERR_NO_KEY: no key for it. */
int snapshot_size(struct snapshot *, size_t *size, const struct entry *entry);

/*
 * The bytes of an entry's value, whole. Plain: *data points into the store's map and is valid until
 * snapshot_end; copy it before handing it to a system call (fs/DESIGN.md says why). Secret:
 * decrypted into scratch (grown if needed, owned by the caller, who clears it). ERR_NO_KEY,
 * ERR_CORRUPT, ERR_NOMEM.
 */
int snapshot_value(struct snapshot *, const unsigned char **data, size_t *size,
                   const struct entry *entry, struct secret *scratch);

/*
 * A secret in two steps, for who reads the same version again and again. snapshot_sealed: as it
 * lies in the store, checked; valid until snapshot_end, good to copy, no use without keys.
 * snapshot_reopen: opens (a copy of) that into scratch, at any time and without looking into the
 * store, if this process opened the version before; NOT_THERE: it did not, or the key had to make
 * room; snapshot_value does it. Failures as there.
 */
int snapshot_sealed(struct snapshot *, const unsigned char **data, size_t *size,
                    const struct entry *entry);
int snapshot_reopen(struct snapshot *, const struct entry *entry, const unsigned char *sealed,
                    size_t sealed_size, struct secret *scratch);

#endif
