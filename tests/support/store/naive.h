/*
 * What a store should be, worked out the slow way: a few environments (`all` is the first of them),
 * services and keys in plain arrays; after every change everything is resolved anew, from the texts
 * on. Written from the rules, not from the store, and shares no code with it: texts are parsed,
 * references followed, refusals found and revisions told here a second time.
 *
 * A state is a value: copy it, apply a change to the copy, keep what is wanted.
 */
#ifndef EMSA_TESTS_NAIVE_H
#define EMSA_TESTS_NAIVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define NAIVE_ENVIRONMENTS 6u /* with `all` */
#define NAIVE_ALL 0u
#define NAIVE_SERVICES 5u
#define NAIVE_KEYS 6u
#define NAIVE_EVERYBODY NAIVE_SERVICES /* the consumer "*" */
#define NAIVE_NONE (-1)

extern const char *const naive_environments[NAIVE_ENVIRONMENTS];
extern const char *const naive_services[NAIVE_SERVICES];
extern const char *const naive_keys[NAIVE_KEYS];
#define NAIVE_SHARED 3 /* the service `shared` */

/* --- texts (naive_text.c) --- */

enum naive_filter { NAIVE_AS_IS, NAIVE_URL, NAIVE_JSON, NAIVE_BASE64 };

struct naive_piece { /* of a template: literal bytes, or a reference */
    const unsigned char *literal;
    size_t size;
    int service, key; /* of a reference; NAIVE_NONE: a name that is nowhere */
    enum naive_filter filter;
    bool is_reference;
    char name[80]; /* of a reference: service/KEY, as a message has it */
};

/* Bytes that somebody sets. Made once and for ever, equal ones are the same pointer. */
struct naive_text {
    size_t size;
    uint64_t hash;
    struct naive_text *next;
    unsigned char bytes[];
};
const struct naive_text *naive_text(const void *bytes, size_t size);

#define NAIVE_PIECES_MAX 160u
/* The pieces of a template (own: the service of `${KEY}`), or -1: it is none. */
int naive_template(struct naive_piece out[static NAIVE_PIECES_MAX], const struct naive_text *text,
                   int own);
/* The one piece of a link, or -1. */
int naive_link(struct naive_piece *out, const struct naive_text *text);

struct naive_bytes {
    unsigned char *data;
    size_t size, capacity;
};
void naive_append(struct naive_bytes *to, const void *data, size_t size);
void naive_append_filtered(struct naive_bytes *to, const unsigned char *data, size_t size,
                           enum naive_filter filter);
uint64_t naive_hash(const void *bytes, size_t size);

/* --- the state --- */

enum naive_kind { /* of definitions, and of records */
                  NAIVE_NOTHING,
                  NAIVE_PLAIN,
                  NAIVE_SECRET,
                  NAIVE_LINK,
                  NAIVE_TEMPLATE,
                  NAIVE_AS_IN_BASE,
                  NAIVE_AS_IN_ALL,
                  NAIVE_DEFAULT, /* of the schema of the environment itself, */
                  NAIVE_DEFAULT_OF_BASE,
                  NAIVE_DEFAULT_OF_ALL,
};

enum naive_type { NAIVE_STRING, NAIVE_INT, NAIVE_BOOL, NAIVE_ENUM };

struct naive_rule { /* what a schema says of one key; zeros where it says nothing */
    bool is_declared, is_secret, is_deprecated, is_required;
    unsigned required, in; /* environments, a bit each; no bit in `in`: everywhere */
    enum naive_type type;
    unsigned words; /* of an enum: those of naive_words, a bit each */
    bool has_min, has_max;
    int min, max;                      /* of an int; of a string: of its length */
    const struct naive_text *fallback; /* its default, or NULL */
};

/* Made once and for ever, as texts are. */
struct naive_schema {
    bool is_strict;
    struct naive_rule rules[NAIVE_KEYS];
    const struct naive_schema *next;
};
#define NAIVE_WORDS 4u
extern const char *const naive_words[NAIVE_WORDS];

#define NAIVE_PRINCIPALS 3u
extern const char *const naive_principals[NAIVE_PRINCIPALS];

struct naive_definition {
    enum naive_kind kind;
    const struct naive_text *text;
    uint64_t rev; /* that set it */
    int64_t expires;
};

