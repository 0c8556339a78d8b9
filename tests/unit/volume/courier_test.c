/* Calls over connections that are the test's own, at moments that are played. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/volume/courier.h"

int __wrap_clock_gettime(clockid_t clock, struct timespec *out);

static int64_t played; /* milliseconds */

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
    (void)clock;
    *out = (struct timespec){.tv_sec = played / 1000, .tv_nsec = played % 1000 * 1000000};
    return 0;
}

struct world {
    struct courier *courier;
    int server[COURIER_LINKS]; /* the other ends */
};

static char told[1024]; /* what calls came to, in their order: "NAME=ANSWER " */

static void on_done(void *arg, const json_t *said, bool is_repeated)
{
    const char *error = json_string_value(json_object_get(said, "error"));
    size_t used = strlen(told);
    (void)snprintf(
        told + used, sizeof told - used, "%s%s=%s ", (const char *)arg, is_repeated ? "*" : "",
        said == NULL ? error_text()
        : error != NULL
            ? error
            : json_string_value(json_object_get(json_object_get(said, "parameters"), "is")));
}

static void connect_all(struct world *world, size_t count)
{
    int fds[COURIER_LINKS] = {-1, -1, -1, -1};
    for (size_t i = 0; i < count; i++) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        fds[i] = pair[0];
        world->server[i] = pair[1];
        assert_int_equal(fcntl(pair[1], F_SETFL, O_NONBLOCK), 0);
    }
    courier_connect(world->courier, fds, count);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(fds[i], -1);
}

static int begin(void **state)
{
    static struct world world;
    world = (struct world){.server = {-1, -1, -1, -1}};
    played = 1000;
    told[0] = '\0';
    assert_int_equal(courier_new(&world.courier, on_done), 0);
    *state = &world;
    return 0;
}

static int end(void **state)
{
    struct world *world = *state;
    courier_free(world->courier);
    for (size_t i = 0; i < COURIER_LINKS; i++)
        descriptor_close(&world->server[i]);
    return 0;
}

static void call(struct world *world, const char *name)
{
    json_t *parameters = json_pack("{s:s}", "name", name);
    assert_int_equal(courier_call(world->courier, "io.emsa.VolumeGet", parameters,
                                  deadline_in(4000), (void *)(uintptr_t)name),
                     0);
    json_decref(parameters);
}

/* The name that came over connection i; "": nothing. */
static const char *asked(struct world *world, size_t i)
{
    static char text[256], name[64];
    ssize_t size = recv(world->server[i], text, sizeof text - 1, MSG_DONTWAIT);
    if (size <= 0)
        return "";
    assert_int_equal(text[size - 1], '\0');
    json_t *message = json_loads(text, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(message, "method")), "io.emsa.VolumeGet");
    (void)snprintf(
        name, sizeof name, "%s",
        json_string_value(json_object_get(json_object_get(message, "parameters"), "name")));
    json_decref(message);
    return name;
}

static void answer(struct world *world, size_t i, const char *is)
{
    char text[256];
    int size = snprintf(text, sizeof text, "{\"parameters\":{\"is\":\"%s\"}}", is);
    assert_int_equal(write(world->server[i], text, (size_t)size + 1), size + 1);
}

static void turn(struct world *world)
{
    courier_turn(world->courier);
}

static void one_and_many(void **state)
{
    struct world *world = *state;
    static const char *const names[] = {"a", "b", "c", "d", "e", "f"};
    connect_all(world, COURIER_LINKS);
    assert_false(courier_is_short(world->courier));
    assert_int_equal(courier_patience(world->courier), -1);
    for (size_t i = 0; i < 6; i++)
        call(world, names[i]);
    turn(world);
    for (size_t i = 0; i < COURIER_LINKS; i++)
        assert_string_equal(asked(world, i), names[i]);
    answer(world, 2, "C");
    turn(world);
    assert_string_equal(told, "c=C ");
    assert_string_equal(asked(world, 2), "e");
    assert_string_equal(asked(world, 0), "");
    answer(world, 0, "A");
    answer(world, 2, "E");
    turn(world);
    assert_string_equal(told, "c=C a=A e=E ");
    assert_string_equal(asked(world, 0), "f");
    assert_int_equal(courier_patience(world->courier), 4000);
}

/* Nobody is there; then somebody is. */
static void waits_for_a_server(void **state)
{
    struct world *world = *state;
    assert_true(courier_is_short(world->courier));
    call(world, "a");
    turn(world);
    assert_int_equal(courier_patience(world->courier), COURIER_ALONE);
    played += COURIER_ALONE - 1;
    call(world, "b");
    turn(world);
    assert_string_equal(told, "");
    played++;
    turn(world);
    assert_non_null(strstr(told, "a=the server is not there"));
    assert_null(strstr(told, "b="));
    told[0] = '\0';
    connect_all(world, COURIER_LINKS);
    turn(world);
    assert_string_equal(asked(world, 0), "b");
    answer(world, 0, "B");
    turn(world);
    assert_string_equal(told, "b=B ");
}

