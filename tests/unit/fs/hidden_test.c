/* The hidden directory and the past over a real store, with no mount. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fs/attr.h"
#include "fs/hidden.h"
#include "fs/past.h"
#include "fs/tree.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

static struct store *store;
static struct snapshot *snapshot;
static uint64_t made, changed, gone; /* revisions */

static uint64_t commit(const struct sample_step steps[], size_t count)
{
    struct change_result result;
    assert_int_equal(sample_commit(store, &result, "test", 0, steps, count), 0);
    uint64_t rev = result.rev;
    change_result_release(&result);
    return rev;
}
#define COMMIT(...)                                                                                \
    commit((const struct sample_step[]){__VA_ARGS__},                                              \
           sizeof((const struct sample_step[]){__VA_ARGS__}) / sizeof(struct sample_step))

static int make(void **state)
{
    (void)state;
    static char path[TRIAL_PATH_MAX];
    sample_create(trial_path(path, trial_folder(), "store"));
    store = sample_open(path, true);
    made = COMMIT({ADD, "prod", 0}, {ADD, "dev", 0}, {SET, "prod/web/A", 1}, {SET, "prod/web/B", 1},
                  {SET, "dev/api/X", 1});
    changed = COMMIT({SET, "prod/web/A", 2}, {SET, "prod/web/C", 2});
    gone = COMMIT({DROP, "dev/api/X", 0}, {DROP, "dev/api", 0}, {DROP, "dev", 0});
    assert_int_equal(snapshot_new(&snapshot, store), 0);
    assert_int_equal(snapshot_begin(snapshot), 0);
    return 0;
}

static int end(void **state)
{
    (void)state;
    snapshot_end(snapshot);
    snapshot_free(snapshot);
    store_close(store);
    return 0;
}

static int look(struct place *out, const char *path)
{
    char text[256], *rest = text;
    (void)snprintf(text, sizeof(text), "%s", path);
    int found = tree_find(snapshot, out, NODE_ROOT);
    for (char *name; !found && (name = strsep(&rest, "/"));) {
        found = tree_lookup(snapshot, out, out->id, name);
        if (!found)
            assert_string_equal(place_name(out), name);
    }
    return found;
}

/* What is found at a path is found by its node too. */
static uint64_t find(const char *path, enum node_kind kind)
{
    struct place place, again;
    assert_int_equal(look(&place, path), 0);
    assert_int_equal(place.kind, kind);
    assert_int_equal(tree_find(snapshot, &again, place.id), 0);
    assert_true(again.kind == kind && again.id == place.id);
    return place.id;
}

static char *at(const char *before, uint64_t rev, const char *after)
{
    static char text[256];
    (void)snprintf(text, sizeof(text), "%s.emsa/at/%llu%s", before, (unsigned long long)rev, after);
    return text;
}

static void what_is_there(void **state)
{
    (void)state;
    find(".emsa", NODE_IS_HIDDEN);
    find("prod/.emsa/at", NODE_IS_AT);
    find("prod/web/.emsa/rev", NODE_IS_REV);
    find("prod/web/.emsa/env", NODE_IS_ENV);
    find("prod/web/.emsa/json", NODE_IS_JSON);
    find(".emsa/head", NODE_IS_HEAD);
    find(at("", made, ""), NODE_IS_PAST);
    find(at("", made, "/dev"), NODE_IS_PAST);
    find(at("", made, "/dev/api"), NODE_IS_PAST);
    find(at("", made, "/dev/api/X"), NODE_IS_PAST_KEY);
    find(at("prod/", made, "/web"), NODE_IS_PAST_BY_ENVIRONMENT);
    find(at("prod/web/", made, "/A"), NODE_IS_PAST_KEY);
}

static void what_is_not(void **state)
{
    (void)state;
    struct place place;
    static const char *const names[] = {
        "prod/.emsa/env",      ".emsa/json",      "prod/web/.emsa/other", "prod/web/A/.emsa",
        "prod/web/.emsa/at/0", ".emsa/at/99",     ".emsa/at/01",          ".emsa/at/",
        ".emsa/at/1x",         "prod/.emsa/at/1", ".emsa/at/2/.emsa",     ".emsa/at/2/none",
        ".emsa/rev/x",         ".emsa/head/x",    ".emsa/.emsa",
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++)
        assert_int_equal(look(&place, names[i]), NOT_THERE);
    assert_int_equal(look(&place, at("prod/web/", made, "/C")), NOT_THERE);
    assert_int_equal(look(&place, at("", gone, "/dev")), NOT_THERE);
}

