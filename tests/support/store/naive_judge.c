/* Every reason to refuse the state that a change would come to. */
#include <stdio.h>
#include <string.h>

#include "store/limits.h"
#include "tests/support/store/naive.h"
#include "tests/support/store/trial.h"

#define DEPTH_MAX 8u
#define LOOKUPS_MAX 8192u

/* --- references --- */

struct judging {
    struct naive_work *work;
    struct naive_worths worths;
    unsigned environment;
    enum naive_weight weight;
};

static struct naive_piece pieces_room[NAIVE_PIECES_MAX];

/* The pieces of what is in effect there; 0 where nothing is. */
static int pieces_of(const struct naive *state, unsigned e, unsigned service, unsigned key)
{
    unsigned layer;
    const struct naive_definition *definition = naive_effective(state, e, service, key, &layer);
    return definition ? naive_pieces(pieces_room, definition, service) : 0;
}

void naive_reach(const struct naive *state, unsigned e, unsigned service, unsigned key,
                 bool out[NAIVE_SERVICES][NAIVE_KEYS])
{
    int targets[NAIVE_PIECES_MAX][2];
    unsigned targets_count = 0;
    const int count = pieces_of(state, e, service, key);
    for (int i = 0; i < count; i++) {
        const struct naive_piece *piece = &pieces_room[i];
        if (!piece->is_reference || piece->service == NAIVE_NONE || piece->key == NAIVE_NONE)
            continue;
        targets[targets_count][0] = piece->service;
        targets[targets_count++][1] = piece->key;
    }
    for (unsigned i = 0; i < targets_count; i++) {
        const unsigned other = (unsigned)targets[i][0], name = (unsigned)targets[i][1];
        const bool is_new = !out[other][name];
        out[other][name] = true;
        if (is_new)
            naive_reach(state, e, other, name, out);
    }
}

/* What is in effect there ends by itself, and the first beneath it is not as good: a value that
 * stays, and no secret where this is none. */
static bool ends(const struct naive *state, unsigned e, unsigned service, unsigned key,
                 bool is_secret)
{
    unsigned layers[3], layer;
    const unsigned count = naive_layers(layers, state, e);
    const struct naive_definition *is = naive_effective(state, e, service, key, &layer);
    bool is_beneath = false;
    if (!is || !is->expires)
        return false;
    for (unsigned i = 0; i < count; i++) {
        const struct naive_definition *beneath =
            &state->environments[layers[i]].definitions[service][key];
        if (is_beneath && beneath->kind)
            return beneath->expires ||
                   !(beneath->kind == NAIVE_PLAIN || (beneath->kind == NAIVE_SECRET && is_secret));
        is_beneath |= layers[i] == layer;
    }
    const int schema = naive_schema_layer(state, e, service);
    return schema == NAIVE_NONE || !state->environments[schema].defaults[service][key].kind;
}

bool naive_is_moved(const struct naive_work *work, unsigned e, unsigned service, unsigned key)
{
    bool out[NAIVE_SERVICES][NAIVE_KEYS] = {0};
    unsigned layers[3];
    const unsigned count = naive_layers(layers, work->state, e);
    naive_reach(work->state, e, service, key, out);
    out[service][key] = true;
    for (unsigned i = 0; i < NAIVE_SERVICES * NAIVE_KEYS; i++) {
        const unsigned s = i / NAIVE_KEYS, k = i % NAIVE_KEYS;
        const bool is_itself = s == service && k == key; /* whose shares are others' concern */
        if (out[s][k] && work->placed[e][s])
            return true;
        for (unsigned at = 0; at < count; at++)
            if (out[s][k] && (work->touched[layers[at]][s][k] ||
                              (work->unshared[layers[at]][s][k] && !is_itself)))
                return true;
    }
    return false;
}

/* Nobody touched one or the other: an end showed a reference to what ends itself. What else it
 * refers to may change. */
static bool is_left_so(const struct judging *at, const struct naive_spot *spot,
                       const struct naive_piece *piece)
{
    const unsigned e = at->environment;
    return !naive_is_touched(at->work, e, (unsigned)spot->service, (unsigned)spot->key) &&
           !naive_is_touched(at->work, e, (unsigned)piece->service, (unsigned)piece->key);
}

static void judge_reference(struct judging *at, const struct naive_spot *spot,
                            const struct naive_piece *piece, bool is_new)
{
    const struct naive *state = at->work->state;
    const struct naive_worth *target = piece->service == NAIVE_NONE || piece->key == NAIVE_NONE
                                           ? NULL
                                           : &at->worths.of[piece->service][piece->key];
    struct naive_result *result = at->work->result;
    /* Of several faults of one definition one is told at least: see must_name. */
    if (!target || !target->there || target->faulty)
        naive_refuse(at->work, REASON_DANGLING, REASON_MAY, spot, piece->name);
    if (!target || !target->there)
        return;
    if (!naive_is_shared(state, at->environment, (unsigned)piece->service, (unsigned)piece->key,
                         (unsigned)spot->service, !target->secret && !target->faulty))
        naive_refuse(at->work, REASON_NOT_SHARED, REASON_MAY, spot, piece->name);
    if (!ends(state, at->environment, (unsigned)piece->service, (unsigned)piece->key,
              target->secret))
        return;
    naive_refuse(at->work, REASON_ENDS, REASON_MAY, spot, piece->name);
    is_new &= !is_left_so(at, spot, piece);
    result->is_refused |= is_new;
    result->must_name[at->environment][spot->service][spot->key] |= is_new;
}

