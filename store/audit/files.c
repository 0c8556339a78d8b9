#include "store/audit/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"

#define NAME_MARK "record."
#define KEY_MARK "emsa-audit-key-1 "
#define KEY_TEXT (sizeof(KEY_MARK) - 1 + 20 + 1 + 2 * EVOLVING_SIZE + 1 + HEX_HASH + 1)

int files_folder(int *out, const char *store, bool is_made)
{
    int parent = open(store, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (parent < 0)
        return error_system(errno, "cannot open '%s'", store);
    if (is_made)
        (void)mkdirat(parent, AUDIT_FOLDER, 0700); /* whether it is there, is seen next */
    int fd = openat(parent, AUDIT_FOLDER, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int error =
        fd < 0 ? error_system(errno, "cannot open the audit record '%s/" AUDIT_FOLDER "'", store)
               : 0;
    close(parent);
    if (error == 0)
        *out = fd;
    return error;
}

/* More is nobody's (16 TB of lines), and each below it would be looked for. */
#define NUMBER_MAX 999999u

static uint64_t number_of(const char *name)
{
    size_t mark = strlen(NAME_MARK);
    char *end;
    if (strncmp(name, NAME_MARK, mark) != 0 || name[mark] < '0' || name[mark] > '9')
        return 0;
    uint64_t number = strtoull(name + mark, &end, 10);
    return *end == '\0' && number <= NUMBER_MAX ? number : 0;
}

int files_range(uint64_t *first, uint64_t *last, int folder)
{
    int copy = openat(folder, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = copy < 0 ? NULL : fdopendir(copy);
    if (names == NULL) {
        int error = error_system(errno, "cannot look into the audit record");
        if (copy >= 0)
            close(copy);
        return error;
    }
    *first = *last = 0;
    for (const struct dirent *entry; (entry = readdir(names)) != NULL;) {
        uint64_t number = number_of(entry->d_name);
        if (number != 0 && (*first == 0 || number < *first))
            *first = number;
        if (number > *last)
            *last = number;
    }
    closedir(names);
    return 0;
}

int files_open(int *out, int folder, uint64_t number, int flags)
{
    char name[40];
    (void)snprintf(name, sizeof(name), NAME_MARK "%06" PRIu64, number);
    struct stat info;
    int fd = openat(folder, name, flags | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_system(errno, "cannot open '%s' of the audit record", name);
    if (fstat(fd, &info) < 0 || !S_ISREG(info.st_mode)) { /* a pipe would be waited for */
        close(fd);
        return error_set(ERR_REFUSED, "'%s' of the audit record is no file", name);
    }
    *out = fd;
    return 0;
}

/* What begins in a buffer of size bytes: whole lines; *used is how much that was. */
static int lines_of(const char *buffer, size_t size, size_t *used,
                    int (*each)(void *arg, const char *line, size_t size), void *arg)
{
    int outcome = 0;
    *used = 0;
    while (outcome == 0) {
        const char *end = memchr(buffer + *used, '\n', size - *used);
        if (end == NULL)
            break;
        size_t length = (size_t)(end - buffer) - *used;
        outcome = each(arg, buffer + *used, length);
        *used += length + 1;
    }
    return outcome;
}

int files_lines(int fd, uint64_t *good, int (*each)(void *arg, const char *line, size_t size),
                void *arg)
{
    static const size_t room = (size_t)16 * AUDIT_LINE_MAX;
    char *buffer = malloc(room);
    size_t size = 0, used;
    uint64_t at = 0;
    int outcome = buffer == NULL ? error_set(ERR_NOMEM, "no memory for the audit record") : 0;
    *good = 0;
    while (outcome == 0) {
        ssize_t got = pread(fd, buffer + size, room - size, (off_t)at);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            outcome = error_system(errno, "cannot read the audit record");
        if (got <= 0)
            break;
        at += (uint64_t)got;
        size += (size_t)got;
        outcome = lines_of(buffer, size, &used, each, arg);
        if (used == 0 && size == room) { /* a line longer than any: told as it is, in pieces */
            outcome = each(arg, buffer, size);
            used = size;
        }
        *good = at - (size - used);
        memmove(buffer, buffer + used, size - used);
        size -= used;
    }
    free(buffer);
    return outcome;
}

int present_read(struct present *out, int fd)
{
    char text[KEY_TEXT + 1];
    ssize_t size = pread(fd, text, sizeof(text), 0);
    if (size < 0)
        return error_system(errno, "cannot read the key of the audit record");
    const char *number = text + strlen(KEY_MARK), *key = number + 21;
    const char *chain = key + 2 * EVOLVING_SIZE + 1;
    bool is_good = size == (ssize_t)KEY_TEXT && memcmp(text, KEY_MARK, strlen(KEY_MARK)) == 0 &&
                   hex_read(out->key.key, EVOLVING_SIZE, key) &&
                   hex_read(out->chain, BLAKE_SIZE, chain);
    if (is_good)
        out->number = strtoull(number, NULL, 10);
    explicit_bzero(text, sizeof(text));
    return is_good && out->number > 0 ? 0 : 1;
}

int present_write(int fd, const struct present *present)
{
    char text[KEY_TEXT + 1], key[2 * EVOLVING_SIZE + 1], chain[HEX_HASH + 1];
    hex_write(key, present->key.key, EVOLVING_SIZE);
    hex_write(chain, present->chain, BLAKE_SIZE);
    (void)snprintf(text, sizeof(text), KEY_MARK "%020" PRIu64 " %s %s\n", present->number, key,
                   chain);
    ssize_t size = pwrite(fd, text, KEY_TEXT, 0);
    int error = size == (ssize_t)KEY_TEXT
                    ? 0
                    : error_system(size < 0 ? errno : ENOSPC, "cannot keep the audit key");
    explicit_bzero(text, sizeof(text));
    explicit_bzero(key, sizeof(key));
    return error;
}

void present_wipe(struct present *present)
{
    evolving_wipe(&present->key);
}
