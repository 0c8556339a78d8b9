/*
 * Files of identities on disk. A new one is made in place: it is whole or it is gone. A change
 * writes PATH.new beside the old one, makes that durable, and renames it: whenever it is ended,
 * PATH is the old file or the new one. What a change that was ended left as PATH.new is taken away
 * by the next.
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/crypto/private.h"
#include "store/error.h"

#define FILE_MAX 4096u

static int write_out(int fd, const struct secret *text)
{
    for (size_t at = 0; at < text->size;) {
        ssize_t done = write(fd, text->data + at, text->size - at);
        if (done < 0 && errno != EINTR)
            return errno;
        at += done > 0 ? (size_t)done : 0;
    }
    return fsync(fd) ? errno : 0;
}

static int sync_folder_of(const char *path)
{
    char copy[PATH_MAX];
    if (snprintf(copy, sizeof(copy), "%s", path) >= (int)sizeof(copy))
        return ENAMETOOLONG;
    int fd = open(dirname(copy), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno;
    int failed = fsync(fd) ? errno : 0;
    close(fd);
    return failed;
}

/* A new file, durable but for its name. like: whose it is to be, or NULL. */
static int write_new(const char *path, const struct secret *text, const struct stat *like)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return errno;
    int failed = 0;
    if (like && (like->st_uid != geteuid() || like->st_gid != getegid()))
        failed = fchown(fd, like->st_uid, like->st_gid) ? errno : 0;
    if (!failed)
        failed = fchmod(fd, 0600) ? errno : write_out(fd, text); /* whatever the umask was */
    if (close(fd) && !failed)
        failed = errno;
    if (failed)
        unlink(path);
    return failed;
}

int identity_file_create(const struct identity_file *file, const struct identity *identity,
                         const char *path)
{
    SECRET_CLEANUP struct secret text = {0};
    int error = identity_text_write(&text, file, identity);
    if (error)
        return error;
    int failed = write_new(path, &text, NULL);
    if (failed == EEXIST)
        return error_set(ERR_REFUSED, "identity '%s' exists, and is never overwritten", path);
    if (!failed) {
        failed = sync_folder_of(path);
        if (failed)
            unlink(path);
    }
    return failed ? error_system(failed, "cannot write identity '%s'", path) : 0;
}

int identity_write(const struct identity *identity, const char *path)
{
    struct identity_file *file;
    int error = identity_file_new(&file, identity);
    if (error)
        return error;
    error = identity_file_add(file, identity, IDENTITY_PLAIN, NULL, (struct identity_cost){0});
    if (!error)
        error = identity_file_create(file, identity, path);
    identity_file_free(file);
    return error;
}

int identity_text_plain(struct secret *out, const struct identity *identity)
{
    struct identity_file *file;
    int error = identity_file_new(&file, identity);
    if (error)
        return error;
    error = identity_file_add(file, identity, IDENTITY_PLAIN, NULL, (struct identity_cost){0});
    if (!error)
        error = identity_text_write(out, file, identity);
    identity_file_free(file);
    return error;
}

int identity_file_replace(const struct identity_file *file, const struct identity *identity)
{
    SECRET_CLEANUP struct secret text = {0};
    char beside[PATH_MAX];
    struct stat old;
    int error = identity_text_write(&text, file, identity);
    if (error)
        return error;
    if (snprintf(beside, sizeof(beside), "%s.new", file->path) >= (int)sizeof(beside))
        return error_set(ERR_INVALID, "the path of identity '%.64s...' is too long", file->path);
    int failed = fstat(file->lock_fd, &old) ? errno : 0;
    if (!failed && unlink(beside) && errno != ENOENT)
        failed = errno;
    if (!failed)
        failed = write_new(beside, &text, &old);
    if (!failed && rename(beside, file->path)) {
        failed = errno;
        unlink(beside);
    }
    if (failed)
        return error_system(failed, "cannot change identity '%s', which is as it was", file->path);
    failed = sync_folder_of(file->path);
    return failed ? error_system(failed,
                                 "identity '%s' is changed, but perhaps not durably: look at it "
                                 "before this machine is next switched off",
                                 file->path)
                  : 0;
}

int identity_file_read(struct identity_file **out, int fd, const char *path)
{
    SECRET_CLEANUP struct secret text = {0};
    struct identity_file *file;
    /* The descriptor may have been read before: a server that is started anew gets the same one. */
    if (lseek(fd, 0, SEEK_SET) < 0 && errno != ESPIPE)
        return error_system(errno, "cannot read identity '%s'", path);
    int error = secret_read(&text, fd, FILE_MAX);
    if (error == -ERR_INVALID)
        return error_set(ERR_NO_KEY, "'%s' is no identity: it is too large", path);
    if (error == -ERR_IO)
        return error_set(ERR_IO, "cannot read identity '%s'", path);
    if (!error)
        error = identity_file_alloc(&file, path);
    if (error)
        return error;
    error = identity_text_parse(file, &text);
    if (error)
        identity_file_free(file);
    else
        *out = file;
    return error;
}

int identity_read(struct identity **out, int fd, const char *path)
{
    struct identity_file *file;
    int error = identity_file_read(&file, fd, path);
    if (error)
        return error;
    error = identity_file_open(out, file, NULL);
    identity_file_free(file);
    return error;
}

int identity_open(int *out, const char *path)
{
    /* Whoever the folder belongs to could have put a pipe there, and have this wait for ever. */
    int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_system(errno, "cannot open identity '%s'", path);
    struct stat info;
    int error = 0;
    if (fstat(fd, &info))
        error = error_system(errno, "cannot look at identity '%s'", path);
    else if (!S_ISREG(info.st_mode))
        error = error_set(ERR_REFUSED, "identity '%s' is no file", path);
    else if (info.st_mode & 077)
        error = error_set(ERR_REFUSED,
                          "identity '%s' can be read by others: chmod 600 it, and think of who has "
                          "read it",
                          path);
    if (error)
        close(fd);
    else
        *out = fd;
    return error;
}

int identity_load(struct identity **out, const char *path)
{
    int fd;
    int error = identity_open(&fd, path);
    if (error)
        return error;
    error = identity_read(out, fd, path);
    close(fd);
    return error;
}

int identity_file_load(struct identity_file **out, const char *path)
{
    int fd;
    int error = identity_open(&fd, path);
    if (error)
        return error;
    error = identity_file_read(out, fd, path);
    close(fd);
    return error;
}

/* One change at a time; what stands at path now is what was locked, and not what one before it
 * replaced. */
static int lock(int fd, const char *path)
{
    struct stat mine, there;
    const int failed = flock(fd, LOCK_EX | LOCK_NB) ? errno : 0;
    if (failed && failed != EWOULDBLOCK)
        return error_system(failed, "cannot lock identity '%s'", path);
    if (!failed && fstat(fd, &mine) == 0 && stat(path, &there) == 0 &&
        mine.st_dev == there.st_dev && mine.st_ino == there.st_ino)
        return 0;
    return error_set(ERR_BUSY, "identity '%s' is being changed by somebody else: try again", path);
}

int identity_file_edit(struct identity_file **out, const char *path)
{
    char *real = realpath(path, NULL); /* a link stays one: the file behind it is replaced */
    int fd;
    if (!real)
        return error_system(errno, "cannot open identity '%s'", path);
    int error = identity_open(&fd, real);
    if (error) {
        free(real);
        return error;
    }
    error = lock(fd, real);
    if (!error)
        error = identity_file_read(out, fd, real);
    if (error)
        close(fd);
    else
        (*out)->lock_fd = fd;
    free(real);
    return error;
}
