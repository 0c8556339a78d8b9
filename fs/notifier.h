/*
 * The notifier: a process of its own that writes cache invalidations, and edits views so that their
 * watchers hear of changes, because either may wait for a page or directory that a reader holds,
 * and a server must never. It answers no FUSE request, opens no store and holds no key. One lane
 * (thread) for each view, so that a stuck view delays no other.
 */
#ifndef EMSA_FS_NOTIFIER_H
#define EMSA_FS_NOTIFIER_H

#include <stdint.h>

struct notifier;

struct notifier_options {
    int socket; /* the other end of fs_notifier's; taken over, also on failure */
    int roster; /* what roster_create made (fs/roster.h); stays the caller's */
    /* A lane wants a writable, detached mount of its view (mount_writable): from a lane's thread.
     * Its descriptor (taken over); NOTIFIER_LATER: it comes by notifier_mount; NOTIFIER_NOBODY:
     * there is nobody to ask. NULL: never. */
    int (*ask)(void *arg, uint32_t view);
    /* Watchers cannot be told of something (yet), and why: from a lane's thread. NULL: nobody hears
     * that. */
    void (*alarm)(void *arg, const char *text);
    void *arg;
};
#define NOTIFIER_LATER (-1)
#define NOTIFIER_NOBODY (-2)

/* ERR_NOMEM; ERR_FORMAT: the roster is none. */
int notifier_new(struct notifier **out, const struct notifier_options *options);
void notifier_free(struct notifier *);

/* A view's /dev/fuse descriptor (taken over), and its end. In any order with the server's messages:
 * what the server asks for a view that is not here yet waits for it (or for the server to say that
 * it ended). */
int notifier_view_add(struct notifier *, uint32_t view, int fuse_fd);
void notifier_view_remove(struct notifier *, uint32_t view);

/* What was asked for has come (taken over), or NOTIFIER_LATER: it cannot be had now. */
void notifier_mount(struct notifier *, uint32_t view, int mount_fd);

/* Does what the server asks until the socket ends. To be run by the main loop: when the socket (see
 * notifier_socket) is readable. 1: the server is gone (wait for another: notifier_server). */
int notifier_socket(const struct notifier *);
int notifier_work(struct notifier *);
int notifier_server(struct notifier *, int socket);

#endif
