/* How much of a file the kernel keeps: cachestat(2), Linux 6.5. */
#ifndef EMSA_TESTS_FS_PAGES_H
#define EMSA_TESTS_FS_PAGES_H

#include <stdint.h>

#include "tests/integration/fs/world.h"

/* The pages of an open file in the page cache. Of a descriptor from before: opening the file drops
 * them, and so hides them. */
uint64_t pages_cached(int fd);

/* The same when all sweeps that were asked for are done. Waits for them by commits that set a key
 * (path; its service must be there) which nothing else touches. */
uint64_t pages_swept(struct world *world, const char *path, int fd);

#endif
