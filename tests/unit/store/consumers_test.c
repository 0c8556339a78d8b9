/* Who comes to a secret otherwise than by its set: by what ends, and in whatever order one commit
 * says so. Each is looked at with an identity that was granted the consumer alone. */
#include "tests/unit/store/world_support.h"

#include <time.h>

#include "store/expiry.h"

/* All that ends within the hour; how many that were. */
static size_t expire(struct world *world)
{
    struct expiry_result result;
    assert_int_equal(
        expiry_commit(world->model.store, &result, ((int64_t)time(NULL) + 3600) * 1000000000), 0);
    assert_int_equal(sample_verify(world->model.store, true), 0);
    return result.count;
}

static void fill_preview(struct world *world)
{
    assert_int_equal(know(world, "host", world->host), 0);
    assert_int_equal(know(world, "other", world->other), 0);
    COMMIT(&world->model, {ADD, "stage"}, {ADD, "stage/db"}, {ADD, "stage/web"},
           {ADD, "preview", .text = "stage"});
    set(world, "stage/db/PASSWORD", "one");
}

/* --- what ends --- */

static void test_what_was_set_beneath_is_opened(void **state)
{
    struct world *world = *state;
    fill_preview(world);
    assert_int_equal(give(world, "preview/db", "id:host", GRANT_READ), 0);
    COMMIT(&world->model, {SHARE_WITH, "preview/db/PASSWORD", .text = "web"});
    assert_int_equal(give(world, "preview/web", "id:other", GRANT_READ), 0);
    check_opens(world, world->host, "preview/db/PASSWORD", "one");
    COMMIT(&world->model, {SET_TEXT, "preview/db/PASSWORD", .text = "meanwhile", .ttl = 60});
    set(world, "stage/db/PASSWORD", "two");
    assert_int_equal(expire(world), 1);
    check_opens(world, world->host, "preview/db/PASSWORD", "two");
    check_opens(world, world->other, "preview/db/PASSWORD", "two");
}

/* The same where somebody removes what hid it, and where it is shared when it shows from beneath.
 */
static void test_what_is_removed_lets_others_open_what_shows(void **state)
{
    struct world *world = *state;
    fill_preview(world);
    assert_int_equal(give(world, "preview/db", "id:host", GRANT_READ), 0);
    assert_int_equal(give(world, "preview/web", "id:other", GRANT_READ), 0);
    COMMIT(&world->model, {SHARE_WITH, "preview/db/PASSWORD", .text = "*"});
    check_opens(world, world->other, "preview/db/PASSWORD", "one");
    COMMIT(&world->model, {SET_TEXT, "preview/db/PASSWORD", .text = "meanwhile"});
    set(world, "stage/db/PASSWORD", "two");
    COMMIT(&world->model, {DROP, "preview/db/PASSWORD"});
    check_opens(world, world->host, "preview/db/PASSWORD", "two");
    check_opens(world, world->other, "preview/db/PASSWORD", "two");
}

static void test_who_was_granted_meanwhile_opens_what_shows(void **state)
{
    struct world *world = *state;
    fill_preview(world);
    COMMIT(&world->model, {SECRET_TEXT, "preview/db/PASSWORD", .text = "meanwhile", .ttl = 60});
    assert_int_equal(give(world, "preview/db", "id:host", GRANT_READ), 0);
    assert_int_equal(give(world, "preview", "id:other", GRANT_READ), 0);
    check_opens(world, world->host, "preview/db/PASSWORD", "meanwhile");
    assert_int_equal(expire(world), 1);
    check_opens(world, world->host, "preview/db/PASSWORD", "one");
    check_opens(world, world->other, "preview/db/PASSWORD", "one");
}

/* Nobody shares it with who reads it in the end: what shows again leads there. */
static void test_what_a_link_leads_to_is_opened(void **state)
{
    struct world *world = *state;
    assert_int_equal(know(world, "host", world->host), 0);
    COMMIT(&world->model, {ADD, "prod"}, {ADD, "prod/db"}, {ADD, "prod/mid"}, {ADD, "prod/web"});
    set(world, "prod/db/PASSWORD", "one");
    COMMIT(&world->model, {SHARE_WITH, "prod/db/PASSWORD", .text = "mid"},
           {SET_LINK, "prod/mid/PASSWORD", .text = "db/PASSWORD"},
           {SHARE_WITH, "prod/mid/PASSWORD", .text = "web"},
           {SET_LINK, "all/web/PASSWORD", .text = "mid/PASSWORD"},
           {SET_TEXT, "prod/web/PASSWORD", .text = "meanwhile", .ttl = 60});
    assert_int_equal(give(world, "prod/web", "id:host", GRANT_READ), 0);
    set(world, "prod/db/PASSWORD", "two");
    check_opens(world, world->host, "prod/db/PASSWORD", NULL);
    assert_int_equal(expire(world), 1);
    check_opens(world, world->host, "prod/web/PASSWORD", "two");
}

