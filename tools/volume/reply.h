/*
 * What is answered: HTTP 200 and what the protocol has there, or 500 and {"Err": text}. Podman
 * takes any 200 for a success, whatever Err says, and binds a container to what a Mountpoint says;
 * so a failure is never 200, and a Mountpoint is an absolute path or a failure.
 */
#ifndef EMSA_TOOLS_VOLUME_REPLY_H
#define EMSA_TOOLS_VOLUME_REPLY_H

#include <jansson.h>
#include <stdbool.h>

#include "tools/volume/request.h"

#define REPLY_DONE 200u
#define REPLY_FAILED 500u

struct reply {
    unsigned status; /* REPLY_* */
    char *text;      /* JSON with a newline; owned */
};

/*
 * To a request, by what the server said: a varlink reply, {"parameters"} or {"error",
 * "parameters"}; NULL for a request that takes no call. is_repeated: a server that died may have
 * done it already. A reply is made in any case: one that says that there is no memory needs none.
 */
void reply_make(struct reply *out, const struct request *request, const json_t *said,
                bool is_repeated);

/* A failure, with a text for people; lines are joined. */
void reply_fail(struct reply *out, const char *text);

/* Never NULL. */
const char *reply_text(const struct reply *reply);
void reply_release(struct reply *reply);

#endif
