/* Texts of links and templates: what they are taken apart into, what is refused and where, and that
 * no environment can be named. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "store/template.h"

#define SHOWN_MAX 1024

/* The pieces of a template, one after another: 'text' or <service/KEY:filter>. */
static const char *pieces(char out[static SHOWN_MAX], const char *text, size_t size)
{
    struct template template = {.text = text, .size = size};
    struct template_piece piece;
    size_t at = 0;
    int outcome;
    out[0] = '\0';
    while ((outcome = template_next(&template, &piece)) == 0) {
        char name[REFERENCE_TEXT_MAX];
        if (piece.kind == TEMPLATE_TEXT)
            at += (size_t)snprintf(out + at, SHOWN_MAX - at, "'%.*s'", (int)piece.size, piece.text);
        else
            at += (size_t)snprintf(out + at, SHOWN_MAX - at, "<%s:%d>",
                                   reference_text(name, &piece.reference, ""), (int)piece.filter);
        assert_true(at < SHOWN_MAX);
    }
    if (outcome != TEMPLATE_END)
        fail_msg("'%s': %d %s", text, outcome, error_text());
    assert_int_equal(template.at, size);
    assert_int_equal(template_next(&template, &piece), TEMPLATE_END);
    return out;
}

static void good_templates(void **state)
{
    (void)state;
    static const struct {
        const char *text, *pieces;
    } rows[] = {
        {"", ""},
        {"plain", "'plain'"},
        {"{}|}", "'{}|}'"},
        {"$$", "'$'"},
        {"$$$$", "'$''$'"},
        {"a$$b", "'a''$''b'"},
        {"$${K}", "'$''{K}'"},
        {"${KEY}", "</KEY:0>"},
        {"$$${KEY}", "'$'</KEY:0>"},
        {"${a}${b}", "</a:0></b:0>"},
        {"${K}}", "</K:0>'}'"},
        {"${shared/PG_HOST}", "<shared/PG_HOST:0>"},
        {"${K|url}${K|json}${K|base64}", "</K:1></K:2></K:3>"},
        {"${a.b-c/.x|json}", "<a.b-c/.x:2>"},
        {"pg://${U|url}:${pg/P|url}@${shared/H}/a\n",
         "'pg://'</U:1>':'<pg/P:1>'@'<shared/H:0>'/a\n'"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char out[SHOWN_MAX];
        assert_string_equal(pieces(out, rows[i].text, strlen(rows[i].text)), rows[i].pieces);
        assert_int_equal(template_check(rows[i].text, strlen(rows[i].text)), 0);
    }
}

static void text_is_borrowed(void **state)
{
    (void)state;
    static const char text[] = "a\0b$$";
    struct template template = {.text = text, .size = sizeof(text) - 1};
    struct template_piece piece;
    assert_int_equal(template_next(&template, &piece), 0);
    assert_ptr_equal(piece.text, text);
    assert_int_equal(piece.size, 3);
    assert_int_equal(template_next(&template, &piece), 0);
    assert_ptr_equal(piece.text, text + 3);
    assert_int_equal(piece.size, 1);
}

static void places_of_faults(void **state)
{
    (void)state;
    static const struct {
        const char *text, *begins, *holds;
    } rows[] = {
        {"$", "column 1: ", "write $$ for a dollar"},
        {"cost: 5$", "column 8: ", "write $$ for a dollar"},
        {"$KEY", "column 1: ", "${KEY}"},
        {"$(KEY)", "column 1: ", "${KEY}"},
        {"$$$", "column 3: ", "write $$"},
        {"a ${", "column 3: ", "has no '}'"},
        {"${KEY", "column 1: ", "has no '}'"},
        {"${KEY and ${OTHER}", "column 1: ", "has no '}'"},
        {"${KEY\n}", "column 1: ", "has no '}'"},
        {"x${}", "column 2: ", "write ${KEY} or ${service/KEY}"},
        {"${ KEY}", "column 3: ", "blank"},
        {"${KEY |url}", "column 3: ", "blank"},
        {"${KEY\t}", "column 3: ", "blank"},
        {"${KEY|html}", "column 7: ", "|url, |json and |base64"},
        {"${KEY|}", "column 7: ", "|url, |json and |base64"},
        {"${KEY|URL}", "column 7: ", "|url, |json and |base64"},
        {"${KEY|ur}", "column 7: ", "|url, |json and |base64"},
        {"${KEY|url|json}", "column 7: ", "|url, |json and |base64"},
        {"${|url}", "column 3: ", "key name '' is empty"},
        {"${a/}", "column 5: ", "key name '' is empty"},
        {"${_a/K}", "column 3: ", "service name '_a' is not allowed"},
        {"${a/..K}", "column 5: ", "key name '..K' is not allowed"},
        {"${.emsa}", "column 3: ", "key name '.emsa' is not allowed"},
        {"\xc3\xa9\xe2\x82\xac $x", "column 4: ", "write $$"},
        {"ok ${A}\n\nbad $x\n", "line 3, column 5: ", "write $$"},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        int error = template_check(rows[i].text, strlen(rows[i].text));
        if (error != -ERR_INVALID || strstr(error_text(), rows[i].begins) != error_text() ||
            !strstr(error_text(), rows[i].holds))
            fail_msg("'%s': %d %s", rows[i].text, error, error_text());
    }
}

static void a_fault_moves_nothing(void **state)
{
    (void)state;
    struct template template = {.text = "ab${a/b/C}", .size = 10};
    struct template_piece piece, before;
    assert_int_equal(template_next(&template, &piece), 0);
    memcpy(&before, &piece, sizeof(piece));
    assert_int_equal(template_next(&template, &piece), -ERR_INVALID);
    assert_int_equal(template_next(&template, &piece), -ERR_INVALID);
    assert_int_equal(template.at, 2);
    assert_memory_equal(&piece, &before, sizeof(piece));
}

#define BYTES(text) text, sizeof(text) - 1

/* The wall: whatever is tried, a third part or a way up is refused, as a reference and as a link.
 */
static void no_environment_can_be_named(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        size_t size;
    } rows[] = {
        {BYTES("../x/K")},
        {BYTES("a/b/C")},
        {BYTES("prod/billing/KEY")},
        {BYTES("/K")},
        {BYTES("//K")},
        {BYTES("/x/K")},
        {BYTES("/prod/x/K")},
        {BYTES("x//K")},
        {BYTES("x/K/")},
        {BYTES("./K")},
        {BYTES("../K")},
        {BYTES("x/..")},
        {BYTES("x/.")},
        {BYTES("x/../K")},
        {BYTES("..")},
        {BYTES("x/..K")},
        {BYTES("x/.emsa")},
        {BYTES("a/b/c/D")},
        {BYTES("a/b/")},
        {BYTES("a/")},
        {BYTES("/")},
        {BYTES("prod:x/K")},
        {BYTES("prod@x/K")},
        {BYTES("x@prod/K")},
        {BYTES("prod\\x/K")},
        {BYTES("prod%2Fx/K")},
        {BYTES("prod/x%2FK")},
        {BYTES("prod\0/x/K")},
        {BYTES("x\0y/K")},
        {BYTES("x/K\0")},
        {BYTES("\0x/K")},
        {BYTES("x/a\0/../K")},
        {BYTES("prod\xc0\xafx/K")},
        {BYTES("prod\xe2\x88\x95x/K")},
        {BYTES("prod\xef\xbc\x8fx/K")},
        {BYTES("a b/K")},
        {BYTES("a/b C")},
        {BYTES("a/K ")},
        {BYTES("*/K")},
        {BYTES("~/K")},
        {BYTES("-/K")},
    };
    for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
        char text[64];
        struct reference reference, before;
        memset(&reference, 0x5a, sizeof(reference));
        memcpy(&before, &reference, sizeof(before));
        if (link_parse(&reference, rows[i].text, rows[i].size) != -ERR_INVALID)
            fail_msg("link '%s' is taken", rows[i].text);
        assert_memory_equal(&reference, &before, sizeof(before));
        memcpy(text, "${", 2);
        memcpy(text + 2, rows[i].text, rows[i].size);
        text[2 + rows[i].size] = '}';
        if (template_check(text, rows[i].size + 3) != -ERR_INVALID)
            fail_msg("'%s' is taken", text);
        memcpy(text + 2 + rows[i].size, "|url}", 5);
        if (template_check(text, rows[i].size + 7) != -ERR_INVALID)
            fail_msg("'%s' is taken", text);
    }
}

