/*
 * What there was at a revision (store/history.h). What a key was worth then is in the history of
 * spots (snapshot_entry_at); here is what stood around it: environments and services by their
 * records of presence, names in their order; and what revisions are called.
 */
#include <string.h>

#include "store/error.h"
#include "store/history.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"
#include "store/model/core.h"
#include "store/model/leak.h"
#include "store/model/resolve.h"

/* Ids that are never given. A name that nobody ever had is looked for all the same, by these: who
 * asks in one environment can't measure that it is there in another. */
#define NO_SERVICE UINT32_MAX
#define NO_NAME UINT64_MAX

/* Revisions that one call of history_shown looks at before it says "look on". */
#define REVISIONS_A_CALL 256

static int stands(struct snapshot *snapshot, uint32_t environment, uint32_t service, uint64_t rev)
{
    struct presence presence;
    const int found = state_presence(snapshot_txn(snapshot), &presence, environment, service, rev);
    return found ? found : presence.is_there ? 0 : NOT_THERE;
}

int history_stands(struct snapshot *snapshot, uint32_t environment, uint32_t service, uint64_t rev)
{
    int found = stands(snapshot, environment, 0, rev);
    if (!found && service)
        found = stands(snapshot, environment, service, rev);
    return snapshot_answer(snapshot, found);
}

/* Of all that ever had a name, newest first, the one that stood at a revision. */
static int of_that_name(struct snapshot *snapshot, uint32_t *id, uint32_t newest, uint64_t rev)
{
    char name[ENVIRONMENT_NAME_MAX + 1];
    struct presence presence;
    for (uint32_t next = newest, before; next; next = before) {
        int found = state_presence(snapshot_txn(snapshot), &presence, next, 0, rev);
        if (found < 0)
            return found;
        if (!found && !presence.is_there)
            return NOT_THERE; /* and those before it had gone by then */
        if (!found) {
            *id = next;
            return 0;
        }
        found = state_environment_name(snapshot_txn(snapshot), name, &before, next);
        if (found)
            return found < 0 ? found : error_set(ERR_CORRUPT, "environment %u has no name", next);
    }
    return NOT_THERE;
}

int history_environment(struct snapshot *snapshot, uint32_t *id, const char *name, uint64_t rev)
{
    struct environment_state state;
    int found = state_environment(snapshot_txn(snapshot), &state, name);
    if (!found)
        found = of_that_name(snapshot, id, state.is.id, rev);
    return snapshot_answer(snapshot, found);
}

int history_next_environment(struct snapshot *snapshot, uint32_t *id,
                             char name[static ENVIRONMENT_NAME_MAX + 1], uint64_t rev)
{
    struct environment_state state = {0};
    const char *after = name;
    int found;
    while (!(found = state_next_environment(snapshot_txn(snapshot), &state, after))) {
        found = of_that_name(snapshot, id, state.is.id, rev);
        if (found != NOT_THERE)
            break;
        after = state.is.name;
    }
    if (!found)
        memcpy(name, state.is.name, sizeof state.is.name);
    return snapshot_answer(snapshot, found);
}

int history_service(struct snapshot *snapshot, uint32_t *service, uint32_t environment,
                    const char *name, uint64_t rev)
{
    uint32_t id = 0;
    int found = state_service_id(snapshot_txn(snapshot), &id, name);
    if (found == NOT_THERE)
        id = NO_SERVICE;
    if (found >= 0)
        found = stands(snapshot, environment, id, rev);
    if (!found)
        *service = id;
    return snapshot_answer(snapshot, found);
}

int history_next_service(struct snapshot *snapshot, uint32_t *service,
                         char name[static SERVICE_NAME_MAX + 1], uint32_t environment, uint64_t rev)
{
    struct place_state state = {0};
    const char *after = name;
    int found;
    while (!(found = state_next_place(snapshot_txn(snapshot), &state, environment, after))) {
        found = stands(snapshot, environment, state.is.id, rev);
        if (found != NOT_THERE)
            break;
        after = state.is.name;
    }
    if (!found) {
        *service = state.is.id;
        memcpy(name, state.is.name, sizeof state.is.name);
    }
    return snapshot_answer(snapshot, found);
}

