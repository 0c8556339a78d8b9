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

static struct operation_info key(enum operation_kind kind, bool first, uint64_t name_id,
                                 const char *name)
{
    struct operation_info operation = {.kind = kind,
                                       .environment = 3,
                                       .service = 4,
                                       .incarnation = 1,
                                       .name_id = name_id,
                                       .first = first};
    snprintf(operation.path.key, sizeof(operation.path.key), "%s", name);
    snprintf(operation.path.service, sizeof(operation.path.service), "web");
    snprintf(operation.path.environment, sizeof(operation.path.environment), "prod");
    return operation;
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
        const char *where = effect.node == NODE_ROOT               ? "root"
                            : effect.node == node_environment(3)   ? "env"
                            : effect.node == node_service(3, 4, 1) ? "svc"
                            : effect.node == node_key(3, 10)       ? "k10"
                            : effect.node == node_key(3, 11)       ? "k11"
                                                                   : "?";
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
    struct operation_info one = key(OPERATION_SET_PLAIN, false, 10, "A"),
                          two = key(OPERATION_SET_SECRET, false, 11, "B");
    assert_true(effects_of(&effects, &one));
    assert_true(effects_of(&effects, &two));
    assert_string_equal(run(), "Wsvc Nk10 Nk11");
}

static void a_new_key_is_a_new_name(void **state)
{
    (void)state;
    struct operation_info one = key(OPERATION_SET_PLAIN, true, 10, "A"),
                          two = key(OPERATION_SET_PLAIN, true, 11, "LONGER_NAME");
    assert_true(effects_of(&effects, &one));
    assert_string_equal(run(), "Esvc:A Nk10 Nsvc");
    assert_true(effects_of(&effects, &two));
    assert_string_equal(run(), "Esvc:A Nk10 Esvc:LONGER_NAME Nk11 Nsvc"); /* the directory once */
}

static void a_removed_key_is_a_name_too(void **state)
{
    (void)state;
    struct operation_info one = key(OPERATION_REMOVE, false, 10, "A"),
                          two = key(OPERATION_SET_PLAIN, false, 11, "B");
    assert_true(effects_of(&effects, &one));
    assert_true(effects_of(&effects, &two));
    assert_string_equal(run(), "Esvc:A Nk10 Nsvc Nk11"); /* the name waited already */
}

static void services_and_environments(void **state)
{
    (void)state;
    struct operation_info add = key(OPERATION_ENVIRONMENT_ADD, true, 0, ""),
                          place = key(OPERATION_SERVICE_ADD, true, 0, ""),
                          grant = key(OPERATION_GRANT, false, 0, "");
    assert_true(effects_of(&effects, &add));
    assert_true(effects_of(&effects, &place));
    assert_true(effects_of(&effects, &grant));
    assert_string_equal(run(), "Eroot:prod Nenv Nroot Eenv:web Nsvc Nenv");
    fresh(NULL);
    place.kind = OPERATION_SERVICE_REMOVE;
    add.kind = OPERATION_ENVIRONMENT_REMOVE;
    assert_true(effects_of(&effects, &place));
    assert_true(effects_of(&effects, &add));
    assert_string_equal(run(), "Eenv:web Nsvc Nenv Eroot:prod Nenv Nroot");
}

static void a_full_run_takes_nothing_by_halves(void **state)
{
    (void)state;
    char name[256];
    memset(name, 'N', 255);
    name[255] = 0;
    struct operation_info operation = key(OPERATION_SET_PLAIN, true, 10, name);
    size_t before = 0;
    int taken = 0;
    while (effects_of(&effects, &operation)) {
        before = effects.size;
        taken++;
    }
    assert_true(taken > 10);
    assert_int_equal(effects.size, before);
    struct effect effect;
    const char *at_name;
    size_t at = 0;
    while (effects_next(effects.data, effects.size, &at, &effect, &at_name))
        ;
    assert_int_equal(at, effects.size);
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
        cmocka_unit_test_setup(a_new_key_is_a_new_name, fresh),
        cmocka_unit_test_setup(a_removed_key_is_a_name_too, fresh),
        cmocka_unit_test_setup(services_and_environments, fresh),
        cmocka_unit_test_setup(a_full_run_takes_nothing_by_halves, fresh),
        cmocka_unit_test_setup(a_malformed_run_ends, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