/* What is wrong with the whole of it. */
static void judge_sum(struct judging *at, const struct naive_spot *spot, bool is_new)
{
    const struct naive_worth *worth = &at->worths.of[spot->service][spot->key];
    struct naive_result *result = at->work->result;
    result->is_refused |= is_new && worth->faulty;
    result->must_name[at->environment][spot->service][spot->key] |= is_new && worth->faulty;
    if (worth->circle) {
        naive_refuse(at->work, REASON_CIRCLE, REASON_MAY, spot, "");
        /* Where it is a long way round that is told first. */
        naive_refuse(at->work, REASON_DEPTH, REASON_MAY, spot, "");
        naive_refuse(at->work, REASON_LOOKUPS, REASON_MAY, spot, "");
        return;
    }
    if (worth->depth > DEPTH_MAX)
        naive_refuse(at->work, REASON_DEPTH, REASON_MAY, spot, "");
    if (worth->size > VALUE_MAX)
        naive_refuse(at->work, REASON_SIZE, REASON_MAY, spot, "");
    if (worth->lookups > LOOKUPS_MAX)
        naive_refuse(at->work, REASON_LOOKUPS, REASON_MAY, spot, "");
}

bool naive_is_new_fault(const struct naive_work *work, unsigned e, unsigned service, unsigned key)
{
    const struct naive_environment *was = &work->before->environments[e],
                                   *is = &work->state->environments[e];
    unsigned layers[3];
    if (!was->alive || was->life != is->life || !was->seen[service][key].is_faulty)
        return true;
    for (unsigned i = naive_layers(layers, work->state, e); i-- > 0;)
        if (work->touched[layers[i]][service][key])
            return true;
    return false;
}

/* What is wrong with a spot may be told of those that lead to it. */
static void judge_ways(struct judging *at)
{
    static struct naive_reason told[NAIVE_REASONS_MAX];
    struct naive_result *result = at->work->result;
    const size_t count = result->reason_count;
    char path[96];
    memcpy(told, result->reasons, count * sizeof told[0]);
    for (int s = 0; s < (int)NAIVE_SERVICES; s++) {
        for (int k = 0; k < (int)NAIVE_KEYS; k++) {
            const struct naive_spot spot = {(int)at->environment, s, k};
            bool out[NAIVE_SERVICES][NAIVE_KEYS] = {0};
            naive_reach(at->work->state, at->environment, (unsigned)s, (unsigned)k, out);
            for (size_t i = 0; i < count * NAIVE_SERVICES * NAIVE_KEYS; i++) {
                const struct naive_reason *reason = &told[i % count];
                const unsigned at_spot = (unsigned)(i / count);
                const struct naive_spot reached = {
                    (int)at->environment, (int)(at_spot / NAIVE_KEYS), (int)(at_spot % NAIVE_KEYS)};
                if (out[reached.service][reached.key] && reason->other[0] &&
                    strcmp(reason->place, naive_path(path, &reached)) == 0)
                    naive_refuse(at->work, reason->kind, REASON_MAY, &spot, reason->other);
            }
        }
    }
}

static void judge_spots(struct judging *at)
{
    static struct naive_piece pieces[NAIVE_PIECES_MAX];
    for (unsigned service = 0; service < NAIVE_SERVICES; service++) {
        for (unsigned key = 0; key < NAIVE_KEYS; key++) {
            const struct naive_spot spot = {(int)at->environment, (int)service, (int)key};
            const bool is_new = naive_is_new_fault(at->work, at->environment, service, key);
            const int count = pieces_of(at->work->state, at->environment, service, key);
            memcpy(pieces, pieces_room, sizeof pieces);
            for (int i = 0; i < count; i++)
                if (pieces[i].is_reference)
                    judge_reference(at, &spot, &pieces[i], is_new);
            judge_sum(at, &spot, is_new);
        }
    }
}

/* --- locks and protection --- */

/* What is told of a spot that would be faulty, or that leads to one, is the fault, and perhaps that
 * it changed. */
bool naive_is_faulty(const struct naive_work *work, const struct naive_spot *spot)
{
    char path[96];
    naive_path(path, spot);
    for (size_t i = 0; i < work->result->reason_count; i++) {
        const struct naive_reason *reason = &work->result->reasons[i];
        const bool is_of_text = (reason->kind >= REASON_DANGLING && reason->kind <= REASON_ENDS) ||
                                reason->kind == REASON_LOOKUPS;
        if (is_of_text && strcmp(reason->place, path) == 0)
            return true;
    }
    return false;
}

