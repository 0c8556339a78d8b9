/* The supervisor's half of a mount: make a FUSE superblock, answer INIT by hand, hold the
 * descriptor. No libfuse, no parsing of anything but the kernel's INIT. */
#ifndef EMSA_FS_MOUNT_H
#define EMSA_FS_MOUNT_H

#include <stddef.h>

#include "fs/fs.h"
#include "fs/mount_table.h"

#define MOUNT_INIT_MAX 256

struct mount {
    int fuse_fd;  /* owned by who holds the struct; CLOEXEC, non-blocking */
    int mount_fd; /* a detached, read-only clone of the mount (nosuid, nodev, noexec), or -1 */
    unsigned char
        init[MOUNT_INIT_MAX]; /* fuse_in_header and fuse_init_in, as the kernel sent them */
    size_t init_size;
    bool has_resend; /* the kernel can send again what a dead server had read */
    unsigned number; /* of the superblock's device, as mountinfo has it (0:NUMBER); 0: not known */
};

/* Makes the superblock and finishes INIT. ERR_NOT_FOUND: no /dev/fuse, with what to do; ERR_DENIED:
 * no right to mount; ERR_IO. Nothing is left on failure. */
int mount_make(struct mount *out, const struct view_options *view);

/* Attaches a detached mount at a directory, in the caller's namespace and with the caller's rights,
 * in place of a dead one of emsa's.
 * Close mount_fd after it: while it is open, the mount is in use and cannot be taken away.
 * ERR_NOT_FOUND, ERR_INVALID (not a directory), ERR_REFUSED (something is mounted there already:
 * what), ERR_DENIED. */
int mount_attach(int mount_fd, const char *directory);

/* The same at a folder that is open (O_PATH), for a path that others may lead elsewhere meanwhile;
 * directory is for messages. ERR_DENIED, ERR_IO. */
int mount_attach_again(int mount_fd, int place, const char *directory);

/* Takes dead mounts of emsa's (whose server and supervisor are gone for good) away from a
 * directory, also where they are in use; only those of the superblock of that number, if it is not
 * 0. They are dropped from the table, which was read when they stood there already. 1: there is
 * none. ERR_DENIED, ERR_IO. */
int mount_clear(struct mount_table *table, const char *directory, unsigned number);

/* All of them, by a table of its own. The same errors, and ERR_NOMEM. */
int mount_clear_now(const char *directory);

/* Takes a mount away from a directory. ERR_NOT_FOUND, ERR_REFUSED (not emsa's), ERR_BUSY,
 * ERR_DENIED. */
int mount_detach(const char *directory, bool lazy);

/* Until a live mount of emsa's stands at a directory, which need not be there yet; 1: none did,
 * within so many milliseconds (-1: however long it takes; 0: asked once). To be called by a process
 * of one thread. ERR_IO.
 */
int mount_await(const char *directory, int milliseconds);

/* Another mount of the same superblock: detached, and writable. As long as it is open the
 * superblock lives, whoever unmounts it. Needs the right to mount. ERR_NOT_FOUND: the superblock is
 * gone. */
int mount_writable(int *mount_fd, int fuse_fd);

/* Whether a descriptor is one of /dev/fuse. Asks no file system, which might not answer. */
bool mount_is_connection(int fd);

/* Has the kernel send again what the dead server had in its hands. 1: this kernel cannot. */
int mount_resend(int fuse_fd);

/* The number of a connection's superblock. ERR_NOT_FOUND: it has ended. */
int mount_number(unsigned *number, int fuse_fd);

/* The number of the superblock that is mounted at a place (a descriptor), or on a path whose last
 * part is no link; 0: none is, or that may not be looked at. Asks no server. */
unsigned mount_number_at(int place);
unsigned mount_number_on(const char *path);

/* Ends a connection, whoever still holds it: all that waits for an answer gets ECONNABORTED, or
 * ENOTCONN. Needs root and the kernel's fusectl. ERR_NOT_FOUND: it has ended, or there is no
 * fusectl. */
int mount_abort(int fuse_fd);

/* The same by the superblock's number. */
int mount_abort_number(unsigned number);

/* Ends the connection of emsa's mount of that number at a directory if it does not answer in so
 * many milliseconds: nobody serves it any more, and still it is held, by who waits for it in the
 * kernel. To be called by a process of one thread, when no server of this store lives. 1: it
 * answers, or there is none.
 */
int mount_abort_silent(const struct mount_table *table, const char *directory, unsigned number,
                       int milliseconds);

void mount_release(struct mount *mount);

#endif
