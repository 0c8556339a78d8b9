/*
 * Calls of the server, over the few connections that there are to it, each within its time. A
 * server that dies takes its connections with it; its calls wait for those of the next one and are
 * made again (all that are made here may be). One thread.
 */
#ifndef EMSA_TOOLS_VOLUME_COURIER_H
#define EMSA_TOOLS_VOLUME_COURIER_H

#include <jansson.h>
#include <poll.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As many calls as there may be at once: one that waits for a disk holds up no other. */
#define COURIER_LINKS 4u

/* Milliseconds for which a call waits for a server where there is none. */
#define COURIER_ALONE 3000

struct courier;

/*
 * A call has come to its end: said is the server's reply (borrowed), or NULL, and error_text() says
 * why there is none. is_repeated: a server that died may have done it before this one. Called from
 * courier_turn only.
 */
typedef void courier_done(void *arg, const json_t *said, bool is_repeated);

/* ERR_NOMEM. */
int courier_new(struct courier **out, courier_done *done);
void courier_free(struct courier *courier); /* NULL is allowed; nothing is told of calls that run */

/* Connections (varlink, stream sockets) in place of those before; taken over, each made -1. */
void courier_connect(struct courier *courier, int fds[], size_t count);

/* Whether it has less than COURIER_LINKS. */
bool courier_is_short(const struct courier *courier);

/* Makes a call, by the moment end (as deadline_in) at the latest. The parameters are borrowed until
 * this returns, arg is what done gets. ERR_NOMEM: there will be no done. */
int courier_call(struct courier *courier, const char *method, json_t *parameters, int64_t end,
                 void *arg);

/* What poll is to wait for, one entry a connection; and for how long (milliseconds, -1: none of its
 * calls has an end before something comes). */
void courier_poll(const struct courier *courier, struct pollfd entries[static COURIER_LINKS]);
int courier_patience(const struct courier *courier);

/* Takes what has come, sends what can be sent, ends what has had its time. Never waits for a server
 * that has not begun to answer. */
void courier_turn(struct courier *courier);

#endif
