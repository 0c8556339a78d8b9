/* Hosts within values: where they are found, and what only looks like one; names that are wanted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "tools/emsa/endpoint.h"
#include "tools/emsa/wanted.h"

/* All of them, each with its host in brackets: "[db]:5432 [web]". */
static void find_all(char *out, size_t capacity, const char *text)
{
    struct endpoint part;
    size_t at = 0;
    out[0] = '\0';
    while (endpoint_next(&part, &at, text, strlen(text))) {
        size_t used = strlen(out);
        const char *host = text + part.offset;
        snprintf(out + used, capacity - used, "%s[%.*s]%.*s%s", used > 0 ? " " : "",
                 (int)part.host_size, host, (int)(part.size - part.host_size),
                 host + part.host_size, part.is_whole ? "=" : "");
    }
}

static void endpoints(void **state)
{
    static const struct {
        const char *text, *found;
    } rows[] = {
        {"http://db.internal:5432/x", "[db.internal]:5432"},
        {"http://db/x", "[db]"},
        {"http://db", "[db]"},
        {"jdbc:postgresql://u:p@db:1/x?a=http://other:2", "[db]:1 [other]:2"},
        {"amqp://u:p@ss@mq:5672", "[mq]:5672"},
        {"see https://a.example/ and https://b.example:1/", "[a.example] [b.example]:1"},
        {"PLAINTEXT://k1:9092,PLAINTEXT://k2:9092", "[k1]:9092 [k2]:9092"},
        {"http://10.1.2.3:80/", "[10.1.2.3]:80"},
        {"cart:7070", "[cart]:7070="},
        {"cart", "[cart]="},
        {"db-1.internal", "[db-1.internal]="},
        {"k1:9092,k2:9092", "[k1]:9092 [k2]:9092"},
        {"alpha,beta", ""},
        {"k1:9092,beta", "[k1]:9092"},
        {"http://localhost:80/", ""},
        {"127.0.0.1:80", ""},
        {"0.0.0.0:80", ""},
        {"1.22.333", ""},
        {"12:30", ""},
        {"cart:", ""},
        {"cart:http", ""},
        {"cart:123456", ""},
        {"http://${HOST}:80/", ""},
        {"http://[::1]:80/", ""},
        {"://db:80", ""},
        {"http://", ""},
        {"http:///path", ""},
        {"-db:80", ""},
        {"a b:80", ""},
        {"", ""},
        {",", ""},
    };
    char found[256];
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        find_all(found, sizeof found, rows[i].text);
        if (strcmp(found, rows[i].found) != 0)
            fail_msg("'%s': '%s', wanted '%s'", rows[i].text, found, rows[i].found);
    }
}

static void names(void **state)
{
    static const struct {
        const char *key, *part, *name;
    } rows[] = {
        {"DATABASE_URL", "db:1", "DATABASE_ADDR"},
        {"DATABASE_URL", "db", "DATABASE_HOST"},
        {"database.url", "db", "database_HOST"},
        {"URL", "db-1.x", "DB_1_HOST"},
        {"ENDPOINT", "10.0.0.1:80", "SERVER_ADDR"},
        {"CURL", "db", "CURL_HOST"},
        {"API", "db", "API_HOST"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct wanted wanted = {0};
        char name[KEY_NAME_MAX + 1];
        assert_int_equal(wanted_add_part(&wanted, rows[i].key, rows[i].part, strlen(rows[i].part)),
                         0);
        wanted_most(&wanted, name);
        assert_string_equal(name, rows[i].name);
        wanted_release(&wanted);
    }
}

static void the_most_wanted(void **state)
{
    static const char *const added[] = {"B", "A", "C", "C", "B"};
    struct wanted wanted = {0};
    char name[KEY_NAME_MAX + 1];
    (void)state;
    for (size_t i = 0; i < sizeof added / sizeof added[0]; i++)
        assert_int_equal(wanted_add(&wanted, added[i]), 0);
    wanted_most(&wanted, name);
    assert_string_equal(name, "B");
    wanted_release(&wanted);
}

/* A key as long as any is cut before what is put behind it. */
static void long_names(void **state)
{
    char key[KEY_NAME_MAX + 1], name[KEY_NAME_MAX + 1];
    struct wanted wanted = {0};
    (void)state;
    memset(key, 'K', KEY_NAME_MAX);
    key[KEY_NAME_MAX] = '\0';
    assert_int_equal(wanted_add_part(&wanted, key, "db", 2), 0);
    wanted_most(&wanted, name);
    assert_int_equal(strlen(name), KEY_NAME_MAX);
    assert_string_equal(name + KEY_NAME_MAX - 6, "K_HOST");
    wanted_release(&wanted);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(endpoints),
        cmocka_unit_test(names),
        cmocka_unit_test(the_most_wanted),
        cmocka_unit_test(long_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