struct naive_record {
    enum naive_kind kind;
    uint64_t since, rev, first_rev;
};

struct naive_seen {       /* what a reader has of a spot */
    enum naive_kind kind; /* nothing, plain, secret; in `all` link and template too */
    enum naive_kind record;
    uint64_t rev, first_rev;
    uint64_t size, hash; /* of the bytes */
    int64_t expires;     /* of the definition that is in effect */
    bool is_faulty;      /* an own definition that an expiry left so: nothing is seen */
    bool is_large;       /* and only for its size: it is listed, and can't be read */
};

struct naive_place {
    bool present, known;
    unsigned incarnation;
    uint64_t made_rev, changed_rev, shown_rev, listed_rev;
};

struct naive_environment {
    bool alive;
    unsigned life; /* a number of each environment that was ever made, from 1 */
    int base;
    bool is_protected;
    int64_t expires;
    uint64_t made_rev, changed_rev, shown_rev, listed_rev;
    struct naive_place places[NAIVE_SERVICES];
    struct naive_definition definitions[NAIVE_SERVICES][NAIVE_KEYS];
    struct naive_record records[NAIVE_SERVICES][NAIVE_KEYS];
    bool hidden[NAIVE_SERVICES][NAIVE_KEYS]; /* faulty since an expiry showed it */
    uint64_t shares[NAIVE_SERVICES][NAIVE_KEYS][NAIVE_SERVICES + 1]; /* rev, 0: not shared */
    uint64_t lock, service_locks[NAIVE_SERVICES], key_locks[NAIVE_SERVICES][NAIVE_KEYS]; /* revs */
    unsigned grants[NAIVE_SERVICES + 1][NAIVE_PRINCIPALS]; /* the last: of all of it */
    const struct naive_schema *schemas[NAIVE_SERVICES];
    uint64_t schema_revs[NAIVE_SERVICES];
    struct naive_definition defaults[NAIVE_SERVICES][NAIVE_KEYS]; /* what those schemas say */
    struct naive_record default_records[NAIVE_SERVICES][NAIVE_KEYS];
    struct naive_seen seen[NAIVE_SERVICES][NAIVE_KEYS];
};

struct naive {
    uint64_t rev;
    unsigned lives;
    struct naive_environment environments[NAIVE_ENVIRONMENTS];
};

/* --- resolution (naive_resolve.c) --- */

struct naive_worth { /* what a spot comes to */
    enum { NAIVE_UNSEEN, NAIVE_UNDERWAY, NAIVE_DONE } progress;
    bool there; /* something is in effect */
    bool secret;
    bool circle; /* references lead into one */
    bool faulty; /* it, or something that it reaches, cannot be resolved */
    bool broken; /* and not only for its size */
    unsigned depth;
    uint64_t lookups, size;
    uint64_t rev; /* effective */
    struct naive_bytes bytes;
};
struct naive_worths {
    struct naive_worth of[NAIVE_SERVICES][NAIVE_KEYS];
};

/* Everything in one environment, as the records say. Free with naive_worths_free. */
void naive_resolve(struct naive_worths *out, const struct naive *state, unsigned environment);
void naive_worths_free(struct naive_worths *worths);
/* The definition that is in effect at a spot by its record, or NULL; *layer is where. */
const struct naive_definition *naive_effective(const struct naive *state, unsigned environment,
                                               unsigned service, unsigned key, unsigned *layer);
/* The layers of an environment, first itself; how many. */
unsigned naive_layers(unsigned out[static 3], const struct naive *state, unsigned environment);
/* The pieces of what is in effect at a spot: none for values. */
int naive_pieces(struct naive_piece out[static NAIVE_PIECES_MAX],
                 const struct naive_definition *definition, unsigned service);
bool naive_is_shared(const struct naive *state, unsigned environment, unsigned service,
                     unsigned key, unsigned consumer, bool is_plain);

/* --- changes (naive.c) --- */

