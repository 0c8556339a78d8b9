/* Who can open what: keys granted to identities, taken back by new generations, and what an
 * identity opens of a copy of the store with nothing but itself. */
#include "tests/unit/store/world_support.h"

static void test_an_identity_has_one_name(void **state)
{
    struct world *world = *state;
    struct known_identity known;
    char text[IDENTITY_TEXT_MAX] = "";
    assert_int_equal(give(world, "", "id:host", GRANT_SET), ERR(ERR_NOT_FOUND));
    assert_int_equal(know(world, "host", world->host), 0);
    assert_int_equal(know(world, "host", world->host), 0);
    assert_int_equal(know(world, "host", world->other), ERR(ERR_REFUSED));
    assert_int_equal(know(world, "guest", world->host), ERR(ERR_REFUSED));
    identity_public(world->host, text);
    assert_int_equal(snapshot_begin(world->model.snapshot), 0);
    assert_int_equal(grant_identity(world->model.snapshot, &known, "host"), 0);
    assert_string_equal(known.text, text);
    assert_int_equal(grant_identity(world->model.snapshot, &known, ADMINISTRATOR), 0);
    assert_int_equal(grant_identity(world->model.snapshot, &known, "guest"), NOT_THERE);
    snapshot_end(world->model.snapshot);
}

/* Whoever could make another's signing key known beside its own would be taken for the other. */
static void test_a_signing_key_is_of_one(void **state)
{
    struct world *world = *state;
    char text[IDENTITY_TEXT_MAX] = "", other[IDENTITY_TEXT_MAX] = "";
    const size_t signing = strlen("emsa1") + 64;
    assert_int_equal(know(world, "host", world->host), 0);
    identity_public(world->host, text);
    identity_public(world->other, other);
    memcpy(other + signing, text + signing, 64);
    assert_int_equal(know_text(world, "guest", other), ERR(ERR_REFUSED));
    assert_non_null(strstr(error_text(), "known as 'id:host' already"));
}

static void test_a_host_opens_its_services_alone(void **state)
{
    struct world *world = *state;
    fill(world);
    assert_int_equal(give(world, "prod/billing", "id:host", GRANT_READ), 0);
    assert_int_equal(give(world, "prod", "id:other", GRANT_READ | GRANT_SET), 0);
    check_opens(world, world->host, "prod/billing/KEY", "one");
    check_opens(world, world->host, "prod/web/KEY", NULL);
    check_opens(world, world->host, "dev/web/KEY", NULL);
    check_opens(world, world->other, "prod/billing/TOKEN", "two");
    check_opens(world, world->other, "prod/web/KEY", "three");
    check_opens(world, world->other, "dev/web/KEY", NULL);
    set(world, "prod/billing/KEY", "newer");
    check_opens(world, world->host, "prod/billing/KEY", "newer");
}

static void test_setting_opens_nothing(void **state)
{
    struct world *world = *state;
    fill(world);
    assert_int_equal(
        give(world, "prod", "id:host", GRANT_LIST | GRANT_SET | GRANT_SHARE | GRANT_ADMIN), 0);
    assert_int_equal(give(world, "", "id:host", GRANT_AUDIT), 0);
    check_opens(world, world->host, "prod/billing/KEY", NULL);
    assert_int_equal(take_back(world, "prod", "id:" ADMINISTRATOR, GRANT_READ), ERR(ERR_NOT_FOUND));
    assert_int_equal(take_back(world, "prod", "id:host", 0), 0); /* no new keys for that */
    check_opens(world, world->host, "prod/billing/KEY", NULL);
}

