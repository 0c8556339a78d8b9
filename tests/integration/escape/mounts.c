/* Mounts: to write through, to look at others', to see out. All in a mount namespace of its own. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "escape.h"

#ifndef SYS_statmount
#define SYS_statmount 457
#define SYS_listmount 458
#endif

struct mount_request { /* struct mnt_id_req */
    uint32_t size, spare;
    uint64_t mount, parameter, namespace;
};

/* The mount itself, writable. What the server says then is the question. */
static void writable(void)
{
    may_do("mount -o remount,rw,bind", mount(NULL, view, NULL, MS_REMOUNT | MS_BIND, NULL));
    try_writable("remounted rw");
    may_do("mount -o remount,rw", mount(NULL, view, NULL, MS_REMOUNT, NULL));
    try_writable("its superblock remounted rw");
    struct mount_attr attributes = {.attr_clr = MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOEXEC |
                                                MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV};
    may_do("mount_setattr(no flags)", syscall(SYS_mount_setattr, AT_FDCWD, view, AT_RECURSIVE,
                                              &attributes, sizeof(attributes)));
    try_writable("mount_setattr");
    may_do("mount -o bind,rw elsewhere", mount(service, "/tmp", NULL, MS_BIND, NULL));
    loot_names(AT_FDCWD, "/tmp");
    loot_names(AT_FDCWD, "/tmp/..");
    umount2("/tmp", MNT_DETACH);
}

static void option(int context, const char *name, const char *value)
{
    char attempt[128];
    snprintf(attempt, sizeof(attempt), "fspick, %s=%s", name, value);
    long result = syscall(SYS_fsconfig, context, FSCONFIG_SET_STRING, name, value, 0);
    may_do(attempt, result);
    char said[512];
    ssize_t n = read(context, said, sizeof(said));
    if (n > 0)
        loot(said, (size_t)n);
}

static void reconfigured(void)
{
    int context = (int)syscall(SYS_fspick, AT_FDCWD, view, 0);
    may_do("fspick", context);
    if (context < 0)
        return;
    option(context, "user_id", "1");
    option(context, "max_read", "1");
    option(context, "source", "other");
    option(context, "subtype", "other");
    option(context, "fd", "0");
    may_do("fspick, reconfigure",
           syscall(SYS_fsconfig, context, FSCONFIG_CMD_RECONFIGURE, NULL, NULL, 0));
    close(context);
}

/* Another mount of the same superblock, or of somebody's. */
static void mounted_anew(void)
{
    static const char *const options[] = {
        "fd=0,rootmode=40000,user_id=0,group_id=0", "fd=3,rootmode=40000,user_id=0,group_id=0",
        "fd=4,rootmode=40000,user_id=0,group_id=0,allow_other", ""};
    struct tally tally = {0};
    for (size_t i = 0; i < sizeof(options) / sizeof(*options); i++) {
        tally_add(&tally, mount("emsa", "/tmp", "fuse.emsa", 0, options[i]));
        tally_add(&tally, mount("emsa", "/tmp", "fuse", 0, options[i]));
    }
    tally_row("mount -t fuse.emsa emsa", &tally);
    char lower[600];
    snprintf(lower, sizeof(lower), "lowerdir=%s:/etc", service);
    long result = mount("overlay", "/tmp", "overlay", 0, lower);
    may_do("an overlay over the view", result);
    if (result == 0) {
        loot_names(AT_FDCWD, "/tmp");
        loot_names(AT_FDCWD, "/tmp/..");
        umount2("/tmp", MNT_DETACH);
    }
}

