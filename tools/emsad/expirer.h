/*
 * Waits for the moments at which keys end, and has them removed then. The one thread of the server
 * that looks at the clock for this; it sleeps on a timer of the kernel's until the next moment, so
 * a store in which nothing ends costs nothing, and a clock that is set forward or back wakes it.
 */
#ifndef EMSA_TOOLS_EMSAD_EXPIRER_H
#define EMSA_TOOLS_EMSAD_EXPIRER_H

#include <stdint.h>

#include "tools/service/service.h"

struct expirer;

/* Before anything is served: removes what ended while nobody served the store. What cannot be
 * removed now is no reason not to serve: the thread tries again, and tells. A failure only where
 * the store must be opened anew. */
int expirer_first(struct dispatcher *dispatcher);

/* Starts the thread, which looks at once. The dispatcher is borrowed, and so is due, which gets the
 * moment that is waited for; 0: none. ERR_NOMEM, ERR_IO. */
int expirer_start(struct expirer **out, struct dispatcher *dispatcher, _Atomic int64_t *due);

/* Something ends at this moment, as service_host.expiring says. Never waits. Any thread. */
void expirer_notice(struct expirer *expirer, int64_t moment);

/* Ends the thread, after a commit that it is in the middle of. NULL is allowed. */
void expirer_stop(struct expirer *expirer);

#endif
