/*
 * Spots: the history against the log, the history against itself, and what is current against the
 * history.
 *
 * What the log says of one spot is checked where it says so: the last set or removal of a key in a
 * commit has the moment that it must have. Between those the history of a spot moves by what
 * happens in the layers beneath, and what a moment may follow is told by the one before it. That
 * there is none too few and none too many is a matter of sums: as many were made, changed and gone
 * as the outcomes of all commits tell, each of which was looked for by itself (verify_outcome.c).
 */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/verify_internal.h"

int verify_moment(struct verify *verify, struct spot *out, uint32_t environment, uint64_t name_id,
                  uint64_t rev)
{
    return rev ? state_moment(verify->txn, out, environment, name_id, rev) : TXN_NOT_FOUND;
}

/* --- the last operation on a key in a commit --- */

struct turn { /* what came of it */
    char what[64];
    char name[KEY_NAME_MAX + 1];
    struct operation operation;
    uint32_t op;
    bool was, is; /* whether something was in effect there before, and is now */
    struct spot before, now;
};

static int by_spot(const void *left, const void *right)
{
    const struct touch *a = left, *b = right;
    if (a->environment != b->environment)
        return a->environment < b->environment ? -1 : 1;
    if (a->name_id != b->name_id)
        return a->name_id < b->name_id ? -1 : 1;
    return a->op < b->op ? -1 : a->op > b->op;
}

static bool same_first(const struct verify *verify, const struct turn *turn)
{
    if (turn->was)
        return turn->now.first_rev == turn->before.first_rev &&
               turn->now.first_time == turn->before.first_time;
    return turn->now.first_rev == verify->rev && turn->now.first_time == verify->time;
}

/* The revision that the moment shows: this one, or, where the operation says that nothing changed
 * for who reads, an earlier one. */
static bool shown_rev_fits(const struct verify *verify, const struct turn *turn)
{
    const struct spot *now = &turn->now;
    if (!turn->operation.is_same)
        return now->rev == verify->rev && now->time == verify->time;
    return turn->was && now->rev >= turn->before.rev && now->rev < verify->rev &&
           now->time >= turn->before.time && now->time < verify->time;
}

static bool set_fits(const struct verify *verify, const struct turn *turn)
{
    const struct operation *operation = &turn->operation;
    const struct spot *now = &turn->now;
    return turn->is && now->since == verify->rev &&
           now->kind == (unsigned)operation_value_kind(operation->kind) && now->op == turn->op &&
           now->entry_id == operation->entry_id && now->stored_size == operation->stored_size &&
           now->expires == operation->expires && same_first(verify, turn) &&
           shown_rev_fits(verify, turn);
}

/* What was set and removed in one commit may have left no trace. */
static bool removal_fits(const struct verify *verify, const struct turn *turn)
{
    const bool was_own = turn->was && spot_is_own(&turn->before);
    const bool is_written = turn->now.since == verify->rev;
    if (!is_written)
        return !was_own;
    if (!turn->is)
        return turn->was && !turn->operation.is_same;
    return !spot_is_own(&turn->now) && same_first(verify, turn) &&
           (!was_own || shown_rev_fits(verify, turn));
}

/* A removal that says that a moment had come is of a definition that was to end then, and not
 * earlier: so nobody's ttl, nobody's removal. */
static bool expiry_fits(const struct verify *verify, const struct turn *turn)
{
    const struct operation *operation = &turn->operation;
    const struct spot *before = &turn->before;
    if (operation->kind != OPERATION_REMOVE || !operation->expires)
        return true;
    return turn->was && spot_is_own(before) && before->entry_id == operation->entry_id &&
           before->expires == operation->expires && operation->expires <= verify->time;
}

static int check_turn(struct verify *verify, const struct turn *turn)
{
    const bool is_removal = turn->operation.kind == OPERATION_REMOVE ||
                            turn->operation.kind == OPERATION_DEFAULT_REMOVE;
    verify->report->derived++;
    if (!expiry_fits(verify, turn))
        verify_fault(verify, "%s: it says that '%s' expired, which the log does not bear out",
                     turn->what, turn->name);
    if (!(is_removal ? removal_fits(verify, turn) : set_fits(verify, turn)))
        verify_fault(verify, "%s: the history of '%s' does not match the log", turn->what,
                     turn->name);
    if (is_removal)
        verify->told.ended += turn->was && spot_is_own(&turn->before);
    else
        verify->told.own++;
    return 0;
}

static int check_touch(struct verify *verify, const struct touch *touch)
{
    struct turn turn = {.op = touch->op};
    snprintf(turn.what, sizeof turn.what, "commit %" PRIu64 ": operation %u", verify->rev,
             touch->op);
    int found = operation_get(verify->txn, &turn.operation, verify->rev, touch->op);
    if (!found) {
        memcpy(turn.name, turn.operation.name, turn.operation.name_size);
        found = verify_moment(verify, &turn.before, touch->environment, touch->name_id,
                              verify->rev - 1);
        turn.was = verify_stands(found, &turn.before);
    }
    if (found >= 0)
        found = verify_moment(verify, &turn.now, touch->environment, touch->name_id, verify->rev);
    if (found >= 0)
        turn.is = verify_stands(found, &turn.now);
    found = verify_read(verify, found, turn.what);
    if (found < 0)
        return found;
    return found == VERIFY_DAMAGED ? 0 : check_turn(verify, &turn);
}