static void says_why_not_an_environment(void **state)
{
    (void)state;
    assert_int_equal(template_check(BYTES("x ${prod/b/KEY}")), -ERR_INVALID);
    assert_string_equal(error_text(), "column 5: more than a service and a key: an environment "
                                      "cannot be named, a reference stays in its own");
    struct reference reference;
    assert_int_equal(link_parse(&reference, BYTES("prod/b/KEY")), -ERR_INVALID);
    assert_non_null(strstr(error_text(), "an environment cannot be named"));
}

/* Random ends of random letters: where one is taken, what was written has at most one slash. */
static void random_references_have_two_parts(void **state)
{
    (void)state;
    const char *given = getenv("EMSA_TEST_SEED");
    unsigned seed = given ? (unsigned)strtoul(given, NULL, 10) : (unsigned)getpid();
    print_message("seed %u (EMSA_TEST_SEED)\n", seed);
    unsigned short numbers[3] = {(unsigned short)seed, 7, 7};
    static const char letters[] = "ab./_-9Z\xc3 \0$|{}";
    size_t taken = 0;
    for (int i = 0; i < 200000; i++) {
        char text[16] = "${";
        size_t size = 2 + (size_t)nrand48(numbers) % 8, slashes = 0;
        for (size_t j = 2; j < size; j++) {
            text[j] = letters[(size_t)nrand48(numbers) % (sizeof(letters) - 1)];
            slashes += text[j] == '/';
        }
        text[size++] = '}';
        struct template template = {.text = text, .size = size};
        struct template_piece piece;
        if (template_next(&template, &piece) || template.at < size)
            continue;
        char again[REFERENCE_TEXT_MAX];
        taken++;
        assert_int_equal(piece.kind, TEMPLATE_REFERENCE);
        assert_true(slashes <= 1 && (slashes == 1) == (piece.reference.service[0] != '\0'));
        reference_text(again, &piece.reference, "");
        assert_memory_equal(slashes ? again : again + 1, text + 2, size - 3);
    }
    assert_true(taken > 1000);
}

