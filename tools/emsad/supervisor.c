/*
 * One thread, one loop: signals, what the two children say, and moments that have come. Nothing
 * here waits for a child but for it to take a message, and a child that does not take one is
 * replaced.
 *
 * A server's death, in this order: it is reaped (so LMDB has no second opener, and what it had read
 * can be sent again), the kernel is asked to send again what the dead one had in its hands (or the
 * next one finds it in the shared memory), the next one is given the same descriptors and answers.
 * No reader sees an error; it waits for as long as that takes.
 */
#include "tools/emsad/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/replay.h"
#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/exit_status.h"
#include "tools/common/log.h"
#include "tools/common/ready.h"
#include "tools/emsad/channel.h"
#include "tools/emsad/child.h"
#include "tools/emsad/holdings.h"
#include "tools/emsad/service_manager.h"
#include "tools/emsad/views.h"

#define SEND_MILLISECONDS 5000 /* for a child to take a message */
#define STOP_MILLISECONDS 5000 /* for the server to finish what it does */
#define LAST_MILLISECONDS 1000 /* for what was ended by force to be reaped */
#define FAILURES_MAX 20 /* servers in a row that could not begin, which takes some ten seconds */

enum phase { STARTING, SERVING, STOPPING, FORCING };

struct supervisor {
    const struct daemon_options *options;
    struct holdings holdings;
    struct child server, notifier;
    struct views views;
    enum phase phase;
    int signals;         /* signalfd */
    int ready_fd;        /* -1: nobody waits, or was told */
    bool has_opened;     /* the server now running has the store open, and takes views */
    int64_t deadline;    /* of STOPPING and FORCING */
    int failure;         /* why it ends, 0: as asked */
    char text[PATH_MAX]; /* of the failure */
};

static void stop(struct supervisor *supervisor);

/* Keeps the first reason, and ends. */
static void fail(struct supervisor *supervisor, int error, const char *text)
{
    if (supervisor->failure == 0 && supervisor->phase < STOPPING) {
        supervisor->failure = error;
        (void)snprintf(supervisor->text, sizeof supervisor->text, "%s", text);
    }
    stop(supervisor);
}

/* A child that does not take a message is as good as dead. */
static void judge_sent(struct child *child, int error)
{
    if (error == 0)
        return;
    log_error("the %s: %s", child->role, error_text());
    child_kill(child);
}

static void send_view(struct child *child, const struct view *view)
{
    if (child->channel >= 0)
        judge_sent(child, view_send(view, child->channel, SEND_MILLISECONDS));
}

static void send_notifier_socket(struct child *child, int socket, pid_t pid)
{
    struct channel_message message = {.kind = CHANNEL_NOTIFIER, .pid = (int32_t)pid};
    judge_sent(child, channel_send(child->channel, &message, &socket, 1, SEND_MILLISECONDS));
}

/* A new channel between server and notifier, when both are there. */
static void pair_up(struct supervisor *supervisor)
{
    if (!supervisor->has_opened || supervisor->notifier.pid == 0)
        return;
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0) {
        log_error("cannot make a channel between server and notifier: %s", strerror(errno));
        child_kill(&supervisor->notifier); /* tried again with the next */
        return;
    }
    send_notifier_socket(&supervisor->notifier, pair[0], 0);
    send_notifier_socket(&supervisor->server, pair[1], supervisor->notifier.pid);
    descriptor_close(&pair[0]);
    descriptor_close(&pair[1]);
}

static void send_setup(struct supervisor *supervisor)
{
    const struct holdings *holdings = &supervisor->holdings;
    struct channel_message message = {.kind = CHANNEL_SETUP,
                                      .threads = supervisor->options->threads};
    if (supervisor->options->on_demand)
        message.flags |= CHANNEL_ON_DEMAND;
    if (supervisor->views.last_id > 0)
        message.flags |= CHANNEL_HAD_VIEWS;
    memcpy(message.text, holdings->place.store, sizeof message.text);
    memcpy(message.identity, holdings->place.identity, sizeof message.identity);
    const int fds[SETUP_DESCRIPTORS] = {[SETUP_LOCK] = holdings->lock,
                                        [SETUP_LISTENER] = holdings->listener,
                                        [SETUP_STATE] = holdings->state,
                                        [SETUP_IDENTITY] = holdings->identity};
    size_t count = holdings->identity >= 0 ? SETUP_DESCRIPTORS : SETUP_IDENTITY;
    judge_sent(&supervisor->server,
               channel_send(supervisor->server.channel, &message, fds, count, SEND_MILLISECONDS));
}

