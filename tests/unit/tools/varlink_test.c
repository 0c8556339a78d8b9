/* Framing: what is JSON and what is not, messages in pieces and in a row, sizes, descriptors,
 * deadlines. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/address.h"
#include "tools/common/descriptor.h"
#include "tools/common/varlink.h"

struct pair {
    struct varlink *varlink; /* under test */
    int peer;
};

static struct pair make_pair(void)
{
    int sockets[2];
    struct pair pair;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    assert_int_equal(varlink_new(&pair.varlink, sockets[0]), 0);
    pair.peer = sockets[1];
    return pair;
}

static void end_pair(struct pair *pair)
{
    varlink_free(pair->varlink);
    descriptor_close(&pair->peer);
}

static void put(int fd, const char *data, size_t size)
{
    assert_int_equal(write(fd, data, size), size);
}

static void check_method(struct varlink *varlink, const char *method)
{
    struct varlink_message message;
    assert_int_equal(varlink_receive(varlink, &message, -1), 0);
    assert_string_equal(json_string_value(json_object_get(message.object, "method")), method);
    assert_int_equal(message.descriptor_count, 0);
    assert_int_equal(message.descriptors[0], -1);
    varlink_message_release(&message);
}

static void one_message(void **state)
{
    (void)state;
    struct pair pair = make_pair();
    put(pair.peer, "{\"method\":\"a.B\"}", sizeof "{\"method\":\"a.B\"}");
    check_method(pair.varlink, "a.B");
    end_pair(&pair);
}

static void several_in_one_write(void **state)
{
    (void)state;
    static const char text[] =
        "{\"method\":\"a.A\"}\0{\"method\":\"a.B\"}\0 {\"method\" : \"a.C\"} ";
    struct pair pair = make_pair();
    put(pair.peer, text, sizeof text);
    check_method(pair.varlink, "a.A");
    assert_int_equal(varlink_wait(pair.varlink, 0), 0); /* what was read already counts */
    check_method(pair.varlink, "a.B");
    check_method(pair.varlink, "a.C");
    assert_int_equal(varlink_wait(pair.varlink, 0), 1);
    end_pair(&pair);
}

static void *write_bytes(void *arg)
{
    struct pair *pair = arg;
    static const char text[] = "{\"method\":\"a.Long\", \"parameters\": {\"x\": 17}}";
    for (size_t i = 0; i < sizeof text; i++)
        if (write(pair->peer, text + i, 1) != 1)
            return pair;
    return NULL;
}

static void byte_by_byte(void **state)
{
    (void)state;
    struct pair pair = make_pair();
    pthread_t thread;
    void *failed;
    assert_int_equal(pthread_create(&thread, NULL, write_bytes, &pair), 0);
    check_method(pair.varlink, "a.Long");
    assert_int_equal(pthread_join(thread, &failed), 0);
    assert_null(failed);
    end_pair(&pair);
}

static void check_refused(const char *data, size_t size, int expected)
{
    struct varlink_message message;
    struct pair pair = make_pair();
    put(pair.peer, data, size);
    (void)shutdown(pair.peer, SHUT_WR);
    int error = varlink_receive(pair.varlink, &message, -1);
    if (error != expected)
        print_error("'%.40s': %d, not %d\n", data, error, expected);
    assert_int_equal(error, expected);
    end_pair(&pair);
}

static void not_an_object(void **state)
{
    (void)state;
    static const char *const texts[] = {"",
                                        "[]",
                                        "17",
                                        "null",
                                        "{",
                                        "{}x",
                                        "{\"a\":1,\"a\":2}",
                                        "{\"a\":\"\xff\"}",
                                        "{\"a\":\"\\u0000\"}",
                                        "{\"a\":01}"};
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        check_refused(texts[i], strlen(texts[i]) + 1, -ERR_INVALID);
}

static void deep_nesting(void **state)
{
    (void)state;
    size_t depth = 200000;
    char *text = malloc(depth + 6);
    assert_non_null(text);
    memcpy(text, "{\"a\":", 5);
    memset(text + 5, '[', depth);
    text[depth + 5] = '\0';
    check_refused(text, depth + 6, -ERR_INVALID);
    free(text);
}

static void an_end(void **state)
{
    (void)state;
    check_refused("", 0, 1);
    check_refused("{\"a\":1}", 7, -ERR_IO);
}

static void limits(void **state)
{
    (void)state;
    char text[64];
    struct varlink_message message;
    memset(text, ' ', sizeof text);
    memcpy(text, "{}", 2);
    for (size_t size = 30; size < 40; size++) {
        struct pair pair = make_pair();
        varlink_limit(pair.varlink, 35);
        text[size] = '\0';
        put(pair.peer, text, size + 1);
        text[size] = ' ';
        int error = varlink_receive(pair.varlink, &message, -1);
        assert_int_equal(error, size < 35 ? 0 : -ERR_INVALID);
        if (error == 0)
            varlink_message_release(&message);
        end_pair(&pair);
    }
}