/* It ends all the same where nobody is there to wrap anything. */
static void test_what_ends_needs_no_key(void **state)
{
    struct world *world = *state;
    fill_preview(world);
    COMMIT(&world->model, {SECRET_TEXT, "preview/db/PASSWORD", .text = "meanwhile", .ttl = 60});
    assert_int_equal(give(world, "preview/db", "id:host", GRANT_READ), 0);
    model_reopen(&world->model, false);
    assert_int_equal(expire(world), 1);
    model_reopen(&world->model, true);
    check_opens(world, world->host, "preview/db/PASSWORD", NULL);
    assert_int_equal(rotate(world, "preview/db"), 0);
    check_opens(world, world->host, "preview/db/PASSWORD", "one");
}

/* --- the order of one commit --- */

#define STEPS 4u

struct places { /* of one environment */
    char environment[16], db[24], web[24], password[40];
};

/* Places the consumer, its grant, the secret and the share in that order, in one commit. False:
 * that order is refused. */
static bool commit_in_order(struct world *world, const unsigned order[static STEPS],
                            const struct places *at, const char *with)
{
    const struct sample_step steps[STEPS] = {{ADD, at->web},
                                             {GRANT_TO, at->web, GRANT_READ, "id:host"},
                                             {SECRET_TEXT, at->password, .text = "one"},
                                             {SHARE_WITH, at->password, .text = with}};
    struct sample_step ordered[STEPS];
    struct change_result result;
    for (unsigned i = 0; i < STEPS; i++)
        ordered[i] = steps[order[i]];
    if (sample_commit(world->model.store, &result, "order", 0, ordered, STEPS))
        return false;
    change_result_release(&result);
    assert_int_equal(sample_verify(world->model.store, true), 0);
    return true;
}

static bool is_order(const unsigned order[static STEPS])
{
    unsigned seen = 0;
    for (unsigned i = 0; i < STEPS; i++)
        seen |= 1u << order[i];
    return seen == (1u << STEPS) - 1;
}

/* Every order of them, each in an environment of its own; how many were taken. */
static unsigned try_orders(struct world *world, const char *with)
{
    unsigned taken = 0;
    assert_int_equal(know(world, "host", world->host), 0);
    for (unsigned number = 0; number < 256; number++) {
        const unsigned order[STEPS] = {number & 3, number >> 2 & 3, number >> 4 & 3, number >> 6};
        struct places at;
        if (!is_order(order))
            continue;
        snprintf(at.environment, sizeof at.environment, "e%u", number);
        snprintf(at.db, sizeof at.db, "e%u/db", number);
        snprintf(at.web, sizeof at.web, "e%u/web", number);
        snprintf(at.password, sizeof at.password, "e%u/db/PASSWORD", number);
        COMMIT(&world->model, {ADD, at.environment}, {ADD, at.db});
        if (!commit_in_order(world, order, &at, with))
            continue;
        taken++;
        check_opens(world, world->host, at.password, "one");
    }
    return taken;
}

static void test_any_order_is_as_good_for_one_consumer(void **state)
{
    assert_true(try_orders(*state, "web") >= 6);
}

static void test_any_order_is_as_good_for_all(void **state)
{
    assert_true(try_orders(*state, "*") >= 6);
}

/* What was set before is wrapped, whatever comes first. */
static void test_what_was_set_is_wrapped_in_any_order(void **state)
{
    struct world *world = *state;
    assert_int_equal(know(world, "host", world->host), 0);
    assert_int_equal(know(world, "other", world->other), 0);
    COMMIT(&world->model, {ADD, "prod"}, {ADD, "prod/db"});
    set(world, "prod/db/PASSWORD", "one");
    COMMIT(&world->model, {SHARE_WITH, "prod/db/PASSWORD", .text = "*"}, {ADD, "prod/web"},
           {GRANT_TO, "prod/web", GRANT_READ, "id:host"}, {ADD, "prod/late"},
           {GRANT_TO, "prod/late", GRANT_READ, "id:other"});
    check_opens(world, world->host, "prod/db/PASSWORD", "one");
    check_opens(world, world->other, "prod/db/PASSWORD", "one");
}

/* An environment and all that is in it, in one commit, for who reads all of it. */
static void test_an_environment_may_come_last(void **state)
{
    struct world *world = *state;
    assert_int_equal(know(world, "host", world->host), 0);
    assert_int_equal(know(world, "other", world->other), 0);
    COMMIT(&world->model, {ADD, "stage"}, {ADD, "stage/db"});
    COMMIT(&world->model, {SECRET_TEXT, "stage/db/PASSWORD", .text = "one"},
           {ADD, "preview", .text = "stage"}, {GRANT_TO, "preview", GRANT_READ, "id:host"},
           {GRANT_TO, "preview/db", GRANT_READ, "id:other"});
    check_opens(world, world->host, "preview/db/PASSWORD", "one");
    check_opens(world, world->other, "preview/db/PASSWORD", "one");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WORLD_TEST(test_what_was_set_beneath_is_opened),
        WORLD_TEST(test_what_is_removed_lets_others_open_what_shows),
        WORLD_TEST(test_who_was_granted_meanwhile_opens_what_shows),
        WORLD_TEST(test_what_a_link_leads_to_is_opened),
        WORLD_TEST(test_what_ends_needs_no_key),
        WORLD_TEST(test_any_order_is_as_good_for_one_consumer),
        WORLD_TEST(test_any_order_is_as_good_for_all),
        WORLD_TEST(test_what_was_set_is_wrapped_in_any_order),
        WORLD_TEST(test_an_environment_may_come_last),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
