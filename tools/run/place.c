#include "tools/run/place.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "tools/run/say.h"

#define FUSE_MAGIC 0x65735546
#define HIDDEN ".emsa"
#define NOT_MOUNTED "EMSA_NOT_MOUNTED"
#define DEPTH_MAX 2 /* an environment, and a service in it */

#define REFUSE(...) (is_quiet ? RUN_REFUSED : say(__VA_ARGS__))

static int refuse_unmounted(const char *path, bool is_quiet)
{
    return REFUSE("nothing is mounted at '%s': start emsad, and mount the service's view there "
                  "before this",
                  path);
}

static int refuse_errno(const char *path, int failed, bool is_quiet)
{
    if (failed == ENOTCONN || failed == ESHUTDOWN || failed == ECONNABORTED)
        return REFUSE("the mount at '%s' is dead: its server has ended. Start emsad, which mounts "
                      "again, and then this",
                      path);
    return REFUSE("cannot look into '%s': %s", path, strerror(failed));
}

/* The mark of a directory that is to be mounted over. Its mode is 0000, so who may not look into it
 * is told by that. */
static bool is_marked(int fd)
{
    struct stat status;
    if (fstatat(fd, NOT_MOUNTED, &status, AT_SYMLINK_NOFOLLOW) == 0)
        return true;
    return errno == EACCES && fstat(fd, &status) == 0 && (status.st_mode & 0777) == 0;
}

static int check_mounted(int fd, const char *path, bool is_quiet)
{
    struct statfs status;
    if (is_marked(fd))
        return refuse_unmounted(path, is_quiet);
    if (fstatfs(fd, &status) < 0)
        return refuse_errno(path, errno, is_quiet);
    if (status.f_type != FUSE_MAGIC)
        return refuse_unmounted(path, is_quiet);
    return 0;
}

/* 1: there are a service's values in it; 0: there are none; -1 with errno. */
static int is_service(int fd)
{
    struct stat status;
    if (fstatat(fd, HIDDEN "/json", &status, 0) == 0)
        return 1;
    return errno == ENOENT ? 0 : -1;
}

/* The only name in a directory: 1; 0: there is none; 2: there is another; -1 with errno. */
static int only_name(int fd, char name[static NAME_MAX + 1])
{
    int count = 0;
    int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *directory = copy < 0 ? NULL : fdopendir(copy);
    if (directory == NULL)
        return -1;
    const struct dirent *entry;
    while (count < 2 && (errno = 0, entry = readdir(directory)) != NULL) {
        if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
            continue;
        (void)snprintf(name, NAME_MAX + 1, "%s", entry->d_name);
        count++;
    }
    int failed = errno;
    closedir(directory);
    errno = failed;
    return count < 2 && failed != 0 ? -1 : count;
}

static int step_into(struct place *place, const char *directory, bool is_quiet)
{
    char name[NAME_MAX + 1];
    int count = only_name(place->fd, name);
    if (count < 0)
        return refuse_errno(place->path, errno, is_quiet);
    if (count == 0)
        return REFUSE("there is no service in '%s': 'emsa ls' shows what there is", place->path);
    if (count > 1)
        return REFUSE("'%s' is not of one service: name it, '--dir %s/ENVIRONMENT/SERVICE'",
                      directory, directory);
    size_t length = strlen(place->path);
    if (length + 1 + strlen(name) >= sizeof place->path)
        return REFUSE("the path of '%s' is too long", directory);
    (void)snprintf(place->path + length, sizeof place->path - length, "/%s", name);
    int fd = openat(place->fd, name, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 && errno == ENOTDIR)
        return REFUSE("'%s' is no view of emsa: '%s' in it is no directory", directory, name);
    if (fd < 0)
        return refuse_errno(place->path, errno, is_quiet);
    close(place->fd);
    place->fd = fd;
    return 0;
}

static int find_service(struct place *place, const char *directory, bool is_quiet)
{
    for (int depth = 0;; depth++) {
        int found = is_service(place->fd);
        if (found < 0)
            return refuse_errno(place->path, errno, is_quiet);
        if (found > 0)
            return 0;
        if (depth == DEPTH_MAX)
            return REFUSE("there is no service in '%s': it is no view of emsa, or its service is "
                          "gone",
                          directory);
        int refused = step_into(place, directory, is_quiet);
        if (refused)
            return refused;
    }
}

int place_open(struct place *out, const char *directory, bool is_quiet)
{
    struct place place = PLACE_INIT;
    struct stat status;
    if (strlen(directory) >= sizeof place.path)
        return REFUSE("the path of --dir is too long");
    (void)snprintf(place.path, sizeof place.path, "%s", directory);
    place.fd = open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (place.fd < 0 && errno == ENOENT)
        return REFUSE("there is no directory '%s', where the service's view is to be mounted",
                      directory);
    if (place.fd < 0)
        return refuse_errno(directory, errno, is_quiet);
    int refused = check_mounted(place.fd, directory, is_quiet);
    if (!refused)
        refused = find_service(&place, directory, is_quiet);
    if (!refused && fstat(place.fd, &status) < 0)
        refused = refuse_errno(place.path, errno, is_quiet);
    if (refused) {
        place_close(&place);
        return refused;
    }
    place.device = status.st_dev;
    *out = place;
    return 0;
}

void place_close(struct place *place)
{
    if (place->fd >= 0)
        close(place->fd);
    place->fd = -1;
}

int place_head(const struct place *place, char out[static PLACE_HEAD_MAX])
{
    ssize_t size = readlinkat(place->fd, HIDDEN "/head", out, PLACE_HEAD_MAX - 1);
    if (size < 0)
        return -1;
    out[size] = '\0';
    return 0;
}
