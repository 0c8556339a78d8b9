/* What the supervisor holds for the whole of its life and hands to each server. */
#ifndef EMSA_TOOLS_EMSAD_HOLDINGS_H
#define EMSA_TOOLS_EMSAD_HOLDINGS_H

#include "fs/roster.h"
#include "fs/state.h"
#include "tools/common/place.h"
#include "tools/emsad/channel.h"

struct holdings {
    struct place_of_store place;
    int self; /* this executable */
    int lock, listener, state;
    int roster;               /* who the notifier is */
    int audit;                /* the audit ring */
    int identity;             /* sealed, unread (key.h); -1: there is none */
    int identity_key;         /* its key file, the same; -1: there is none */
    bool is_inherited;        /* of a server that goes on if we do not: its socket stays */
    struct state *memory;     /* state, mapped: what servers are judged by, and the figures */
    struct roster *notifiers; /* roster, mapped: to be emptied when one has ended */
};

/* Finds the place, and what needs no store: this executable, limits. ERR_INVALID, ERR_IO. On
 * failure too, holdings_release is due. */
int holdings_begin(struct holdings *out, const char *store);

/* Takes the store and makes what is needed; only then the identity is looked for, since whoever
 * inherits has it from the server. credential is as key_find takes it,
 * key as key_find_key does. ERR_BUSY: another daemon or
 * command owns the store; ERR_NOT_FOUND: no store, or no such credential; ERR_REFUSED: others can
 * read the identity; ERR_DENIED, ERR_IO. */
int holdings_take(struct holdings *holdings, const char *credential, const char *key);

/* Takes what a server hands over in HELD; given keeps what is of no use. ERR_FORMAT: the memory is
 * of another version; ERR_IO: of another store, or not all that there must be. */
int holdings_inherit(struct holdings *holdings, const struct channel_message *held,
                     struct channel_descriptors *given);

/* The descriptors of SETUP, which stay its own; how many there are to send. */
size_t holdings_give(const struct holdings *holdings, int fds[static SETUP_DESCRIPTORS]);

/* A server's caller has opened the identity: what it became is kept instead, for the next server,
 * if it is sealed as it must be. Taken, or left to the caller. */
void holdings_keep_identity(struct holdings *holdings, int *fd);

/* Removes the socket from its folder, so that nobody new comes; once. */
void holdings_hide(struct holdings *holdings);

void holdings_release(struct holdings *holdings);

#endif
