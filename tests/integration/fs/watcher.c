#include "tests/integration/fs/watcher.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tests/integration/fs/server.h"

void watcher_init(struct watcher *watcher)
{
    memset(watcher, 0, sizeof(*watcher));
    watcher->fd = inotify_init1(IN_CLOEXEC);
    if (watcher->fd < 0)
        give_up("cannot make an inotify instance");
}

void watcher_release(struct watcher *watcher)
{
    close(watcher->fd);
}

void watcher_add(struct watcher *watcher, const char *name, const char *path, uint32_t mask)
{
    int watch = inotify_add_watch(watcher->fd, path, mask);
    if (watch < 0 || watcher->count == WATCHES)
        give_up("cannot watch '%s'", path);
    snprintf(watcher->names[watcher->count], sizeof(watcher->names[0]), "%s", name);
    watcher->watches[watcher->count++] = watch;
}

const struct inotify_event *watcher_next(struct watcher *watcher, const char **name)
{
    while (watcher->at >= watcher->size) {
        watcher->size = read(watcher->fd, watcher->buffer, sizeof(watcher->buffer));
        watcher->at = 0;
        if (watcher->size < 0 && errno != EINTR)
            give_up("cannot read events");
    }
    const struct inotify_event *event = (const void *)(watcher->buffer + watcher->at);
    watcher->at += (ssize_t)(sizeof(*event) + event->len);
    *name = NULL;
    for (unsigned i = 0; i < watcher->count; i++)
        if (watcher->watches[i] == event->wd)
            *name = watcher->names[i];
    return event;
}

static const char *word(uint32_t mask)
{
    static const struct {
        uint32_t mask;
        const char *word;
    } words[] = {{IN_OPEN, "OPEN"},          {IN_MODIFY, "MODIFY"},
                 {IN_ATTRIB, "ATTRIB"},      {IN_CLOSE_WRITE, "CLOSE_WRITE"},
                 {IN_CREATE, "CREATE"},      {IN_DELETE, "DELETE"},
                 {IN_IGNORED, "IGNORED"},    {IN_DELETE_SELF, "DELETE_SELF"},
                 {IN_Q_OVERFLOW, "OVERFLOW"}};
    for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++)
        if (mask & words[i].mask)
            return words[i].word;
    return "?";
}

struct story { /* as text */
    char text[8192];
    size_t used;
};

static void add(struct story *story, const char *name, const struct inotify_event *event)
{
    story->used += (size_t)snprintf(story->text + story->used, sizeof(story->text) - story->used,
                                    "%s%s:%s%s%s%s", story->used ? " " : "", name ? name : "?",
                                    word(event->mask), event->mask & IN_ISDIR ? "/" : "",
                                    event->len ? "|" : "", event->len ? event->name : "");
    if (story->used >= sizeof(story->text))
        give_up("too many events");
}

const char *watcher_until(struct watcher *watcher, const char *last)
{
    static struct story story;
    story = (struct story){0};
    for (;;) {
        const char *name;
        const struct inotify_event *event = watcher_next(watcher, &name);
        if (!name || strcmp(name, last) != 0)
            add(&story, name, event);
        else if (event->mask & IN_CLOSE_WRITE)
            return story.text;
    }
}

const char *watcher_take(struct watcher *watcher, unsigned count)
{
    static struct story story;
    story = (struct story){0};
    for (unsigned i = 0; i < count; i++) {
        const char *name;
        const struct inotify_event *event = watcher_next(watcher, &name);
        add(&story, name, event);
    }
    return story.text;
}
