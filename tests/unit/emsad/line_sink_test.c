/* The second sink of the audit record: its forms, and a log daemon that is slow, gone or full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/emsad/line_form.h"
#include "tools/emsad/line_sink.h"

#define LINE                                                                                       \
    "n=7 time=2026-12-01T08:11:26.974352Z event=denied door=call method=Get uid=12 pid=3 "         \
    "program=/a%20b%0ac path=prod/web/KEY chain=00ff mac=0123"

struct world {
    char folder[64], path[96], place[128];
    int taker; /* -1: nobody is there */
    struct line_sink *sink;
};

static void appear(struct world *world)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", world->path);
    world->taker = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_true(world->taker >= 0);
    assert_int_equal(bind(world->taker, (const struct sockaddr *)&address, sizeof address), 0);
}

static int begin(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct line_sink_place place;
    assert_non_null(world);
    world->taker = -1;
    snprintf(world->folder, sizeof world->folder, "/tmp/emsa-sink.XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path, sizeof world->path, "%s/socket", world->folder);
    snprintf(world->place, sizeof world->place, "journald:%s", world->path);
    assert_int_equal(line_sink_parse(&place, world->place), 0);
    assert_int_equal(line_sink_open(&world->sink, &place, "/store"), 0);
    *state = world;
    return 0;
}

static int end(void **state)
{
    struct world *world = *state;
    line_sink_close(world->sink);
    if (world->taker >= 0)
        close(world->taker);
    unlink(world->path);
    rmdir(world->folder);
    free(world);
    return 0;
}

static void is_there(const struct bytes *form, const char *text)
{
    if (memmem(form->data, form->size, text, strlen(text)) == NULL)
        fail_msg("'%s' is not in '%.*s'", text, (int)form->size, (const char *)form->data);
}

static void journald_gets_every_field(void **state)
{
    static const char program[] = "EMSA_PROGRAM\n\6\0\0\0\0\0\0\0/a b\nc\n";
    struct bytes form = BYTES_INIT(LINE_FORM_MAX);
    (void)state;
    line_form_journald(&form, LINE, strlen(LINE), "/var/lib/emsa");
    assert_int_equal(form.error, 0);
    is_there(&form, "MESSAGE=denied door=call method=Get uid=12 pid=3 program=/a%20b%0ac "
                    "path=prod/web/KEY\nPRIORITY=4\nSYSLOG_FACILITY=10\n");
    is_there(&form, "\nEMSA_STORE=/var/lib/emsa\nEMSA_N=7\nEMSA_TIME=2026-12-01T08:11:26.974352Z\n"
                    "EMSA_EVENT=denied\nEMSA_DOOR=call\nEMSA_METHOD=Get\nEMSA_UID=12\n");
    is_there(&form, "\nEMSA_PATH=prod/web/KEY\nEMSA_CHAIN=00ff\nEMSA_MAC=0123\n");
    assert_non_null(memmem(form.data, form.size, program, sizeof program - 1));
    bytes_release(&form);
}

static void syslog_gets_a_line(void **state)
{
    struct bytes form = BYTES_INIT(LINE_FORM_MAX);
    (void)state;
    assert_int_equal(setenv("TZ", "UTC", 1), 0);
    line_form_syslog(&form, LINE, strlen(LINE), 42, 0);
    is_there(&form, "<84>Jan  1 00:00:00 emsa-audit[42]: n=7 time=");
    is_there(&form, "path=prod/web/KEY chain=00ff");
    assert_null(memmem(form.data, form.size, "mac=", 4));
    bytes_release(&form);
}

static size_t take_all(const struct world *world)
{
    char datagram[8192];
    size_t count = 0;
    while (recv(world->taker, datagram, sizeof datagram, 0) > 0)
        count++;
    return count;
}

static void one_that_comes_later_gets_what_waits(void **state)
{
    struct world *world = *state;
    struct line_sink_status status;
    for (unsigned i = 0; i < 5; i++)
        line_sink_give(world->sink, LINE, strlen(LINE));
    assert_true(line_sink_push(world->sink) > 0);
    line_sink_status(world->sink, &status);
    assert_int_equal(status.failing, ENOENT);
    assert_int_equal(status.unsent, 0);
    appear(world);
    assert_int_equal(line_sink_push(world->sink), -1);
    assert_int_equal(take_all(world), 5);
    line_sink_give(world->sink, LINE, strlen(LINE));
    assert_int_equal(take_all(world), 1);
    line_sink_status(world->sink, &status);
    assert_int_equal(status.failing, 0);
}

/* What it takes in the end and what was counted are all there was. */
static void one_that_takes_nothing_is_counted(void **state)
{
    struct world *world = *state;
    struct line_sink_status status;
    const size_t given = 4 * LINE_SINK_QUEUE / sizeof LINE;
    appear(world);
    for (size_t i = 0; i < given; i++)
        line_sink_give(world->sink, LINE, strlen(LINE));
    line_sink_status(world->sink, &status);
    assert_int_equal(status.failing, EAGAIN);
    assert_true(status.unsent > 0 && status.unsent < given);
    size_t taken = take_all(world);
    while (line_sink_push(world->sink) >= 0)
        taken += take_all(world);
    taken += take_all(world);
    line_sink_status(world->sink, &status);
    assert_int_equal(taken + status.unsent, given);
    assert_int_equal(status.failing, 0);
}

static void places(void **state)
{
    struct line_sink_place place;
    (void)state;
    assert_int_equal(line_sink_parse(&place, "journald"), 0);
    assert_int_equal(place.kind, LINE_SINK_JOURNALD);
    assert_string_equal(place.socket, "/run/systemd/journal/socket");
    assert_int_equal(line_sink_parse(&place, "syslog:/x"), 0);
    assert_int_equal(place.kind, LINE_SINK_SYSLOG);
    assert_string_equal(place.socket, "/x");
    assert_int_equal(line_sink_parse(&place, "none"), 0);
    assert_int_equal(place.kind, LINE_SINK_NONE);
    assert_int_equal(line_sink_parse(&place, "none:/x"), -ERR_INVALID);
    assert_int_equal(line_sink_parse(&place, "journal"), -ERR_INVALID);
    assert_int_equal(line_sink_parse(&place, "syslog:x"), -ERR_INVALID);
    assert_int_equal(line_sink_parse(&place, ""), -ERR_INVALID);
    assert_string_equal(line_sink_word(LINE_SINK_SYSLOG), "syslog");
    assert_string_equal(line_sink_word(77), "none");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(places),
        cmocka_unit_test(journald_gets_every_field),
        cmocka_unit_test(syslog_gets_a_line),
        cmocka_unit_test_setup_teardown(one_that_comes_later_gets_what_waits, begin, end),
        cmocka_unit_test_setup_teardown(one_that_takes_nothing_is_counted, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
