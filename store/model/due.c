#include "store/model/due.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/error.h"
#include "store/log/state.h"

#define KEYS_NAMED 3u /* in a reason */
/* Operations of one commit: what ends beneath many environments ends in all of them, and the rest
 * is as due in the next. */
#define DUE_MAX 16384u

/* The places that a record of the index speaks of. NOT_THERE: it speaks of none. */
static int find_names(struct judge *judge, const struct expiry *due,
                      char environment[static ENVIRONMENT_NAME_MAX + 1],
                      const struct place_state **place, struct spot *entry)
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
    struct spot entry;
    const int found = find_names(judge, due, environment, &place, &entry);
    if (found < 0)
        return found;
    if (found || !spot_is_own(&entry) || entry.name_id != due->name_id ||
        entry.expires != due->moment)
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

static int drop_environment(struct judge *judge, const struct expiry *due)
{
    char text[ENVIRONMENT_NAME_MAX + 1];
    const struct environment_state *state;
    uint32_t before;
    int found = state_environment_name(judge->index->txn, text, &before, due->environment);
    if (!found)
        found = index_environment(judge->index, &state, text);
    if (found < 0)
        return found;
    if (found || !state->alive || state->is.id != due->environment)
        return error_set(ERR_CORRUPT,
                         "the index of what expires names environment %u, which is not there "
                         "(emsa verify)",
                         due->environment);
    const struct environment is = state->is;
    const char *name = gather_copy(judge->gather, text, strlen(text));
    return name ? judge_drop_environment(judge, &is, name, due->moment, DUE_MAX) : -ERR_NOMEM;
}

int judge_due(struct judge *judge)
{
    struct expiry due;
    int found = 0;
    judge->is_due = true;
    /* Each that was dropped is gone from the index: the first is always the next. */
    while (!found && judge->plan->count < DUE_MAX) {
        found = state_next_expiry(judge->index->txn, &due, NULL);
        if (!found && due.moment > judge->now)
            return 0;
        if (!found)
            found = due.name_id ? drop(judge, &due) : drop_environment(judge, &due);
    }
    return found < 0 ? found : 0;
}

/* The next line of what had its end, from *at on; the rest went with it. Where an environment went
 * only in part, no line has one: then all count. NULL past the last. */
static const struct change_line *next_end(const struct plan *plan, size_t *at, bool all)
{
    while (*at < plan->line_count) {
        const struct change_line *line = &plan->lines[(*at)++];
        if (all || line->expires)
            return line;
    }
    return NULL;
}

/* How many had their end; *all: none is marked, and it is all of them. */
static size_t count_ends(const struct plan *plan, bool *all)
{
    size_t at = 0, count = 0;
    while (next_end(plan, &at, false))
        count++;
    *all = count == 0;
    return *all ? plan->line_count : count;
}

void due_author(struct author *out, const struct plan *plan)
{
    uint64_t first = UINT64_MAX, last = 0;
    size_t at = 0;
    bool all;
    const struct change_line *line;
    count_ends(plan, &all);
    while ((line = next_end(plan, &at, all))) {
        first = line->was_rev < first ? line->was_rev : first;
        last = line->was_rev > last ? line->was_rev : last;
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
    size_t size = 0, at = 0;
    bool all;
    const struct change_line *line;
    const size_t count = count_ends(plan, &all);
    line = next_end(plan, &at, all);
    moment_text(when, line ? line->expires : 0);
    if (count == 1)
        size += (size_t)snprintf(out, DUE_REASON_MAX, "expired at %s: ", when);
    else
        size += (size_t)snprintf(out, DUE_REASON_MAX,
                                 "%zu places expired, the first at %s: ", count, when);
    for (size_t i = 0; line && i < KEYS_NAMED; i++) {
        char text[PATH_TEXT_MAX];
        change_line_text(line, text);
        if (size + strlen(text) + 32 > DUE_REASON_MAX)
            break;
        size += (size_t)snprintf(out + size, DUE_REASON_MAX - size, "%s%s", i ? ", " : "", text);
        line = next_end(plan, &at, all);
    }
    if (count > KEYS_NAMED)
        snprintf(out + size, DUE_REASON_MAX - size, " and %zu more", count - KEYS_NAMED);
}
