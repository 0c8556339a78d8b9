/*
 * Seven walks. The first goes through the log, commit by commit: the chain, every operation, every
 * value, for each what was derived from it, and what each commit came to. When it has caught up
 * with the newest commit it compares, in that same snapshot, what is derived of places and of what
 * was said of names, the counters, and how many records each database has, so that there is none
 * too many. The second goes through the history: each moment must follow from the one before it,
 * and all of them come to as much as the log told. The third goes through the current entries: each
 * must be what its history ends with, and lead to a definition. The fourth and fifth go through the
 * indexes of what expires and of references (verify_expiry.c, verify_relation.c), the sixth through
 * the fingerprints of secrets (verify_leak.c), the seventh is in verify_record.c.
 *
 * A walk renews its snapshot after a few thousand records: readers and writers go on beside it.
 */
#include "store/log/verify.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/db/keys.h"
#include "store/db/pages.h"
#include "store/error.h"
#include "store/log/commit.h"
#include "store/log/state.h"
#include "store/log/verify_internal.h"

#define RECORDS_A_STEP 4096

int verify_fault(struct verify *verify, const char *format, ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    verify->report->faults++;
    if (verify->options->fault)
        verify->options->fault(verify->options->arg, text);
    return 0;
}

int verify_read(struct verify *verify, int result, const char *what)
{
    if (result >= 0 || (result != -ERR_CORRUPT && result != -ERR_FORMAT && result != -ERR_PURGED))
        return result;
    const bool is_damaged = txn_met_damage(verify->txn);
    verify_fault(verify, "%s: %s", what, error_text());
    verify->report->damaged += is_damaged;
    verify->is_barred = true;
    return VERIFY_DAMAGED;
}

int verify_go_on(struct verify *verify)
{
    if (!verify->is_barred)
        return 0;
    verify->is_barred = false;
    verify->is_renewed = true;
    txn_reset(verify->txn);
    return txn_renew(verify->txn);
}

int verify_step(struct verify *verify, struct key *last, enum database database)
{
    const char *name = database_name(database);
    const struct slice from = {last->data, last->size};
    struct slice found_key = {0}, body;
    int found = txn_seek(verify->txn, &found_key, &body, database, from, last->size > 0);
    found = verify_read(verify, found, name);
    if (found == TXN_NOT_FOUND || found < 0)
        return found;
    /* A damaged record is passed over by its key; over a damaged tree there is no way on. */
    if (!found_key.size || found_key.size > sizeof last->data) {
        verify_fault(verify, "database '%s': the rest cannot be walked", name);
        return TXN_NOT_FOUND;
    }
    memcpy(last->data, found_key.data, found_key.size);
    last->size = found_key.size;
    return found;
}

static int show_progress(struct verify *verify)
{
    if (!verify->options->progress ||
        !verify->options->progress(verify->options->arg, verify->done, verify->total))
        return 0;
    verify->is_stopped = true;
    return 1;
}

/* --- one commit --- */

struct sums { /* the header's sums against those of the operations */
    struct verify *verify;
    const struct header *header;
    uint32_t next;
};

static int compare_sum(void *arg, const struct scope_sum *sum)
{
    struct sums *sums = arg;
    if (sums->next < sums->header->scope_count) {
        const struct scope_sum said = header_scope(sums->header, sums->next);
        if (said.environment != sum->environment || said.service != sum->service ||
            said.count != sum->count || memcmp(said.hash, sum->hash, HASH_SIZE) != 0)
            verify_fault(sums->verify,
                         "commit %" PRIu64
                         ": the operations of scope %u/%u do not match its header",
                         sums->header->rev, sum->environment, sum->service);
    }
    sums->next++;
    return 0;
}

static int check_sums(struct verify *verify, const struct header *header)
{
    struct sums sums = {.verify = verify, .header = header};
    const int error = leaves_sum(&verify->leaves, compare_sum, &sums);
    if (error)
        return error;
    if (sums.next != header->scope_count)
        verify_fault(verify, "commit %" PRIu64 ": its header sums up %u scopes, not %u",
                     header->rev, header->scope_count, sums.next);
    return 0;
}

