#include "tools/service/rights.h"

#include <pwd.h>
#include <stdio.h>
#include <sys/stat.h>
#include <time.h>

#include "store/error.h"
#include "tools/service/denials.h"
#include "tools/service/verb.h"

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

static bool owns(struct store *store, const struct caller *caller)
{
    struct stat folder;
    if (caller->uid == 0)
        return true;
    return stat(store_path(store), &folder) == 0 && folder.st_uid == caller->uid;
}

bool rights_hold(struct dispatcher *service, const struct caller *caller, enum right right,
                 const struct path *path)
{
    (void)path;
    return right == RIGHT_NONE || owns(service->store, caller);
}

int rights_judge(struct dispatcher *service, const struct caller *caller, enum right right,
                 const char *method, const struct path *path)
{
    char text[PATH_TEXT_MAX];
    char who[AUTHOR_MAX + 1];
    if (rights_hold(service, caller, right, path))
        return 0;
    denials_add(&service->denials, store_path(service->store), time(NULL), caller, method,
                path_text(path, text));
    caller_text(caller, who, sizeof who);
    error_set(ERR_DENIED, "%s has no right to %s '%s'", who, method, text);
    return error_add(ERR_DENIED,
                     "root and the owner of the store have: try it as one of them (sudo emsa ...)");
}
