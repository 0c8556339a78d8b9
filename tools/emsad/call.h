/* One call of a connection: from its message to its reply and the values beside it. */
#ifndef EMSA_TOOLS_EMSAD_CALL_H
#define EMSA_TOOLS_EMSAD_CALL_H

#include "tools/common/varlink.h"
#include "tools/service/service.h"

/* For the whole stream of values of a call, and for each step of sending. */
#define CALL_MILLISECONDS 30000

/* How a call that goes on waits for more to tell. */
struct call_waits {
    void *arg;
    /* Until a revision may be told (0: at once) and the caller takes something. 1: the connection
     * ends; ERR_BUSY: too many wait. */
    int (*wait)(void *arg, uint64_t rev);
};

/* Does the call in message and answers it, with several replies where it goes on and the caller
 * wants more. Negative or 1: the connection is of no more use. */
int call_answer(struct varlink *varlink, struct varlink_message *message,
                struct dispatcher *dispatcher, const struct caller *caller,
                const struct call_waits *waits);

/* Ends this process, unanswered, where the store must be opened anew (service_is_lost). After every
 * call that may have committed. */
void call_end_if_lost(const struct dispatcher *dispatcher);

/* Answers with a failure that came before there was a call. */
int call_refuse(struct varlink *varlink, const char *error, const char *text);

#endif
