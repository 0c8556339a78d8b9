/*
 * Which store is at which place on another machine, as this user has seen it. There only the far
 * side says which store it has; one that lies could name another machine's, and use there what is
 * signed here. So a place keeps its store, and a store its place, from the first time that
 * something is signed for it, as ssh's known_hosts has it for keys; another word is refused, and
 * only the user changes what stands in the file: $EMSA_KNOWN_STORES, else emsa/known_stores in
 * $XDG_CONFIG_HOME or
 * ~/.config. A line each, "PLACE ID", of which "#" begins a comment.
 *
 * Not asked where $EMSA_STORE_ID says which store it has to be. Without a file that can be written
 * nothing is remembered, and a note says so.
 */
#ifndef EMSA_TOOLS_EMSA_KNOWN_H
#define EMSA_TOOLS_EMSA_KNOWN_H

#include <stdint.h>

#include "store/history.h"

/* Whether the store may be signed for at "ssh://[USER@]HOST[:PORT][/STORE]", of which USER does not
 * count; store: the far one's folder where the text has none, or NULL. Remembers what is new.
 * ERR_REFUSED: another one was there, or it is known at another place; ERR_IO: the file cannot be
 * read. */
int known_store(const char *host, const char *store, const uint8_t id[static STORE_ID_SIZE]);

#endif
