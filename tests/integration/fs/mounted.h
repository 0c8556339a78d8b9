/*
 * A story of random changes (tests/support/store/story) with its store mounted. The process that
 * plays it serves the mount; another one, that waits in the kernel for nobody it serves, reads the
 * whole tree as files where it is asked to and compares it with what the naive model says.
 */
#ifndef EMSA_TESTS_FS_MOUNTED_H
#define EMSA_TESTS_FS_MOUNTED_H

#include "tests/integration/fs/world.h"
#include "tests/support/store/story.h"

struct tree_text; /* what the tree must be, in memory that both processes have (tree_text.h) */

struct mounted {
    struct world world; /* the mount, and the process that notifies */
    struct tree_text *text;
    unsigned every; /* how many commits come before the next look at all of it */
    pid_t reader;
    int reader_socket; /* of the process that plays */
    struct fs *fs;     /* while the store is open */
    unsigned commits, looks;
};

/* Makes the mount and both helpers. Ends the program with a message on failure. */
void mounted_make(struct mounted *mounted, unsigned every);
void mounted_end(struct mounted *mounted);

/* What story_play_hooked takes. */
struct story_hook mounted_hook(struct mounted *mounted);

#endif
