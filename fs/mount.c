/*
 * Making a superblock without libfuse. The supervisor does INIT itself, because the kernel sends it
 * once a connection and servers come and go; because libfuse 3.14 cannot ask for what we need (no
 * export support: a forged file handle would otherwise reach any node); and because the answer must
 * not depend on which server happens to be there.
 */
#include "fs/mount.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fs/kernel.h"
#include "store/error.h"

#define DEVICE "/dev/fuse"
#define DEVICE_MAJOR 10
#define DEVICE_MINOR 229
#define SUBTYPE "emsa"

_Static_assert(sizeof(struct fuse_in_header) + sizeof(struct fuse_init_in) <= MOUNT_INIT_MAX,
               "a saved INIT fits");

static int device_open(void)
{
    int fd = open(DEVICE, O_RDWR | O_CLOEXEC | O_NONBLOCK);
    if (fd >= 0)
        return fd;
    if (errno == ENOENT || errno == ENODEV || errno == ENXIO)
        return error_set(ERR_NOT_FOUND,
                         "cannot open '" DEVICE
                         "': the kernel's FUSE is not there; load it (modprobe "
                         "fuse), or in a container pass the device (--device " DEVICE ")");
    if (errno == EACCES)
        return error_set(ERR_DENIED, "cannot open '" DEVICE "': permission denied; users may where "
                                     "its mode is 0666, as udev makes it");
    return error_system(errno, "cannot open '" DEVICE "'");
}

/* The kernel's own words for a refused option, where it has any. */
static int context_error(int context, int errno_value, const char *what)
{
    char text[256];
    ssize_t n = read(context, text, sizeof(text) - 1);
    if (n <= 2)
        return error_system(errno_value, "cannot %s", what);
    text[n] = 0;
    text[strcspn(text, "\n")] = 0;
    return error_system(errno_value, "cannot %s (%s)", what, text + 2);
}

static int option_text(int context, const char *name, const char *value)
{
    if (fsconfig(context, FSCONFIG_SET_STRING, name, value, 0) == 0)
        return 0;
    return context_error(context, errno, "set a FUSE mount option");
}

static int option_number(int context, const char *name, const char *format, unsigned value)
{
    char text[16];
    snprintf(text, sizeof(text), format[0] == 'o' ? "%o" : "%u", value);
    return option_text(context, name, text);
}

static int option_flag(int context, const char *name)
{
    if (fsconfig(context, FSCONFIG_SET_FLAG, name, NULL, 0) == 0)
        return 0;
    return context_error(context, errno, "set a FUSE mount option");
}

static unsigned read_limit(const struct view_options *view)
{
    return view->max_read ? view->max_read : VIEW_MAX_READ;
}

static int context_configure(int context, int device, const struct view_options *view)
{
    int error = option_text(context, "source", SUBTYPE);
    if (!error)
        error = option_text(context, "subtype", SUBTYPE);
    if (!error)
        error = option_number(context, "fd", "d", (unsigned)device);
    if (!error)
        error = option_number(context, "rootmode", "o", S_IFDIR);
    if (!error)
        error = option_number(context, "user_id", "d", 0);
    if (!error)
        error = option_number(context, "group_id", "d", 0);
    if (!error)
        error = option_flag(context, "allow_other");
    /* the kernel judges by owner and mode, so that no request is needed for it */
    if (!error)
        error = option_flag(context, "default_permissions");
    if (!error)
        error = option_number(context, "max_read", "d", read_limit(view));
    return error;
}

static int context_open(void)
{
    int context = fsopen("fuse", FSOPEN_CLOEXEC);
    if (context >= 0)
        return context;
    if (errno == ENODEV)
        return error_set(ERR_NOT_FOUND,
                         "the kernel has no FUSE file system; load it (modprobe fuse)");
    if (errno == EPERM)
        return error_set(ERR_DENIED,
                         "cannot begin a FUSE mount: that takes root (CAP_SYS_ADMIN); who is not "
                         "root has it in namespaces of their own: run emsa and what reads its "
                         "mounts within 'unshare -Urm' or 'podman unshare'");
    return error_system(errno, "cannot begin a FUSE mount");
}

