/* Messages between the daemon's processes: what arrives, with what, and what is no message. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/emsad/channel.h"

struct ends {
    int from, to;
};

static int make(void **state)
{
    static struct ends ends;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return -1;
    ends = (struct ends){.from = pair[0], .to = pair[1]};
    *state = &ends;
    return 0;
}

static int end(void **state)
{
    struct ends *ends = *state;
    descriptor_close(&ends->from);
    descriptor_close(&ends->to);
    return 0;
}

static void nothing_there(void **state)
{
    struct ends *ends = *state;
    struct channel_message message;
    struct channel_descriptors descriptors;
    assert_int_equal(channel_receive(ends->to, &message, &descriptors), 2);
    descriptor_close(&ends->from);
    assert_int_equal(channel_receive(ends->to, &message, &descriptors), 1);
    assert_int_equal(channel_send_plain(ends->to, CHANNEL_READY, 0, -1), -ERR_IO);
}

static void a_view(void **state)
{
    struct ends *ends = *state;
    struct channel_message sent = {
        .kind = CHANNEL_VIEW,
        .view = 17,
        .options = {.id = 17, .uid = 1000, .file_mode = 0444, .masked = 1},
        .init_size = 80};
    struct channel_message message;
    struct channel_descriptors descriptors;
    int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
    memset(sent.init, 'i', sizeof sent.init);
    assert_int_equal(channel_send(ends->from, &sent, &null, 1, -1), 0);
    assert_int_equal(channel_receive(ends->to, &message, &descriptors), 0);
    assert_memory_equal(&message, &sent, sizeof sent);
    assert_int_equal(descriptors.count, 1);
    assert_true(descriptors.fd[0] >= 0 && descriptors.fd[0] != null);
    assert_true((fcntl(descriptors.fd[0], F_GETFD) & FD_CLOEXEC) != 0);
    assert_int_equal(descriptors.fd[1], -1);
    channel_descriptors_release(&descriptors);
    assert_int_equal(descriptors.fd[0], -1);
    descriptor_close(&null);
}

static void long_texts(void **state)
{
    struct ends *ends = *state;
    static struct channel_message sent = {.kind = CHANNEL_SETUP};
    struct channel_message message;
    struct channel_descriptors descriptors;
    memset(sent.text, 't', sizeof sent.text - 1);
    memset(sent.identity, 'i', sizeof sent.identity - 1);
    assert_int_equal(channel_send(ends->from, &sent, NULL, 0, -1), 0);
    assert_int_equal(channel_receive(ends->to, &message, &descriptors), 0);
    assert_memory_equal(&message, &sent, sizeof sent);
    sent.kind = CHANNEL_FAILED;
    assert_int_equal(channel_send(ends->from, &sent, NULL, 0, -1), 0);
    assert_int_equal(channel_receive(ends->to, &message, &descriptors), 0);
    assert_string_equal(message.text, sent.text);
    assert_string_equal(message.identity, "");
}

/* Short ones stay short, so that thousands of views can be on their way at a time. */
static void many_at_once(void **state)
{
    struct ends *ends = *state;
    struct channel_message message;
    struct channel_descriptors descriptors;
    uint32_t count = 0;
    while (channel_send_plain(ends->from, CHANNEL_GONE, count + 1, 0) == 0)
        count++;
    assert_true(count >= 100);
    for (uint32_t i = 0; i < count; i++) {
        assert_int_equal(channel_receive(ends->to, &message, &descriptors), 0);
        assert_int_equal(message.view, i + 1);
    }
    assert_int_equal(channel_receive(ends->to, &message, &descriptors), 2);
}

static void no_messages(void **state)
{
    struct ends *ends = *state;
    static struct channel_message bad;
    struct channel_message message;
    struct channel_descriptors descriptors;
    const size_t whole = sizeof bad, least = offsetof(struct channel_message, text) + 1;
    const struct {
        uint32_t kind, init_size;
        char text;
        size_t size;
        int expected;
    } cases[] = {
        {CHANNEL_READY, 0, 0, least, 0},
        {CHANNEL_READY, 0, 0, least - 1, -ERR_IO},
        {CHANNEL_READY, 0, 0, 4, -ERR_IO},
        {0, 0, 0, least, -ERR_IO},
        {CHANNEL_KIND_COUNT, 0, 0, least, -ERR_IO},
        {CHANNEL_VIEW, MOUNT_INIT_MAX, 0, least, 0},
        {CHANNEL_VIEW, MOUNT_INIT_MAX + 1, 0, least, -ERR_IO},
        {CHANNEL_FAILED, 0, 'x', whole, -ERR_IO},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        bad.kind = cases[i].kind;
        bad.init_size = cases[i].init_size;
        memset(bad.text, cases[i].text, sizeof bad.text);
        assert_int_equal(send(ends->from, &bad, cases[i].size, 0), cases[i].size);
        assert_int_equal(channel_receive(ends->to, &message, &descriptors), cases[i].expected);
    }
    static char large[sizeof(struct channel_message) + 1];
    memset(&bad, 0, sizeof bad);
    bad.kind = CHANNEL_READY;
    memcpy(large, &bad, sizeof bad);
    assert_int_equal(send(ends->from, large, sizeof large, 0), sizeof large);
    assert_int_equal(channel_receive(ends->to, &message, &descriptors), -ERR_IO);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_there, make, end),
        cmocka_unit_test_setup_teardown(a_view, make, end),
        cmocka_unit_test_setup_teardown(long_texts, make, end),
        cmocka_unit_test_setup_teardown(many_at_once, make, end),
        cmocka_unit_test_setup_teardown(no_messages, make, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
