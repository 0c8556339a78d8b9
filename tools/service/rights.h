/*
 * Who may do what. Root and the owner of the store's folder hold every right; nobody else holds
 * one. A denial is a line in DIR/denials, so that it is known even where nobody looks at a reply.
 */
#ifndef EMSA_TOOLS_SERVICE_RIGHTS_H
#define EMSA_TOOLS_SERVICE_RIGHTS_H

#include "store/name.h"
#include "tools/service/service.h"

enum right {
    RIGHT_NONE,  /* everybody who can reach the socket */
    RIGHT_LIST,  /* names, sizes, revisions */
    RIGHT_READ,  /* values */
    RIGHT_SET,   /* changes of values */
    RIGHT_SHARE, /* who may refer to what */
    RIGHT_ADMIN, /* environments, views, the server itself */
    RIGHT_AUDIT, /* who, when, why; proofs */
    /* of a verb: what each of its operations takes (operation.h) */
    RIGHT_OF_EACH,
};

/* Whether the caller has the right to what stands at path. ERR_DENIED (and a line in the store's
 * denials), naming the caller, the method and the path. */
int rights_judge(struct dispatcher *service, const struct caller *caller, enum right right,
                 const char *method, const struct path *path);

/* The same, for what is merely left out where it is not held: nothing is said or written down. */
bool rights_hold(struct dispatcher *service, const struct caller *caller, enum right right,
                 const struct path *path);

/* "uid 1000 (alice)", or "uid 1000" where the system's user file knows no such user. Reads that
 * file itself: a server in its sandbox has no name service. */
void caller_text(const struct caller *caller, char *out, size_t capacity);

#endif
