/* Telling a kernel to forget: raw notify messages, written to a view's /dev/fuse. Each may wait for
 * pages and directories that readers hold. What the kernel doesn't know (ENOENT), and a view that
 * is gone, count as told. */
#ifndef EMSA_FS_TELL_H
#define EMSA_FS_TELL_H

#include <stddef.h>
#include <stdint.h>

/* Attributes and pages of a node. */
void tell_node(int fuse_fd, uint64_t node);

/* What a name in a directory means; also takes away what is mounted there. */
void tell_name(int fuse_fd, uint64_t directory, const char *name, size_t size);

/* Nothing; returns when every answer to a LOOKUP or READDIR in a directory has arrived. */
void tell_wait(int fuse_fd, uint64_t directory);

#endif