/* The nearest lock is named; one of this very change does not count. */
static void judge_lock(struct naive_work *work, const struct naive_environment *by,
                       const struct naive_spot *place, enum naive_weight weight)
{
    char path[96];
    struct naive_spot locked = *place;
    uint64_t lock = place->key >= 0 ? by->key_locks[place->service][place->key] : 0;
    if ((!lock || lock == work->rev) && place->service >= 0) {
        locked.key = NAIVE_NONE;
        lock = by->service_locks[place->service];
    }
    if (!lock || lock == work->rev) {
        locked.service = locked.key = NAIVE_NONE;
        lock = by->lock;
    }
    if (!lock || lock == work->rev)
        return;
    if (work->terms->override & NAIVE_PASS_LOCK)
        work->result->is_passed = true;
    else
        naive_refuse(work, REASON_LOCKED, weight, place, naive_path(path, &locked));
}

static void judge_locks(struct naive_work *work)
{
    for (size_t i = 0; i < work->result->outcome_count; i++) {
        const struct naive_outcome *outcome = &work->result->outcomes[i];
        const struct naive_environment *by = &work->state->environments[outcome->environment];
        const struct naive_spot place = {(int)outcome->environment, outcome->service, outcome->key};
        /* What is gone with its locks is judged by those that it had. */
        if (by->life != outcome->life)
            by = &work->before->environments[outcome->environment];
        judge_lock(work, by, &place, naive_is_faulty(work, &place) ? REASON_MAY : REASON_MUST);
    }
    /* What would be faulty has no outcome, or one that nobody has seen. */
    for (unsigned e = 1; e < NAIVE_ENVIRONMENTS && work->result->reason_count; e++) {
        for (int i = 0; i < (int)(NAIVE_SERVICES * NAIVE_KEYS); i++) {
            const struct naive_spot place = {(int)e, i / (int)NAIVE_KEYS, i % (int)NAIVE_KEYS};
            if (work->state->environments[e].alive && naive_is_faulty(work, &place))
                judge_lock(work, &work->state->environments[e], &place, REASON_MAY);
        }
    }
}

/* What is locked by this change may not end by itself; later that is an outcome in a locked place.
 */
static void judge_ends(struct naive_work *work)
{
    for (unsigned e = 0; e < NAIVE_ENVIRONMENTS; e++) {
        const struct naive_environment *in = &work->state->environments[e];
        for (unsigned s = 0; in->alive && s < NAIVE_SERVICES; s++) {
            for (unsigned k = 0; k < NAIVE_KEYS; k++) {
                const bool is_locked = in->lock == work->rev || in->service_locks[s] == work->rev ||
                                       in->key_locks[s][k] == work->rev;
                if (is_locked && in->seen[s][k].kind && in->seen[s][k].expires)
                    naive_refuse(work, REASON_LOCK_AND_END, REASON_MUST,
                                 &(struct naive_spot){(int)e, (int)s, (int)k}, "");
            }
        }
    }
}

static void judge_why(struct naive_work *work)
{
    bool changed[NAIVE_ENVIRONMENTS] = {0}, perhaps[NAIVE_ENVIRONMENTS] = {0};
    if (work->terms->has_reason)
        return;
    for (size_t i = 0; i < work->result->outcome_count; i++) {
        const struct naive_outcome *outcome = &work->result->outcomes[i];
        const struct naive_spot place = {(int)outcome->environment, outcome->service, outcome->key};
        (naive_is_faulty(work, &place) ? perhaps : changed)[outcome->environment] = true;
    }
    /* What would be faulty may have no outcome. */
    for (unsigned e = 1; e < NAIVE_ENVIRONMENTS && work->result->reason_count; e++)
        for (int i = 0; i < (int)(NAIVE_SERVICES * NAIVE_KEYS); i++) {
            const struct naive_spot place = {(int)e, i / (int)NAIVE_KEYS, i % (int)NAIVE_KEYS};
            perhaps[e] |= work->state->environments[e].alive && naive_is_faulty(work, &place);
        }
    for (unsigned e = 0; e < NAIVE_ENVIRONMENTS; e++) {
        const struct naive_environment *in = &work->state->environments[e];
        const bool must = changed[e] || work->worked[e];
        if (in->alive && in->is_protected && in->made_rev != work->rev && (must || perhaps[e]))
            naive_refuse(work, REASON_NO_WHY, must ? REASON_MUST : REASON_MAY,
                         &(struct naive_spot){(int)e, NAIVE_NONE, NAIVE_NONE}, "");
    }
}

void naive_judge(struct naive_work *work)
{
    for (unsigned e = 1; e < NAIVE_ENVIRONMENTS; e++) {
        if (!work->state->environments[e].alive)
            continue;
        struct judging at = {.work = work, .environment = e};
        naive_resolve(&at.worths, work->state, e);
        judge_spots(&at);
        judge_ways(&at);
        naive_worths_free(&at.worths);
    }
    naive_judge_schemas(work);
    judge_locks(work);
    judge_ends(work);
    judge_why(work);
}
