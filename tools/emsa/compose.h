/*
 * Taking in what a compose file sets for its services: "environment" and "env_file" of every
 * service, as compose itself would work them out from the file, the dotenv file and nothing else.
 *
 * A variable of the dotenv file is defined once: in the service "shared" where some service gets
 * it, directly or through another variable; else in "compose". "compose" has all of them, those of
 * "shared" as links, so that it stands for the dotenv file wherever compose itself interpolates.
 */
#ifndef EMSA_TOOLS_EMSA_COMPOSE_H
#define EMSA_TOOLS_EMSA_COMPOSE_H

#include "store/secret.h"
#include "tools/emsa/intake.h"

struct compose_input {
    const char *file; /* for messages; what env_file names is looked for beside it */
    const struct secret *text;
    const char *dotenv_file; /* NULL: none */
    const struct secret *dotenv;
};

/* Fills an empty intake. What cannot be taken in, and what compose leaves unset, goes to its note.
 * ERR_INVALID: "FILE, line N: ..." for what compose would refuse; ERR_NOT_FOUND, ERR_IO: an
 * env_file; ERR_NOMEM. */
int compose_take(struct intake *intake, const struct compose_input *input);

#endif
