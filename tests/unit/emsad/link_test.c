/* Server threads that wait for the supervisor: each gets its own answer, and none waits for ever.
 * Alarms: in order, counted when there are too many. What a service manager hears. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"
#include "tools/emsad/alarms.h"
#include "tools/emsad/link.h"
#include "tools/emsad/service_manager.h"

#define ASKING 8

struct asking {
    struct link *link;
    uint32_t uid; /* tells who asks */
    int error;
    int mount_fd;
    char text[64];
};

static void *ask(void *arg)
{
    struct asking *asking = arg;
    struct view_options options = {.uid = asking->uid};
    uint32_t view = 0;
    asking->error = link_mount(asking->link, &options, NULL, &view, &asking->mount_fd);
    if (asking->error == 0)
        assert_int_equal(view, asking->uid + 100);
    if (asking->error < 0)
        (void)snprintf(asking->text, sizeof asking->text, "%.63s", error_text());
    return NULL;
}

/* Takes what the link sends, as a supervisor would. */
static void take(int channel, struct channel_message *message)
{
    struct channel_descriptors descriptors;
    assert_int_equal(descriptor_wait(channel, POLLIN, -1), 0);
    assert_int_equal(channel_receive(channel, message, &descriptors), 0);
    assert_int_equal(descriptors.count, 0);
}

static ino_t inode(int fd)
{
    struct stat status;
    assert_int_equal(fstat(fd, &status), 0);
    return status.st_ino;
}

/* Answers come in another order than questions, every third is a failure. */
static void everybody_gets_their_own(void **state)
{
    (void)state;
    int pair[2];
    struct asking asking[ASKING];
    pthread_t threads[ASKING];
    struct channel_message asked[ASKING];
    ino_t given[ASKING];
    struct link *link;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(link_new(&link, pair[0]), 0);
    for (uint32_t i = 0; i < ASKING; i++) {
        asking[i] = (struct asking){.link = link, .uid = i, .mount_fd = -1};
        assert_int_equal(pthread_create(&threads[i], NULL, ask, &asking[i]), 0);
    }
    for (size_t i = 0; i < ASKING; i++) {
        take(pair[1], &asked[i]);
        assert_int_equal(asked[i].kind, CHANNEL_MOUNT);
    }
    for (size_t n = 0; n < ASKING; n++) {
        size_t i = (n * 5 + 3) % ASKING;
        struct channel_message answer = {.kind = CHANNEL_MOUNTED, .request = asked[i].request};
        uint32_t uid = asked[i].options.uid;
        int ends[2], none = -1;
        if (uid % 3 == 0) {
            answer.error = -ERR_DENIED;
            (void)snprintf(answer.text, sizeof answer.text, "no right %u", uid);
            link_mounted(link, &answer, &none);
            continue;
        }
        assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
        given[uid] = inode(ends[0]);
        descriptor_close(&ends[1]);
        answer.view = uid + 100;
        link_mounted(link, &answer, &ends[0]);
        assert_int_equal(ends[0], -1);
    }
    for (uint32_t i = 0; i < ASKING; i++)
        if (i % 3 != 0)
            link_adopted(link, i + 100, i == 5 ? error_set(ERR_IO, "no right 5") : 0);
    for (size_t i = 0; i < ASKING; i++) {
        char text[64];
        assert_int_equal(pthread_join(threads[i], NULL), 0);
        (void)snprintf(text, sizeof text, "no right %zu", i);
        if (i % 3 == 0 || i == 5) {
            assert_int_equal(asking[i].error, i == 5 ? -ERR_IO : -ERR_DENIED);
            assert_int_equal(asking[i].mount_fd, -1);
            assert_string_equal(asking[i].text, text);
        } else {
            assert_int_equal(asking[i].error, 0);
            assert_int_equal(inode(asking[i].mount_fd), given[i]);
        }
        descriptor_close(&asking[i].mount_fd);
    }
    /* An answer that nobody waits for is closed. */
    int ends[2];
    struct channel_message late = {.kind = CHANNEL_MOUNTED, .request = 999};
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    int closed = ends[0];
    link_mounted(link, &late, &ends[0]);
    assert_int_equal(fcntl(closed, F_GETFD), -1);
    descriptor_close(&ends[1]);
    link_close(link);
    link_free(link);
    descriptor_close(&pair[0]);
    descriptor_close(&pair[1]);
}

