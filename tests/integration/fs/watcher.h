/* What inotify tells, as text that a test can compare. */
#ifndef EMSA_TESTS_FS_WATCHER_H
#define EMSA_TESTS_FS_WATCHER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/inotify.h>
#include <sys/types.h>

#define WATCHES 16
#define EVERYTHING                                                                                 \
    (IN_OPEN | IN_MODIFY | IN_CLOSE_WRITE | IN_ATTRIB | IN_CREATE | IN_DELETE | IN_DELETE_SELF |   \
     IN_MOVED_FROM | IN_MOVED_TO)

struct watcher {
    int fd;
    char names[WATCHES][32];
    int watches[WATCHES];
    unsigned count;
    char buffer[65536] __attribute__((aligned(8)));
    ssize_t size, at;
};

void watcher_init(struct watcher *watcher);
void watcher_release(struct watcher *watcher);

/* Watches a path, under a name of the test's own. */
void watcher_add(struct watcher *watcher, const char *name, const char *path, uint32_t mask);

/* The next event; waits for it. The name of its watch, NULL for one that has ended. */
const struct inotify_event *watcher_next(struct watcher *watcher, const char **name);

/* All up to a CLOSE_WRITE of this watch: "dir:CREATE|A dir:OPEN|A ...", without that and the others
 * of that watch. */
const char *watcher_until(struct watcher *watcher, const char *last);

/* The next so many, waited for: the same text. */
const char *watcher_take(struct watcher *watcher, unsigned count);

#endif
