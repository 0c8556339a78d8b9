/* Becoming the command. */
#ifndef EMSA_TOOLS_RUN_PROGRAM_H
#define EMSA_TOOLS_RUN_PROGRAM_H

#include "tools/run/variables.h"

#define PROGRAM_NOT_RUN 126
#define PROGRAM_NOT_FOUND 127

/* Executes it in this process, with our own environment and the values over it; it is looked for
 * along the PATH that results. Returns only where that fails, with what is wrong said:
 * PROGRAM_NOT_FOUND, PROGRAM_NOT_RUN. */
int program_become(char **command, const struct variables *variables);

#endif
