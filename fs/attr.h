/* What stat(2) shows of a place. */
#ifndef EMSA_FS_ATTR_H
#define EMSA_FS_ATTR_H

#include <sys/stat.h>

#include "fs/fs.h"
#include "fs/tree.h"

/*
 * Fills st for a place in a view. A file's size is exact and needs the store (a secret's is opened
 * once a version); where no key opens it the size is 0. That of a text in `.emsa` is left 0:
 * whoever can make it fills it in (fs/text.h). 0 or a failure.
 */
int attr_fill(struct snapshot *snapshot, struct stat *st, const struct view_options *view,
              const struct place *place);

/* The same of a node whose type alone matters (readdir's d_type, "." and ".."). */
void attr_brief(struct stat *st, uint64_t id);

/* A size, and the blocks that it takes. */
void attr_size(struct stat *st, size_t size);

/* The owner's word on modes, with the defaults filled in. */
mode_t attr_directory_mode(const struct view_options *view);
mode_t attr_file_mode(const struct view_options *view);

#endif
