#include "store/model/owner.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"

static int join(char out[static PATH_MAX], const char *path, const char *name)
{
    if (snprintf(out, PATH_MAX, "%s/%s", path, name) >= PATH_MAX)
        return error_set(ERR_INVALID, "path '%s' is too long", path);
    return 0;
}

/* The owner leaves its pid for messages; a lock names no owner by itself. */
static int busy(int fd, const char *path)
{
    char text[24] = "";
    const ssize_t size = pread(fd, text, sizeof text - 1, 0);
    const long pid = size > 0 ? strtol(text, NULL, 10) : 0;
    if (pid > 0)
        return error_set(ERR_BUSY,
                         "the store in '%s' is owned by process %ld: 'emsa stop' ends a server",
                         path, pid);
    return error_set(
        ERR_BUSY, "the store in '%s' is owned by another process: 'emsa stop' ends a server", path);
}

/* Only for messages: a full disk must not keep anybody from a store. */
void owner_sign(int fd, pid_t pid)
{
    char text[24];
    const int size = snprintf(text, sizeof text, "%ld\n", (long)pid);
    if (ftruncate(fd, 0) == 0 && pwrite(fd, text, (size_t)size, 0) != size)
        return;
}

static int take(int fd, const char *path)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (fcntl(fd, F_OFD_SETLK, &lock)) {
        if (errno == EAGAIN || errno == EACCES)
            return busy(fd, path);
        return error_system(errno, "cannot lock '%s/owner.lock'", path);
    }
    owner_sign(fd, getpid());
    return 0;
}

static int open_and_take(const char *path, int flags)
{
    char file[PATH_MAX];
    int error = join(file, path, "owner.lock");
    if (error)
        return error;
    const int fd = open(file, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (fd < 0)
        return errno == EEXIST ? error_set(ERR_REFUSED, "there is a store in '%s' already", path)
                               : error_system(errno, "cannot open '%s'", file);
    error = take(fd, path);
    if (error) {
        close(fd);
        return error;
    }
    return fd;
}

int owner_lock(const char *path)
{
    char file[PATH_MAX];
    const int error = join(file, path, "data.mdb");
    if (error)
        return error;
    if (access(file, F_OK)) {
        if (errno == ENOENT || errno == ENOTDIR)
            return error_set(ERR_NOT_FOUND, "no store in '%s' (emsa --store %s init makes one)",
                             path, path);
        return error_system(errno, "cannot open the store in '%s'", path);
    }
    return open_and_take(path, 0);
}

int owner_create(const char *path)
{
    return open_and_take(path, O_EXCL);
}

void owner_unlock(int fd)
{
    struct flock lock = {.l_type = F_UNLCK, .l_whence = SEEK_SET};
    fcntl(fd, F_OFD_SETLK, &lock);
    close(fd);
}
