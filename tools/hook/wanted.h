/* Which view a container wants, and where: its annotations "io.emsa.*". */
#ifndef EMSA_TOOLS_HOOK_WANTED_H
#define EMSA_TOOLS_HOOK_WANTED_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

struct wanted {
    json_t *parameters;    /* of Mount; owned */
    const char *directory; /* in the container; borrowed from the annotations */
    uid_t uid;             /* as the container calls them */
    gid_t gid;
};

/* annotations may be NULL. 1: none of them is ours, and nothing is wanted. ERR_INVALID: all that is
 * wrong with them, also one that there is not. */
int wanted_read(struct wanted *out, json_t *annotations);
void wanted_release(struct wanted *wanted);

#endif
