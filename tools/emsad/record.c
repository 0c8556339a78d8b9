#include "tools/emsad/record.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"

#define NAME "mounts"
#define BESIDE NAME ".new"
#define ENTRIES_MAX 65536u

/* The program's own layout: another version's record is none. */
#define MAGIC 0x656d73616d6e7433ull

struct header {
    uint64_t magic;
    uint32_t entry_size;
    uint32_t count;
};

struct entry { /* and so many bytes of a path after it */
    struct view_options options;
    uint8_t is_ours, is_volume;
    uint32_t number; /* of the superblock */
    uint32_t length;
};

/* Where the socket is. It may be another user's, who may have put anything in its place meanwhile.
 */
static int open_folder(int *out, const struct place_of_store *place)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(place->socket, '/');
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - place->socket), place->socket);
    return place_open_folder(out, folder);
}

static int write_entry(FILE *file, const struct view *view)
{
    const struct entry entry = {.options = view->options,
                                .is_ours = view->is_ours,
                                .is_volume = view->is_volume,
                                .number = view->mount.number,
                                .length = (uint32_t)strlen(view->directory)};
    return fwrite(&entry, sizeof entry, 1, file) == 1 &&
                   fwrite(view->directory, 1, entry.length, file) == entry.length
               ? 0
               : -1;
}

static int write_all(FILE *file, const struct views *views, uint32_t count)
{
    const struct header header = {
        .magic = MAGIC, .entry_size = sizeof(struct entry), .count = count};
    if (fwrite(&header, sizeof header, 1, file) != 1)
        return -1;
    for (size_t i = 0; i < views->count; i++)
        if (views->items[i].directory != NULL && write_entry(file, &views->items[i]) < 0)
            return -1;
    return fflush(file);
}

static int replace(int folder, const struct views *views, uint32_t count)
{
    if (unlinkat(folder, BESIDE, 0) < 0 && errno != ENOENT)
        return -1;
    int fd = openat(folder, BESIDE, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    FILE *file = fd < 0 ? NULL : fdopen(fd, "w");
    if (file == NULL) {
        descriptor_close(&fd);
        return -1;
    }
    int failed = write_all(file, views, count);
    failed = fclose(file) != 0 || failed != 0;
    return failed || renameat(folder, BESIDE, folder, NAME) < 0 ? -1 : 0;
}

static int remove_record(int folder)
{
    return unlinkat(folder, NAME, 0) < 0 && errno != ENOENT ? -1 : 0;
}

void record_write(const struct place_of_store *place, const struct views *views)
{
    int folder DESCRIPTOR_CLEANUP = -1;
    uint32_t count = 0;
    for (size_t i = 0; i < views->count; i++)
        count += views->items[i].directory != NULL;
    int error = open_folder(&folder, place);
    if (error == 0 && (count == 0 ? remove_record(folder) : replace(folder, views, count)) < 0)
        error = error_system(errno, "cannot write '" NAME "' beside '%s'", place->socket);
    if (error < 0)
        log_warning("what is mounted is not written down: %s; after a crash, dead mounts are for "
                    "'umount -l' to take away",
                    error_text());
}

static bool is_sound(const struct header *header)
{
    return header->magic == MAGIC && header->entry_size == sizeof(struct entry) &&
           header->count <= ENTRIES_MAX;
}

static int read_entry(struct recorded *out, int fd)
{
    struct entry entry;
    if (read(fd, &entry, sizeof entry) != (ssize_t)sizeof entry || entry.length == 0 ||
        entry.length >= sizeof out->directory)
        return -1;
    *out = (struct recorded){.options = entry.options,
                             .number = entry.number,
                             .is_ours = entry.is_ours != 0,
                             .is_volume = entry.is_volume != 0};
    if (read(fd, out->directory, entry.length) != (ssize_t)entry.length ||
        out->directory[0] != '/' || strlen(out->directory) != entry.length)
        return -1;
    return 0;
}

static int read_all(int fd, uint32_t count, int (*each)(void *arg, const struct recorded *),
                    void *arg)
{
    int error = 0;
    for (uint32_t i = 0; i < count && error == 0; i++) {
        struct recorded entry;
        if (read_entry(&entry, fd) < 0)
            return 0;
        error = each(arg, &entry);
    }
    return error;
}

int record_read(const struct place_of_store *place, int (*each)(void *arg, const struct recorded *),
                void *arg)
{
    struct header header;
    struct stat status;
    int folder DESCRIPTOR_CLEANUP = -1;
    int fd DESCRIPTOR_CLEANUP = -1;
    if (open_folder(&folder, place) == 0)
        fd = openat(folder, NAME, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &status) < 0 || !S_ISREG(status.st_mode) ||
        status.st_uid != geteuid() || read(fd, &header, sizeof header) != sizeof header ||
        !is_sound(&header))
        return 0;
    return read_all(fd, header.count, each, arg);
}
