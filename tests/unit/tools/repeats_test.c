/* What several services repeat: what is linked, what becomes a template, what is left alone, how it
 * is called; that all of it reads as before, and that a second look finds nothing. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/repeats.h"

#define ROWS_MAX 8

struct row {
    const char *place; /* "service/KEY", '!' before it: not to be rewritten */
    const char *value;
    const char *becomes; /* "link TARGET", "template TEXT", or NULL: it stays */
};

static void add(struct standings *set, const struct row *row)
{
    char service[SERVICE_NAME_MAX + 1];
    struct standing *standing;
    const char *place = row->place + (row->place[0] == '!');
    const char *slash = strchr(place, '/');
    snprintf(service, sizeof service, "%.*s", (int)(slash - place), place);
    assert_int_equal(
        standings_add(set, &standing, service, slash + 1, row->value, strlen(row->value)), 0);
    standing->is_home = strcmp(service, "shared") == 0;
    if (row->place[0] == '!') {
        standing->is_own = false;
        standing->is_fixed = true;
    }
}

static const char *shown(char out[static 512], const struct standing *standing)
{
    const char *kind = standing->kind == ENTRY_LINK       ? "link "
                       : standing->kind == ENTRY_TEMPLATE ? "template "
                                                          : "";
    snprintf(out, 512, "%s%.*s", kind, (int)standing->size, standing->text);
    return out;
}

static void check_row(const struct standings *set, const struct row *row)
{
    char text[512], service[SERVICE_NAME_MAX + 1];
    struct bytes read BYTES_CLEANUP = BYTES_INIT(VALUE_MAX);
    const char *place = row->place + (row->place[0] == '!');
    const char *slash = strchr(place, '/');
    snprintf(service, sizeof service, "%.*s", (int)(slash - place), place);
    size_t at = standings_find(set, service, slash + 1);
    if (at == STANDING_NONE)
        fail_msg("%s is not there", place);
    assert_string_equal(shown(text, &set->list[at]),
                        row->becomes != NULL ? row->becomes : row->value);
    assert_int_equal(standings_read(set, at, &read), 0);
    assert_int_equal(read.size, strlen(row->value));
    if (read.size > 0)
        assert_memory_equal(read.data, row->value, read.size);
}

/* rows stand there; made are the new ones of `shared`. */
static void plan(const struct row *rows, const struct row *made)
{
    struct standings set;
    size_t count = 0, news = 0;
    assert_int_equal(standings_init(&set), 0);
    for (; count < ROWS_MAX && rows[count].place != NULL; count++)
        add(&set, &rows[count]);
    assert_int_equal(repeats_plan(&set), 0);
    assert_int_equal(standings_check(&set), 0);
    for (size_t i = 0; i < count; i++)
        check_row(&set, &rows[i]);
    for (; made != NULL && news < ROWS_MAX && made[news].place != NULL; news++)
        check_row(&set, &made[news]);
    if (set.count != count + news)
        fail_msg("%zu new values, wanted %zu: '%s'", set.count - count, news,
                 set.list[set.count - 1].key);
    unsigned turns = set.turns;
    assert_int_equal(repeats_plan(&set), 0);
    assert_int_equal(set.turns, turns);
    standings_release(&set);
}

static void whole_values(void **state)
{
    (void)state;
    plan((struct row[ROWS_MAX]){{"a/CART", "cart:7070", "link shared/CART_ADDR"},
                                {"b/CART_ADDR", "cart:7070", "link shared/CART_ADDR"},
                                {"c/CART_ADDR", "cart:7070", "link shared/CART_ADDR"},
                                {"c/OTHER", "another value"},
                                {"d/CART", "other:7070"}},
         (struct row[ROWS_MAX]){{"shared/CART_ADDR", "cart:7070"}});
}

/* What two keys of one service have is no business of others. */
static void one_service(void **state)
{
    (void)state;
    plan((struct row[ROWS_MAX]){{"a/X", "some value"}, {"a/Y", "some value"}}, NULL);
}

static void small_values(void **state)
{
    (void)state;
    plan((struct row[ROWS_MAX]){{"a/PORT", "8080", "link shared/PORT"},
                                {"b/PORT", "8080", "link shared/PORT"},
                                {"c/PORT", "50051", "link shared/PORT_2"},
                                {"d/PORT", "50051", "link shared/PORT_2"},
                                {"e/SIZE", "8080"},
                                {"e/PORT", "9555"}},
         (struct row[ROWS_MAX]){{"shared/PORT", "8080"}, {"shared/PORT_2", "50051"}});
    plan((struct row[ROWS_MAX]){{"a/A", "true"},
                                {"b/B", "true"},
                                {"a/E", ""},
                                {"b/E", ""},
                                {"a/L", "info"},
                                {"b/M", "info"},
                                {"a/S", "disabled"},
                                {"b/T", "disabled"}},
         NULL);
}

static void what_is_there_already(void **state)
{
    (void)state;
    plan((struct row[ROWS_MAX]){{"a/ZONE", "eu-central-1", "link shared/REGION"},
                                {"shared/REGION", "eu-central-1"},
                                {"shared/UNUSED", "whatever it is"}},
         NULL);
    /* inherited: it is referred to, and stays as it is */
    plan((struct row[ROWS_MAX]){{"a/ZONE", "eu-central-1", "link shared/REGION"},
                                {"!shared/REGION", "eu-central-1"}},
         NULL);
    /* a name that is taken by something else */
    plan((struct row[ROWS_MAX]){{"a/ZONE", "eu-central-1", "link shared/ZONE_2"},
                                {"b/ZONE", "eu-central-1", "link shared/ZONE_2"},
                                {"shared/ZONE", "us-east-1"}},
         (struct row[ROWS_MAX]){{"shared/ZONE_2", "eu-central-1"}});
}

