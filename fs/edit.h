/* What the notifier does to a view by itself, on a writable mount of its own, so that watchers hear
 * what an editor's work would have told them. The server answers and changes nothing. */
#ifndef EMSA_FS_EDIT_H
#define EMSA_FS_EDIT_H

#include "fs/message.h"

#define EDIT_PATH_MAX 512

enum edit_outcome {
    EDIT_DONE,    /* or there was nothing to do: the name is as it is to be */
    EDIT_BUSY,    /* something is mounted on what goes */
    EDIT_REFUSED, /* watchers did not hear of it */
};

/* Does one effect of NAMES or EVENTS; path is the effect's name, ended by NUL. May wait in the
 * kernel for as long as readers of the view like. */
enum edit_outcome edit(int mount_fd, const struct effect *effect, const char *path);

#endif
