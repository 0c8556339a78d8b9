#include "tools/service/denials.h"

#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/name.h"

#define FILE_NAME "denials"
#define OLD_NAME "denials.old"

void denials_init(struct denials *denials)
{
    *denials = (struct denials){0};
    (void)pthread_mutex_init(&denials->mutex, NULL);
}

void denials_release(struct denials *denials)
{
    (void)pthread_mutex_destroy(&denials->mutex);
}

static int open_file(int folder)
{
    return openat(folder, FILE_NAME, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
}

/* The file to append to, a new one where it has grown too large; or -1. */
static int open_denials(const char *path)
{
    int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return -1;
    struct stat status;
    int fd = open_file(folder);
    if (fd >= 0 && fstat(fd, &status) == 0 && status.st_size >= DENIALS_BYTES) {
        close(fd);
        fd = renameat(folder, FILE_NAME, folder, OLD_NAME) == 0 ? open_file(folder) : -1;
    }
    close(folder);
    return fd;
}

/* One write of one line, so that lines of several processes stay whole. */
__attribute__((format(printf, 3, 4))) static void append(int fd, int64_t time, const char *format,
                                                         ...)
{
    char line[PATH_TEXT_MAX + 256];
    struct tm parts;
    time_t seconds = (time_t)time;
    size_t size = gmtime_r(&seconds, &parts) == NULL
                      ? 0
                      : strftime(line, sizeof line, "%Y-%m-%dT%H:%M:%SZ ", &parts);
    va_list arguments;
    va_start(arguments, format);
    int length = vsnprintf(line + size, sizeof line - size, format, arguments);
    va_end(arguments);
    if (length <= 0 || (size_t)length >= sizeof line - size)
        return;
    ssize_t written = write(fd, line, size + (size_t)length);
    (void)written; /* as the header says */
}

/* The user's place, or that of the one who was silent longest. */
static struct denied_user *find_user(struct denials *denials, uid_t uid)
{
    struct denied_user *oldest = &denials->users[0];
    for (size_t i = 0; i < DENIALS_USERS; i++) {
        struct denied_user *user = &denials->users[i];
        if (user->minute != 0 && user->uid == uid)
            return user;
        if (user->minute < oldest->minute)
            oldest = user;
    }
    return oldest;
}

static void tell_left_out(const struct denied_user *user, int fd, int64_t time)
{
    if (user->left_out > 0)
        append(fd, time, "uid=%u and %" PRIu64 " more, not written down\n", (unsigned)user->uid,
               user->left_out);
}

/* With the mutex. */
static void add(struct denials *denials, const char *folder, int64_t time,
                const struct caller *caller, const char *method, const char *path)
{
    struct denied_user *user = find_user(denials, caller->uid);
    bool is_known = user->minute != 0 && user->uid == caller->uid;
    if (is_known && user->minute == time / 60 && user->lines >= DENIALS_A_MINUTE) {
        user->left_out++;
        return;
    }
    int fd = open_denials(folder);
    if (fd < 0)
        return;
    if (!is_known || user->minute != time / 60) {
        tell_left_out(user, fd, time);
        *user = (struct denied_user){.uid = caller->uid, .minute = time / 60};
    }
    user->lines++;
    append(fd, time, "uid=%u gid=%u pid=%d %s \"%s\"\n", (unsigned)caller->uid,
           (unsigned)caller->gid, (int)caller->pid, method, path);
    close(fd);
}

void denials_add(struct denials *denials, const char *folder, int64_t time,
                 const struct caller *caller, const char *method, const char *path)
{
    pthread_mutex_lock(&denials->mutex);
    add(denials, folder, time, caller, method, path);
    pthread_mutex_unlock(&denials->mutex);
}
