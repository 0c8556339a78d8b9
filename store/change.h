/*
 * The only way to write. A change gathers operations, then commits them: all of them in one
 * revision, or none. What is refused is refused with every reason (error_text has a line for each),
 * before anything is sealed, and nothing is changed.
 */
#ifndef EMSA_STORE_CHANGE_H
#define EMSA_STORE_CHANGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/name.h"
#include "store/schema.h"
#include "store/secret.h"
#include "store/snapshot.h"
#include "store/store.h"
#include "store/text_blocks.h"

#define REQUEST_ID_SIZE 16

#define SIGNING_KEY_SIZE 32 /* Ed25519 */
#define SIGNATURE_SIZE 64
#define REQUEST_SEED_SIZE 32

/* A signature of a request (store/request.h): the public key, what stands for the text that was
 * signed, and the signature of that. */
struct signature {
    uint8_t key[SIGNING_KEY_SIZE];
    uint8_t text_hash[HASH_SIZE];
    uint8_t bytes[SIGNATURE_SIZE];
};

/* Who wrote, as far as the kernel told: "uid 1000 (alice)", and whose key signed that it was asked
 * for. */
struct author {
    char name[AUTHOR_MAX + 1];
    bool is_signed;
    bool is_known; /* the key is an identity's that the store knew before */
    uint8_t key[SIGNING_KEY_SIZE];
    char identity[PRINCIPAL_NAME_MAX + 1]; /* its name, where it is known; else "" */
};

struct change;

/* An empty change. Owned by the caller: change_free. */
int change_new(struct change **out, struct store *store);
void change_free(struct change *change);

/* What the values that follow get their salts and data keys from, numbered in the order in which
 * they are added (store/request.h). Before the first of them. ERR_NOMEM. */
int change_seed(struct change *, const uint8_t seed[static REQUEST_SEED_SIZE]);
/* The digest of the number-th of them, from 1; NULL: there are not so many. Borrowed until another
 * is added. */
const uint8_t *change_value_digest(const struct change *, uint32_t number);

/* Each adds one operation; later ones see what earlier ones do. The path must be of the depth that
 * the operation needs. Failures (ERR_INVALID: name, depth, value over VALUE_MAX, commit over its
 * limits; ERR_NOMEM) leave the change as it was. */
struct environment_terms {
    const char *base;  /* the environment that the new one stands on; NULL: none */
    bool is_protected; /* every change of it needs a reason; it neither has nor is a base */
    bool is_signed;    /* it is protected, and changed by signed requests only */
    uint64_t ttl;      /* seconds until it goes with all that is in it; 0: never */
};
/* terms may be NULL. Places every service that the base has. */
int change_environment_add(struct change *, const char *name,
                           const struct environment_terms *terms);
int change_environment_remove(struct change *, const char *name);
int change_service_add(struct change *, const struct path *service);
int change_service_remove(struct change *, const struct path *service);
/* Sets a key, making the service (and saying so) where it is new. Copies the value. */
int change_set_plain(struct change *, const struct path *key, const void *value, size_t size);
/* Takes over the secret's memory on success: *value is empty then. */
int change_set_secret(struct change *, const struct path *key, struct secret *value);
/* Sets a secret by a sealed text (store/sealed.h). What the text is not sealed for (another store,
 * another key) is refused with ERR_REFUSED, one that is damaged with ERR_CORRUPT, at once; the rest
 * is found out when it is opened, at commit: ERR_REFUSED where its environment was removed,
 * ERR_NO_KEY where no key is at hand. One that is what stands there already is left as it is, also
 * of a blind change: who has the text learns nothing else by it. */
int change_set_sealed(struct change *, const struct path *key, const void *text, size_t size);
/* A definition that is another's value: the text "service/KEY", looked for in the reader's
 * environment. ERR_INVALID also for a text that is none (store/template.h). */
int change_set_link(struct change *, const struct path *key, const char *target);
int change_set_template(struct change *, const struct path *key, const void *text, size_t size);
/* What stands at from (its definition: a value, or the text of a link or template) is set at key
 * too; change_move: and removed at from, which must lie in the same environment. Secrets are sealed
 * anew, which needs their key (ERR_NO_KEY at commit). Where it was taken from is recorded. */
int change_copy(struct change *, const struct path *key, const struct path *from);
int change_move(struct change *, const struct path *key, const struct path *from);
/* As change_copy, of what was defined at from as of revision rev, in an environment of that name
 * and also where it is gone since; with the end that it had. ERR_INVALID also for revision 0. */
int change_copy_at(struct change *, const struct path *key, const struct path *from, uint64_t rev);
/* The key's value may be referred to by a service of that name, "*" for every service: in this
 * environment, in those that stand on it, in `all` everywhere. */
