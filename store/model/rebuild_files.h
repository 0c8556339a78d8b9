/* The files of a rebuild: a folder in the store's, in which the new file is made, and the step by
 * which it takes the old one's place. For who owns the store. */
#ifndef EMSA_STORE_MODEL_REBUILD_FILES_H
#define EMSA_STORE_MODEL_REBUILD_FILES_H

#include <limits.h>

/* Removes what a rebuild that was cut off left behind. Nothing there is the usual case; what can't
 * be removed stays. Follows no link. */
void rebuild_clean(const char *path);

/* Makes the empty folder; its path into folder. ERR_REFUSED: something of that name that is not a
 * rebuild's; ERR_INVALID, ERR_FULL, ERR_DENIED, ERR_IO. */
int rebuild_begin(char folder[static PATH_MAX], const char *path);

/* The new data.mdb, which nobody has open, in the place of the old one, durably; then the folder is
 * removed. On failure the old one is there, but where only the last write-out failed. */
int rebuild_finish(const char *path);

#endif
