/* What verification must find in what one commit means in other places: pointers, outcomes,
 * references, shares, locks, ends. As verify_test.c, with every record's own hash made right. */
#include "tests/unit/store/model_support.h"

#include "store/db/keys.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"
#include "store/verify.h"

struct found {
    unsigned count;
    char all[4096];
};

static void keep(void *arg, const char *text)
{
    struct found *found = arg;
    const size_t used = strlen(found->all);
    found->count++;
    snprintf(found->all + used, sizeof found->all - used, "%s\n", text);
}

static int verify(struct model *model, struct found *found)
{
    const struct verify_options options = {.fault = keep, .arg = found};
    struct verify_report report;
    *found = (struct found){0};
    return verify_store(model->store, &options, &report);
}

static struct change *begin(struct model *model)
{
    struct change *change;
    assert_int_equal(change_new(&change, model->store), 0);
    return change;
}

static void end(struct change *change)
{
    struct change_result result;
    const struct change_terms terms = sample_terms("layers", 0);
    const int error = change_commit(change, &terms, &result);
    if (error)
        fail_msg("%s", error_text());
    assert_true(result.committed);
    change_result_release(&result);
    change_free(change);
}

#define DO(call_) assert_int_equal(call_, 0)
#define AT(text_) (&(struct path[]){sample_path(text_)}[0])

static void set(struct change *change, const char *path, const char *value)
{
    DO(change_set_plain(change, AT(path), value, strlen(value)));
}

/* Environments: 1 base, 2 all, 3 child, 4 passing. Services: 1 web, 2 db. */
static void fill(struct model *model)
{
    const struct environment_terms on_base = {.base = "base"};
    const struct environment_terms passing = {.ttl = 3600};
    struct change *change = begin(model); /* 2 */
    DO(change_environment_add(change, "base", NULL));
    set(change, "base/web/OWN", "1");
    set(change, "base/web/OVER", "of the base");
    set(change, "base/db/HOST", "here");
    end(change);
    change = begin(model); /* 3 */
    set(change, "all/web/OVER", "of all");
    set(change, "all/web/ONLY", "of all");
    DO(change_environment_add(change, "child", &on_base));
    end(change);
    change = begin(model); /* 4 */
    DO(change_share(change, AT("base/db/HOST"), "web"));
    DO(change_set_link(change, AT("base/web/LINK"), "db/HOST"));
    DO(change_set_template(change, AT("all/web/TEXT"), "${OVER} ${ONLY|json}", 20));
    end(change);
    change = begin(model); /* 5 */
    DO(change_remove(change, AT("base/web/OVER")));
    set(change, "child/web/SOON", "1");
    DO(change_ttl(change, 3600));
    DO(change_environment_add(change, "passing", &passing));
    DO(change_lock(change, AT("child/web/LINK")));
    end(change);
}

static void test_a_good_store(void **state)
{
    struct model *model = *state;
    struct found found;
    fill(model);
    if (verify(model, &found))
        fail_msg("%s", found.all);
    assert_int_equal(found.count, 0);
}

static struct spot spot_of(struct txn *txn, uint32_t environment, const char *key)
{
    struct spot spot;
    DO(state_current(txn, &spot, environment, 1, key));
    return spot;
}

/* --- pointers --- */

