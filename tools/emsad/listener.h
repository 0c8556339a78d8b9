/* The listening control socket: made and removed by the supervisor, held by it for its life, used
 * by the server. */
#ifndef EMSA_TOOLS_EMSAD_LISTENER_H
#define EMSA_TOOLS_EMSAD_LISTENER_H

#include "tools/common/place.h"

/*
 * Makes and binds the socket; what stands there is stale, since the caller bears the owner lock.
 * For the default store: in /run/emsa (made if missing, 0755), mode 0666, since who may do what is
 * decided by the caller's credentials. Else: in the store, mode 0600, made with the rights of the
 * store's owner, so that a folder which belongs to another user can trick nobody. ERR_DENIED,
 * ERR_IO, ERR_INVALID.
 */
int listener_make(int *out, const struct place_of_store *place);

/* Removes it from the folder; the descriptor goes on. */
void listener_remove(const struct place_of_store *place);

#endif
