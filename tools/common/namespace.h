/*
 * Putting a mount into another process's mount namespace: of a container that runs already, or of
 * one that is just being made. The mount stands in no other namespace's table, and ends with that
 * one.
 *
 * Everything in there may be hostile: paths are resolved below its root (openat2, RESOLVE_IN_ROOT),
 * so that no link and no ".." leads out of it; and whatever hangs is given up. This process itself
 * never enters: a child does (`inside`), which hands back a code and a text and nothing else, and
 * has the mount in its hands only when what might hang is behind it. To be called by a process of
 * one thread.
 */
#ifndef EMSA_TOOLS_COMMON_NAMESPACE_H
#define EMSA_TOOLS_COMMON_NAMESPACE_H

#include <stdbool.h>

#include "tools/common/process.h"

struct namespace
{
    struct process process; /* owned, as the descriptors are */
    int root;               /* what it sees as / */
    int mounts;             /* its mount namespace */
};

#define NAMESPACE_NONE ((struct namespace){PROCESS_NONE, -1, -1})
#define NAMESPACE_CLEANUP __attribute__((cleanup(namespace_release)))

struct namespace_place {
    const char *root; /* a directory as that process sees it, below which path is resolved: the root
                         of a container that is being made; NULL: that process's own root */
    const char *path; /* of the directory to mount on */
    bool make;        /* it is made where it is missing, and those above it: 0755 */
};

/* The namespace that a process is in. ERR_NOT_FOUND: there is none, or it has ended; ERR_REFUSED:
 * it is this process's own, or the first process's (the host's, whose table it would stand in);
 * ERR_DENIED: the process is somebody else's, or this one may not enter; ERR_IO. */
int namespace_find(struct namespace *out, pid_t pid);
void namespace_release(struct namespace *space);

/*
 * Attaches a detached mount (which stays the caller's to close; while it is open the mount is in
 * use). A dead mount of emsa's is taken away first. ERR_NOT_FOUND: the process has ended, no such
 * directory; ERR_INVALID: no directory, or the path leads over a link of /proc; ERR_REFUSED:
 * something is mounted there already; ERR_DENIED; ERR_IO, also when nothing came of it within ten
 * seconds. The mount stands nowhere then.
 */
int namespace_attach(int mount_fd, const struct namespace *space,
                     const struct namespace_place *place);

#endif
