/* The server's side of the metrics process: a thread that writes the metrics down for whoever asks
 * at the other end of a socket. There is none before the first socket. */
#ifndef EMSA_TOOLS_EMSAD_METER_H
#define EMSA_TOOLS_EMSAD_METER_H

#include "tools/service/service.h"

/* One packet each way, over a SOCK_SEQPACKET pair: any byte asks, and is answered by the text, or
 * by one byte METER_NONE where there is none just now. */
#define METER_NONE '\0'

struct meter; /* one thread, one socket */

/* Answers at the socket (taken over, also on failure), instead of the one before, until meter_free.
 * The dispatcher is borrowed. ERR_NOMEM. */
int meter_start(struct meter **meter, struct dispatcher *dispatcher, int socket);
void meter_free(struct meter *meter); /* NULL is allowed */

#endif
