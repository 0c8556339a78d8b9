/* YAML as a tree with lines: what is read, what is refused with its line, that nothing of a scalar
 * is left in memory, and what scalars stand for. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/scalar.h"
#include "tools/emsa/yaml.h"

static const struct yaml_node *read_one(struct yaml_tree *tree, const char *text)
{
    *tree = (struct yaml_tree){.file = "x.yaml"};
    if (yaml_read(tree, text, strlen(text)) < 0)
        fail_msg("%s", error_text());
    assert_int_equal(tree->document_count, 1);
    return tree->documents[0];
}

static void refuse(const char *text, const char *why)
{
    struct yaml_tree tree = {.file = "x.yaml"};
    assert_int_equal(yaml_read(&tree, text, strlen(text)), -ERR_INVALID);
    if (strstr(error_text(), why) == NULL)
        fail_msg("'%s' in '%s'", why, error_text());
    yaml_release(&tree);
}

static void trees(void **state)
{
    (void)state;
    struct yaml_tree tree;
    const struct yaml_node *root =
        read_one(&tree, "a: 1\nb:\n  - x\n  - 'y z'\nc: {d: \"e\\n\", f: [g]}\n");
    assert_true(yaml_is(&tree, yaml_get(&tree, root, "a"), "1"));
    assert_true(yaml_get(&tree, root, "a")->plain);
    const struct yaml_node *b = yaml_get(&tree, root, "b");
    assert_int_equal(b->count, 2);
    assert_true(yaml_is(&tree, b->items[1], "y z"));
    assert_false(b->items[1]->plain);
    assert_int_equal(b->items[1]->line, 4);
    const struct yaml_node *c = yaml_get(&tree, root, "c");
    assert_true(yaml_is(&tree, yaml_get(&tree, c, "d"), "e\n"));
    assert_int_equal(c->line, 5);
    assert_null(yaml_get(&tree, root, "x"));
    assert_null(yaml_get(&tree, b, "x"));
    assert_null(yaml_get(&tree, NULL, "x"));
    yaml_release(&tree);
}

static void documents(void **state)
{
    (void)state;
    struct yaml_tree tree = {.file = "x.yaml"};
    const char *text = "---\na: 1\n---\n# nothing\n---\nb: 2\n...\n";
    assert_int_equal(yaml_read(&tree, text, strlen(text)), 0);
    assert_int_equal(tree.document_count, 2);
    assert_int_equal(tree.documents[1]->line, 6);
    yaml_release(&tree);
    assert_int_equal(yaml_read(&tree, "", 0), 0);
    assert_int_equal(tree.document_count, 0);
    yaml_release(&tree);
}

static void merges(void **state)
{
    (void)state;
    struct yaml_tree tree;
    const struct yaml_node *root =
        read_one(&tree, "a: &a {x: 1, y: 1}\nb: &b {y: 2, z: 2}\n"
                        "c: {<<: *a, y: 3}\nd:\n  <<: [*a, *b]\n  w: 4\ne: *a\n");
    const struct yaml_node *c = yaml_get(&tree, root, "c"), *d = yaml_get(&tree, root, "d");
    assert_int_equal(c->count, 2);
    assert_true(yaml_is(&tree, yaml_get(&tree, c, "x"), "1"));
    assert_true(yaml_is(&tree, yaml_get(&tree, c, "y"), "3"));
    assert_int_equal(d->count, 4);
    assert_true(yaml_is(&tree, yaml_get(&tree, d, "y"), "1"));
    assert_true(yaml_is(&tree, yaml_get(&tree, d, "z"), "2"));
    assert_ptr_equal(yaml_get(&tree, root, "e"), yaml_get(&tree, root, "a"));
    yaml_release(&tree);
}

static void refusals(void **state)
{
    (void)state;
    refuse("a: 1\nb: [1\nc: 2\n", "x.yaml, line 3: ");
    refuse("a: 1\nb: 2\na: 3\n", "x.yaml, line 3: the key 'a' stands in line 1 already");
    refuse("a: 1\n<<: {b: 1}\n<<: {c: 1}\n", "x.yaml, line 3: '<<' stands in line 2 already");
    refuse("a: *b\n", "x.yaml, line 1: no '&b' before '*b'");
    refuse("a: &a\n  - *a\n", "x.yaml, line 2: '*a' stands within what it names");
    refuse("a: 1\n<<: 2\n", "x.yaml, line 2: '<<' wants a mapping");
    refuse("? [a]\n: b\n", "x.yaml, line 1: a key that is no text");
    refuse("a: \t- b\n\tc", "x.yaml, line ");
    refuse("a: 1\nb: \"\x01\"\n", "x.yaml, line 2: ");
    refuse("a: 1\nb: \xff\n", "x.yaml, line 2: ");
}

static void bounds(void **state)
{
    (void)state;
    char deep[400] = "";
    memset(deep, '[', 100);
    refuse(deep, "x.yaml, line 1: nested more than 64 deep");
    char laughs[4096] = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n";
    for (int i = 1; i < 9; i++) {
        size_t used = strlen(laughs);
        snprintf(laughs + used, sizeof laughs - used,
                 "a%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", i, i, i - 1, i - 1,
                 i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
    }
    refuse(laughs, "more than 2000000 things, with every alias counted");
}

/* libyaml's own buffers: all that it gives back goes through our hands. */
static void wiped(void **state)
{
    (void)state;
    struct yaml_tree tree;
    size_t before = yaml_memory_wiped();
    char text[8192] = "a: ";
    memset(text + 3, 'x', sizeof text - 4);
    read_one(&tree, text);
    yaml_release(&tree);
    assert_true(yaml_memory_wiped() - before > sizeof text * 2);
}