static void test_who_is_revoked_opens_nothing_new(void **state)
{
    struct world *world = *state;
    fill(world);
    assert_int_equal(give(world, "prod", "id:host", GRANT_READ), 0);
    assert_int_equal(give(world, "prod", "id:other", GRANT_READ), 0);
    assert_int_equal(give(world, "prod/web", "id:host", GRANT_READ), 0);
    assert_int_equal(take_back(world, "prod", "id:host", 0), 0);
    set(world, "prod/billing/KEY", "new");
    set(world, "prod/web/KEY", "newer");
    COMMIT(&world->model, {ADD, "prod/late"});
    set(world, "prod/late/KEY", "late");
    check_opens(world, world->host, "prod/billing/KEY", NULL);
    check_opens(world, world->host, "prod/late/KEY", NULL);
    check_opens(world, world->host, "prod/billing/TOKEN", "two"); /* it could be read before */
    check_opens(world, world->host, "prod/web/KEY", "newer");     /* granted by itself */
    check_opens(world, world->other, "prod/billing/KEY", "new");
    check_opens(world, world->other, "prod/billing/TOKEN", "two");
    check_opens(world, world->other, "prod/late/KEY", "late");
    assert_int_equal(take_back(world, "prod/web", "id:host", GRANT_READ), 0);
    set(world, "prod/web/KEY", "newest");
    check_opens(world, world->host, "prod/web/KEY", NULL);
    check_opens(world, world->other, "prod/web/KEY", "newest");
}

/* Somebody who comes later has the newest keys alone, and opens what is set by what was wrapped. */
static void test_what_is_set_is_wrapped_for_new_keys(void **state)
{
    struct world *world = *state;
    fill(world);
    assert_int_equal(rotate(world, "prod"), 0);
    assert_int_equal(rotate(world, "prod/billing"), 0);
    assert_int_equal(give(world, "prod", "id:other", GRANT_READ), 0);
    assert_int_equal(give(world, "prod/billing", "id:host", GRANT_READ), 0);
    check_opens(world, world->other, "prod/billing/KEY", "one");
    check_opens(world, world->other, "prod/web/KEY", "three");
    check_opens(world, world->host, "prod/billing/TOKEN", "two");
    check_opens(world, world->host, "prod/web/KEY", NULL);
}

/* What was granted goes with a service, and so does what the key of it opens. */
static void test_a_service_that_comes_back_has_new_keys(void **state)
{
    struct world *world = *state;
    fill(world);
    assert_int_equal(give(world, "prod/web", "id:host", GRANT_READ), 0);
    COMMIT(&world->model, {DROP, "prod/web/KEY"}, {DROP, "prod/web"});
    COMMIT(&world->model, {ADD, "prod/web"});
    set(world, "prod/web/KEY", "again");
    check_opens(world, world->host, "prod/web/KEY", NULL);
    assert_int_equal(sample_verify(world->model.store, true), 0);
    assert_int_equal(give(world, "prod/web", "id:host", GRANT_READ), 0);
    check_opens(world, world->host, "prod/web/KEY", "again");
}

/* A key that is gone while its environment is rotated may come back. */
static void test_a_service_that_is_away_is_rotated_too(void **state)
{
    struct world *world = *state;
    fill(world);
    assert_int_equal(give(world, "prod", "id:host", GRANT_READ), 0);
    COMMIT(&world->model, {DROP, "prod/web/KEY"}, {DROP, "prod/web"});
    assert_int_equal(take_back(world, "prod", "id:host", 0), 0);
    COMMIT(&world->model, {ADD, "prod/web"});
    set(world, "prod/web/KEY", "again");
    check_opens(world, world->host, "prod/web/KEY", NULL);
}

static void test_new_keys_are_a_change_of_their_own(void **state)
{
    struct world *world = *state;
    const struct path place = sample_path("prod"), key = sample_path("prod/web/PORT");
    fill(world);
    assert_int_equal(give(world, "prod", "id:host", GRANT_READ), 0);
    struct change *change = begin(world);
    assert_int_equal(change_set_plain(change, &key, "1", 1), 0);
    assert_int_equal(change_revoke(change, &place, "id:host", 0), 0);
    assert_int_equal(commit(world, change), ERR(ERR_REFUSED));
    change = begin(world);
    assert_int_equal(change_rotate(change, &place, false), 0);
    assert_int_equal(change_revoke(change, &place, "id:host", 0), 0);
    assert_int_equal(change_grant(change, &place, "id:other", GRANT_READ), 0);
    assert_int_equal(commit(world, change), 0);
    set(world, "prod/web/KEY", "new");
    check_opens(world, world->host, "prod/web/KEY", NULL);
    check_opens(world, world->other, "prod/web/KEY", "new");
}

