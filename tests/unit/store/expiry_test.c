/*
 * Keys with an end, on a clock that the test holds: what goes when, in how many commits, what the
 * log says of it; random changes against a naive model, with a clock that jumps both ways; and what
 * verification must find in the index of what expires. Nothing here waits.
 */
#include "tests/unit/store/model_support.h"

#include <inttypes.h>

#include "store/db/keys.h"
#include "store/expiry.h"
#include "store/log/state.h"
#include "store/verify.h"
#include "tests/support/store/dice.h"

#define SECOND 1000000000ll
/* 2096: later than every commit that takes the clock's time. */
#define START (4000000000 * SECOND)

struct wish {
    enum sample_verb verb;
    const char *path;
    uint64_t value, ttl; /* 0: for good */
};

static int attempt(struct store *store, struct change_result *result,
                   const struct change_terms *terms, const struct wish wishes[], size_t count)
{
    struct change *change;
    assert_int_equal(change_new(&change, store), 0);
    for (size_t i = 0; i < count; i++) {
        const struct sample_step step = {wishes[i].verb, wishes[i].path, wishes[i].value};
        assert_int_equal(sample_gather(change, &step, 1), 0);
        if (wishes[i].ttl)
            assert_int_equal(change_ttl(change, wishes[i].ttl), 0);
    }
    const int error = change_commit(change, terms, result);
    change_free(change);
    return error;
}

/* A commit at a moment; its revision. */
static uint64_t commit_at(struct model *model, int64_t now, const struct wish wishes[],
                          size_t count)
{
    struct change_result result;
    struct change_terms terms = sample_terms("for a while", 0);
    terms.now = now;
    assert_int_equal(attempt(model->store, &result, &terms, wishes, count), 0);
    const uint64_t rev = result.rev;
    change_result_release(&result);
    return rev;
}
#define AT(model_, now_, ...)                                                                      \
    commit_at(model_, now_, (const struct wish[]){__VA_ARGS__},                                    \
              sizeof((const struct wish[]){__VA_ARGS__}) / sizeof(struct wish))

static struct expiry_result expire(struct model *model, int64_t now)
{
    struct expiry_result result;
    assert_int_equal(expiry_commit(model->store, &result, now), 0);
    return result;
}

static bool is_there(struct model *model, const char *path)
{
    struct bytes value BYTES_CLEANUP = BYTES_INIT(VALUE_MAX);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    const int found = sample_read(model->snapshot, NULL, &value, path);
    snapshot_end(model->snapshot);
    assert_true(found >= 0);
    return found == 0;
}

static struct entry entry_of(struct model *model, const char *path)
{
    struct bytes value BYTES_CLEANUP = BYTES_INIT(VALUE_MAX);
    struct entry entry;
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(sample_read(model->snapshot, &entry, &value, path), 0);
    snapshot_end(model->snapshot);
    return entry;
}

/* --- what it means --- */