int verify_touches(struct verify *verify)
{
    const struct touches *touches = &verify->touches;
    int error = 0;
    if (touches->count)
        qsort(touches->items, touches->count, sizeof *touches->items, by_spot);
    for (size_t i = 0; i < touches->count && !error; i++) {
        const struct touch *touch = &touches->items[i], *next = touch + 1;
        if (i + 1 < touches->count && next->environment == touch->environment &&
            next->name_id == touch->name_id)
            continue;
        error = verify_go_on(verify);
        if (!error)
            error = check_touch(verify, touch);
    }
    return error;
}

/* --- the history --- */

/* Whether a moment may follow what the spot was before. */
static const char *misfit_of(const struct verify *verify, const struct spot *moment, bool was)
{
    const struct expected *expected = &verify->expected;
    const struct environment_state *environment =
        expected_environment(expected, moment->environment & ~LAYER_OF_DEFAULTS);
    const bool is_of_defaults = moment->environment & LAYER_OF_DEFAULTS;
    const struct spot *before = &verify->before;
    if (!environment)
        return "there never was such an environment";
    if (moment->kind == SPOT_NONE)
        return was ? NULL : "nothing ends where there was nothing";
    if (is_of_defaults && (moment->kind != ENTRY_PLAIN || moment->expires))
        return "a default is a plain value that stays";
    if (moment->first_rev != (was ? before->first_rev : moment->since) ||
        moment->first_time != (was ? before->first_time : moment->time))
        return "it does not begin where the one before began";
    if (moment->rev > moment->since || (moment->rev < moment->since && !was))
        return "it shows a revision that is not its own";
    if (spot_is_own(moment))
        return NULL;
    if (was && before->kind == moment->kind)
        return "nothing changed";
    if (moment->rev < moment->since && !spot_is_own(before))
        return "it shows a revision that is not its own";
    if (expected_is_all(expected, moment->environment) ||
        ((moment->kind == SPOT_IN_BASE || moment->kind == SPOT_IN_BASE_SCHEMA) &&
         !environment->is.base))
        return "there is nothing beneath";
    return NULL;
}

static void count_moment(struct tally *tally, const struct spot *moment, const struct spot *before,
                         bool was)
{
    const bool is = moment->kind != SPOT_NONE;
    tally->own += spot_is_own(moment);
    tally->ended += was && spot_is_own(before) && !spot_is_own(moment);
    if (moment->environment & LAYER_OF_DEFAULTS)
        return; /* which nobody is told of */
    tally->made += is && !was;
    tally->gone += was && !is;
    tally->changed += was && is && moment->rev == moment->since;
}

static bool same_spot(const struct spot *a, const struct spot *b)
{
    return a->kind == b->kind && a->since == b->since && a->rev == b->rev && a->time == b->time &&
           a->first_rev == b->first_rev && a->first_time == b->first_time &&
           a->entry_id == b->entry_id && a->op == b->op && a->stored_size == b->stored_size &&
           a->expires == b->expires;
}

/* Where a moment is the newest of its spot, the current entry is that. (The walk of the current
 * entries alone would miss one that the tree no longer leads to.) */
static int check_current(struct verify *verify, const struct spot *moment)
{
    char key[KEY_NAME_MAX + 1] = "";
    uint32_t service = 0;
    struct spot newest, current;
    int found =
        state_moment(verify->txn, &newest, moment->environment, moment->name_id, UINT64_MAX);
    if (!found && newest.since != moment->since)
        return 0;
    if (!found)
        found = state_name(verify->txn, &service, key, moment->name_id);
    if (found > 0)
        return verify_fault(verify,
                            "database 'history': key %" PRIu64 " of environment %u is no key",
                            moment->name_id, moment->environment);
    if (!found)
        found = state_current(verify->txn, &current, moment->environment, service, key);
    found = verify_read(verify, found, "history");
    if (found < 0 || found == VERIFY_DAMAGED)
        return found < 0 ? found : 0;
    if (moment->kind == SPOT_NONE ? !found : found || !same_spot(&current, moment))
        verify_fault(verify, "the current entry '%s' of %u/%u does not match the log", key,
                     moment->environment, service);
    return 0;
}

/* What came after the log was walked is not told of yet; but there is a commit that made it. */
static int check_new_moment(struct verify *verify, const struct spot *moment)
{
    struct head head;
    const int found = verify_read(verify, state_head(verify->txn, &head), "head");
    if (!found && moment->since > head.rev)
        verify_fault(verify,
                     "the history of key %" PRIu64 " of environment %u tells of revision %" PRIu64
                     ", which there is not",
                     moment->name_id, moment->environment, moment->since);
    return found < 0 ? found : 0;
}

