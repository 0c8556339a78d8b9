/* Schemas from YAML: what scalars become, what is wrong at which place, and that what is written is
 * read again as it was. Faults go to stderr, which is a file here. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/emsa/schema_yaml.h"

static char folder[] = "/tmp/emsa-schema.XXXXXX";
static char file[64], other[64], said[64];

static int begin(void **state)
{
    (void)state;
    if (mkdtemp(folder) == NULL)
        return -1;
    snprintf(file, sizeof file, "%s/a.yaml", folder);
    snprintf(other, sizeof other, "%s/b.yaml", folder);
    snprintf(said, sizeof said, "%s/said", folder);
    return 0;
}

static int end(void **state)
{
    (void)state;
    unlink(file);
    unlink(other);
    unlink(said);
    return rmdir(folder);
}

static void write_file(const char *name, const char *text, size_t size)
{
    int fd = open(name, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    assert_int_equal(write(fd, text, size), size);
    close(fd);
}

/* What is read of these files; what went to stderr is in told. */
static int read_files(json_t **out, const char *const names[], size_t count, char told[static 4096])
{
    const char *list[4];
    struct texts texts = {.list = list, .count = count};
    for (size_t i = 0; i < count; i++)
        list[i] = names[i];
    int fd = open(said, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), kept = dup(STDERR_FILENO);
    assert_true(fd >= 0 && kept >= 0);
    fflush(stderr);
    dup2(fd, STDERR_FILENO);
    int error = schema_yaml_files(out, &texts);
    fflush(stderr);
    dup2(kept, STDERR_FILENO);
    close(kept);
    ssize_t size = pread(fd, told, 4095, 0);
    told[size > 0 ? size : 0] = '\0';
    close(fd);
    return error;
}

static json_t *read_one(const char *text)
{
    char told[4096];
    json_t *list;
    write_file(file, text, strlen(text));
    if (read_files(&list, (const char *const[]){file}, 1, told) < 0)
        fail_msg("%s: %s", error_text(), told);
    assert_int_equal(json_array_size(list), 1);
    json_t *schema = json_incref(json_array_get(list, 0));
    json_decref(list);
    return schema;
}

static void is_json(json_t *found, const char *wanted)
{
    char *text = json_dumps(found, JSON_COMPACT);
    if (strcmp(text, wanted) != 0)
        fail_msg("expected %s, found %s", wanted, text);
    free(text);
}

/* Texts are as they are written; numbers and truths where those are wanted. */
static void scalars(void **state)
{
    (void)state;
    json_t *schema = read_one("service: billing\nstrict: true # all\ndescription: 3.50\nkeys:\n"
                              "  B: {type: port, default: 8080, required: [1, prod, true]}\n"
                              "  C: {type: enum, values: [on, 0x10, \"\", '~'], default: on}\n"
                              "  D: {type: duration, min: 0, max: 1h}\n"
                              "  E:\n    type: int\n    min: -5\n    secret: false\n"
                              "  F:\n  G: {description: \"a\\tb\"}\n");
    is_json(schema,
            "{\"service\":\"billing\",\"strict\":true,\"description\":\"3.50\",\"keys\":{"
            "\"B\":{\"type\":\"port\",\"default\":\"8080\",\"required\":[\"1\",\"prod\",\"true\"]},"
            "\"C\":{\"type\":\"enum\",\"values\":[\"on\",\"0x10\",\"\",\"~\"],\"default\":\"on\"},"
            "\"D\":{\"type\":\"duration\",\"min\":0,\"max\":\"1h\"},"
            "\"E\":{\"type\":\"int\",\"min\":-5,\"secret\":false},"
            "\"F\":null,\"G\":{\"description\":\"a\\tb\"}}}");
    json_decref(schema);
}

static void refuse(const char *text, const char *wanted)
{
    char told[4096], expected[4096] = "";
    json_t *list = NULL;
    write_file(file, text, strlen(text));
    assert_int_equal(read_files(&list, (const char *const[]){file}, 1, told), -ERR_INVALID);
    assert_null(list);
    for (const char *at = wanted; *at != '\0';) { /* '@' is the file */
        size_t used = strlen(expected), length = strcspn(at, "@");
        snprintf(expected + used, sizeof expected - used, "%.*s%s", (int)length, at,
                 at[length] == '@' ? file : "");
        at += length + (at[length] == '@');
    }
    if (strcmp(told, expected) != 0)
        fail_msg("expected\n%s, found\n%s", expected, told);
}

