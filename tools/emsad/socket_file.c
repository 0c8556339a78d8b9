#include "tools/emsad/socket_file.h"

#include <errno.h>
#include <stdbool.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/address.h"
#include "tools/common/descriptor.h"

static int taken(const char *path, const char *use)
{
    return error_set(ERR_REFUSED, "cannot listen for %s at '%s': it is taken", use, path);
}

/* Whether somebody listens there; what cannot be asked is somebody's. */
static bool is_taken(const struct address *address)
{
    int fd DESCRIPTOR_CLEANUP = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    return fd < 0 || connect(fd, (const struct sockaddr *)&address->name, address->size) == 0 ||
           errno != ECONNREFUSED;
}

/* A socket that nobody listens at was left by a daemon that was killed. */
static int remove_stale(const struct address *address, const char *path, const char *use)
{
    struct stat status;
    if (lstat(path, &status) < 0)
        return errno == ENOENT ? 0 : error_system(errno, "cannot look at '%s'", path);
    if (!S_ISSOCK(status.st_mode))
        return error_set(ERR_REFUSED, "'%s' is there, and is no socket", path);
    if (is_taken(address))
        return taken(path, use);
    return unlink(path) < 0 ? error_system(errno, "cannot remove the stale socket '%s'", path) : 0;
}

static int listen_at(int fd, const struct address *address, const char *path, int backlog,
                     const char *use)
{
    if (bind(fd, (const struct sockaddr *)&address->name, address->size) < 0)
        return errno == EADDRINUSE ? taken(path, use)
                                   : error_system(errno, "cannot listen for %s at '%s'", use, path);
    return listen(fd, backlog) < 0 ? error_system(errno, "cannot listen at '%s'", path) : 0;
}

static void remember(struct socket_file *file, const char *path)
{
    struct stat status;
    if (lstat(path, &status) == 0)
        *file = (struct socket_file){.device = status.st_dev, .inode = status.st_ino};
}

int socket_file_listen(int *out, struct socket_file *file, const char *path, mode_t mode,
                       int backlog, const char *use)
{
    struct address address;
    if (path[0] != '/')
        return error_set(ERR_INVALID, "the path '%s' of the socket for %s does not begin with '/'",
                         path, use);
    int fd DESCRIPTOR_CLEANUP = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_system(errno, "cannot make a socket");
    int error = address_make(&address, path);
    if (error < 0)
        return error;
    error = remove_stale(&address, path, use);
    mode_t before = umask(0777 & ~mode); /* no moment with more rights than it is to have */
    if (error == 0)
        error = listen_at(fd, &address, path, backlog, use);
    (void)umask(before);
    address_release(&address);
    if (error < 0)
        return error;
    remember(file, path);
    *out = fd;
    fd = -1;
    return 0;
}

void socket_file_hide(const struct socket_file *file, const char *path)
{
    struct stat status;
    if (lstat(path, &status) == 0 && status.st_dev == file->device && status.st_ino == file->inode)
        (void)unlink(path);
}
