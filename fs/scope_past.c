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

int scope_past_enter(const struct scope *scope, struct snapshot *snapshot, const struct node *at,
                     const char *name)
{
    uint64_t rev, newest;
    if (!hidden_parse_revision(&rev, name))
        return NOT_THERE;
    int found = hidden_revision(snapshot, &newest, at, HIDDEN_FOR_CONSUMER);
    if (found)
        return found;
    if (rev == 0 || rev > newest)
        return NOT_THERE;
    if (rev == newest || scope->options->history)
        return 0;
    return was_newest_lately(snapshot, at, rev, newest);
}
