#include "fs/edit.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* OPEN, MODIFY, CLOSE_WRITE, as after any short write. The time must be the only thing that is set:
 * with the access time it would be an ATTRIB. */
static int touch(int mount_fd, const char *path)
{
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
    int fd = openat(mount_fd, path, O_WRONLY | O_NOFOLLOW | O_CLOEXEC);
    if (fd < 0)
        return -1;
    int result = futimens(fd, times), error = errno;
    close(fd);
    errno = error;
    return result;
}

static int act(int mount_fd, const struct effect *effect, const char *path)
{
    switch (effect->kind) {
    case EFFECT_MAKE_FILE:
        return mknodat(mount_fd, path, S_IFREG | 0400, 0);
    case EFFECT_MAKE_DIRECTORY:
        return mkdirat(mount_fd, path, 0700);
    case EFFECT_REMOVE_FILE:
        return unlinkat(mount_fd, path, 0);
    case EFFECT_REMOVE_DIRECTORY:
        return unlinkat(mount_fd, path, AT_REMOVEDIR);
    case EFFECT_TOUCH:
        return touch(mount_fd, path);
    default:
        return 0;
    }
}

enum edit_outcome edit(int mount_fd, const struct effect *effect, const char *path)
{
    int result;
    do
        result = act(mount_fd, effect, path);
    while (result < 0 && errno == EINTR);
    if (result == 0)
        return EDIT_DONE;
    switch (errno) {
    case EEXIST:
    case ENOENT:
    case ENOTCONN: /* the view is gone */
    case ENODEV:
    case ECONNABORTED:
        return EDIT_DONE;
    case EBUSY:
        return EDIT_BUSY;
    default:
        return EDIT_REFUSED;
    }
}
