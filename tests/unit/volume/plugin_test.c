/* The plugin over HTTP, with a server that is the test's own, at moments that are played. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "tools/common/descriptor.h"
#include "tools/volume/plugin.h"
#include "tools/volume/request.h"

#define CLIENTS 1024 /* that it takes at once */
#define CROWD 1000
#define BACKLOG 2048
#define HEAD "POST /VolumeDriver.%s HTTP/1.1\r\nHost: plugin\r\nUser-Agent: Go-http-client/1.1\r\n"
#define MOUNTED "{\"parameters\":{\"mountpoint\":\"/m\"}}"

int __wrap_clock_gettime(clockid_t clock, struct timespec *out);

static int64_t played; /* milliseconds */

int __wrap_clock_gettime(clockid_t clock, struct timespec *out)
{
    (void)clock;
    *out = (struct timespec){.tv_sec = played / 1000, .tv_nsec = played % 1000 * 1000000};
    return 0;
}

struct world {
    struct plugin *plugin;
    struct sockaddr_un address;
    socklen_t address_size;
    int server[COURIER_LINKS]; /* the other ends */
};

static int begin(void **state)
{
    static struct world world;
    static unsigned count;
    world = (struct world){.server = {-1, -1, -1, -1}, .address.sun_family = AF_UNIX};
    played = 5000;
    int length = snprintf(world.address.sun_path + 1, sizeof world.address.sun_path - 1,
                          "emsa-plugin-test-%d-%u", (int)getpid(), count++);
    world.address_size = (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
    int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(bind(listener, (struct sockaddr *)&world.address, world.address_size), 0);
    assert_int_equal(listen(listener, BACKLOG), 0);
    assert_int_equal(plugin_new(&world.plugin, listener), 0);
    *state = &world;
    return 0;
}

static int end(void **state)
{
    struct world *world = *state;
    plugin_free(world->plugin);
    for (size_t i = 0; i < COURIER_LINKS; i++)
        descriptor_close(&world->server[i]);
    return 0;
}

static void with_server(struct world *world)
{
    int fds[COURIER_LINKS];
    for (size_t i = 0; i < COURIER_LINKS; i++) {
        int pair[2];
        assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
        fds[i] = pair[0];
        world->server[i] = pair[1];
    }
    plugin_connect(world->plugin, fds, COURIER_LINKS);
    plugin_turn(world->plugin);
    assert_false(plugin_is_short(world->plugin));
}

/* Until there is nothing more to do. */
static void run(struct world *world)
{
    struct pollfd entries[PLUGIN_ENTRIES];
    while (plugin_poll(world->plugin, entries) == 0 || poll(entries, PLUGIN_ENTRIES, 0) > 0)
        plugin_turn(world->plugin);
}

static int client(struct world *world)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    assert_int_equal(connect(fd, (struct sockaddr *)&world->address, world->address_size), 0);
    return fd;
}

static void put(int fd, const char *text, size_t size)
{
    assert_int_equal(send(fd, text, size, MSG_NOSIGNAL), size);
}

static void say(int fd, const char *text)
{
    put(fd, text, strlen(text));
}

static void ask(int fd, const char *what, const char *body)
{
    char text[1024];
    int size =
        snprintf(text, sizeof text, HEAD "Content-Length: %zu\r\n\r\n%s", what, strlen(body), body);
    put(fd, text, (size_t)size);
}

/* All that came, up to the end of the connection; the client is closed. */
static const char *heard(int fd)
{
    static char text[1 << 20];
    size_t size = 0;
    ssize_t got;
    while ((got = recv(fd, text + size, sizeof text - 1 - size, 0)) > 0)
        size += (size_t)got;
    if (got < 0 && errno != ECONNRESET)
        fail_msg("%s after %.*s", strerror(errno), (int)size, text);
    close(fd);
    text[size] = '\0';
    return text;
}

static void is_open(int fd)
{
    char byte;
    assert_int_equal(recv(fd, &byte, 1, MSG_PEEK), -1);
    assert_int_equal(errno, EAGAIN);
}

static void is_done(int fd, const char *body)
{
    const char *text = heard(fd);
    const char *found = strstr(text, "\r\n\r\n");
    if (strncmp(text, "HTTP/1.1 200 ", 13) != 0 || found == NULL || strcmp(found + 4, body) != 0)
        fail_msg("not 200 and %s: %s", body, text);
    assert_non_null(strstr(text, "Connection: close"));
    assert_non_null(strstr(text, "Content-Type: application/vnd.docker.plugins.v1.1+json"));
}

