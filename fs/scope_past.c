#include "fs/scope_past.h"

#include <time.h>

#include "fs/hidden.h"
#include "store/history.h"

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

/* The newest revision up to rev that changed what is seen in the place. */
static int find_change(struct snapshot *snapshot, uint64_t *out, const struct node *at,
                       uint64_t rev, unsigned looks)
{
    int found = LOOK_ON;
    for (unsigned i = 0; i < looks && found == LOOK_ON; i++) {
        found = history_shown(snapshot, out, at->environment, at->service, rev);
        rev = *out;
    }
    return found == LOOK_ON ? NOT_THERE : found;
}

/* From the newest on back to the one that is asked for: what followed it must be of the last
 * minute. */
static int was_newest_lately(struct snapshot *snapshot, const struct node *place, uint64_t rev,
                             uint64_t newest)
{
    const int64_t since = a_minute_ago();
    uint64_t at = rev;
    int found = find_change(snapshot, &at, place, rev, 1);
    if (found || at != rev)
        return found < 0 ? found : NOT_THERE;
    at = newest;
    for (unsigned i = 0; i < HEADS_MOST && !found && at > rev; i++) {
        struct commit_info commit;
        found = history_commit(snapshot, &commit, at);
        if (!found && commit.time <= since)
            found = NOT_THERE;
        if (!found)
            found = find_change(snapshot, &at, place, at - 1, LOOKS_MOST);
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
    uint64_t rev, newest;
    if (!hidden_parse_revision(&rev, name))
        return NOT_THERE;
    int found = hidden_revision(snapshot, &newest, at, HIDDEN_FOR_CONSUMER);
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
    return was_newest_lately(snapshot, at, rev, newest);
}
