#include "fs/scope_past.h"

#include <string.h>
#include <time.h>

#include "fs/hidden.h"
#include "store/name.h"

#define MINUTE (60ll * 1000000000ll)

/* Newest revisions of a place that are looked at, and how often one is looked for further back. */
#define HEADS_MOST 1024u
#define LOOKS_MOST 16u

static int64_t a_minute_ago(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000000ll + time.tv_nsec - MINUTE;
}

static int path_of(const struct scope *scope, struct snapshot *snapshot, struct path *out,
                   const struct node *at)
{
    struct path path = {0};
    memcpy(path.environment, scope->options->environment, sizeof(path.environment));
    int found = at->service ? snapshot_service_name(snapshot, path.service, at->service) : 0;
    if (!found)
        *out = path;
    return found;
}

/* The newest revision up to rev in which the place changed. */
static int find_change(struct snapshot *snapshot, uint64_t *out, const struct path *path,
                       uint64_t rev, unsigned looks)
{
    int found = LOOK_ON;
    for (unsigned i = 0; i < looks && found == LOOK_ON; i++) {
        found = history_touched(snapshot, out, path, rev);
        rev = *out;
    }
    return found == LOOK_ON ? NOT_THERE : found;
}

/* From the newest on back to the one that is asked for: what followed it must be of the last
 * minute. */
static int was_newest_lately(struct snapshot *snapshot, const struct path *path, uint64_t rev,
                             uint64_t newest)
{
    const int64_t since = a_minute_ago();
    uint64_t at = rev;
    int found = find_change(snapshot, &at, path, rev, 1);
    if (found || at != rev)
        return found < 0 ? found : NOT_THERE;
    at = newest;
    for (unsigned i = 0; i < HEADS_MOST && !found && at > rev; i++) {
        struct commit_info commit;
        found = history_commit(snapshot, &commit, at);
        if (!found && commit.time <= since)
            found = NOT_THERE;
        if (!found)
            found = find_change(snapshot, &at, path, at - 1, LOOKS_MOST);
    }
    return found || at == rev ? found : NOT_THERE;
}

/* What the view was moved away from: who has read `head` just before gets there. */
static bool was_left_lately(const struct scope *scope, uint64_t rev)
{
    return scope_left(scope) == rev && atomic_load(&scope->slot->moved_time) > a_minute_ago();
}

int scope_past_enter(const struct scope *scope, struct snapshot *snapshot, const struct node *at,
                     const char *name)
{
    struct path path;
    uint64_t rev, newest;
    if (!hidden_parse_revision(&rev, name))
        return NOT_THERE;
    int found = hidden_revision(snapshot, &newest, at);
    if (found)
        return found;
    if (rev != 0 && rev <= snapshot_shown(snapshot) && was_left_lately(scope, rev))
        return 0; /* which the place may have been as it is since long before */
    if (rev == 0 || rev > newest)
        return NOT_THERE;
    if (rev == newest || scope->options->history)
        return 0;
    if (snapshot_as_of(snapshot))
        return NOT_THERE;
    found = path_of(scope, snapshot, &path, at);
    return found ? found : was_newest_lately(snapshot, &path, rev, newest);
}