static void an_end_wakes_who_waits(void **state)
{
    (void)state;
    int pair[2];
    pthread_t thread;
    struct link *link;
    struct channel_message message;
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair), 0);
    assert_int_equal(link_new(&link, pair[0]), 0);
    struct asking asking = {.link = link, .mount_fd = -1};
    assert_int_equal(pthread_create(&thread, NULL, ask, &asking), 0);
    take(pair[1], &message);
    link_close(link);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(asking.error, -ERR_BUSY);
    (void)ask(&asking); /* and who comes later */
    assert_int_equal(asking.error, -ERR_BUSY);
    link_tell(link, CHANNEL_GONE, 5);
    take(pair[1], &message);
    assert_int_equal(message.kind, CHANNEL_GONE);
    assert_int_equal(message.view, 5);
    link_fail(link, -ERR_CORRUPT, "rotten");
    take(pair[1], &message);
    assert_int_equal(message.error, -ERR_CORRUPT);
    assert_string_equal(message.text, "rotten");
    link_free(link);
    descriptor_close(&pair[0]);
    descriptor_close(&pair[1]);
}

static void *stop_alarms(void *arg)
{
    alarms_stop();
    return arg;
}

/* stderr is a pipe that nobody reads at first: whoever raises an alarm must not notice. */
static void alarms_do_not_wait(void **state)
{
    (void)state;
    int ends[2], before = dup(STDERR_FILENO);
    char line[64], *text = malloc(1 << 20);
    size_t size = 0;
    assert_non_null(text);
    log_setup("test");
    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    assert_int_equal(dup2(ends[1], STDERR_FILENO), STDERR_FILENO);
    descriptor_close(&ends[1]);
    assert_int_equal(alarms_start(), 0);
    for (int n = 0; n < 5000; n++) { /* far more than the pipe and the ring hold */
        (void)snprintf(line, sizeof line, "alarm %d of a place that is damaged", n);
        alarms_raise(NULL, line);
    }
    pthread_t stopping;
    assert_int_equal(pthread_create(&stopping, NULL, stop_alarms, NULL), 0);
    int last = -1, seen = 0;
    unsigned long lost = 0;
    FILE *file = fdopen(ends[0], "r");
    assert_non_null(file);
    while (seen + (int)lost < 5000 && fgets(text, 1 << 20, file) != NULL) {
        int number;
        unsigned long more;
        size += strlen(text);
        if (sscanf(text, "test: error: alarm %d", &number) == 1) {
            assert_true(number > last);
            last = number;
            seen++;
        } else {
            assert_int_equal(sscanf(text, "test: error: %lu more", &more), 1);
            lost += more;
        }
    }
    assert_int_equal(pthread_join(stopping, NULL), 0);
    assert_int_equal(dup2(before, STDERR_FILENO), STDERR_FILENO);
    assert_int_equal(seen + (int)lost, 5000);
    assert_true(lost > 0 && size > 0);
    (void)fclose(file);
    descriptor_close(&before);
    free(text);
}

static void a_service_manager_hears(void **state)
{
    (void)state;
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t size = sizeof(sa_family_t); /* the kernel chooses an abstract name */
    char path[128] = "@", text[64];
    int manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    assert_int_equal(bind(manager, (struct sockaddr *)&name, size), 0);
    size = sizeof name;
    assert_int_equal(getsockname(manager, (struct sockaddr *)&name, &size), 0);
    memcpy(path + 1, name.sun_path + 1, size - offsetof(struct sockaddr_un, sun_path) - 1);
    assert_int_equal(setenv("NOTIFY_SOCKET", path, 1), 0);
    service_manager_tell("READY=%d\nSTATUS=%s", 1, "here");
    ssize_t got = recv(manager, text, sizeof text - 1, MSG_DONTWAIT);
    assert_true(got > 0);
    text[got] = '\0';
    assert_string_equal(text, "READY=1\nSTATUS=here");
    /* Nobody there, nonsense, nothing: none of it matters. */
    descriptor_close(&manager);
    service_manager_tell("READY=1");
    assert_int_equal(setenv("NOTIFY_SOCKET", "relative", 1), 0);
    service_manager_tell("READY=1");
    assert_int_equal(unsetenv("NOTIFY_SOCKET"), 0);
    service_manager_tell("READY=1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(everybody_gets_their_own),
        cmocka_unit_test(an_end_wakes_who_waits),
        cmocka_unit_test(alarms_do_not_wait),
        cmocka_unit_test(a_service_manager_hears),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
