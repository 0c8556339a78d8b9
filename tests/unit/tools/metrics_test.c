#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "store/error.h"
#include "tools/service/metrics.h"

/* The text of a status; *text is NUL-terminated. */
static void write_of(struct bytes *text, json_t *status)
{
    assert_non_null(status);
    *text = BYTES_INIT(METRICS_BYTES_MAX);
    assert_int_equal(metrics_write(text, status), 0);
    bytes_append(text, "", 1);
    json_decref(status);
}

static void wants(const struct bytes *text, const char *line)
{
    if (strstr((const char *)text->data, line) == NULL)
        fail_msg("no '%s' in:\n%s", line, (const char *)text->data);
}

static void numbers_have_help_type_and_unit(void **state)
{
    (void)state;
    struct bytes text;
    write_of(&text,
             json_pack("{s:s, s:i, s:b, s:{s:i}, s:{s:I, s:I}}", "version", "1.2", "rev", 42,
                       "unlocked", 0, "processes", "notifier", 0, "restarts", "servers_started",
                       (json_int_t)3, "last_pause", (json_int_t)12345678));
    wants(&text, "# HELP emsa_build_info ");
    wants(&text, "\nemsa_build_info{version=\"1.2\"} 1\n");
    wants(&text, "\nemsa_up 1\n");
    wants(&text, "\n# TYPE emsa_revision gauge\nemsa_revision 42\n");
    wants(&text, "\nemsa_unlocked 0\n");
    wants(&text, "\n# TYPE emsa_server_starts_total counter\nemsa_server_starts_total 3\n");
    wants(&text, "\nemsa_last_pause_seconds 0.012345678\n");
    wants(&text, "\nemsa_process_up{process=\"notifier\"} 0\n");
    bytes_release(&text);
}

static void times_are_a_histogram(void **state)
{
    (void)state;
    struct bytes text;
    write_of(&text, json_pack("{s:{s:i, s:I, s:i, s:[i, i, i]}}", "visible", "count", 5, "sum",
                              (json_int_t)2500000000, "first_bit", 10, "below", 1, 2, 4));
    wants(&text, "# TYPE emsa_commit_visible_seconds histogram\n"
                 "emsa_commit_visible_seconds_bucket{le=\"1.024e-06\"} 1\n"
                 "emsa_commit_visible_seconds_bucket{le=\"2.048e-06\"} 2\n"
                 "emsa_commit_visible_seconds_bucket{le=\"4.096e-06\"} 4\n"
                 "emsa_commit_visible_seconds_bucket{le=\"+Inf\"} 5\n"
                 "emsa_commit_visible_seconds_sum 2.500000000\n"
                 "emsa_commit_visible_seconds_count 5\n");
    assert_null(strstr((const char *)text.data, "emsa_commit_event"));
    bytes_release(&text);
}

/* A server of another version may send anything. */
static void what_is_no_number_is_left_out(void **state)
{
    (void)state;
    struct bytes text;
    write_of(&text, json_pack("{s:s, s:i, s:[], s:{s:i, s:[i]}}", "rev", "many", "restarts", 5,
                              "processes", "visible", "first_bit", 62, "below", 1));
    assert_null(strstr((const char *)text.data, "emsa_revision"));
    assert_null(strstr((const char *)text.data, "_seconds"));
    wants(&text, "\nemsa_up 0\n");
    bytes_release(&text);
}

static void no_more_than_there_is_room_for(void **state)
{
    (void)state;
    struct bytes text = BYTES_INIT(100);
    json_t *status = json_pack("{s:i}", "rev", 42);
    assert_int_equal(metrics_write(&text, status), -ERR_INVALID);
    json_decref(status);
    bytes_release(&text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_have_help_type_and_unit),
        cmocka_unit_test(times_are_a_histogram),
        cmocka_unit_test(what_is_no_number_is_left_out),
        cmocka_unit_test(no_more_than_there_is_room_for),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