/* It dies with calls in its hands, and the next one gets them before the others. */
static void follows_a_dead_server(void **state)
{
    struct world *world = *state;
    connect_all(world, 2);
    call(world, "a");
    call(world, "b");
    call(world, "c");
    turn(world);
    assert_string_equal(asked(world, 0), "a");
    descriptor_close(&world->server[0]);
    descriptor_close(&world->server[1]);
    turn(world);
    assert_string_equal(told, "");
    assert_true(courier_is_short(world->courier));
    played += 2000;
    connect_all(world, COURIER_LINKS);
    turn(world);
    static const char *const expected[] = {"b", "a", "c"};
    for (size_t i = 0; i < 3; i++)
        assert_string_equal(asked(world, i), expected[i]);
    for (size_t i = 0; i < 3; i++)
        answer(world, i, "X");
    turn(world);
    assert_string_equal(told, "b*=X a*=X c=X ");
}

/* Also one that broke off, or was replaced alive. */
static void other_ends_of_a_server(void **state)
{
    struct world *world = *state;
    connect_all(world, 1);
    call(world, "a");
    turn(world);
    assert_int_equal(write(world->server[0], "{\"parameters\"", 13), 13);
    assert_int_equal(shutdown(world->server[0], SHUT_WR), 0);
    turn(world);
    assert_string_equal(told, "");
    descriptor_close(&world->server[0]);
    connect_all(world, 1);
    turn(world);
    assert_string_equal(asked(world, 0), "a");
    int old = world->server[0];
    connect_all(world, 1);
    turn(world);
    assert_string_equal(asked(world, 0), "a");
    answer(world, 0, "A");
    turn(world);
    assert_string_equal(told, "a*=A ");
    descriptor_close(&old);
}

/* A call that was given up: its answer is nobody else's, and its connection is of use again. */
static void a_late_answer(void **state)
{
    struct world *world = *state;
    connect_all(world, 1);
    call(world, "a");
    turn(world);
    assert_string_equal(asked(world, 0), "a");
    played += 3999;
    call(world, "b");
    turn(world);
    assert_string_equal(told, "");
    played++;
    turn(world);
    assert_non_null(strstr(told, "a=the server did not answer in time"));
    assert_string_equal(asked(world, 0), "");
    told[0] = '\0';
    answer(world, 0, "A");
    turn(world);
    assert_string_equal(told, "");
    assert_string_equal(asked(world, 0), "b");
    answer(world, 0, "B");
    turn(world);
    assert_string_equal(told, "b=B ");
}

static void all_are_busy(void **state)
{
    struct world *world = *state;
    connect_all(world, 1);
    call(world, "a");
    call(world, "b");
    turn(world);
    played += 4000;
    turn(world);
    assert_non_null(strstr(told, "a=the server did not answer in time"));
    assert_non_null(strstr(told, "b=the server is busy with other volumes"));
}

/* What nobody asked for: what comes next would be taken for the answer to something else. */
static void unasked(void **state)
{
    struct world *world = *state;
    connect_all(world, 2);
    answer(world, 0, "?");
    turn(world);
    assert_true(courier_is_short(world->courier));
    call(world, "a");
    turn(world);
    assert_string_equal(asked(world, 1), "a");
    assert_int_equal(write(world->server[1], "no JSON", 8), 8);
    turn(world);
    assert_string_equal(told, "");
    assert_int_equal(courier_patience(world->courier), COURIER_ALONE);
}

/* No more than it may have connections; those that are too many stay the caller's. */
static void fewer_and_more(void **state)
{
    struct world *world = *state;
    connect_all(world, 3);
    assert_true(courier_is_short(world->courier));
    for (size_t i = 0; i < COURIER_LINKS; i++)
        descriptor_close(&world->server[i]);
    connect_all(world, 4);
    assert_false(courier_is_short(world->courier));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_and_many, begin, end),
        cmocka_unit_test_setup_teardown(waits_for_a_server, begin, end),
        cmocka_unit_test_setup_teardown(follows_a_dead_server, begin, end),
        cmocka_unit_test_setup_teardown(other_ends_of_a_server, begin, end),
        cmocka_unit_test_setup_teardown(a_late_answer, begin, end),
        cmocka_unit_test_setup_teardown(all_are_busy, begin, end),
        cmocka_unit_test_setup_teardown(unasked, begin, end),
        cmocka_unit_test_setup_teardown(fewer_and_more, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
