/* Files of definitions: what is read of them, every fault at its place and all of them at once, and
 * scalars that are written and read back. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/faults.h"
#include "tools/emsa/hidden.h"
#include "tools/emsa/moment.h"
#include "tools/emsa/sheet.h"
#include "tools/emsa/yaml_write.h"

#define KEYS "environments:\n prod:\n  services:\n   web:\n    keys:\n"

/* Reads a text; what is wrong is in out, a line each. */
static int read_text(struct sheet *sheet, struct bytes *out, const char *text)
{
    struct faults faults FAULTS_CLEANUP = {0};
    *out = BYTES_INIT(65536);
    int error = sheet_read(sheet, &faults, "f", "/nowhere", text, strlen(text));
    if (error == -ERR_INVALID)
        faults_add_failure(&faults);
    faults_write(&faults, out, "");
    bytes_append(out, "", 1);
    return error;
}

static void good(struct sheet *sheet, const char *text)
{
    struct bytes wrong;
    assert_int_equal(read_text(sheet, &wrong, text), 0);
    assert_string_equal((const char *)wrong.data, "");
    bytes_release(&wrong);
}

/* Each of the lines (a list that ends with NULL) begins one that is told, and there are no others.
 */
static void bad(const char *text, const char *const lines[])
{
    struct sheet sheet;
    struct bytes wrong;
    read_text(&sheet, &wrong, text);
    const char *at = (const char *)wrong.data;
    for (size_t i = 0; lines[i] != NULL; i++) {
        if (strncmp(at, lines[i], strlen(lines[i])) != 0)
            fail_msg("'%s' is not where is:\n%s", lines[i], at);
        at += strcspn(at, "\n");
        at += *at == '\n';
    }
    if (*at != '\0')
        fail_msg("more is wrong: %s", at);
    bytes_release(&wrong);
    sheet_release(&sheet);
}
#define BAD(text, ...) bad(text, (const char *const[]){__VA_ARGS__, NULL})

static const struct sheet_key *key_of(const struct sheet *sheet, const char *name)
{
    for (size_t i = 0; i < sheet->key_count; i++)
        if (strcmp(sheet->keys[i].name, name) == 0)
            return &sheet->keys[i];
    fail_msg("no key %s", name);
    return NULL;
}

static void expect(const struct sheet *sheet, const char *name, enum sheet_form form,
                   const char *value, size_t size)
{
    const struct sheet_key *key = key_of(sheet, name);
    assert_int_equal(key->form, form);
    assert_int_equal(key->size, size);
    if (size > 0)
        assert_memory_equal(sheet_data(sheet, key), value, size);
}
#define EXPECT(sheet, name, form, value) expect(sheet, name, form, value, sizeof value - 1)

static void forms(void **state)
{
    struct sheet sheet;
    (void)state;
    setenv("SHEET_TEST", "of a variable", 1);
    good(&sheet, "rev: 41\n" KEYS "     PLAIN: yes\n"
                 "     HEX: 0x1F\n"
                 "     STR: !!str 1\n"
                 "     EMPTY: ''\n"
                 "     BYTES: !base64 'AAEC\n"
                 "\n"
                 "       Aw=='\n"
                 "     LINK: !link shared/A\n"
                 "     TEMPLATE: !template '${A}$$'\n"
                 "     KEPT: !secret\n"
                 "     CLEAR: !secret-value x\n"
                 "     VARIABLE: !secret-env SHEET_TEST\n"
                 "     LONG: {value: abc, ttl: 1h, share: [api, '*']}\n"
                 "     ENDS: {secret: true, expires: 2026-11-30T22:00:00.5Z}\n"
                 "     T64: {template: !base64 JHtBfQ==}\n"
                 "    shares: {KEPT: job, OTHER: [job]}\n"
                 "   empty:\n"
                 " other: {protected: true, signed: true}\n"
                 " kid: {base: prod, ttl: 2d}\n");
    assert_true(sheet.has_rev && sheet.rev == 41 && sheet.has_clear);
    EXPECT(&sheet, "PLAIN", SHEET_PLAIN, "yes");
    EXPECT(&sheet, "HEX", SHEET_PLAIN, "0x1F");
    EXPECT(&sheet, "STR", SHEET_PLAIN, "1");
    EXPECT(&sheet, "EMPTY", SHEET_PLAIN, "");
    EXPECT(&sheet, "BYTES", SHEET_PLAIN, "\0\1\2\3");
    EXPECT(&sheet, "LINK", SHEET_LINK, "shared/A");
    EXPECT(&sheet, "TEMPLATE", SHEET_TEMPLATE, "${A}$$");
    EXPECT(&sheet, "KEPT", SHEET_KEPT, "");
    EXPECT(&sheet, "CLEAR", SHEET_SECRET, "x");
    EXPECT(&sheet, "VARIABLE", SHEET_SECRET, "of a variable");
    EXPECT(&sheet, "LONG", SHEET_PLAIN, "abc");
    EXPECT(&sheet, "T64", SHEET_TEMPLATE, "${A}");
    assert_int_equal(key_of(&sheet, "LONG")->ttl, 3600);
    assert_int_equal(key_of(&sheet, "ENDS")->expires, INT64_C(1796076000500000000));
    assert_int_equal(sheet.environment_count, 3);
    assert_int_equal(sheet.service_count, 2);
    assert_int_equal(sheet.share_count, 4);
    assert_true(sheet.environments[1].is_protected && sheet.environments[1].is_signed);
    assert_true(sheet.environments[2].signing == NULL && !sheet.environments[2].is_signed);
    assert_int_equal(sheet.environments[2].ttl, 172800);
    for (size_t i = 1; i < sheet.key_count; i++) /* in their order */
        assert_true(strcmp(sheet.keys[i - 1].name, sheet.keys[i].name) < 0);
    sheet_release(&sheet);
    good(&sheet, "environments: {}");
    assert_false(sheet.has_rev || sheet.has_clear);
    sheet_release(&sheet);
}

