#include "fs/tell.h"

#include <errno.h>
#include <sys/uio.h>

#include "fs/kernel.h"

/* No entry of the tree can have this name, so an invalidation of it does nothing but wait. */
#define NO_NAME "~"

static void notify_write(int fuse_fd, int code, const void *body, size_t size, const char *name,
                         size_t name_size)
{
    struct fuse_out_header header = {.error = code};
    static const char nul = 0;
    struct iovec parts[4] = {{&header, sizeof(header)},
                             {(void *)(uintptr_t)body, size},
                             {(void *)(uintptr_t)name, name_size},
                             {(void *)(uintptr_t)&nul, name ? 1 : 0}};
    header.len = (uint32_t)(sizeof(header) + size + name_size + (name ? 1 : 0));
    ssize_t n;
    do
        n = writev(fuse_fd, parts, name ? 4 : 2);
    while (n < 0 && errno == EINTR);
}

void tell_node(int fuse_fd, uint64_t node)
{
    struct fuse_notify_inval_inode_out body = {.ino = node, .off = 0, .len = 0};
    notify_write(fuse_fd, FUSE_NOTIFY_INVAL_INODE, &body, sizeof(body), NULL, 0);
}

void tell_name(int fuse_fd, uint64_t directory, const char *name, size_t size)
{
    struct fuse_notify_inval_entry_out body = {.parent = directory, .namelen = (uint32_t)size};
    notify_write(fuse_fd, FUSE_NOTIFY_INVAL_ENTRY, &body, sizeof(body), name, size);
}

void tell_wait(int fuse_fd, uint64_t directory)
{
    tell_name(fuse_fd, directory, NO_NAME, sizeof(NO_NAME) - 1);
}
