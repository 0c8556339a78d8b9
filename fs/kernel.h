/*
 * The FUSE protocol as the kernel speaks it, for the little that is done without libfuse (INIT,
 * notify messages, the header of a request). Debian 12's header is of protocol 7.38; what is newer
 * is defined here with the numbers of Linux 6.9 and later, include/uapi/linux/fuse.h.
 */
#ifndef EMSA_FS_KERNEL_H
#define EMSA_FS_KERNEL_H

#include <linux/fuse.h>

#ifndef FUSE_DIRECT_IO_ALLOW_MMAP
#define FUSE_DIRECT_IO_ALLOW_MMAP (1ULL << 36) /* 7.39 */
#endif
#ifndef FUSE_NO_EXPORT_SUPPORT
#define FUSE_NO_EXPORT_SUPPORT (1ULL << 38) /* 7.40 */
#endif
#ifndef FUSE_ALLOW_IDMAP
#define FUSE_ALLOW_IDMAP (1ULL << 40) /* 7.41 */
#endif
#ifndef FUSE_HAS_RESEND
#define FUSE_HAS_RESEND (1ULL << 39) /* 7.40 */
#endif
#define KERNEL_NOTIFY_RESEND                                                                       \
    7 /* FUSE_NOTIFY_RESEND of 7.40 (an enum there, so not to be tested for) */

/* The protocol that INIT is answered with: the newest that libfuse 3.14 knows. */
#define KERNEL_MINOR 38

/* No write is ever taken, so the smallest that the kernel allows; it asks for a receive buffer of
 * at least FUSE_MIN_READ_BUFFER (8 KiB), and so small a max_write lets that be enough. */
#define KERNEL_MAX_WRITE 4096u

#endif
