/*
 * The two children: what they are handed, and what the server says.
 *
 * A server's death, in this order: it is reaped (LMDB has no second opener), the kernel is asked to
 * send again what the dead one had in its hands (or the next one finds it in the shared memory),
 * the next is given the same descriptors and answers. No reader sees an error; it waits meanwhile.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/replay.h"
#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"
#include "tools/common/process.h"
#include "tools/emsad/channel.h"
#include "tools/emsad/people_link.h"
#include "tools/emsad/readiness.h"
#include "tools/emsad/record.h"
#include "tools/emsad/supervision.h"
#include "tools/emsad/tally.h"
#include "tools/emsad/volumes.h"

/* More than a socket holds, so that the last words of the dead are heard; and a bound, so that one
 * who never stops talking keeps us from nothing else. */
#define TURN_MESSAGES 1024

#define INSIDE_MILLISECONDS                                                                        \
    2000 /* for the others to be in their sandboxes, once a server answers */

static struct state_figures *figures_of(struct supervisor *supervisor)
{
    return &supervisor->holdings.memory->figures;
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

static void pair_metrics(struct supervisor *supervisor)
{
    if (supervisor->has_opened)
        judge_sent(&supervisor->server, annex_pair(&supervisor->metrics, &supervisor->server));
}

/* Calls are taken by a server that is ready, not before. */
static void pair_volume(struct supervisor *supervisor)
{
    if (supervisor->server.is_ready && supervisor->phase <= SERVING)
        judge_sent(&supervisor->server, annex_pair(&supervisor->volume, &supervisor->server));
}

void serving_start_metrics(struct supervisor *supervisor)
{
    annex_start(&supervisor->metrics);
    pair_metrics(supervisor);
}

void serving_start_volume(struct supervisor *supervisor)
{
    annex_start(&supervisor->volume);
    pair_volume(supervisor);
}

void serving_listen_volume(struct supervisor *supervisor)
{
    if (annex_listen(&supervisor->volume))
        pair_volume(supervisor);
}

void serving_lend(struct supervisor *supervisor)
{
    judge_sent(&supervisor->server,
               credentials_accept(&supervisor->credentials, &supervisor->server));
}

static void send_setup(struct supervisor *supervisor)
{
    const struct holdings *holdings = &supervisor->holdings;
    struct channel_message message = {.kind = CHANNEL_SETUP,
                                      .threads = supervisor->threads,
                                      .uid = geteuid(),
                                      .views_each = supervisor->views_each};
    if (supervisor->is_on_demand)
        message.flags |= CHANNEL_ON_DEMAND;
    message.flags |= supervisor->options->audit_required ? CHANNEL_REQUIRED : 0;
    if (supervisor->phase != STARTING)
        message.flags |= CHANNEL_CONTINUED;
    if (supervisor->views.last_id > 0)
        message.flags |= CHANNEL_HAD_VIEWS;
    memcpy(message.text, holdings->place.store, sizeof message.text);
    memcpy(message.identity, holdings->place.identity, sizeof message.identity);
    int fds[SETUP_DESCRIPTORS];
    size_t count = holdings_give(holdings, fds);
    judge_sent(&supervisor->server,
               channel_send(supervisor->server.channel, &message, fds, count, SEND_MILLISECONDS));
}

static void set_up(struct supervisor *supervisor)
{
    tally_count(&figures_of(supervisor)->server_started);
    watch_started(&supervisor->watch);
    send_setup(supervisor);
}

void serving_start_server(struct supervisor *supervisor)
{
    supervisor->has_opened = false;
    if (child_start(&supervisor->server, upgrade_binary(supervisor)) == 0) {
        set_up(supervisor);
        return;
    }
    log_error("%s", error_text());
    if (supervisor->phase == STARTING)
        supervisor_fail(supervisor, -ERR_IO, error_text());
    supervisor->server.restart_at = deadline_in(1000);
}

static void send_roster(struct supervisor *supervisor)
{
    struct child *notifier = &supervisor->notifier;
    struct channel_message message = {.kind = CHANNEL_ROSTER};
    judge_sent(notifier, channel_send(notifier->channel, &message, &supervisor->holdings.roster, 1,
                                      SEND_MILLISECONDS));
}

void serving_start_notifier(struct supervisor *supervisor)
{
    if (child_start(&supervisor->notifier, supervisor->holdings.self) < 0) {
        log_error("%s", error_text());
        supervisor->notifier.restart_at = deadline_in(1000);
        return;
    }
    tally_count(&figures_of(supervisor)->notifier_started);
    child_ready(&supervisor->notifier);
    watch_notifier_started(&supervisor->watch);
    send_roster(supervisor);
    for (size_t i = 0; i < supervisor->views.count; i++)
        send_view(&supervisor->notifier, &supervisor->views.items[i]);
    pair_up(supervisor);
}

/* The server has the store open: everything that lives is handed over, and then it answers. */
static void hand_over(struct supervisor *supervisor)
{
    supervisor->has_opened = true;
    pair_up(supervisor);
    pair_metrics(supervisor);
    for (size_t i = 0; i < supervisor->views.count; i++)
        send_view(&supervisor->server, &supervisor->views.items[i]);
    judge_sent(&supervisor->server,
               channel_send_plain(supervisor->server.channel, CHANNEL_START, 0, SEND_MILLISECONDS));
}

static void ready(struct supervisor *supervisor)
{
    child_ready(&supervisor->server);
    watch_ready(&supervisor->watch);
    pair_volume(supervisor);
    uint64_t pause = tally_pause(figures_of(supervisor), &supervisor->gap);
    upgrade_ready(supervisor, pause);
    judge_sent(&supervisor->server,
               credentials_served(&supervisor->credentials, &supervisor->server));
    if (supervisor->phase != STARTING) {
        if (supervisor->phase == SERVING)
            log_info("server %d serves %zu mounts again, after %.1f ms",
                     (int)supervisor->server.pid, supervisor->views.count, (double)pause / 1e6);
        return;
    }
    supervisor->ready_by = deadline_in(INSIDE_MILLISECONDS);
    readiness_look(supervisor);
}

/* Files of somebody whom the kernel does not know here would be nobody's, and open to nobody. Where
 * that cannot be asked, it is not judged. */
static int check_owner(const struct view_options *view)
{
    struct process self PROCESS_CLEANUP = PROCESS_NONE;
    uid_t uid = view->uid;
    gid_t gid = view->gid;
    if (process_find(&self, getpid()) < 0 || process_owner(&self, &uid, &gid) != -ERR_INVALID)
        return 0;
    return error_set(
        ERR_INVALID,
        "the server runs in a user namespace that has no user %u or no group %u: start "
        "it in one that has ('podman unshare', 'unshare --map-auto')",
        (unsigned)view->uid, (unsigned)view->gid);
}

int serving_make_view(struct supervisor *supervisor, struct view **out,
                      const struct view_options *options)
{
    struct view_options wanted = *options;
    wanted.replay = supervisor->options->replay;
    int error = check_owner(&wanted);
    if (error == 0)
        error = views_make(&supervisor->views, out, &wanted);
    if (error < 0)
        return error;
    error = watch_add(&supervisor->watch, *out);
    if (error < 0)
        views_end(&supervisor->views, (*out)->options.id);
    return error;
}

void serving_end_view(struct supervisor *supervisor, uint32_t id)
{
    const struct view *view = views_of(&supervisor->views, id);
    if (view != NULL)
        watch_remove(&supervisor->watch, view);
    views_end(&supervisor->views, id);
}

static void mount_volume_for(struct supervisor *supervisor, const struct channel_message *asked)
{
    struct channel_message answer;
    struct child *server = &supervisor->server;
    struct view *view;
    volumes_mount(supervisor, asked, &answer, &view);
    judge_sent(server, channel_send(server->channel, &answer, NULL, 0, SEND_MILLISECONDS));
    if (view == NULL)
        return;
    send_view(&supervisor->notifier, view);
    send_view(server, view);
}

static void unmount_volume_for(struct supervisor *supervisor, const struct channel_message *asked)
{
    struct channel_message answer;
    struct child *server = &supervisor->server;
    volumes_unmount(supervisor, asked, &answer);
    judge_sent(server, channel_send(server->channel, &answer, NULL, 0, SEND_MILLISECONDS));
}

/* A server asks for a superblock: the caller gets the mount, it and the notifier the connection.
 * Our own descriptor of the mount is closed before the server has the connection, and thus before
 * the caller has the mount: while anybody holds one it is in use and could not be taken away. */
static void mount_for(struct supervisor *supervisor, const struct channel_message *asked)
{
    struct channel_message answer = {.kind = CHANNEL_MOUNTED, .request = asked->request};
    struct child *server = &supervisor->server;
    struct view *view = NULL;
    answer.error = serving_make_view(supervisor, &view, &asked->options);
    if (answer.error < 0) {
        (void)snprintf(answer.text, sizeof answer.text, "%s", error_text());
        judge_sent(server, channel_send(server->channel, &answer, NULL, 0, SEND_MILLISECONDS));
        return;
    }
    answer.view = view->options.id;
    judge_sent(server,
               channel_send(server->channel, &answer, &view->mount.mount_fd, 1, SEND_MILLISECONDS));
    descriptor_close(&view->mount.mount_fd);
    if (asked->text[0] == '/' && view_place(view, asked->text, false) == 0)
        record_write(&supervisor->holdings.place, &supervisor->views);
    send_view(&supervisor->notifier, view);
    send_view(server, view);
}

static void view_gone(struct supervisor *supervisor, uint32_t id)
{
    const struct view *view = views_of(&supervisor->views, id);
    bool was_placed = view != NULL && view->directory != NULL;
    serving_end_view(supervisor, id);
    if (was_placed)
        record_write(&supervisor->holdings.place, &supervisor->views);
    if (supervisor->notifier.channel >= 0)
        judge_sent(&supervisor->notifier, channel_send_plain(supervisor->notifier.channel,
                                                             CHANNEL_GONE, id, SEND_MILLISECONDS));
}

int serving_adopted(struct supervisor *supervisor)
{
    struct child *server = &supervisor->server;
    struct channel_message message = {.kind = CHANNEL_ADOPTED};
    if (supervisor->is_on_demand)
        message.flags |= CHANNEL_ON_DEMAND;
    supervisor->has_opened = true;
    tally_count(&figures_of(supervisor)->taken_over);
    watch_ready(&supervisor->watch);
    judge_sent(server, channel_send(server->channel, &message, NULL, 0, SEND_MILLISECONDS));
    for (size_t i = 0; i < supervisor->views.count; i++) /* of the options, new here */
        if (supervisor->views.items[i].mount.mount_fd >= 0)
            send_view(server, &supervisor->views.items[i]);
    pair_metrics(supervisor);
    pair_volume(supervisor);
    /* The notifier before may be at its last deed: the roster keeps it until it leaves. */
    serving_start_notifier(supervisor);
    log_info("follows a supervisor that ended; server %d goes on with %zu mounts", (int)server->pid,
             supervisor->views.count);
    return readiness_reach(supervisor);
}

/* Whether the next server may begin where this one could not. */
static bool may_pass(int error)
{
    return error != -ERR_CORRUPT && error != -ERR_FORMAT && error != -ERR_NOT_FOUND;
}

/* A server could not begin. As long as the next one may, readers and callers wait for it, however
 * often that takes; for a store that is damaged or gone they would wait for ever, so they are given
 * their error. */
static void server_failed(struct supervisor *supervisor, int error, const char *text)
{
    if (upgrade_on_trial(supervisor))
        log_error("the new server: %s", text);
    else if (supervisor->phase == STARTING || !may_pass(error))
        supervisor_fail(supervisor, error, text);
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
        if (message->flags & CHANNEL_IS_VOLUME)
            mount_volume_for(supervisor, message);
        else
            mount_for(supervisor, message);
        break;
    case CHANNEL_UNMOUNT:
        unmount_volume_for(supervisor, message);
        break;
    case CHANNEL_PEOPLE:
        judge_sent(&supervisor->server, people_link_answer(&supervisor->server, message));
        break;
    case CHANNEL_GONE:
        view_gone(supervisor, message->view);
        break;
    case CHANNEL_HELLO: /* one that was not started for an upgrade */
        break;
    case CHANNEL_SILENT:
        supervisor->gap = tally_now();
        break;
    case CHANNEL_LENT:
        credentials_lent(&supervisor->credentials, message->view);
        break;
    case CHANNEL_UPGRADE:
        upgrade_begin(supervisor);
        break;
    case CHANNEL_CALLED:
        watch_called(&supervisor->watch);
        break;
    case CHANNEL_ANSWERED:
        watch_answered(&supervisor->watch, message->calls);
        break;
    case CHANNEL_END:
        supervisor_stop(supervisor);
        break;
    default:
        log_error("the server sent what a supervisor does not take");
        child_kill(&supervisor->server);
    }
}

