#include "store/model/due.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/error.h"
#include "store/log/state.h"

#define KEYS_NAMED 3u /* in a reason */

/* The places that a record of the index speaks of. NOT_THERE: it speaks of none. */
static int find_names(struct judge *judge, const struct expiry *due,
                      char environment[static ENVIRONMENT_NAME_MAX + 1],
                      const struct place_state **place, struct entry *entry)
{
    char service_name[SERVICE_NAME_MAX + 1], key[KEY_NAME_MAX + 1];
    struct txn *txn = judge->index->txn;
    uint32_t service, before;
    int found = state_name(txn, &service, key, due->name_id);
    if (!found)
        found = state_current(txn, entry, due->environment, service, key);
    if (!found)
        found = state_environment_name(txn, environment, &before, due->environment);
    if (!found)
        found = state_service_name(txn, service_name, service);
    if (!found)
        found = index_place(judge->index, place, due->environment, service_name);
    return found;
}

static int drop(struct judge *judge, const struct expiry *due)
{
    char environment[ENVIRONMENT_NAME_MAX + 1];
    const struct place_state *place;
    struct entry entry;
    const int found = find_names(judge, due, environment, &place, &entry);
    if (found < 0)
        return found;
    if (found || entry.name_id != due->name_id || entry.expires != due->moment)
        return error_set(ERR_CORRUPT,
                         "the index of what expires names key %" PRIu64
                         " of environment %u, which does not expire then (emsa verify)",
                         due->name_id, due->environment);
    const struct service service = place->is; /* the place is the index's, which goes on */
    const char *key = gather_copy(judge->gather, entry.key, strlen(entry.key));
    if (!key)
        return -ERR_NOMEM;
    return judge_drop_entry(judge, &service, &entry, environment, key, due->moment);
}

int judge_due(struct judge *judge)
{
    struct expiry due;
    int found = 0;
    /* Each that was dropped is gone from the index: the first is always the next. */
    while (!found && judge->plan->count < COMMIT_OPERATIONS_MAX) {
        found = state_next_expiry(judge->index->txn, &due, NULL);
        if (!found && due.moment > judge->now)
            return 0;
        if (!found)
            found = drop(judge, &due);
    }
    return found < 0 ? found : 0;
}

void due_author(struct author *out, const struct plan *plan)
{
    uint64_t first = UINT64_MAX, last = 0;
    for (size_t i = 0; i < plan->line_count; i++) {
        const uint64_t rev = plan->lines[i].was_rev;
        first = rev < first ? rev : first;
        last = rev > last ? rev : last;
    }
    *out = (struct author){0};
    if (first == last)
        snprintf(out->name, sizeof out->name, "emsa (expiry of rev %" PRIu64 ")", first);
    else
        snprintf(out->name, sizeof out->name, "emsa (expiry of revs %" PRIu64 " to %" PRIu64 ")",
                 first, last);
}

static void moment_text(char out[static 32], int64_t moment)
{
    const time_t seconds = (time_t)(moment / 1000000000);
    struct tm tm;
    if (!gmtime_r(&seconds, &tm) || strftime(out, 32, "%Y-%m-%dT%H:%M:%SZ", &tm) == 0)
        snprintf(out, 32, "its time");
}

void due_reason(char out[static DUE_REASON_MAX], const struct plan *plan)
{
    char when[32];
    size_t size = 0;
    moment_text(when, plan->line_count ? plan->lines[0].expires : 0);
    if (plan->line_count == 1)
        size += (size_t)snprintf(out, DUE_REASON_MAX, "expired at %s: ", when);
    else
        size += (size_t)snprintf(out, DUE_REASON_MAX,
                                 "%zu keys expired, the first at %s: ", plan->line_count, when);
    for (size_t i = 0; i < plan->line_count && i < KEYS_NAMED; i++) {
        char text[PATH_TEXT_MAX];
        path_text(&plan->lines[i].path, text);
        if (size + strlen(text) + 32 > DUE_REASON_MAX)
            break;
        size += (size_t)snprintf(out + size, DUE_REASON_MAX - size, "%s%s", i ? ", " : "", text);
    }
    if (plan->line_count > KEYS_NAMED)
        snprintf(out + size, DUE_REASON_MAX - size, " and %zu more", plan->line_count - KEYS_NAMED);
}
