#include "tools/emsad/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"

/* Names that the oldest header to build with (Linux 6.1) does not have. */
#define TRUNCATE_RIGHT (1ULL << 14)
#define TRUNCATE_SINCE 3 /* the interface's version */

#define WRITES                                                                                     \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR | LANDLOCK_ACCESS_FS_MAKE_DIR | \
     LANDLOCK_ACCESS_FS_MAKE_REG | LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |   \
     LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM)

#define READS                                                                                      \
    (LANDLOCK_ACCESS_FS_READ_FILE | LANDLOCK_ACCESS_FS_READ_DIR | LANDLOCK_ACCESS_FS_EXECUTE)

static int allow(int rules, const char *folder, uint64_t rights)
{
    int fd DESCRIPTOR_CLEANUP = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_system(errno, "cannot open '%s'", folder);
    struct landlock_path_beneath_attr beneath = {.allowed_access = rights, .parent_fd = fd};
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0)
        return error_system(errno, "cannot allow what is in '%s'", folder);
    return 0;
}

/* What the notifier does on the mounts that it is handed (fs/edit.h). */
#define EDITS                                                                                      \
    (LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |                               \
     LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG)

/* One file to be read, where it is there. A rule is about an inode; /proc makes one anew where
 * nobody holds it, so that descriptor stays open. */
static int allow_file(int rules, const char *file)
{
    int fd = open(file, O_PATH | O_CLOEXEC);
    if (fd < 0)
        return 0;
    struct landlock_path_beneath_attr beneath = {.allowed_access = LANDLOCK_ACCESS_FS_READ_FILE,
                                                 .parent_fd = fd};
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0) {
        int failure = errno;
        descriptor_close(&fd);
        return error_system(failure, "cannot allow reading '%s'", file);
    }
    if (strncmp(file, "/proc/", 6) != 0)
        descriptor_close(&fd);
    return 0;
}

/* Writing and more is forbidden, but beneath folder, and but for the rights that are left; files
 * (may be NULL, ends with one) may be read. */
static int restrict_self(const char *folder, const char *const files[], uint64_t more,
                         uint64_t left)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
        return 0;
    if (version < 0)
        return error_system(errno, "cannot ask for Landlock");
    uint64_t all = WRITES | more | (version >= TRUNCATE_SINCE ? TRUNCATE_RIGHT : 0);
    struct landlock_ruleset_attr attributes = {.handled_access_fs = all & ~left};
    int rules DESCRIPTOR_CLEANUP =
        (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (rules < 0)
        return error_system(errno, "cannot make a Landlock ruleset");
    int error = folder == NULL ? 0 : allow(rules, folder, attributes.handled_access_fs);
    for (; files != NULL && *files != NULL && error == 0; files++)
        error = allow_file(rules, *files);
    if (error == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
        error = error_system(errno, "cannot be confined by Landlock");
    return error;
}

int confine_writes(const char *folder)
{
    return restrict_self(folder, NULL, 0, 0);
}

int confine_store(const char *folder)
{
    static const char *const files[] = {"/etc/passwd",
                                        "/etc/group",
                                        "/proc/self/maps",
                                        "/dev/urandom",
                                        "/dev/random",
                                        "/sys/devices/system/cpu/online",
                                        NULL};
    return restrict_self(folder, files, READS, 0);
}

int confine_audit(const char *folder)
{
    static const char *const files[] = {"/proc", NULL}; /* and all beneath it */
    return restrict_self(folder, files, READS, 0);
}

int confine_edits(void)
{
    return restrict_self(NULL, NULL, 0, EDITS);
}

/* An empty folder that hangs nowhere. */
static int empty_folder(void)
{
    int context DESCRIPTOR_CLEANUP = fsopen("tmpfs", FSOPEN_CLOEXEC);
    if (context < 0 || fsconfig(context, FSCONFIG_SET_STRING, "nr_inodes", "1", 0) < 0 ||
        fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        return -1;
    return fsmount(context, FSMOUNT_CLOEXEC,
                   MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
}

int confine_root(void)
{
    int folder DESCRIPTOR_CLEANUP = empty_folder();
    if (folder >= 0 && fchdir(folder) == 0 && chroot(".") == 0)
        return 0;
    return errno == EPERM ? 1 : error_system(errno, "cannot leave all folders");
}

int confine_all(void)
{
    return restrict_self(NULL, NULL, READS, 0);
}
