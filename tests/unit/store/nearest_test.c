#include "tests/unit/store/model_support.h"

#include "store/model/nearest.h"

struct opened {
    struct model *model;
    struct env *env;
    struct txn *txn;
};

/* The places of a store, looked at in a transaction of their own. */
static struct opened look(struct model *model)
{
    struct opened opened = {.model = model};
    model_close(model);
    assert_int_equal(env_open(&opened.env, model->path, NULL, NULL), 0);
    assert_int_equal(txn_reader_new(&opened.txn, opened.env), 0);
    assert_int_equal(txn_renew(opened.txn), 0);
    return opened;
}

static void look_away(struct opened *opened)
{
    txn_free(opened->txn);
    env_close(opened->env);
}

static void test_nearest(void **state)
{
    struct model *model = *state;
    char name[KEY_NAME_MAX + 1];
    COMMIT(model, {ADD, "prod", 0}, {ADD, "dev", 0}, {ADD, "old", 0},
           {SET, "prod/billing/DATABASE_URL", 1}, {SET, "prod/billing/PORT", 1},
           {ADD, "prod/inventory", 0}, {ADD, "prod/gone", 0});
    COMMIT(model, {DROP, "old", 0}, {DROP, "prod/gone", 0});
    struct opened at = look(model);
    assert_int_equal(nearest_environment(at.txn, name, "prdo"), 0);
    assert_string_equal(name, "prod");
    assert_int_equal(nearest_environment(at.txn, name, "dve"), 0);
    assert_string_equal(name, "dev");
    assert_int_equal(nearest_environment(at.txn, name, "ild"), NOT_THERE); /* what ended */
    assert_int_equal(nearest_environment(at.txn, name, "integration"), NOT_THERE);
    assert_int_equal(nearest_service(at.txn, name, 1, "inventry"), 0);
    assert_string_equal(name, "inventory");
    assert_int_equal(nearest_service(at.txn, name, 1, "gnoe"), NOT_THERE);
    assert_int_equal(nearest_service(at.txn, name, 2, "billing"), NOT_THERE);
    assert_int_equal(nearest_key(at.txn, name, 1, 1, "DATABASE_ULR"), 0);
    assert_string_equal(name, "DATABASE_URL");
    assert_int_equal(nearest_key(at.txn, name, 1, 1, "X"), NOT_THERE);
    look_away(&at);
}

static void test_misspelt(void **state)
{
    struct model *model = *state;
    char name[SERVICE_NAME_MAX + 1];
    struct nearest nearest = {0};
    COMMIT(model, {ADD, "prod", 0}, {ADD, "dev", 0}, {ADD, "prod/billing", 0},
           {ADD, "prod/web1", 0}, {ADD, "prod/notification", 0}, {ADD, "prod/gone-away", 0});
    COMMIT(model, {DROP, "prod/gone-away", 0});
    struct opened at = look(model);
    static const struct {
        const char *name, *known;
    } rows[] = {{"biling", "billing"},
                {"Billing", "billing"},
                {"bililng", "billing"},
                {"billing2", NULL},
                {"web2", NULL},
                {"notificatoin", "notification"},
                {"nottification", "notification"},
                {"inventory", NULL},
                {"gone-awya", NULL},
                {"b", NULL}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        const int found = nearest_misspelt(&nearest, at.txn, name, 1, rows[i].name);
        assert_int_equal(found, rows[i].known ? 0 : NOT_THERE);
        if (rows[i].known)
            assert_string_equal(name, rows[i].known);
    }
    assert_int_equal(nearest_misspelt(&nearest, at.txn, name, 2, "biling"), NOT_THERE);
    nearest_release(&nearest);
    look_away(&at);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        MODEL_TEST(test_nearest),
        MODEL_TEST(test_misspelt),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
