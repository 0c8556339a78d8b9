/*
 * The measuring program: one reader, warm, a nanosecond clock around each single operation. Prints
 * one JSON object: how often, and p50, p99, least and mean in nanoseconds. It decides nothing.
 *
 *   measure orc FILE N             open, read, close
 *   measure cat FILE N             open, fstat, read with a 1 MiB buffer to the end, close
 *   measure stat FILE N            stat
 *   measure pread FILE N           pread at 0 on a descriptor opened before
 *   measure ls DIR N               readdir and fstatat of all that is there
 *   measure spread FILE-OF-PATHS N open, read, close of paths taken in turn from a list
 *   measure sync FILE N            what a durable commit does to the disk, bare
 *   measure calls SOCKET N         varlink calls, the lines of standard input in turn
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define BUFFER_SIZE (1024u * 1024u)
#define LINES_MAX 200000u
#define SMALL 4096u

struct bench {
    const char *path;
    int fd;               /* of the held descriptor, directory or socket; -1 where there is none */
    int through;          /* of the same file, O_DSYNC */
    unsigned char *bytes; /* BUFFER_SIZE, touched */
    char **lines;         /* of standard input or the list, each ended by NUL; owned */
    size_t line_count;
    size_t turn;
    size_t last; /* bytes of the last read, so that an empty read is noticed */
};

static void die(const char *what, const char *subject)
{
    fprintf(stderr, "measure: %s '%s': %s\n", what, subject, strerror(errno));
    exit(1);
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void open_read_close(struct bench *b, const char *path, size_t size)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die("cannot open", path);
    ssize_t got = read(fd, b->bytes, size);
    if (got < 0)
        die("cannot read", path);
    b->last = (size_t)got;
    close(fd);
}

static void orc(struct bench *b)
{
    open_read_close(b, b->path, SMALL);
}

static void spread(struct bench *b)
{
    open_read_close(b, b->lines[b->turn++ % b->line_count], SMALL);
}

static void cat(struct bench *b)
{
    int fd = open(b->path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die("cannot open", b->path);
    struct stat info;
    if (fstat(fd, &info))
        die("cannot stat", b->path);
    ssize_t got;
    b->last = 0;
    while ((got = read(fd, b->bytes, BUFFER_SIZE)) > 0)
        b->last += (size_t)got;
    if (got < 0)
        die("cannot read", b->path);
    close(fd);
}

static void stat_once(struct bench *b)
{
    struct stat info;
    if (stat(b->path, &info))
        die("cannot stat", b->path);
    b->last = (size_t)info.st_size;
}

static void pread_once(struct bench *b)
{
    ssize_t got = pread(b->fd, b->bytes, SMALL, 0);
    if (got < 0)
        die("cannot read", b->path);
    b->last = (size_t)got;
}

static void ls(struct bench *b)
{
    DIR *dir = opendir(b->path);
    if (!dir)
        die("cannot open", b->path);
    b->last = 0;
    for (struct dirent *e; (e = readdir(dir));) {
        struct stat info;
        if (e->d_name[0] == '.')
            continue;
        if (fstatat(dirfd(dir), e->d_name, &info, AT_SYMLINK_NOFOLLOW))
            die("cannot stat", e->d_name);
        b->last++;
    }
    closedir(dir);
}

/* As strace shows a commit of one key on the store that is measured: fifteen pages in nine runs
 * (the mean), not where those of the one before are, fdatasync, then a meta page's 120 bytes
 * through a descriptor that writes through. */
static void sync_twice(struct bench *b)
{
    static const struct {
        off_t page;
        size_t pages;
    } runs[] = {{2, 1}, {19, 2}, {24, 2}, {28, 4}, {44, 1}, {47, 1}, {60, 1}, {80, 2}, {87, 1}};
    off_t half = (b->turn++ % 2) * 96;
    for (size_t i = 0; i < sizeof runs / sizeof *runs; i++) {
        if (pwrite(b->fd, b->bytes, runs[i].pages * SMALL, (half + runs[i].page) * (off_t)SMALL) <
            0)
            die("cannot write", b->path);
    }
    if (fdatasync(b->fd) || pwrite(b->through, b->bytes, 120, half ? SMALL : 0) < 0)
        die("cannot write", b->path);
    b->last = SMALL;
}

static void call(struct bench *b)
{
    const char *text = b->lines[b->turn++ % b->line_count];
    size_t size = strlen(text) + 1;
    if (send(b->fd, text, size, MSG_NOSIGNAL) != (ssize_t)size)
        die("cannot send to", b->path);
    size_t have = 0;
    do {
        ssize_t got = recv(b->fd, b->bytes + have, BUFFER_SIZE - have, 0);
        if (got <= 0)
            die("no answer from", b->path);
        have += (size_t)got;
    } while (b->bytes[have - 1] != 0);
    if (strstr((const char *)b->bytes, "\"error\"")) {
        fprintf(stderr, "measure: refused: %s\n", (const char *)b->bytes);
        exit(1);
    }
    b->last = have;
}

static void read_lines(struct bench *b, FILE *from)
{
    b->lines = calloc(LINES_MAX, sizeof *b->lines);
    if (!b->lines)
        die("no memory for", "lines");
    size_t room = 0;
    char *line = NULL;
    for (ssize_t got; b->line_count < LINES_MAX && (got = getline(&line, &room, from)) > 0;) {
        line[strcspn(line, "\n")] = 0;
        b->lines[b->line_count++] = line;
        line = NULL;
        room = 0;
    }
    free(line);
    if (!b->line_count) {
        errno = ENODATA;
        die("no lines in", "the list");
    }
}

static void connect_to(struct bench *b)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(b->path) >= sizeof address.sun_path) {
        errno = ENAMETOOLONG;
        die("cannot connect to", b->path);
    }
    memcpy(address.sun_path, b->path, strlen(b->path));
    b->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (b->fd < 0 || connect(b->fd, (struct sockaddr *)&address, sizeof address))
        die("cannot connect to", b->path);
    read_lines(b, stdin);
}

