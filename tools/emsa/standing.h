/*
 * What is defined in one environment, as somebody looks at it who wants to define it otherwise: a
 * list that can be rewritten, and read as the store would read it. Nothing of it is secret.
 */
#ifndef EMSA_TOOLS_EMSA_STANDING_H
#define EMSA_TOOLS_EMSA_STANDING_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "store/bytes.h"
#include "store/limits.h"
#include "store/snapshot.h"

#define SHARED "shared"

struct standing {
    const char *service, *key; /* stay where they are as long as the set */
    enum entry_kind kind;      /* plain, link or template */
    const char *text;          /* the value, or what a link or template says; borrowed, or owned */
    size_t size;
    const char *was; /* what its readers get; NULL: it is new. Borrowed */
    size_t was_size;
    bool is_own;   /* defined in the environment itself */
    bool is_fixed; /* not to be rewritten: inherited, a link or template already, or it ends */
    bool is_home;  /* of `shared`: others may refer to it */
    unsigned turn; /* the how-manieth rewriting it was; 0: it stands as it stood */
    char *names, *owned;
};

struct standings {
    struct standing *list;
    size_t count, capacity;
    json_t *index; /* "service/KEY": its place in the list */
    json_t *taken; /* names that nothing new in `shared` can have */
    unsigned turns;
};

#define STANDING_NONE ((size_t)-1)

int standings_init(struct standings *set); /* ERR_NOMEM */
void standings_release(struct standings *set);

/* Adds what stands in effect, a plain value. Borrows value. *out is valid until the next one is
 * added. ERR_NOMEM. */
int standings_add(struct standings *set, struct standing **out, const char *service,
                  const char *key, const char *value, size_t size);

/* STANDING_NONE: not there. */
size_t standings_find(const struct standings *set, const char *service, const char *key);

/* No new name of `shared` will be this one. ERR_NOMEM. */
int standings_take(struct standings *set, const char *key);

/* Makes a plain value in `shared` (copied) that others can refer to; called as wanted or, where
 * that name is taken, with a number behind it. ERR_NOMEM. */
int standings_make(struct standings *set, size_t *out, const char *wanted, const char *value,
                   size_t size);

/* What stands at a place is another one from now on; text becomes the set's own (malloc), also on
 * failure. */
void standings_rewrite(struct standings *set, size_t at, enum entry_kind kind, char *text,
                       size_t size);
/* A link to what stands at home. ERR_NOMEM. */
int standings_link(struct standings *set, size_t at, size_t home);

/* Appends what a reader of it gets. ERR_REFUSED: it refers to what is not in the set, or goes
 * round; ERR_INVALID, ERR_NOMEM. */
int standings_read(const struct standings *set, size_t at, struct bytes *out);

/* Whether all that was rewritten reads as it did. ERR_REFUSED: the first that does not, and
 * failures as above. */
int standings_check(const struct standings *set);

/* How many values are written out in the environment: before, after. */
void standings_count(const struct standings *set, size_t *before, size_t *after);

#endif
