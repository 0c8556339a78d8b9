/* Extended attributes, user.emsa.*: what a view's reader may know of a place without the
 * command. An author and a reason are for administrators alone. */
#ifndef EMSA_FS_XATTR_H
#define EMSA_FS_XATTR_H

#include "fs/scope.h"

/* The longest value: a reason, or a time. */
#define XATTR_VALUE_MAX (REASON_MAX + 1)

/* Writes the value of an attribute into out and its length into *length. NOT_THERE: the place has
 * no such attribute; or a failure. */
int xattr_get(struct snapshot *snapshot, char out[static XATTR_VALUE_MAX], size_t *length,
              const struct scope *scope, const struct place *place, const char *name);

/* All names of a place, each ended by NUL; returns the length of all. The text is static. */
size_t xattr_list(const struct scope *scope, const struct place *place, const char **names);

/* Whether a name can never have a value here (security.*, system.*), which programs then stop
 * asking for. */
bool xattr_foreign(const char *name);

#endif