static void put_both(struct txn *txn, const struct spot *spot)
{
    state_put_current(txn, spot);
    state_put_moment(txn, spot);
}
static void other_layer(struct txn *txn)
{
    struct spot spot = spot_of(txn, 3, "ONLY");
    spot.kind = SPOT_IN_BASE;
    put_both(txn, &spot);
}
static void layer_too_deep(struct txn *txn)
{
    struct spot spot = spot_of(txn, 3, "OWN");
    spot.kind = SPOT_IN_ALL;
    put_both(txn, &spot);
}
static void pointer_in_all(struct txn *txn)
{
    struct spot spot = spot_of(txn, 3, "OWN");
    spot.environment = 2;
    put_both(txn, &spot);
}
static void drop_pointer(struct txn *txn)
{
    struct spot spot = spot_of(txn, 3, "ONLY");
    struct key key;
    state_delete_current(txn, 3, 1, "ONLY");
    txn_delete(txn, DB_HISTORY, key_history(&key, 3, spot.name_id, spot.since));
}
/* Gone, as if something had ended there by itself. */
static void hide_pointer(struct txn *txn)
{
    struct spot spot = spot_of(txn, 3, "ONLY");
    spot.kind = SPOT_NONE;
    spot.since = 5;
    state_delete_current(txn, 3, 1, "ONLY");
    state_put_moment(txn, &spot);
}
static void edit_pointer(struct txn *txn)
{
    struct spot spot = spot_of(txn, 3, "ONLY");
    spot.rev--;
    put_both(txn, &spot);
}
static void edit_first(struct txn *txn)
{
    struct spot spot = spot_of(txn, 3, "ONLY");
    spot.first_time++;
    put_both(txn, &spot);
}
/* A definition that is not in the log hides what lies beneath. */
static void stray_definition(struct txn *txn)
{
    struct spot spot = spot_of(txn, 3, "ONLY");
    const struct spot other = spot_of(txn, 3, "SOON");
    spot.kind = ENTRY_PLAIN;
    spot.op = other.op;
    spot.entry_id = other.entry_id;
    put_both(txn, &spot);
}
/* A pointer that was written once more. */
static void stray_moment(struct txn *txn)
{
    struct spot spot = spot_of(txn, 3, "ONLY");
    spot.since = spot.rev = 4;
    put_both(txn, &spot);
}

/* --- outcomes --- */

static void put_outcomes(struct txn *txn, uint64_t rev, void (*edit)(struct outcome *, size_t *))
{
    struct outcome outcomes[OUTCOMES_A_CHUNK];
    size_t count;
    DO(state_outcomes(txn, outcomes, &count, rev, 0));
    edit(outcomes, &count);
    state_put_outcomes(txn, outcomes, count, rev, 0);
}
static size_t find_key(const struct outcome *outcomes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (outcomes[i].kind == OUTCOME_KEY)
            return i;
    fail();
    return 0;
}
static void one_less(struct outcome *outcomes, size_t *count)
{
    const size_t at = find_key(outcomes, *count);
    --*count;
    memmove(outcomes + at, outcomes + at + 1, (*count - at) * sizeof *outcomes);
}
static void one_place_less(struct outcome *outcomes, size_t *count)
{
    outcomes[--*count].kind = 0; /* environment 4, which stands last */
}
static void another_mark(struct outcome *outcomes, size_t *count)
{
    struct outcome *outcome = &outcomes[find_key(outcomes, *count)];
    outcome->mark = outcome->mark == '~' ? '+' : '~';
}
static void secret_now(struct outcome *outcomes, size_t *count)
{
    outcomes[find_key(outcomes, *count)].is_secret = true;
}
static void another_life(struct outcome *outcomes, size_t *count)
{
    outcomes[find_key(outcomes, *count)].incarnation++;
}
static void another_key(struct outcome *outcomes, size_t *count)
{
    outcomes[find_key(outcomes, *count)].name_id = 77;
}
static void other_order(struct outcome *outcomes, size_t *count)
{
    const struct outcome last = outcomes[*count - 1];
    outcomes[*count - 1] = outcomes[*count - 2];
    outcomes[*count - 2] = last;
}
static void drop_outcome(struct txn *txn)
{
    put_outcomes(txn, 3, one_less);
}
static void drop_place_outcome(struct txn *txn)
{
    put_outcomes(txn, 5, one_place_less);
}
static void edit_mark(struct txn *txn)
{
    put_outcomes(txn, 5, another_mark);
}
static void edit_secrecy(struct txn *txn)
{
    put_outcomes(txn, 2, secret_now);
}
static void edit_incarnation(struct txn *txn)
{
    put_outcomes(txn, 2, another_life);
}
static void edit_outcome_key(struct txn *txn)
{
    put_outcomes(txn, 2, another_key);
}
static void edit_order(struct txn *txn)
{
    put_outcomes(txn, 3, other_order);
}
static void drop_outcomes(struct txn *txn)
{
    struct key key;
    txn_delete(txn, DB_OUTCOME, key_outcome(&key, 5, 0));
}
static void stray_outcomes(struct txn *txn)
{
    struct outcome outcomes[OUTCOMES_A_CHUNK];
    size_t count;
    DO(state_outcomes(txn, outcomes, &count, 5, 0));
    state_put_outcomes(txn, outcomes, count, 9, 0);
}