int history_next_name(struct snapshot *snapshot, uint64_t *name_id,
                      char key[static KEY_NAME_MAX + 1], uint32_t service)
{
    return snapshot_answer(snapshot,
                           state_next_name(snapshot_txn(snapshot), name_id, key, service));
}

int history_entry(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                  uint32_t service, const char *key, uint64_t rev)
{
    uint64_t name_id;
    const int found = state_name_id(snapshot_txn(snapshot), &name_id, service, key);
    if (found < 0)
        return snapshot_answer(snapshot, found);
    if (found)
        name_id = NO_NAME;
    return snapshot_entry_at(snapshot, out, environment, name_id, rev);
}

/* Whether a service is now what it was at a revision, so that what there is now need not be picked
 * from all that ever was. */
static int is_unchanged(struct snapshot *snapshot, uint32_t environment, uint32_t service,
                        uint64_t rev)
{
    char name[SERVICE_NAME_MAX + 1];
    struct place_state place;
    int found = state_service_name(snapshot_txn(snapshot), name, service);
    if (!found)
        found = state_place(snapshot_txn(snapshot), &place, environment, name);
    if (found)
        return found < 0 ? found : 0;
    return place.alive && place.is.changed_rev <= rev;
}

int history_next_entry(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                       uint32_t service, const char *after, uint64_t rev)
{
    char key[KEY_NAME_MAX + 1];
    uint64_t name_id;
    int found = is_unchanged(snapshot, environment, service, rev);
    if (found < 0)
        return snapshot_answer(snapshot, found);
    if (found)
        return snapshot_next_now(snapshot, out, environment, service, after);
    const size_t size = strnlen(after, sizeof key - 1);
    memcpy(key, after, size);
    key[size] = '\0';
    while (!(found = history_next_name(snapshot, &name_id, key, service))) {
        found = snapshot_entry_at(snapshot, out, environment, name_id, rev);
        if (found != NOT_THERE)
            break;
    }
    return found;
}

/* --- names and definitions --- */

int history_service_id(struct snapshot *snapshot, uint32_t *service, const char *name)
{
    return snapshot_answer(snapshot, state_service_id(snapshot_txn(snapshot), service, name));
}

int history_name(struct snapshot *snapshot, uint64_t *name_id, const char *service, const char *key)
{
    struct txn *txn = snapshot_txn(snapshot);
    uint32_t id;
    int found = state_service_id(txn, &id, service);
    if (!found)
        found = state_name_id(txn, name_id, id, key);
    return snapshot_answer(snapshot, found);
}

int history_path(struct snapshot *snapshot, struct path *out, uint32_t environment,
                 uint64_t name_id)
{
    struct txn *txn = snapshot_txn(snapshot);
    struct path path = {0};
    uint32_t before, service;
    int found = state_environment_name(txn, path.environment, &before, environment);
    if (!found)
        found = state_name(txn, &service, path.key, name_id);
    if (!found)
        found = state_service_name(txn, path.service, service);
    if (found > 0)
        found = error_set(ERR_CORRUPT, "a key that never was is named");
    if (!found)
        *out = path;
    return snapshot_answer(snapshot, found);
}

int history_definition(struct snapshot *snapshot, struct definition *out, int64_t *expires,
                       uint32_t environment, uint64_t name_id, uint64_t rev)
{
    struct spot spot;
    struct txn *txn = snapshot_txn(snapshot);
    int found = state_moment(txn, &spot, environment, name_id, rev);
    if (!found && !spot_is_own(&spot))
        found = NOT_THERE;
    if (!found)
        found = state_name(txn, &spot.service, spot.key, name_id);
    if (!found) {
        *out = spot_definition(&spot);
        *expires = spot.expires;
    }
    return snapshot_answer(snapshot, found);
}

int snapshot_secrets_differ(struct snapshot *snapshot, const struct definition *a,
                            const struct definition *b, bool are_set)
{
    return snapshot_answer(snapshot, leak_differ(snapshot_txn(snapshot), a, b, are_set));
}

/* --- tags --- */

static void fill_tag(struct tag *out, const struct state_tag *tag)
{
    out->rev = tag->rev;
    out->said_rev = tag->said_rev;
    out->said_op = tag->said_op;
    memcpy(out->name, tag->name, sizeof out->name);
}

