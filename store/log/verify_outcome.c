/* What a commit came to, for who reads: each outcome is borne out by the history or by the places,
 * and is counted, so that none is missing (verify_spot.c). */
#include <inttypes.h>
#include <string.h>

#include "store/error.h"
#include "store/log/verify_internal.h"

struct reading { /* the outcomes of the commit in hand */
    struct verify *verify;
    struct outcome last; /* its kind is 0 before the first */
    struct outcome gone; /* the last service that went; its kind is 0: none */
    bool is_waiting;     /* last is a key's that went: the next may be the same key made again */
    int64_t environments, services; /* more there than before */
};

static int tell(struct reading *reading, const struct outcome *outcome, const char *why)
{
    return verify_fault(reading->verify, "commit %" PRIu64 ": outcome %u: %s", outcome->rev,
                        outcome->index, why);
}

/* Places before what is in them, and what went before what came. */
static bool in_order(const struct outcome *a, const struct outcome *b)
{
    if (a->environment != b->environment)
        return a->environment < b->environment;
    if (a->service != b->service)
        return a->service < b->service;
    if (a->name_id != b->name_id)
        return a->name_id < b->name_id;
    return a->mark == '-' && b->mark == '+';
}

/* Whether the value was said to be a secret rightly, as far as the definition alone tells. */
static bool secrecy_fits(const struct outcome *outcome, const struct spot *spot)
{
    if (spot->kind == ENTRY_SECRET)
        return outcome->is_secret;
    return spot->kind != ENTRY_PLAIN || !outcome->is_secret;
}

/* The moments before and now. VERIFY_DAMAGED. */
static int find_moments(struct reading *reading, const struct outcome *outcome, struct spot *before,
                        bool *was, struct spot *now, bool *is)
{
    struct verify *verify = reading->verify;
    const uint32_t environment = outcome->environment;
    int found = verify_moment(verify, before, environment, outcome->name_id, outcome->rev - 1);
    *was = verify_stands(found, before);
    if (found >= 0)
        found = verify_moment(verify, now, environment, outcome->name_id, outcome->rev);
    *is = verify_stands(found, now);
    found = verify_read(verify, found, "history");
    return found == TXN_NOT_FOUND ? 0 : found;
}

/* One outcome of a key; is_pair: it went and is there again, since its service was. */
static int check_key(struct reading *reading, const struct outcome *outcome, bool is_pair)
{
    struct verify *verify = reading->verify;
    struct spot before = {0}, now = {0};
    bool was, is;
    int found = find_moments(reading, outcome, &before, &was, &now, &is);
    if (found)
        return found < 0 ? found : 0;
    const bool is_written = is && now.since == outcome->rev;
    const bool is_shown = is_written && now.rev == outcome->rev && now.time == verify->time;
    if (is_pair || outcome->mark == '~')
        verify->told.changed += is_shown;
    else
        verify->told.made += outcome->mark == '+', verify->told.gone += outcome->mark == '-';
    const bool fits = is_pair                ? was && is
                      : outcome->mark == '+' ? !was && is_shown
                      : outcome->mark == '-' ? was && !is
                                             : was && is && is_shown == is_written;
    if (!fits || (is ? !secrecy_fits(outcome, &now) : !secrecy_fits(outcome, &before)))
        return tell(reading, outcome, "the history of its key says otherwise");
    if (!is_pair && outcome->mark == '~' && !is_written &&
        expected_is_all(&verify->expected, outcome->environment))
        return tell(reading, outcome, "nothing changes by itself in 'all'");
    return 0;
}

static int check_name(struct reading *reading, const struct outcome *outcome)
{
    struct verify *verify = reading->verify;
    char key[KEY_NAME_MAX + 1];
    uint32_t service;
    const int found =
        verify_read(verify, state_name(verify->txn, &service, key, outcome->name_id), "name");
    if (found == TXN_NOT_FOUND || (!found && service != outcome->service))
        tell(reading, outcome, "its key is none of that service");
    return found < 0 ? found : 0;
}

static int end_waiting(struct reading *reading)
{
    if (!reading->is_waiting)
        return 0;
    reading->is_waiting = false;
    return check_key(reading, &reading->last, false);
}

static int take_key(struct reading *reading, const struct outcome *outcome)
{
    const struct outcome *last = &reading->last;
    const bool is_pair = reading->is_waiting && last->environment == outcome->environment &&
                         last->name_id == outcome->name_id;
    const struct outcome *gone = &reading->gone;
    int error = check_name(reading, outcome);
    if (outcome->mark == '-' && gone->kind && gone->environment == outcome->environment &&
        gone->service == outcome->service && gone->incarnation != outcome->incarnation)
        tell(reading, outcome, "its service is not the one that went");
    if (!error && is_pair) {
        reading->is_waiting = false;
        return check_key(reading, outcome, true);
    }
    if (!error)
        error = end_waiting(reading);
    if (error)
        return error;
    reading->is_waiting = outcome->mark == '-';
    return reading->is_waiting ? 0 : check_key(reading, outcome, false);
}

static int take_outcome(struct reading *reading, const struct outcome *outcome)
{
    struct verify *verify = reading->verify;
    const char *why = NULL;
    const int more = outcome->mark == '+' ? 1 : -1;
    verify->report->derived++;
    if (reading->last.kind && !in_order(&reading->last, outcome))
        tell(reading, outcome, "it is out of order");
    if (expected_take_outcome(&verify->expected, &why, outcome, verify->time))
        tell(reading, outcome, why);
    verify_signed_outcome(verify, outcome);
    int error = 0;
    if (outcome->kind == OUTCOME_KEY) {
        error = take_key(reading, outcome);
    } else {
        error = end_waiting(reading);
        if (outcome->kind == OUTCOME_SERVICE && outcome->mark == '-')
            reading->gone = *outcome;
        *(outcome->kind == OUTCOME_SERVICE ? &reading->services : &reading->environments) += more;
    }
    reading->last = *outcome;
    return error;
}

static void check_sums(struct reading *reading, const struct counters *before)
{
    struct verify *verify = reading->verify;
    const struct counters *now = &verify->expected.counters;
    if ((int64_t)(now->environments - before->environments) != reading->environments ||
        (int64_t)(now->services - before->services) != reading->services)
        verify_fault(verify,
                     "commit %" PRIu64 ": its outcomes are not the places that it made and removed",
                     verify->rev);
}

int verify_outcomes(struct verify *verify, const struct counters *before)
{
    struct reading reading = {.verify = verify};
    struct outcome outcomes[OUTCOMES_A_CHUNK];
    size_t count = OUTCOMES_A_CHUNK;
    char what[64];
    snprintf(what, sizeof what, "commit %" PRIu64 ": its outcomes", verify->rev);
    for (uint32_t chunk = 0; count == OUTCOMES_A_CHUNK; chunk++) {
        int found = verify_go_on(verify);
        if (!found)
            found = state_outcomes(verify->txn, outcomes, &count, verify->rev, chunk);
        found = verify_read(verify, found, what);
        if (found == TXN_NOT_FOUND)
            break;
        verify->outcome_chunks++;
        if (found)
            return found < 0 ? found : 0;
        for (size_t i = 0; i < count && !found; i++)
            found = take_outcome(&reading, &outcomes[i]);
        if (found)
            return found;
    }
    const int error = end_waiting(&reading);
    if (!error)
        check_sums(&reading, before);
    return error;
}
