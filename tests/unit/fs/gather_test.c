/* From outcomes to what a view is told, over a store that the test plays: what is told, and how
 * often the store is asked for it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/effect.h"
#include "fs/node.h"
#include "store/error.h"

#define MANY 1000u

/* The store: outcomes in order, and how often each question was asked. */

static struct outcome outcomes[3 * MANY];
static size_t count;
static uint64_t newest;
static bool is_broken;
static struct {
    unsigned outcome, entry, past, service, name, service_name, environment_name;
} asked;

static struct effects effects;
static struct name_changes names;

/* A view of a part of it. */
static struct view_options options;
static struct scope scope;
static struct outlines outlines;

int __wrap_history_outcome(struct snapshot *snapshot, struct outcome *out, uint64_t rev,
                           uint32_t index);
uint64_t __wrap_snapshot_revision(const struct snapshot *snapshot);
int __wrap_snapshot_entry_at(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                             uint64_t name_id, uint64_t rev);
int __wrap_snapshot_entry_by_name(struct snapshot *snapshot, struct entry *out,
                                  uint32_t environment, uint64_t name_id);
int __wrap_snapshot_service_by_id(struct snapshot *snapshot, struct service *out,
                                  uint32_t environment, uint32_t id, uint32_t incarnation);
int __wrap_snapshot_name(struct snapshot *snapshot, uint32_t *service, char *key, uint64_t name_id);
int __wrap_snapshot_service_name(struct snapshot *snapshot, char *name, uint32_t service);
int __wrap_snapshot_environment_name(struct snapshot *snapshot, char *name, uint32_t environment);
int __wrap_history_service_id(struct snapshot *snapshot, uint32_t *service, const char *name);

int __wrap_history_outcome(struct snapshot *snapshot, struct outcome *out, uint64_t rev,
                           uint32_t index)
{
    (void)snapshot;
    asked.outcome++;
    if (is_broken)
        return error_set(ERR_CORRUPT, "broken");
    for (size_t i = 0; i < count; i++)
        if (outcomes[i].rev == rev && i + index < count && outcomes[i + index].rev == rev) {
            *out = outcomes[i + index];
            return 0;
        } else if (outcomes[i].rev >= rev) {
            break;
        }
    return NOT_THERE;
}

uint64_t __wrap_snapshot_revision(const struct snapshot *snapshot)
{
    (void)snapshot;
    return newest;
}

static int entry_at(struct entry *out, uint32_t environment, uint64_t name_id, uint64_t rev)
{
    const struct outcome *last = NULL;
    for (size_t i = 0; i < count && outcomes[i].rev <= rev; i++)
        if (outcomes[i].kind == OUTCOME_KEY && outcomes[i].environment == environment &&
            outcomes[i].name_id == name_id)
            last = &outcomes[i];
    if (!last || last->mark == '-')
        return NOT_THERE;
    *out = (struct entry){.environment = environment, .name_id = name_id, .rev = last->rev};
    return 0;
}

int __wrap_snapshot_entry_at(struct snapshot *snapshot, struct entry *out, uint32_t environment,
                             uint64_t name_id, uint64_t rev)
{
    (void)snapshot;
    asked.past++;
    return entry_at(out, environment, name_id, rev);
}

int __wrap_snapshot_entry_by_name(struct snapshot *snapshot, struct entry *out,
                                  uint32_t environment, uint64_t name_id)
{
    (void)snapshot;
    asked.entry++;
    return entry_at(out, environment, name_id, newest);
}

int __wrap_snapshot_service_by_id(struct snapshot *snapshot, struct service *out,
                                  uint32_t environment, uint32_t id, uint32_t incarnation)
{
    (void)snapshot;
    asked.service++;
    for (size_t i = 0; i < count; i++)
        if (outcomes[i].kind == OUTCOME_SERVICE && outcomes[i].mark == '+' &&
            outcomes[i].environment == environment && outcomes[i].service == id &&
            outcomes[i].incarnation == incarnation) {
            *out = (struct service){.made_rev = outcomes[i].rev};
            return 0;
        }
    *out = (struct service){.made_rev = 1};
    return 0;
}

