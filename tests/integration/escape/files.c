/* What a file and a directory let be done to them. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/fsverity.h>
#include <linux/fuse.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "escape.h"

static char new_name[600];

/* One of the ways to write: what succeeds is a hole. */
static void must(struct tally *tally, const char *how, const char *what, long result)
{
    if (result >= 0)
        hole(how, "%s succeeded", what);
    tally_add(tally, result);
}

void try_writable(const char *how)
{
    struct tally tally = {0};
    struct timespec times[2] = {{.tv_nsec = UTIME_NOW}, {.tv_nsec = UTIME_NOW}};
    char attempt[200];
    snprintf(new_name, sizeof(new_name), "%s/NEW", service);
#define MUST(what, call) must(&tally, how, what, call)
    MUST("open(O_WRONLY)", open(key, O_WRONLY | O_CLOEXEC));
    MUST("open(O_RDWR)", open(key, O_RDWR | O_CLOEXEC));
    MUST("open(O_TRUNC)", open(key, O_RDONLY | O_TRUNC | O_CLOEXEC));
    MUST("open(O_CREAT)", open(new_name, O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    MUST("open(O_TMPFILE)", open(service, O_WRONLY | O_TMPFILE | O_CLOEXEC, 0600));
    MUST("truncate", truncate(key, 0));
    MUST("unlink", unlink(key));
    MUST("rename", rename(key, new_name));
    MUST("link", link(key, new_name));
    MUST("symlink", symlink("/", new_name));
    MUST("mkdir", mkdir(new_name, 0700));
    MUST("mknod", mknod(new_name, S_IFREG | 0600, 0));
    MUST("mknod of a device", mknod(new_name, S_IFBLK | 0600, 1));
    MUST("rmdir", rmdir(service));
    MUST("chmod", chmod(key, 0777));
    MUST("chmod of the directory", chmod(service, 0777));
    MUST("chown", chown(key, 1, 1));
    MUST("utimensat", utimensat(AT_FDCWD, key, times, 0));
    MUST("setxattr", setxattr(key, "user.emsa.rev", "1", 1, 0));
    MUST("setxattr of its own", setxattr(key, "user.x", "1", 1, 0));
    MUST("setxattr(security.capability)", setxattr(key, "security.capability", "1", 1, 0));
    MUST("removexattr", removexattr(key, "user.emsa.rev"));
#undef MUST
    snprintf(attempt, sizeof(attempt), "%s: 22 ways to write", how);
    tally_row(attempt, &tally);
}

void try_writes(void)
{
    try_writable("as it is mounted");
    int fd = open(key, O_RDONLY | O_CLOEXEC),
        own = open("/tmp/own", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    int pipes[2];
    loff_t zero = 0;
    if (pipe(pipes) < 0 || write(pipes[1], "x", 1) < 0 || write(own, "x", 1) < 0)
        hole("a pipe", "could not be made");
    must_fail("write", write(fd, "x", 1));
    must_fail("ftruncate", ftruncate(fd, 0));
    must_fail("fallocate", fallocate(fd, 0, 0, 4096));
    must_fail("copy_file_range to it", copy_file_range(own, &zero, fd, NULL, 1, 0));
    must_fail("splice to it", splice(pipes[0], NULL, fd, NULL, 1, 0));
    must_fail("sendfile to it", sendfile(fd, own, NULL, 1));
    must_fail("FICLONE", ioctl(fd, FICLONE, own));
    void *mapped = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    must_fail("mmap(PROT_WRITE, MAP_SHARED)", mapped == MAP_FAILED ? -1 : 0);
    mapped = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
    if (mapped != MAP_FAILED)
        must_fail("mprotect(PROT_WRITE) of a mapping", mprotect(mapped, 4096, PROT_WRITE));
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    must_fail("/proc/self/fd/N for writing", open(path, O_RDWR | O_CLOEXEC));
    close(fd);
}

static void controls(int fd, const char *attempt)
{
    struct tally tally = {0};
    static const unsigned long known[] = {
        FS_IOC_GETFLAGS,
        FS_IOC_SETFLAGS,
        FS_IOC_GETVERSION,
        FS_IOC_FSGETXATTR,
        FS_IOC_FSSETXATTR,
        FS_IOC_GETFSLABEL,
        FS_IOC_FIEMAP,
        FIBMAP,
        FIFREEZE,
        FITHAW,
        FITRIM,
        FIDEDUPERANGE,
        FS_IOC_ENABLE_VERITY,
        FS_IOC_MEASURE_VERITY,
        FS_IOC_GET_ENCRYPTION_POLICY,
        FS_IOC_ADD_ENCRYPTION_KEY,
        FUSE_DEV_IOC_CLONE,
        _IOW(229, 1, char[16]) /* BACKING_OPEN */,
        _IOW(229, 2, uint32_t) /* BACKING_CLOSE */,
        _IO(0x94, 3) /* btrfs */,
        _IOR(0x15, 0, char[17]) /* FS_IOC_GETFSUUID */,
        _IOR(0x15, 1, char[129]) /* FS_IOC_GETFSSYSFSPATH */,
        FS_IOC_SETFSLABEL,
        FIOASYNC,
    };
    char buffer[4096];
    for (size_t i = 0; i < sizeof(known) / sizeof(*known); i++) {
        memset(buffer, 0, sizeof(buffer));
        tally_add(&tally, ioctl(fd, known[i], buffer));
        loot(buffer, sizeof(buffer));
    }
    for (unsigned long any = 0; any < 256; any++) {
        memset(buffer, 0, sizeof(buffer));
        tally_add(&tally, ioctl(fd, _IOWR('E', any, buffer), buffer));
        loot(buffer, sizeof(buffer));
    }
    tally_row(attempt, &tally);
    int block = 0;
    may_do("FIGETBSZ", ioctl(fd, FIGETBSZ, &block));
}

static void locks(int fd)
{
    struct flock all = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
    may_do("flock(LOCK_EX)", flock(fd, LOCK_EX | LOCK_NB));
    may_do("fcntl(F_SETLK)", fcntl(fd, F_SETLK, &all));
    all.l_pid = 0;
    may_do("fcntl(F_OFD_SETLK)", fcntl(fd, F_OFD_SETLK, &all));
    may_do("fcntl(F_SETLEASE)", fcntl(fd, F_SETLEASE, F_RDLCK));
    may_do("fcntl(F_NOTIFY)", fcntl(fd, F_NOTIFY, DN_MODIFY));
}

/* Reads from where nothing is, into what is not there, past the end, by every way. */
static void reads(int fd)
{
    char bytes[65536],
        *nowhere = mmap(NULL, sizeof(bytes), PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    struct tally tally = {0};
    static const int64_t offsets[] = {
        0, 1, 4095, 4096, 65535, 65536, 1 << 20, 1ll << 40, INT64_MAX - 65536};
    for (size_t i = 0; i < sizeof(offsets) / sizeof(*offsets); i++) {
        memset(bytes, 0, sizeof(bytes));
        ssize_t n = pread(fd, bytes, sizeof(bytes), offsets[i]);
        tally_add(&tally, n < 0 ? -1 : 0);
        loot(bytes, sizeof(bytes));
        tally_add(&tally, pread(fd, nowhere, sizeof(bytes), offsets[i]) < 0 ? -1 : 0);
    }
    tally_row("pread at 9 offsets, and to nowhere", &tally);
    unsigned char *mapped = mmap(NULL, 1 << 20, PROT_READ, MAP_PRIVATE, fd, 0);
    may_do("mmap of more than there is", mapped == MAP_FAILED ? -1 : 0);
    if (mapped != MAP_FAILED)
        loot(mapped, 4096); /* behind the end of the value in its page */
    int own = open("/tmp/copied", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    may_do("sendfile", sendfile(own, fd, &(off_t){0}, 1 << 20));
    may_do("copy_file_range", copy_file_range(fd, &(off_t){0}, own, NULL, 1 << 20, 0));
    loot_file(AT_FDCWD, "/tmp/copied");
    may_do("lseek(SEEK_DATA)", lseek(fd, 0, SEEK_DATA));
    may_do("lseek(SEEK_HOLE)", lseek(fd, 0, SEEK_HOLE));
    may_do("readahead", readahead(fd, 0, 1 << 20));
    close(own);
}

static void waits(int fd, int directory)
{
    may_do("fsync", fsync(fd));
    may_do("fsync of the directory", fsync(directory));
    may_do("syncfs", syncfs(fd));
    sync();
    char quota[4096];
    long result = syscall(SYS_quotactl_fd, fd, 0x80000700 /* Q_GETQUOTA */, 0, quota);
    may_do("quotactl_fd(Q_GETQUOTA)", result);
    result = syscall(SYS_quotactl_fd, fd, 0x80000100 /* Q_SYNC */, 0, quota);
    may_do("quotactl_fd(Q_SYNC)", result);
}

void try_files(void)
{
    int fd = open(key, O_RDONLY | O_CLOEXEC);
    int directory = open(service, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    controls(fd, "280 ioctls of a file");
    controls(directory, "280 ioctls of a directory");
    locks(fd);
    reads(fd);
    waits(fd, directory);
    may_do("execve", execl(key, key, (char *)NULL));
    close(fd);
    close(directory);
}