static void has_failed(int fd, const char *words)
{
    const char *text = heard(fd);
    const char *found = strstr(text, "\r\n\r\n{\"Err\":\"");
    if (strncmp(text, "HTTP/1.1 500 ", 13) != 0 || found == NULL || strstr(found, words) == NULL)
        fail_msg("not 500 and %s: %s", words, text);
}

/* Answers what the server was asked so far; how many. */
static unsigned serve(struct world *world, const char *with)
{
    unsigned count = 0;
    char text[70000];
    for (size_t i = 0; i < COURIER_LINKS; i++) {
        while (recv(world->server[i], text, sizeof text, MSG_DONTWAIT) > 0) {
            put(world->server[i], with, strlen(with) + 1);
            count++;
        }
    }
    run(world);
    return count;
}

static void answers_at_once(void **state)
{
    struct world *world = *state;
    int one = client(world), other = client(world);
    say(one, "POST /Plugin.Activate HTTP/1.1\r\nHost: plugin\r\nContent-Length: 0\r\n\r\n");
    ask(other, "Capabilities", "{}\n");
    run(world);
    is_done(one, "{\"Implements\":[\"VolumeDriver\"],\"Err\":\"\"}\n");
    is_done(other, "{\"Capabilities\":{\"Scope\":\"local\"},\"Err\":\"\"}\n");
}

/* Byte by byte, and by a peer who has nothing more to say. */
static void in_pieces(void **state)
{
    struct world *world = *state;
    static const char text[] =
        "POST /VolumeDriver.Mount HTTP/1.1\r\nHost: plugin\r\nContent-Length: "
        "21\r\n\r\n{\"Name\":\"b\",\"ID\":\"i\"}";
    with_server(world);
    int fd = client(world);
    for (size_t i = 0; i < sizeof text - 1; i++) {
        assert_int_equal(serve(world, MOUNTED), 0);
        put(fd, text + i, 1);
    }
    assert_int_equal(shutdown(fd, SHUT_WR), 0);
    run(world);
    is_open(fd);
    assert_int_equal(serve(world, MOUNTED), 1);
    is_done(fd, "{\"Mountpoint\":\"/m\",\"Err\":\"\"}\n");
}

static void chunked(void **state)
{
    struct world *world = *state;
    static const char text[] =
        "POST /VolumeDriver.Path HTTP/1.1\r\nHost: plugin\r\nTransfer-Encoding: "
        "chunked\r\n\r\n4\r\n{\"Na\r\n8\r\nme\":\"b\"}\r\n0\r\n\r\n";
    with_server(world);
    int fd = client(world);
    put(fd, text, sizeof text - 1);
    run(world);
    assert_int_equal(serve(world, MOUNTED), 1);
    is_done(fd, "{\"Mountpoint\":\"/m\",\"Err\":\"\"}\n");
}

/* Who leaves in the middle, or before the answer, is nobody's trouble. */
static void gone(void **state)
{
    struct world *world = *state;
    with_server(world);
    int early = client(world), late = client(world), other = client(world);
    say(early, "POST /VolumeDriver.Get HTTP/1.1\r\nContent-Le");
    ask(late, "Get", "{\"Name\":\"b\"}");
    ask(other, "Path", "{\"Name\":\"b\"}");
    run(world);
    close(early);
    close(late);
    run(world);
    assert_int_equal(serve(world, MOUNTED), 2);
    is_done(other, "{\"Mountpoint\":\"/m\",\"Err\":\"\"}\n");
    int half = client(world);
    say(half, "POST /VolumeDriver.Get HTTP/1.1\r\nHost: x\r\nContent-Length: 99\r\n\r\n{");
    assert_int_equal(shutdown(half, SHUT_WR), 0);
    run(world);
    played += 2000;
    run(world);
    assert_string_equal(heard(half), "");
}

static void refuses(void **state)
{
    struct world *world = *state;
    static const char *const heads[] = {"GET /Plugin.Activate", "DELETE /VolumeDriver.Remove",
                                        "HEAD /"};
    with_server(world);
    for (size_t i = 0; i < 3; i++) {
        char text[128];
        int fd = client(world),
            size = snprintf(text, sizeof text, "%s HTTP/1.1\r\nHost: x\r\n\r\n", heads[i]);
        put(fd, text, (size_t)size);
        run(world);
        if (i < 2)
            has_failed(fd, "it takes POST");
        else
            assert_int_equal(strncmp(heard(fd), "HTTP/1.1 500 ", 13), 0);
    }
    int fd = client(world);
    ask(fd, "Create", "{\"Name\":\"b\",\"Opts\":{\"servcie\":\"x\"}}");
    run(world);
    has_failed(fd, "there is no option 'servcie'");
    fd = client(world);
    ask(fd, "Get", "{\"Name\":\"b\"}");
    run(world);
    (void)serve(world, "{\"error\":\"io.emsa.NotFound\",\"parameters\":{\"message\":\"no 'b'\"}}");
    has_failed(fd, "no 'b'");
    assert_int_equal(serve(world, MOUNTED), 0);
}

