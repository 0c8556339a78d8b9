/*
 * Proving to a server that one holds an identity (tools/service/proof.h), where one was named to
 * sign with (--sign, $EMSA_SIGN_IDENTITY): on every new connection, before anything is asked on it.
 * The store's own identity proves nothing: whoever may read it holds all rights anyway.
 *
 * A proof is for one store, which the server names; who wants to be sure which one it is names it
 * too ($EMSA_STORE_ID).
 */
#ifndef EMSA_TOOLS_EMSA_PROVE_H
#define EMSA_TOOLS_EMSA_PROVE_H

#include "tools/emsa/session.h"

struct varlink;

/* Whether there is something to prove. */
bool prove_is_wanted(const struct session *session);

/* Proves it over the connection that a client has now: for client_prove_by. 1: the connection
 * ended. ERR_REFUSED: it is another store than the one that was named, or somebody stands in
 * between; nothing is signed then. What reading the identity may fail with; ERR_DENIED. */
int prove_to(void *session, struct client *client);

/* The same over a connection that has no client. */
int prove_over(struct session *session, struct varlink *link);

/* Whether signing for that store is allowed here. ERR_REFUSED: $EMSA_STORE_ID is another one's, or
 * it is not the one that is known at the other machine (known.h). ERR_IO. */
int prove_store(const struct session *session, const uint8_t store_id[static 16]);

#endif
