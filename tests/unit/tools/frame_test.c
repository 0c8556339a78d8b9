/* What goes between two machines: whole, or told as what is wrong with it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/emsa/frame.h"

#define LARGE (3u * 1024u * 1024u)

static int ends[2];

static int begin(void **state)
{
    (void)state;
    return socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends);
}

static int end(void **state)
{
    (void)state;
    close(ends[0]);
    if (ends[1] >= 0)
        close(ends[1]);
    return 0;
}

static void hang_up(void)
{
    close(ends[1]);
    ends[1] = -1;
}

struct sending {
    const struct piece *pieces;
    size_t count;
    int error;
};

static void *send_one(void *arg)
{
    struct sending *sending = arg;
    json_t *object = json_pack("{s:s}", "method", "io.emsa.Set");
    sending->error = frame_send(ends[1], object, sending->pieces, sending->count);
    json_decref(object);
    return NULL;
}

static void values_come_behind_their_message(void **state)
{
    (void)state;
    static unsigned char large[LARGE];
    for (size_t i = 0; i < sizeof large; i++)
        large[i] = (unsigned char)(i * 31);
    const struct piece pieces[] = {{"ab", 2}, {"", 0}, {large, sizeof large}, {"c", 1}};
    struct sending sending = {.pieces = pieces, .count = 4};
    struct frame frame = {0};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_one, &sending), 0);
    assert_int_equal(frame_receive(ends[0], &frame), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(sending.error, 0);
    assert_string_equal(json_string_value(json_object_get(frame.object, "method")), "io.emsa.Set");
    assert_int_equal(frame.values.size, LARGE + 3);
    assert_memory_equal(frame.values.data, "ab", 2);
    assert_memory_equal(frame.values.data + 2, large, sizeof large);
    assert_int_equal(frame.values.data[LARGE + 2], 'c');
    frame_release(&frame);
    hang_up();
    assert_int_equal(frame_receive(ends[0], &frame), 1);
}

static void one_without_values(void **state)
{
    (void)state;
    struct sending sending = {.count = 0};
    struct frame frame = {0};
    send_one(&sending);
    assert_int_equal(sending.error, 0);
    assert_int_equal(frame_receive(ends[0], &frame), 0);
    assert_int_equal(frame.values.size, 0);
    frame_release(&frame);
}

static int received(const void *bytes, size_t size)
{
    struct frame frame = {0};
    assert_int_equal(write(ends[1], bytes, size), (ssize_t)size);
    hang_up();
    const int error = frame_receive(ends[0], &frame);
    assert_null(frame.object);
    assert_null(frame.values.data);
    return error;
}

static void one_that_is_cut(void **state)
{
    static const char whole[] = "\0\0\0\2\0\0\0\0\0\0\0\3{}abc";
    for (size_t size = 1; size < sizeof whole - 1; size++) {
        assert_int_equal(received(whole, size), -ERR_IO);
        close(ends[0]);
        assert_int_equal(begin(state), 0);
    }
}

static void one_that_is_none(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
    } bad[] = {{"\0\0\0\2\0\0\0\0\0\0\0\0[]", 14},
               {"\0\0\0\2\0\0\0\0\0\0\0\0{ ", 14},
               {"\0\0\0\0\0\0\0\0\0\0\0\0", 12},
               {"\377\377\377\377\0\0\0\0\0\0\0\0", 12},
               {"\0\0\0\2\377\0\0\0\0\0\0\0{}", 14},
               {"\0\0\0\2\0\0\0\0\40\0\0\1{}", 14},
               {"\0\0\0\15\0\0\0\0\0\0\0\0{\"a\":1,\"a\":2}", 25}};
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(received(bad[i].bytes, bad[i].size), -ERR_INVALID);
        close(ends[0]);
        assert_int_equal(begin(state), 0);
    }
}

static void nobody_there(void **state)
{
    (void)state;
    struct sending sending = {.count = 0};
    close(ends[0]);
    ends[0] = dup(ends[1]);
    (void)shutdown(ends[1], SHUT_WR);
    send_one(&sending);
    assert_int_equal(sending.error, -ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values_come_behind_their_message, begin, end),
        cmocka_unit_test_setup_teardown(one_without_values, begin, end),
        cmocka_unit_test_setup_teardown(one_that_is_cut, begin, end),
        cmocka_unit_test_setup_teardown(one_that_is_none, begin, end),
        cmocka_unit_test_setup_teardown(nobody_there, begin, end),
    };
    (void)signal(SIGPIPE, SIG_IGN);
    if (secret_setup(64u * 1024u * 1024u) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
