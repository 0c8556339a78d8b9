/* The command line of emsa-run. */
#ifndef EMSA_TOOLS_RUN_OPTIONS_H
#define EMSA_TOOLS_RUN_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#define RUN_FILES_MAX 64

struct run_options {                  /* texts are argv's */
    const char *directory;            /* where the view is mounted */
    int on_change;                    /* the signal that tells the command; 0: it is not told */
    const char *files[RUN_FILES_MAX]; /* keys that are read as files, and become no variables */
    size_t file_count;
    char **command; /* ends with NULL; at least one word, but for help and version */
    bool help;
    bool version;
};

/* 0, or RUN_REFUSED with what is wrong said. */
int run_options_parse(struct run_options *out, int argc, char *argv[]);

/* What --help prints. */
const char *run_options_help(void);

#endif