/* What tables say. */
static void tables(void)
{
    loot_file(AT_FDCWD, "/proc/self/mountinfo");
    loot_file(AT_FDCWD, "/proc/self/mountstats");
    loot_file(AT_FDCWD, "/proc/self/mounts");
    loot_file(AT_FDCWD, "/proc/1/mountinfo");
    row("/proc/*/mountinfo, mounts, mountstats", "read");
    uint64_t list[512];
    struct mount_request request = {.size = sizeof(request) - 8, .mount = UINT64_MAX};
    long count = syscall(SYS_listmount, &request, list, 512, 0);
    if (count < 0) {
        row("listmount, statmount", "%s", error_name(errno));
        return;
    }
    struct tally tally = {0};
    for (long i = 0; i < count; i++) {
        char text[8192] = {0};
        struct mount_request one = {.size = sizeof(one) - 8, .mount = list[i], .parameter = 0xffff};
        long result = syscall(SYS_statmount, &one, text, sizeof(text), 0);
        tally_add(&tally, result);
        if (result == 0)
            loot(text, sizeof(text));
    }
    tally_row("listmount, statmount of each", &tally);
}

/* Other mount namespaces, as who is root of the host may see them. */
static void namespaces(void)
{
    int here = open("/proc/self/ns/mnt", O_RDONLY | O_CLOEXEC);
    struct {
        uint32_t size, mounts;
        uint64_t id;
    } info = {.size = sizeof(info)};
    long next = ioctl(here, _IOR(0xb7, 11, info), &info); /* NS_MNT_GET_NEXT */
    may_do("NS_MNT_GET_NEXT", next);
    long previous = ioctl(here, _IOR(0xb7, 12, info), &info); /* NS_MNT_GET_PREV */
    may_do("NS_MNT_GET_PREV", previous);
    close(here);
}

/* FUSE's own file system: numbers of connections, no names; but who mounts it ends any of them. */
static void control(void)
{
    loot_names(AT_FDCWD, "/sys/fs/fuse/connections");
    long result = mount("fusectl", "/tmp", "fusectl", 0, NULL);
    may_do("mount -t fusectl", result);
    if (result < 0)
        return;
    loot_names(AT_FDCWD, "/tmp");
    struct stat status;
    char path[64];
    stat(view, &status);
    snprintf(path, sizeof(path), "/tmp/%u/waiting", (unsigned)(status.st_dev & 0xff));
    loot_file(AT_FDCWD, path);
    row("fusectl: its own connection", "%s", access(path, F_OK) == 0 ? "is there" : "is not there");
    umount2("/tmp", MNT_DETACH);
}

/* Taken away in a namespace of its own: nobody else may notice. */
static void taken_away(void)
{
    may_do("umount -l of the view, in a namespace of its own", umount2(view, MNT_DETACH));
    loot_names(AT_FDCWD, view);
    loot_names(AT_FDCWD, "/run");
    loot_names(AT_FDCWD, "/run/emsa");
}

static void all(void)
{
    long alone = unshare(CLONE_NEWNS);
    may_do("unshare(CLONE_NEWNS)", alone);
    if (alone == 0)
        mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
    writable();
    reconfigured();
    mounted_anew();
    tables();
    namespaces();
    control();
    if (alone == 0)
        taken_away();
}

/* As root of a user namespace that was made for it. */
static void nested(void)
{
    long users = unshare(CLONE_NEWUSER | CLONE_NEWNS);
    may_do("unshare(CLONE_NEWUSER | CLONE_NEWNS)", users);
    if (users < 0)
        return;
    int map = open("/proc/self/uid_map", O_WRONLY | O_CLOEXEC);
    may_do("in users of its own: a map of users", map < 0 ? -1 : write(map, "0 0 1", 5));
    may_do("in users of its own: mount -o remount,rw,bind",
           mount(NULL, view, NULL, MS_REMOUNT | MS_BIND, NULL));
    try_writable("in users of its own");
    may_do("in users of its own: umount -l of the view", umount2(view, MNT_DETACH));
    may_do("in users of its own: umount -f of the view", umount2(view, MNT_FORCE));
    may_do("in users of its own: mount -t fusectl", mount("fusectl", "/tmp", "fusectl", 0, NULL));
    may_do("in users of its own: an overlay",
           mount("overlay", "/tmp", "overlay", 0, "lowerdir=/env:/etc"));
    loot_names(AT_FDCWD, "/tmp");
}

void try_mounts(void)
{
    if (in_child(all) != 0 || in_child(nested) != 0)
        hole("mounts", "did not come to an end");
}