static void start_server(struct supervisor *supervisor)
{
    supervisor->has_opened = false;
    if (child_start(&supervisor->server, supervisor->holdings.self) == 0) {
        send_setup(supervisor);
        return;
    }
    log_error("%s", error_text());
    if (supervisor->phase == STARTING)
        fail(supervisor, -ERR_IO, error_text());
    supervisor->server.restart_at = deadline_in(1000);
}

static void start_notifier(struct supervisor *supervisor)
{
    if (child_start(&supervisor->notifier, supervisor->holdings.self) < 0) {
        log_error("%s", error_text());
        supervisor->notifier.restart_at = deadline_in(1000);
        return;
    }
    child_ready(&supervisor->notifier);
    for (size_t i = 0; i < supervisor->views.count; i++)
        send_view(&supervisor->notifier, &supervisor->views.items[i]);
    pair_up(supervisor);
}

/* The server has the store open: everything that lives is handed over, and then it answers. */
static void hand_over(struct supervisor *supervisor)
{
    supervisor->has_opened = true;
    pair_up(supervisor);
    for (size_t i = 0; i < supervisor->views.count; i++)
        send_view(&supervisor->server, &supervisor->views.items[i]);
    judge_sent(&supervisor->server,
               channel_send_plain(supervisor->server.channel, CHANNEL_START, 0, SEND_MILLISECONDS));
}

/* The directories of --mount, once their readers are answered. */
static int attach_all(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->views.count; i++) {
        struct view *view = &supervisor->views.items[i];
        if (view->directory == NULL)
            continue;
        int error = mount_attach(view->mount.mount_fd, view->directory);
        if (error < 0)
            return error;
        descriptor_close(&view->mount.mount_fd);
    }
    return 0;
}

static void detach_all(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->views.count; i++) {
        const struct view *view = &supervisor->views.items[i];
        if (view->directory == NULL || view->mount.mount_fd >= 0)
            continue;
        int error = mount_detach(view->directory, false);
        if (error == -ERR_BUSY)
            error = mount_detach(view->directory, true);
        if (error < 0 && error != -ERR_NOT_FOUND)
            log_warning("%s", error_text());
    }
}

static void ready(struct supervisor *supervisor)
{
    child_ready(&supervisor->server);
    if (supervisor->phase != STARTING) {
        if (supervisor->phase == SERVING)
            log_info("server %d serves %zu mounts again", (int)supervisor->server.pid,
                     supervisor->views.count);
        return;
    }
    int error = attach_all(supervisor);
    if (error < 0) {
        fail(supervisor, error, error_text());
        return;
    }
    supervisor->phase = SERVING;
    log_info("serving store '%s'", supervisor->holdings.place.store);
    ready_tell(&supervisor->ready_fd, 0, "");
    service_manager_tell("READY=1\nMAINPID=%d\nSTATUS=serving %s", (int)getpid(),
                         supervisor->holdings.place.store);
}

static int make_view(struct supervisor *supervisor, struct view **out,
                     const struct view_options *options)
{
    struct view_options wanted = *options;
    wanted.replay = supervisor->options->replay;
    return views_make(&supervisor->views, out, &wanted);
}

/* A server asks for a superblock: the caller gets the mount, it and the notifier the connection.
 * Our own descriptor of the mount is closed before the server has the connection, and thus before
 * the caller has the mount: while anybody holds one, the mount is in use and could not be taken
 * away. */
static void mount_for(struct supervisor *supervisor, const struct channel_message *asked)
{
    struct channel_message answer = {.kind = CHANNEL_MOUNTED, .request = asked->request};
    struct child *server = &supervisor->server;
    struct view *view = NULL;
    answer.error = make_view(supervisor, &view, &asked->options);
    if (answer.error < 0) {
        (void)snprintf(answer.text, sizeof answer.text, "%s", error_text());
        judge_sent(server, channel_send(server->channel, &answer, NULL, 0, SEND_MILLISECONDS));
        return;
    }
    answer.view = view->options.id;
    judge_sent(server,
               channel_send(server->channel, &answer, &view->mount.mount_fd, 1, SEND_MILLISECONDS));
    descriptor_close(&view->mount.mount_fd);
    send_view(&supervisor->notifier, view);
    send_view(server, view);
}

static void view_gone(struct supervisor *supervisor, uint32_t id)
{
    views_end(&supervisor->views, id);
    if (supervisor->notifier.channel >= 0)
        judge_sent(&supervisor->notifier, channel_send_plain(supervisor->notifier.channel,
                                                             CHANNEL_GONE, id, SEND_MILLISECONDS));
}