/* --- references, shares, locks --- */

static struct state_reference reference_of(struct txn *txn)
{
    struct state_reference reference = {0};
    DO(state_next_reference(txn, &reference));
    return reference;
}
static void drop_reference(struct txn *txn)
{
    const struct state_reference reference = reference_of(txn);
    state_delete_reference(txn, &reference);
}
static void stray_reference(struct txn *txn)
{
    struct state_reference reference = reference_of(txn);
    memcpy(reference.key, "OTHER", 6);
    state_put_reference(txn, &reference);
}
static void reference_of_a_value(struct txn *txn)
{
    struct state_reference reference = reference_of(txn);
    reference.name_id = spot_of(txn, 1, "OWN").name_id;
    state_put_reference(txn, &reference);
}
static struct state_share share_of(struct txn *txn)
{
    struct state_share share = {0};
    DO(state_next_share(txn, &share));
    return share;
}
static void drop_share(struct txn *txn)
{
    const struct state_share share = share_of(txn);
    state_delete_share(txn, &share);
}
static void edit_share(struct txn *txn)
{
    struct state_share share = share_of(txn);
    share.op++;
    state_put_share(txn, &share);
}
static void stray_share(struct txn *txn)
{
    struct state_share share = share_of(txn);
    memcpy(share.consumer, "*", 2);
    state_put_share(txn, &share);
}
static struct state_lock lock_of(struct txn *txn)
{
    struct state_lock lock = {0};
    DO(state_next_lock(txn, &lock));
    return lock;
}
static void drop_lock(struct txn *txn)
{
    const struct state_lock lock = lock_of(txn);
    state_delete_lock(txn, &lock);
}
static void stray_lock(struct txn *txn)
{
    struct state_lock lock = lock_of(txn);
    lock.key[0] = '\0';
    state_put_lock(txn, &lock);
}

/* --- what came and went --- */

static void drop_presence(struct txn *txn)
{
    struct presence presence;
    struct key key;
    DO(state_presence(txn, &presence, 1, 0, UINT64_MAX));
    txn_delete(txn, DB_PRESENCE, key_presence(&key, 1, 0, presence.rev, presence.op));
}
static void edit_presence(struct txn *txn)
{
    struct presence presence;
    DO(state_presence(txn, &presence, 1, 0, UINT64_MAX));
    presence.is_there = !presence.is_there;
    state_put_presence(txn, &presence);
}
static void stray_presence(struct txn *txn)
{
    struct presence presence;
    DO(state_presence(txn, &presence, 1, 0, UINT64_MAX));
    presence.op++;
    presence.is_there = false;
    state_put_presence(txn, &presence);
}

/* --- environments, ends --- */

static void edit_base(struct txn *txn)
{
    struct environment_state environment;
    DO(state_environment(txn, &environment, "child"));
    environment.is.base = 4;
    state_put_environment(txn, &environment);
}
static void edit_protection(struct txn *txn)
{
    struct environment_state environment;
    DO(state_environment(txn, &environment, "base"));
    environment.is.is_protected = true;
    state_put_environment(txn, &environment);
}
static struct expiry expiry_of(struct txn *txn, bool is_environment)
{
    struct expiry expiry, after;
    DO(state_next_expiry(txn, &expiry, NULL));
    while (!expiry.name_id != is_environment) {
        after = expiry;
        DO(state_next_expiry(txn, &expiry, &after));
    }
    return expiry;
}
static void drop_expiry_of_environment(struct txn *txn)
{
    const struct expiry expiry = expiry_of(txn, true);
    state_delete_expiry(txn, &expiry);
}
static void edit_expiry_of_environment(struct txn *txn)
{
    struct expiry expiry = expiry_of(txn, true);
    expiry.op++;
    state_put_expiry(txn, &expiry);
}
static void stray_expiry_of_environment(struct txn *txn)
{
    struct expiry expiry = expiry_of(txn, true);
    expiry.environment = 3;
    state_put_expiry(txn, &expiry);
}
static void drop_expiry(struct txn *txn)
{
    const struct expiry expiry = expiry_of(txn, false);
    state_delete_expiry(txn, &expiry);
}

