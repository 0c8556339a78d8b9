#include "tools/common/address.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "tools/common/descriptor.h"

static int too_long(const char *path)
{
    return error_set(ERR_INVALID, "the name of socket '%s' is too long", path);
}

/* /proc/self/fd/N/NAME, N being the folder. */
static int through_folder(struct address *out, const char *path)
{
    const char *slash = strrchr(path, '/');
    char folder[PATH_MAX];
    int length = slash == NULL
                     ? snprintf(folder, sizeof folder, ".")
                     : snprintf(folder, sizeof folder, "%.*s/", (int)(slash - path), path);
    if (length < 0 || (size_t)length >= sizeof folder)
        return too_long(path);
    out->folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (out->folder < 0)
        return error_system(errno, "cannot open folder '%s'", folder);
    length = snprintf(out->name.sun_path, sizeof out->name.sun_path, "/proc/self/fd/%d/%s",
                      out->folder, slash == NULL ? path : slash + 1);
    if (length < 0 || (size_t)length >= sizeof out->name.sun_path) {
        address_release(out);
        return too_long(path);
    }
    return 0;
}

int address_make(struct address *out, const char *path)
{
    struct address made = {.name = {.sun_family = AF_UNIX}, .size = sizeof made.name, .folder = -1};
    size_t length = strlen(path);
    if (length < sizeof made.name.sun_path) {
        memcpy(made.name.sun_path, path, length + 1);
    } else {
        int error = through_folder(&made, path);
        if (error < 0)
            return error;
    }
    *out = made;
    return 0;
}

void address_release(struct address *address)
{
    descriptor_close(&address->folder);
}
