#include "store/model/rebuild_files.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"

#define FOLDER "rebuild"
#define DATA "data.mdb"

static int open_folder(int at, const char *path)
{
    return openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
}

static void clean_in(int store)
{
    const int folder = open_folder(store, FOLDER);
    if (folder < 0)
        return;
    (void)unlinkat(folder, DATA, 0);
    (void)unlinkat(folder, "lock.mdb", 0);
    close(folder);
    (void)unlinkat(store, FOLDER, AT_REMOVEDIR);
}

void rebuild_clean(const char *path)
{
    const int saved = errno;
    const int store = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store >= 0) {
        clean_in(store);
        close(store);
    }
    errno = saved;
}

int rebuild_begin(char folder[static PATH_MAX], const char *path)
{
    if (snprintf(folder, PATH_MAX, "%s/" FOLDER, path) >= PATH_MAX)
        return error_set(ERR_INVALID, "path '%s' is too long", path);
    rebuild_clean(path);
    if (mkdir(folder, 0700) == 0)
        return 0;
    if (errno == EEXIST)
        return error_set(ERR_REFUSED,
                         "'%s' is in the way, and is no rebuild's: move it out of the store",
                         folder);
    return error_system(errno, "cannot make '%s'", folder);
}

static int write_out(int fd, const char *what)
{
    return fsync(fd) ? error_system(errno, "cannot write out %s", what) : 0;
}

static int write_data_out(int folder)
{
    const int fd = openat(folder, DATA, O_RDWR | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return error_system(errno, "cannot open the new file");
    const int error = write_out(fd, "the new file");
    close(fd);
    return error;
}

/* One rename: whoever looks finds one file or the other, and after a power cut too, for the new one
 * was written out before. */
static int swap(int store, int folder)
{
    int error = write_data_out(folder);
    if (!error && renameat(folder, DATA, store, DATA))
        error = error_system(errno, "cannot put the new file in the place of the old one");
    return error ? error : write_out(store, "the store's folder");
}

int rebuild_finish(const char *path)
{
    const int store = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (store < 0)
        return error_system(errno, "cannot open '%s'", path);
    const int folder = open_folder(store, FOLDER);
    int error =
        folder < 0 ? error_system(errno, "cannot open '%s/" FOLDER "'", path) : swap(store, folder);
    if (folder >= 0)
        close(folder);
    if (!error)
        clean_in(store);
    close(store);
    return error;
}