/* A header that libyaml keeps to itself declares them. */
void *yaml_malloc(size_t size);
void *yaml_realloc(void *pointer, size_t size);
void yaml_free(void *pointer);

/* The block that was given back is had again at once, and nothing of it is left. */
static void wiped_before_it_goes(void **state)
{
    (void)state;
    enum { SIZE = 200, HEAD = 64 }; /* where an allocator may write */
    for (int moved = 0; moved < 2; moved++) {
        unsigned char *block = yaml_malloc(SIZE);
        assert_non_null(block);
        memset(block, 's', SIZE);
        unsigned char *larger = moved ? yaml_realloc(block, SIZE * 100) : NULL;
        if (moved)
            assert_int_equal(larger[SIZE - 1], 's');
        else
            yaml_free(block);
        volatile unsigned char *again = yaml_malloc(SIZE);
        assert_non_null(again);
        for (size_t i = HEAD; i < SIZE; i++)
            assert_int_not_equal(again[i], 's');
        yaml_free((void *)(uintptr_t)again);
        yaml_free(larger);
    }
}

static void types(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        enum scalar_type compose, kubernetes;
    } rows[] = {
        {"", SCALAR_NULL, SCALAR_NULL},
        {"~", SCALAR_NULL, SCALAR_NULL},
        {"Null", SCALAR_NULL, SCALAR_NULL},
        {"nUll", SCALAR_TEXT, SCALAR_TEXT},
        {"true", SCALAR_BOOL, SCALAR_BOOL},
        {"yes", SCALAR_TEXT, SCALAR_BOOL},
        {"off", SCALAR_TEXT, SCALAR_BOOL},
        {"12", SCALAR_INT, SCALAR_INT},
        {"-1_000", SCALAR_INT, SCALAR_INT},
        {"0x1F", SCALAR_INT, SCALAR_INT},
        {"0o17", SCALAR_INT, SCALAR_INT},
        {"08", SCALAR_FLOAT, SCALAR_FLOAT},
        {"1.5", SCALAR_FLOAT, SCALAR_FLOAT},
        {".5", SCALAR_FLOAT, SCALAR_FLOAT},
        {"1e3", SCALAR_FLOAT, SCALAR_FLOAT},
        {"1.2.3", SCALAR_TEXT, SCALAR_TEXT},
        {"1e", SCALAR_TEXT, SCALAR_TEXT},
        {"-", SCALAR_TEXT, SCALAR_TEXT},
        {".", SCALAR_TEXT, SCALAR_TEXT},
        {".inf", SCALAR_ENDLESS, SCALAR_ENDLESS},
        {"10m", SCALAR_TEXT, SCALAR_TEXT},
        {"8080:80", SCALAR_TEXT, SCALAR_TEXT},
        {"2024-01-02", SCALAR_DATE, SCALAR_TEXT},
        {"2024-1-2 03:04:05", SCALAR_DATE, SCALAR_TEXT},
        {"2024-01-02-rc1", SCALAR_TEXT, SCALAR_TEXT},
        {"99999999999999999999", SCALAR_FLOAT, SCALAR_FLOAT},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        size_t size = strlen(rows[i].text);
        if (scalar_type(SCALAR_COMPOSE, rows[i].text, size) != rows[i].compose ||
            scalar_type(SCALAR_KUBERNETES, rows[i].text, size) != rows[i].kubernetes)
            fail_msg("'%s'", rows[i].text);
    }
}

static void prints(void **state)
{
    (void)state;
    static const char *const rows[][2] = {
        {"True", "true"},
        {"FALSE", "false"},
        {"12", "12"},
        {"+12", "12"},
        {"-0", "0"},
        {"-12", "-12"},
        {"0x1F", "31"},
        {"0o17", "15"},
        {"017", "15"},
        {"0b101", "5"},
        {"1_000", "1000"},
        {"18446744073709551615", "18446744073709551615"},
        {"1.50", "1.5"},
        {"1.0", "1"},
        {".5", "0.5"},
        {"1e3", "1000"},
        {"1e21", "1e+21"},
        {"123456789012345678901", "123456789012345680000"},
        {"0.0001", "0.0001"},
        {"0.00001", "1e-05"},
        {"3.14159", "3.14159"},
        {"08", "8"},
        {"-1.5e2", "-150"},
        {"1.2e19", "12000000000000000000"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        char out[SCALAR_PRINTED_MAX];
        size_t size = scalar_print(out, rows[i][0], strlen(rows[i][0]));
        assert_int_equal(size, strlen(out));
        if (strcmp(out, rows[i][1]) != 0)
            fail_msg("'%s' is printed '%s', not '%s'", rows[i][0], out, rows[i][1]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(trees),
        cmocka_unit_test(documents),
        cmocka_unit_test(merges),
        cmocka_unit_test(refusals),
        cmocka_unit_test(bounds),
        cmocka_unit_test(wiped),
        cmocka_unit_test(wiped_before_it_goes),
        cmocka_unit_test(types),
        cmocka_unit_test(prints),
    };
    if (secret_setup(64u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