/* What the server has said. Its end is seen by its being reaped. */
void serving_listen(struct supervisor *supervisor)
{
    for (int left = TURN_MESSAGES; left > 0 && supervisor->server.channel >= 0; left--) {
        struct channel_message message;
        struct channel_descriptors descriptors;
        int outcome = channel_receive(supervisor->server.channel, &message, &descriptors);
        if (outcome == 0) {
            if (message.kind == CHANNEL_IDENTITY)
                holdings_keep_identity(&supervisor->holdings, &descriptors.fd[0]);
            else
                handle(supervisor, &message);
            channel_descriptors_release(&descriptors); /* a server sends no others */
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
void serving_server_ended(struct supervisor *supervisor, int wait_status)
{
    serving_listen(supervisor); /* its last words */
    if (supervisor->has_opened)
        replay_died(supervisor->holdings.memory, wait_status);
    supervisor->has_opened = false;
    if (supervisor->gap == 0)
        supervisor->gap = tally_now();
    watch_gone(&supervisor->watch);
    for (size_t i = 0; i < supervisor->views.count; i++)
        if (!supervisor->views.items[i].options.replay)
            (void)mount_resend(supervisor->views.items[i].mount.fuse_fd);
    if (!supervisor->server.is_leaving && !supervisor->is_stuck)
        tally_count(&figures_of(supervisor)->server_crashed);
    bool has_failed =
        supervisor->is_stuck || !WIFSIGNALED(wait_status) || WTERMSIG(wait_status) != SIGKILL;
    supervisor->is_stuck = false;
    child_ended(&supervisor->server, wait_status);
    if (upgrade_replaces(supervisor, has_failed))
        set_up(supervisor);
    if (supervisor->phase == STARTING && supervisor->ready_by == 0)
        supervisor_fail(supervisor, -ERR_IO, "the server ended before it was ready");
    if (supervisor->phase >= STOPPING)
        supervisor->server.restart_at = -1;
}

/* The notifier wants to make a view's watchers hear of something. It has the mount for a moment: as
 * long as anybody has one, the view does not end. */
static void handle_for(struct supervisor *supervisor, uint32_t id)
{
    struct channel_message answer = {.kind = CHANNEL_HANDLE, .view = id};
    struct child *notifier = &supervisor->notifier;
    const struct view *view = views_of(&supervisor->views, id);
    int mount_fd = -1;
    answer.error = view == NULL ? -ERR_NOT_FOUND : mount_writable(&mount_fd, view->mount.fuse_fd);
    judge_sent(notifier, channel_send(notifier->channel, &answer, &mount_fd, mount_fd >= 0 ? 1 : 0,
                                      SEND_MILLISECONDS));
    descriptor_close(&mount_fd);
}

void serving_listen_notifier(struct supervisor *supervisor)
{
    struct child *notifier = &supervisor->notifier;
    for (int left = TURN_MESSAGES; left > 0 && notifier->channel >= 0; left--) {
        struct channel_message message;
        struct channel_descriptors descriptors;
        int outcome = channel_receive(notifier->channel, &message, &descriptors);
        if (outcome == 0)
            channel_descriptors_release(&descriptors); /* a notifier sends none */
        if (outcome == 0 && message.kind == CHANNEL_HANDLE) {
            handle_for(supervisor, message.view);
            continue;
        }
        if (outcome == 0 && message.kind == CHANNEL_ANSWERED) {
            watch_notifier_answered(&supervisor->watch);
            continue;
        }
        if (outcome == 0 && message.kind == CHANNEL_ENTERED) {
            notifier->has_entered = true;
            continue;
        }
        if (outcome != 2) {
            descriptor_close(&notifier->channel);
            child_kill(notifier);
        }
        return;
    }
}

void serving_notifier_ended(struct supervisor *supervisor, int wait_status)
{
    /* its ids may be given to others now */
    roster_clear(supervisor->holdings.notifiers);
    child_ended(&supervisor->notifier, wait_status);
}

static void watch_server(struct supervisor *supervisor, const struct watched *watched)
{
    char why[WATCH_WHY_MAX];
    if (watch_look(&supervisor->watch, watched, why) == WATCH_WELL)
        return;
    log_error("the server (process %d) is stuck: %s; it is replaced", (int)watched->pid, why);
    tally_count(&figures_of(supervisor)->server_stuck);
    supervisor->is_stuck = true;
    child_kill(&supervisor->server);
}

/* It has ended, and one of its threads hangs in the kernel with a reader of one view: nobody else
 * shall wait for that. It is reaped whenever it can be, as nobody's; its lanes stay in the roster
 * until the next one's take their places (roster_enter). */
static void leave_behind(struct supervisor *supervisor)
{
    struct child *notifier = &supervisor->notifier;
    int status;
    if (waitpid(notifier->pid, &status, WNOHANG) == notifier->pid) { /* it was about to go */
        serving_notifier_ended(supervisor, status);
        return;
    }
    descriptor_close(&notifier->channel);
    notifier->pid = 0;
    notifier->is_ready = false;
    notifier->restart_at = deadline_in(0);
    supervisor->has_left_behind = true;
}

static void watch_notifier(struct supervisor *supervisor, const struct watched *watched)
{
    char why[WATCH_WHY_MAX];
    enum watch_verdict verdict = watch_look_at_notifier(&supervisor->watch, watched, why);
    if (verdict == WATCH_STUCK) {
        log_error("the notifier (process %d) is stuck: %s; it is replaced", (int)watched->notifier,
                  why);
        child_kill(&supervisor->notifier);
    } else if (verdict == WATCH_HELD) {
        log_warning("the notifier (process %d) has ended, but %s: another goes on beside it",
                    (int)watched->notifier, why);
        leave_behind(supervisor);
    }
}

void serving_watch(struct supervisor *supervisor)
{
    const struct watched watched = {.views = &supervisor->views,
                                    .memory = supervisor->holdings.memory,
                                    .pid = supervisor->server.pid,
                                    .channel = supervisor->server.channel,
                                    .notifier = supervisor->notifier.pid,
                                    .notifier_channel = supervisor->notifier.channel};
    if (supervisor->server.pid == 0)
        return;
    if (supervisor->is_stuck || supervisor->phase >= STOPPING) {
        /* it is to be reaped, however long a disk may take; or has a deadline of its own */
        supervisor->watch.next = deadline_in(WATCH_PAUSE);
        return;
    }
    watch_server(supervisor, &watched);
    watch_notifier(supervisor, &watched);
}
