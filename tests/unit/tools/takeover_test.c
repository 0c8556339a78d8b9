/* Who answers as a server that is to be taken over, and is none, or hands over what is not to be
 * believed. */
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
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "fs/roster.h"
#include "fs/state.h"
#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/emsad/takeover.h"

static struct world {
    struct supervisor supervisor;
    struct channel_message message;
    int listener, channel;
    void (*speak)(struct world *, int channel);
} world;

static void say(int channel, enum channel_kind kind, uint32_t flags)
{
    struct channel_message message = {.kind = kind, .flags = flags};
    (void)channel_send(channel, &message, NULL, 0, -1);
}

static void says_nothing(struct world *w, int channel)
{
    (void)w;
    (void)shutdown(channel, SHUT_RDWR);
}

static void is_older(struct world *w, int channel)
{
    (void)w;
    say(channel, CHANNEL_HELLO, CHANNEL_VERSION - 1);
}

static void begins_otherwise(struct world *w, int channel)
{
    (void)w;
    say(channel, CHANNEL_HANDED, CHANNEL_VERSION);
}

static void has_nothing(struct world *w, int channel)
{
    (void)w;
    say(channel, CHANNEL_HELLO, CHANNEL_VERSION);
    say(channel, CHANNEL_HANDED, 0);
}

static void hold(struct world *w, int channel, int state, int roster)
{
    const int fds[] = {state, state, state, roster, state}; /* lock and listener, audit ring */
    w->message = (struct channel_message){.kind = CHANNEL_HELD};
    memcpy(w->message.text, w->supervisor.holdings.place.store, sizeof w->message.text);
    say(channel, CHANNEL_HELLO, CHANNEL_VERSION);
    (void)channel_send(channel, &w->message, fds, 5, -1);
}

/* As long as is right, and may be made shorter at any moment. */
static void has_loose_memory(struct world *w, int channel)
{
    int roster = -1, sound = -1, loose = memfd_create("loose", MFD_CLOEXEC);
    void *copy = malloc(sizeof(struct state));
    if (copy != NULL && roster_create(&roster) == 0 && state_create(&sound) == 0 &&
        pread(sound, copy, sizeof(struct state), 0) == (ssize_t)sizeof(struct state) &&
        write(loose, copy, sizeof(struct state)) == (ssize_t)sizeof(struct state))
        hold(w, channel, loose, roster);
    free(copy);
    descriptor_close(&roster);
    descriptor_close(&sound);
    descriptor_close(&loose);
}

static void has_no_connection(struct world *w, int channel)
{
    int roster = -1, state = -1, other = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (roster_create(&roster) == 0 && state_create(&state) == 0)
        hold(w, channel, state, roster);
    w->message = (struct channel_message){.kind = CHANNEL_VIEW, .view = 1, .options.id = 1};
    (void)channel_send(channel, &w->message, &other, 1, -1);
    say(channel, CHANNEL_HANDED, 0);
    descriptor_close(&roster);
    descriptor_close(&state);
    descriptor_close(&other);
}

/* Takes one call, and speaks over the channel that it brings. */
static void *run(void *arg)
{
    struct world *w = arg;
    char call[256];
    int channel = -1, is_cut;
    size_t count;
    int peer = accept(w->listener, NULL, NULL);
    if (descriptor_wait(peer, POLLIN, -1) == 0 &&
        descriptor_receive(peer, call, sizeof call, &channel, 1, &count, &is_cut) > 0)
        w->speak(w, channel);
    w->channel = channel; /* open until it was judged */
    descriptor_close(&peer);
    return NULL;
}

static void meets(void (*speak)(struct world *, int), int expected, const char *words)
{
    char folder[] = "/tmp/emsa-takeover.XXXXXX";
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    pthread_t thread;
    world = (struct world){.speak = speak, .listener = socket(AF_UNIX, SOCK_STREAM, 0)};
    world.supervisor.server = CHILD_INIT("server");
    struct holdings *holdings = &world.supervisor.holdings;
    holdings->lock = holdings->listener = holdings->state = holdings->roster = -1;
    holdings->identity = holdings->identity_key = holdings->audit = holdings->self = -1;
    holdings->is_inherited = true; /* nothing is to be removed */
    assert_non_null(mkdtemp(folder));
    (void)snprintf(holdings->place.store, sizeof holdings->place.store, "%s", folder);
    (void)snprintf(holdings->place.socket, sizeof holdings->place.socket, "%s/socket", folder);
    (void)snprintf(name.sun_path, sizeof name.sun_path, "%s/socket", folder);
    assert_int_equal(bind(world.listener, (struct sockaddr *)&name, sizeof name), 0);
    assert_int_equal(listen(world.listener, 1), 0);
    assert_int_equal(pthread_create(&thread, NULL, run, &world), 0);
    assert_int_equal(takeover_ask(&world.supervisor), expected);
    assert_int_equal(pthread_join(thread, NULL), 0);
    if (words != NULL)
        assert_non_null(strstr(error_text(), words));
    assert_int_equal(world.supervisor.server.pid, 0);
    assert_int_equal(world.supervisor.views.count, 0);
    holdings_release(holdings);
    close(world.listener);
    close(world.channel);
    (void)unlink(name.sun_path);
    (void)rmdir(folder);
}

static void who_says_nothing(void **state)
{
    (void)state;
    meets(says_nothing, 1, NULL);
}

static void who_is_of_another_version(void **state)
{
    (void)state;
    meets(is_older, -ERR_FORMAT, "of another version");
    meets(begins_otherwise, -ERR_FORMAT, "of another version");
}

static void who_hands_over_too_little(void **state)
{
    (void)state;
    meets(has_nothing, -ERR_IO, "less than it holds");
}

static void whose_memory_may_shrink(void **state)
{
    (void)state;
    meets(has_loose_memory, -ERR_FORMAT, "no sealed memory");
}

static void whose_view_is_none(void **state)
{
    (void)state;
    meets(has_no_connection, -ERR_IO, "no view");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_says_nothing),          cmocka_unit_test(who_is_of_another_version),
        cmocka_unit_test(who_hands_over_too_little), cmocka_unit_test(whose_memory_may_shrink),
        cmocka_unit_test(whose_view_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
