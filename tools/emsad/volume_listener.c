#include "tools/emsad/volume_listener.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/emsad/socket_file.h"

#define BACKLOG 4096 /* a runtime that finds it full gets an error, and does not wait */

#define FOLDER_MODE 0700 /* as docker makes them */

static struct socket_file made;

/* After a boot /run/docker/plugins is not there before docker is. */
static int make_folders(const char *path)
{
    char folder[PATH_MAX];
    size_t length = strlen(path);
    if (length >= sizeof folder)
        return error_set(ERR_INVALID, "a path of %zu bytes is too long", length);
    memcpy(folder, path, length + 1);
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        if (mkdir(folder, FOLDER_MODE) < 0 && errno != EEXIST)
            return error_system(errno, "cannot make the folder '%s'", folder);
        *slash = '/';
    }
    return 0;
}

/* Root's containers are given what is said at the socket: nobody else may put another there. */
static int check_folder(const char *path)
{
    char folder[PATH_MAX];
    struct stat status;
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
    if (stat(folder[0] == '\0' ? "/" : folder, &status) < 0)
        return error_system(errno, "cannot look at the folder '%s'", folder);
    bool is_open = (status.st_mode & 022) != 0;
    if (is_open || (status.st_uid != 0 && status.st_uid != geteuid()))
        return error_set(ERR_REFUSED,
                         "the folder '%s' of the socket for volumes belongs to somebody else, or "
                         "is open to others: have its owner be root, and its mode 0755 at most",
                         folder);
    return 0;
}

int volume_listen(int *out, const char *path)
{
    int error = path[0] == '/' ? make_folders(path) : 0;
    if (error == 0 && path[0] == '/')
        error = check_folder(path);
    return error == 0 ? socket_file_listen(out, &made, path, 0600, BACKLOG, "volumes") : error;
}

void volume_hide(const char *path)
{
    socket_file_hide(&made, path);
}
