/*
 * What a service declares of its keys: the schema that lies as YAML in its own repository, as the
 * store has it. It belongs to (an environment or `all`, service); of several layers the nearest one
 * that has a schema is in force, alone.
 *
 * The bytes of a schema in a store are normative (store/FORMAT.md, "Schema"): one encoding each.
 */
#ifndef EMSA_STORE_SCHEMA_H
#define EMSA_STORE_SCHEMA_H

#include "store/bytes.h"
#include "store/limits.h"
#include "store/type.h"

struct schema_key {
    char name[KEY_NAME_MAX + 1];
    enum value_type type;
    bool is_secret;     /* its effective value must be one */
    bool is_deprecated; /* may still be there, also where the schema is strict; never required */
    bool is_fixed;      /* promote: false, what belongs to one environment */
    bool has_default;
    char *default_value; /* owned; bytes, not ended; NULL where empty or none */
    size_t default_size;
    bool is_required;           /* everywhere, */
    struct type_words required; /* or in these environments */
    struct type_words in;       /* may exist in these only; none: everywhere */
    struct type_words values;   /* of an enum */
    struct type_words schemes;  /* of a url */
    char *pattern;              /* owned, or NULL */
    bool has_min, has_max;
    int64_t min, max;
    bool has_min_length, has_max_length;
    uint32_t min_length, max_length;
    char *description; /* owned, or NULL */
};

struct schema {
    char service[SERVICE_NAME_MAX + 1];
    bool is_strict; /* no key that is not declared */
    char *description;
    struct schema_key *keys; /* owned; in the order of their names */
    size_t count;
};

void schema_release(struct schema *); /* a zeroed one too; leaves it zeroed */

/* A new key in its place in the order, of type string, borrowed until the next. ERR_INVALID: no
 * name of a key, stands twice, more than SCHEMA_KEYS_MAX; ERR_NOMEM. */
int schema_add(struct schema *, struct schema_key **out, const char *name);
/* NULL: not declared. */
const struct schema_key *schema_find(const struct schema *, const char *name);
/* Appends a copy. ERR_NOMEM, ERR_INVALID: more than SCHEMA_WORDS_MAX. */
int schema_word(struct type_words *, const char *word);

/*
 * Everything that is wrong with a schema itself: an enum without values, a default that is not of
 * its type, a secret with a default, a pattern that does not compile, min above max, bounds that
 * the type has not, names that are none, a key that is required where it may not be, deprecated and
 * required. Calls fault for each, with the key ("" for the schema), the member that it is about
 * ("min"; "" for all of it) and words that follow it ("is above max"); a failure that fault returns
 * ends it. Returns 0 (also where there were faults: the caller counts), or a failure.
 */
int schema_check(const struct schema *,
                 int (*fault)(void *arg, const char *key, const char *member, const char *text),
                 void *arg);

/* As FORMAT.md has it. Sticky error of out. Only of one that schema_check has nothing against. */
void schema_encode(struct bytes *out, const struct schema *);
/* ERR_CORRUPT, ERR_FORMAT, ERR_NOMEM; *out untouched. Owned: schema_release. */
int schema_decode(struct schema *out, const void *data, size_t size);

/* Whether a value is what the key asks for: type_check with all that the schema says of it. */
int schema_value(char text[static TYPE_TEXT_MAX], const struct schema_key *, const void *value,
                 size_t size);

/* What a schema says of one key in one environment. */
enum verdict {
    VERDICT_VALID = 0,
    VERDICT_UNCHECKED,  /* a secret whose value is not at hand */
    VERDICT_MISSING,    /* required, and not there */
    VERDICT_UNDECLARED, /* the schema is strict */
    VERDICT_ELSEWHERE,  /* may exist in other environments only */
    VERDICT_PLAIN,      /* must be a secret */
    VERDICT_WRONG,      /* not of its type, or outside of its bounds */
};

struct schema_subject {      /* what there is in an environment */
    const char *environment; /* by its name, or, where a list has only that, its base's, */
    const char *base;        /* which a preview has; NULL: none */
    const char *key;
    bool is_there;
    bool is_secret;
    const void *value; /* NULL: not at hand (an empty one that is has an address) */
    size_t size;
};

/* The verdict, the first that applies in the order above from MISSING on, else UNCHECKED or VALID;
 * text says it in words that follow the path ("must be a port (1 to 65535)"), without a byte of the
 * value,
 * "" if valid. What is required everywhere and may exist in some environments only is required in
 * those. ERR_NOMEM. */
int schema_judge(const struct schema *, enum verdict *out, char text[static TYPE_TEXT_MAX],
                 const struct schema_subject *);

#endif