static void has_bounds(void **state)
{
    struct world *world = *state;
    static char body[REQUEST_BODY_MAX + 1];
    with_server(world);
    memset(body, ' ', sizeof body);
    memcpy(body, "{\"Name\":\"b\"}", 12);
    for (size_t size = REQUEST_BODY_MAX; size <= REQUEST_BODY_MAX + 1; size++) {
        char head[256];
        int fd = client(world),
            length = snprintf(head, sizeof head, HEAD "Content-Length: %zu\r\n\r\n", "Path", size);
        put(fd, head, (size_t)length);
        run(world);
        if (size > REQUEST_BODY_MAX) {
            has_failed(fd, "at most 65536 bytes"); /* before any of it has come */
            continue;
        }
        put(fd, body, size);
        run(world);
        assert_int_equal(serve(world, MOUNTED), 1);
        is_done(fd, "{\"Mountpoint\":\"/m\",\"Err\":\"\"}\n");
    }
    int fd = client(world); /* whose size nobody tells */
    say(fd, "POST /VolumeDriver.Path HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"
            "10001\r\n");
    put(fd, body, sizeof body);
    say(fd, "\r\n0\r\n\r\n");
    run(world);
    has_failed(fd, "at most 65536 bytes");
    fd = client(world);
    say(fd, "POST /VolumeDriver.Path HTTP/1.1\r\nHost: x\r\nContent-Length: "
            "99999999999999999999999999\r\n\r\n");
    run(world);
    assert_int_equal(strncmp(heard(fd), "HTTP/1.1 ", 9), 0); /* some refusal */
    assert_int_equal(serve(world, MOUNTED), 0);
}

static void without_a_server(void **state)
{
    struct world *world = *state;
    int fd = client(world);
    ask(fd, "Mount", "{\"Name\":\"b\",\"ID\":\"i\"}");
    run(world);
    played += 2999;
    run(world);
    is_open(fd);
    played++;
    run(world);
    has_failed(fd, "the server is not there");
    fd = client(world);
    ask(fd, "Mount", "{\"Name\":\"b\",\"ID\":\"i\"}");
    run(world);
    played += 2999;
    with_server(world);
    run(world);
    assert_int_equal(serve(world, MOUNTED), 1);
    is_done(fd, "{\"Mountpoint\":\"/m\",\"Err\":\"\"}\n");
}

/* Counted from connecting: a runtime's clock runs since then. */
static void a_server_that_hangs(void **state)
{
    struct world *world = *state;
    with_server(world);
    int fd = client(world);
    run(world);
    played += 1000;
    ask(fd, "Mount", "{\"Name\":\"b\",\"ID\":\"i\"}");
    run(world);
    played += 2999;
    run(world);
    is_open(fd);
    played++;
    run(world);
    has_failed(fd, "the server did not answer in time");
}

static void says_nothing(void **state)
{
    struct world *world = *state;
    int silent = client(world), begun = client(world);
    say(begun, "POST /VolumeDriver.Get HTTP/1.1\r\n");
    run(world);
    played += 1999;
    say(begun, "H"); /* is no reason to stay longer */
    run(world);
    is_open(silent);
    is_open(begun);
    played++;
    run(world);
    assert_string_equal(heard(silent), "");
    assert_string_equal(heard(begun), "");
}

/* A process that was stopped for a while: what had come in time is answered. */
static void kept_from_running(void **state)
{
    struct world *world = *state;
    int fd = client(world), silent = client(world);
    run(world);
    ask(fd, "Capabilities", "{}");
    played += 10000;
    run(world);
    is_done(fd, "{\"Capabilities\":{\"Scope\":\"local\"},\"Err\":\"\"}\n");
    assert_string_equal(heard(silent), "");
}