int __wrap_snapshot_name(struct snapshot *snapshot, uint32_t *service, char *key, uint64_t name_id)
{
    (void)snapshot;
    asked.name++;
    *service = (uint32_t)(name_id >> 16);
    snprintf(key, KEY_NAME_MAX + 1, "K%u", (unsigned)name_id & 0xffff);
    return 0;
}

int __wrap_snapshot_service_name(struct snapshot *snapshot, char *name, uint32_t service)
{
    (void)snapshot;
    asked.service_name++;
    snprintf(name, SERVICE_NAME_MAX + 1, "s%u", service);
    return 0;
}

int __wrap_snapshot_environment_name(struct snapshot *snapshot, char *name, uint32_t environment)
{
    (void)snapshot;
    asked.environment_name++;
    snprintf(name, ENVIRONMENT_NAME_MAX + 1, "e%u", environment);
    return 0;
}

/* s<number>; of those above 100 nobody has heard. */
int __wrap_history_service_id(struct snapshot *snapshot, uint32_t *service, const char *name)
{
    (void)snapshot;
    asked.service_name++;
    *service = (uint32_t)strtoul(name + 1, NULL, 10);
    return *service > 100 ? NOT_THERE : 0;
}

/* From here on what is gathered is of e<environment>, or of one service of it. */
static void see(enum view_layout layout, unsigned environment, unsigned service)
{
    options = (struct view_options){.extent = service ? VIEW_SERVICE : VIEW_ENVIRONMENT,
                                    .layout = (uint8_t)layout,
                                    .key = {1, 2, 3}};
    snprintf(options.environment, sizeof(options.environment), "e%u", environment);
    if (service)
        snprintf(options.service, sizeof(options.service), "s%u", service);
    scope_init(&scope, &options, NULL);
    effects.scope = names.scope = &scope;
    effects.outlines = names.outlines = &outlines;
}

static int fresh(void **state)
{
    (void)state;
    outlines_release(&outlines);
    memset(&effects, 0, sizeof(effects));
    memset(&asked, 0, sizeof(asked));
    count = 0;
    newest = 0;
    is_broken = false;
    name_changes_release(&names);
    return 0;
}

static struct outcome *happens(uint64_t rev, enum outcome_kind kind, char mark,
                               uint32_t environment, uint32_t service)
{
    struct outcome *outcome = &outcomes[count];
    uint32_t index = count && outcomes[count - 1].rev == rev ? outcomes[count - 1].index + 1 : 0;
    *outcome = (struct outcome){.rev = rev,
                                .index = index,
                                .kind = kind,
                                .mark = mark,
                                .environment = environment,
                                .service = service};
    count++;
    newest = rev;
    return outcome;
}

/* Key K<key> of service s<service>. */
static void key(uint64_t rev, char mark, uint32_t environment, uint32_t service, unsigned key)
{
    happens(rev, OUTCOME_KEY, mark, environment, service)->name_id = (uint64_t)service << 16 | key;
}

/* What the run holds: "W1/2" and "L1/2" for a directory, "N1/2/3" for a key, "T<path>" for a touch,
 * with the numbers of environment, service and key. */
static const char *run(void)
{
    static char text[1024];
    struct effect effect;
    const char *name;
    size_t at = 0, used = 0;
    text[0] = 0;
    while (effects_next(effects.data, effects.size, &at, &effect, &name) && used < 900) {
        struct node node;
        const uint64_t id = scope_decipher(effects.scope, effect.node);
        const char *gap = used ? " " : "";
        if (effects.scope && id <= 3 &&
            (effect.kind == EFFECT_WAIT || effect.kind == EFFECT_NODE)) {
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%s%c#%u", gap,
                                     effect.kind == EFFECT_WAIT ? 'W' : 'N', (unsigned)id);
            continue;
        }
        assert_true(node_parse(&node, id));
        if (effect.kind == EFFECT_WAIT)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%sW%u/%u", gap,
                                     node.environment, node.service);
        else if (effect.kind == EFFECT_NODE && node.kind != NODE_IS_KEY)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%sL%u/%u", gap,
                                     node.environment, node.service);
        else if (effect.kind == EFFECT_NODE)
            used += (size_t)snprintf(text + used, sizeof(text) - used, "%sN%u/%u/%u", gap,
                                     node.environment, (unsigned)(node.name_id >> 16),
                                     (unsigned)(node.name_id & 0xffff));
        else
            used += (size_t)snprintf(
                text + used, sizeof(text) - used, "%s%c%.*s", gap,
                effect.kind == EFFECT_TOUCH                                               ? 'T'
                : effect.kind == EFFECT_MAKE_DIRECTORY || effect.kind == EFFECT_MAKE_FILE ? '+'
                                                                                          : '-',
                effect.name_size, name);
    }
    return text;
}