static int check_moment(struct verify *verify, const struct spot *moment)
{
    const struct spot *before = &verify->before;
    verify->report->derived++;
    if (moment->since >= verify->rev) {
        const int error = check_new_moment(verify, moment);
        if (error)
            return error;
    } else {
        const bool was = before->since && before->environment == moment->environment &&
                         before->name_id == moment->name_id && before->kind != SPOT_NONE;
        const char *why = misfit_of(verify, moment, was);
        if (why)
            verify_fault(verify,
                         "the history of key %" PRIu64 " of environment %u in revision %" PRIu64
                         " does not follow: %s",
                         moment->name_id, moment->environment, moment->since, why);
        count_moment(&verify->written, moment, before, was);
        verify->before = *moment;
    }
    return check_current(verify, moment);
}

int verify_next_moment(struct verify *verify)
{
    uint32_t environment;
    uint64_t name_id, rev;
    struct spot moment;
    int found = verify_step(verify, &verify->last_moment, DB_HISTORY);
    if (found)
        return found == VERIFY_DAMAGED ? 0 : found;
    found = key_history_parse((struct slice){verify->last_moment.data, verify->last_moment.size},
                              &environment, &name_id, &rev);
    if (!found)
        found = state_moment(verify->txn, &moment, environment, name_id, rev);
    if (!found && moment.since != rev)
        found = TXN_NOT_FOUND;
    found = verify_read(verify, found, "history");
    if (found == TXN_NOT_FOUND)
        verify_fault(verify, "history: a record that is walked to is not there");
    return found ? (found < 0 ? found : 0) : check_moment(verify, &moment);
}

int verify_tallies(struct verify *verify)
{
    const struct tally *told = &verify->told, *written = &verify->written;
    const struct {
        const char *what;
        uint64_t told, written;
    } rows[] = {
        {"definitions", told->own, written->own},
        {"ends of definitions", told->ended, written->ended},
        {"beginnings", told->made, written->made},
        {"ends", told->gone, written->gone},
        {"changes", told->changed, written->changed},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (rows[i].told != rows[i].written)
            verify_fault(verify,
                         "database 'history' has %" PRIu64 " %s, and the log tells of %" PRIu64,
                         rows[i].written, rows[i].what, rows[i].told);
    return 0;
}

/* --- current entries --- */

static int check_entry(struct verify *verify, const struct spot *spot)
{
    struct spot moment;
    char key[KEY_NAME_MAX + 1];
    uint32_t service = 0;
    const struct expiry ends = {.moment = spot->expires,
                                .environment = spot->environment,
                                .name_id = spot->name_id,
                                .rev = spot->since,
                                .op = spot->op};
    verify->report->derived++;
    int found = state_moment(verify->txn, &moment, spot->environment, spot->name_id, UINT64_MAX);
    if (!found)
        found = state_name(verify->txn, &service, key, spot->name_id);
    found = verify_read(verify, found, "current entry");
    if (found < 0 || found == VERIFY_DAMAGED)
        return found < 0 ? found : 0;
    if (found || !same_spot(spot, &moment) || service != spot->service ||
        strcmp(key, spot->key) != 0)
        return verify_fault(verify, "current entry '%s' of %u/%u does not match its history",
                            spot->key, spot->environment, spot->service);
    found = verify_layers_of(verify, spot);
    if (!found && spot_is_own(spot))
        found = verify_expiry_of(verify, &ends);
    if (!found)
        found = verify_recipient_of(verify, spot);
    return found || !spot_is_own(spot) ? found : verify_references_of(verify, spot);
}

/* Remembers where the walk stands. False: the key is none. */
static bool stand_at(struct verify *verify, struct slice found)
{
    verify->has_entry = found.data && !key_current_parse(found, &verify->environment,
                                                         &verify->service, verify->key);
    return verify->has_entry;
}

int verify_next_entry(struct verify *verify)
{
    struct key from;
    struct slice found_key = {0}, body;
    struct spot spot;
    int found = txn_seek(verify->txn, &found_key, &body, DB_CURRENT,
                         key_current(&from, verify->environment, verify->service, verify->key),
                         verify->has_entry);
    found = verify_read(verify, found, "current entries");
    if (found == TXN_NOT_FOUND || found < 0)
        return found;
    /* A damaged record is passed over by its key; over a damaged tree there is no way on. */
    if (!stand_at(verify, found_key)) {
        verify_fault(verify, "current entries: the rest cannot be walked");
        return TXN_NOT_FOUND;
    }
    verify->done++;
    if (found)
        return 0;
    found = state_current(verify->txn, &spot, verify->environment, verify->service, verify->key);
    found = verify_read(verify, found, "current entry");
    return found ? (found < 0 ? found : 0) : check_entry(verify, &spot);
}