/* Whether the next server may begin where this one could not. */
static bool may_pass(int error)
{
    return error != -ERR_CORRUPT && error != -ERR_FORMAT && error != -ERR_NOT_FOUND;
}

/* A server could not begin. As long as the next one may, readers and callers wait for it; for a
 * store that is damaged or gone they would wait for ever, so they are given their error. */
static void server_failed(struct supervisor *supervisor, int error, const char *text)
{
    if (supervisor->phase == STARTING || !may_pass(error) ||
        supervisor->server.failures >= FAILURES_MAX)
        fail(supervisor, error, text);
    else
        log_error("the server: %s", text);
}

static void handle(struct supervisor *supervisor, const struct channel_message *message)
{
    switch (message->kind) {
    case CHANNEL_OPENED:
        hand_over(supervisor);
        break;
    case CHANNEL_READY:
        ready(supervisor);
        break;
    case CHANNEL_FAILED:
        server_failed(supervisor, message->error, message->text);
        break;
    case CHANNEL_MOUNT:
        mount_for(supervisor, message);
        break;
    case CHANNEL_GONE:
        view_gone(supervisor, message->view);
        break;
    case CHANNEL_END:
        stop(supervisor);
        break;
    default:
        log_error("the server sent what a supervisor does not take");
        child_kill(&supervisor->server);
    }
}

/* All that the server has said. Its end is seen by its being reaped. */
static void listen_to_server(struct supervisor *supervisor)
{
    while (supervisor->server.channel >= 0) {
        struct channel_message message;
        struct channel_descriptors descriptors;
        int outcome = channel_receive(supervisor->server.channel, &message, &descriptors);
        if (outcome == 0) {
            channel_descriptors_release(&descriptors); /* a server sends none */
            handle(supervisor, &message);
            continue;
        }
        if (outcome != 2) {
            descriptor_close(&supervisor->server.channel);
            child_kill(&supervisor->server);
        }
        return;
    }
}

/* Everything that keeps readers waiting is begun before anything is told. */
static void server_ended(struct supervisor *supervisor, int wait_status)
{
    listen_to_server(supervisor); /* its last words */
    if (supervisor->has_opened)
        replay_died(supervisor->holdings.memory, wait_status);
    supervisor->has_opened = false;
    for (size_t i = 0; i < supervisor->views.count; i++)
        if (!supervisor->views.items[i].options.replay)
            (void)mount_resend(supervisor->views.items[i].mount.fuse_fd);
    child_ended(&supervisor->server, wait_status);
    if (supervisor->phase == STARTING)
        fail(supervisor, -ERR_IO, "the server ended before it was ready");
    if (supervisor->phase >= STOPPING)
        supervisor->server.restart_at = -1;
}

static void reap(struct supervisor *supervisor)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid == supervisor->server.pid)
            server_ended(supervisor, status);
        else if (pid == supervisor->notifier.pid)
            child_ended(&supervisor->notifier, status);
    }
}

/* Readers first, while they are still answered; then callers; then the store. */
static void stop(struct supervisor *supervisor)
{
    if (supervisor->phase >= STOPPING)
        return;
    supervisor->phase = STOPPING;
    supervisor->deadline = deadline_in(STOP_MILLISECONDS);
    service_manager_tell("STOPPING=1");
    holdings_hide(&supervisor->holdings);
    detach_all(supervisor);
    supervisor->server.is_leaving = true;
    supervisor->server.restart_at = -1;
    supervisor->notifier.is_leaving = true;
    supervisor->notifier.restart_at = -1;
    if (supervisor->server.channel >= 0) /* if it does not hear it, the deadline ends it */
        (void)channel_send_plain(supervisor->server.channel, CHANNEL_STOP, 0, 0);
}

/* The server is gone: nothing is left for the notifier, which may hang in the kernel until the
 * connections are closed. */
static void let_notifier_go(struct supervisor *supervisor)
{
    views_end_all(&supervisor->views);
    descriptor_close(&supervisor->notifier.channel);
}

static void out_of_time(struct supervisor *supervisor)
{
    if (supervisor->server.pid > 0)
        log_warning("the server did not finish in time, and is ended by force");
    child_kill(&supervisor->server);
    child_kill(&supervisor->notifier);
    let_notifier_go(supervisor);
    supervisor->phase = FORCING;
    supervisor->deadline = deadline_in(LAST_MILLISECONDS);
}

