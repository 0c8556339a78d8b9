/* The dotenv dialect: what each form means, what is refused with its line, and that what is
 * exported is read back byte for byte. */
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
#include "tools/emsa/dotenv.h"
#include "tools/emsa/render.h"

static char notes[4096];

static void keep_note(const char *text)
{
    size_t used = strlen(notes);
    snprintf(notes + used, sizeof notes - used, "%s\n", text);
}

static int parse(struct assignments *out, const char *text, size_t size)
{
    notes[0] = '\0';
    *out = (struct assignments){.file = "x.env", .note = keep_note};
    return dotenv_parse(out, text, size);
}

static void check(const char *text, const char *key, const char *value)
{
    struct assignments all;
    if (parse(&all, text, strlen(text)) < 0)
        fail_msg("'%s': %s", text, error_text());
    assert_int_equal(all.count, 1);
    assert_string_equal(all.list[0].key, key);
    assert_int_equal(all.list[0].size, strlen(value));
    assert_memory_equal(assignment_value(&all, &all.list[0]), value, strlen(value));
    assignments_release(&all);
}

static void forms(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value;
    } rows[] = {
        {"K=v", "v"},
        {"K=", ""},
        {"K=\n", ""},
        {"\xef\xbb\xbfK=v", "v"},
        {"  K = v  \n", "v"},
        {"export K=v", "v"},
        {"export\tK=v", "v"},
        {"K: v", "v"},
        {"K=v # comment", "v"},
        {"K=v# none", "v# none"},
        {"K=v\t# none either", "v\t# none either"},
        {"K=a b  c", "a b  c"},
        {"K=v\r\n", "v"},
        {"# c\n\n  # d\nK=v\n#e", "v"},
        {"K='a b' # c", "a b"},
        {"K='$HOME ${X} \\n \"'", "$HOME ${X} \\n \""},
        {"K='it\\'s'", "it's"},
        {"K='a\\\\'", "a\\\\"},
        {"K=\"a\\nb\\rc\\td\"", "a\nb\rc\td"},
        {"K=\"\\\\ \\\" \\$X\"", "\\ \" $X"},
        {"K=\"\\q\"", "\\q"},
        {"K=\"one\ntwo\r\nthree\"", "one\ntwo\nthree"},
        {"K='one\ntwo'\n", "one\ntwo"},
        {"K=http://${HOST}:$PORT/$$", "http://${HOST}:$PORT/$$"},
        {"K=a=b=c", "a=b=c"},
        {"K=\"\"", ""},
        {"K=a'b\"c", "a'b\"c"},
        {"K=\xc3\xa4\xff", "\xc3\xa4\xff"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        check(rows[i].text, "K", rows[i].value);
    check("a.b-c=1", "a.b-c", "1");
    check("exported=1", "exported", "1");
}

static void refusals(void **state)
{
    (void)state;
    static const struct {
        const char *text, *place;
    } rows[] = {
        {"A=1\nB", "line 2"}, {"A=1\nB C\n", "line 2"},     {"A=1\n\n# c\nB=\"x\ny", "line 4"},
        {"A='x\n", "line 1"}, {"A='x' y\n", "line 1"},      {"A=1\nB C=1\n", "line 2"},
        {"=1\n", "line 1"},   {"A=1\n\n..x=1\n", "line 3"}, {"A=\"one\ntwo\"\nB/C=1\n", "line 3"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct assignments all;
        assert_int_equal(parse(&all, rows[i].text, strlen(rows[i].text)), -ERR_INVALID);
        if (strstr(error_text(), rows[i].place) == NULL || strstr(error_text(), "x.env") == NULL)
            fail_msg("'%s': %s", rows[i].text, error_text());
        assignments_release(&all);
    }
    struct assignments all;
    assert_int_equal(parse(&all, "A=1\nB=\0", 7), -ERR_INVALID);
    assert_non_null(strstr(error_text(), "line 2"));
    assignments_release(&all);
}

/* A malformed line may be a secret: no message shows it. */
static void silence(void **state)
{
    (void)state;
    struct assignments all;
    assert_int_equal(parse(&all, "hunter2 word\n", 13), -ERR_INVALID);
    assert_null(strstr(error_text(), "hunter2"));
    assignments_release(&all);
}

static void notes_told(void **state)
{
    (void)state;
    struct assignments all;
    assert_int_equal(parse(&all, "A=1\nB=2\nA=3\n", 12), 0);
    assert_int_equal(all.count, 2);
    assert_memory_equal(assignment_value(&all, &all.list[0]), "3", 1);
    assert_non_null(strstr(notes, "line 3"));
    assert_non_null(strstr(notes, "'A' stands in line 1"));
    assignments_release(&all);
    assert_int_equal(parse(&all, "A= # c\n", 7), 0);
    assert_memory_equal(assignment_value(&all, &all.list[0]), "# c", 3);
    assert_non_null(strstr(notes, "begins with '#'"));
    assignments_release(&all);
}

static void too_large(void **state)
{
    (void)state;
    struct assignments all;
    char *text = malloc(VALUE_MAX + 3);
    assert_non_null(text);
    memset(text, 'x', VALUE_MAX + 3);
    memcpy(text, "A=", 2);
    assert_int_equal(parse(&all, text, VALUE_MAX + 2), 0);
    assignments_release(&all);
    assert_int_equal(parse(&all, text, VALUE_MAX + 3), -ERR_INVALID);
    assignments_release(&all);
    free(text);
}

static unsigned seed(void)
{
    const char *given = getenv("EMSA_TEST_SEED");
    unsigned chosen = given != NULL ? (unsigned)strtoul(given, NULL, 10) : (unsigned)time(NULL);
    print_message("seed %u (EMSA_TEST_SEED)\n", chosen);
    return chosen;
}

/* Characters that matter come more often. */
static size_t random_value(unsigned char out[static 64], unsigned *state)
{
    static const char often[] = "'\"\\$\n\r\t #={}:`";
    size_t size = (size_t)rand_r(state) % 12;
    for (size_t i = 0; i < size; i++) {
        int choice = rand_r(state);
        out[i] = choice % 3 ? (unsigned char)often[(unsigned)choice % (sizeof often - 1)]
                            : (unsigned char)(1 + (unsigned)rand_r(state) % 255);
    }
    return size;
}

static void roundtrip(void **state)
{
    (void)state;
    unsigned random = seed();
    for (unsigned run = 0; run < 20000; run++) {
        unsigned char value[64];
        struct secret text = {0};
        struct assignments all;
        size_t size = random_value(value, &random);
        struct render render = render_whole(&text);
        assert_int_equal(render_dotenv(&render, "BEFORE", (const unsigned char *)"b", 1), 0);
        assert_int_equal(render_dotenv(&render, "K", value, size), 0);
        assert_int_equal(render_dotenv(&render, "AFTER", (const unsigned char *)"a", 1), 0);
        if (parse(&all, (const char *)text.data, text.size) < 0)
            fail_msg("run %u: %s in %.*s", run, error_text(), (int)text.size, (char *)text.data);
        assert_int_equal(all.count, 3);
        if (all.list[1].size != size ||
            memcmp(assignment_value(&all, &all.list[1]), value, size) != 0)
            fail_msg("run %u: not the same: %.*s", run, (int)text.size, (char *)text.data);
        assert_int_equal(all.list[2].size, 1);
        assignments_release(&all);
        secret_release(&text);
    }
}

static void no_nul(void **state)
{
    (void)state;
    struct secret text = {0};
    struct render render = render_whole(&text);
    assert_int_equal(render_dotenv(&render, "K", (const unsigned char *)"a\0b", 3), RENDER_NUL);
    assert_int_equal(render_shell(&render, "K", (const unsigned char *)"a\0b", 3), RENDER_NUL);
    secret_release(&text);
}

/* Where values will be interpolated: dollars that stand for themselves are doubled. */
static void for_interpolation(void **state)
{
    (void)state;
    static const struct {
        const char *text, *value;
    } rows[] = {
        {"K=${A}$B$$", "${A}$B$$"},    {"K=\"${A}$$\"", "${A}$$"},
        {"K=\"\\$A\"", "$$A"},         {"K='$A'", "$$A"},
        {"K='a\\$A\\'b'", "a\\$$A'b"}, {"K=\"\\a\\b\\f\\v\\053\\x\"", "\a\b\f\v+\\x"},
        {"K=a\\$A", "a\\$A"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct assignments all = {.file = "x.env", .for_interpolation = true};
        if (dotenv_parse(&all, rows[i].text, strlen(rows[i].text)) < 0)
            fail_msg("'%s': %s", rows[i].text, error_text());
        assert_int_equal(all.count, 1);
        if (all.list[0].size != strlen(rows[i].value) ||
            memcmp(assignment_value(&all, &all.list[0]), rows[i].value, all.list[0].size) != 0)
            fail_msg("'%s'", rows[i].text);
        assignments_release(&all);
    }
    const char *text = "A=1\nBARE\nA=2\nexport LAST";
    struct assignments all = {.file = "x.env", .note = keep_note, .for_interpolation = true};
    notes[0] = '\0';
    assert_int_equal(dotenv_parse(&all, text, strlen(text)), 0);
    assert_int_equal(all.count, 4);
    assert_true(all.list[1].bare);
    assert_false(all.list[2].bare);
    assert_string_equal(all.list[3].key, "LAST");
    assert_non_null(strstr(notes, "line 3: 'A' stands in line 1 already"));
    assignments_release(&all);
    assert_int_equal(dotenv_parse(&all, "A B\n", 4), -ERR_INVALID);
    assignments_release(&all);
}

int main(void)
{
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(forms),      cmocka_unit_test(for_interpolation),
        cmocka_unit_test(refusals),   cmocka_unit_test(silence),
        cmocka_unit_test(notes_told), cmocka_unit_test(too_large),
        cmocka_unit_test(roundtrip),  cmocka_unit_test(no_nul),
    };
    if (secret_setup(16u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