static const struct {
    const char *name;
    void (*edit)(struct txn *);
    const char *says; /* parts of the faults, between bars */
} edits[] = {
    {"other_layer", other_layer, "'ONLY' of 3/1 does not lead to the definition"},
    {"layer_too_deep", layer_too_deep, "'OWN' of 3/1 does not lead to the definition"},
    {"pointer_in_all", pointer_in_all, "there is nothing beneath"},
    {"drop_pointer", drop_pointer, "outcome|does not show it"},
    {"hide_pointer", hide_pointer, "of environment 3 does not show it"},
    {"edit_pointer", edit_pointer, "outcome|not its own"},
    {"edit_first", edit_first, "does not begin"},
    {"stray_definition", stray_definition, "definitions, and the log tells of"},
    {"stray_moment", stray_moment, "nothing changed"},
    {"drop_outcome", drop_outcome, "beginnings, and the log tells of"},
    {"drop_place_outcome", drop_place_outcome, "are not the places"},
    {"edit_mark", edit_mark, "the history of its key says otherwise"},
    {"edit_secrecy", edit_secrecy, "the history of its key says otherwise"},
    {"edit_incarnation", edit_incarnation, "its service is another one"},
    {"edit_outcome_key", edit_outcome_key, "its key is none of that service"},
    {"edit_order", edit_order, "it is out of order"},
    {"drop_outcomes", drop_outcomes, "are not the places"},
    {"stray_outcomes", stray_outcomes, "database 'outcome' has"},
    {"drop_reference", drop_reference, "which the index of references does not know"},
    {"stray_reference", stray_reference, "the index of references says"},
    {"reference_of_a_value", reference_of_a_value, "the index of references says"},
    {"drop_share", drop_share, "commit 4: operation 0: that it shared something"},
    {"edit_share", edit_share, "commit 4: operation 0: that it shared something"},
    {"stray_share", stray_share, "database 'share' has 2 records, not 1"},
    {"drop_lock", drop_lock, "that it locked something"},
    {"stray_lock", stray_lock, "database 'lock' has 2 records, not 1"},
    {"drop_presence", drop_presence, "the record of what came or went"},
    {"edit_presence", edit_presence, "the record of what came or went"},
    {"stray_presence", stray_presence, "database 'presence' has"},
    {"edit_base", edit_base, "environment 'child': its record"},
    {"edit_protection", edit_protection, "environment 'base': its record"},
    {"drop_expiry_of_environment", drop_expiry_of_environment, "by moment has it wrongly"},
    {"edit_expiry_of_environment", edit_expiry_of_environment, "which does not expire then"},
    {"stray_expiry_of_environment", stray_expiry_of_environment, "which does not expire then"},
    {"drop_expiry", drop_expiry, "by moment has it wrongly"},
};

static bool says(const struct found *found, const char *wanted)
{
    char copy[256], *rest = copy, *part;
    snprintf(copy, sizeof copy, "%s", wanted);
    while ((part = strsep(&rest, "|")))
        if (!strstr(found->all, part))
            return false;
    return true;
}

static void test_every_edit_is_found(void **state)
{
    struct model *model = *state;
    char good[TRIAL_PATH_MAX];
    struct found found;
    fill(model);
    model_close(model);
    trial_copy_folder(trial_path(good, model->folder, "good"), model->path);
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        model_close(model);
        trial_copy_folder(model->path, good);
        model->store = sample_open(model->path, true);
        assert_int_equal(snapshot_new(&model->snapshot, model->store), 0);
        model_edit(model, edits[i].edit);
        model_reopen(model, true);
        if (verify(model, &found) != ERR(ERR_CORRUPT) || !says(&found, edits[i].says))
            fail_msg("%s: the faults are:\n%s", edits[i].name, found.all);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_a_good_store),
        MODEL_TEST(test_every_edit_is_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