static uint64_t since_of(struct world *world, const char *key, struct entry *out)
{
    struct bytes value = BYTES_INIT(64);
    assert_int_equal(snapshot_begin(world->model.snapshot), 0);
    assert_int_equal(sample_read(world->model.snapshot, out, &value, key), 0);
    snapshot_end(world->model.snapshot);
    bytes_release(&value);
    return out->value.rev;
}

/* The same values at the same revisions, in other envelopes, for the newest keys alone. */
static void test_what_is_set_is_encrypted_anew(void **state)
{
    struct world *world = *state;
    struct entry before, after;
    fill(world);
    assert_int_equal(give(world, "prod", "id:host", GRANT_READ), 0);
    const uint64_t since = since_of(world, "prod/web/KEY", &before);
    const struct path place = sample_path("prod/web");
    struct change *change = begin(world);
    assert_int_equal(change_rotate(change, &place, true), 0);
    assert_int_equal(commit(world, change), 0);
    assert_int_not_equal(since_of(world, "prod/web/KEY", &after), since);
    assert_int_equal(after.rev, before.rev);
    assert_int_equal(after.time, before.time);
    assert_int_equal(after.kind, before.kind);
    check_opens(world, world->host, "prod/web/KEY", "three");
    model_reopen(&world->model, false);
    change = begin(world);
    assert_int_equal(change_rotate(change, &place, true), 0);
    assert_int_equal(commit(world, change), NO_KEY);
    model_reopen(&world->model, true);
}

/* A store whose server has no identity can't wrap anything, and takes nothing away half. */
static void test_without_a_key_nothing_is_revoked(void **state)
{
    struct world *world = *state;
    fill(world);
    assert_int_equal(give(world, "prod", "id:host", GRANT_READ), 0);
    model_reopen(&world->model, false);
    assert_int_equal(take_back(world, "prod", "id:host", 0), NO_KEY);
    assert_int_equal(give(world, "prod", "id:other", GRANT_READ), NO_KEY);
    assert_int_equal(give(world, "prod", "id:other", GRANT_SET), 0);
    model_reopen(&world->model, true);
    check_opens(world, world->host, "prod/web/KEY", "three");
}

static void test_what_could_be_read_is_listed_until_it_is_changed(void **state)
{
    struct world *world = *state;
    fill(world);
    assert_int_equal(give(world, "prod", "id:host", GRANT_READ), 0);
    assert_int_equal(give(world, "prod/web", "id:host", GRANT_READ), 0);
    assert_int_equal(take_back(world, "prod/web", "id:host", GRANT_READ), 0); /* it still reads */
    check_exposed(world, "");
    assert_int_equal(take_back(world, "prod", "id:host", GRANT_READ), 0);
    check_exposed(world, "prod/billing/KEY id:host\nprod/billing/TOKEN id:host\n"
                         "prod/web/KEY id:host\n");
    assert_int_equal(rotate(world, "prod"), 0);
    set(world, "prod/billing/KEY", "new");
    check_exposed(world, "prod/billing/TOKEN id:host\nprod/web/KEY id:host\n");
    COMMIT(&world->model, {COPY_FROM, "prod/billing/KEY", 0, "prod/billing/TOKEN"});
    check_exposed(world, "prod/billing/KEY id:host\nprod/billing/TOKEN id:host\n"
                         "prod/web/KEY id:host\n");
    assert_int_equal(give(world, "prod/web", "id:host", GRANT_READ), 0);
    COMMIT(&world->model, {DROP, "prod/billing/TOKEN"});
    check_exposed(world, "prod/billing/KEY id:host\n");
}

