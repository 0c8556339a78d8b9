/* What is shared, what is locked, which schemas there are, what revisions are called and who was
 * granted what, as far as the log was read: held in memory while it is verified, a hundred bytes
 * for each that was ever said. */
#ifndef EMSA_STORE_LOG_EXPECTED_RELATION_H
#define EMSA_STORE_LOG_EXPECTED_RELATION_H

#include "store/log/operation.h"

enum relation_kind {
    RELATION_SHARE,
    RELATION_LOCK,
    RELATION_SCHEMA,
    RELATION_TAG,
    RELATION_GRANT,
    RELATION_KINDS
};

struct relation {
    bool is_used; /* else the slot is free */
    enum relation_kind kind;
    uint32_t environment, service; /* service 0: of the environment; both: a grant of everything */
    uint64_t name_id;              /* 0: a lock of the service or environment, a schema, a grant */
    char with[PRINCIPAL_MAX + 1];  /* of a share: the consumer; of a tag: its name; of a grant: to
                                      whom */
    uint64_t tagged;               /* the revision that a tag names */
    unsigned rights;               /* of a grant */
    uint64_t rev;                  /* the operation that said so last; 0: it was taken back */
    uint32_t op;
};

struct relations {
    struct relation *slots;          /* owned; an open hash table */
    size_t capacity, count;          /* count: used */
    uint64_t counts[RELATION_KINDS]; /* of those that hold */
};

/* Takes an operation that says something of a name, a revision or rights. 0; positive 1: it takes
 * back what was not said, or grants what was granted; ERR_NOMEM. */
int relations_apply(struct relations *relations, const struct operation *operation, uint64_t rev,
                    uint32_t op);

/* What was said last of a name, to its consumer, or of a service's schema (name_id 0, with ""),
 * also where it was taken back since (rev 0). NULL: nothing ever was. */
const struct relation *relations_find(const struct relations *relations, enum relation_kind kind,
                                      uint32_t environment, uint32_t service, uint64_t name_id,
                                      const char *with, size_t with_size);

/* Whether that service has a schema in exactly that environment. */
bool relations_has_schema(const struct relations *relations, uint32_t environment,
                          uint32_t service);

/* The rights that a principal holds at exactly that place; 0: none. */
unsigned relations_rights(const struct relations *relations, uint32_t environment, uint32_t service,
                          const char *principal);

/* What goes with a service of an environment, or with the environment (service 0): what it shared,
 * what was granted there. */
void relations_drop(struct relations *relations, enum relation_kind kind, uint32_t environment,
                    uint32_t service);

void relations_release(struct relations *relations);

#endif