/* A long answer that is not read: nobody else waits for it, and it comes to an end. */
static void does_not_read(void **state)
{
    struct world *world = *state;
    static char list[160000] = "{\"parameters\":{\"volumes\":[";
    size_t size = strlen(list);
    while (size < sizeof list - 100)
        size += (size_t)snprintf(list + size, sizeof list - size,
                                 "{\"name\":\"b\",\"mountpoint\":\"/m\",\"created\":1},");
    memcpy(list + size - 1, "]}}", 4);
    with_server(world);
    int fd = client(world), other = client(world), small = 4096;
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof small), 0);
    ask(fd, "List", "{}");
    run(world);
    assert_int_equal(serve(world, list), 1);
    ask(other, "Capabilities", "");
    run(world);
    is_done(other, "{\"Capabilities\":{\"Scope\":\"local\"},\"Err\":\"\"}\n");
    played += 2000;
    run(world);
    const char *text = heard(fd);
    assert_int_equal(strncmp(text, "HTTP/1.1 200 ", 13), 0);
}

static void crowds(void **state)
{
    struct world *world = *state;
    static int silent[CLIENTS];
    int late = -1;
    with_server(world);
    for (size_t i = 0; i < CLIENTS; i++)
        silent[i] = client(world);
    run(world);
    late = client(world);
    ask(late, "Path", "{\"Name\":\"b\"}");
    run(world);
    played += 249;
    run(world);
    assert_int_equal(serve(world, MOUNTED), 0);
    played++;
    run(world);
    assert_int_equal(serve(world, MOUNTED), 1);
    is_done(late, "{\"Mountpoint\":\"/m\",\"Err\":\"\"}\n");
    for (size_t i = 0; i < CLIENTS; i++)
        assert_string_equal(heard(silent[i]), "");
}

static void a_thousand_at_once(void **state)
{
    struct world *world = *state;
    static int all[CROWD];
    with_server(world);
    for (size_t i = 0; i < CROWD; i++) {
        all[i] = client(world);
        ask(all[i], "Path", "{\"Name\":\"b\"}");
    }
    run(world);
    unsigned answered = 0;
    for (unsigned more = 1; more > 0; answered += more)
        more = serve(world, MOUNTED);
    assert_int_equal(answered, CROWD);
    for (size_t i = 0; i < CROWD; i++)
        is_done(all[i], "{\"Mountpoint\":\"/m\",\"Err\":\"\"}\n");
}

/* Its end, with clients in every stage. */
static void ends_in_the_middle(void **state)
{
    struct world *world = *state;
    with_server(world);
    int silent = client(world), begun = client(world), waiting = client(world);
    say(begun, "POST /VolumeDriver.Get HTTP/1.1\r\n");
    ask(waiting, "Path", "{\"Name\":\"b\"}");
    run(world);
    plugin_free(world->plugin);
    world->plugin = NULL;
    assert_string_equal(heard(silent), "");
    assert_string_equal(heard(begun), "");
    assert_string_equal(heard(waiting), "");
}

/* Both ends of each connection are ours. */
static void allow_descriptors(void)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
    limit.rlim_cur = limit.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
}

/* What ends a call when libmicrohttpd has had its part of a turn goes out in the next one, which
 * comes at once: nothing else may ever happen. */
static void an_answer_after_the_turn_of_http_goes_out(void **state)
{
    struct world *world = *state;
    int asking = client(world);
    run(world);
    played += 4001;
    ask(asking, "Path", "{\"Name\":\"bill\"}");
    run(world);
    has_failed(asking, "try again");
}

int main(void)
{
    allow_descriptors();
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(answers_at_once, begin, end),
        cmocka_unit_test_setup_teardown(in_pieces, begin, end),
        cmocka_unit_test_setup_teardown(chunked, begin, end),
        cmocka_unit_test_setup_teardown(gone, begin, end),
        cmocka_unit_test_setup_teardown(refuses, begin, end),
        cmocka_unit_test_setup_teardown(has_bounds, begin, end),
        cmocka_unit_test_setup_teardown(without_a_server, begin, end),
        cmocka_unit_test_setup_teardown(a_server_that_hangs, begin, end),
        cmocka_unit_test_setup_teardown(says_nothing, begin, end),
        cmocka_unit_test_setup_teardown(kept_from_running, begin, end),
        cmocka_unit_test_setup_teardown(does_not_read, begin, end),
        cmocka_unit_test_setup_teardown(crowds, begin, end),
        cmocka_unit_test_setup_teardown(a_thousand_at_once, begin, end),
        cmocka_unit_test_setup_teardown(ends_in_the_middle, begin, end),
        cmocka_unit_test_setup_teardown(an_answer_after_the_turn_of_http_goes_out, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
