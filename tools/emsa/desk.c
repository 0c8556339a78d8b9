#include "tools/emsa/desk.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/emsa/assignments.h"

static bool is_in_memory(const char *folder)
{
    struct statfs found;
    return folder != NULL && folder[0] == '/' && statfs(folder, &found) == 0 &&
           (found.f_type == TMPFS_MAGIC || found.f_type == RAMFS_MAGIC) &&
           access(folder, W_OK | X_OK) == 0;
}

/* The first folder in memory of those where somebody's own files may lie; NULL: there is none. */
static const char *memory_folder(void)
{
    const char *own = getenv("XDG_RUNTIME_DIR");
    if (is_in_memory(own))
        return own;
    if (is_in_memory("/dev/shm"))
        return "/dev/shm";
    return geteuid() == 0 && is_in_memory("/run") ? "/run" : NULL;
}

static const char *temporary_folder(void)
{
    const char *said = getenv("TMPDIR");
    return said != NULL && said[0] == '/' ? said : "/tmp";
}

static int make_folder(struct desk *desk, const char *where)
{
    char folder[DESK_PATH_MAX];
    if (snprintf(folder, sizeof folder, "%s/emsa-edit.XXXXXX", where) >= (int)sizeof folder)
        return error_set(ERR_INVALID, "the path '%.64s...' is too long", where);
    if (mkdtemp(folder) == NULL) /* of mode 0700 */
        return error_system(errno, "cannot make a folder in '%s'", where);
    memcpy(desk->folder, folder, sizeof folder);
    return 0;
}

/* A memory file system that only this process and those that it starts can see. */
static bool mount_own(const struct desk *desk)
{
    const unsigned long flags = MS_NOSUID | MS_NODEV | MS_NOEXEC;
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        return false;
    return mount("emsa-edit", desk->folder, "tmpfs", flags, "mode=0700,size=96m,noswap") == 0 ||
           mount("emsa-edit", desk->folder, "tmpfs", flags, "mode=0700,size=96m") == 0;
}

static int open_folder(struct desk *desk)
{
    if (geteuid() == 0) {
        int error = make_folder(desk, "/tmp");
        if (error == 0 && mount_own(desk)) {
            desk->is_own = true;
            return 0;
        }
        if (error == 0)
            rmdir(desk->folder);
        desk->folder[0] = '\0';
    }
    const char *where = memory_folder();
    if (where == NULL)
        return error_set(ERR_REFUSED,
                         "no place in memory for the text: neither $XDG_RUNTIME_DIR nor '/dev/shm' "
                         "is a memory file system; mount one (tmpfs) and name it there");
    return make_folder(desk, where);
}

int desk_open(struct desk *desk, const char *name)
{
    *desk = (struct desk){.is_own = false};
    int error = open_folder(desk);
    if (error == 0)
        snprintf(desk->file, sizeof desk->file, "%s/%s", desk->folder, name);
    return error;
}

static int write_all(int fd, const struct secret *text)
{
    for (size_t done = 0; done < text->size;) {
        ssize_t count = write(fd, text->data + done, text->size - done);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return -1;
        done += (size_t)count;
    }
    return 0;
}

int desk_write(const struct desk *desk, const struct secret *text)
{
    int fd DESCRIPTOR_CLEANUP =
        open(desk->file, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_system(errno, "cannot make '%s'", desk->file);
    return write_all(fd, text) < 0 ? error_system(errno, "cannot write '%s'", desk->file) : 0;
}

int desk_read(const struct desk *desk, struct secret *out)
{
    struct stat found;
    int fd DESCRIPTOR_CLEANUP = open(desk->file, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0)
        return error_system(errno, "cannot open the edited text '%s'", desk->file);
    if (fstat(fd, &found) < 0 || !S_ISREG(found.st_mode))
        return error_set(ERR_INVALID, "the edited text '%s' is no file any more", desk->file);
    int error = secret_read(out, fd, FILE_SIZE_MAX);
    return error == -ERR_INVALID
               ? error_set(ERR_INVALID, "the edited text is over %u bytes", FILE_SIZE_MAX)
               : error;
}

/* What a memory file system gives back is zeroed before anybody else has it; what was swapped out
 * is not. */
static void wipe_file(int folder, const char *name)
{
    static const unsigned char zeros[4096];
    struct stat found;
    int fd = openat(folder, name, O_WRONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd >= 0 && fstat(fd, &found) == 0 && S_ISREG(found.st_mode))
        for (off_t at = 0; at < found.st_size; at += (off_t)sizeof zeros)
            if (pwrite(fd, zeros, sizeof zeros, at) < 0)
                break;
    if (fd >= 0)
        close(fd);
    unlinkat(folder, name, 0);
}

/* Takes the descriptor over. */
static void wipe_folder(int fd)
{
    DIR *folder = fd >= 0 ? fdopendir(fd) : NULL;
    const struct dirent *entry;
    struct stat found;
    while (folder != NULL && (entry = readdir(folder)) != NULL) {
        const char *name = entry->d_name;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
            continue;
        if (fstatat(fd, name, &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(found.st_mode)) {
            wipe_folder(openat(fd, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
            unlinkat(fd, name, AT_REMOVEDIR);
        } else {
            wipe_file(fd, name);
        }
    }
    if (folder != NULL)
        closedir(folder);
    else if (fd >= 0)
        close(fd);
}

void desk_close(struct desk *desk)
{
    if (desk->folder[0] == '\0')
        return;
    wipe_folder(open(desk->folder, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC));
    if (desk->is_own)
        umount2(desk->folder, MNT_DETACH);
    rmdir(desk->folder);
    desk->folder[0] = '\0';
}

int desk_keep(char path[static DESK_PATH_MAX], const char *name, const struct secret *text,
              bool is_hidden)
{
    const char *where = memory_folder();
    if (where == NULL && is_hidden)
        return -1;
    if (where == NULL)
        where = temporary_folder();
    int length = snprintf(path, DESK_PATH_MAX, "%s/emsa-edit-XXXXXX-%s", where, name);
    if (length >= DESK_PATH_MAX)
        return -1;
    int fd = mkostemps(path, (int)strlen(name) + 1, O_CLOEXEC); /* of mode 0600 */
    if (fd < 0)
        return -1;
    int failed = write_all(fd, text);
    if (close(fd) < 0 || failed < 0) {
        unlink(path);
        return -1;
    }
    return 0;
}
