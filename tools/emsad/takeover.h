/*
 * Following a supervisor that died while its server lives. The server answers on, and hands over
 * what it keeps (estate.h) to who asks by the call TakeOver: root, or whose the dead one was. So
 * nobody is asked for descriptors who does not give them, and what comes is checked by the server
 * before and by the kernel (whose process it is) here.
 */
#ifndef EMSA_TOOLS_EMSAD_TAKEOVER_H
#define EMSA_TOOLS_EMSAD_TAKEOVER_H

#include "tools/emsad/supervision.h"

/* Asks the server of the store that holdings.place names, and fills holdings, views and the server
 * with what it gives. 1: none gives anything (there is none, its supervisor lives, or this user may
 * not). ERR_BUSY: it does not answer. ERR_IO, ERR_FORMAT (the server is of another version),
 * ERR_NOMEM: what came was of no use; the server goes on as before. */
int takeover_ask(struct supervisor *);

#endif
