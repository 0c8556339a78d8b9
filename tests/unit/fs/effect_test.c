#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fs/effect.h"
#include "fs/node.h"

static struct effects effects;

static int fresh(void **state)
{
    (void)state;
    memset(&effects, 0, sizeof(effects));
    return 0;
}

static struct outcome key(char mark, uint64_t name_id)
{
    return (struct outcome){.kind = OUTCOME_KEY,
                            .mark = mark,
                            .environment = 3,
                            .service = 4,
                            .incarnation = 1,
                            .name_id = name_id};
}

static struct outcome service(char mark)
{
    return (struct outcome){
        .kind = OUTCOME_SERVICE, .mark = mark, .environment = 3, .service = 4, .incarnation = 1};
}

static struct outcome environment(char mark)
{
    return (struct outcome){.kind = OUTCOME_ENVIRONMENT, .mark = mark, .environment = 3};
}

static const char *short_name(uint64_t node)
{
    return node == NODE_ROOT               ? "root"
           : node == node_environment(3)   ? "env"
           : node == node_service(3, 4, 1) ? "svc"
           : node == node_service(3, 4, 2) ? "svc2"
           : node == node_key(3, 10)       ? "k10"
           : node == node_key(3, 11)       ? "k11"
                                           : "?";
}

/* The run as text: "W<node>", "N<node>", "E<node>:<name>", with nodes given short names. */
static const char *run(void)
{
    static char text[4096];
    struct effect effect;
    const char *name;
    size_t at = 0, used = 0;
    text[0] = 0;
    while (effects_next(effects.data, effects.size, &at, &effect, &name)) {
        const char *where = short_name(effect.node);
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%c%s%s%.*s", used ? " " : "",
                                 "?WNE"[effect.kind], where, effect.name_size ? ":" : "",
                                 effect.name_size, name);
    }
    assert_int_equal(at, effects.size);
    return text;
}

static void a_change_waits_and_invalidates(void **state)
{
    (void)state;
    struct outcome one = key('~', 10), two = key('~', 11);
    assert_true(effects_of(&effects, &one));
    assert_true(effects_of(&effects, &two));
    assert_string_equal(run(), "Wsvc Nk10 Nk11");
}

static void a_key_that_is_new_or_gone_changes_too(void **state)
{
    (void)state;
    struct outcome one = key('+', 10), two = key('-', 11);
    assert_true(effects_of(&effects, &one));
    assert_true(effects_of(&effects, &two));
    /* its name is another matter, the time of the list is not */
    assert_string_equal(run(), "Wenv Nsvc Wsvc Nk10 Nk11");
}

static void what_comes_and_goes_changes_the_list(void **state)
{
    (void)state;
    struct outcome add = environment('+'), place = service('+'), gone = service('-');
    assert_true(effects_of(&effects, &add));
    assert_true(effects_of(&effects, &place));
    assert_true(effects_of(&effects, &gone));
    assert_string_equal(run(), "Nroot Wroot Nenv");
}

/* Names: "+k10" for one that is made, "-svc" for one that goes, in their order. */

static struct name_changes names;

static int no_names(void **state)
{
    (void)state;
    name_changes_release(&names);
    return 0;
}

static void happens(struct outcome outcome, uint64_t rev, uint32_t index)
{
    outcome.rev = rev;
    outcome.index = index;
    assert_int_equal(name_changes_add(&names, &outcome), 0);
}

static const char *comes_to(void)
{
    static char text[4096];
    size_t used = 0;
    text[0] = 0;
    name_changes_settle(&names);
    for (size_t i = 0; i < names.count; i++) {
        const struct name_change *change = &names.items[i];
        used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%c%s@%d.%d", used ? " " : "",
                                 change->made ? '+' : '-', short_name(change->node),
                                 (int)change->at.rev, (int)change->at.index);
    }
    return text;
}

static void a_step_is_what_it_comes_to(void **state)
{
    (void)state;
    happens(key('+', 10), 5, 0);
    happens(key('~', 10), 5, 1);
    happens(key('-', 11), 6, 0);
    assert_string_equal(comes_to(), "-k11@6.0 +k10@5.0");
    /* made and removed again, removed and made again: nothing, but new values */
    no_names(NULL);
    happens(key('+', 10), 5, 0);
    happens(key('-', 11), 5, 1);
    happens(key('-', 10), 6, 0);
    happens(key('+', 11), 7, 0);
    assert_string_equal(comes_to(), "");
    /* by the outcome that says so first, of what goes, or last, of what is there */
    no_names(NULL);
    happens(key('+', 10), 5, 0);
    happens(key('-', 10), 6, 0);
    happens(key('+', 10), 7, 3);
    happens(key('-', 11), 8, 0);
    happens(key('+', 11), 9, 0);
    happens(key('-', 11), 10, 0);
    assert_string_equal(comes_to(), "-k11@8.0 +k10@7.3");
}