static const char *changes(uint64_t from, uint64_t upto)
{
    struct cursor cursor = {.rev = from};
    assert_int_equal(effects_gather(NULL, &effects, &cursor, upto), 0);
    assert_true(cursor.rev == upto + 1 && cursor.index == 0);
    return run();
}

static const char *events(uint64_t from, uint64_t upto)
{
    struct cursor cursor = {.rev = from};
    assert_int_equal(effects_gather_events(NULL, &effects, &cursor, upto), 0);
    assert_true(cursor.rev == upto + 1);
    return run();
}

static const char *steps(uint64_t from, uint64_t upto)
{
    uint64_t reached = 0;
    assert_int_equal(name_changes_gather(NULL, &names, from, upto), 0);
    assert_int_equal(name_changes_effects(NULL, &effects, &names, &reached), 0);
    assert_true(reached == name_changes_last(&names));
    return run();
}

static void a_commit_is_told_without_asking_what_it_set(void **state)
{
    (void)state;
    key(5, '~', 1, 2, 7);
    key(5, '+', 1, 2, 8);
    key(5, '-', 1, 3, 9);
    assert_string_equal(changes(5, 5), "W1/2 N1/2/7 W1/0 L1/2 W1/2 N1/2/8 W1/0 L1/3 W1/3 N1/3/9");
    assert_string_equal(steps(4, 5), "-e1/s3/K9 +e1/s2/K8");
    assert_string_equal(events(5, 5), "Te1/s2/K7 Te1/s2/K8");
    assert_int_equal(asked.entry + asked.past + asked.service, 0);
    assert_true(asked.name == 4 && asked.service_name == 2 && asked.environment_name == 1);
}

/* Each name in one run, whichever that is. */
static void names_go_on_where_the_run_before_ended(void **state)
{
    (void)state;
    unsigned told = 0, runs = 0;
    uint64_t reached = 0;
    for (unsigned i = 0; i < MANY; i++)
        key(5, i % 2 ? '+' : '-', 1, 2, i);
    assert_int_equal(name_changes_gather(NULL, &names, 4, 5), 0);
    for (; reached < name_changes_last(&names); runs++) {
        struct effect effect;
        const char *name;
        size_t at = 0;
        assert_int_equal(name_changes_effects(NULL, &effects, &names, &reached), 0);
        while (effects_next(effects.data, effects.size, &at, &effect, &name))
            assert_true(effect.node == names.items[told++].node);
    }
    assert_true(told == MANY && runs > 2);
    assert_true(asked.name < MANY + runs);
}

static void a_burst_is_told_as_one(void **state)
{
    (void)state;
    key(5, '~', 1, 2, 7);
    key(6, '~', 1, 2, 7);
    key(7, '~', 1, 2, 7);
    key(7, '~', 1, 3, 1);
    key(8, '~', 1, 2, 7);
    assert_string_equal(changes(5, 8), "W1/3 N1/3/1 W1/2 N1/2/7");
    assert_int_equal(asked.entry, 2); /* each key once */
    assert_string_equal(events(5, 8), "Te1/s3/K1 Te1/s2/K7");
    newest = 9; /* there is more, which is not told yet */
    assert_string_equal(changes(5, 7), "W1/2 N1/2/7 W1/3 N1/3/1");
    assert_true(asked.past > 0);
}

