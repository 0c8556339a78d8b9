/* Who opens everything: that it is granted, taken back and never lost; and that a key which is gone
 * is damage for who must have it. */
#include "tests/unit/store/world_support.h"

static void test_one_grant_opens_everything(void **state)
{
    struct world *world = *state;
    fill(world);
    assert_int_equal(give(world, "prod", "id:host", GRANT_READ), 0);
    assert_int_equal(give(world, "", "id:host", GRANT_READ | GRANT_LIST), 0);
    check_opens(world, world->host, "prod/billing/KEY", "one");
    check_opens(world, world->host, "dev/web/KEY", "four");
    COMMIT(&world->model, {ADD, "late"}, {ADD, "late/web"});
    set(world, "late/web/KEY", "five");
    assert_int_equal(rotate(world, "late"), 0);
    assert_int_equal(rotate(world, "prod"), 0);
    set(world, "late/web/KEY", "six");
    set(world, "prod/web/KEY", "seven");
    check_opens(world, world->host, "late/web/KEY", "six");
    check_opens(world, world->host, "prod/web/KEY", "seven");
    /* What is read by two grants is read until both are gone. */
    assert_int_equal(take_back(world, "prod", "id:host", GRANT_READ), 0);
    assert_int_equal(give(world, "prod", "id:host", GRANT_READ), 0);
    assert_int_equal(take_back(world, "", "id:host", GRANT_READ), 0);
    set(world, "late/web/KEY", "eight");
    set(world, "dev/web/KEY", "nine");
    set(world, "prod/web/KEY", "ten");
    check_opens(world, world->host, "late/web/KEY", NULL);
    check_opens(world, world->host, "dev/web/KEY", NULL);
    check_opens(world, world->host, "prod/web/KEY", "ten");
}

/* The one that the store was made with is lost: another takes its place, and it opens nothing that
 * comes after. */
static void test_who_opens_everything_is_replaced(void **state)
{
    struct world *world = *state;
    const struct path root = {0};
    fill(world);
    assert_int_equal(take_back(world, "", "id:" ADMINISTRATOR, 0), ERR(ERR_REFUSED));
    assert_non_null(strstr(error_text(), "the last identity that opens everything"));
    struct change *change = begin(world);
    assert_int_equal(change_grant(change, &root, "id:host", GRANT_READ), 0);
    assert_int_equal(change_revoke(change, &root, "id:" ADMINISTRATOR, 0), 0);
    assert_int_equal(commit(world, change), 0);
    assert_int_equal(take_back(world, "", "id:host", GRANT_READ), ERR(ERR_REFUSED));
    check_opens(world, world->host, "prod/billing/KEY", "one");
    set(world, "prod/billing/KEY", "new");
    set(world, "dev/web/KEY", "newer");
    COMMIT(&world->model, {ADD, "late"}, {ADD, "late/web"});
    set(world, "late/web/KEY", "newest");
    check_opens(world, world->host, "prod/billing/KEY", "new");
    check_opens(world, world->host, "dev/web/KEY", "newer");
    check_opens(world, world->host, "late/web/KEY", "newest");
    struct identity *lost = NULL;
    assert_int_equal(sample_identity(&lost, world->model.path), 0);
    check_opens(world, lost, "prod/billing/KEY", NULL);
    check_opens(world, lost, "late/web/KEY", NULL);
    check_opens(world, lost, "prod/billing/TOKEN", "two"); /* it could be read before */
    identity_free(lost);
    check_exposed(world,
                  "prod/billing/TOKEN id:" ADMINISTRATOR "\nprod/web/KEY id:" ADMINISTRATOR "\n");
}

/* A second one from the start: it opens all that comes, as the first. */
static void test_a_recovery_identity_opens_everything(void **state)
{
    struct world *world = *state;
    char text[IDENTITY_TEXT_MAX] = "";
    struct identity *own = NULL;
    static const struct author author = {.name = "uid 0 (root)"};
    assert_int_equal(sample_identity(&own, world->model.path), 0);
    model_close(&world->model);
    trial_remove(world->model.path);
    identity_public(own, text);
    assert_int_equal(store_create_recoverable(world->model.path, own, text, &author),
                     ERR(ERR_REFUSED));
    assert_int_equal(store_create_recoverable(world->model.path, own, "emsa1", &author),
                     ERR(ERR_INVALID));
    identity_public(world->other, text);
    assert_int_equal(store_create_recoverable(world->model.path, own, text, &author), 0);
    identity_free(own);
    model_reopen(&world->model, true);
    assert_int_equal(sample_verify(world->model.store, true), 0);
    COMMIT(&world->model, {ADD, "prod"}, {ADD, "prod/web"});
    set(world, "prod/web/KEY", "one");
    assert_int_equal(rotate(world, "prod"), 0);
    set(world, "prod/web/KEY", "two");
    check_opens(world, world->other, "prod/web/KEY", "two");
}

static uint8_t gone_for[32]; /* whose keys are gone */

static void edit_key_away(struct txn *txn)
{
    struct key key;
    txn_delete(txn, DB_KEY, key_wrapped(&key, 1, 0, 1, gone_for));
}

static void edit_identity_away(struct txn *txn)
{
    struct key key;
    txn_delete(txn, DB_KEY, key_identity(&key, gone_for));
}

/* Who must have a key and has none: that is damage, and not one who may not. */
static void test_a_key_that_is_gone_is_damage(void **state)
{
    struct world *world = *state;
    struct identity *own = NULL;
    uint8_t signing_key[32];
    struct entry entry;
    struct bytes out = BYTES_INIT(64);
    fill(world);
    assert_int_equal(sample_identity(&own, world->model.path), 0);
    identity_keys(own, gone_for, signing_key);
    model_edit(&world->model, edit_key_away);
    model_reopen(&world->model, true);
    assert_int_equal(snapshot_begin(world->model.snapshot), 0);
    assert_int_equal(sample_read(world->model.snapshot, &entry, &out, "prod/web/KEY"),
                     ERR(ERR_CORRUPT));
    assert_int_equal(sample_read(world->model.snapshot, &entry, &out, "dev/web/KEY"), 0);
    snapshot_end(world->model.snapshot);
    model_reopen(&world->model, false);
    assert_int_equal(snapshot_begin(world->model.snapshot), 0);
    assert_int_equal(sample_read(world->model.snapshot, &entry, &out, "prod/web/KEY"), NO_KEY);
    snapshot_end(world->model.snapshot);
    check_opens(world, world->host, "dev/web/KEY", NULL); /* who may not is told so */
    model_edit(&world->model, edit_identity_away);
    model_reopen(&world->model, false);
    assert_int_equal(store_unlock(world->model.store, own), ERR(ERR_CORRUPT));
    bytes_release(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_one_grant_opens_everything),
        WORLD_TEST(test_who_opens_everything_is_replaced),
        WORLD_TEST(test_a_recovery_identity_opens_everything),
        WORLD_TEST(test_a_key_that_is_gone_is_damage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