/* Whatever is short and has many values takes much memory. */
static void values_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        int error;
    } rows[] = {
        {"{}", 0},
        {"{\"a\":[[],{},1]}", 0},
        {"{\"a\":[[],{},1,2]}", -ERR_INVALID},
        {"{\"a\":[[[[[[]]]]]]}", -ERR_INVALID},
        {"{\"a\":\",,,,[[[[{{{{\"}", 0},
        {"{\"a\":\"\\\",,,,[[[[{{{{\"}", 0},
        {"{\"a\":\"\\\\\",\"b\":[1,2,3,4,5]}", -ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++) {
        struct varlink_message message;
        struct pair pair = make_pair();
        varlink_limit_values(pair.varlink, 7);
        put(pair.peer, rows[i].text, strlen(rows[i].text) + 1);
        int error = varlink_receive(pair.varlink, &message, -1);
        assert_int_equal(error, rows[i].error);
        if (error == 0)
            varlink_message_release(&message);
        end_pair(&pair);
    }
}

static void endless(void **state)
{
    (void)state;
    char text[40000];
    struct varlink_message message;
    struct pair pair = make_pair();
    varlink_limit(pair.varlink, 1000);
    memset(text, ' ', sizeof text);
    put(pair.peer, text, sizeof text); /* no NUL, and no end either */
    assert_int_equal(varlink_receive(pair.varlink, &message, -1), -ERR_INVALID);
    end_pair(&pair);
}

static void deadlines(void **state)
{
    (void)state;
    struct varlink_message message;
    struct pair pair = make_pair();
    assert_int_equal(varlink_wait(pair.varlink, 0), 1);
    assert_int_equal(varlink_receive(pair.varlink, &message, 0), -ERR_IO);
    put(pair.peer, "{\"a\"", 4);
    assert_int_equal(varlink_receive(pair.varlink, &message, 1), -ERR_IO);
    end_pair(&pair);
}

static void send_with(int socket, const char *text, const int fds[], size_t count)
{
    assert_int_equal(descriptor_send(socket, text, strlen(text) + 1, fds, count), strlen(text) + 1);
}

static size_t open_descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 256; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

static void descriptors_arrive(void **state)
{
    (void)state;
    size_t before = open_descriptors();
    struct varlink_message message;
    struct pair pair = make_pair();
    int ends[2], fd = -1;
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    send_with(pair.peer, "{\"parameters\":{\"values\":1,\"bad\":2,\"worse\":-1,\"odd\":\"0\"}}",
              ends, 2);
    assert_int_equal(varlink_receive(pair.varlink, &message, -1), 0);
    assert_int_equal(message.descriptor_count, 2);
    assert_int_equal(message.descriptors[2], -1);
    assert_true((fcntl(message.descriptors[0], F_GETFD) & FD_CLOEXEC) != 0);
    const json_t *parameters = json_object_get(message.object, "parameters");
    assert_int_equal(varlink_take(&message, &fd, parameters, "none"), 1);
    assert_int_equal(varlink_take(&message, &fd, parameters, "bad"), -ERR_INVALID);
    assert_int_equal(varlink_take(&message, &fd, parameters, "worse"), -ERR_INVALID);
    assert_int_equal(varlink_take(&message, &fd, parameters, "odd"), -ERR_INVALID);
    assert_int_equal(varlink_take(&message, &fd, parameters, "values"), 0);
    assert_int_equal(varlink_take(&message, &fd, parameters, "values"), -ERR_INVALID);
    put(fd, "x", 1);
    char byte;
    assert_int_equal(read(ends[0], &byte, 1), 1);
    varlink_message_release(&message);
    descriptor_close(&fd);
    descriptor_close(&ends[0]);
    descriptor_close(&ends[1]);
    end_pair(&pair);
    assert_int_equal(open_descriptors(), before);
}

static void surplus_descriptors_are_closed(void **state)
{
    (void)state;
    size_t before = open_descriptors();
    struct varlink_message message;
    struct pair pair = make_pair();
    int fds[VARLINK_DESCRIPTORS_MAX + 1];
    for (size_t i = 0; i < VARLINK_DESCRIPTORS_MAX + 1; i++)
        fds[i] = pair.peer;
    send_with(pair.peer, "{}", fds, VARLINK_DESCRIPTORS_MAX + 1);
    assert_int_equal(varlink_receive(pair.varlink, &message, -1), -ERR_INVALID);
    end_pair(&pair);
    assert_int_equal(open_descriptors(), before);
}

