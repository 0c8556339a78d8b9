/* The command line of emsa-hook. */
#ifndef EMSA_TOOLS_HOOK_OPTIONS_H
#define EMSA_TOOLS_HOOK_OPTIONS_H

#include <stdbool.h>

struct hook_options {  /* texts are argv's */
    const char *store; /* NULL: the usual one */
    bool help;
    bool version;
};

/* ERR_INVALID, with what is wrong. A word that is no option is the stage, which runtimes' examples
 * give: "createRuntime" is the only one that will do. */
int hook_options_parse(struct hook_options *out, int argc, char *argv[]);

/* What --help prints. */
const char *hook_options_help(void);

#endif
