/* What verification must find in schemas and their defaults, with every record's own hash made
 * right. */
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

/* Environments: 1 base, 2 child, 3 prod, 4 all; service 1 web. */
static void fill(struct model *model)
{
    COMMIT(model, {ADD, "base"}, {ADD, "base/web"}, {ADD, "child", .text = "base"}, {ADD, "prod"},
           {ADD, "prod/web"}, {SET_TEXT, "base/web/OWN", .text = "1"});
    COMMIT(model, {SET_SCHEMA, "all/web", .text = "A:string=a B:string=b"});
    COMMIT(model, {SET_SCHEMA, "base/web", .text = "A:string=base C:string=c"});
    COMMIT(model, {SET_SCHEMA, "all/web", .text = "A:string=a2 OWN:string=no"},
           {SET_TEXT, "prod/web/A", .text = "own"});
}

static struct spot spot_of(struct txn *txn, uint32_t environment, const char *key)
{
    struct spot spot;
    assert_int_equal(state_current(txn, &spot, environment, 1, key), 0);
    return spot;
}

static void put_both(struct txn *txn, const struct spot *spot)
{
    state_put_current(txn, spot);
    state_put_moment(txn, spot);
}

static void forget_schema(struct txn *txn)
{
    state_delete_schema(txn, &(struct state_schema){.layer = 1, .service = 1});
}
static void stray_schema(struct txn *txn)
{
    state_put_schema(txn, &(struct state_schema){.layer = 3, .service = 1, .rev = 3, .op = 0});
}
static void older_schema(struct txn *txn)
{
    struct state_schema schema = {.layer = 4, .service = 1};
    assert_int_equal(state_schema(txn, &schema), 0);
    schema.rev = 3;
    state_put_schema(txn, &schema);
}
static void drop_default(struct txn *txn)
{
    struct spot spot = spot_of(txn, 4 | LAYER_OF_DEFAULTS, "OWN");
    struct key key;
    state_delete_current(txn, spot.environment, 1, "OWN");
    txn_delete(txn, DB_HISTORY, key_history(&key, spot.environment, spot.name_id, spot.since));
}
/* The definition of an earlier set of the same default. */
static void older_default(struct txn *txn)
{
    struct spot spot = spot_of(txn, 4 | LAYER_OF_DEFAULTS, "A");
    assert_int_equal(state_moment(txn, &spot, 4 | LAYER_OF_DEFAULTS, spot.name_id, 3), 0);
    spot.service = 1;
    memcpy(spot.key, "A", 2);
    state_put_current(txn, &spot);
}
static void default_that_ends(struct txn *txn)
{
    struct spot spot = spot_of(txn, 4 | LAYER_OF_DEFAULTS, "A");
    spot.expires = 4711;
    put_both(txn, &spot);
}
static void other_schema(struct txn *txn)
{
    struct spot spot = spot_of(txn, 2, "A");
    spot.kind = SPOT_IN_ALL_SCHEMA;
    put_both(txn, &spot);
}
static void pointer_above_a_definition(struct txn *txn)
{
    struct spot spot = spot_of(txn, 2, "OWN");
    spot.kind = SPOT_IN_BASE_SCHEMA;
    put_both(txn, &spot);
}
static void default_hides_nothing(struct txn *txn)
{
    struct spot spot = spot_of(txn, 1, "C");
    struct key key;
    state_delete_current(txn, 1, 1, "C");
    txn_delete(txn, DB_HISTORY, key_history(&key, 1, spot.name_id, spot.since));
}
static void default_in_all(struct txn *txn)
{
    struct spot spot = spot_of(txn, 1, "C");
    spot.environment = 4;
    spot.kind = SPOT_IN_SCHEMA;
    put_both(txn, &spot);
}

static void one_override(struct txn *txn)
{
    unsigned char copy[1024];
    struct slice body;
    struct key key;
    assert_int_equal(txn_get(txn, &body, DB_LOG, key_operation(&key, 3, 1)), 0);
    assert_true(body.size <= sizeof copy);
    memcpy(copy, body.data, body.size);
    copy[2] |= 16;
    txn_put(txn, DB_LOG, key_operation(&key, 3, 1), (struct slice){copy, body.size});
}

static void test_everything_that_was_edited_is_found(void **state)
{
    static const struct {
        void (*edit)(struct txn *);
        const char *says;
    } edits[] = {
        {forget_schema, "that it set a schema is recorded wrongly"},
        {stray_schema, "database 'schema' has 3 records, not 2"},
        {older_schema, "that it set a schema is recorded wrongly"},
        {drop_default, "has a default of 'OWN' that is not recorded"},
        {older_default, "has a default of 'A' that is not recorded"},
        {default_that_ends, "a default is a plain value that stays"},
        {other_schema, "does not lead to the default in force"},
        {pointer_above_a_definition, "does not lead to the default in force"},
        {default_hides_nothing, "does not show the default of 'C'"},
        {default_in_all, "does not lead to the default in force"},
        {one_override, "whether a rule was overridden"},
    };
    struct model *model = *state;
    char base[TRIAL_PATH_MAX];
    struct found found;
    fill(model);
    if (verify(model, &found))
        fail_msg("%s", found.all);
    model_close(model);
    trial_path(base, model->folder, "base");
    trial_copy_folder(base, model->path);
    for (size_t i = 0; i < sizeof edits / sizeof edits[0]; i++) {
        trial_copy_folder(model->path, base);
        model_edit(model, edits[i].edit);
        model_reopen(model, false);
        const int error = verify(model, &found);
        if (error != ERR(ERR_CORRUPT) || !strstr(found.all, edits[i].says))
            fail_msg("edit %zu: %d, not '%s' but:\n%s", i, error, edits[i].says, found.all);
        model_close(model);
    }
    model_reopen(model, false);
}

int main(void)
{
    const struct CMUnitTest tests[] = {MODEL_TEST(test_everything_that_was_edited_is_found)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