static int check_request(struct verify *verify, const struct header *header)
{
    static const uint8_t none[REQUEST_ID_SIZE];
    uint64_t rev;
    if (memcmp(header->request_id, none, REQUEST_ID_SIZE) == 0)
        return 0;
    verify->expected.requests++;
    const int found =
        verify_read(verify, state_request(verify->txn, &rev, header->request_id), "request");
    if (found == TXN_NOT_FOUND || (!found && rev != header->rev))
        verify_fault(verify, "commit %" PRIu64 ": its request is recorded wrongly", header->rev);
    return found < 0 ? found : 0;
}

static void check_header(struct verify *verify, const struct header *header, struct slice body)
{
    if (memcmp(header->store_id, verify->store_id, STORE_ID_SIZE) != 0)
        verify_fault(verify, "commit %" PRIu64 ": it is another store's", verify->rev);
    if (header->rev != verify->rev)
        verify_fault(verify, "commit %" PRIu64 ": it says that it is commit %" PRIu64, verify->rev,
                     header->rev);
    if (verify->has_previous && memcmp(header->parent, verify->previous, HASH_SIZE) != 0)
        verify_fault(verify, "commit %" PRIu64 ": its parent is not commit %" PRIu64, verify->rev,
                     verify->rev - 1);
    if (header->time <= verify->time)
        verify_fault(verify, "commit %" PRIu64 ": it is not later than the one before",
                     verify->rev);
    verify->time = header->time;
    header_hash(verify->previous, body);
    verify->has_previous = true;
}

/* So many operations in a row that can't be read, and a commit whose header is lost is taken to
 * have no more. */
#define UNREADABLE_MAX 64u

/* How many operations the log has for a commit whose header is lost. */
static int count_operations(struct verify *verify, uint32_t *count)
{
    struct slice body;
    struct key key;
    *count = 0;
    for (uint32_t op = 0, unreadable = 0; op < COMMIT_OPERATIONS_MAX && unreadable < UNREADABLE_MAX;
         op++) {
        int found = verify_go_on(verify);
        if (!found)
            found = txn_get(verify->txn, &body, DB_LOG, key_operation(&key, verify->rev, op));
        if (found == TXN_NOT_FOUND)
            return 0;
        if (found < 0 && found != -ERR_CORRUPT)
            return found;
        verify->is_barred = found < 0;
        unreadable = found < 0 ? unreadable + 1 : 0;
        if (!found)
            *count = op + 1;
    }
    return 0;
}

static int check_commit(struct verify *verify)
{
    struct slice body;
    struct header header = {0};
    struct key key;
    char what[64];
    snprintf(what, sizeof what, "commit %" PRIu64, verify->rev);
    int found = txn_get(verify->txn, &body, DB_COMMIT, key_commit(&key, verify->rev));
    if (!found)
        found = header_decode(&header, body);
    found = verify_read(verify, found, what);
    if (found < 0)
        return found;
    if (found == TXN_NOT_FOUND)
        verify_fault(verify, "%s: it is not there", what);
    const bool has_header = !found;
    uint32_t count = header.operations;
    const struct counters before = verify->expected.counters;
    verify->report->commits++;
    verify->leaves.count = 0;
    verify->touches.count = 0;
    verify->is_done_in_all = false;
    verify->seen_signed = 0;
    if (has_header) {
        check_header(verify, &header, body);
        found = verify_signature(verify, &header);
    } else {
        verify->is_of_the_known = verify->is_signed = false;
        verify->has_previous = false;
        found = count_operations(verify, &count);
    }
    verify->is_compaction = verify->is_expiry = false;
    for (uint32_t op = 0; op < count && found >= 0; op++) {
        found = verify_go_on(verify);
        if (!found)
            found = verify_operation(verify, op);
    }
    if (verify->is_compaction && count != 1)
        verify_fault(verify, "%s: a compaction does not stand alone in it", what);
    if (found >= 0)
        found = verify_touches(verify);
    if (found >= 0)
        found = verify_outcomes(verify, &before);
    if (expected_keys_settle(&verify->expected.pairs, verify->rev))
        verify_fault(verify, "%s: it takes reading from an identity and makes no new keys", what);
    if (found >= 0)
        found = verify_go_on(verify);
    if (found < 0 || !has_header)
        return found < 0 ? found : 0;
    /* What the header sums up was in the snapshot before, and not all of it could be read. */
    if (!verify->is_renewed)
        found = check_sums(verify, &header);
    return found < 0 ? found : check_request(verify, &header);
}