static void what_goes_further_on_is_not_touched(void **state)
{
    (void)state;
    key(5, '~', 1, 2, 7);
    key(5, '+', 1, 2, 8);
    key(6, '-', 1, 2, 7);
    key(6, '-', 1, 2, 8);
    assert_string_equal(changes(5, 6), "W1/0 L1/2 W1/2 N1/2/7 N1/2/8");
    assert_string_equal(events(5, 6), "");
    assert_string_equal(steps(4, 6), "-e1/s2/K7");
}

/* The last that is told of a key need not be what changed the list that it is in. */
static void a_list_that_changed_is_told_whatever_follows(void **state)
{
    (void)state;
    key(5, '-', 1, 2, 7);
    key(6, '+', 1, 2, 7);
    key(7, '~', 1, 2, 7);
    assert_string_equal(steps(4, 7), "");
    assert_string_equal(changes(5, 5), "W1/0 L1/2 W1/2 N1/2/7");
    assert_string_equal(changes(6, 7), "W1/0 L1/2 W1/2 N1/2/7");
    assert_int_equal(asked.entry, 1);
}

static void nobody_watches_in_a_new_directory(void **state)
{
    (void)state;
    happens(5, OUTCOME_ENVIRONMENT, '+', 1, 0);
    happens(5, OUTCOME_SERVICE, '+', 1, 2);
    key(5, '+', 1, 2, 7);
    happens(5, OUTCOME_SERVICE, '+', 1, 3);
    key(5, '+', 1, 3, 7);
    key(6, '+', 1, 3, 8);
    assert_string_equal(changes(5, 6),
                        "L0/0 W0/0 L1/0 W1/0 L1/3 W1/3 N1/3/8"); /* no kernel can know K7 */
    assert_string_equal(steps(4, 5), "+e1");
    assert_string_equal(events(5, 6), "Te1/s3/K8");
    assert_int_equal(asked.service, 0); /* a place stands before what is in it */
}

static void a_key_that_comes_back_is_told_once_and_touched(void **state)
{
    (void)state;
    happens(5, OUTCOME_SERVICE, '-', 1, 2);
    happens(5, OUTCOME_SERVICE, '+', 1, 2)->incarnation = 1;
    key(5, '-', 1, 2, 7);
    key(5, '+', 1, 2, 7);
    outcomes[count - 1].incarnation = 1;
    key(5, '+', 1, 2, 8);
    outcomes[count - 1].incarnation = 1;
    assert_string_equal(changes(5, 5), "W0/0 L1/0 W1/0 L1/2 W1/2 N1/2/7 W1/0 L1/2 W1/2 N1/2/8");
    assert_string_equal(steps(4, 5), "-e1/s2 +e1/s2");
    assert_string_equal(events(5, 5), "Te1/s2/K7"); /* it may have been watched */
}

/* Who goes on in the middle of a revision has not seen how it begins. */
static void a_run_goes_on_where_the_one_before_ended(void **state)
{
    (void)state;
    struct cursor cursor = {.rev = 5, .index = 2};
    happens(5, OUTCOME_SERVICE, '+', 1, 2);
    key(5, '+', 1, 2, 7);
    key(5, '+', 1, 2, 8);
    key(5, '+', 1, 3, 1);
    key(5, '-', 1, 4, 1);
    key(5, '+', 1, 4, 1);
    assert_int_equal(effects_gather_events(NULL, &effects, &cursor, 5), 0);
    assert_string_equal(run(), "Te1/s3/K1 Te1/s4/K1");
    assert_int_equal(asked.service, 2);
    cursor = (struct cursor){.rev = 5, .index = 2};
    assert_int_equal(effects_gather(NULL, &effects, &cursor, 5), 0);
    assert_string_equal(run(), "W1/0 L1/3 W1/3 N1/3/1 W1/0 L1/4 W1/4 N1/4/1");
    assert_int_equal(asked.service, 4);
    cursor = (struct cursor){.rev = 5, .index = 5};
    assert_int_equal(effects_gather(NULL, &effects, &cursor, 5), 0);
    assert_string_equal(run(), ""); /* told as it went, in the run before */
    cursor = (struct cursor){.rev = 5, .index = 5};
    assert_int_equal(effects_gather_events(NULL, &effects, &cursor, 5), 0);
    assert_string_equal(run(), "Te1/s4/K1");
}

