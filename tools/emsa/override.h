/*
 * What an existing compose file needs so that each of its services gets its own view: a second file
 * beside it, `docker compose -f compose.yaml -f compose.emsa.yaml`, that adds a volume of the emsa
 * driver to each.
 */
#ifndef EMSA_TOOLS_EMSA_OVERRIDE_H
#define EMSA_TOOLS_EMSA_OVERRIDE_H

#include "tools/emsa/session.h"

/*
 * Prints that file for the services of an environment: with --file only those that the compose file
 * has too (compose refuses a service of which it knows nothing but a volume), else all but "shared"
 * and "compose", which nobody runs. No value is asked for. ERR_NOT_FOUND, ERR_INVALID.
 */
int override_print(struct session *session, const char *environment);

#endif
