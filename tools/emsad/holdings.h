/* What the supervisor holds for the whole of its life and hands to each server. */
#ifndef EMSA_TOOLS_EMSAD_HOLDINGS_H
#define EMSA_TOOLS_EMSAD_HOLDINGS_H

#include "fs/state.h"
#include "tools/common/place.h"

struct holdings {
    struct place_of_store place;
    int self; /* this executable */
    int lock, listener, state;
    int identity;         /* -1: there is none */
    struct state *memory; /* state, mapped: what servers are judged by, and the figures */
};

/* Takes the store and makes what is needed. ERR_BUSY: another daemon or command owns it;
 * ERR_NOT_FOUND: no store; ERR_REFUSED: others can read the identity; ERR_DENIED, ERR_IO. On
 * failure too, holdings_release is due. */
int holdings_take(struct holdings *out, const char *store);

/* Removes the socket from its folder, so that nobody new comes; once. */
void holdings_hide(struct holdings *holdings);

void holdings_release(struct holdings *holdings);

#endif
