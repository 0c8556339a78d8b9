/* The notifier with a pipe in place of a kernel: what is written, in which order, and what is
 * confirmed. */
#include <errno.h>
#include <fcntl.h>
#include <linux/fuse.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/effect.h"
#include "fs/message.h"
#include "fs/node.h"
#include "fs/notifier.h"
#include "fs/roster.h"

static struct notifier *notifier;
static int server; /* our end */

static int make(void **state)
{
    (void)state;
    int ends[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends) < 0)
        return 1;
    server = ends[0];
    struct notifier_options options = {.socket = ends[1]};
    if (roster_create(&options.roster) < 0)
        return 1;
    int error = notifier_new(&notifier, &options);
    close(options.roster);
    return error;
}

static int end(void **state)
{
    (void)state;
    notifier_free(notifier);
    close(server);
    return 0;
}

static void ask(uint32_t kind, uint32_t view, uint64_t a, uint64_t b, const struct effects *effects)
{
    struct {
        struct message message;
        unsigned char data[MESSAGE_MAX];
    } packet = {.message = {.kind = kind, .view = view, .a = a, .b = b}};
    if (effects) {
        packet.message.size = (uint32_t)effects->size;
        memcpy(packet.data, effects->data, effects->size);
    }
    size_t size = sizeof(packet.message) + packet.message.size;
    assert_int_equal(send(server, &packet, size, 0), size);
}

static struct message confirmed(void)
{
    struct message message;
    assert_int_equal(recv(server, &message, sizeof(message), 0), sizeof(message));
    return message;
}

static bool something_confirmed(void)
{
    struct pollfd fd = {.fd = server, .events = POLLIN};
    return poll(&fd, 1, 0) > 0;
}

/* One notify message as it was written to the kernel. */
struct told {
    struct fuse_out_header header;
    union {
        struct fuse_notify_inval_inode_out node;
        struct fuse_notify_inval_entry_out entry;
        char bytes[512];
    };
};

static void hear(int fd, struct told *told)
{
    memset(told, 0, sizeof(*told));
    assert_int_equal(read(fd, &told->header, sizeof(told->header)), sizeof(told->header));
    size_t rest = told->header.len - sizeof(told->header);
    assert_int_equal(read(fd, told->bytes, rest), rest);
    assert_true(told->header.unique == 0);
}

static void change_for(struct effects *effects)
{
    struct outcome outcome = {
        .kind = OUTCOME_KEY, .mark = '~', .environment = 1, .service = 2, .name_id = 3};
    memset(effects, 0, sizeof(*effects));
    assert_true(effects_of(effects, &outcome));
}

static void tells_in_order_and_confirms(void **state)
{
    (void)state;
    static struct effects effects;
    struct told told;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(notifier_view_add(notifier, 5, ends[1]), 0);
    change_for(&effects);
    ask(MESSAGE_CHANGE, 5, 100, 41, &effects);
    assert_int_equal(notifier_work(notifier), 0);
    hear(ends[0], &told);
    assert_int_equal(told.header.error, FUSE_NOTIFY_INVAL_ENTRY);
    assert_true(told.entry.parent == node_service(1, 2, 0));
    assert_int_equal(told.entry.namelen, 1); /* a name that cannot be: only to wait */
    hear(ends[0], &told);
    assert_int_equal(told.header.error, FUSE_NOTIFY_INVAL_INODE);
    assert_true(told.node.ino == node_key(1, 3) && told.node.off == 0 && told.node.len == 0);
    struct message message = confirmed();
    assert_int_equal(message.kind, MESSAGE_CHANGE);
    assert_true(message.view == 5 && message.a == 100 && message.b == 41);
    ask(MESSAGE_SWEEP, 5, 77, 3, NULL);
    assert_int_equal(notifier_work(notifier), 0);
    hear(ends[0], &told);
    assert_true(told.node.ino == 77);
    message = confirmed();
    assert_true(message.kind == MESSAGE_SWEEP && message.a == 77 && message.b == 3);
    close(ends[0]);
}

static void waits_for_a_view_to_come(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    ask(MESSAGE_SWEEP, 6, 77, 1, NULL);
    assert_int_equal(notifier_work(notifier), 0);
    assert_false(something_confirmed());
    assert_int_equal(notifier_view_add(notifier, 6, ends[1]), 0);
    assert_true(confirmed().view == 6);
    close(ends[0]);
}