static void lengths(void **state)
{
    (void)state;
    char text[700], written[REFERENCE_TEXT_MAX];
    struct reference reference;
    size_t longest = SERVICE_NAME_MAX + 1 + KEY_NAME_MAX;
    memset(text, 'a', sizeof(text));
    text[SERVICE_NAME_MAX] = '/';
    assert_int_equal(link_parse(&reference, text, longest), 0);
    assert_int_equal(strlen(reference_text(written, &reference, "other")), longest);
    assert_memory_equal(written, text, longest);
    assert_int_equal(link_parse(&reference, text, longest + 1), -ERR_INVALID);
    memset(text, 'a', sizeof(text));
    text[SERVICE_NAME_MAX + 1] = '/';
    assert_int_equal(link_parse(&reference, text, SERVICE_NAME_MAX + 3), -ERR_INVALID);
    memset(text, 'a', sizeof(text));
    memcpy(text, "${", 2);
    text[302] = '}';
    assert_int_equal(template_check(text, 303), -ERR_INVALID);
    assert_non_null(strstr(error_text(), "column 3: key name 'aaa"));
    text[302] = '/';
    text[603] = '}';
    assert_int_equal(template_check(text, 604), -ERR_INVALID);
    assert_non_null(strstr(error_text(), "column 3: service name 'aaa"));
}

static void links(void **state)
{
    (void)state;
    struct reference reference;
    char text[REFERENCE_TEXT_MAX];
    assert_int_equal(link_parse(&reference, BYTES("shared/PG_HOST")), 0);
    assert_string_equal(reference.service, "shared");
    assert_string_equal(reference.key, "PG_HOST");
    assert_string_equal(reference_text(text, &reference, "web"), "shared/PG_HOST");
    assert_int_equal(link_parse(&reference, BYTES("PG_HOST")), -ERR_INVALID);
    assert_string_equal(error_text(), "link 'PG_HOST' names no service: write service/PG_HOST");
    assert_int_equal(link_parse(&reference, NULL, 0), -ERR_INVALID);
    assert_int_equal(link_parse(&reference, BYTES("${a/K}")), -ERR_INVALID);
    assert_int_equal(link_parse(&reference, BYTES("a/K|url")), -ERR_INVALID);
    assert_int_equal(link_parse(&reference, BYTES("a/K\n")), -ERR_INVALID);
    assert_string_equal(reference.key, "PG_HOST");
}

static void owner_of_a_reference(void **state)
{
    (void)state;
    struct reference reference = {.key = "KEY"};
    char text[REFERENCE_TEXT_MAX];
    assert_string_equal(reference_text(text, &reference, "billing"), "billing/KEY");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_templates),
        cmocka_unit_test(text_is_borrowed),
        cmocka_unit_test(places_of_faults),
        cmocka_unit_test(a_fault_moves_nothing),
        cmocka_unit_test(no_environment_can_be_named),
        cmocka_unit_test(says_why_not_an_environment),
        cmocka_unit_test(random_references_have_two_parts),
        cmocka_unit_test(lengths),
        cmocka_unit_test(links),
        cmocka_unit_test(owner_of_a_reference),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