/* What is inherited, and what is fixed, is no reason to make anything. */
static void left_alone(void **state)
{
    (void)state;
    plan((struct row[ROWS_MAX]){{"!a/ZONE", "eu-central-1"}, {"b/ZONE", "eu-central-1"}}, NULL);
    plan((struct row[ROWS_MAX]){{"!a/URL", "http://db.example:1/a"},
                                {"b/URL", "http://db.example:1/b"}},
         NULL);
}

static void hosts_and_ports(void **state)
{
    (void)state;
    plan((struct row[ROWS_MAX]){{"a/DATABASE_URL", "postgres://u@db.x:5432/a?q=$1",
                                 "template postgres://u@${shared/DATABASE_ADDR}/a?q=$$1"},
                                {"b/DATABASE_URL", "postgres://u@db.x:5432/b",
                                 "template postgres://u@${shared/DATABASE_ADDR}/b"},
                                {"c/PLACE", "db.x:5432", "link shared/DATABASE_ADDR"},
                                {"d/URL", "http://one.x/"}},
         (struct row[ROWS_MAX]){{"shared/DATABASE_ADDR", "db.x:5432"}});
}

static void hosts_alone(void **state)
{
    (void)state;
    plan(
        (struct row[ROWS_MAX]){
            {"a/API_URL", "http://api.x/v1", "template http://${shared/API_HOST}/v1"},
            {"b/API_URL", "https://api.x:8443/v2", "template https://${shared/API_HOST}:8443/v2"},
            {"c/API_HOST", "api.x", "link shared/API_HOST"},
            {"d/NAME", "apix"}},
        (struct row[ROWS_MAX]){{"shared/API_HOST", "api.x"}});
    /* a word that could be anything, where nothing says that it is a host */
    plan((struct row[ROWS_MAX]){{"a/NAME", "frontend"}, {"b/URL", "http://frontend/"}}, NULL);
    plan((struct row[ROWS_MAX]){{"a/VERSION", "1.22.333"},
                                {"b/URL", "http://localhost:80/x"},
                                {"c/URL", "http://localhost:80/y"}},
         NULL);
}

/* What is made in `shared` has parts of its own. */
static void parts_of_what_is_shared(void **state)
{
    (void)state;
    plan((struct row[ROWS_MAX]){{"a/URL", "http://db.x:1/a", "link shared/URL"},
                                {"b/URL", "http://db.x:1/a", "link shared/URL"},
                                {"c/URL", "http://db.x:1/c", "template http://${shared/DB_ADDR}/c"},
                                {"d/WEB_URL", "http://db.x:2/",
                                 "template http://${shared/DB_HOST}:2/"}},
         (struct row[ROWS_MAX]){{"shared/URL", "http://db.x:1/a", "template http://${DB_ADDR}/a"},
                                {"shared/DB_ADDR", "db.x:1", "template ${DB_HOST}:1"},
                                {"shared/DB_HOST", "db.x"}});
}

static void several_in_one(void **state)
{
    (void)state;
    plan((struct row[ROWS_MAX]){{"a/BROKERS", "k1:9092,k2:9092",
                                 "template ${shared/K1_ADDR},${shared/K2_ADDR}"},
                                {"b/BROKERS", "k2:9092,k1:9092,k3:9092",
                                 "template ${shared/K2_ADDR},${shared/K1_ADDR},k3:9092"}},
         (struct row[ROWS_MAX]){{"shared/K1_ADDR", "k1:9092"}, {"shared/K2_ADDR", "k2:9092"}});
}

static void otherwise_is_refused(void **state)
{
    struct standings set;
    (void)state;
    assert_int_equal(standings_init(&set), 0);
    add(&set, &(struct row){"a/X", "some value"});
    add(&set, &(struct row){"shared/X", "other value"});
    assert_int_equal(standings_link(&set, 0, 1), 0);
    assert_int_equal(standings_check(&set), -ERR_REFUSED);
    assert_non_null(strstr(error_text(), "'a/X' would not read as it does"));
    standings_release(&set);
}

static void counted(void **state)
{
    struct standings set;
    size_t before, after;
    (void)state;
    assert_int_equal(standings_init(&set), 0);
    add(&set, &(struct row){"a/X", "some value"});
    add(&set, &(struct row){"b/X", "some value"});
    add(&set, &(struct row){"c/X", "some value"});
    add(&set, &(struct row){"!d/X", "inherited"});
    assert_int_equal(repeats_plan(&set), 0);
    standings_count(&set, &before, &after);
    assert_int_equal(before, 3);
    assert_int_equal(after, 1);
    standings_release(&set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whole_values),   cmocka_unit_test(one_service),
        cmocka_unit_test(small_values),   cmocka_unit_test(what_is_there_already),
        cmocka_unit_test(left_alone),     cmocka_unit_test(hosts_and_ports),
        cmocka_unit_test(hosts_alone),    cmocka_unit_test(parts_of_what_is_shared),
        cmocka_unit_test(several_in_one), cmocka_unit_test(otherwise_is_refused),
        cmocka_unit_test(counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
