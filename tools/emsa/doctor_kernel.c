/* What the kernel of this machine offers. */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/utsname.h>
#include <time.h>
#include <unistd.h>

#include "tools/common/descriptor.h"
#include "tools/emsa/doctor.h"

#define OLDEST                                                                                     \
    601u /* Linux 6.1, as Debian 12 has it; 100 times the first number and the second              \
          */
#define FUSE_MAJOR 10
#define FUSE_MINOR 229
#define EARLIEST 1767225600 /* 2026-01-01: before this program was made */

static unsigned version_of(const struct utsname *name)
{
    unsigned first = 0, second = 0;
    if (sscanf(name->release, "%3u.%3u", &first, &second) != 2)
        return 0;
    return first * 100 + second;
}

static void say_version(struct doctor *doctor)
{
    struct utsname name;
    if (uname(&name) < 0)
        return;
    unsigned version = version_of(&name);
    doctor_say(doctor, version < OLDEST ? DOCTOR_WARN : DOCTOR_OK, "kernel",
               version < OLDEST ? "emsa is tested on Linux 6.1 and later: update the kernel" : "",
               "Linux %s", name.release);
    doctor_say(doctor, DOCTOR_OK, "fuse", "",
               "requests of a dead server are %s; idmapped mounts: %s",
               version >= 609 ? "sent again by the kernel (since 6.9)"
                              : "kept in shared memory (the kernel sends them again since 6.9)",
               version >= 612 ? "yes" : "no (since 6.12), owners are mapped when a view is made");
}

static void say_device(struct doctor *doctor)
{
    struct stat status;
    if (stat("/dev/fuse", &status) < 0) {
        doctor_say(doctor, DOCTOR_BAD, "/dev/fuse",
                   "load the module ('modprobe fuse'), or give the container the device",
                   "is not there: nothing can be mounted");
        return;
    }
    if (!S_ISCHR(status.st_mode) || major(status.st_rdev) != FUSE_MAJOR ||
        minor(status.st_rdev) != FUSE_MINOR) {
        doctor_say(doctor, DOCTOR_BAD, "/dev/fuse", "make it anew: 'mknod /dev/fuse c 10 229'",
                   "is not the device of FUSE");
        return;
    }
    int fd DESCRIPTOR_CLEANUP = open("/dev/fuse", O_RDWR | O_CLOEXEC);
    if (fd < 0)
        doctor_say(doctor, geteuid() == 0 ? DOCTOR_BAD : DOCTOR_WARN, "/dev/fuse",
                   "its mode is usually 0666; in a container, allow the device",
                   "cannot be opened: %s", strerror(errno));
    else
        doctor_say(doctor, DOCTOR_OK, "/dev/fuse", "",
                   "can be opened; emsa mounts by itself, so fuse.conf has no say");
}

static void say_landlock(struct doctor *doctor)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
    if (version > 0)
        doctor_say(doctor, DOCTOR_OK, "landlock", "",
                   "version %ld: the server opens only the store's files, other children none",
                   version);
    else
        doctor_say(doctor, DOCTOR_WARN, "landlock", "add landlock to the kernel's parameter lsm=",
                   "the kernel has none (%s): a server that was taken over reads what its user may",
                   errno == EOPNOTSUPP ? "it is switched off" : strerror(errno));
}

static void say_filters(struct doctor *doctor)
{
    if (prctl(PR_GET_SECCOMP, 0, 0, 0, 0) >= 0 || errno != EINVAL)
        doctor_say(doctor, DOCTOR_OK, "seccomp", "", "the kernel has filters of system calls");
    else
        doctor_say(doctor, DOCTOR_BAD, "seccomp", "take a kernel with CONFIG_SECCOMP_FILTER",
                   "the kernel has no filters of system calls");
}

static void say_clock(struct doctor *doctor)
{
    struct timex state = {0};
    int clock = adjtimex(&state);
    if (time(NULL) < EARLIEST)
        doctor_say(doctor, DOCTOR_BAD, "clock", "set it, or have it set: keys expire by it",
                   "is years behind");
    else if (clock == TIME_ERROR)
        doctor_say(doctor, DOCTOR_WARN, "clock",
                   "run a time service (chrony, systemd-timesyncd): keys expire by it",
                   "the kernel says that nothing keeps it right");
    else
        doctor_say(doctor, DOCTOR_OK, "clock", "", "is kept right");
}

void doctor_kernel(struct doctor *doctor)
{
    say_version(doctor);
    say_device(doctor);
    say_filters(doctor);
    say_landlock(doctor);
    say_clock(doctor);
}