static void faults(void **state)
{
    (void)state;
    BAD("", "f:1:1: there is nothing in it");
    BAD("# nothing\n", "f:1:1: there is nothing in it");
    BAD("a: [", "f:2:1: ");
    BAD("a: b: c", "f:1:5: ");
    BAD("--- {environments: }\n--- {environments: }\n", "f:2:5: a second document");
    BAD("x", "f:1:1: a file of environments is wanted here, as a mapping");
    BAD("rev: -1\nenvs: 1\nenviroments: {}\n", "f:1:6: a revision is a number",
        "f:2:1: a file has no member 'envs'", "f:3:1: a file has no member 'enviroments': did you");
    BAD("environments: [a]", "f:1:15: environments by their names");
    BAD("environments:\n 'a b': {protectd: 1, protected: yes, base: , ttl: 1, expires: x}\n",
        "f:2:2: environment name 'a b'", "f:2:10: an environment has no member 'protectd': did",
        "f:2:34: 'protected' is true or false", "f:2:45: the name of an environment",
        "f:2:52: '1' of --ttl", "f:2:64: one of 'ttl' and 'expires'", "f:2:64: 'x' is no moment");
    BAD(KEYS "     A:\n     A: 1\n     ..B: 1\n     C: [1]\n", "f:6:8: there is no value",
        "f:7:6: the key 'A' stands in line 6 already", "f:8:6: key name '..B'",
        "f:9:9: a value is a text");
    BAD(KEYS "     A: !lnik a/B\n     B: !x 1\n     C: !link a\n     D: !template '${'\n",
        "f:6:9: no tag '!lnik': did you mean '!link'?", "f:7:9: no tag '!x': there are",
        "f:8:9: a link is written SERVICE/KEY", "f:9:9: in the template: column 1");
    BAD(KEYS "     A: !secret x\n     B: !secret-file none\n     C: !secret-env NO_SUCH_ONE\n"
             "     D: !secret-file\n     E: !base64 '?'\n     F: {secret: no}\n",
        "f:6:9: '!secret' says", "f:7:9: cannot open '/nowhere/none'",
        "f:8:9: there is no variable", "f:9:9: the path of a file", "f:10:9: base64 of a length",
        "f:11:18: 'secret' is true");
    BAD(KEYS "     A: {value: 1, secret: true}\n     B: {value: 1, link: a/B}\n     C: {ttl: 1h}\n"
             "     D: {vaule: 1}\n     E: {secret: true, ttl: 1h}\n     F: {value: [1]}\n",
        "f:6:17: the value of a secret stands in no file", "f:7:26: a key has one value",
        "f:8:9: a key without a value", "f:9:10: a key has no member 'vaule': did you mean",
        "f:10:29: a secret that stays", "f:11:17: a text is wanted");
    BAD("environments: {a: {services: {b: {shares: {K: [x y, '*', {}]}}}}}",
        "f:1:48: service name 'x y'", "f:1:58: a service's name, or '*'");
    BAD("schemas: {a: 1}", "f:1:10: a list of schemas");
    BAD("schemas: [{service: a, keys: {A: {type: prot}}}, {service: b, keys: {}}, {service: b, "
        "keys: {}}]",
        "f:1:41: ", "f:1:74: a second schema of 'all/b'");
}