enum naive_verb {
    NAIVE_SET, /* kind says what */
    NAIVE_REMOVE,
    NAIVE_COPY,
    NAIVE_MOVE,
    NAIVE_SERVICE_ADD,
    NAIVE_SERVICE_REMOVE,
    NAIVE_SERVICE_CLEAR,
    NAIVE_ENVIRONMENT_ADD,
    NAIVE_ENVIRONMENT_REMOVE,
    NAIVE_ENVIRONMENT_CLEAR,
    NAIVE_SHARE,
    NAIVE_UNSHARE,
    NAIVE_LOCK,
    NAIVE_UNLOCK,
    NAIVE_SCHEMA_SET,
    NAIVE_SCHEMA_REMOVE,
    NAIVE_GRANT,
    NAIVE_REVOKE,
};

struct naive_spot {
    int environment, service, key; /* NAIVE_NONE: not that deep */
};

struct naive_wish {
    enum naive_verb verb;
    enum naive_kind kind;
    struct naive_spot at, from;
    const struct naive_text *text;
    uint64_t ttl;
    int base;
    bool is_protected;
    unsigned consumer; /* of rights: the principal */
    unsigned rights;
    const struct naive_schema *schema;
};

enum naive_reason_kind {
    REASON_NO_ENVIRONMENT,
    REASON_NO_SERVICE,
    REASON_NO_KEY,
    REASON_NOT_EMPTY,
    REASON_PROTECTED_STAYS, /* removal of a protected environment */
    REASON_IS_BASE,         /* removal of one that others stand on */
    REASON_WRONG_BASE,      /* one that has a base, is protected, or is `all` */
    REASON_WRONG_ALL,       /* `all` with a base, protected or with an end */
    REASON_BECOMES_PLAIN,
    REASON_SECRET_IN_ALL,
    REASON_DANGLING,
    REASON_NOT_SHARED,
    REASON_CIRCLE,
    REASON_DEPTH,
    REASON_SIZE,
    REASON_ENDS,
    REASON_LOCKED,
    REASON_NO_WHY,
    REASON_EQUAL_ELSEWHERE,
    REASON_EQUAL_HERE,
    REASON_LOOKUPS,
    REASON_LOCK_AND_END,
    REASON_OTHER_TERMS, /* an environment that is there, on other ones */
    REASON_ALL_STAYS,
    REASON_PROTECTED_SECRET, /* copied elsewhere */
    REASON_NO_SHARE,         /* to take back */
    REASON_NO_LOCK,
    REASON_NO_SCHEMA,
    REASON_NO_GRANT,
    REASON_MISSING, /* by a schema, in the order of enum naive_verdict */
    REASON_UNDECLARED,
    REASON_ELSEWHERE,
    REASON_PLAIN,
    REASON_WRONG,
    REASON_REQUIRED_ENDS,
    REASON_COUNT
};
extern const char *const naive_reason_words[REASON_COUNT];

struct naive_reason {
    enum naive_reason_kind kind;
    enum naive_weight {
        REASON_MAY,    /* true, and perhaps told by way of another */
        REASON_MUST,   /* of the state that the change would come to */
        REASON_AT_ONCE /* of one wish */
    } weight;
    char place[96], other[96];
};

#define NAIVE_REASONS_MAX 2048u
#define NAIVE_OUTCOMES_MAX 1024u

struct naive_outcome {
    int kind; /* as enum outcome_kind */
    char mark;
    bool is_secret;
    unsigned environment, life, incarnation;
    int service, key;
};

enum naive_override { NAIVE_PASS_SCHEMA = 1, NAIVE_PASS_LOCK = 2, NAIVE_PASS_SHARE = 4 };

struct naive_terms {
    bool has_reason, allow_equal, is_expiry;
    unsigned override;
    int64_t now;
};

struct naive_note { /* of a schema that was set */
    char place[96];
    enum naive_reason_kind kind; /* REASON_COUNT: its value is another by a default */
};
#define NAIVE_NOTES_MAX 256u

struct naive_result {
    size_t reason_count, outcome_count;
    size_t operations; /* that do something; 0: no commit is made */
    bool is_refused;   /* reasons that only may be told are no refusal by themselves */
    bool is_passed;    /* something was let pass for an override */
    /* Spots that come to nothing good: at least one reason names each. */
    bool must_name[NAIVE_ENVIRONMENTS][NAIVE_SERVICES][NAIVE_KEYS];
    struct naive_reason reasons[NAIVE_REASONS_MAX];
    struct naive_outcome outcomes[NAIVE_OUTCOMES_MAX];
    size_t note_count;
    struct naive_note notes[NAIVE_NOTES_MAX];
    /* Spots whose bytes became others though by the rules of revisions nothing changed there. */
    size_t unsound;
    char unsound_place[96];
};