static void what_is_made_in_a_new_directory_comes_with_it(void **state)
{
    (void)state;
    happens(service('+'), 5, 0);
    happens(key('+', 10), 5, 1);
    assert_string_equal(comes_to(), "+svc@5.0");
    no_names(NULL);
    happens(environment('+'), 4, 0);
    happens(service('+'), 5, 0);
    happens(key('+', 10), 5, 1);
    assert_string_equal(comes_to(), "+env@4.0");
}

static void what_goes_goes_from_the_leaves(void **state)
{
    (void)state;
    happens(key('-', 10), 5, 0);
    happens(key('-', 11), 5, 1);
    happens(service('-'), 5, 2);
    happens(environment('-'), 5, 3);
    assert_string_equal(comes_to(), "-k11@5.1 -k10@5.0 -svc@5.2 -env@5.3");
}

static void a_directory_made_again_is_another(void **state)
{
    (void)state;
    struct outcome again = service('+');
    struct outcome new_key = key('+', 11);
    again.incarnation = new_key.incarnation = 2;
    happens(key('-', 10), 5, 0);
    happens(service('-'), 5, 1);
    happens(again, 6, 0);
    happens(new_key, 6, 1);
    assert_string_equal(comes_to(), "-k10@5.0 -svc@5.1 +svc2@6.0");
}

static void a_full_run_takes_nothing_by_halves(void **state)
{
    (void)state;
    char name[256];
    memset(name, 'N', 255);
    name[255] = 0;
    struct effect wanted = {.node = 7, .parent = 8, .kind = EFFECT_TOUCH}, effect;
    size_t before = 0, at = 0;
    int taken = 0, found = 0;
    while (effects_append(&effects, &wanted, name)) {
        before = effects.size;
        taken++;
    }
    assert_true(taken > 10);
    assert_int_equal(effects.size, before);
    const char *at_name;
    while (effects_next(effects.data, effects.size, &at, &effect, &at_name)) {
        assert_true(effect.node == 7 && effect.parent == 8 && effect.name_size == 255);
        assert_memory_equal(at_name, name, 255);
        found++;
    }
    assert_int_equal(found, taken);
}

static void a_malformed_run_ends(void **state)
{
    (void)state;
    struct effect effect = {.node = 1, .kind = EFFECT_NAME, .name_size = 200};
    const char *name;
    unsigned char data[64];
    size_t at = 0;
    memset(data, 0, sizeof(data));
    memcpy(data, &effect, sizeof(effect));
    assert_false(effects_next(data, sizeof(data), &at, &effect, &name)); /* past the end */
    assert_false(effects_next(data, 8, &at, &effect, &name));
    memset(data, 0, sizeof(data));
    assert_false(effects_next(data, sizeof(data), &at, &effect, &name)); /* no kind */
    effect = (struct effect){.node = 1, .kind = EFFECT_NODE, .name_size = 1};
    memcpy(data, &effect, sizeof(effect));
    assert_false(effects_next(data, sizeof(data), &at, &effect, &name)); /* a name too many */
    at = 100;
    assert_false(effects_next(data, sizeof(data), &at, &effect, &name));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_change_waits_and_invalidates, fresh),
        cmocka_unit_test_setup(a_key_that_is_new_or_gone_changes_too, fresh),
        cmocka_unit_test_setup(what_comes_and_goes_changes_the_list, fresh),
        cmocka_unit_test_teardown(a_step_is_what_it_comes_to, no_names),
        cmocka_unit_test_teardown(what_is_made_in_a_new_directory_comes_with_it, no_names),
        cmocka_unit_test_teardown(what_goes_goes_from_the_leaves, no_names),
        cmocka_unit_test_teardown(a_directory_made_again_is_another, no_names),
        cmocka_unit_test_setup(a_full_run_takes_nothing_by_halves, fresh),
        cmocka_unit_test_setup(a_malformed_run_ends, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
