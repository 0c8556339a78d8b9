/*
 * Staying as the command's parent, perhaps as process 1 of a container: every signal that comes is
 * passed on, everybody who is left to us is reaped, and the end is the command's. The command has a
 * process group of its own and, where there is one, the terminal; it does not outlive us.
 */
#ifndef EMSA_TOOLS_RUN_PARENT_H
#define EMSA_TOOLS_RUN_PARENT_H

#include "tools/run/options.h"

/*
 * Runs options->command until it ends, and tells it of each change with options->on_change. With
 * SIGTERM it is started again with the new values when it has ended of it; a change that cannot be
 * made an environment leaves it alone, and is told of. Returns the exit status: the command's, 128
 * and the signal that ended it, or RUN_REFUSED.
 */
int parent_run(const struct run_options *options);

#endif
