/* Lists of what is at a place, and paths that several things share. */
#ifndef EMSA_TOOLS_EMSA_LIST_H
#define EMSA_TOOLS_EMSA_LIST_H

#include "store/name.h"
#include "tools/emsa/session.h"

/* Asks for a list, piece by piece, and prints it. */
int list_print(struct session *session, const char *method, const char *path);

/* The whole list in one reply object (owned); a long one may be of several revisions: the last
 * one's. */
int list_gather(struct session *session, const char *method, const char *path, json_t **out);

/* Prints items, each called by what that member of it says. */
int list_print_items(json_t *items, const char *name_member);

/* Makes *shared what --if-rev asks of for both: the place itself, the service that both are in, or
 * the root: no one place. */
void path_share(struct path *shared, const struct path *other);

#endif