static int superblock_make(int *mount_fd, int device, const struct view_options *view)
{
    int context = context_open();
    if (context < 0)
        return context;
    int error = context_configure(context, device, view);
    if (!error && fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        error = context_error(context, errno, "make a FUSE superblock");
    if (!error) {
        /* The superblock stays writable (the notifier's own operations need that); what consumers
         * see is a mount that is not. */
        int fd =
            fsmount(context, FSMOUNT_CLOEXEC,
                    MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        if (fd < 0)
            error = error_system(errno, "cannot make a FUSE mount");
        else
            *mount_fd = fd;
    }
    close(context);
    return error;
}

/* A descriptor that has a superblock already gives that one; its own options stay as they were, and
 * what is asked for here only has to be there. */
int mount_writable(int *mount_fd, int fuse_fd)
{
    static const struct view_options any;
    int context = context_open();
    if (context < 0)
        return context;
    int error = context_configure(context, fuse_fd, &any);
    if (!error && fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
        error = errno == ENOTCONN ? error_set(ERR_NOT_FOUND, "the view is gone")
                                  : context_error(context, errno, "find a view's superblock");
    if (!error) {
        int fd = fsmount(context, FSMOUNT_CLOEXEC,
                         MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV | MOUNT_ATTR_NOEXEC);
        if (fd < 0)
            error = error_system(errno, "cannot make a writable mount");
        else
            *mount_fd = fd;
    }
    close(context);
    return error;
}

/* The host's root alone has it: in a user namespace connections end when nobody holds them. */
static int control_error(void)
{
    if (errno == ENODEV)
        return error_set(ERR_NOT_FOUND, "the kernel has no fusectl");
    if (errno == EPERM)
        return error_set(ERR_NOT_FOUND, "fusectl is the host's root's alone");
    return error_system(errno, "cannot open fusectl");
}

/* The control file system, mounted nowhere. */
static int control_open(int *out)
{
    int context = fsopen("fusectl", FSOPEN_CLOEXEC);
    if (context < 0)
        return control_error();
    int fd = -1;
    if (fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0) == 0)
        fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
    int error = fd < 0 ? control_error() : 0;
    close(context);
    if (!error)
        *out = fd;
    return error;
}

int mount_abort_number(unsigned number)
{
    char name[32];
    int control;
    int error = control_open(&control);
    if (error)
        return error;
    snprintf(name, sizeof(name), "%u/abort", number);
    int fd = openat(control, name, O_WRONLY | O_CLOEXEC);
    if (fd < 0 || write(fd, "1", 1) < 0)
        error = error_system(errno, "cannot abort FUSE's connection %u", number);
    if (fd >= 0)
        close(fd);
    close(control);
    return error;
}

/* Asking for that asks no server. */
static int number_of(unsigned *number, int mount_fd)
{
    struct statx status;
    if (statx(mount_fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, 0, &status) < 0)
        return error_system(errno, "cannot find a view's number");
    *number = status.stx_dev_minor;
    return 0;
}

int mount_number(unsigned *number, int fuse_fd)
{
    int mount_fd;
    int error = mount_writable(&mount_fd, fuse_fd);
    if (error)
        return error;
    error = number_of(number, mount_fd);
    close(mount_fd);
    return error;
}

static unsigned number_there(int place, const char *path, int flags)
{
    struct statx status;
    if (statx(place, path, flags | AT_STATX_DONT_SYNC, STATX_TYPE, &status) < 0 ||
        (status.stx_attributes & STATX_ATTR_MOUNT_ROOT) == 0)
        return 0;
    return status.stx_dev_minor;
}

unsigned mount_number_at(int place)
{
    return number_there(place, "", AT_EMPTY_PATH);
}

unsigned mount_number_on(const char *path)
{
    return number_there(AT_FDCWD, path, AT_SYMLINK_NOFOLLOW);
}

int mount_abort(int fuse_fd)
{
    unsigned number;
    int error = mount_number(&number, fuse_fd);
    return error ? error : mount_abort_number(number);
}

/* The saved INIT is for a later server; the kernel's flags decide what the answer may hold. */
static int init_receive(struct mount *mount, struct fuse_in_header *header,
                        struct fuse_init_in *init)
{
    unsigned char request[FUSE_MIN_READ_BUFFER];
    ssize_t n = read(mount->fuse_fd, request, sizeof(request));
    if (n < 0)
        return error_system(errno, "cannot read FUSE's first request");
    if ((size_t)n < sizeof(*header) + sizeof(*init))
        return error_set(ERR_IO, "the kernel's FUSE is too old: its first request has %zd bytes",
                         n);
    memcpy(header, request, sizeof(*header));
    memcpy(init, request + sizeof(*header), sizeof(*init));
    if (header->opcode != FUSE_INIT || init->major != FUSE_KERNEL_VERSION || init->minor < 31)
        return error_set(ERR_IO, "the kernel speaks FUSE %u.%u, and 7.31 is the least that will do",
                         init->major, init->minor);
    mount->init_size = (size_t)n < MOUNT_INIT_MAX ? (size_t)n : MOUNT_INIT_MAX;
    memcpy(mount->init, request, mount->init_size);
    return 0;
}

/* Of a view whose mounts may be mapped the kernel says -1 for who asks (but who makes something).
 */
static uint64_t init_flags(const struct fuse_init_in *in, const struct view_options *view)
{
    uint64_t offered = in->flags;
    if (in->flags & FUSE_INIT_EXT)
        offered |= (uint64_t)in->flags2 << 32;
    uint64_t mapped = view->idmap ? FUSE_ALLOW_IDMAP : 0;
    /* Left out on purpose: AUTO_INVAL_DATA and WRITEBACK_CACHE (pages go when we say so), SPLICE_*
     * (a reply is copied from memory that nobody changes), ASYNC_DIO (the parts of one read must
     * come in order: the first pins the revision). */
    return offered &
           (FUSE_ASYNC_READ | FUSE_ATOMIC_O_TRUNC | FUSE_DO_READDIRPLUS | FUSE_READDIRPLUS_AUTO |
            FUSE_PARALLEL_DIROPS | FUSE_MAX_PAGES | FUSE_CACHE_SYMLINKS | FUSE_EXPLICIT_INVAL_DATA |
            FUSE_INIT_EXT | FUSE_NO_EXPORT_SUPPORT | FUSE_DIRECT_IO_ALLOW_MMAP | mapped);
}

static int init_answer(struct mount *mount, const struct view_options *view)
{
    struct fuse_in_header header;
    struct fuse_init_in in;
    int error = init_receive(mount, &header, &in);
    if (error)
        return error;
    mount->has_resend = (in.flags & FUSE_INIT_EXT) && ((uint64_t)in.flags2 << 32 & FUSE_HAS_RESEND);

    uint64_t flags = init_flags(&in, view);
    struct fuse_init_out out = {
        .major = FUSE_KERNEL_VERSION,
        .minor = KERNEL_MINOR,
        .max_readahead = read_limit(view),
        .flags = (uint32_t)flags,
        .flags2 = (uint32_t)(flags >> 32),
        .max_background = 64,
        .congestion_threshold = 48,
        .max_write = KERNEL_MAX_WRITE,
        .time_gran = 1,
        .max_pages = (uint16_t)((read_limit(view) + 4095) / 4096),
    };
    struct fuse_out_header reply = {.len = sizeof(reply) + sizeof(out), .unique = header.unique};
    struct iovec parts[] = {{&reply, sizeof(reply)}, {&out, sizeof(out)}};
    if (writev(mount->fuse_fd, parts, 2) < 0)
        return error_system(errno, "cannot answer FUSE's first request");
    return 0;
}

int mount_make(struct mount *out, const struct view_options *view)
{
    if (read_limit(view) < 4096 || read_limit(view) > VIEW_MAX_READ_LIMIT)
        return error_set(ERR_INVALID, "max_read is %u; it must lie between 4096 and %u",
                         read_limit(view), VIEW_MAX_READ_LIMIT);
    struct mount mount = {.fuse_fd = device_open(), .mount_fd = -1};
    if (mount.fuse_fd < 0)
        return mount.fuse_fd;
    int error = superblock_make(&mount.mount_fd, mount.fuse_fd, view);
    if (!error)
        error = init_answer(&mount, view);
    if (!error)
        error = number_of(&mount.number, mount.mount_fd);
    if (error) {
        mount_release(&mount);
        return error;
    }
    *out = mount;
    return 0;
}

void mount_release(struct mount *mount)
{
    if (!mount)
        return;
    if (mount->mount_fd >= 0)
        close(mount->mount_fd);
    if (mount->fuse_fd >= 0)
        close(mount->fuse_fd);
    mount->mount_fd = mount->fuse_fd = -1;
}

bool mount_is_connection(int fd)
{
    struct statx status;
    return statx(fd, "", AT_EMPTY_PATH | AT_STATX_DONT_SYNC, STATX_TYPE, &status) == 0 &&
           S_ISCHR(status.stx_mode) && status.stx_rdev_major == DEVICE_MAJOR &&
           status.stx_rdev_minor == DEVICE_MINOR;
}

int mount_resend(int fuse_fd)
{
    struct fuse_out_header message = {.len = sizeof(message), .error = KERNEL_NOTIFY_RESEND};
    if (write(fuse_fd, &message, sizeof(message)) >= 0)
        return 0;
    if (errno == EINVAL)
        return 1;
    return error_system(errno, "cannot have requests sent again");
}
