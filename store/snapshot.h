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
#include "store/schema.h"
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

/*
 * Has what is asked of places below (environments, services, entries, what a key was last) answered
 * as of a revision; 0: of the newest, which it begins with. At any time; it stays until it is
 * called again. Ids are those that the places have now: a key's name, an environment, one life of a
 * service. What is asked of a revision (store/history.h, snapshot_entry_at) is not touched by it,
 * nor are names, stamps and snapshot_revision.
 *
 * Of an environment or a service as of a revision less is known: changed_rev and shown_rev are that
 * one, listed_time is made_time, and an environment is not protected and never ends. A value stands
 * as it stood: also one that has ended since.
 */
void snapshot_stand(struct snapshot *snapshot, uint64_t rev);
/* What was said there; 0: the newest. */
uint64_t snapshot_as_of(const struct snapshot *snapshot);
/* The revision that places are shown of. */
uint64_t snapshot_shown(const struct snapshot *snapshot);

/* Value types. Times are nanoseconds since 1970. */

struct environment {
    uint32_t id; /* new at every `env add`, so that a removed and re-made directory is a new one */
    char name[ENVIRONMENT_NAME_MAX + 1];
    uint64_t made_rev;    /* the revision that made it */
    uint64_t changed_rev; /* the last revision that changed anything in it */
    uint64_t shown_rev; /* the last that changed what readers see in it: not so a lock or a share */
    int64_t made_time;
    int64_t listed_time; /* when its set of services last changed: the directory's mtime */
    uint32_t base;       /* the id of the environment that it stands on; 0: none */
    bool is_protected;   /* every change of it needs a reason, and it is removed by nobody */
    bool is_signed;      /* every change of it is signed by an identity that the store knows */
    int64_t expires;     /* when a commit of the store's own will remove it; 0: never */
};

struct service { /* a service present in an environment */
    uint32_t environment;
    uint32_t id; /* of its name, for ever the same, in all environments */
    uint16_t
        incarnation; /* how often it was placed here before: a re-made directory is a new one */
    char name[SERVICE_NAME_MAX + 1];
    uint64_t made_rev;
    uint64_t changed_rev; /* the last revision that changed anything in it */
    uint64_t shown_rev;   /* the last that changed what readers see in it */
    int64_t made_time;
    int64_t listed_time; /* when its set of keys last changed: the directory's mtime */
};

enum entry_kind { ENTRY_PLAIN = 1, ENTRY_SECRET = 2, ENTRY_LINK = 3, ENTRY_TEMPLATE = 4 };
enum entry_origin { ORIGIN_OWN = 0, ORIGIN_BASE, ORIGIN_ALL, ORIGIN_SHARED, ORIGIN_SCHEMA };

/* Where bytes that somebody set lie, and what they are bound to: a definition. */
struct definition {
    uint32_t environment; /* the layer: the environment of whoever asked, its base, or `all`; or
                             one of defaults (definition_environment) */
    uint32_t service;
    uint64_t name_id;
    uint64_t entry_id; /* one life of a definition: new when it is made again after a removal */
    uint64_t rev;      /* the operation that set it */
    uint32_t op;
    enum entry_kind kind;
    uint32_t stored_size; /* secret: the padded size; all others: the size of the value or text */
};

/*
 * The default of a schema is a definition as well, in a layer of its own: the layer of defaults of
 * the environment, its base or `all`, whose id has this bit set.
 */
#define LAYER_OF_DEFAULTS 0x80000000u

/* The id of the environment in which a definition stands, or whose schema says it. */
static inline uint32_t definition_environment(const struct definition *definition)
{
    return definition->environment & ~LAYER_OF_DEFAULTS;
}

/*
 * The effective entry of one key of one service in one environment: what a reader gets, links
 * followed and templates expanded there. What is in effect at a place is called its spot
 * (store/model/resolve.h). In `all` nothing is resolved: kind may be link or template there, and
 * the value is the text.
 */
struct entry {
    uint32_t environment;
    uint32_t service;
    uint64_t name_id; /* of (service, key), for ever the same, in all environments */
    char key[KEY_NAME_MAX + 1];
    enum entry_kind kind;     /* of the value: a template that touches a secret is one */
    enum entry_origin origin; /* of the definition that is in effect here */
    uint64_t rev;             /* of the commit that last changed the effective value */
    int64_t time;             /* of that commit */
    uint64_t first_rev;       /* since when there is something in effect here */
    int64_t first_time;
    int64_t expires;      /* when a commit of the store's own will remove it; 0: never */
    uint32_t stored_size; /* plain: the value's size; secret: the padded size, of a template 0 */
    uint64_t as_of;       /* the revision that this is the entry of */
    struct definition defined; /* what is in effect here */
    struct definition value; /* whose bytes are the value, past all links; a template's its text */
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

/* What somebody set at exactly this place, whatever is in effect there: the entry's defined and
 * value are the same, kind may be link or template, and the value is the text. environment may be a
 * base or `all`. */
int snapshot_definition(struct snapshot *, struct entry *out, uint32_t environment,
                        uint32_t service, const char *key);
/* The bytes of a definition as they were set: of a link or a template the text. As
 * snapshot_value. */
int snapshot_text(struct snapshot *, const unsigned char **data, size_t *size,
                  const struct definition *definition, struct secret *scratch);

/* Where a schema was set: in an environment (the layer), by an operation. */
struct schema_place {
    uint32_t layer;
    uint64_t rev;
    uint32_t op;
};
/* The schema in force for a service in an environment: of the first of its layers (itself, its
 * base, `all`) that has one, alone. place may be NULL. Owned by the caller: schema_release.
 * NOT_THERE: none is. */
int snapshot_schema(struct snapshot *, struct schema *out, struct schema_place *place,
                    uint32_t environment, uint32_t service);
/* The one of exactly that layer. */
int snapshot_schema_of(struct snapshot *, struct schema *out, struct schema_place *place,
                       uint32_t layer, uint32_t service);

/* Whether two secrets that are set now certainly differ, without a key: 1; 0: open them to know.
 * are_set: they are of entries as of the newest revision, so it is not looked up that they are. */
int snapshot_secrets_differ(struct snapshot *, const struct definition *a,
                            const struct definition *b, bool are_set);

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
 * The bytes of an entry's value, whole. Plain: *data points into the store's map (or, where it is
 * composed, into scratch) and is valid until snapshot_end; copy it before handing it to a system
 * call (fs/DESIGN.md says why). Secret: decrypted into scratch (grown if needed, owned by the
 * caller, who clears it). ERR_NO_KEY, ERR_CORRUPT, ERR_NOMEM.
 */
int snapshot_value(struct snapshot *, const unsigned char **data, size_t *size,
                   const struct entry *entry, struct secret *scratch);

/* Whether an entry's value is put together from others' (a template's): such bytes lie in scratch,
 * also of a plain one. */
bool entry_is_composed(const struct entry *entry);

/*
 * A secret in two steps, for who reads the same version again and again; not for one that is
 * composed. snapshot_sealed: as it
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
