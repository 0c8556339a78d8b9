/*
 * All that a view shows, in every way that it can be asked, as lines that can be compared: what
 * moves when somebody else's values do tells of them.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "escape.h"

static FILE *out;
static int held = -1; /* the key, opened the first time */

static void hex(const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++)
        fprintf(out, "%02x", bytes[i]);
    fputc('\n', out);
}

static void attributes(const char *path)
{
    char names[4096], value[65536];
    ssize_t size = llistxattr(path, names, sizeof(names));
    fprintf(out, "%s attributes %zd\n", path, size);
    for (ssize_t i = 0; i < size; i += (ssize_t)strlen(names + i) + 1) {
        ssize_t n = lgetxattr(path, names + i, value, sizeof(value));
        fprintf(out, "%s %s %zd ", path, names + i, n);
        loot_text(names + i);
        if (n > 0)
            loot(value, (size_t)n);
        hex((unsigned char *)value, n > 0 ? (size_t)n : 0);
    }
    static const char *const asked[] = {
        "user.emsa.author", "user.emsa.signer", "user.emsa.reason", "user.emsa.rev",
        "user.emsa.origin", "user.emsa.time",   "user.emsa.kind",   "user.emsa.shared",
        "user.emsa",        "trusted.emsa",     "security.selinux", "system.posix_acl_access"};
    for (size_t i = 0; i < sizeof(asked) / sizeof(*asked); i++) {
        ssize_t n = lgetxattr(path, asked[i], value, sizeof(value));
        fprintf(out, "%s %s: %s\n", path, asked[i], n < 0 ? error_name(errno) : "there");
        if (n > 0)
            loot(value, (size_t)n);
    }
}

static void status(const char *path)
{
    struct statx all = {0};
    struct statfs system = {0};
    statx(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW | AT_STATX_FORCE_SYNC, 0x7fffffffu, &all);
    fprintf(out, "%s statx ", path);
    hex((unsigned char *)&all, sizeof(all));
    statfs(path, &system);
    fprintf(out, "%s statfs ", path);
    hex((unsigned char *)&system, sizeof(system));
}

static void content(const char *path)
{
    char bytes[65536];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    fprintf(out, "%s content ", path);
    for (ssize_t n; fd >= 0 && (n = read(fd, bytes, sizeof(bytes))) > 0;) {
        loot(bytes, (size_t)n);
        hex((unsigned char *)bytes, (size_t)n);
    }
    if (fd >= 0)
        close(fd);
}

static void entry(const char *path, unsigned depth);

/* As the kernel gives it: numbers, offsets and order too. */
static void directory(const char *path, unsigned depth)
{
    char records[65536] = {0}, below[4096]; /* the kernel leaves gaps between names as they are */
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    for (long n; fd >= 0 && (n = syscall(SYS_getdents64, fd, records, sizeof(records))) > 0;) {
        fprintf(out, "%s entries ", path);
        hex((unsigned char *)records, (size_t)n);
        for (long i = 0; i < n;) {
            const struct dirent64 *record = (const struct dirent64 *)(records + i);
            i += record->d_reclen;
            loot_text(record->d_name);
            if (strcmp(record->d_name, ".") == 0 || strcmp(record->d_name, "..") == 0)
                continue;
            snprintf(below, sizeof(below), "%s/%s", path, record->d_name);
            entry(below, depth);
        }
    }
    if (fd >= 0)
        close(fd);
}

static void entry(const char *path, unsigned depth)
{
    struct stat kind;
    char below[4096];
    if (lstat(path, &kind) < 0) {
        fprintf(out, "%s: %s\n", path, error_name(errno));
        return;
    }
    status(path);
    attributes(path);
    if (S_ISREG(kind.st_mode))
        content(path);
    if (S_ISLNK(kind.st_mode))
        fprintf(out, "%s leads to %d\n", path, loot_link(path));
    if (!S_ISDIR(kind.st_mode) || depth == 0)
        return;
    directory(path, depth - 1);
    if (strstr(path, ".emsa"))
        return;
    snprintf(below, sizeof(below), "%s/.emsa", path);
    entry(below, 2);
}

/* Which revisions there are to be seen. In a view without history those of the last minute are:
 * they are kept for who looks for others' names, and not compared, since they go with time. */
static void past(bool compared)
{
    FILE *kept = out;
    if (!compared)
        out = fopen("/dev/null", "we");
    char path[512];
    for (unsigned rev = 0; rev < limit / 20; rev++) {
        struct stat kind;
        snprintf(path, sizeof(path), "%s/.emsa/at/%u", service, rev);
        if (lstat(path, &kind) == 0)
            entry(path, 1);
    }
    if (!compared) {
        fclose(out);
        out = kept;
    }
}

/* The line of the mount, as one who is in it sees it. */
static void mounts(void)
{
    char line[4096];
    FILE *table = fopen("/proc/self/mountinfo", "re");
    while (table && fgets(line, sizeof(line), table)) {
        if (!strstr(line, " - fuse"))
            continue;
        loot_text(line);
        fputs(line, out);
    }
    if (table)
        fclose(table);
}

static void sleeper(void)
{
    struct pollfd polled = {.fd = held, .events = POLLIN | POLLPRI};
    poll(&polled, 1, 0);
    fprintf(out, "poll %x at %ld\n", (unsigned)polled.revents, (long)lseek(held, 0, SEEK_CUR));
}

void look(const char *name)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", talk, name);
    out = fopen(path, "we");
    if (!out) {
        hole(name, "cannot be written");
        return;
    }
    if (held < 0) {
        held = open(key, O_RDONLY | O_CLOEXEC);
        char byte;
        may_do("a descriptor that is kept", read(held, &byte, 1));
    }
    entry(view, 4);
    past(strstr(name, "history") != NULL);
    mounts();
    sleeper();
    fclose(out);
}