/* A host opens what its service reaches through others, and nothing beside it. */
static void test_what_is_reached_is_opened(void **state)
{
    struct world *world = *state;
    fill(world);
    COMMIT(&world->model, {ADD, "prod/api"}, {SHARE_WITH, "prod/billing/KEY", 0, "api"},
           {SET_LINK, "prod/api/WAY", 0, "billing/KEY"}, {SHARE_WITH, "prod/api/WAY", 0, "web"},
           {SET_LINK, "prod/web/FAR", 0, "api/WAY"});
    assert_int_equal(give(world, "prod/web", "id:host", GRANT_READ), 0);
    check_opens(world, world->host, "prod/web/FAR", "one");
    check_opens(world, world->host, "prod/billing/TOKEN", NULL);
    set(world, "prod/billing/KEY", "new");
    check_opens(world, world->host, "prod/web/FAR", "new");
    assert_int_equal(rotate(world, "prod/web"), 0);
    assert_int_equal(rotate(world, "prod/billing"), 0);
    assert_int_equal(rotate(world, "prod"), 0);
    check_opens(world, world->host, "prod/web/FAR", "new");
    /* by a template, which comes later */
    COMMIT(&world->model, {DROP, "prod/web/FAR"});
    set(world, "prod/billing/KEY", "newer");
    check_opens(world, world->host, "prod/billing/KEY", NULL);
    COMMIT(&world->model, {SET_TEMPLATE, "prod/web/TEXT", 0, "x=${api/WAY}"});
    check_opens(world, world->host, "prod/web/TEXT", "x=newer");
    /* by another way of the middle one */
    COMMIT(&world->model, {SHARE_WITH, "prod/billing/TOKEN", 0, "api"},
           {SET_LINK, "prod/api/WAY", 0, "billing/TOKEN"});
    check_opens(world, world->host, "prod/web/TEXT", "x=two");
    set(world, "prod/billing/KEY", "not any more");
    check_opens(world, world->host, "prod/billing/KEY", NULL);
    assert_int_equal(take_back(world, "prod/web", "id:host", 0), 0);
    set(world, "prod/billing/TOKEN", "nor this");
    check_opens(world, world->host, "prod/web/TEXT", NULL);
    assert_int_equal(sample_verify(world->model.store, true), 0);
}

/* Nor does it matter that its environment stands on another one. */
static void test_what_a_base_has_is_opened(void **state)
{
    struct world *world = *state;
    fill(world);
    COMMIT(&world->model, {ADD, "late", 0, "prod"});
    assert_int_equal(give(world, "late/web", "id:host", GRANT_READ), 0);
    assert_int_equal(give(world, "late", "id:other", GRANT_READ), 0);
    check_opens(world, world->host, "late/web/KEY", "three");
    check_opens(world, world->other, "late/web/KEY", "three");
    check_opens(world, world->other, "late/billing/KEY", "one");
    check_opens(world, world->host, "late/billing/KEY", NULL);
    set(world, "prod/web/KEY", "new");
    check_opens(world, world->host, "late/web/KEY", "new");
    check_opens(world, world->other, "late/web/KEY", "new");
    assert_int_equal(rotate(world, "late"), 0);
    assert_int_equal(rotate(world, "prod"), 0);
    check_opens(world, world->host, "late/web/KEY", "new");
    check_opens(world, world->other, "late/web/KEY", "new");
    set(world, "late/web/KEY", "its own");
    set(world, "prod/web/KEY", "of the base alone");
    check_opens(world, world->host, "prod/web/KEY", NULL);
    COMMIT(&world->model, {DROP, "late/web/KEY"});
    check_opens(world, world->host, "late/web/KEY", "of the base alone");
    assert_int_equal(take_back(world, "late", "id:other", 0), 0);
    set(world, "prod/web/KEY", "after that");
    check_opens(world, world->other, "late/web/KEY", NULL);
    check_opens(world, world->host, "late/web/KEY", "after that");
    assert_int_equal(sample_verify(world->model.store, true), 0);
}