/* One value that a thousand services link to. */
static void what_a_thousand_see_costs_a_look_each(void **state)
{
    (void)state;
    unsigned told = 0, runs = 0;
    struct cursor cursor = {.rev = 5};
    for (uint32_t i = 0; i < MANY; i++)
        key(5, '~', 1, i + 1, 1);
    for (; cursor.rev <= 5; runs++) {
        struct effect effect;
        const char *name;
        size_t at = 0;
        assert_int_equal(effects_gather(NULL, &effects, &cursor, 5), 0);
        while (effects_next(effects.data, effects.size, &at, &effect, &name))
            told += effect.kind == EFFECT_NODE;
    }
    assert_int_equal(told, MANY);
    assert_true(asked.outcome <= MANY + 1 + 2 * runs); /* two at the seam of two runs */
    assert_int_equal(asked.entry + asked.past + asked.service + asked.name, 0);
    asked.outcome = 0;
    assert_int_equal(name_changes_gather(NULL, &names, 4, 5), 0);
    assert_int_equal(asked.outcome, MANY + 1);
    asked.outcome = 0;
    for (cursor = (struct cursor){.rev = 5}, runs = 0; cursor.rev <= 5; runs++)
        assert_int_equal(effects_gather_events(NULL, &effects, &cursor, 5), 0);
    assert_true(asked.outcome <= MANY + 1 + 2 * runs);
    assert_int_equal(asked.environment_name, 1);
    assert_true(asked.name <= MANY + runs && asked.service_name <= MANY + runs);
    assert_int_equal(asked.entry + asked.past + asked.service, 0);
}

static void a_service_is_told_of_its_own(void **state)
{
    (void)state;
    see(LAYOUT_FLAT, 1, 3);
    key(5, '~', 1, 2, 7);
    key(5, '~', 1, 3, 7);
    key(5, '+', 1, 3, 8);
    key(5, '~', 1, 4, 7);
    key(5, '~', 2, 3, 7);
    key(6, '~', 1, 2, 7);
    key(7, '-', 1, 3, 8);
    assert_string_equal(changes(5, 5), "W#1 N1/3/7 N#1 N1/3/8");
    assert_string_equal(steps(4, 5), "+K8");
    assert_string_equal(events(5, 5), "TK7 TK8");
    assert_string_equal(changes(6, 6), "");
    assert_string_equal(steps(5, 6), "");
    assert_string_equal(changes(7, 7), "N#1 W#1 N1/3/8");
    assert_string_equal(steps(4, 7), "");
    see(LAYOUT_TREE, 1, 3);
    assert_string_equal(changes(5, 5), "W#3 N1/3/7 W#2 N#3 W#3 N1/3/8");
    assert_string_equal(events(5, 5), "Te1/s3/K7 Te1/s3/K8");
    see(LAYOUT_FLAT, 2, 0);
    assert_string_equal(changes(5, 7), "W2/3 N2/3/7");
    assert_string_equal(events(5, 7), "Ts3/K7");
    see(LAYOUT_TREE, 1, 200);
    assert_string_equal(changes(5, 7), "");
}

/* Its directory was there before: somebody may watch. */
static void what_comes_with_a_views_place_comes_by_name(void **state)
{
    (void)state;
    happens(5, OUTCOME_ENVIRONMENT, '+', 1, 0);
    happens(5, OUTCOME_SERVICE, '+', 1, 3);
    key(5, '+', 1, 3, 7);
    happens(6, OUTCOME_ENVIRONMENT, '-', 1, 0);
    happens(6, OUTCOME_SERVICE, '-', 1, 3);
    key(6, '-', 1, 3, 7);
    see(LAYOUT_TREE, 1, 3);
    assert_string_equal(changes(5, 5), "W#2 N#3 N#3 W#3 N1/3/7");
    assert_string_equal(steps(4, 5), "+e1/s3/K7");
    assert_string_equal(events(5, 5), "Te1/s3/K7");
    assert_string_equal(steps(5, 6), "-e1/s3/K7");
    see(LAYOUT_TREE, 1, 0);
    assert_string_equal(changes(5, 5), "W#1 N#2 N#2");
    assert_string_equal(steps(4, 5), "+e1/s3");
    assert_string_equal(events(5, 5), "");
    assert_string_equal(steps(5, 6), "-e1/s3/K7 -e1/s3");
}

