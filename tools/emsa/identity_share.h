/* Shares of identities on their way to files and paper, and back. */
#ifndef EMSA_TOOLS_EMSA_IDENTITY_SHARE_H
#define EMSA_TOOLS_EMSA_IDENTITY_SHARE_H

#include "store/identity.h"
#include "tools/emsa/session.h"

/* Divides an identity as --shares K/N says, each share into a file of its own, OUT.1 to OUT.N
 * (else NAME.share.1 ...), or all of them, for "--out -", as lines to stdout. Nothing else of the
 * identity is kept. ERR_REFUSED: one of the files exists; none is left behind on failure. */
int identity_make_shares(struct session *session, const struct identity *identity);

#endif
