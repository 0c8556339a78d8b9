#include "tools/emsad/confine.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdint.h>
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

static int allow(int rules, const char *folder, uint64_t rights)
{
    int fd DESCRIPTOR_CLEANUP = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return error_system(errno, "cannot open '%s'", folder);
    struct landlock_path_beneath_attr beneath = {.allowed_access = rights, .parent_fd = fd};
    if (syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &beneath, 0) < 0)
        return error_system(errno, "cannot allow writing to '%s'", folder);
    return 0;
}

int confine_writes(const char *folder)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version < 0 && (errno == ENOSYS || errno == EOPNOTSUPP))
        return 0;
    if (version < 0)
        return error_system(errno, "cannot ask for Landlock");
    struct landlock_ruleset_attr attributes = {
        .handled_access_fs = WRITES | (version >= TRUNCATE_SINCE ? TRUNCATE_RIGHT : 0)};
    int rules DESCRIPTOR_CLEANUP =
        (int)syscall(SYS_landlock_create_ruleset, &attributes, sizeof attributes, 0);
    if (rules < 0)
        return error_system(errno, "cannot make a Landlock ruleset");
    int error = folder == NULL ? 0 : allow(rules, folder, attributes.handled_access_fs);
    if (error == 0 && syscall(SYS_landlock_restrict_self, rules, 0) < 0)
        error = error_system(errno, "cannot be confined by Landlock");
    return error;
}