int change_share(struct change *, const struct path *key, const char *consumer);
int change_unshare(struct change *, const struct path *key, const char *consumer);
/* Nothing under the path (of any depth but the root) may change; the reason is the commit's. */
int change_lock(struct change *, const struct path *path);
int change_unlock(struct change *, const struct path *path);
/* A name for a revision that is there; one that is given already moves. ERR_INVALID: no name for a
 * tag (tag_check), revision 0. */
int change_tag(struct change *, const char *name, uint64_t rev);
int change_untag(struct change *, const char *name);
/* The value or template that the key had as of a revision, in an environment of that name (also
 * where it is gone since), is destroyed; where it had none of its own but a default of that
 * environment's own schema, that, with all schemas that say it. Of a service: the schema that it
 * had there itself, with the defaults that are no more. The chain still verifies. No links, and
 * nothing that is set there now (ERR_REFUSED of the commit). Needs a reason. ERR_INVALID also for
 * revision 0. */
int change_purge(struct change *, const struct path *key, uint64_t rev);
/* The values of all that was replaced or removed by that revision (and is not what a tag shows),
 * under a place or, with the root, everywhere. A change that does this holds nothing else, and
 * needs a reason. ERR_INVALID also for revision 0. */
int change_compact(struct change *, const struct path *place, uint64_t rev);
/* Rights (of enum grant_right, one at least) to all that is at a place, which must be there, or,
 * with the root, to everything; in addition to what is held there already. ERR_INVALID: a key's
 * path, no right or an unknown one, no principal (store/grant.h). */
int change_grant(struct change *, const struct path *place, const char *principal, unsigned rights);
/* Takes them back, 0: all that were granted to that principal at exactly this place; ERR_NOT_FOUND
 * (of the commit) where one of them was not, or none was. */
int change_revoke(struct change *, const struct path *place, const char *principal,
                  unsigned rights);
/* Makes an identity known by a name, with its public text (identity_public); known by it already:
 * nothing. ERR_INVALID: no name, no public text; ERR_REFUSED (of the commit): the name is another
 * identity's, or the identity has another name. */
int change_identity(struct change *, const char *name, const char *text);
/* New keys for an environment and all services in it, or for a service, for all who hold the old
 * ones; what is set is wrapped for them. A change that does this, or takes reading from an
 * identity, which does it too, holds nothing but rights, identities and keys. reencrypt: what is
 * set is encrypted anew, too, with new data keys: the same values, of which no reader is told. That
 * takes a key at hand (ERR_NO_KEY of the commit). */
int change_rotate(struct change *, const struct path *place, bool reencrypt);
/* What the service declares of its keys, in an environment or in `all`. The service must be there
 * (in `all` it is placed). Copied. ERR_INVALID: schema_check has something against it (a line for
 * each fault), it is another service's, or of more than SCHEMA_SIZE_MAX bytes. */
int change_schema_set(struct change *, const struct path *service, const struct schema *schema);
int change_schema_remove(struct change *, const struct path *service);
/* The key that was set last ends so many seconds after the commit, by a commit of the store's own
 * (store/expiry.h); without this a set is for good, also of a key that was to end. ERR_INVALID: 0,
 * over TTL_MAX, or nothing was set. */
int change_ttl(struct change *, uint64_t seconds);
int change_remove(struct change *, const struct path *key);
/* Removes a service with its keys, or an environment with all its services: told apart at commit,
 * so that it is everything that stands there then, in one revision. */
int change_remove_all(struct change *, const struct path *path);

enum change_override {
    OVERRIDE_SCHEMA = 1, /* values that a schema says are wrong */
    OVERRIDE_LOCK = 2,   /* changes of what is locked */
    OVERRIDE_SHARE = 4,  /* references to what is not shared: they are, by the same commit */
    OVERRIDE_ALL = 7,
};

/* Places at which something was told of a secret: each once, the first so many. */
#define CHANGE_PLACES_MAX 32u
struct change_places {
    size_t count;
    struct change_place {
        struct path path;
        size_t times;
    } list[CHANGE_PLACES_MAX];
};
struct change_told {
    struct change_places equal;  /* of change_result's equal: what would have been set there */
    struct change_places judged; /* of its judged: where a schema or a template is in force */
};