/* A thousand views ask once. */
static void who_is_told_nothing_costs_nothing(void **state)
{
    (void)state;
    struct scope all[100];
    struct view_options of[100];
    for (uint32_t i = 0; i < MANY; i++)
        key(5, '~', 1, i + 1, 1);
    for (unsigned i = 0; i < 100; i++) {
        see(LAYOUT_TREE, i % 2 ? 1 : 2, i + 1);
        of[i] = options;
        scope_init(&all[i], &of[i], NULL);
    }
    asked.outcome = 0;
    for (unsigned i = 0; i < 100; i++) {
        effects.scope = names.scope = &all[i];
        assert_int_equal(effects_gather(NULL, &effects, &(struct cursor){.rev = 5}, 5), 0);
        assert_true((effects.size > 0) == (i % 2 == 1));
        assert_int_equal(name_changes_gather(NULL, &names, 4, 5), 0);
    }
    assert_true(asked.outcome < MANY + 1 + 4 * 50); /* 50 have something to look at, twice */
    assert_int_equal(asked.service_name, 100);      /* who is who, once each */
    assert_int_equal(asked.environment_name, 1);
}

/* Outlines of more commits than are kept, and of large ones. */
static void outlines_make_room(void **state)
{
    (void)state;
    see(LAYOUT_TREE, 1, 3);
    for (uint64_t rev = 1; rev <= 2 * MANY; rev++)
        key(rev, '~', 1, rev % 2 ? 3 : 4, 1);
    for (uint64_t rev = 2 * MANY; rev > 0; rev--)
        assert_string_equal(changes(rev, rev), rev % 2 ? "W#3 N1/3/1" : "");
    assert_true(outlines.runs <= OUTLINES_KEPT);
}

static void a_failure_travels(void **state)
{
    (void)state;
    struct cursor cursor = {.rev = 5, .index = 3};
    key(5, '~', 1, 2, 7);
    is_broken = true;
    assert_int_equal(effects_gather(NULL, &effects, &cursor, 5), -ERR_CORRUPT);
    assert_int_equal(effects_gather_events(NULL, &effects, &cursor, 5), -ERR_CORRUPT);
    assert_int_equal(name_changes_gather(NULL, &names, 4, 5), -ERR_CORRUPT);
    assert_true(names.count == 0 && names.upto == 0);
    assert_true(cursor.rev == 5 && cursor.index == 3);
    see(LAYOUT_TREE, 1, 2);
    assert_int_equal(effects_gather(NULL, &effects, &cursor, 5), -ERR_CORRUPT);
    assert_int_equal(name_changes_gather(NULL, &names, 4, 5), -ERR_CORRUPT);
    assert_true(cursor.rev == 5 && cursor.index == 3);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(a_commit_is_told_without_asking_what_it_set, fresh),
        cmocka_unit_test_setup(names_go_on_where_the_run_before_ended, fresh),
        cmocka_unit_test_setup(a_burst_is_told_as_one, fresh),
        cmocka_unit_test_setup(what_goes_further_on_is_not_touched, fresh),
        cmocka_unit_test_setup(a_list_that_changed_is_told_whatever_follows, fresh),
        cmocka_unit_test_setup(nobody_watches_in_a_new_directory, fresh),
        cmocka_unit_test_setup(a_key_that_comes_back_is_told_once_and_touched, fresh),
        cmocka_unit_test_setup(a_run_goes_on_where_the_one_before_ended, fresh),
        cmocka_unit_test_setup(what_a_thousand_see_costs_a_look_each, fresh),
        cmocka_unit_test_setup(a_service_is_told_of_its_own, fresh),
        cmocka_unit_test_setup(what_comes_with_a_views_place_comes_by_name, fresh),
        cmocka_unit_test_setup(who_is_told_nothing_costs_nothing, fresh),
        cmocka_unit_test_setup(outlines_make_room, fresh),
        cmocka_unit_test_setup_teardown(a_failure_travels, fresh, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
