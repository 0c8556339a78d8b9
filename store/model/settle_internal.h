/* What the files of settling share. */
#ifndef EMSA_STORE_MODEL_SETTLE_INTERNAL_H
#define EMSA_STORE_MODEL_SETTLE_INTERNAL_H

#include "store/log/state_relation.h"
#include "store/model/resolve.h"
#include "store/model/settle.h"

struct known { /* an environment that lives when the commit is whole */
    struct environment is;
    bool is_all;
};

struct look { /* a spot that is looked at */
    uint32_t environment;
    uint32_t service;
    uint64_t name_id;
    const char *key; /* in the gather's blocks */
    uint32_t step;   /* 1 + the last operation on it at its own place; 0: none */
    uint32_t steps;  /* how many there were */
    uint8_t before;  /* the kind of its record before the commit */
    uint8_t causes;  /* of enum cause: why it is looked at */
    bool is_late;    /* it learned of a cause when its referrers had been told of the others */
};

/* A schema's own change refuses nothing: so it is told apart from what the commit does else. */
enum cause {
    CAUSE_VALUE = 1,  /* something was set, removed, placed, shared, here or where it is from */
    CAUSE_SCHEMA = 2, /* a schema was */
};

struct change_of_place { /* a service that went or came */
    uint32_t environment;
    uint32_t service;
    uint16_t gone; /* incarnations */
    uint16_t come;
    bool is_gone, is_come;
};

struct settling {
    struct judge *judge;
    struct txn *txn;
    uint64_t rev;
    int64_t time;
    bool is_expiry; /* nobody can be refused anything */
    bool has_references, has_locks;
    bool has_schemas;       /* there are, or were before the commit */
    uint8_t cause;          /* of what is looked at from now on */
    size_t judged;          /* of the looks, those that were judged */
    size_t late;            /* and of those, the ones that is_late */
    uint32_t *schema_steps; /* owned: the operations that set and remove schemas */
    size_t schema_step_count;
    struct known *environments; /* owned */
    size_t environment_count;
    struct look *looks; /* owned: in the order in which they were found */
    size_t look_count, look_capacity;
    size_t touched_count; /* of the first of them: on these the operations bear */
    uint32_t *table;      /* owned: 1 + the place in looks, by (environment, name id) */
    size_t table_size;
    struct change_of_place *places; /* owned: in the order of (environment, service) */
    size_t place_count, place_capacity;
    struct outcome *outcomes; /* owned */
    size_t outcome_count, outcome_capacity;
    /* The resolvers of the environment that was asked for last: as it is, and as it was before. */
    struct resolver now, then;
    bool has_now, has_then;
    /* The service that an outcome was told of last. */
    uint32_t told_environment, told_service;
    uint16_t told_incarnation;
};

/* settle_consumer.c: the keys of secrets for whom this commit lets reach them */
int settle_consumers(struct settling *);

/* settle.c */
/* The spot, looked at from now on; borrowed until the next is added. ERR_NOMEM. */
int settle_look(struct settling *, struct look **out, uint32_t environment, uint32_t service,
                uint64_t name_id, const char *key);
/* The same, if it is looked at; NULL: it is not. */
const struct look *settle_find(const struct settling *, uint32_t environment, uint64_t name_id);
bool settle_is_new_name(const struct settling *, uint64_t name_id);
bool settle_is_fresh(const struct settling *, const struct look *look);
const struct known *settle_environment(const struct settling *, uint32_t id);
/* A resolver of an environment, valid until one of another is asked for. */
struct resolver *settle_now(struct settling *, uint32_t environment);
struct resolver *settle_then(struct settling *, uint32_t environment);
/* What happened to a service in this commit; NULL: nothing. */
struct change_of_place *settle_place(const struct settling *, uint32_t environment,
                                     uint32_t service);
/* Where in the list it stands, or would. */
size_t settle_place_at(const struct settling *, uint32_t environment, uint32_t service);

/* Whether it went and came again. */
bool settle_is_replaced(const struct settling *, uint32_t environment, uint32_t service);

/* settle_reach.c */
/* All spots that the operations of the plan bear on. */
int settle_collect(struct settling *);
/* And who refers to what is shared with fewer; when the references are right. */
int settle_collect_relations(struct settling *);
/* All spots of an environment that refer to service/key; NULL: to any key of the service. */
int settle_referrers(struct settling *, uint32_t environment, uint32_t service, const char *key);

/* The next environment but `all` that a layer is beneath, or is, in which the service is present,
 * from *at on, which moves past it. NOT_THERE: there is no more. */
int settle_next_above(struct settling *, const struct known **out, size_t *at, uint32_t layer,
                      uint32_t service);

/* settle_schema.c */
/* All spots that may show a default otherwise for an operation of a schema or a default. */
int settle_collect_schema(struct settling *, uint32_t op);

/* settle_verdict.c */
/* What is now wrong by a schema, of all that changed: refused, or noted. */
int settle_schemas(struct settling *);

/* settle_spot.c */
/* Brings the spot's record to what it must be. */
int settle_record(struct settling *, struct look *look);
/* Keeps the revision of a spot whose value an operation left as it was. */
int settle_same(struct settling *, struct look *look);
/* The references of the definition at the spot's own place. */
int settle_references(struct settling *, const struct look *look);
/* Nothing is in effect at the spot any more. */
int settle_vanish(struct settling *, const struct look *look);

/* settle_judge.c */
/* The fault of a spot, as the resolver has it, among the reasons. */
int settle_refuse(struct settling *, const struct look *look, const struct resolver *resolver);
/* The path of a spot, in words for a line. */
int settle_path(struct settling *, char out[static PATH_TEXT_MAX], uint32_t environment,
                uint32_t service, const char *key);
/* Locks and protection, over all outcomes and operations. */
int settle_guard(struct settling *);

/* settle_signed.c */
/* That what is done or seen in environments which take signed changes only was asked for by an
 * identity that may. */
int settle_guard_signed(struct settling *);

/* settle_outcome.c */
int settle_add(struct settling *, const struct outcome *outcome);
/* Outcomes of a spot: '+', '~', '-', also where its service went and came again: then was_secret is
 * asked for too. */
int settle_tell(struct settling *, const struct look *look, char mark, bool is_secret,
                bool was_secret);
/* Those of services and environments, from the plan. */
int settle_tell_places(struct settling *);
/* Sorts and writes them, and marks what changed. */
int settle_write(struct settling *);

#endif
