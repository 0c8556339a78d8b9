#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "fs/node.h"
#include "fs/step.h"

static void positions_go_up_from_what_goes_to_what_comes(void **state)
{
    (void)state;
    uint64_t key = node_key(1, 5), service = node_service(1, 2, 0),
             environment = node_environment(1);
    assert_true(step_position(key, false) < step_position(service, false));
    assert_true(step_position(service, false) < step_position(environment, false));
    assert_true(step_position(environment, false) < step_position(environment, true));
    assert_true(step_position(environment, true) < step_position(service, true));
    assert_true(step_position(service, true) < step_position(key, true));
    assert_true(step_position(node_key(0xfffff, 0xffffffffff), false) > 0);
    assert_true(step_position(node_key(0xfffff, 0xffffffffff), true) < UINT64_MAX);
    assert_true(step_makes(step_position(key, true)) && !step_makes(step_position(key, false)));
}

static void without_a_step_names_are_as_they_were(void **state)
{
    (void)state;
    struct view_slot slot = {.told = 7, .upto = 7, .done = UINT64_MAX};
    struct step step = step_of(&slot);
    assert_true(step_shows(&step, node_key(1, 1), true, true));
    assert_false(step_shows(&step, node_key(1, 1), false, false));
    slot.upto = 3; /* a step without names moves told alone */
    step = step_of(&slot);
    assert_true(step.upto == 7);
}

/*
 * A directory of names that come and go at random, a view whose steps take in as many revisions as
 * they like, and a notifier that may die after any operation, or between what the server does for
 * one and its hearing of it. At any moment the tree shows exactly the names that the kernel has
 * been told of by operations, and no operation is ever done on a name that is as it is to be.
 */
#define NAMES 24
#define REVISIONS 400

static uint64_t random_next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

struct model {
    bool there[REVISIONS + 1][NAMES];
    uint64_t nodes[NAMES];
    bool known[NAMES]; /* to the kernel */
    struct view_slot slot;
    uint64_t seed;
};

static void make_history(struct model *model)
{
    for (int i = 0; i < NAMES; i++)
        model->nodes[i] = i % 3 == 0 ? node_environment((uint32_t)i + 1)
                          : i % 3 == 1
                              ? node_service(1, (uint32_t)i, 3)
                              : node_key(1, random_next(&model->seed) % 1000 * NAMES + (uint64_t)i);
    for (int rev = 1; rev <= REVISIONS; rev++) {
        memcpy(model->there[rev], model->there[rev - 1], sizeof(model->there[rev]));
        for (uint64_t n = random_next(&model->seed) % 5; n > 0; n--) {
            uint64_t which = random_next(&model->seed) % NAMES;
            model->there[rev][which] = !model->there[rev][which];
        }
    }
}

static void check(const struct model *model)
{
    struct step step = step_of(&model->slot);
    for (int i = 0; i < NAMES; i++)
        assert_int_equal(step_shows(&step, model->nodes[i], model->there[step.told][i],
                                    model->there[step.upto][i]),
                         model->known[i]);
}

/* The name whose turn it is: the least position behind what is done. -1: none. */
static int next_name(const struct model *model, const struct step *step)
{
    int found = -1;
    uint64_t least = UINT64_MAX;
    for (int i = 0; i < NAMES; i++) {
        bool was = model->there[step->told][i], is = model->there[step->upto][i];
        uint64_t position = step_position(model->nodes[i], is);
        if (was == is || position <= step->done || position >= least)
            continue;
        least = position;
        found = i;
    }
    return found;
}

static void go_through_step(struct model *model)
{
    for (;;) {
        struct step step = step_of(&model->slot); /* all that a new notifier and server know */
        int name = next_name(model, &step);
        if (name < 0)
            break;
        bool is = model->there[step.upto][name];
        assert_true(model->known[name] != is); /* or it would be EEXIST, or ENOENT */
        step_reach(&model->slot, step_position(model->nodes[name], is));
        if (random_next(&model->seed) % 4 == 0) /* twice, by a request that was sent again */
            step_reach(&model->slot, step_position(model->nodes[name], is));
        model->known[name] = is;
        check(model);
    }
    step_end(&model->slot);
    check(model);
}

static void names_are_in_step_in_any_history(void **state)
{
    (void)state;
    const char *wanted = getenv("EMSA_TEST_SEED");
    uint64_t seed = wanted ? strtoull(wanted, NULL, 0) : 0x5eed0017;
    printf("seed %#llx\n", (unsigned long long)seed);
    static struct model model;
    for (int run = 0; run < 50; run++) {
        memset(&model, 0, sizeof(model));
        model.seed = seed + (uint64_t)run * 2 + 1;
        make_history(&model);
        while (atomic_load(&model.slot.told) < REVISIONS) {
            uint64_t upto = atomic_load(&model.slot.told) + 1 + random_next(&model.seed) % 9;
            step_begin(&model.slot, upto < REVISIONS ? upto : REVISIONS);
            check(&model);
            go_through_step(&model);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(positions_go_up_from_what_goes_to_what_comes),
        cmocka_unit_test(without_a_step_names_are_as_they_were),
        cmocka_unit_test(names_are_in_step_in_any_history),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
