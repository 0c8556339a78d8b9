/*
 * The way to a store on another machine: `emsa relay` there, at the far end of ssh, which does each
 * call as any command there would (relay.c). ssh says who is there and who is here, and hides what
 * goes over; whom the far side takes the caller for is the user that ssh made him.
 */
#ifndef EMSA_TOOLS_EMSA_REMOTE_H
#define EMSA_TOOLS_EMSA_REMOTE_H

#include "tools/emsa/client.h"

struct remote;
struct command;

/* Starts ssh (the words of $EMSA_SSH, else "ssh") to "ssh://[USER@]HOST[:PORT][/STORE]" and waits
 * until the far side speaks. store: the far one's folder, where the text has none; NULL: its
 * default. ERR_INVALID: no such text; ERR_NOT_FOUND: there is no ssh, or no emsa there; ERR_IO: ssh
 * ended (it has told why), or something else spoke. */
int remote_open(struct remote **out, const char *host, const char *store);

/* NULL is allowed. */
void remote_close(struct remote *remote);

/* As client_ask; asks once: whether what failed on the way was done is not known here. 1: what was
 * proven is to be proven again (frame.h), and then this asked again. */
int remote_ask(struct remote *remote, const char *method, json_t *parameters,
               const struct piece *pieces, size_t piece_count, struct answer *out);

/* ERR_REFUSED: the verb is of the machine that it runs on. */
int remote_check(const struct command *command, const char *host);

#endif