static void test_it_goes_at_its_moment(void **state)
{
    struct model *model = *state;
    struct store_status status;
    COMMIT(model, {ADD, "prod", 0});
    const uint64_t rev = AT(model, START, {SET, "prod/web/A", 1, 30}, {SECRET, "prod/web/S", 2, 40},
                            {SET, "prod/web/B", 3, 0});
    assert_int_equal(entry_of(model, "prod/web/A").expires, START + 30 * SECOND);
    assert_int_equal(entry_of(model, "prod/web/B").expires, 0);
    assert_int_equal(store_status(model->store, &status), 0);
    assert_int_equal(status.expiring, 2);
    assert_int_equal(status.next_expiry, START + 30 * SECOND);

    struct expiry_result gone = expire(model, START + 30 * SECOND - 1);
    assert_true(gone.rev == 0 && gone.count == 0 && gone.next == START + 30 * SECOND);
    assert_true(is_there(model, "prod/web/A"));
    assert_int_equal(store_revision(model->store), rev);

    gone = expire(model, START + 30 * SECOND);
    assert_true(gone.rev == rev + 1 && gone.count == 1 && gone.next == START + 40 * SECOND);
    assert_false(is_there(model, "prod/web/A"));
    gone = expire(model, START + 30 * SECOND);
    assert_true(gone.rev == 0 && gone.count == 0);

    gone = expire(model, START + 1000 * SECOND);
    assert_true(gone.rev == rev + 2 && gone.count == 1 && gone.next == 0);
    assert_false(is_there(model, "prod/web/S"));
    assert_true(is_there(model, "prod/web/B"));
    assert_int_equal(store_status(model->store, &status), 0);
    assert_true(status.expiring == 0 && status.next_expiry == 0);
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_what_the_log_says(void **state)
{
    struct model *model = *state;
    struct commit_info commit;
    struct operation_info operation;
    char expected[64];
    COMMIT(model, {ADD, "prod", 0});
    const uint64_t rev = AT(model, START, {SET, "prod/web/A", 1, 60});
    AT(model, START + SECOND, {SET, "prod/web/B", 1, 60});
    struct expiry_result gone = expire(model, START + 60 * SECOND);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(history_operation(model->snapshot, &operation, rev, 2), 0);
    assert_int_equal(operation.expires, START + 60 * SECOND);
    assert_int_equal(history_commit(model->snapshot, &commit, gone.rev), 0);
    snprintf(expected, sizeof expected, "emsa (expiry of rev %" PRIu64 ")", rev);
    assert_string_equal(commit.author.name, expected);
    assert_string_equal(commit.reason, "expired at 2096-10-02T07:07:40Z: prod/web/A");
    assert_int_equal(commit.operations, 1);
    assert_int_equal(commit.time, START + 60 * SECOND);
    assert_int_equal(history_operation(model->snapshot, &operation, gone.rev, 0), 0);
    assert_int_equal(operation.kind, OPERATION_REMOVE);
    assert_int_equal(operation.expires, START + 60 * SECOND);
    assert_string_equal(operation.path.key, "A");
    snapshot_end(model->snapshot);
}

static void test_many_at_once_are_one_commit(void **state)
{
    struct model *model = *state;
    struct commit_info commit;
    COMMIT(model, {ADD, "prod", 0}, {ADD, "dev", 0});
    const uint64_t first = AT(model, START, {SET, "prod/web/A", 1, 10}, {SET, "dev/web/A", 1, 20});
    const uint64_t last = AT(model, START, {SECRET, "prod/api/A", 1, 30}, {SET, "prod/api/B", 1, 5},
                             {SET, "dev/api/C", 1, 15}, {SET, "dev/api/STAYS", 1, 31});
    const struct expiry_result gone = expire(model, START + 30 * SECOND);
    assert_true(gone.rev == last + 1 && gone.count == 5 && gone.next == START + 31 * SECOND);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(history_commit(model->snapshot, &commit, gone.rev), 0);
    snapshot_end(model->snapshot);
    char expected[64];
    snprintf(expected, sizeof expected, "emsa (expiry of revs %" PRIu64 " to %" PRIu64 ")", first,
             last);
    assert_string_equal(commit.author.name, expected);
    assert_string_equal(commit.reason, "5 places expired, the first at 2096-10-02T07:06:45Z: "
                                       "prod/api/B, prod/web/A, dev/api/C and 2 more");
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_a_set_moves_it_or_takes_it_away(void **state)
{
    struct model *model = *state;
    struct change_result result;
    COMMIT(model, {ADD, "prod", 0});
    AT(model, START, {SET, "prod/web/A", 1, 30}, {SET, "prod/web/B", 1, 30},
       {SET, "prod/web/C", 1, 30}, {SET, "prod/web/D", 1, 0}, {SET, "prod/web/E", 1, 30});
    /* The same values: what changes is the end, and that is a change. */
    struct change_terms terms = sample_terms("again", 0);
    terms.now = START + 10 * SECOND;
    const struct wish again[] = {{SET, "prod/web/A", 1, 30}, {SET, "prod/web/B", 1, 0},
                                 {SET, "prod/web/D", 1, 5},  {DROP, "prod/web/E", 0, 0},
                                 {SET, "prod/web/F", 1, 60}, {SET, "prod/web/F", 1, 0},
                                 {SET, "prod/web/F", 1, 0}};
    assert_int_equal(attempt(model->store, &result, &terms, again, 7), 0);
    char marks[8] = "";
    for (size_t i = 0; i < result.count; i++)
        marks[i] = result.lines[i].mark;
    assert_string_equal(marks, "~~~-+~=");
    assert_int_equal(result.lines[0].expires, START + 40 * SECOND);
    assert_int_equal(result.lines[1].expires, 0);
    assert_int_equal(result.lines[3].expires, 0);
    assert_int_equal(result.expires, START + 15 * SECOND);
    change_result_release(&result);

    assert_int_equal(expire(model, START + 15 * SECOND).count, 1); /* D */
    assert_int_equal(expire(model, START + 39 * SECOND).count, 1); /* C, and not A, B or F */
    assert_int_equal(expire(model, START + 40 * SECOND).count, 1); /* A */
    assert_true(is_there(model, "prod/web/B") && is_there(model, "prod/web/F"));
    assert_int_equal(expire(model, START + 10000 * SECOND).next, 0);
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_terms_go_with_it(void **state)
{
    struct model *model = *state;
    struct change_result result;
    COMMIT(model, {ADD, "prod", 0});
    const struct wish one[] = {{SET, "prod/web/A", 1, 30}};
    struct change_terms terms = sample_terms("once", 7);
    terms.now = START;
    terms.dry_run = true;
    assert_int_equal(attempt(model->store, &result, &terms, one, 1), 0);
    assert_false(result.committed);
    change_result_release(&result);
    assert_int_equal(expire(model, START + 100 * SECOND).rev, 0);
    terms.dry_run = false;
    assert_int_equal(attempt(model->store, &result, &terms, one, 1), 0);
    assert_true(result.committed && result.expires == START + 30 * SECOND);
    const uint64_t rev = result.rev;
    change_result_release(&result);
    /* Sent again, later: the first time holds, and so does its end. */
    terms.now = START + 20 * SECOND;
    assert_int_equal(attempt(model->store, &result, &terms, one, 1), 0);
    assert_true(result.repeated && result.rev == rev);
    change_result_release(&result);
    assert_int_equal(expire(model, START + 30 * SECOND).count, 1);
    /* --if-rev sees that it went. */
    terms = sample_terms("if", 0);
    terms.has_if_rev = true;
    terms.if_rev = rev;
    terms.if_path = sample_path("prod/web/A");
    assert_int_equal(attempt(model->store, &result, &terms, one, 1), ERR(ERR_CONFLICT));
    /* And a request that is sent again after the end does not bring it back. */
    terms = sample_terms("once", 7);
    assert_int_equal(attempt(model->store, &result, &terms, one, 1), 0);
    assert_true(result.repeated);
    change_result_release(&result);
    assert_false(is_there(model, "prod/web/A"));
}

static void test_bounds(void **state)
{
    struct model *model = *state;
    struct change *change;
    const struct path path = sample_path("prod/web/A");
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(change_ttl(change, 30), ERR(ERR_INVALID));
    assert_int_equal(change_remove(change, &path), 0);
    assert_int_equal(change_ttl(change, 30), ERR(ERR_INVALID));
    assert_int_equal(change_set_plain(change, &path, "x", 1), 0);
    assert_int_equal(change_ttl(change, 0), ERR(ERR_INVALID));
    assert_int_equal(change_ttl(change, (uint64_t)TTL_MAX + 1), ERR(ERR_INVALID));
    assert_int_equal(change_ttl(change, UINT64_MAX), ERR(ERR_INVALID));
    assert_int_equal(change_ttl(change, TTL_MAX), 0);
    change_free(change);
}

/* A clock that went wrong, both ways. */
static void test_a_clock_that_jumps(void **state)
{
    struct model *model = *state;
    struct commit_info commit;
    COMMIT(model, {ADD, "prod", 0});
    AT(model, START, {SET, "prod/web/A", 1, 30});
    /* Back: it lives longer. What is set then ends by that clock, though the log's time stays. */
    const int64_t back = START - 86400 * SECOND;
    const uint64_t rev = AT(model, back, {SET, "prod/web/B", 1, 30});
    assert_int_equal(expire(model, back + 29 * SECOND).count, 0);
    const struct expiry_result gone = expire(model, back + 30 * SECOND);
    assert_true(gone.count == 1 && gone.next == START + 30 * SECOND);
    assert_int_equal(snapshot_begin(model->snapshot), 0);
    assert_int_equal(history_commit(model->snapshot, &commit, gone.rev), 0);
    snapshot_end(model->snapshot);
    assert_true(gone.rev == rev + 1 && commit.time > START);
    assert_int_equal(expire(model, -SECOND).count, 0);
    AT(model, -SECOND, {SET, "prod/web/C", 1, 30}); /* before 1970 */
    assert_int_equal(entry_of(model, "prod/web/C").expires, 30 * SECOND);
    assert_int_equal(expire(model, START + 365 * 86400 * SECOND).count, 2);
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_places_that_go_take_it_along(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod", 0}, {ADD, "dev", 0});
    AT(model, START, {SET, "prod/web/A", 1, 30}, {SET, "dev/web/A", 1, 30});
    struct change *change;
    struct change_result result;
    const struct change_terms terms = sample_terms("clear", 0);
    const struct path service = sample_path("prod/web"), environment = sample_path("dev");
    assert_int_equal(change_new(&change, model->store), 0);
    assert_int_equal(change_remove_all(change, &service), 0);
    assert_int_equal(change_remove_all(change, &environment), 0);
    assert_int_equal(change_commit(change, &terms, &result), 0);
    change_result_release(&result);
    change_free(change);
    const struct expiry_result gone = expire(model, START + 100 * SECOND);
    assert_true(gone.count == 0 && gone.next == 0);
    /* The service stays when its last key goes, and takes it again. */
    AT(model, START + 100 * SECOND, {SET, "prod/web/A", 1, 30});
    assert_int_equal(expire(model, START + 130 * SECOND).count, 1);
    AT(model, START + 200 * SECOND, {SET, "prod/web/A", 1, 0});
    assert_true(is_there(model, "prod/web/A"));
    assert_int_equal(sample_verify(model->store, true), 0);
}

static void test_a_locked_store_expires_as_well(void **state)
{
    struct model *model = *state;
    COMMIT(model, {ADD, "prod", 0});
    AT(model, START, {SECRET, "prod/web/S", 1, 30});
    model_reopen(model, false);
    assert_int_equal(expire(model, START + 30 * SECOND).count, 1);
}

/* --- against a model --- */

#define KEYS 24u
#define STEPS 1500u

struct key_model {
    bool alive;
    int64_t expires;
    uint64_t rev;
};

struct play {
    struct model *model;
    struct dice dice;
    int64_t now;
    struct key_model keys[KEYS];
    unsigned commits, expired, idle;
};

static const char *path_of(unsigned key)
{
    static char texts[KEYS][64];
    snprintf(texts[key], sizeof texts[key], "%s/%s/K%u", key % 2 ? "prod" : "dev",
             key % 3 ? "web" : "api", key);
    return texts[key];
}

static void play_set(struct play *play)
{
    struct wish wishes[5];
    const size_t count = 1 + dice_roll(&play->dice, 5);
    struct key_model next[KEYS];
    memcpy(next, play->keys, sizeof next);
    for (size_t i = 0; i < count; i++) {
        const unsigned at = (unsigned)dice_roll(&play->dice, KEYS);
        struct key_model *key = &next[at];
        const bool drops = key->alive && dice_once_in(&play->dice, 4);
        /* Half of the ends fall together, and some on the same moment as others' that exist. */
        const uint64_t ttl = dice_once_in(&play->dice, 3) ? 0 : 1 + dice_roll(&play->dice, 40);
        /* A secret never becomes plain: the kind goes by the key. */
        wishes[i] = (struct wish){drops    ? DROP
                                  : at % 4 ? SET
                                           : SECRET,
                                  path_of(at), dice_roll(&play->dice, 1000000), drops ? 0 : ttl};
        *key = (struct key_model){!drops, drops || !ttl ? 0 : play->now + (int64_t)ttl * SECOND, 0};
    }
    const uint64_t rev = commit_at(play->model, play->now, wishes, count);
    for (unsigned i = 0; i < KEYS; i++)
        if (memcmp(&next[i], &play->keys[i], sizeof next[i]) != 0)
            next[i].rev = rev;
    memcpy(play->keys, next, sizeof next);
    play->commits++;
}

static void play_expire(struct play *play)
{
    const uint64_t before = store_revision(play->model->store);
    size_t due = 0;
    int64_t next = 0;
    for (unsigned i = 0; i < KEYS; i++) {
        struct key_model *key = &play->keys[i];
        if (key->alive && key->expires && key->expires <= play->now) {
            *key = (struct key_model){0};
            due++;
        } else if (key->alive && key->expires && (!next || key->expires < next)) {
            next = key->expires;
        }
    }
    const struct expiry_result gone = expire(play->model, play->now);
    MUST(gone.count == due, "%zu went, not %zu", gone.count, due);
    MUST(gone.next == next, "next is %" PRId64 ", not %" PRId64, gone.next, next);
    MUST(gone.rev == (due ? before + 1 : 0), "revision %" PRIu64, gone.rev);
    MUST(store_revision(play->model->store) == before + (due > 0), "more than one commit");
    play->expired += (unsigned)due;
    play->idle += !due;
}

static void play_compare(struct play *play)
{
    for (unsigned i = 0; i < KEYS; i++) {
        const struct key_model *key = &play->keys[i];
        MUST(is_there(play->model, path_of(i)) == key->alive, "'%s'", path_of(i));
        if (key->alive)
            MUST(entry_of(play->model, path_of(i)).expires == key->expires, "the end of '%s'",
                 path_of(i));
    }
}

static void test_random(void **state)
{
    struct play play = {.model = *state, .now = START};
    play.dice = dice_new(dice_seed());
    COMMIT(play.model, {ADD, "prod", 0}, {ADD, "dev", 0});
    const unsigned steps = trial_scaled(STEPS);
    for (unsigned i = 0; i < steps; i++) {
        switch (dice_roll(&play.dice, 12)) {
        case 0: /* the clock is set, by up to a minute */
            play.now += ((int64_t)dice_roll(&play.dice, 120) - 60) * SECOND;
            break;
        case 1:
        case 2:
        case 3:
        case 4:
            play.now += (int64_t)dice_roll(&play.dice, 5 * SECOND);
            play_expire(&play);
            break;
        case 5:
            if (dice_once_in(&play.dice, 10))
                model_reopen(play.model, true);
            break;
        default:
            play_set(&play);
        }
        if (i % 10 == 0)
            play_compare(&play);
    }
    play_compare(&play);
    play.now += 1000 * SECOND;
    play_expire(&play);
    play_compare(&play);
    assert_int_equal(sample_verify(play.model->store, true), 0);
    printf("%u steps: %u commits, %u keys expired, %u times nothing was due\n", steps, play.commits,
           play.expired, play.idle);
}

/* --- damage --- */

static struct spot current(struct txn *txn, const char *key)
{
    struct spot spot;
    assert_int_equal(state_current(txn, &spot, 1, 1, key), 0);
    return spot;
}
/* What the index by moment has of a spot. */
static struct expiry ending(const struct spot *spot)
{
    return (struct expiry){.moment = spot->expires,
                           .environment = spot->environment,
                           .name_id = spot->name_id,
                           .rev = spot->since,
                           .op = spot->op};
}
static void drop_record(struct txn *txn)
{
    const struct spot spot = current(txn, "A");
    const struct expiry expiry = ending(&spot);
    state_delete_expiry(txn, &expiry);
}
static void move_record(struct txn *txn)
{
    const struct spot spot = current(txn, "A");
    struct expiry expiry = ending(&spot);
    state_delete_expiry(txn, &expiry);
    expiry.moment++;
    state_put_expiry(txn, &expiry);
}
static void stray_record(struct txn *txn)
{
    const struct spot spot = current(txn, "B");
    struct expiry expiry = ending(&spot);
    expiry.moment = START;
    state_put_expiry(txn, &expiry);
}
static void wrong_record(struct txn *txn)
{
    const struct spot spot = current(txn, "A");
    struct expiry expiry = ending(&spot);
    expiry.op++;
    state_put_expiry(txn, &expiry);
}
static void later_entry(struct txn *txn)
{
    struct spot spot = current(txn, "A");
    struct expiry expiry = ending(&spot);
    state_delete_expiry(txn, &expiry);
    spot.expires += SECOND;
    state_put_current(txn, &spot);
    expiry.moment = spot.expires;
    state_put_expiry(txn, &expiry);
}
static void edit_log(struct txn *txn, uint64_t rev, uint32_t op)
{
    struct key key;
    struct slice body;
    unsigned char copy[512];
    assert_int_equal(txn_get(txn, &body, DB_LOG, key_operation(&key, rev, op)), 0);
    assert_true(body.size <= sizeof copy);
    memcpy(copy, body.data, body.size);
    copy[body.size - 4] ^= 1; /* of the moment, which stands last */
    txn_put(txn, DB_LOG, key_operation(&key, rev, op), (struct slice){copy, body.size});
}
static void edit_set(struct txn *txn)
{
    edit_log(txn, 3, 2);
}
static void edit_removal(struct txn *txn)
{
    edit_log(txn, 4, 0);
}

static const struct {
    const char *name;
    void (*edit)(struct txn *);
    const char *says; /* part of the first fault */
} edits[] = {
    {"drop_record", drop_record, "key 1 of environment 1 (0: all of it) expires, and the index"},
    {"move_record", move_record, "key 1 of environment 1 (0: all of it) expires, and the index"},
    {"stray_record", stray_record, "which does not expire then"},
    {"wrong_record", wrong_record, "key 1 of environment 1 (0: all of it) expires, and the index"},
    {"later_entry", later_entry, "current entry 'A' of 1/1 does not match the log"},
    {"edit_set", edit_set, "commit 3: operation 2: the history of 'A' does not match"},
    {"edit_removal", edit_removal, "commit 4: operation 0: it says that 'C' expired"},
};

static void keep_first(void *arg, const char *text)
{
    char *first = arg;
    if (!*first)
        snprintf(first, 512, "%s", text);
}

static void test_every_edit_is_found(void **state)
{
    struct model *model = *state;
    char good[TRIAL_PATH_MAX];
    COMMIT(model, {ADD, "prod", 0});
    AT(model, START, {SET, "prod/web/A", 1, 30}, {SET, "prod/web/B", 1, 0},
       {SET, "prod/web/C", 1, 10});
    assert_int_equal(expire(model, START + 10 * SECOND).rev, 4);
    model_close(model);
    trial_copy_folder(trial_path(good, model->folder, "good"), model->path);
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        char first[512] = "";
        struct verify_report report;
        const struct verify_options options = {.fault = keep_first, .arg = first};
        model_close(model);
        trial_copy_folder(model->path, good);
        model->store = sample_open(model->path, true);
        assert_int_equal(snapshot_new(&model->snapshot, model->store), 0);
        model_edit(model, edits[i].edit);
        model_reopen(model, true);
        assert_int_equal(verify_store(model->store, &options, &report), ERR(ERR_CORRUPT));
        if (!strstr(first, edits[i].says))
            fail_msg("%s: the first fault is '%s'", edits[i].name, first);
    }
}

/* An index that names what does not expire removes nothing: it is damage, and said to be. */
static void test_a_wrong_index_removes_nothing(void **state)
{
    struct model *model = *state;
    struct expiry_result result;
    COMMIT(model, {ADD, "prod", 0});
    AT(model, START, {SET, "prod/web/A", 1, 30}, {SET, "prod/web/B", 1, 0});
    model_edit(model, stray_record);
    model_reopen(model, true);
    assert_int_equal(expiry_commit(model->store, &result, START + 60 * SECOND), ERR(ERR_CORRUPT));
    assert_true(is_there(model, "prod/web/A") && is_there(model, "prod/web/B"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_it_goes_at_its_moment),
        MODEL_TEST(test_what_the_log_says),
        MODEL_TEST(test_many_at_once_are_one_commit),
        MODEL_TEST(test_a_set_moves_it_or_takes_it_away),
        MODEL_TEST(test_terms_go_with_it),
        MODEL_TEST(test_bounds),
        MODEL_TEST(test_a_clock_that_jumps),
        MODEL_TEST(test_places_that_go_take_it_along),
        MODEL_TEST(test_a_locked_store_expires_as_well),
        MODEL_TEST(test_random),
        MODEL_TEST(test_every_edit_is_found),
        MODEL_TEST(test_a_wrong_index_removes_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
