/*
 * Requests that kill the server of this folder's own emsad, by wrapping functions of the tree:
 * looking up a name DIES.HOW in any directory, and reading any file as a member of group 4243.
 */
#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs/tree.h"

#define MAGIC_GROUP 4243

int __real_tree_lookup(struct snapshot *snapshot, struct place *out, uint64_t parent,
                       const char *name);
int __wrap_tree_lookup(struct snapshot *snapshot, struct place *out, uint64_t parent,
                       const char *name);
void __real_file_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
                      struct fuse_file_info *info);
void __wrap_file_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
                      struct fuse_file_info *info);

static void fault(void)
{
    volatile char *page = mmap(NULL, 4096, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *page = 1;
}

int __wrap_tree_lookup(struct snapshot *snapshot, struct place *out, uint64_t parent,
                       const char *name)
{
    if (strcmp(name, "DIES.SEGV") == 0)
        fault();
    if (strcmp(name, "DIES.ABORT") == 0)
        abort();
    if (strcmp(name, "DIES.SYS") == 0)
        (void)syscall(SYS_unshare, 0); /* the sandbox ends the process */
    if (strcmp(name, "DIES.EXIT") == 0)
        _exit(3);
    return __real_tree_lookup(snapshot, out, parent, name);
}

void __wrap_file_read(fuse_req_t request, fuse_ino_t node, size_t size, off_t offset,
                      struct fuse_file_info *info)
{
    if (fuse_req_ctx(request)->gid == MAGIC_GROUP)
        fault();
    __real_file_read(request, node, size, offset, info);
}