/* Whether there is nothing more to wait for. */
static bool has_ended(struct supervisor *supervisor)
{
    if (supervisor->phase < STOPPING)
        return false;
    if (supervisor->server.pid == 0)
        let_notifier_go(supervisor);
    if (supervisor->server.pid == 0 && supervisor->notifier.pid == 0)
        return true;
    if (deadline_left(supervisor->deadline) > 0)
        return false;
    if (supervisor->phase == FORCING)
        return true;
    out_of_time(supervisor);
    return false;
}

static void take_signals(struct supervisor *supervisor)
{
    struct signalfd_siginfo info;
    while (read(supervisor->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo != SIGCHLD) {
            log_info("ending on signal %u", info.ssi_signo);
            stop(supervisor);
        }
    }
    reap(supervisor);
}

static bool is_due(const struct child *child)
{
    return child->pid == 0 && child->restart_at >= 0 && deadline_left(child->restart_at) == 0;
}

static void restart_due(struct supervisor *supervisor)
{
    if (is_due(&supervisor->server))
        start_server(supervisor);
    if (is_due(&supervisor->notifier))
        start_notifier(supervisor);
}

/* Milliseconds until the next moment that matters; -1: none. */
static int patience(const struct supervisor *supervisor)
{
    const int64_t moments[] = {supervisor->server.restart_at, supervisor->notifier.restart_at,
                               supervisor->phase >= STOPPING ? supervisor->deadline : -1};
    int least = -1;
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        int left = deadline_left(moments[i]);
        if (left >= 0 && (least < 0 || left < least))
            least = left;
    }
    return least;
}

static void run(struct supervisor *supervisor)
{
    while (!has_ended(supervisor)) {
        struct pollfd entries[] = {{.fd = supervisor->signals, .events = POLLIN},
                                   {.fd = supervisor->server.channel, .events = POLLIN}};
        if (poll(entries, 2, patience(supervisor)) < 0 && errno != EINTR) {
            log_error("cannot wait for anything: %s", strerror(errno));
            return;
        }
        if (entries[1].revents != 0)
            listen_to_server(supervisor);
        if (entries[0].revents != 0)
            take_signals(supervisor);
        restart_due(supervisor);
    }
}

static int take_signal_descriptor(struct supervisor *supervisor)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    struct sigaction hangup;
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        (void)sigaddset(&set,
                        SIGHUP); /* not under nohup: what is blocked comes though it is ignored */
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return error_system(errno, "cannot block signals");
    supervisor->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return supervisor->signals < 0 ? error_system(errno, "cannot take signals") : 0;
}

/* The superblocks of --mount: made before there is a server, so that a refusal needs none. */
static int make_views(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->options->mount_count; i++) {
        const struct daemon_mount *wanted = &supervisor->options->mounts[i];
        struct view_options options = {.uid = geteuid(), .gid = getegid(), .cache = wanted->cache};
        struct view *view;
        int error = place_check_mount(&supervisor->holdings.place, wanted->directory);
        if (error == 0)
            error = make_view(supervisor, &view, &options);
        if (error < 0)
            return error;
        view->directory = wanted->directory;
    }
    return 0;
}

static int begin(struct supervisor *supervisor)
{
    int error = take_signal_descriptor(supervisor);
    if (error == 0)
        error = holdings_take(&supervisor->holdings, supervisor->options->store);
    if (error == 0)
        error = make_views(supervisor);
    if (error < 0)
        return error;
    start_notifier(supervisor);
    start_server(supervisor);
    return 0;
}

/* To whoever still waits to hear that it is ready; told last, when everything is given back. */
static void tell_end(struct supervisor *supervisor)
{
    if (supervisor->failure < 0)
        ready_tell(&supervisor->ready_fd, supervisor->failure, supervisor->text);
    else
        ready_tell(&supervisor->ready_fd, -ERR_IO, "the daemon was ended before it was ready");
}

int supervisor_run(const struct daemon_options *options)
{
    static struct supervisor supervisor = {
        .server = CHILD_INIT("server"), .notifier = CHILD_INIT("notifier"), .signals = -1};
    log_setup("emsad");
    supervisor.options = options;
    supervisor.ready_fd = options->ready_fd;
    supervisor.failure = begin(&supervisor);
    if (supervisor.failure < 0)
        (void)snprintf(supervisor.text, sizeof supervisor.text, "%s", error_text());
    else
        run(&supervisor);
    views_end_all(&supervisor.views);
    holdings_release(&supervisor.holdings);
    descriptor_close(&supervisor.signals);
    if (supervisor.failure < 0)
        log_error("%s", supervisor.text);
    tell_end(&supervisor);
    return exit_status(supervisor.failure);
}
