/* Other processes, the device, sockets: what a container sees of the host. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "escape.h"

/* All that /proc shows of a process. */
static void process(const char *id)
{
    char path[512];
    static const char *const links[] = {"root", "cwd", "exe", "ns/mnt"};
    static const char *const files[] = {"mountinfo", "maps", "cmdline", "environ", "cgroup", "mem"};
    for (size_t i = 0; i < sizeof(links) / sizeof(*links); i++) {
        snprintf(path, sizeof(path), "/proc/%s/%s", id, links[i]);
        loot_link(path);
        loot_names(AT_FDCWD, path);
        snprintf(path, sizeof(path), "/proc/%s/%s/..", id, links[i]);
        loot_names(AT_FDCWD, path);
    }
    for (size_t i = 0; i < sizeof(files) / sizeof(*files); i++) {
        snprintf(path, sizeof(path), "/proc/%s/%s", id, files[i]);
        loot_file(AT_FDCWD, path);
    }
    for (unsigned fd = 0; fd < 64; fd++) {
        snprintf(path, sizeof(path), "/proc/%s/fd/%u", id, fd);
        loot_link(path);
        snprintf(path, sizeof(path), "/proc/%s/fdinfo/%u", id, fd);
        loot_file(AT_FDCWD, path);
    }
}

static unsigned processes(void)
{
    unsigned count = 0;
    DIR *names = opendir("/proc");
    for (struct dirent *name; names && (name = readdir(names));) {
        if (name->d_name[0] < '0' || name->d_name[0] > '9')
            continue;
        count++;
        process(name->d_name);
    }
    if (names)
        closedir(names);
    return count;
}

/* Processes by numbers that are not in our /proc: those of the host, if it had no wall. */
static void strangers(void)
{
    struct tally kills = {0}, traces = {0}, compared = {0}, opened = {0}, read_from = {0};
    char bytes[64];
    struct iovec here = {bytes, sizeof(bytes)}, there = {(void *)0x400000, sizeof(bytes)};
    for (pid_t pid = 1; pid < (pid_t)(limit < 32768 ? limit : 32768); pid++) {
        char path[64];
        snprintf(path, sizeof(path), "/proc/%d", (int)pid);
        if (access(path, F_OK) == 0)
            continue;
        tally_add(&kills, kill(pid, 0));
        tally_add(&traces, ptrace(PTRACE_SEIZE, pid, NULL, NULL));
        tally_add(&compared, syscall(SYS_kcmp, getpid(), pid, 0, 0, 0));
        tally_add(&opened, syscall(SYS_pidfd_open, pid, 0));
        tally_add(&read_from, process_vm_readv(pid, &here, 1, &there, 1, 0));
    }
    tally_row("kill of processes that are not ours", &kills);
    tally_row("ptrace of them", &traces);
    tally_row("kcmp of them", &compared);
    tally_row("pidfd_open of them (pidfd_getfd)", &opened);
    tally_row("process_vm_readv of them", &read_from);
}

/* The device, where there is one: it is a new connection each time, and no other's is to be had. */
static void device(void)
{
    int fd = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    may_do("open(/dev/fuse)", fd);
    if (fd < 0) {
        may_do("mknod(/tmp/fuse)", mknod("/tmp/fuse", S_IFCHR | 0600, makedev(10, 229)));
        fd = open("/tmp/fuse", O_RDWR | O_CLOEXEC);
        may_do("open(/tmp/fuse)", fd);
    }
    if (fd < 0)
        return;
    struct tally cloned = {0}, backing = {0};
    for (uint32_t other = 0; other < 1024; other++)
        tally_add(&cloned, ioctl(fd, FUSE_DEV_IOC_CLONE, &other));
    tally_row("FUSE_DEV_IOC_CLONE of every descriptor", &cloned);
    int key_fd = open(key, O_RDONLY | O_CLOEXEC);
    uint32_t map[4] = {(uint32_t)key_fd};
    tally_add(&backing, ioctl(fd, _IOW(229, 1, map), map));
    tally_row("FUSE_DEV_IOC_BACKING_OPEN", &backing);
    char request[8192];
    fcntl(fd, F_SETFL, O_NONBLOCK);
    ssize_t n = read(fd, request, sizeof(request));
    may_do("read(/dev/fuse)", n);
    if (n > 0)
        loot(request, (size_t)n);
    static const unsigned char resend[16] = {16, 0, 0, 0, 7};
    may_do("write(/dev/fuse, RESEND)", write(fd, resend, sizeof(resend)));
    close(fd);
    close(key_fd);
}

static long connected(const char *path, size_t length, int type)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    memcpy(address.sun_path, path, length < sizeof(address.sun_path) ? length : 0);
    int fd = socket(AF_UNIX, type | SOCK_CLOEXEC, 0);
    long result =
        connect(fd, (struct sockaddr *)&address, (socklen_t)(sizeof(address.sun_family) + length));
    int error = errno;
    close(fd);
    errno = error;
    return result;
}

/* "PATH": a socket of the host's. */
static void socket_line(void *context, char *line)
{
    struct tally *tally = context;
    char name[256];
    size_t length = strlen(line) < 200 ? strlen(line) : 200;
    tally_add(tally, connected(line, length, SOCK_STREAM));
    memcpy(name + 1, line, length);
    name[0] = 0; /* abstract */
    tally_add(tally, connected(name, length + 1, SOCK_STREAM));
    tally_add(tally, connected(name, length + 1, SOCK_DGRAM));
}

void try_host(void)
{
    row("/proc/*: root, cwd, exe, fd, maps, environ", "%s", processes() ? "our own" : "none");
    in_child(strangers);
    device();
    struct tally sockets = {0};
    each_line("sockets", socket_line, &sockets);
    if (sockets.of[0])
        hole("sockets of the daemon", "%lu could be connected", sockets.of[0]);
    else
        tally_row("sockets of the daemon, by path and abstract", &sockets);
    loot_file(AT_FDCWD, "/proc/net/unix");
    loot_file(AT_FDCWD, "/proc/locks");
    loot_file(AT_FDCWD, "/proc/self/mountinfo");
    loot_names(AT_FDCWD, "/dev/shm");
    loot_names(AT_FDCWD, "/run");
    row("/proc/net/unix, /proc/locks", "read");
}
