/*
 * Putting a mount into another process's mount namespace: of a container that runs already, or of
 * one that is just being made. The mount stands in no other namespace's table, and ends with that
 * one.
 *
 * Everything in there may be hostile: paths are resolved below its root (openat2, RESOLVE_IN_ROOT),
 * so that no link and no ".." leads out of it; and whatever hangs is given up. This process itself
 * never enters: a child does, which hands back a code and a text and nothing else. To be called by
 * a process of one thread.
 */
#ifndef EMSA_TOOLS_COMMON_NAMESPACE_H
#define EMSA_TOOLS_COMMON_NAMESPACE_H

#include <stdbool.h>
#include <sys/types.h>

struct namespace_place {
    pid_t pid;        /* whose namespace, as this process sees it */
    const char *root; /* a directory as that process sees it, below which path is resolved: the root
                         of a container that is being made; NULL: that process's own root */
    const char *path; /* of the directory to mount on */
    bool make;        /* it is made where it is missing, and those above it: 0755 */
};

/*
 * Attaches a detached mount (which stays the caller's to close; while it is open the mount is in
 * use). ERR_NOT_FOUND: no such process, no such directory; ERR_INVALID: no directory, or the path
 * leads over a link of /proc; ERR_REFUSED: one of emsa's is there already; ERR_DENIED; ERR_IO, also
 * when nothing came of it within ten seconds. The mount stands nowhere then.
 */
int namespace_attach(int mount_fd, const struct namespace_place *place);

/* Whether the process has another user namespace than this one, so that owners look different to
 * it. Negative: ERR_NOT_FOUND, no such process; ERR_DENIED, ERR_IO. */
int namespace_differs(pid_t pid);

/*
 * Maps a detached mount's owners to the user namespace of the process: 0 in it is 0 there. For a
 * mount that nobody has attached yet, of a view that allows it. 1: this kernel, or this view,
 * cannot: then the view is to be made with the owner that namespace_owner gives. ERR_NOT_FOUND,
 * ERR_DENIED, ERR_IO.
 */
int namespace_idmap(int mount_fd, pid_t pid);

/* What this process calls a user and a group of the process's namespace, in place. ERR_INVALID: it
 * has no such one; ERR_NOT_FOUND: no such process; ERR_IO. */
int namespace_owner(pid_t pid, uid_t *uid, gid_t *gid);

#endif