struct change_terms {
    struct author author;
    const char *reason; /* UTF-8, NULL or "" for none */
    /* For idempotence: a request with this id that was committed already is not done again; the
     * result is the earlier one's. All zeros: none. */
    uint8_t request_id[REQUEST_ID_SIZE];
    /* Refused with ERR_CONFLICT if anything under the path changed after this revision; not asked
     * where has_if_rev is false. The path may be of any depth; the root means the whole store. */
    bool has_if_rev;
    uint64_t if_rev;
    struct path if_path;
    const struct path *if_paths; /* the same asked of each of these, instead of if_path; borrowed,
                                    NULL: not */
    size_t if_path_count;
    bool dry_run;   /* judge and report, commit nothing */
    bool allow_new; /* --new: make a service whose name looks like a misspelling of another */
    /* A value may be equal to a secret of another environment (store/model/leak.h); needs a reason,
     * and the operations say so for ever. */
    bool allow_equal;
    /* Of enum change_override: what a caller with the admin right lets pass. Needs a reason
     * (ERR_INVALID), and where something did pass for it, the commit's operations say so for ever.
     */
    unsigned override;
    /* What is set is set, also where it is what is there already, and nothing is said of whether it
     * was: for who may set and not read. */
    bool blind;
    /* The request that this is, signed by who asked (store/request.h); NULL: unsigned. Refused
     * where it is no signature of this text, where the text is another store's or request's, and
     * where what the change comes to does not follow from it. Borrowed. */
    const struct signature *signature;
    const void *request;
    size_t request_size;
    /* What the clock says: nanoseconds since 1970, what ends is counted from. 0: it is read when
     * the writer's turn has come. */
    int64_t now;
    struct change_told *told; /* filled in whatever comes of it; borrowed, NULL: not asked */
};

/* What one operation did. There may be a hundred thousand, so names are pointers, to what lives as
 * long as the result; the place is as deep as the names that are not "". */
#define REENCRYPTED "encrypted anew"
struct change_line {
    const char *environment, *service, *key;
    /* Of what is about a name and no value: the service that it was shared with, "*": all; the
     * identity that was made known; the
     * tag, whose place is the root and whose was_rev is what it named; who was granted rights, or
     * lost them; else "". */
    const char *with; /* of new keys: REENCRYPTED, where what is set is encrypted anew */
    uint64_t was_rev; /* for '~' and '-': the revision it had */
    int64_t expires;  /* for '+' and '~': when it will end, 0: never; for '-': when it was to, where
                         that moment had come */
    unsigned rights;  /* of a grant, or of what is taken back */
    uint64_t values, bytes; /* of a compaction: how many values it destroyed, and how large */
    enum change_subject {
        CHANGE_PLACE,
        CHANGE_SHARE,
        CHANGE_LOCK,
        CHANGE_SCHEMA,
        CHANGE_TAG,
        CHANGE_GRANT,
        CHANGE_IDENTITY,
        CHANGE_KEYS,
        CHANGE_PURGE,  /* '-' a value that was destroyed, '=' one that had been; was_rev: its set */
        CHANGE_COMPACT /* was_rev: what was replaced by then */
    } subject;
    char mark; /* '+' made, '~' changed, '-' removed, '=' as it was */
    bool secret;
};

/* The place that a line is of, and out, or its text. */
struct path *change_line_path(struct path *out, const struct change_line *line);
const char *change_line_text(const struct change_line *line, char text[static PATH_TEXT_MAX]);

/* What a schema that was set finds wrong (and does not refuse, since it is the schema that
 * changed), or what shows otherwise because of its defaults: words that follow the path. Also of a
 * dry run. */
struct change_note {
    bool is_of_asked; /* it is about what was asked for, and tells nothing of what is there */
    struct path path;
    char text[TYPE_TEXT_MAX];
};

struct change_result {
    uint64_t rev;    /* of the commit; of the newest one where nothing was changed or dry_run */
    bool committed;  /* false: dry run, or every operation was '=' */
    bool repeated;   /* an earlier request with this id had done it; lines is empty then */
    int64_t expires; /* the first moment at which something that this commit set ends; 0: none */
    size_t count;
    struct change_line *lines; /* owned by the caller: change_result_release */
    struct text_blocks texts;  /* of lines */
    size_t note_count;
    struct change_note *notes; /* owned as lines are */
    /* How many values were refused for being equal to a secret; set where the commit failed too
     * (all else is zero then), for whoever counts guesses. */
    size_t equal;
    /* Of how many secrets something was told that is not in what was brought: a schema, or a
     * template, that this change sets was judged by their values. Set as equal is. */
    size_t judged;
};
void change_result_release(struct change_result *result);

/*
 * Judges and commits; durable when it returns 0, and readers that begin after that see it. A value
 * that is set to what it is (plain: equal bytes; secret: equal, where a key to compare is at hand)
 * is left as it is; where nothing is left to do, no commit is made. The change is used up, whatever
 * is returned. ERR_NOT_FOUND  an environment, service or key that is named is not there (with the
 * nearest name) ERR_REFUSED    a rule: reserved name, likely misspelling, not empty, secret in
 * `all`, reserve eaten ERR_CONFLICT   if_rev ERR_FULL       disk or map; deletions still fit
 *   ERR_CORRUPT, ERR_IO, ERR_NOMEM
 */
int change_commit(struct change *, const struct change_terms *terms, struct change_result *out);

/* Whether the change brings values, which the leak guard would look at. */
bool change_brings_values(const struct change *);

#endif
