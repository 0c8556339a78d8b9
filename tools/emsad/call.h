/* One call of a connection: from its message to its reply and the values beside it. */
#ifndef EMSA_TOOLS_EMSAD_CALL_H
#define EMSA_TOOLS_EMSAD_CALL_H

#include "tools/common/varlink.h"
#include "tools/service/service.h"

/* For the whole stream of values of a call, and for each step of sending. */
#define CALL_MILLISECONDS 30000

/* Does the call in message and answers it. Negative: the connection is of no more use. */
int call_answer(struct varlink *varlink, struct varlink_message *message,
                struct dispatcher *dispatcher, const struct caller *caller);

/* Answers with a failure that came before there was a call. */
int call_refuse(struct varlink *varlink, const char *error, const char *text);

#endif