/* Not even to be closed: they never become ours. */
static void descriptors_of_a_stranger(void **state)
{
    (void)state;
    size_t before = open_descriptors();
    struct varlink_message message;
    struct pair pair = make_pair();
    varlink_without_descriptors(pair.varlink);
    put(pair.peer, "{\"method\":\"a.B\"}", sizeof "{\"method\":\"a.B\"}");
    check_method(pair.varlink, "a.B");
    send_with(pair.peer, "{\"values\":0}", &pair.peer, 1);
    assert_int_equal(varlink_receive(pair.varlink, &message, -1), -ERR_INVALID);
    end_pair(&pair);
    assert_int_equal(open_descriptors(), before);
}

static void descriptors_in_a_row_are_refused(void **state)
{
    (void)state;
    struct varlink_message message;
    struct pair pair = make_pair();
    put(pair.peer, "{\"a\":1}", 8);
    send_with(pair.peer, "{\"values\":0}", &pair.peer, 1);
    assert_int_equal(varlink_receive(pair.varlink, &message, -1), -ERR_INVALID);
    end_pair(&pair);
}

struct sending {
    struct varlink *varlink;
    json_t *object;
    int result;
};

static void *send_it(void *arg)
{
    struct sending *sending = arg;
    sending->result = varlink_send(sending->varlink, sending->object, NULL, 0, -1);
    return NULL;
}

static void large_both_ways(void **state)
{
    (void)state;
    int sockets[2];
    struct varlink *from, *to;
    struct varlink_message message;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, sockets), 0);
    assert_int_equal(varlink_new(&from, sockets[0]), 0);
    assert_int_equal(varlink_new(&to, sockets[1]), 0);
    size_t size = 3000000; /* many times what a socket holds */
    char *text = malloc(size + 1);
    assert_non_null(text);
    memset(text, 'x', size);
    text[size] = '\0';
    struct sending sending = {
        .varlink = from, .object = json_pack("{s:s}", "text", text), .result = 1};
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, send_it, &sending), 0);
    assert_int_equal(varlink_receive(to, &message, -1), 0);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(sending.result, 0);
    assert_string_equal(json_string_value(json_object_get(message.object, "text")), text);
    varlink_message_release(&message);
    /* A peer that does not read, and one that is gone. */
    assert_int_equal(varlink_send(to, sending.object, NULL, 0, 1), -ERR_IO);
    varlink_free(from);
    assert_int_equal(varlink_send(to, sending.object, NULL, 0, -1), -ERR_IO);
    varlink_free(to);
    json_decref(sending.object);
    free(text);
}

/* A folder whose path alone is longer than a socket's address. */
static void long_paths(void **state)
{
    (void)state;
    char root[] = "/tmp/emsa-varlink-XXXXXX", folder[512], path[600];
    assert_non_null(mkdtemp(root));
    int length = snprintf(folder, sizeof folder, "%s/", root);
    memset(folder + length, 'd', 200);
    folder[length + 200] = '\0';
    assert_int_equal(mkdir(folder, 0700), 0);
    (void)snprintf(path, sizeof path, "%s/socket", folder);
    struct varlink *varlink;
    assert_int_equal(varlink_connect(&varlink, path), -ERR_NOT_FOUND);

    struct address address;
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_int_equal(address_make(&address, path), 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&address.name, address.size), 0);
    address_release(&address);
    assert_int_equal(varlink_connect(&varlink, path), -ERR_NOT_FOUND); /* nobody listens yet */
    assert_int_equal(listen(listener, 1), 0);
    assert_int_equal(varlink_connect(&varlink, path), 0);
    varlink_free(varlink);
    descriptor_close(&listener);
    assert_int_equal(unlink(path), 0);

    memset(path + strlen(folder) + 1, 's', 99);
    path[strlen(folder) + 100] = '\0';
    assert_int_equal(varlink_connect(&varlink, path), -ERR_INVALID);
    assert_int_equal(rmdir(folder), 0);
    assert_int_equal(rmdir(root), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_message),
        cmocka_unit_test(several_in_one_write),
        cmocka_unit_test(byte_by_byte),
        cmocka_unit_test(not_an_object),
        cmocka_unit_test(deep_nesting),
        cmocka_unit_test(an_end),
        cmocka_unit_test(limits),
        cmocka_unit_test(values_are_counted),
        cmocka_unit_test(endless),
        cmocka_unit_test(deadlines),
        cmocka_unit_test(descriptors_arrive),
        cmocka_unit_test(surplus_descriptors_are_closed),
        cmocka_unit_test(descriptors_of_a_stranger),
        cmocka_unit_test(descriptors_in_a_row_are_refused),
        cmocka_unit_test(large_both_ways),
        cmocka_unit_test(long_paths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
