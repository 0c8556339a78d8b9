/* Shares of identities on their way to files and paper, and back. */
#ifndef EMSA_TOOLS_EMSA_IDENTITY_SHARE_H
#define EMSA_TOOLS_EMSA_IDENTITY_SHARE_H

#include "store/identity.h"
#include "tools/emsa/session.h"

/* Divides an identity as --shares K/N says, each share into a file of its own, OUT.1 to OUT.N
 * (else NAME.share.1 ...), or all of them, for "--out -", as lines to stdout. Nothing else of the
 * identity is kept. ERR_REFUSED: one of the files exists; none is left behind on failure. */
int identity_make_shares(struct session *session, const struct identity *identity);

struct share_count {
    unsigned needed, count;
};

/* Divides an identity as wanted says ("2/3", of that option), each share into a file of its own,
 * BASE.1 to BASE.N; base NULL: as lines to stdout. ERR_INVALID; ERR_REFUSED: one of the files
 * exists; none is left behind on failure. */
int identity_shares_write(struct share_count *out, const struct identity *identity,
                          const char *wanted, const char *option, const char *base);

/* Takes BASE.1 to BASE.count away again. */
void identity_shares_unlink(const char *base, unsigned count);

#endif
