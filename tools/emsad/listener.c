#include "tools/emsad/listener.h"

#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/address.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"

#define BACKLOG 512

struct rights { /* what to go back to */
    uid_t uid;
    gid_t gid;
};

static int lend(struct rights *before, const char *store)
{
    struct stat status;
    *before = (struct rights){.uid = geteuid(), .gid = getegid()};
    if (before->uid != 0)
        return 0;
    int folder DESCRIPTOR_CLEANUP = -1;
    int error = place_open_folder(&folder, store);
    if (error < 0)
        return error;
    if (fstat(folder, &status) < 0)
        return error_system(errno, "cannot look at store '%s'", store);
    if (setegid(status.st_gid) < 0 || seteuid(status.st_uid) < 0)
        return error_system(errno, "cannot act as the owner of store '%s'", store);
    return 0;
}

static void give_back(const struct rights *before)
{
    if (seteuid(before->uid) < 0 || setegid(before->gid) < 0)
        log_error("cannot take root's rights again: %s", strerror(errno));
}

/* The folder of the default store's socket: all may go through it, and nobody sees what else is
 * there.
 */
static int make_folder(const char *path)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    size_t length = (size_t)(slash - path);
    memcpy(folder, path, length);
    folder[length] = '\0';
    if (mkdir(folder, 0711) == 0)
        return chmod(folder, 0711) < 0 ? error_system(errno, "cannot open '%s' to all", folder) : 0;
    if (errno == EEXIST)
        return 0;
    return error_system(errno, "cannot make folder '%s' for the control socket", folder);
}

static int bind_new(int fd, const char *path, mode_t forbidden)
{
    struct address address;
    int error = address_make(&address, path);
    if (error < 0)
        return error;
    if (unlink(path) < 0 && errno != ENOENT) {
        error = error_system(errno, "cannot remove the stale socket '%s'", path);
    } else {
        mode_t before = umask(forbidden);
        if (bind(fd, (const struct sockaddr *)&address.name, address.size) < 0)
            error = error_system(errno, "cannot make the control socket '%s'", path);
        (void)umask(before);
    }
    address_release(&address);
    if (error == 0 && listen(fd, BACKLOG) < 0)
        error = error_system(errno, "cannot listen at '%s'", path);
    return error;
}

int listener_make(int *out, const struct place_of_store *place)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return error_system(errno, "cannot make a socket");
    int error;
    if (place->is_default) {
        error = make_folder(place->socket);
        if (error == 0)
            error = bind_new(fd, place->socket, 0111);
    } else {
        struct rights before;
        error = lend(&before, place->store);
        if (error == 0)
            error = bind_new(fd, place->socket, 0177);
        give_back(&before);
    }
    if (error < 0) {
        descriptor_close(&fd);
        return error;
    }
    *out = fd;
    return 0;
}

void listener_remove(const struct place_of_store *place)
{
    struct rights before = {.uid = geteuid(), .gid = getegid()};
    int lent = place->is_default ? 0 : lend(&before, place->store);
    if (lent == 0 && unlink(place->socket) < 0 && errno != ENOENT)
        log_warning("cannot remove the socket '%s': %s", place->socket, strerror(errno));
    give_back(&before);
}
