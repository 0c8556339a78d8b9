#include "tools/emsad/volume_listener.h"

#include <errno.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>

#include "store/error.h"
#include "tools/emsad/socket_file.h"

#define BACKLOG 4096 /* a runtime that finds it full gets an error, and does not wait */

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
        if (mkdir(folder, 0755) < 0 && errno != EEXIST)
            return error_system(errno, "cannot make the folder '%s'", folder);
        *slash = '/';
    }
    return 0;
}

int volume_listen(int *out, const char *path)
{
    int error = path[0] == '/' ? make_folders(path) : 0;
    return error == 0 ? socket_file_listen(out, &made, path, 0600, BACKLOG, "volumes") : error;
}

void volume_hide(const char *path)
{
    socket_file_hide(&made, path);
}