/* What was shared with a service is known to who could read that, too. */
static void test_what_was_shared_is_listed_as_well(void **state)
{
    struct world *world = *state;
    const struct path place = sample_path("prod/billing");
    fill(world);
    COMMIT(&world->model, {SHARE_WITH, "prod/billing/KEY", 0, "web"});
    assert_int_equal(give(world, "prod/web", "id:host", GRANT_READ), 0);
    assert_int_equal(give(world, "prod/web", "id:other", GRANT_READ), 0);
    check_exposed(world, "");
    assert_int_equal(take_back(world, "prod/web", "id:host", GRANT_READ), 0);
    check_exposed(world, "prod/web/KEY id:host\nprod/billing/KEY id:host\n");
    check_opens(world, world->host, "prod/billing/KEY", "one"); /* which it could before */
    struct change *change = begin(world);
    assert_int_equal(change_rotate(change, &place, true), 0);
    assert_int_equal(commit(world, change), 0);
    check_opens(world, world->host, "prod/billing/KEY", NULL);
    check_exposed(world, "prod/web/KEY id:host\nprod/billing/KEY id:host\n");
    COMMIT(&world->model, {UNSHARE_WITH, "prod/billing/KEY", 0, "web"});
    check_listed(world, "prod/billing/KEY id:other\n", 3);
    assert_int_equal(give(world, "prod/billing", "id:other", GRANT_READ), 0);
    check_exposed(world, "prod/web/KEY id:host\nprod/billing/KEY id:host\n");
    set(world, "prod/billing/KEY", "new");
    check_exposed(world, "prod/web/KEY id:host\n");
    check_opens(world, world->host, "prod/billing/KEY", NULL);
    check_opens(world, world->other, "prod/billing/KEY", "new");
}

/* A host opens what is shared with its service, and that alone; whichever comes first. */
static void test_what_is_shared_is_opened(void **state)
{
    struct world *world = *state;
    fill(world);
    assert_int_equal(give(world, "prod/web", "id:host", GRANT_READ), 0);
    check_opens(world, world->host, "prod/billing/KEY", NULL);
    COMMIT(&world->model, {SHARE_WITH, "prod/billing/KEY", 0, "web"});
    check_opens(world, world->host, "prod/billing/KEY", "one");
    check_opens(world, world->host, "prod/billing/TOKEN", NULL);
    set(world, "prod/billing/KEY", "again");
    check_opens(world, world->host, "prod/billing/KEY", "again");
    COMMIT(&world->model, {SHARE_WITH, "prod/billing/KEY", 0, "*"});
    assert_int_equal(rotate(world, "prod/web"), 0);
    assert_int_equal(give(world, "prod/web", "id:other", GRANT_READ), 0);
    check_opens(world, world->other, "prod/billing/KEY", "again");
    assert_int_equal(take_back(world, "prod/web", "id:host", 0), 0);
    set(world, "prod/billing/KEY", "new");
    check_opens(world, world->host, "prod/billing/KEY", NULL);
    check_opens(world, world->other, "prod/billing/KEY", "new");
    check_opens(world, world->other, "prod/billing/TOKEN", NULL);
    COMMIT(&world->model, {UNSHARE_WITH, "prod/billing/KEY", 0, "web"},
           {UNSHARE_WITH, "prod/billing/KEY", 0, "*"});
    set(world, "prod/billing/KEY", "alone");
    check_opens(world, world->other, "prod/billing/KEY", NULL);
    COMMIT(&world->model, {SHARE_WITH, "prod/billing/TOKEN", 0, "*"});
    check_opens(world, world->other, "prod/billing/TOKEN", "two");
    assert_int_equal(rotate(world, "prod"), 0);
    check_opens(world, world->other, "prod/billing/TOKEN", "two");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_an_identity_has_one_name),
        WORLD_TEST(test_a_signing_key_is_of_one),
        WORLD_TEST(test_a_host_opens_its_services_alone),
        WORLD_TEST(test_setting_opens_nothing),
        WORLD_TEST(test_who_is_revoked_opens_nothing_new),
        WORLD_TEST(test_what_is_set_is_wrapped_for_new_keys),
        WORLD_TEST(test_a_service_that_comes_back_has_new_keys),
        WORLD_TEST(test_a_service_that_is_away_is_rotated_too),
        WORLD_TEST(test_new_keys_are_a_change_of_their_own),
        WORLD_TEST(test_what_is_set_is_encrypted_anew),
        WORLD_TEST(test_without_a_key_nothing_is_revoked),
        WORLD_TEST(test_what_is_shared_is_opened),
        WORLD_TEST(test_what_could_be_read_is_listed_until_it_is_changed),
        WORLD_TEST(test_what_was_shared_is_listed_as_well),
        WORLD_TEST(test_what_is_reached_is_opened),
        WORLD_TEST(test_what_a_base_has_is_opened),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