/* --- the end of the log --- */

static int check_count(struct verify *verify, enum database database, const char *name,
                       uint64_t expected)
{
    uint64_t count = 0;
    const int error = verify_read(verify, txn_count(verify->txn, &count, database), name);
    if (!error && count != expected)
        verify_fault(verify, "database '%s' has %" PRIu64 " records, not %" PRIu64, name, count,
                     expected);
    return error < 0 ? error : 0;
}

/* Whether meta has a seal: what it is worth only who has its key can say (db/whole.h). */
static int find_seal(struct verify *verify, unsigned *count)
{
    struct slice body;
    struct key key;
    const int found =
        verify_read(verify, txn_get(verify->txn, &body, DB_META, key_meta(&key, "whole")), "seal");
    *count = found != TXN_NOT_FOUND;
    return found < 0 ? found : 0;
}

static int check_counts(struct verify *verify)
{
    const struct expected *expected = &verify->expected;
    const uint64_t names = expected->counters.environment_id +
                           2 * (uint64_t)expected->counters.service_id +
                           2 * expected->counters.name_id;
    unsigned seals = 0;
    int error = find_seal(verify, &seals);
    const struct {
        enum database database;
        const char *name;
        uint64_t count;
    } rows[] = {
        {DB_META, "meta", 3u + seals},
        {DB_COMMIT, "commit", verify->rev - 1},
        {DB_LOG, "log", expected->operations},
        {DB_VALUE, "value", expected->values},
        {DB_REQUEST, "request", expected->requests},
        {DB_SIGNED, "signed", verify->signed_commits},
        {DB_ENVIRONMENT, "environment", expected->names_of_environments},
        {DB_PLACE, "place", expected->place_count},
        {DB_NAME, "name", names},
        {DB_KEY, "key", expected->pairs.records},
        {DB_OUTCOME, "outcome", verify->outcome_chunks},
        {DB_PRESENCE, "presence", verify->presences},
        {DB_SHARE, "share", expected->relations.counts[RELATION_SHARE]},
        {DB_LOCK, "lock", expected->relations.counts[RELATION_LOCK]},
        {DB_SCHEMA, "schema", expected->relations.counts[RELATION_SCHEMA]},
        {DB_TAG, "tag", expected->relations.counts[RELATION_TAG]},
        {DB_GRANT, "grant", expected->relations.counts[RELATION_GRANT]},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0] && !error; i++)
        error = check_count(verify, rows[i].database, rows[i].name, rows[i].count);
    return error;
}

static int check_environment(struct verify *verify, const struct environment_state *expected)
{
    struct environment_state state;
    const struct expiry ends = {.moment = expected->is.expires,
                                .environment = expected->is.id,
                                .rev = expected->is.made_rev,
                                .op = VERIFY_ANY_OP};
    char name[ENVIRONMENT_NAME_MAX + 1];
    uint32_t before, base;
    verify->report->derived += 2;
    int found = state_environment_name(verify->txn, name, &before, expected->is.id);
    if (!found)
        found = state_environment_base(verify->txn, &base, expected->is.id);
    found = verify_read(verify, found, "name");
    if (found == TXN_NOT_FOUND ||
        (!found && (strcmp(name, expected->is.name) != 0 || before != expected->before ||
                    base != expected->is.base)))
        verify_fault(verify, "environment '%s': its id %u is recorded wrongly", expected->is.name,
                     expected->is.id);
    if (found < 0)
        return found;
    found = verify_read(verify, state_environment(verify->txn, &state, expected->is.name),
                        "environment");
    if (found < 0)
        return found;
    /* Only the last of a name has the record. */
    if (!found && state.is.id > expected->is.id)
        return 0;
    if (found == TXN_NOT_FOUND ||
        (!found &&
         (state.is.id != expected->is.id || state.alive != expected->alive ||
          state.before != expected->before || state.is.made_rev != expected->is.made_rev ||
          state.is.changed_rev != expected->is.changed_rev ||
          state.is.shown_rev != expected->is.shown_rev ||
          state.is.made_time != expected->is.made_time ||
          state.is.listed_time != expected->is.listed_time || state.is.base != expected->is.base ||
          state.is.is_protected != expected->is.is_protected ||
          state.is.is_signed != expected->is.is_signed ||
          state.is.expires != expected->is.expires)))
        verify_fault(verify, "environment '%s': its record does not match the log",
                     expected->is.name);
    return expected->alive ? verify_expiry_of(verify, &ends) : 0;
}

