#include "tools/run/snapshot.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/run/say.h"

/* A revision that is no longer the newest may stop being shown while it is read: then the next is
 * begun. More often than this it is not by chance. */
#define TRIES 8
#define AGAIN 1

static bool is_passed(int failed)
{
    return failed == ENOENT || failed == ESTALE;
}

static bool is_file(const struct run_options *options, const char *key)
{
    for (size_t i = 0; i < options->file_count; i++)
        if (strcmp(options->files[i], key) == 0)
            return true;
    return false;
}

/* Whole, or the errno of what failed. */
static int read_whole(int fd, char *to, size_t size)
{
    size_t done = 0;
    while (done < size) {
        ssize_t count = read(fd, to + done, size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return count < 0 ? errno : ESTALE; /* shorter than it was said to be */
        done += (size_t)count;
    }
    return 0;
}

/* AGAIN, or 0: it is taken, or a fault of it is. */
static int read_value(struct variables *variables, int directory, const char *key)
{
    struct stat status;
    int failed = 0;
    int fd = openat(directory, key, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &status) < 0)
        failed = errno;
    char *room = failed ? NULL : variables_room(variables, key, (size_t)status.st_size);
    if (room != NULL)
        failed = read_whole(fd, room, (size_t)status.st_size);
    if (room != NULL && failed == 0)
        variables_take(variables, key, (size_t)status.st_size);
    if (fd >= 0)
        close(fd);
    if (is_passed(failed))
        return AGAIN;
    if (failed) {
        char why[128];
        (void)snprintf(why, sizeof why, "cannot be read: %s", strerror(failed));
        variables_fault(variables, key, why);
    }
    return 0;
}

static int read_values(struct variables *variables, DIR *directory,
                       const struct run_options *options)
{
    const struct dirent *entry;
    while ((errno = 0, entry = readdir(directory)) != NULL) {
        const char *key = entry->d_name;
        if (strcmp(key, ".") == 0 || strcmp(key, "..") == 0 || is_file(options, key))
            continue;
        int again = read_value(variables, dirfd(directory), key);
        if (again)
            return again;
    }
    if (errno != 0 && !is_passed(errno))
        return say("cannot list the values: %s", strerror(errno));
    return errno != 0 ? AGAIN : 0;
}

/* 0, AGAIN or RUN_REFUSED. */
static int try_read(struct variables *variables, char head[static PLACE_HEAD_MAX],
                    const struct place *place, const struct run_options *options)
{
    char path[PLACE_HEAD_MAX + sizeof ".emsa/"];
    int fd = -1;
    if (place_head(place, head) == 0) {
        (void)snprintf(path, sizeof path, ".emsa/%s", head);
        fd = openat(place->fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    }
    DIR *directory = fd < 0 ? NULL : fdopendir(fd);
    if (directory == NULL) {
        int failed = errno;
        if (fd >= 0)
            close(fd);
        return is_passed(failed)
                   ? AGAIN
                   : say("cannot read the values of '%s': %s", place->path, strerror(failed));
    }
    int error = read_values(variables, directory, options);
    closedir(directory);
    return error;
}

int snapshot_read(struct variables *variables, char head[static PLACE_HEAD_MAX],
                  const struct place *place, const struct run_options *options)
{
    int error = AGAIN;
    for (int i = 0; i < TRIES && error == AGAIN; i++) {
        variables_clear(variables);
        error = try_read(variables, head, place, options);
    }
    if (error == AGAIN)
        return say("no snapshot of '%s' can be read: %d began, and none lasted until its end",
                   place->path, TRIES);
    if (error == 0 && variables->fault_count > 0) {
        error =
            say("%zu of the values of '%s' cannot be variables; --file KEY leaves one to be read "
                "as a file:",
                variables->fault_count, place->path);
        say_lines(variables->faults != NULL ? variables->faults : "");
    }
    return error;
}
