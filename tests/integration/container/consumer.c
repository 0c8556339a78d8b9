/*
 * What runs in a container and does what a service does with its values. Static: the image has no
 * libc.
 *
 *   consumer watch FILE LAST OUT    is told of the file and its folder by inotify; ends well when
 * the value is LAST consumer read FILE OUT          opens, reads and closes again and again, until
 * SIGTERM; an error ends it with 1
 *
 * OUT (a FIFO, a file, /dev/stdout) is appended to, a line of less than PIPE_BUF bytes at a time,
 * so that many may share it: first "ready", then for watch each event with the value that was
 * there: "MODIFY 9090", and for read at its end "COUNT reads".
 */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <unistd.h>

static volatile sig_atomic_t over;

static void on_end(int signal)
{
    (void)signal;
    over = 1;
}

__attribute__((format(printf, 2, 3))) static void tell(int out, const char *format, ...)
{
    char line[PIPE_BUF];
    va_list words;
    va_start(words, format);
    int size = vsnprintf(line, sizeof(line), format, words);
    va_end(words);
    if (size < 0 || write(out, line, (size_t)size) != size)
        exit(2);
}

/* The value of the file; ends the process with what was wrong. */
static void take(char *value, size_t room, const char *file, int out)
{
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? -1 : read(fd, value, room - 1);
    if (size <= 0) {
        tell(out, "error %s: %s\n", file, size < 0 ? strerror(errno) : "nothing in it");
        exit(1);
    }
    value[size] = 0;
    close(fd);
}

static const char *name_of(uint32_t mask)
{
    return mask & IN_MODIFY   ? "MODIFY"
           : mask & IN_CREATE ? "CREATE"
           : mask & IN_DELETE ? "DELETE"
                              : "other";
}

static int watch(const char *file, const char *last, int out)
{
    char folder[PATH_MAX], value[4096] = "";
    char events[4096] __attribute__((aligned(__alignof__(struct inotify_event))));
    int watcher = inotify_init1(IN_CLOEXEC);
    snprintf(folder, sizeof(folder), "%s", file);
    if (inotify_add_watch(watcher, file, IN_MODIFY) < 0 ||
        inotify_add_watch(watcher, dirname(folder), IN_CREATE | IN_DELETE) < 0) {
        tell(out, "error %s: cannot be watched: %s\n", file, strerror(errno));
        return 1;
    }
    tell(out, "ready\n");
    while (strcmp(value, last) != 0) {
        ssize_t size = read(watcher, events, sizeof(events));
        if (size <= 0)
            return 1;
        for (ssize_t at = 0; at < size;) {
            const struct inotify_event *event = (const struct inotify_event *)(events + at);
            take(value, sizeof(value), file, out);
            tell(out, "%s%s%s %s\n", name_of(event->mask), event->len ? " " : "",
                 event->len ? event->name : "", value);
            at += (ssize_t)(sizeof(*event) + event->len);
        }
    }
    return 0;
}

static int read_on(const char *file, int out)
{
    char value[4096];
    unsigned long count = 0;
    struct sigaction action = {.sa_handler = on_end};
    sigaction(SIGTERM, &action, NULL);
    while (!over) {
        take(value, sizeof(value), file, out);
        if (count++ == 0)
            tell(out, "ready\n");
        poll(NULL, 0, 1); /* fifty of them, and others, share the processor */
    }
    tell(out, "%lu reads\n", count);
    return 0;
}

int main(int count, char **words)
{
    int out = count < 4 ? -1 : open(words[count - 1], O_WRONLY | O_APPEND | O_CLOEXEC);
    if (out >= 0 && count == 5 && strcmp(words[1], "watch") == 0)
        return watch(words[2], words[3], out);
    if (out >= 0 && count == 4 && strcmp(words[1], "read") == 0)
        return read_on(words[2], out);
    fprintf(stderr, "usage: consumer watch FILE LAST OUT | consumer read FILE OUT\n");
    return 2;
}