static int check_place(struct verify *verify, const struct place_state *expected)
{
    struct place_state state;
    verify->report->derived++;
    const int found = verify_read(
        verify, state_place(verify->txn, &state, expected->is.environment, expected->is.name),
        "place");
    if (found < 0)
        return found;
    if (found == TXN_NOT_FOUND ||
        (!found && (state.is.id != expected->is.id || state.alive != expected->alive ||
                    state.is.incarnation != expected->is.incarnation ||
                    state.is.made_rev != expected->is.made_rev ||
                    state.is.changed_rev != expected->is.changed_rev ||
                    state.is.shown_rev != expected->is.shown_rev ||
                    state.is.made_time != expected->is.made_time ||
                    state.is.listed_time != expected->is.listed_time)))
        verify_fault(verify, "service '%s' of environment %u: its record does not match the log",
                     expected->is.name, expected->is.environment);
    return 0;
}

static int check_service(struct verify *verify, uint32_t id, const char *expected)
{
    char name[SERVICE_NAME_MAX + 1];
    uint32_t found_id = 0;
    verify->report->derived += 2;
    int found = state_service_name(verify->txn, name, id);
    if (!found)
        found = state_service_id(verify->txn, &found_id, expected);
    found = verify_read(verify, found, "service");
    if (found == TXN_NOT_FOUND || (!found && (strcmp(name, expected) != 0 || found_id != id)))
        verify_fault(verify, "service '%s': its id %u is recorded wrongly", expected, id);
    return found < 0 ? found : 0;
}

static int check_places(struct verify *verify)
{
    const struct expected *expected = &verify->expected;
    int error = verify_go_on(verify);
    for (uint32_t i = 1; i <= expected->counters.environment_id && !error; i++) {
        error = check_environment(verify, &expected->environments[i]);
        error = error ? error : verify_go_on(verify);
    }
    for (uint32_t i = 1; i <= expected->counters.service_id && !error; i++) {
        error = check_service(verify, i, expected->services[i].name);
        error = error ? error : verify_go_on(verify);
    }
    for (size_t i = 0; i < expected->place_capacity && !error; i++) {
        if (expected->places[i].is.id)
            error = check_place(verify, &expected->places[i]);
        error = error ? error : verify_go_on(verify);
    }
    return error;
}

static int check_end(struct verify *verify, const struct head *head)
{
    struct counters counters;
    const struct counters *expected = &verify->expected.counters;
    if (verify->has_previous &&
        (memcmp(head->hash, verify->previous, HASH_SIZE) != 0 || head->time != verify->time))
        verify_fault(verify, "the head does not match commit %" PRIu64, head->rev);
    const int found = verify_read(verify, state_counters(verify->txn, &counters), "counters");
    if (found < 0)
        return found;
    if (!found &&
        (counters.environment_id != expected->environment_id ||
         counters.service_id != expected->service_id || counters.name_id != expected->name_id ||
         counters.entry_id != expected->entry_id ||
         counters.environments != expected->environments ||
         counters.services != expected->services || counters.entries != expected->entries))
        verify_fault(verify, "the counters do not match the log");
    verify->report->derived += 2;
    int error = check_counts(verify);
    if (!error)
        error = check_places(verify);
    return error ? error : verify_relations(verify);
}

/* --- the walks --- */

