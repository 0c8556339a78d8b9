/* Flat JSON: what is taken and as what, what is refused and where, and that what is exported is
 * read back byte for byte; the lines of a tree. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/error.h"
#include "tools/emsa/base64.h"
#include "tools/emsa/flat.h"
#include "tools/emsa/render.h"
#include "tools/emsa/treeline.h"

static int parse(struct assignments *out, const char *text)
{
    *out = (struct assignments){.file = "x.json"};
    return flat_parse(out, text, strlen(text));
}

static void values(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value;
        size_t size;
    } rows[] = {
        {"{\"K\": \"v\"}", "v", 1},
        {" \n{ \"K\" :\t\"\" }\n", "", 0},
        {"{\"K\": 8080}", "8080", 4},
        {"{\"K\": -1.50e+3}", "-1.50e+3", 8},
        {"{\"K\": true}", "true", 4},
        {"{\"K\": false}", "false", 5},
        {"{\"K\": \"\\\"\\\\\\/\\b\\f\\n\\r\\t\"}", "\"\\/\b\f\n\r\t", 8},
        {"{\"K\": \"\\u00e4\\u20ac\\ud83d\\ude00\\u0041\"}",
         "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"
         "A",
         10},
        {"{\"K\": \"a\\u0000b\"}", "a\0b", 3},
        {"{\"K\": \"\xff raw\"}", "\xff raw", 5},
        {"{\"K\": {\"base64\": \"AP8=\"}}", "\0\xff", 2},
        {"{\"K\": {\"base64\": \"\"}}", "", 0},
        {"\xef\xbb\xbf{\"K\": \"v\"}", "v", 1},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct assignments all;
        if (parse(&all, rows[i].text) < 0)
            fail_msg("%s: %s", rows[i].text, error_text());
        assert_int_equal(all.count, 1);
        assert_int_equal(all.list[0].size, rows[i].size);
        assert_memory_equal(assignment_value(&all, &all.list[0]), rows[i].value, rows[i].size);
        assignments_release(&all);
    }
    struct assignments all;
    assert_int_equal(parse(&all, "{}"), 0);
    assert_int_equal(all.count, 0);
    assignments_release(&all);
}

static void refusals(void **state)
{
    (void)state;
    static const char *const rows[] = {
        "",
        "[]",
        "\"x\"",
        "{",
        "{\"K\"",
        "{\"K\":",
        "{\"K\": \"v",
        "{\"K\": \"v\"",
        "{\"K\": \"v\",}",
        "{\"K\": \"v\" \"L\": 1}",
        "{\"K\": null}",
        "{\"K\": []}",
        "{\"K\": {}}",
        "{\"K\": {\"a\": 1}}",
        "{\"K\": {\"base64\": 1}}",
        "{\"K\": {\"base64\": \"A\"}}",
        "{\"K\": {\"base64\": \"AP8=\", \"x\": 1}}",
        "{\"K\": {\"base64\": \"====\"}}",
        "{\"K\": {\"base64\": \"AP9=\"}}",
        "{\"K\": \"\\x\"}",
        "{\"K\": \"\\u12\"}",
        "{\"K\": \"\\ud800\"}",
        "{\"K\": \"\\udc00\"}",
        "{\"K\": \"\\ud800\\u0041\"}",
        "{\"K\": \"a\nb\"}",
        "{\"K\": 01}",
        "{\"K\": 1.}",
        "{\"K\": 1e}",
        "{\"K\": -}",
        "{\"K\": truely}",
        "{\"K\": \"v\"} x",
        "{\"\": \"v\"}",
        "{\"..\": \"v\"}",
        "{\"A/B\": 1}",
        "{\"A\\u0000\": 1}",
        "{K: 1}",
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct assignments all;
        int error = parse(&all, rows[i]);
        if (error != -ERR_INVALID || strstr(error_text(), "x.json, line 1: ") == NULL)
            fail_msg("%s: %d %s", rows[i], error, error_text());
        assignments_release(&all);
    }
    struct assignments all;
    assert_int_equal(parse(&all, "{\"A\": 1,\n\n\"B\": {\"C\": 2}}"), -ERR_INVALID);
    assert_non_null(strstr(error_text(), "line 3: 'B'"));
    assignments_release(&all);
}

static void tree_lines(void **state)
{
    (void)state;
    struct treeline line;
    struct secret kept = {0}, scratch = {0};
    const char *text = "{\"value\":\"v\",\"path\":\"prod/web/K\"}";
    assert_int_equal(treeline_parse(&line, &kept, &scratch, text, strlen(text)), 0);
    assert_string_equal(line.path.service, "web");
    assert_int_equal(line.mark, MARK_NONE);
    assert_int_equal(line.size, 1);
    text = "{\"path\":\"prod/web/S\",\"base64\":\"AP8=\",\"secret\":true}";
    assert_int_equal(treeline_parse(&line, &kept, &scratch, text, strlen(text)), 0);
    assert_int_equal(line.mark, MARK_SECRET);
    assert_int_equal(line.offset, 1);
    assert_int_equal(line.size, 2);
    static const char *const wrong[] = {
        "{\"path\":\"prod/web/K\"}",
        "{\"value\":\"v\"}",
        "{\"path\":\"prod/web\",\"value\":\"v\"}",
        "{\"path\":\"prod/web/K\",\"value\":\"v\",\"value\":\"w\"}",
        "{\"path\":\"prod/web/K\",\"value\":\"v\",\"secret\":1}",
        "{\"path\":\"prod/web/K\",\"value\":\"v\",\"more\":1}",
        "{\"path\":\"prod/../K\",\"value\":\"v\"}",
        "{\"path\":\"prod/web/K\",\"base64\":\"!\"}",
        "not json",
    };
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (treeline_parse(&line, &kept, &scratch, wrong[i], strlen(wrong[i])) != -ERR_INVALID)
            fail_msg("%s was taken", wrong[i]);
    secret_release(&kept);
    secret_release(&scratch);
}

static unsigned seed(void)
{
    const char *given = getenv("EMSA_TEST_SEED");
    unsigned chosen = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    print_message("seed %u (EMSA_TEST_SEED)\n", chosen);
    return chosen;
}

static void roundtrip(void **state)
{
    (void)state;
    unsigned random = seed();
    for (unsigned run = 0; run < 20000; run++) {
        unsigned char value[16];
        size_t size = (size_t)rand_r(&random) % sizeof value;
        bool ascii = run % 2 == 0;
        for (size_t i = 0; i < size; i++)
            value[i] = (unsigned char)((unsigned)rand_r(&random) % (ascii ? 128 : 256));
        struct secret text = {0};
        struct assignments all = {.file = "x"};
        struct render render = render_whole(&text);
        render_member(&render, "K", value, size, true);
        render_object_end(&render, false);
        assert_int_equal(render.error, 0);
        if (flat_parse(&all, (const char *)text.data, text.size) < 0)
            fail_msg("run %u: %s in %.*s", run, error_text(), (int)text.size, (char *)text.data);
        assert_int_equal(all.list[0].size, size);
        assert_memory_equal(assignment_value(&all, &all.list[0]), value, size);
        assignments_release(&all);
        secret_release(&text);
    }
}

static void utf8(void **state)
{
    (void)state;
    static const char *const good[] = {
        "", "a", "\xc3\xa4", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xed\x9f\xbf"};
    static const char *const bad[] = {"\x80",
                                      "\xc3",
                                      "\xc0\x80",
                                      "\xc1\xbf",
                                      "\xe0\x80\x80",
                                      "\xed\xa0\x80",
                                      "\xf0\x80\x80\x80",
                                      "\xf4\x90\x80\x80",
                                      "\xf5\x80\x80\x80",
                                      "a\xff"};
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(is_utf8((const unsigned char *)good[i], strlen(good[i])));
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(is_utf8((const unsigned char *)bad[i], strlen(bad[i])));
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(values),    cmocka_unit_test(refusals), cmocka_unit_test(tree_lines),
        cmocka_unit_test(roundtrip), cmocka_unit_test(utf8),
    };
    if (secret_setup(16u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
