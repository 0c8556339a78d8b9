/* What a change was asked to do, in memory: a list of operations whose texts and plain values stand
 * in blocks that are freed together; secrets stand in the locked arena. */
#ifndef EMSA_STORE_MODEL_GATHER_H
#define EMSA_STORE_MODEL_GATHER_H

#include <stdbool.h>
#include <stddef.h>

#include "store/crypto/hash.h"
#include "store/history.h"
#include "store/name.h"
#include "store/secret.h"
#include "store/snapshot.h"
#include "store/text_blocks.h"

/* A wish that is none of the log's kinds: everything under a path, told apart when it is judged. */
#define GATHER_REMOVE_ALL ((enum operation_kind)255)
/* Another: every key whose moment has come (due.h). */
#define GATHER_REMOVE_DUE ((enum operation_kind)254)
/* Two more: what stands at another key is set here too; and removed there. */
#define GATHER_COPY ((enum operation_kind)253)
#define GATHER_MOVE ((enum operation_kind)252)
/* And one: new keys for a place. */
#define GATHER_ROTATE ((enum operation_kind)251)
/* A set of a secret that comes as a sealed text, and is opened when it is judged. */
#define GATHER_SEALED ((enum operation_kind)250)

/* What a request's seed gives of one of its values (store/request.h). */
struct asked_value {
    uint8_t salt[SALT_SIZE];
    uint8_t digest[HASH_SIZE];
};

struct wish {
    enum operation_kind kind;
    uint32_t number;         /* of its value in the request, from 1; 0: the request has no seed */
    const char *environment; /* owned by the gather, as are the others; "" where there is none */
    const char *service;
    const char *key;
    const unsigned char *value; /* of a plain set; the text of a link or a template */
    size_t size;                /* of value, or of the secret */
    struct secret secret;       /* of a secret set */
    struct secret data_key;     /* of one that was sealed: what it is to be sealed with here, too */
    const struct sealed *sealed; /* of a sealed text; owned by the gather, as is what it has */
    uint64_t ttl;                /* of what is made: seconds until it ends; 0: for good */
    int64_t ends;                /* the same as a moment, where it is known; 0: by ttl */
    const char *with; /* of a share: the consumer; of rights: to whom; of an identity: its name,
                         whose public text is the value. Of an environment: its base,
                         or NULL */
    unsigned rights;  /* that are granted or taken back */
    bool reencrypts;  /* of new keys: what is set is encrypted anew */
    const struct definition *resealed; /* of a set that encrypts anew: what; the gather's */
    bool is_protected;                 /* of an environment */
    bool is_signed;                    /* the same: it takes signed changes only */
    const struct path *from;           /* of a copy or a move; owned by the gather */
    /* Of a copy: as of this revision, 0: as it is now. Of a tag: what it names. Of what is
     * destroyed: as of, or until when. */
    uint64_t rev;
    struct copied_from copied; /* of a set that copies */
};

struct gather {
    struct wish *wishes; /* owned */
    size_t count;
    size_t capacity;
    size_t value_bytes; /* of all values, as they will be stored */
    size_t additions;   /* wishes that are no removals */
    struct kept_wish *kept;
    struct secret seed;         /* of the request; no memory: it has none */
    struct asked_value *values; /* owned; by number - 1 */
    uint32_t value_count, value_capacity;
    struct kept_sealed *sealed;
    struct text_blocks texts;
};

/* Copies size bytes (and a closing NUL) into the blocks. NULL: no memory, and the error's text is
 * set. */
const char *gather_copy(struct gather *gather, const void *data, size_t size);

/* Room for a wish that comes out of another while it is judged, zeroed; what it holds is released
 * with the gather. NULL: no memory. */
struct wish *gather_keep(struct gather *gather);

/* The same, of a set that encrypts that definition anew. */
struct wish *gather_keep_resealed(struct gather *gather, const struct definition *definition);

/* The same for a sealed text: takes *sealed over on success. */
const struct sealed *gather_keep_sealed(struct gather *gather, struct sealed *sealed);

/* The next value's number, with the digest that a request has of it: for a wish whose value is not
 * at hand. ERR_NOMEM. */
int gather_number(struct gather *gather, struct wish *wish, const uint8_t digest[static HASH_SIZE]);

/* Adds a wish for path. The value is copied; a secret is taken over on success. ERR_NOMEM;
 * ERR_INVALID: over a commit's limits. */
int gather_add(struct gather *gather, enum operation_kind kind, const struct path *path,
               const void *value, size_t size, struct secret *secret);

/* Frees everything, wiping secrets. */
void gather_release(struct gather *gather);

#endif