static void places(void **state)
{
    (void)state;
    refuse("service: bill ing\nstrikt: true\nkeys:\n"
           "  A: {type: urll, secret: yes, required: perhaps}\n"
           "  B: {type: port, default: 80808}\n"
           "  C: {type: enum, values: [debug, {a: 1}, ~]}\n"
           "  B: {type: port}\n"
           "  D: {type: int, min: 5, max: 010}\n"
           "  E: {type: int, min: 5, max: 1}\n"
           "  \xc3\xa4: 5\n"
           "  F: {type: enum}\n",
           "@:1:10: service must be a service's name: letters, digits, '_', '.' and '-', first a "
           "letter or digit\n"
           "@:2:1: strikt is none of the members: did you mean 'strict'?\n"
           "@:4:13: type of 'A' names no type: did you mean 'url'?\n"
           "@:4:27: secret of 'A' must be true or false\n"
           "@:4:42: required of 'A' must be true, false or a list of environments\n"
           "@:5:28: default of 'B' must be a port (1 to 65535)\n"
           "@:6:35: item 2 of values of 'C' must be a text\n"
           "@:6:43: item 3 of values of 'C' is empty: write \"\" for an empty text\n"
           "@:7:3: the key 'B' stands in line 5 already\n"
           "@:8:31: max of 'D' must be a whole number\n"
           "@:9:23: min of 'E' is above max\n"
           "@:10:3: '\xc3\xa4' must be a mapping of what is asked of it: {type: string}\n"
           "@:11:3: values of 'F' is missing: an enum lists what it may be\n");
    refuse("keys: {}\n", "@:1:1: the schema does not say of which service it is: 'service' is "
                         "missing\n");
    refuse("[a, b]\n", "@:1:1: the schema must be a mapping with 'service' and 'keys'\n");
    refuse("", "@:1:1: there is no schema in it\n");
    refuse("a: [1\nb: 2\n",
           "@:2:2: while parsing a flow sequence: did not find expected ',' or ']'\n");
    refuse("a: 1\nb: \"x\xff\"\n", "@:2:6: invalid leading UTF-8 octet\n");
    refuse("service: s\nkeys:\n  A: {default: \"a\\0b\", type: string}\n",
           "@:3:16: default of 'A' must be text: it has a NUL byte in it\n");
}

/* All faults of all files; and a service that two of them are of. */
static void files(void **state)
{
    (void)state;
    char told[4096], expected[4096];
    json_t *list = NULL;
    static const char one[] = "service: a\nkeys: {A: {typ: x}}\n---\nservice: b\nkeys: {}\n";
    static const char two[] = "service: b\nkeys: {}\n---\n- x\n";
    write_file(file, one, sizeof one - 1);
    write_file(other, two, sizeof two - 1);
    assert_int_equal(read_files(&list, (const char *const[]){file, other}, 2, told), -ERR_INVALID);
    snprintf(expected, sizeof expected,
             "%s:2:12: typ of 'A' is none of the members: did you mean 'type'?\n"
             "%s:1:10: 'b' has a schema already, in '%s'\n"
             "%s:4:1: the schema must be a mapping with 'service' and 'keys'\n",
             file, other, file, other);
    assert_string_equal(told, expected);
    assert_string_equal(error_text(), "3 faults in what was read: nothing is changed");
    unlink(other);
    assert_int_equal(read_files(&list, (const char *const[]){other}, 1, told), -ERR_NOT_FOUND);
    write_file(other, "service: c\nkeys: {}\n", 20);
    write_file(file, one + 31, sizeof one - 32); /* the second document alone */
    assert_int_equal(read_files(&list, (const char *const[]){file, other}, 2, told), 0);
    assert_int_equal(json_array_size(list), 2);
    json_decref(list);
}

/* Where somebody else says whose it is. */
static void named(void **state)
{
    (void)state;
    struct faults faults = {0};
    struct yaml_tree tree = {.file = "x.yaml", .faults = &faults};
    static const char text[] = "keys: {A: {}}\n---\nservice: web\nkeys: {}\n";
    json_t *schema;
    assert_int_equal(yaml_read(&tree, text, sizeof text - 1), 0);
    assert_int_equal(schema_yaml_read(&schema, &faults, &tree, tree.documents[0], "api"), 0);
    is_json(schema, "{\"keys\":{\"A\":{}},\"service\":\"api\"}");
    json_decref(schema);
    assert_int_equal(schema_yaml_read(&schema, &faults, &tree, tree.documents[1], "web"), 0);
    assert_non_null(schema);
    json_decref(schema);
    assert_int_equal(faults.count, 0);
    assert_int_equal(schema_yaml_read(&schema, &faults, &tree, tree.documents[1], "api"), 0);
    assert_null(schema);
    assert_int_equal(faults.count, 1);
    faults_release(&faults);
    yaml_release(&tree);
}