/* What a scalar says is what it was written from, as a block, in a flow, and alone. */
static void check_scalar(const unsigned char *data, size_t size)
{
    static const struct {
        const char *before, *after;
        unsigned indent;
    } rows[] = {{"a:\n  b: ", "\n  c: d\n", 4}, {"a: {b: ", ", c: d}\n", 0}, {"a: {b: ", "}", 0}};
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct secret text SECRET_CLEANUP = {0};
        struct yaml_tree tree = {.file = "x"};
        assert_int_equal(hidden_append_text(&text, rows[i].before), 0);
        assert_int_equal(yaml_write(&text, data, size, rows[i].indent), 0);
        assert_int_equal(hidden_append_text(&text, rows[i].after), 0);
        if (yaml_read(&tree, (const char *)text.data, text.size) < 0)
            fail_msg("%s in: %.*s", error_text(), (int)text.size, (const char *)text.data);
        const struct yaml_node *value =
            yaml_get(&tree, yaml_get(&tree, tree.documents[0], "a"), "b");
        if (value == NULL || value->size != size ||
            memcmp(yaml_text(&tree, value), data, size) != 0)
            fail_msg("read otherwise: %.*s", (int)text.size, (const char *)text.data);
        yaml_release(&tree);
    }
}

static void scalars(void **state)
{
    static const char *const pieces[] = {" ",
                                         "\n",
                                         "\t",
                                         "\r",
                                         ":",
                                         ": ",
                                         " #",
                                         "#",
                                         "-",
                                         "- ",
                                         "?",
                                         "'",
                                         "\"",
                                         "\\",
                                         "|",
                                         ">",
                                         "%",
                                         "@",
                                         "&",
                                         "*",
                                         "!",
                                         "[",
                                         "]",
                                         "{",
                                         "}",
                                         ",",
                                         "<<",
                                         "~",
                                         "null",
                                         "x",
                                         "word",
                                         "\xc3\xa4",
                                         "\xc2\x85",
                                         "=",
                                         "`",
                                         "\x01",
                                         "\x7f",
                                         "\xef\xbb\xbf",
                                         "\xe2\x80\xa8",
                                         "\xf0\x9f\x98\x80",
                                         "1",
                                         "---",
                                         "..."};
    const size_t count = sizeof pieces / sizeof pieces[0];
    const char *said = getenv("EMSA_TEST_SEED");
    unsigned seed = said != NULL ? (unsigned)strtoul(said, NULL, 10) : 4711;
    (void)state;
    print_message("seed %u\n", seed);
    for (size_t n = 0; n < 20000; n++) {
        char text[256] = "";
        size_t length = n < count ? 1 : 1 + n % 7;
        for (size_t i = 0; i < length; i++) {
            seed = seed * 1664525u + 1013904223u;
            const char *piece = pieces[n < count ? n : (seed >> 8) % count];
            memcpy(text + strlen(text), piece, strlen(piece) + 1);
        }
        assert_true(yaml_holds((const unsigned char *)text, strlen(text)));
        check_scalar((const unsigned char *)text, strlen(text));
    }
    check_scalar((const unsigned char *)"", 0);
    assert_false(yaml_holds((const unsigned char *)"a\0b", 3));
    assert_false(yaml_holds((const unsigned char *)"\xff", 1));
}

static void moments(void **state)
{
    static const struct {
        const char *text;
        int64_t moment;
    } rows[] = {{"1970-01-01T00:00:00Z", 0},
                {"2026-11-30T22:00:00Z", INT64_C(1796076000000000000)},
                {"2028-02-29T23:59:59.000000001Z", INT64_C(1835481599000000001)},
                {"2026-11-30T22:00:00.25Z", INT64_C(1796076000250000000)}};
    static const char *const wrong[] = {"",
                                        "2026-11-30",
                                        "2026-11-30T22:00:00",
                                        "2026-11-30T22:00:00.Z",
                                        "2026-02-29T00:00:00Z",
                                        "2026-13-01T00:00:00Z",
                                        "2026-11-30T24:00:00Z",
                                        "2026-11-30T22:00:00+01:00",
                                        "2026-11-30T22:00:00.0000000001Z",
                                        "1969-12-31T23:59:59Z",
                                        "2026-11-30t22:00:00Z"};
    char text[MOMENT_TEXT_MAX];
    int64_t moment = 7;
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        assert_int_equal(moment_parse(&moment, rows[i].text), 0);
        assert_int_equal(moment, rows[i].moment);
        assert_string_equal(moment_text(text, moment), rows[i].text);
    }
    moment = 7;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_int_equal(moment_parse(&moment, wrong[i]), -ERR_INVALID);
    assert_int_equal(moment, 7);
}

static int begin(void **state)
{
    (void)state;
    return secret_setup(16u << 20);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(forms), cmocka_unit_test(faults),
                                       cmocka_unit_test(scalars), cmocka_unit_test(moments)};
    return cmocka_run_group_tests(tests, begin, NULL);
}
