#include "tools/run/change.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

#include "tools/run/say.h"

#define EVENTS                                                                                     \
    (IN_CREATE | IN_DELETE | IN_MODIFY | IN_ATTRIB | IN_MOVE | IN_CLOSE_WRITE | IN_ONLYDIR)

static int watch_place(struct change *change, const struct place *place)
{
    change->watch = inotify_add_watch(change->inotify, place->path, EVENTS);
    if (change->watch < 0)
        return say("cannot watch '%s': %s%s", place->path, strerror(errno),
                   errno == ENOSPC ? " (fs.inotify.max_user_watches)" : "");
    change->device = place->device;
    return 0;
}

int change_begin(struct change *out, const char *directory, const struct place *place)
{
    struct change change = CHANGE_INIT;
    change.directory = directory;
    change.inotify = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
    if (change.inotify < 0)
        return say("cannot watch '%s': %s%s", place->path, strerror(errno),
                   errno == EMFILE ? " (fs.inotify.max_user_instances)" : "");
    int refused = watch_place(&change, place);
    if (refused) {
        change_end(&change);
        return refused;
    }
    change.table = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
    *out = change;
    return 0;
}

void change_end(struct change *change)
{
    if (change->inotify >= 0)
        close(change->inotify);
    if (change->table >= 0)
        close(change->table);
    change->inotify = change->watch = change->table = -1;
}

void change_polls(const struct change *change, struct pollfd out[static CHANGE_POLLS])
{
    out[0] = (struct pollfd){.fd = change->inotify, .events = POLLIN};
    out[1] = (struct pollfd){.fd = change->table, .events = POLLPRI};
}

/* Takes all events; whether the watch itself has ended. */
static bool take_events(struct change *change)
{
    char buffer[4096] __attribute__((aligned(8)));
    bool has_ended = false;
    for (ssize_t size; (size = read(change->inotify, buffer, sizeof buffer)) > 0;)
        for (char *at = buffer; at < buffer + size;) {
            const struct inotify_event *event = (const struct inotify_event *)(void *)at;
            if (event->wd == change->watch && (event->mask & IN_IGNORED))
                has_ended = true;
            at += sizeof *event + event->len;
        }
    return has_ended;
}

/* Watches what stands there now, before anybody reads it. */
static bool follow(struct change *change, const struct place *place)
{
    if (change->watch >= 0 && place->device == change->device)
        return true;
    if (change->watch >= 0)
        (void)inotify_rm_watch(change->inotify, change->watch);
    change->watch = -1;
    return watch_place(change, place) == 0;
}

/* A service that was removed and may come back has its watch all the while; a mount that went does
 * not, and the mount table says when there is another. */
static void tell_gone(struct change *change)
{
    if (!change->is_gone)
        (void)say("there is no service at '%s' any more: the command keeps what it has until there "
                  "is one again",
                  change->directory);
    change->is_gone = true;
}

bool change_look(struct change *change, const struct pollfd polls[static CHANGE_POLLS],
                 struct place *out)
{
    struct place place = PLACE_INIT;
    if (polls[0].revents == 0 && polls[1].revents == 0)
        return false;
    if (polls[0].revents != 0 && take_events(change))
        change->watch = -1;
    if (place_open(&place, change->directory, true) != 0) {
        tell_gone(change);
        return false;
    }
    change->is_gone = false;
    if (!follow(change, &place)) {
        place_close(&place);
        return false;
    }
    *out = place;
    return true;
}
