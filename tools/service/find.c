#include "tools/service/find.h"

#include <string.h>

#include "store/error.h"

#define NEAREST_LIMIT 6u      /* half edits: three letters */
#define NEAREST_LOOKED 20000u /* names looked at for a hint, so that a miss costs little */

struct nearest {
    const char *wanted;
    char name[KEY_NAME_MAX + 1];
    unsigned distance;
};

static void consider(struct nearest *nearest, const char *name)
{
    unsigned distance = name_distance(nearest->wanted, name, NEAREST_LIMIT);
    /* half of a short name is another name, not a slip */
    if (distance >= nearest->distance || distance > strlen(nearest->wanted))
        return;
    nearest->distance = distance;
    memcpy(nearest->name, name, strlen(name) + 1);
}

static int missing(const struct nearest *nearest, const struct path *path, const char *what,
                   const char *advice)
{
    char text[PATH_TEXT_MAX];
    path_text(path, text);
    if (nearest->name[0] != '\0')
        return error_set(ERR_NOT_FOUND, "no %s '%s': did you mean '%s'?", what, text,
                         nearest->name);
    return error_set(ERR_NOT_FOUND, "no %s '%s': %s", what, text, advice);
}

int find_environment(struct snapshot *snapshot, struct environment *out, const struct path *path)
{
    int found = snapshot_environment(snapshot, out, path->environment);
    if (found <= 0)
        return found;
    struct nearest nearest = {.wanted = path->environment, .distance = NEAREST_LIMIT + 1};
    struct environment other = {0};
    for (unsigned i = 0; i < NEAREST_LOOKED; i++) {
        char after[KEY_NAME_MAX + 1];
        memcpy(after, other.name, sizeof other.name);
        if (snapshot_next_environment(snapshot, &other, after) != 0)
            break;
        consider(&nearest, other.name);
    }
    struct path only;
    int error = path_make(&only, path->environment, NULL, NULL);
    return error < 0 ? error
                     : missing(&nearest, &only, "environment", "'emsa env ls' lists what is there");
}

int find_service(struct snapshot *snapshot, struct environment *environment, struct service *out,
                 const struct path *path)
{
    int found = find_environment(snapshot, environment, path);
    if (found == 0)
        found = snapshot_service(snapshot, out, environment->id, path->service);
    if (found <= 0)
        return found;
    struct nearest nearest = {.wanted = path->service, .distance = NEAREST_LIMIT + 1};
    struct service other = {0};
    for (unsigned i = 0; i < NEAREST_LOOKED; i++) {
        char after[KEY_NAME_MAX + 1];
        memcpy(after, other.name, sizeof other.name);
        if (snapshot_next_service(snapshot, &other, environment->id, after) != 0)
            break;
        consider(&nearest, other.name);
    }
    struct path only;
    int error = path_make(&only, path->environment, path->service, NULL);
    return error < 0 ? error : missing(&nearest, &only, "service", "'emsa ls' lists what is there");
}

int find_entry(struct snapshot *snapshot, struct environment *environment, struct service *service,
               struct entry *out, const struct path *path)
{
    int found = find_service(snapshot, environment, service, path);
    if (found == 0)
        found = snapshot_entry(snapshot, out, environment->id, service->id, path->key);
    if (found <= 0)
        return found;
    struct nearest nearest = {.wanted = path->key, .distance = NEAREST_LIMIT + 1};
    struct entry other = {0};
    for (unsigned i = 0; i < NEAREST_LOOKED; i++) {
        char after[KEY_NAME_MAX + 1];
        memcpy(after, other.key, sizeof other.key);
        if (snapshot_next_entry(snapshot, &other, environment->id, service->id, after) != 0)
            break;
        consider(&nearest, other.key);
    }
    return missing(&nearest, path, "key", "'emsa ls' lists what is there");
}