/* A view that is stuck (its pipe is full) delays no other. */
static void a_stuck_view_is_alone(void **state)
{
    (void)state;
    int stuck[2], free_one[2];
    char fill[4096] = "";
    assert_int_equal(pipe(stuck), 0);
    assert_int_equal(pipe(free_one), 0);
    for (int i = 0; i < 16; i++)
        assert_int_equal(write(stuck[1], fill, sizeof(fill)), sizeof(fill));
    assert_int_equal(notifier_view_add(notifier, 1, stuck[1]), 0);
    assert_int_equal(notifier_view_add(notifier, 2, free_one[1]), 0);
    ask(MESSAGE_SWEEP, 1, 10, 1, NULL);
    ask(MESSAGE_SWEEP, 2, 20, 1, NULL);
    assert_int_equal(notifier_work(notifier), 0);
    assert_true(confirmed().view == 2);
    assert_false(something_confirmed());
    for (int i = 0; i < 16; i++)
        assert_int_equal(read(stuck[0], fill, sizeof(fill)), sizeof(fill));
    assert_true(confirmed().view == 1);
    close(stuck[0]);
    close(free_one[0]);
}

static void new_server(void)
{
    int ends[2];
    close(server);
    assert_int_equal(notifier_work(notifier), 1);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, ends), 0);
    server = ends[0];
    assert_int_equal(notifier_server(notifier, ends[1]), 0);
}

static void a_new_server_hears_nothing_of_what_waited(void **state)
{
    (void)state;
    int pipes[2];
    ask(MESSAGE_SWEEP, 9, 1, 1, NULL); /* waits for its view */
    assert_int_equal(notifier_work(notifier), 0);
    new_server();
    assert_int_equal(pipe(pipes), 0);
    assert_int_equal(notifier_view_add(notifier, 9, pipes[1]), 0);
    ask(MESSAGE_SWEEP, 9, 2, 1, NULL);
    assert_int_equal(notifier_work(notifier), 0);
    assert_true(confirmed().a == 2);
    close(pipes[0]);
}

static void nor_of_what_was_being_told(void **state)
{
    (void)state;
    static struct effects effects;
    struct outcome outcome = {.kind = OUTCOME_KEY, .mark = '~', .environment = 1};
    char fill[4096] = "";
    int pipes[2], unread;
    memset(&effects, 0, sizeof(effects));
    for (outcome.name_id = 1; effects_of(&effects, &outcome); outcome.name_id++)
        ;
    assert_int_equal(pipe(pipes), 0);
    for (int i = 0; i < 15; i++)
        assert_int_equal(write(pipes[1], fill, sizeof(fill)), sizeof(fill));
    assert_int_equal(notifier_view_add(notifier, 9, pipes[1]), 0);
    ask(MESSAGE_CHANGE, 9, 1, 1, &effects);
    assert_int_equal(notifier_work(notifier), 0);
    do /* until it has begun; it can't end, the pipe is too full for that */
        assert_int_equal(ioctl(pipes[0], FIONREAD, &unread), 0);
    while (unread <= 15 * 4096);
    new_server();
    ask(MESSAGE_SWEEP, 9, 2, 1, NULL);
    assert_int_equal(notifier_work(notifier), 0);
    struct pollfd fds[2] = {{.fd = server, .events = POLLIN}, {.fd = pipes[0], .events = POLLIN}};
    while (poll(fds, 2, -1) > 0 && !fds[0].revents)
        assert_true(read(pipes[0], fill, sizeof(fill)) > 0);
    assert_true(confirmed().a == 2);
    close(pipes[0]);
}

static void an_ended_view_is_forgotten(void **state)
{
    (void)state;
    int ends[2];
    ask(MESSAGE_SWEEP, 3, 1, 1, NULL);
    ask(MESSAGE_END, 3, 0, 0, NULL);
    assert_int_equal(notifier_work(notifier), 0);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(notifier_view_add(notifier, 3, ends[1]), 0);
    ask(MESSAGE_SWEEP, 3, 2, 1, NULL);
    assert_int_equal(notifier_work(notifier), 0);
    assert_true(confirmed().a == 2);
    close(ends[0]);
    notifier_view_remove(notifier, 3);
    notifier_view_remove(notifier, 3);
}

static void packets_of_others_are_passed_over(void **state)
{
    (void)state;
    struct message message = {.kind = MESSAGE_CHANGE, .view = 1, .size = 99};
    assert_int_equal(send(server, "x", 1, 0), 1);
    assert_int_equal(send(server, &message, sizeof(message), 0), sizeof(message));
    assert_int_equal(notifier_work(notifier), 0);
    assert_false(something_confirmed());
}

