/* The operations of a Set call that are about who may do what, and with which keys. For
 * operation.c.
 */
#ifndef EMSA_TOOLS_SERVICE_OPERATION_RIGHTS_H
#define EMSA_TOOLS_SERVICE_OPERATION_RIGHTS_H

#include <jansson.h>

#include "store/change.h"

struct stream;

/* Each adds what one operation asks for to the change. ERR_INVALID: a member is missing or none;
 * the failures of what it adds. A grant to an identity may bring its public keys ("key"). */
int operation_grant(struct change *change, json_t *operation, const struct path *path,
                    struct stream *stream);
/* Without rights: all that were granted there. */
int operation_revoke(struct change *change, json_t *operation, const struct path *path,
                     struct stream *stream);
int operation_rotate(struct change *change, json_t *operation, const struct path *path,
                     struct stream *stream);

#endif