/* Commits up to the newest in this snapshot, or a step of them. Positive 1: the end was reached. */
static int walk_commits(struct verify *verify)
{
    struct head head;
    int error = verify_read(verify, state_head(verify->txn, &head), "head");
    if (error)
        return error < 0 ? error : 1;
    uint64_t entries = 0;
    error = verify_read(verify, txn_count(verify->txn, &entries, DB_CURRENT), "current entries");
    if (error < 0)
        return error;
    verify->total = head.rev + entries;
    const uint64_t stop = verify->report->operations + RECORDS_A_STEP;
    verify->is_renewed = false;
    error = verify_collect_erasures(verify, head.rev);
    if (error)
        return error;
    while (verify->rev <= head.rev) {
        if (verify->is_renewed || verify->report->operations >= stop)
            return 0;
        error = check_commit(verify);
        if (error)
            return error;
        verify->rev++;
        verify->done++;
    }
    if (verify->is_renewed)
        return 0;
    error = check_end(verify, &head);
    return error ? error : 1;
}

/* A step of records, each by next. Positive 1: the end was reached. */
static int walk_records(struct verify *verify, int (*next)(struct verify *))
{
    for (int i = 0; i < RECORDS_A_STEP; i++) {
        int found = verify_go_on(verify);
        if (!found)
            found = next(verify);
        if (found)
            return found;
    }
    return 0;
}

static int walk_history(struct verify *verify)
{
    return walk_records(verify, verify_next_moment);
}

static int walk_entries(struct verify *verify)
{
    return walk_records(verify, verify_next_entry);
}

static int walk_expiries(struct verify *verify)
{
    return walk_records(verify, verify_next_expiry);
}

static int walk_references(struct verify *verify)
{
    return walk_records(verify, verify_next_reference);
}

static int walk_leaks(struct verify *verify)
{
    return walk_records(verify, verify_next_leak);
}

static int walk_everything(struct verify *verify)
{
    return walk_records(verify, verify_next_record);
}

static int walk(struct verify *verify, int (*step)(struct verify *))
{
    int result = 0;
    while (!result && !show_progress(verify)) {
        result = txn_renew(verify->txn);
        if (result)
            break;
        verify->is_barred = false;
        result = step(verify);
        txn_reset(verify->txn);
    }
    return result < 0 ? result : 0;
}

/* Positive 1: there is a page that nobody comes back from; it was told of, and is all that can be
 * said. */
static int look_for_endless(struct verify *verify, struct env *env)
{
    const char *why;
    bool is_endless;
    const int error = pages_check_alone(env, &why, &is_endless);
    if (error || !is_endless)
        return error;
    verify_fault(verify, "the file: %s: its records cannot be walked", why);
    verify->report->is_endless = true;
    return 1;
}

int verify_log(struct env *env, const uint8_t store_id[static STORE_ID_SIZE],
               const struct verify_options *options, struct verify_report *report)
{
    static int (*const walks[])(struct verify *) = {walk_commits,   walk_history,    walk_entries,
                                                    walk_expiries,  walk_references, walk_leaks,
                                                    walk_everything};
    struct verify verify = {.options = options, .report = report, .rev = 1, .has_previous = true};
    *report = (struct verify_report){0};
    memcpy(verify.store_id, store_id, STORE_ID_SIZE);
    int error = look_for_endless(&verify, env);
    if (error > 0)
        return error_set(ERR_CORRUPT, "%" PRIu64 " faults in the store", report->faults);
    if (!error)
        error = txn_reader_new(&verify.txn, env);
    for (size_t i = 0; i < sizeof walks / sizeof walks[0] && !error && !verify.is_stopped; i++) {
        error = walk(&verify, walks[i]);
        if (!error && !verify.is_stopped && walks[i] == walk_history)
            error = verify_tallies(&verify);
    }
    if (!error)
        show_progress(&verify);
    txn_free(verify.txn);
    leaves_release(&verify.leaves);
    follow_release(&verify.follow);
    verify_erasures_release(&verify.erasures);
    entitled_release(&verify.signer);
    free(verify.touches.items);
    expected_release(&verify.expected);
    if (!error && report->faults)
        error = error_set(ERR_CORRUPT, "%" PRIu64 " faults in the store", report->faults);
    return error;
}
