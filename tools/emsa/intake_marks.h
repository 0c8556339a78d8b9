/* Which of an intake's values are secrets. */
#ifndef EMSA_TOOLS_EMSA_INTAKE_MARKS_H
#define EMSA_TOOLS_EMSA_INTAKE_MARKS_H

#include "tools/emsa/intake.h"
#include "tools/emsa/options.h"

struct intake_choice {                            /* what the command line says */
    const struct texts *secret_keys, *plain_keys; /* KEY or SERVICE/KEY */
    bool guess;
};

/*
 * Marks what is a secret, and what comes to one. What looks like a secret and was not marked is
 * refused, all of it at once (ERR_REFUSED). A mark, and the look of a name, go through a link to
 * what it links to; a value that was made from a secret is one. A template that would show a secret
 * in its text becomes a secret value of its own. ERR_NOT_FOUND: a mark for a key that is not there;
 * ERR_INVALID: both marks for one; ERR_NOMEM. After intake_settle.
 */
int intake_mark(struct intake *intake, const struct intake_choice *choice);

#endif