/* Files are the same where their value is, directories never. */
static void nodes_of_the_past(void **state)
{
    (void)state;
    uint64_t then = find(at("prod/web/", made, "/A"), NODE_IS_PAST_KEY);
    assert_true(then != find(at("prod/web/", changed, "/A"), NODE_IS_PAST_KEY));
    assert_true(then == find(at("", made, "/prod/web/A"), NODE_IS_PAST_KEY));
    then = find(at("prod/web/", made, "/B"), NODE_IS_PAST_KEY);
    assert_true(then == find(at("prod/web/", gone, "/B"), NODE_IS_PAST_KEY));
    assert_true(then != find(at("prod/web/", made, "/A"), NODE_IS_PAST_KEY));
    uint64_t ways[] = {find(at("prod/web/", made, ""), NODE_IS_PAST_BY_SERVICE),
                       find(at("prod/", made, "/web"), NODE_IS_PAST_BY_ENVIRONMENT),
                       find(at("", made, "/prod/web"), NODE_IS_PAST),
                       find(at("", changed, "/prod/web"), NODE_IS_PAST)};
    for (int i = 0; i < 4; i++)
        for (int j = 0; j < i; j++)
            assert_true(ways[i] != ways[j]);
}

/* As DIRECTORY lists it, from each offset on. */
static void lists(const char *directory, const char *expected)
{
    struct place place;
    struct walk walk;
    char found[256] = "";
    uint64_t offset = 0;
    assert_int_equal(look(&place, directory), 0);
    const uint64_t id = place.id;
    for (;;) {
        assert_int_equal(walk_begin(snapshot, &walk, id, offset), 0);
        int next = walk_next(snapshot, &walk, &place, &offset);
        if (next == NOT_THERE)
            break;
        assert_int_equal(next, 0);
        size_t used = strlen(found);
        (void)snprintf(found + used, sizeof(found) - used, "%s ", place_name(&place));
    }
    assert_string_equal(found, expected);
}

static void lists_in_pieces(void **state)
{
    (void)state;
    lists(".emsa", "at head rev ");
    lists("prod/web/.emsa", "at env head json rev ");
    lists("prod/web/.emsa/at", "");
    lists(at("", made, ""), "dev prod ");
    lists(at("", gone, ""), "prod ");
    lists(at("prod/", made, ""), "web ");
    lists(at("", made, "/dev/api"), "X ");
    lists(at("prod/web/", made, ""), "A B ");
    lists(at("prod/web/", changed, ""), "A B C ");
    lists(at("prod/web/", 1 + gone - 1, ""), "A B C ");
}

static void attributes_of_them(void **state)
{
    (void)state;
    const struct view_options view = {0};
    struct place place;
    struct stat st;
    char target[HIDDEN_LINK_MAX], expected[HIDDEN_LINK_MAX];
    assert_int_equal(look(&place, "prod/web/.emsa/head"), 0);
    (void)snprintf(expected, sizeof(expected), "at/%llu", (unsigned long long)changed);
    assert_int_equal(hidden_target(target, &place.corner.node), strlen(expected));
    assert_string_equal(target, expected);
    assert_int_equal(attr_fill(snapshot, &st, &view, &place), 0);
    assert_true(S_ISLNK(st.st_mode) && st.st_size == (off_t)strlen(expected));
    assert_false(place_stays(&place) || place_is_directory(&place));
    assert_int_equal(look(&place, "prod/web/.emsa/env"), 0);
    assert_int_equal(attr_fill(snapshot, &st, &view, &place), 0);
    assert_true(S_ISREG(st.st_mode) && st.st_mtim.tv_sec > 0);
    assert_false(place_stays(&place) || place_is_directory(&place));
    assert_int_equal(look(&place, "prod/web/.emsa"), 0);
    assert_int_equal(attr_fill(snapshot, &st, &view, &place), 0);
    assert_true(S_ISDIR(st.st_mode) && st.st_mtim.tv_sec > 0);
    assert_true(place_stays(&place) && place_is_directory(&place));
    assert_int_equal(look(&place, at("prod/web/", made, "/A")), 0);
    assert_int_equal(attr_fill(snapshot, &st, &view, &place), 0);
    assert_true(S_ISREG(st.st_mode) && st.st_ino == place.id && st.st_size > 0);
}

/* The node of an outcome that made no value. */
static void no_value_no_node(void **state)
{
    (void)state;
    struct place place;
    unsigned keys = 0;
    for (uint32_t index = 0; index < 8; index++) {
        struct outcome outcome;
        int found = history_outcome(snapshot, &outcome, gone, index);
        if (found == 0)
            keys += outcome.kind == OUTCOME_KEY;
        assert_int_equal(tree_find(snapshot, &place, node_past_key(gone, index)), NOT_THERE);
    }
    assert_int_equal(keys, 1);
    assert_int_equal(tree_find(snapshot, &place, node_past_key(gone + 1, 0)), NOT_THERE);
    assert_int_equal(tree_find(snapshot, &place, node_of_revision(NODE_IS_PAST, 0, 0, gone + 1)),
                     NOT_THERE);
    assert_int_equal(tree_find(snapshot, &place, node_of_revision(NODE_IS_PAST, 9, 0, gone)),
                     NOT_THERE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_there),      cmocka_unit_test(what_is_not),
        cmocka_unit_test(nodes_of_the_past),  cmocka_unit_test(lists_in_pieces),
        cmocka_unit_test(attributes_of_them), cmocka_unit_test(no_value_no_node),
    };
    return cmocka_run_group_tests(tests, make, end);
}
