/* Names and paths: environment, service and key as people write them. */
#ifndef EMSA_STORE_NAME_H
#define EMSA_STORE_NAME_H

#include <stdbool.h>
#include <stddef.h>

#include "store/limits.h"

enum name_kind { NAME_ENVIRONMENT, NAME_SERVICE, NAME_KEY };

/* A path on the command line is the path in the mount. A part that is not given is "". */
struct path {
    char environment[ENVIRONMENT_NAME_MAX + 1];
    char service[SERVICE_NAME_MAX + 1];
    char key[KEY_NAME_MAX + 1];
};

enum path_depth { PATH_ROOT, PATH_ENVIRONMENT, PATH_SERVICE, PATH_KEY };

/*
 * Whether the length bytes at text are a name of that kind. ERR_INVALID with a text that shows the
 * name (bytes that are not printable ASCII escaped) and says what a name may hold. environment,
 * service: [A-Za-z0-9][A-Za-z0-9_.-]{0,62} key: [A-Za-z0-9_.][A-Za-z0-9._-]{0,254}, but not ".",
 * "..", ".emsa" or anything that starts with ".."
 */
int name_check(enum name_kind kind, const char *text, size_t length);

/* Whether the length bytes at text may name a revision: as an environment is named, but not with
 * digits only, which are a revision's number. ERR_INVALID. */
int tag_check(const char *text, size_t length);

/* What a principal begins with that is an identity, and whether one is. */
#define PRINCIPAL_IDENTITY "id:"
bool principal_is_identity(const char *text);

/* Whether the length bytes at text are a principal: user:, group: or id: and 1 to 63 of letters,
 * digits,
 * '_', '.', '@', '\', '+', '-' and '$', the first no '-', not digits only. ERR_INVALID. */
int principal_check(const char *text, size_t length);

/* Whether they are the name of an identity: as one behind user: is. ERR_INVALID. */
int identity_name_check(const char *text, size_t length);

/* Parses length bytes "", "prod", "prod/billing" or "prod/billing/KEY" (one final '/' is ignored).
 * Every part given is checked. ERR_INVALID, *path untouched. */
int path_parse(struct path *path, const char *text, size_t length);

/* Fills a path from parts; NULL is "". Every part given is checked, and none may follow one not
 * given. */
int path_make(struct path *path, const char *environment, const char *service, const char *key);

enum path_depth path_depth(const struct path *path);

/* Writes the path as text; returns out. */
const char *path_text(const struct path *path, char out[static PATH_TEXT_MAX]);

/* How many single edits (insert, delete, replace, swap of neighbours; case counts as half) lie
 * between two names, in half edits, no more than limit + 1. For "did you mean". */
unsigned name_distance(const char *a, const char *b, unsigned limit);

/* Whether name looks like a misspelling of known: short distance for its length, and not merely a
 * numbered sibling (web1, web2; preview-17, preview-18). */
int name_resembles(const char *name, const char *known);

#endif