/* Applies wishes (terms->is_expiry: what is due at now, and no wishes) to *state as revision rev
 * + 1. Only where it is not refused and has operations is *state then to be kept. */
void naive_apply(struct naive *state, struct naive_result *result, const struct naive_wish wishes[],
                 size_t count, const struct naive_terms *terms);

/* Inside: what was done to a state so far. */
struct naive_work {
    const struct naive *before;
    struct naive *state;
    struct naive_result *result;
    const struct naive_terms *terms;
    uint64_t rev;
    const struct naive_wish *wishes;
    size_t wish_count;
    bool set[NAIVE_ENVIRONMENTS][NAIVE_SERVICES][NAIVE_KEYS];     /* a definition by this change */
    bool touched[NAIVE_ENVIRONMENTS][NAIVE_SERVICES][NAIVE_KEYS]; /* set or removed there */
    bool default_set[NAIVE_ENVIRONMENTS][NAIVE_SERVICES][NAIVE_KEYS]; /* or removed */
    bool schema_set[NAIVE_ENVIRONMENTS][NAIVE_SERVICES];              /* the same */
    bool placed[NAIVE_ENVIRONMENTS][NAIVE_SERVICES];
    bool unshared[NAIVE_ENVIRONMENTS][NAIVE_SERVICES][NAIVE_KEYS];
    bool worked[NAIVE_ENVIRONMENTS]; /* an operation in it */
    bool worked_service[NAIVE_ENVIRONMENTS][NAIVE_SERVICES];
};
void naive_refuse(struct naive_work *work, enum naive_reason_kind kind, enum naive_weight weight,
                  const struct naive_spot *place, const char *other);
/* The path of a spot, as deep as it is. */
const char *naive_path(char out[static 96], const struct naive_spot *spot);
/* An operation at a spot, as deep as it is. */
void naive_did(struct naive_work *work, const struct naive_spot *at);
/* A value that is to be set, against the secrets that there are now (naive_guard.c). */
void naive_guard(struct naive_work *work, const struct naive_spot *at,
                 const struct naive_definition *wanted);
/* Whether the spot would be faulty, or leads to what would be. */
bool naive_is_faulty(const struct naive_work *work, const struct naive_spot *spot);
/* What references lead to from a spot; the spot itself where they come back to it. */
void naive_reach(const struct naive *state, unsigned e, unsigned service, unsigned key,
                 bool out[NAIVE_SERVICES][NAIVE_KEYS]);
/* Whether something was set or removed that the spot hangs on. */
bool naive_is_moved(const struct naive_work *work, unsigned e, unsigned service, unsigned key);
/* Whether something was done about the spot itself in one of its layers, or about its default. */
bool naive_is_touched(const struct naive_work *work, unsigned e, unsigned service, unsigned key);
/* A fault that was there before and that nobody touched is nobody's. */
bool naive_is_new_fault(const struct naive_work *work, unsigned e, unsigned service, unsigned key);

/* --- rights (naive_grant.c) --- */

/* At a place that is there. */
void naive_rights(struct naive_work *work, const struct naive_wish *wish);

/* --- schemas (naive_schema.c, and naive_verdict.c for what they say) --- */

const struct naive_schema *naive_schema(const struct naive_schema *like);
/* The layer whose schema is in force for a service in an environment, or NAIVE_NONE. */
int naive_schema_layer(const struct naive *state, unsigned environment, unsigned service);
/* Puts a schema, or NULL, in its place, with its defaults. */
void naive_schema_put(struct naive_work *work, int environment, int service,
                      const struct naive_schema *schema);
/* Shares what is not shared and is referred to, as an override asks for. True: there was some. */
bool naive_share_all(struct naive_work *work);
/* What schemas have against the state that a change would come to; and notes. */
void naive_judge_schemas(struct naive_work *work);

/* After all wishes: records, what is seen, outcomes (naive_settle.c). */
void naive_settle(struct naive_work *work);
/* Then when places changed, and their lists. */
void naive_date(struct naive_work *work);
/* And the reasons of the state that it came to (naive_judge.c). */
void naive_judge(struct naive_work *work);

#endif
