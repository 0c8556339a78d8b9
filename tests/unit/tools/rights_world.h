/*
 * A world with two environments, some services and somebody who holds a few rights: user "nobody"
 * of group "nogroup" (65534, which every Debian has). What it must not learn of has names and
 * values that are looked for in every reply.
 */
#ifndef EMSA_TESTS_UNIT_TOOLS_RIGHTS_WORLD_H
#define EMSA_TESTS_UNIT_TOOLS_RIGHTS_WORLD_H

#include "tests/unit/tools/world.h"

#define NOBODY 65534
#define HIDDEN "hunter2hunter2"    /* a secret of prod/web */
#define LISTED "listed-value"      /* a plain value of prod/web */
#define FOREIGN "VAULTKEY"         /* a key of prod/vault */
#define FOREIGN_VALUE "vaultvault" /* a plain value there */

/* prod/web, prod/vault, dev/web, dev/scratch. */
void fill(struct world *world);

/* rights: "'read', 'set'". */
void grant(struct world *world, const char *path, const char *who, const char *rights);

struct row {
    const char *method, *parameters, *stream;
    const char *error;  /* NULL: it succeeds */
    const char *absent; /* what is not told, beside FOREIGN and its value; NULL: nothing more */
};

/* As nobody. The reply, owned by the caller. */
json_t *ask(struct world *world, const struct row *row);

void ask_all(struct world *world, const struct row rows[], size_t count);
#define ASK_OF(world, ...)                                                                         \
    ask_all(world, (const struct row[]){__VA_ARGS__},                                              \
            sizeof((const struct row[]){__VA_ARGS__}) / sizeof(struct row))
#define ASK(...) ASK_OF(world, __VA_ARGS__)

/* Whether this machine has that user, and the test may make a store of root's. */
bool is_here(void);

#endif