static void open_held(struct bench *b)
{
    b->fd = open(b->path, O_RDONLY | O_CLOEXEC);
    if (b->fd < 0)
        die("cannot open", b->path);
}

static void open_written(struct bench *b)
{
    b->fd = open(b->path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    b->through = open(b->path, O_WRONLY | O_DSYNC | O_CLOEXEC);
    if (b->fd < 0 || b->through < 0 || posix_fallocate(b->fd, 0, BUFFER_SIZE))
        die("cannot make", b->path);
}

static void open_list(struct bench *b)
{
    FILE *list = fopen(b->path, "re");
    if (!list)
        die("cannot open", b->path);
    read_lines(b, list);
    fclose(list);
}

static const struct operation {
    const char *name;
    void (*prepare)(struct bench *);
    void (*once)(struct bench *);
} operations[] = {
    {"orc", NULL, orc},
    {"cat", NULL, cat},
    {"stat", NULL, stat_once},
    {"pread", open_held, pread_once},
    {"ls", NULL, ls},
    {"spread", open_list, spread},
    {"sync", open_written, sync_twice},
    {"calls", connect_to, call},
};

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void measure(const struct operation *op, struct bench *b, size_t n)
{
    uint64_t *took = calloc(n, sizeof *took), sum = 0;
    if (!took)
        die("no memory for", op->name);
    memset(took, 1, n * sizeof *took);
    for (size_t i = 0; i < n / 10; i++)
        op->once(b);
    for (size_t i = 0; i < n; i++) {
        uint64_t start = now();
        op->once(b);
        took[i] = now() - start;
        sum += took[i];
    }
    qsort(took, n, sizeof *took, by_size);
    printf("{\"op\":\"%s\",\"n\":%zu,\"p50\":%llu,\"p99\":%llu,\"min\":%llu,\"mean\":%llu,\"last\":"
           "%zu}\n",
           op->name, n, (unsigned long long)took[n / 2], (unsigned long long)took[n * 99 / 100],
           (unsigned long long)took[0], (unsigned long long)(sum / n), b->last);
    free(took);
}

static void release(struct bench *b)
{
    for (size_t i = 0; i < b->line_count; i++)
        free(b->lines[i]);
    free(b->lines);
    free(b->bytes);
}

int main(int argc, char **argv)
{
    struct bench b = {.fd = -1, .bytes = malloc(BUFFER_SIZE)};
    size_t n = argc == 4 ? strtoul(argv[3], NULL, 10) : 0;
    if (!b.bytes || n == 0 || n > 10000000) {
        fprintf(stderr, "usage: measure orc|cat|stat|pread|ls|spread|sync|calls PATH N\n");
        return 2;
    }
    memset(b.bytes, 1, BUFFER_SIZE);
    b.path = argv[2];
    for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
        if (strcmp(operations[i].name, argv[1]) != 0)
            continue;
        if (operations[i].prepare)
            operations[i].prepare(&b);
        measure(&operations[i], &b, n);
        release(&b);
        return 0;
    }
    fprintf(stderr, "measure: unknown operation '%s'\n", argv[1]);
    return 2;
}