/* A folder in place of a mount. */
static char folder[] = "/tmp/emsa-notifier-XXXXXX";
static atomic_int warnings;

static int folder_open(void *arg, uint32_t view)
{
    (void)arg, (void)view;
    return open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
}

static void warn(void *arg, const char *text)
{
    (void)arg;
    assert_non_null(strstr(text, "prod/web/REFUSED"));
    assert_non_null(strstr(text, strerror(EISDIR)));
    atomic_fetch_add(&warnings, 1);
}

static const char *within(const char *name)
{
    static char texts[4][128];
    static unsigned next;
    char *text = texts[next++ % 4];
    snprintf(text, sizeof(texts[0]), "%s/%s", folder, name);
    return text;
}

/* What cannot be told now is told later; what comes after it does not wait. */
static void an_event_that_is_refused_is_not_lost(void **state)
{
    (void)state;
    static struct effects effects;
    int ends[2], pair[2], roster;
    struct stat before, after;
    struct notifier *other = notifier;
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, pair), 0);
    assert_non_null(mkdtemp(folder));
    assert_int_equal(mkdir(within("prod"), 0700) + mkdir(within("prod/web"), 0700), 0);
    assert_int_equal(mkdir(within("prod/web/REFUSED"), 0700), 0);
    assert_int_equal(mknod(within("prod/web/TAKEN"), S_IFREG | 0600, 0), 0);
    assert_int_equal(roster_create(&roster), 0);
    const struct notifier_options options = {
        .socket = pair[1], .roster = roster, .ask = folder_open, .alarm = warn};
    assert_int_equal(notifier_new(&notifier, &options), 0);
    int unused = server;
    server = pair[0];
    assert_int_equal(notifier_view_add(notifier, 5, ends[1]), 0);

    effects.size = 0;
    assert_true(
        effects_append(&effects, &(struct effect){.kind = EFFECT_TOUCH}, "prod/web/REFUSED"));
    assert_true(effects_append(&effects, &(struct effect){.kind = EFFECT_TOUCH}, "prod/web/TAKEN"));
    ask(MESSAGE_EVENTS, 5, 1, 41, &effects);
    effects.size = 0;
    assert_true(effects_append(&effects, &(struct effect){.kind = EFFECT_TOUCH}, "prod/web/TAKEN"));
    ask(MESSAGE_EVENTS, 5, 2, 42, &effects);
    assert_int_equal(notifier_work(notifier), 0);
    assert_true(confirmed().a == 2);
    assert_int_equal(atomic_load(&warnings), 1);

    assert_int_equal(rmdir(within("prod/web/REFUSED")), 0);
    assert_int_equal(mknod(within("prod/web/was"), S_IFREG | 0600, 0), 0);
    const struct timespec old[2] = {{.tv_sec = 1}, {.tv_sec = 1}};
    assert_int_equal(utimensat(AT_FDCWD, within("prod/web/was"), old, 0), 0);
    assert_int_equal(stat(within("prod/web/was"), &before), 0);
    assert_int_equal(rename(within("prod/web/was"), within("prod/web/REFUSED")), 0);
    assert_true(confirmed().a == 1);
    assert_int_equal(stat(within("prod/web/REFUSED"), &after), 0);
    assert_true(after.st_mtim.tv_sec > before.st_mtim.tv_sec);
    assert_int_equal(atomic_load(&warnings), 1); /* said once */

    notifier_free(notifier);
    notifier = other;
    server = unused;
    close(pair[0]);
    close(roster);
    close(ends[0]);
    unlink(within("prod/web/REFUSED")), unlink(within("prod/web/TAKEN"));
    rmdir(within("prod/web")), rmdir(within("prod")), rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_in_order_and_confirms, make, end),
        cmocka_unit_test_setup_teardown(waits_for_a_view_to_come, make, end),
        cmocka_unit_test_setup_teardown(a_stuck_view_is_alone, make, end),
        cmocka_unit_test_setup_teardown(a_new_server_hears_nothing_of_what_waited, make, end),
        cmocka_unit_test_setup_teardown(nor_of_what_was_being_told, make, end),
        cmocka_unit_test_setup_teardown(an_ended_view_is_forgotten, make, end),
        cmocka_unit_test_setup_teardown(packets_of_others_are_passed_over, make, end),
        cmocka_unit_test_setup_teardown(an_event_that_is_refused_is_not_lost, make, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
