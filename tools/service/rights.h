/*
 * Who may do what: one table, from what a verb takes to the rights that were granted (holdings.h).
 * Root and the owner of the store's folder hold every right; everybody else holds what the log says
 * was granted to a name that is theirs. A denial is a line of the audit record, so that it is known
 * even where nobody looks at a reply.
 *
 * Whether something is there is no secret from who may list the place that was asked for, and one
 * from everybody else: what may not be listed is denied in the same words whether it exists or not.
 */
#ifndef EMSA_TOOLS_SERVICE_RIGHTS_H
#define EMSA_TOOLS_SERVICE_RIGHTS_H

#include "store/name.h"
#include "tools/service/people.h"
#include "tools/service/service.h"

enum right {
    RIGHT_NONE,  /* everybody who can reach the socket */
    RIGHT_SOME,  /* any right anywhere; what is not held is left out */
    RIGHT_SEE,   /* that something is there: listed, or a right to something in it; the rest of it
                    is left out */
    RIGHT_LIST,  /* names, sizes, revisions */
    RIGHT_READ,  /* values */
    RIGHT_SET,   /* values, unseen */
    RIGHT_EDIT,  /* both: whatever shows by what comes of it what was there */
    RIGHT_SHARE, /* who may refer to what */
    RIGHT_AUDIT, /* who, when, why; proofs */
    RIGHT_ADMIN, /* all of it; environments, rights, views of everything, the server itself */
    /* of a verb: what each of its operations takes (operation.h) */
    RIGHT_OF_EACH,
};

/* What the caller of a call holds, until rights_end. What reading the store may fail with. */
int rights_begin(struct dispatcher *service, struct caller *caller);
void rights_end(struct caller *caller);

/* Whether the caller has the right to what stands at path. ERR_DENIED (and a line of the audit
 * record), naming the caller, the method and the path. */
int rights_judge(struct dispatcher *service, const struct caller *caller, enum right right,
                 const char *method, const struct path *path);

/* The same, for what is merely left out where it is not held: nothing is said or written down. */
bool rights_hold(struct dispatcher *service, const struct caller *caller, enum right right,
                 const struct path *path);

#endif