/* Written, and read again. */
static void again(json_t *schema)
{
    struct bytes text = BYTES_INIT(1u << 20);
    schema_yaml_write(&text, schema, 0);
    bytes_append(&text, "", 1);
    assert_int_equal(text.error, 0);
    json_t *found = read_one((const char *)text.data);
    if (!json_equal(found, schema)) {
        char *one = json_dumps(schema, 0), *two = json_dumps(found, 0);
        fail_msg("%s\nbecomes\n%s\nwhich is read as\n%s", one, (const char *)text.data, two);
    }
    json_decref(found);
    bytes_release(&text);
}

static void round_trips(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        " ",
                                        "a",
                                        "a b",
                                        " a",
                                        "a ",
                                        "yes",
                                        "No",
                                        "null",
                                        "~",
                                        "1",
                                        "0x1f",
                                        "1h30m",
                                        "-",
                                        "- a",
                                        "a: b",
                                        "a #b",
                                        "#",
                                        "'",
                                        "\"",
                                        "\\",
                                        "a\nb\n",
                                        "\t",
                                        "\r\n",
                                        "\x01\x1b\x7f",
                                        "{a}",
                                        "[a]",
                                        "&a",
                                        "*a",
                                        "!a",
                                        "%a",
                                        "@a",
                                        "`a",
                                        "a,b",
                                        "?",
                                        ": ",
                                        "...",
                                        "---",
                                        "\xc3\xa4",
                                        "\xc2\x85",
                                        "\xe2\x80\xa8",
                                        "\xef\xbb\xbf",
                                        "\xf0\x9f\x98\x80",
                                        "<<",
                                        "=",
                                        "a  b",
                                        "inf",
                                        ".inf",
                                        "2024-01-02",
                                        "on",
                                        "y",
                                        "0",
                                        "null a"};
    json_t *values = json_array(), *keys = json_object();
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        char name[16];
        snprintf(name, sizeof name, "K%zu", i);
        json_array_append_new(values, json_string(texts[i]));
        json_object_set_new(keys, name,
                            json_pack("{s:s, s:s, s:s}", "type", "string", "default", texts[i],
                                      "description", texts[i]));
    }
    json_object_set_new(keys, "Y", json_pack("{s:s}", "type", "string"));
    json_object_set_new(keys, "no", json_pack("{s:s, s:b}", "type", "bool", "required", 1));
    json_object_set_new(keys, "1",
                        json_pack("{s:s, s:i, s:i}", "type", "int", "min", -3, "max", 7));
    json_object_set_new(keys, ".dot", json_pack("{s:s, s:s}", "type", "duration", "min", "1h"));
    json_object_set_new(keys, "E", json_pack("{s:s, s:o}", "type", "enum", "values", values));
    json_t *schema = json_pack("{s:s, s:b, s:s, s:o}", "service", "no", "strict", 1, "description",
                               "a: b", "keys", keys);
    again(schema);
    json_decref(schema);
    schema = json_pack("{s:s, s:{}}", "service", "s", "keys");
    again(schema);
    json_decref(schema);
}

/* As the manual shows it. */
static void written(void **state)
{
    (void)state;
    json_t *schema = read_one("{service: billing, strict: true, keys: {PORT: {type: port, default: "
                              "'8080'}, LEVEL: {type: enum, values: [debug, info]}}}");
    struct bytes text = BYTES_INIT(4096);
    schema_yaml_write(&text, schema, 2);
    bytes_append(&text, "", 1);
    assert_string_equal((const char *)text.data,
                        "  service: billing\n  strict: true\n  keys:\n"
                        "    PORT:  {type: port, default: \"8080\"}\n"
                        "    LEVEL: {type: enum, values: [debug, info]}\n");
    bytes_release(&text);
    json_decref(schema);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars), cmocka_unit_test(places),      cmocka_unit_test(files),
        cmocka_unit_test(named),   cmocka_unit_test(round_trips), cmocka_unit_test(written),
    };
    if (secret_setup(64u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, begin, end);
}
