/* What comes back from a call, from either transport. */
#ifndef EMSA_TOOLS_EMSA_ANSWER_H
#define EMSA_TOOLS_EMSA_ANSWER_H

#include "tools/emsa/client.h"

/* Memory for the values that answer->reply names: locked when any of them is a secret. *room is
 * NULL when there are none. ERR_IO: sizes that no server of ours gives; ERR_NOMEM. */
int answer_room(struct answer *answer, unsigned char **room, size_t *size);

/* The failure that a reply tells of: sets this thread's text and returns its code. error is a
 * varlink error's name. */
int answer_failure(const char *error, json_t *reply);

#endif
