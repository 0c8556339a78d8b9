/* Whoever watches: the one who tries to hear of others, and the other consumer. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fanotify.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/fanotify.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "escape.h"

static int inotify = -1;
static int marked[4] = {-1, -1, -1, -1}; /* by fanotify, in ways that differ */
static int polled = -1;

static unsigned watch_below(const char *path, unsigned depth);

static unsigned watch_in(const char *path, const char *name, unsigned depth)
{
    char below[600];
    const int size = snprintf(below, sizeof(below), "%s/%s", path, name);
    return size > 0 && (size_t)size < sizeof(below) ? watch_below(below, depth) : 0;
}

static unsigned watch_below(const char *path, unsigned depth)
{
    unsigned watched = inotify_add_watch(inotify, path, IN_ALL_EVENTS) >= 0;
    DIR *names = depth ? opendir(path) : NULL;
    for (struct dirent *name; names && (name = readdir(names));) {
        if (strcmp(name->d_name, ".") == 0 || strcmp(name->d_name, "..") == 0)
            continue;
        watched += watch_in(path, name->d_name, depth - 1);
    }
    if (names)
        closedir(names);
    if (depth && !strstr(path, ".emsa"))
        watched += watch_in(path, ".emsa", 2);
    return watched;
}

static void mark(unsigned which, const char *attempt, unsigned flags, unsigned kind, uint64_t mask)
{
    char text[200];
    marked[which] = fanotify_init(flags | FAN_CLOEXEC | FAN_NONBLOCK, O_RDONLY | O_CLOEXEC);
    if (marked[which] < 0) {
        row(attempt, "%s", error_name(errno));
        return;
    }
    snprintf(text, sizeof(text), "%s", attempt);
    may_do(text, fanotify_mark(marked[which], FAN_MARK_ADD | kind, mask, AT_FDCWD, view));
}

void watch_arm(void)
{
    inotify = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    row("inotify on everything", "%u watches", watch_below(view, 4));
    uint64_t files = FAN_OPEN | FAN_ACCESS | FAN_MODIFY | FAN_CLOSE;
    uint64_t names = FAN_CREATE | FAN_DELETE | FAN_MOVE | FAN_ATTRIB | FAN_ONDIR;
    mark(0, "fanotify on the file system", FAN_CLASS_NOTIF, FAN_MARK_FILESYSTEM, files);
    mark(1, "fanotify on the mount", FAN_CLASS_NOTIF, FAN_MARK_MOUNT, files);
    mark(2, "fanotify on the file system, with names", FAN_REPORT_DFID_NAME | FAN_REPORT_FID,
         FAN_MARK_FILESYSTEM, files | names);
    mark(3, "fanotify on the root, with names", FAN_REPORT_DFID_NAME, FAN_MARK_ADD,
         files | names | FAN_EVENT_ON_CHILD);
    polled = open(key, O_RDONLY | O_CLOEXEC);
    char byte;
    if (read(polled, &byte, 1) < 0)
        hole("its own value", "cannot be read");
    /* what arming itself has made */
    char events[65536];
    while (read(inotify, events, sizeof(events)) > 0)
        ;
    for (unsigned i = 0; i < 4; i++)
        while (marked[i] >= 0 && read(marked[i], events, sizeof(events)) > 0)
            ;
}

void watch_heard(void)
{
    char events[65536];
    unsigned long heard = 0;
    for (ssize_t n; (n = read(inotify, events, sizeof(events))) > 0; heard += (unsigned long)n)
        loot(events, (size_t)n);
    close(inotify);
    for (unsigned i = 0; i < 4; i++) {
        for (ssize_t n; marked[i] >= 0 && (n = read(marked[i], events, sizeof(events))) > 0;
             heard += (unsigned long)n)
            loot(events, (size_t)n);
        if (marked[i] >= 0)
            close(marked[i]);
    }
    struct pollfd sleeper = {.fd = polled, .events = POLLPRI};
    if (poll(&sleeper, 1, 0) > 0 && sleeper.revents)
        hole("poll, while others change", "woke: %x", (unsigned)sleeper.revents);
    close(polled);
    if (heard)
        hole("what is heard while others change", "%lu bytes of events", heard);
    else
        row("what is heard while others change (inotify, fanotify, poll)", "nothing");
}

/* The other consumer */

static FILE *said;
static int watched = -1;

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static void say(const char *what, const char *value)
{
    fprintf(said, "%s %s\n", what, value);
    fflush(said);
}

/* False: it can't be read. */
static bool value_of(char *value, size_t size)
{
    int fd = open(key, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, value, size - 1);
    int error = errno;
    if (fd >= 0)
        close(fd);
    value[n > 0 ? n : 0] = 0;
    if (n < 0)
        say("error", error_name(error));
    return n >= 0;
}

/* Whether a change of the value was heard. */
static bool event_of(int patience)
{
    bool heard = false;
    char events[65536];
    struct pollfd sleeper = {.fd = watched, .events = POLLIN};
    if (poll(&sleeper, 1, patience) <= 0)
        return false;
    ssize_t n = read(watched, events, sizeof(events));
    for (ssize_t i = 0; i < n;) {
        const struct inotify_event *event = (const struct inotify_event *)(events + i);
        heard = heard || event->mask & IN_MODIFY;
        i += (ssize_t)(sizeof(*event) + event->len);
    }
    return heard;
}

/* A descriptor that was opened when the last value was new: whoever slept on it was woken, and it
 * reads this one now. */
static void held_on(int *held, int sleeper, const char *value)
{
    char now_there[4096] = "";
    struct epoll_event event = {.events = EPOLLPRI | EPOLLET};
    if (*held >= 0) {
        if (epoll_wait(sleeper, &event, 1, 20000) != 1)
            say("error", "nobody was woken in poll");
        if (pread(*held, now_there, sizeof(now_there) - 1, 0) < 0 || strcmp(now_there, value) != 0)
            say("error", "a held descriptor shows an old value");
        close(*held);
    }
    event.events = EPOLLPRI | EPOLLET;
    *held = open(key, O_RDONLY | O_CLOEXEC);
    if (epoll_ctl(sleeper, EPOLL_CTL_ADD, *held, &event) < 0)
        say("error", "no poll");
}

/* Says each new value, and each event with the value that was there then; and at the end how often
 * it has read, and how long the longest took. */
int watch_main(void)
{
    char path[4096], value[4096], last[4096] = "", text[64];
    unsigned long reads = 0;
    double longest = 0;
    bool goes_on = true;
    int held = -1, sleeper = epoll_create1(EPOLL_CLOEXEC);
    snprintf(path, sizeof(path), "%s/said", talk);
    said = fopen(path, "we");
    watched = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
    if (!said || inotify_add_watch(watched, key, IN_MODIFY) < 0)
        return 1;
    while (goes_on) {
        bool heard = event_of(2);
        double begun = now();
        goes_on = value_of(value, sizeof(value)) && strcmp(value, "end") != 0;
        double took = now() - begun;
        longest = took > longest ? took : longest;
        reads++;
        if (goes_on && heard)
            say("event", value);
        if (goes_on && strcmp(value, last) != 0) {
            held_on(&held, sleeper, value);
            say("value", value);
        }
        snprintf(last, sizeof(last), "%s", value);
    }
    snprintf(text, sizeof(text), "%lu %.0f", reads, longest * 1000);
    say("ends", text);
    return 0;
}
