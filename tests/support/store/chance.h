/*
 * Random changes of a store that has everything in it: bases, protected environments, links,
 * templates, shares, locks, ends. Drawn so that most pass, and that each reason to refuse comes up
 * often enough.
 */
#ifndef EMSA_TESTS_CHANCE_H
#define EMSA_TESTS_CHANCE_H

#include "store/change.h"
#include "store/schema.h"
#include "tests/support/store/dice.h"
#include "tests/support/store/naive.h"

#define CHANCE_WISHES_MAX 80u

struct chance {
    struct dice dice;
    int64_t now; /* the clock, which goes on with every change */
    size_t drawn;
};

struct chance_change {
    size_t count;
    struct naive_wish wishes[CHANCE_WISHES_MAX];
    struct naive_terms terms; /* is_expiry: no wishes, the store's own commit is due */
};

struct chance chance_new(uint64_t seed);
/* The next change of a store that is in this state. */
void chance_draw(struct chance *chance, struct chance_change *out, const struct naive *state);

/* A schema for the service of the wish, or its removal (chance_schema.c). */
void chance_draw_schema(struct dice *dice, const struct naive *state, struct naive_wish *wish);
/* As the store has it; owned by the caller (schema_release). */
struct schema chance_schema(const struct naive_schema *schema, int service);
/* Its rules on one line. */
void chance_print_schema(const struct naive_schema *schema, char *out, size_t size);

/* The same as a change of the store. What change_* returns. */
int chance_gather(struct change *change, const struct naive_wish *wish);
/* For people: one line, that sample sequences are made of. */
void chance_print(const struct naive_wish *wish, char *out, size_t size);
struct change_terms chance_terms(const struct naive_terms *terms);
struct path chance_path(const struct naive_spot *spot);

#endif
