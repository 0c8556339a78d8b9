#include "tools/common/unmounted.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"

static const char text[] =
    "Nothing is mounted here yet. Start emsad, or mount with 'emsa mount'.\n";

/* As unmounted_look; the descriptor is taken over. */
static int look(int place)
{
    DIR *list = fdopendir(place);
    if (list == NULL) {
        descriptor_close(&place);
        return 2;
    }
    int found = 0;
    for (const struct dirent *entry; found == 0 && (entry = readdir(list)) != NULL;)
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            strcmp(entry->d_name, UNMOUNTED_FILE) != 0)
            found = 1;
    (void)closedir(list);
    return found;
}

int unmounted_look(const char *path)
{
    int place = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return place < 0 ? 2 : look(place);
}

static int put_file(int place, const char *path)
{
    int fd DESCRIPTOR_CLEANUP =
        openat(place, UNMOUNTED_FILE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0444);
    if (fd < 0 && errno == EEXIST)
        return 0;
    if (fd >= 0 && write(fd, text, sizeof text - 1) == (ssize_t)sizeof text - 1)
        return 0;
    int error = error_system(errno, "cannot write '%s/" UNMOUNTED_FILE "'", path);
    if (fd >= 0)
        (void)unlinkat(place, UNMOUNTED_FILE, 0); /* a part of it */
    return error;
}

/* Made before by its owner, whom it is closed to as well. */
static bool is_closed(int folder, const char *name)
{
    struct stat status;
    return fstatat(folder, name, &status, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(status.st_mode) &&
           (status.st_mode & 07777) == 0;
}

int unmounted_make(int folder, const char *name, const char *path)
{
    bool is_made = mkdirat(folder, name, 0700) == 0;
    if (!is_made && errno != EEXIST)
        return error_system(errno, "cannot make the directory '%s'", path);
    int place DESCRIPTOR_CLEANUP =
        openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (place < 0 && (errno == ENOTDIR || errno == ELOOP))
        return error_set(ERR_INVALID, "'%s' is no directory", path);
    if (place < 0 && errno == EACCES && is_closed(folder, name))
        return 0;
    if (place < 0)
        return error_system(errno, "cannot open the directory '%s'", path);
    int found = look(openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC));
    if (found != 0)
        return error_set(ERR_REFUSED,
                         "'%s' has something else in it: take that away, or name another directory",
                         path);
    int error = put_file(place, path);
    if (error == 0 && fchmod(place, 0) < 0)
        error = error_system(errno, "cannot close the directory '%s' to others", path);
    if (error < 0 && is_made)
        (void)unlinkat(folder, name, AT_REMOVEDIR);
    return error;
}

void unmounted_remove(int folder, const char *name)
{
    int place DESCRIPTOR_CLEANUP =
        openat(folder, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    if (place >= 0 && look(openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC)) == 0)
        (void)unlinkat(place, UNMOUNTED_FILE, 0);
    (void)unlinkat(folder, name, AT_REMOVEDIR);
}