int history_tag(struct snapshot *snapshot, struct tag *out, const char *name)
{
    struct state_tag tag = {0};
    const size_t size = strlen(name);
    if (!size || size > TAG_NAME_MAX)
        return NOT_THERE;
    memcpy(tag.name, name, size);
    const int found = state_tag(snapshot_txn(snapshot), &tag);
    if (!found)
        fill_tag(out, &tag);
    return snapshot_answer(snapshot, found);
}

int history_next_tag(struct snapshot *snapshot, struct tag *at)
{
    struct state_tag tag = {0};
    memcpy(tag.name, at->name, sizeof tag.name);
    const int found = state_next_tag(snapshot_txn(snapshot), &tag);
    if (!found)
        fill_tag(at, &tag);
    return snapshot_answer(snapshot, found);
}

/* --- outcomes, which stand in the order of places --- */

struct sought {
    uint32_t environment;
    uint32_t service;
    uint64_t name_id;
};

static bool is_behind(const struct outcome *outcome, const struct sought *sought)
{
    if (outcome->environment != sought->environment)
        return outcome->environment > sought->environment;
    if (outcome->service != sought->service)
        return outcome->service > sought->service;
    return outcome->name_id > sought->name_id;
}

/* How many of the commit's outcomes stand at or before the place: by halves. */
static int count_upto(struct snapshot *snapshot, uint32_t *count, const struct sought *sought,
                      uint64_t rev)
{
    struct outcome outcome;
    uint32_t low = 0, high = 1; /* of which is known: those below low are not behind it */
    for (;;) {
        const int found = history_outcome(snapshot, &outcome, rev, high - 1);
        if (found < 0)
            return found;
        if (found || is_behind(&outcome, sought))
            break;
        low = high;
        high *= 2;
    }
    for (high--; low < high;) {
        const uint32_t middle = low + (high - low) / 2;
        const int found = history_outcome(snapshot, &outcome, rev, middle);
        if (found < 0)
            return found;
        if (found || is_behind(&outcome, sought))
            high = middle;
        else
            low = middle + 1;
    }
    *count = low;
    return 0;
}

int history_outcome_of(struct snapshot *snapshot, uint32_t *index, uint32_t environment,
                       uint32_t service, uint64_t name_id, uint64_t rev)
{
    const struct sought sought = {environment, service, name_id};
    struct outcome outcome;
    uint32_t count = 0;
    int found = count_upto(snapshot, &count, &sought, rev);
    if (!found && !count)
        return NOT_THERE;
    /* the last of the place: of a key that went and came it is the coming */
    if (!found)
        found = history_outcome(snapshot, &outcome, rev, count - 1);
    if (found)
        return found;
    if (outcome.environment != environment || outcome.service != service ||
        outcome.name_id != name_id || outcome.mark == '-')
        return NOT_THERE;
    *index = count - 1;
    return 0;
}

/* Whether a commit has an outcome in a place: 0, NOT_THERE or a failure. */
static int is_seen_in(struct snapshot *snapshot, uint32_t environment, uint32_t service,
                      uint64_t rev)
{
    const struct sought last = {environment, service ? service : UINT32_MAX, UINT64_MAX};
    struct outcome outcome;
    uint32_t count = 0;
    int found = count_upto(snapshot, &count, &last, rev);
    if (!found)
        found = count ? history_outcome(snapshot, &outcome, rev, count - 1) : NOT_THERE;
    if (!found && (outcome.environment != environment || (service && outcome.service != service)))
        found = NOT_THERE;
    return found;
}

int history_shown(struct snapshot *snapshot, uint64_t *found, uint32_t environment,
                  uint32_t service, uint64_t rev)
{
    if (rev > snapshot_revision(snapshot))
        rev = snapshot_revision(snapshot);
    for (unsigned looked = 0; rev; rev--, looked++) {
        if (looked == REVISIONS_A_CALL) {
            *found = rev;
            return LOOK_ON;
        }
        const int seen = is_seen_in(snapshot, environment, service, rev);
        if (!seen)
            *found = rev;
        if (seen != NOT_THERE)
            return seen;
    }
    return NOT_THERE;
}
