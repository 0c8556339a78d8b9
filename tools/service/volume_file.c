#include "tools/service/volume_file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/json_text.h"

#define BESIDE VOLUME_FILE ".new"
#define VERSION 1
#define BYTES_MAX (64 * 1024 * 1024)

static int open_folder(int *out, const char *folder)
{
    int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_system(errno, "cannot open folder '%s'", folder);
    *out = fd;
    return 0;
}

static int damaged(const char *folder, const char *why)
{
    return error_set(ERR_CORRUPT,
                     "'%s/" VOLUME_FILE "' is damaged (%s): mend it, or remove it and create the "
                     "volumes again; then start the server again",
                     folder, why);
}

static int parse(json_t **out, FILE *file, const char *folder)
{
    json_error_t where;
    json_t *all = json_loadf(file, JSON_REJECT_DUPLICATES, &where);
    json_t *list = json_object_get(all, "volumes");
    if (all == NULL)
        return damaged(folder, where.text);
    if (json_integer_value(json_object_get(all, "version")) != VERSION || !json_is_array(list)) {
        json_decref(all);
        return damaged(folder, "it is not of version 1, or has no list");
    }
    *out = json_incref(list);
    json_decref(all);
    return 0;
}

int volume_file_read(json_t **out, const char *folder)
{
    struct stat status;
    int place DESCRIPTOR_CLEANUP = -1;
    int error = open_folder(&place, folder);
    if (error < 0)
        return error;
    int fd = openat(place, VOLUME_FILE, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT) {
        *out = json_array();
        return *out == NULL ? error_set(ERR_NOMEM, "no memory for the volumes") : 0;
    }
    if (fd < 0)
        return error_system(errno, "cannot read '%s/" VOLUME_FILE "'", folder);
    if (fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) || status.st_size > BYTES_MAX) {
        descriptor_close(&fd);
        return damaged(folder, "it is no file, or too large");
    }
    FILE *file = fdopen(fd, "re");
    if (file == NULL) {
        descriptor_close(&fd);
        return error_set(ERR_NOMEM, "no memory for the volumes");
    }
    error = parse(out, file, folder);
    (void)fclose(file);
    return error;
}

static int write_all(int fd, const char *text, size_t size)
{
    while (size > 0) {
        ssize_t written = write(fd, text, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return -1;
        text += written;
        size -= (size_t)written;
    }
    return fsync(fd);
}

static int replace(int place, const char *text)
{
    if (unlinkat(place, BESIDE, 0) < 0 && errno != ENOENT)
        return -1;
    int fd DESCRIPTOR_CLEANUP =
        openat(place, BESIDE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    if (fd < 0)
        return -1;
    if (write_all(fd, text, strlen(text)) == 0 && renameat(place, BESIDE, place, VOLUME_FILE) == 0)
        return fsync(place);
    int failure = errno;
    (void)unlinkat(place, BESIDE, 0); /* room for others, where there is none */
    errno = failure;
    return -1;
}

int volume_file_write(const char *folder, json_t *list)
{
    int place DESCRIPTOR_CLEANUP = -1;
    int error = open_folder(&place, folder);
    if (error < 0)
        return error;
    json_t *all = json_pack("{s:i, s:O}", "version", VERSION, "volumes", list);
    char *text;
    error = json_text(&text, all, JSON_INDENT(2) | JSON_SORT_KEYS, "\n");
    json_decref(all);
    if (error < 0)
        return error;
    if (replace(place, text) < 0)
        error = error_system(errno, "cannot write '%s/" VOLUME_FILE "'", folder);
    free(text);
    return error;
}
