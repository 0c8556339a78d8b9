#include "tools/service/rights.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/error.h"

#define DENIALS "denials"

void caller_text(const struct caller *caller, char *out, size_t capacity)
{
    char buffer[1024];
    struct passwd entry;
    struct passwd *found = NULL;
    snprintf(out, capacity, "uid %u", (unsigned)caller->uid);
    FILE *users = fopen("/etc/passwd", "re");
    if (users == NULL)
        return;
    while (fgetpwent_r(users, &entry, buffer, sizeof buffer, &found) == 0) {
        if (found->pw_uid != caller->uid)
            continue;
        snprintf(out, capacity, "uid %u (%s)", (unsigned)caller->uid, found->pw_name);
        break;
    }
    fclose(users);
}

/* One write of one line, so that lines of several threads and processes stay whole. What cannot be
 * written down is still denied. */
static void record_denial(struct store *store, const struct caller *caller, const char *method,
                          const char *path)
{
    int folder = open(store_path(store), O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (folder < 0)
        return;
    int fd = openat(folder, DENIALS, O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
    close(folder);
    if (fd < 0)
        return;
    char line[PATH_TEXT_MAX + 256];
    char when[32] = "";
    time_t now = time(NULL);
    struct tm parts;
    if (gmtime_r(&now, &parts) != NULL)
        strftime(when, sizeof when, "%Y-%m-%dT%H:%M:%SZ", &parts);
    int length =
        snprintf(line, sizeof line, "%s uid=%u gid=%u pid=%d %s \"%s\"\n", when,
                 (unsigned)caller->uid, (unsigned)caller->gid, (int)caller->pid, method, path);
    if (length > 0 && (size_t)length < sizeof line && write(fd, line, (size_t)length) != length)
        errno = 0;
    close(fd);
}

static bool owns(struct store *store, const struct caller *caller)
{
    struct stat folder;
    if (caller->uid == 0)
        return true;
    return stat(store_path(store), &folder) == 0 && folder.st_uid == caller->uid;
}

int rights_judge(struct store *store, const struct caller *caller, enum right right,
                 const char *method, const struct path *path)
{
    char text[PATH_TEXT_MAX];
    char who[AUTHOR_MAX + 1];
    if (right == RIGHT_NONE || owns(store, caller))
        return 0;
    record_denial(store, caller, method, path_text(path, text));
    caller_text(caller, who, sizeof who);
    error_set(ERR_DENIED, "%s has no right to %s '%s'", who, method, text);
    return error_add(ERR_DENIED,
                     "root and the owner of the store have: try it as one of them (sudo emsa ...)");
}
