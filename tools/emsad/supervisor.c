/*
 * One thread, one loop: signals, what the two children say, and moments that have come. Nothing
 * here waits for a child but for it to take a message, and a child that does not take one is
 * replaced.
 */
#include "tools/emsad/supervisor.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/exit_status.h"
#include "tools/common/log.h"
#include "tools/common/ready.h"
#include "tools/emsad/channel.h"
#include "tools/emsad/network.h"
#include "tools/emsad/oom.h"
#include "tools/emsad/readiness.h"
#include "tools/emsad/record.h"
#include "tools/emsad/sandbox.h"
#include "tools/emsad/service_manager.h"
#include "tools/emsad/supervision.h"
#include "tools/emsad/takeover.h"
#include "tools/emsad/volumes.h"

#define STOP_MILLISECONDS 5000   /* for the server to finish what it does */
#define SILENT_MILLISECONDS 4000 /* longer than a stuck server of anybody's is left in place */
#define LAST_MILLISECONDS 1000   /* for what was ended by force to be reaped */
#define AGAIN_MILLISECONDS 1000  /* until what could not be started is tried again */

void supervisor_fail(struct supervisor *supervisor, int error, const char *text)
{
    if (supervisor->failure == 0 && supervisor->phase < STOPPING) {
        supervisor->failure = error;
        (void)snprintf(supervisor->text, sizeof supervisor->text, "%s", text);
    }
    supervisor_stop(supervisor);
}

static void detach_all(struct supervisor *supervisor)
{
    volumes_unmount_all(supervisor);
    for (size_t i = 0; i < supervisor->views.count; i++) {
        const struct view *view = &supervisor->views.items[i];
        if (!view->is_ours || view->mount.mount_fd >= 0)
            continue;
        int error = mount_detach(view->directory, false);
        if (error == -ERR_BUSY)
            error = mount_detach(view->directory, true);
        if (error < 0 && error != -ERR_NOT_FOUND)
            log_warning("%s", error_text());
    }
}

/* One that was adopted. If it is this process's child after all (which took itself over, with a new
 * binary), its status is there. */
static void reap_adopted(struct supervisor *supervisor)
{
    int status = CHILD_STATUS_UNKNOWN;
    (void)waitpid(supervisor->server.pid, &status, WNOHANG);
    serving_server_ended(supervisor, status);
}

static void reap(struct supervisor *supervisor)
{
    int status;
    for (pid_t pid; (pid = waitpid(-1, &status, WNOHANG)) > 0;) {
        if (pid == supervisor->server.pid)
            serving_server_ended(supervisor, status);
        else if (upgrade_reaped(supervisor, pid, status))
            continue;
        else if (pid == supervisor->notifier.pid)
            serving_notifier_ended(supervisor, status);
        else if (pid == supervisor->audit.pid)
            child_ended(&supervisor->audit, status);
        else
            (void)(annex_reaped(&supervisor->metrics, pid, status) ||
                   annex_reaped(&supervisor->volume, pid, status));
    }
}

void supervisor_stop(struct supervisor *supervisor)
{
    if (supervisor->phase >= STOPPING)
        return;
    supervisor->phase = STOPPING;
    supervisor->deadline = deadline_in(STOP_MILLISECONDS);
    service_manager_tell("STOPPING=1");
    holdings_hide(&supervisor->holdings);
    detach_all(supervisor);
    views_forget_ours(&supervisor->views);
    record_write(&supervisor->holdings.place,
                 &supervisor->views); /* what stays, and is dead then */
    supervisor->server.is_leaving = true;
    supervisor->server.restart_at = -1;
    supervisor->notifier.is_leaving = true;
    supervisor->notifier.restart_at = -1;
    annex_end(&supervisor->metrics);
    annex_end(&supervisor->volume);
    credentials_hide(&supervisor->credentials);
    if (supervisor->server.channel >= 0) /* if it does not hear it, the deadline ends it */
        (void)channel_send_plain(supervisor->server.channel, CHANNEL_STOP, 0, 0);
}

/* The server is gone: nothing is left for the notifier. It may wait in the kernel for an answer, or
 * for who waits for one, and it holds the connections too: they are ended for all. */
static void let_notifier_go(struct supervisor *supervisor)
{
    bool is_held = supervisor->notifier.pid > 0 || supervisor->has_left_behind;
    for (size_t i = 0; is_held && i < supervisor->views.count; i++) {
        int error = mount_abort(supervisor->views.items[i].mount.fuse_fd);
        if (error < 0 && error != -ERR_NOT_FOUND)
            log_warning("%s", error_text());
    }
    views_end_all(&supervisor->views);
    descriptor_close(&supervisor->notifier.channel);
}

/* Nothing more comes: it writes down what there is, and ends; also one that somebody has stopped,
 * for there is no next one to do it. */
static void let_audit_go(struct supervisor *supervisor)
{
    if (supervisor->audit.pid > 0 && supervisor->audit.channel >= 0)
        (void)kill(supervisor->audit.pid, SIGCONT);
    supervisor->audit.is_leaving = true;
    supervisor->audit.restart_at = -1;
    descriptor_close(&supervisor->audit.channel);
}

static void out_of_time(struct supervisor *supervisor)
{
    if (supervisor->server.pid > 0)
        log_warning("the server did not finish in time, and is ended by force");
    else if (supervisor->notifier.pid > 0)
        log_warning("the notifier did not finish in time, and is ended by force");
    child_kill(&supervisor->server);
    child_kill(&supervisor->notifier);
    child_kill(&supervisor->audit);
    child_kill(&supervisor->metrics.child);
    child_kill(&supervisor->volume.child);
    let_notifier_go(supervisor);
    supervisor->phase = FORCING;
    supervisor->deadline = deadline_in(LAST_MILLISECONDS);
}

/* Whether there is nothing more to wait for. */
static bool has_ended(struct supervisor *supervisor)
{
    if (supervisor->phase < STOPPING)
        return false;
    if (supervisor->server.pid == 0) {
        let_notifier_go(supervisor);
        let_audit_go(supervisor);
    }
    if (supervisor->server.pid == 0 && supervisor->notifier.pid == 0) {
        if (supervisor->audit.pid == 0 && supervisor->metrics.child.pid == 0 &&
            supervisor->volume.child.pid == 0)
            return true;
        if (deadline_left(supervisor->deadline) > LAST_MILLISECONDS)
            supervisor->deadline = deadline_in(LAST_MILLISECONDS); /* they have nothing to finish */
    }
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
        if (info.ssi_signo == SIGUSR2) {
            upgrade_begin(supervisor);
        } else if (info.ssi_signo != SIGCHLD) {
            log_info("ending on signal %u", info.ssi_signo);
            supervisor_stop(supervisor);
        }
    }
    reap(supervisor);
}

static bool is_past(int64_t moment)
{
    return moment >= 0 && deadline_left(moment) == 0;
}

static bool is_due(const struct child *child)
{
    return child->pid == 0 && is_past(child->restart_at);
}

/* It needs nobody, and nobody waits for it. */
static void start_audit(struct supervisor *supervisor)
{
    struct child *audit = &supervisor->audit;
    struct channel_message message = {.kind = CHANNEL_AUDIT};
    if (child_start(audit, supervisor->holdings.self) < 0) {
        log_error("%s", error_text());
        audit->restart_at = deadline_in(AGAIN_MILLISECONDS);
        return;
    }
    child_ready(audit);
    memcpy(message.text, supervisor->holdings.place.store, sizeof message.text);
    (void)snprintf(message.identity, sizeof message.identity, "%s",
                   supervisor->options->audit_sink != NULL ? supervisor->options->audit_sink
                                                           : "none");
    if (channel_send(audit->channel, &message, &supervisor->holdings.audit, 1, SEND_MILLISECONDS) <
        0) {
        log_error("the audit: %s", error_text());
        child_kill(audit);
    }
}

/* All that it says; its end is seen by its being reaped. */
static void listen_to_audit(struct supervisor *supervisor)
{
    struct child *audit = &supervisor->audit;
    struct channel_message message;
    struct channel_descriptors descriptors;
    int outcome = channel_receive(audit->channel, &message, &descriptors);
    if (outcome == 0)
        channel_descriptors_release(&descriptors);
    if (outcome == 0 && message.kind == CHANNEL_ENTERED) {
        audit->has_entered = true;
    } else if (outcome != 2) {
        descriptor_close(&audit->channel);
        child_kill(audit);
    }
}

static void restart_due(struct supervisor *supervisor)
{
    if (is_due(&supervisor->server))
        serving_start_server(supervisor);
    if (is_due(&supervisor->notifier))
        serving_start_notifier(supervisor);
    if (is_due(&supervisor->audit))
        start_audit(supervisor);
    if (is_due(&supervisor->metrics.child))
        serving_start_metrics(supervisor);
    if (is_due(&supervisor->volume.child))
        serving_start_volume(supervisor);
    if (is_past(supervisor->credentials.again))
        supervisor->credentials.again = -1;
}

/* Milliseconds until the next moment that matters; -1: none. */
static int patience(const struct supervisor *supervisor)
{
    const int64_t moments[] = {
        supervisor->server.restart_at,
        supervisor->notifier.restart_at,
        supervisor->audit.restart_at,
        supervisor->metrics.child.restart_at,
        supervisor->volume.child.restart_at,
        supervisor->upgrade.deadline,
        supervisor->credentials.again,
        supervisor->server.pid == 0 ? -1 : supervisor->watch.next,
        supervisor->phase == STARTING && supervisor->server.is_ready ? supervisor->ready_by : -1,
        supervisor->phase >= STOPPING ? supervisor->deadline : -1};
    int least = -1;
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        int left = deadline_left(moments[i]);
        if (left >= 0 && (least < 0 || left < least))
            least = left;
    }
    int due = watch_due_left(&supervisor->watch, supervisor->holdings.memory);
    return due >= 0 && (least < 0 || due < least) ? due : least;
}

/* -1: nobody who asks for a credential is accepted before a server answers. */
static int credentials_polled(const struct supervisor *supervisor)
{
    bool is_served = supervisor->phase == SERVING && supervisor->server.is_ready;
    return is_served ? credentials_descriptor(&supervisor->credentials) : -1;
}

static void run(struct supervisor *supervisor)
{
    while (!has_ended(supervisor)) {
        struct pollfd entries[] = {{.fd = supervisor->signals, .events = POLLIN},
                                   {.fd = supervisor->server.channel, .events = POLLIN},
                                   {.fd = watch_descriptor(&supervisor->watch), .events = POLLIN},
                                   {.fd = supervisor->server.process, .events = POLLIN},
                                   {.fd = supervisor->notifier.channel, .events = POLLIN},
                                   {.fd = supervisor->upgrade.next.channel, .events = POLLIN},
                                   {.fd = supervisor->volume.child.channel, .events = POLLIN},
                                   {.fd = credentials_polled(supervisor), .events = POLLIN},
                                   {.fd = supervisor->audit.channel, .events = POLLIN}};
        if (poll(entries, sizeof entries / sizeof entries[0], patience(supervisor)) < 0 &&
            errno != EINTR) {
            log_error("cannot wait for anything: %s", strerror(errno));
            return;
        }
        if (entries[1].revents != 0)
            serving_listen(supervisor);
        if (entries[4].revents != 0)
            serving_listen_notifier(supervisor);
        if (entries[6].revents != 0)
            serving_listen_volume(supervisor);
        if (entries[8].revents != 0)
            listen_to_audit(supervisor);
        if (entries[0].revents != 0)
            take_signals(supervisor);
        if (entries[3].revents != 0 && supervisor->server.process >= 0)
            reap_adopted(supervisor);
        if (entries[5].revents != 0 && supervisor->upgrade.next.channel >= 0)
            upgrade_listen(supervisor);
        if (entries[7].revents != 0 && credentials_polled(supervisor) >= 0)
            serving_lend(supervisor);
        readiness_look(supervisor);
        upgrade_look(supervisor);
        restart_due(supervisor);
        if (watch_due_left(&supervisor->watch, supervisor->holdings.memory) == 0)
            watch_due(&supervisor->watch, supervisor->holdings.memory);
        if (entries[2].revents != 0 || is_past(supervisor->watch.next))
            serving_watch(supervisor);
    }
}

static int take_signal_descriptor(struct supervisor *supervisor)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGCHLD);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGUSR2);
    struct sigaction hangup;
    if (sigaction(SIGHUP, NULL, &hangup) == 0 && hangup.sa_handler != SIG_IGN)
        (void)sigaddset(&set,
                        SIGHUP); /* not under nohup: what is blocked comes though it is ignored */
    if (sigprocmask(SIG_BLOCK, &set, NULL) < 0)
        return error_system(errno, "cannot block signals");
    supervisor->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return supervisor->signals < 0 ? error_system(errno, "cannot take signals") : 0;
}

/* By the supervisor before. */
static bool is_mounted(const struct supervisor *supervisor, const char *directory)
{
    for (size_t i = 0; i < supervisor->views.count; i++)
        if (supervisor->views.items[i].is_ours &&
            strcmp(supervisor->views.items[i].directory, directory) == 0)
            return true;
    return false;
}

/* The superblocks of --mount: made before there is a server, so that a refusal needs none. */
static int make_views(struct supervisor *supervisor)
{
    for (size_t i = 0; i < supervisor->options->mount_count; i++) {
        const struct daemon_mount *wanted = &supervisor->options->mounts[i];
        if (is_mounted(supervisor, wanted->directory))
            continue;
        struct view_options options = wanted->view;
        options.uid = wanted->has_uid ? options.uid : geteuid();
        options.gid = wanted->has_gid ? options.gid : getegid();
        struct view *view;
        int error = place_check_mount(&supervisor->holdings.place, wanted->directory);
        if (error == 0)
            error = serving_make_view(supervisor, &view, &options);
        if (error < 0)
            return error;
        error = view_place(view, wanted->directory, true);
        if (error < 0)
            return error;
    }
    return 0;
}

/* To be mounted at the directory anyway, wherever its path leads. */
static bool is_wanted(const struct supervisor *supervisor, const char *directory)
{
    for (size_t i = 0; i < supervisor->options->mount_count; i++)
        if (strcmp(supervisor->options->mounts[i].directory, directory) == 0)
            return true;
    return false;
}

struct again {
    struct supervisor *supervisor;
    struct mount_table table; /* read at the first one: there may be thousands, and none */
    bool is_read;
};

static void look_at_mounts(struct again *again)
{
    if (again->is_read)
        return;
    if (mount_table_read(&again->table) < 0)
        log_warning("what was left dead stays so: %s", error_text());
    again->is_read = true;
}

/* A mount that died with the daemon before: another in its place, once there is a server. */
static int mount_again(void *arg, const struct recorded *entry)
{
    struct again *again = arg;
    struct supervisor *supervisor = again->supervisor;
    struct view *view;
    if (entry->number == 0)
        return 0;
    look_at_mounts(again);
    int aborted =
        mount_abort_silent(&again->table, entry->directory, entry->number, SILENT_MILLISECONDS);
    if (aborted == 0)
        log_warning("'%s' was not served and kept its readers waiting: ended", entry->directory);
    else if (aborted < 0)
        log_warning("%s", error_text());
    int cleared = mount_clear(&again->table, entry->directory, entry->number);
    if (cleared < 0)
        log_warning("%s", error_text());
    /* taken away since, or of another namespace */
    if (cleared != 0 || is_wanted(supervisor, entry->directory))
        return 0;
    int error = serving_make_view(supervisor, &view, &entry->options);
    if (error == 0)
        error = view_place(view, entry->directory, entry->is_ours);
    if (error == 0) {
        view->is_again = true;
        view->is_volume = entry->is_volume && entry->is_ours;
    }
    if (error == 0)
        log_info("'%s' was left dead: mounted again", entry->directory);
    else
        log_warning("'%s' was left dead: %s", entry->directory, error_text());
    return 0; /* what is written there keeps nobody from starting */
}

static int mount_all_again(struct supervisor *supervisor)
{
    struct again again = {.supervisor = supervisor};
    int error = record_read(&supervisor->holdings.place, mount_again, &again);
    mount_table_release(&again.table);
    return error;
}

/* The store as nobody's, or with the server of a supervisor that died. */
static int take_store(struct supervisor *supervisor)
{
    int error = holdings_take(&supervisor->holdings, supervisor->options->credential,
                              supervisor->options->identity_key);
    if (error != -ERR_BUSY)
        return error;
    (void)snprintf(supervisor->text, sizeof supervisor->text, "%s", error_text());
    error = takeover_ask(supervisor);
    return error <= 0 ? error : error_set(ERR_BUSY, "%s", supervisor->text);
}

static int begin(struct supervisor *supervisor)
{
    oom_spare();
    network_begin();
    if (sandbox_supervisor() < 0)
        log_warning("the supervisor's calls are not filtered: %s", error_text());
    upgrade_init(&supervisor->upgrade);
    (void)unsetenv(UPGRADE_FOLLOWS);   /* it was read; children are to have it from nobody */
    (void)prctl(PR_SET_NAME, "emsad"); /* also when it was started by a descriptor */
    int error = take_signal_descriptor(supervisor);
    if (error == 0)
        error = holdings_begin(&supervisor->holdings, supervisor->options->store);
    if (error == 0)
        error = take_store(supervisor);
    if (error == 0)
        error = watch_begin(&supervisor->watch, supervisor->holdings.listener);
    for (size_t i = 0; error == 0 && i < supervisor->views.count; i++)
        error = watch_add(&supervisor->watch, &supervisor->views.items[i]);
    if (error == 0 && supervisor->server.pid == 0)
        error = mount_all_again(supervisor);
    if (error == 0)
        error = make_views(supervisor);
    if (error == 0)
        start_audit(supervisor);
    if (error == 0)
        error = annex_begin(&supervisor->metrics, supervisor->options->metrics,
                            supervisor->holdings.self, supervisor->server.pid == 0);
    if (error == 0)
        error = annex_begin(&supervisor->volume, supervisor->options->volume,
                            supervisor->holdings.self, supervisor->server.pid == 0);
    if (error == 0)
        error = credentials_begin(&supervisor->credentials, supervisor->options->credentials,
                                  supervisor->options->environment);
    if (error == 0 && supervisor->server.pid > 0)
        return serving_adopted(supervisor);
    if (error < 0)
        return error;
    serving_start_notifier(supervisor);
    serving_start_server(supervisor);
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
        .server = CHILD_INIT("server"),
        .notifier = CHILD_INIT("notifier"),
        .audit = CHILD_INIT("audit"),
        .metrics = ANNEX_INIT(&annex_metrics, "metrics"),
        .volume = ANNEX_INIT(&annex_volume, "volume"),
        .credentials = CREDENTIALS_INIT,
        .signals = -1,
        .watch = {.set = -1},
        .upgrade = {.binary = -1, .next = CHILD_INIT("server"), .deadline = -1}};
    log_setup("emsad");
    supervisor.options = options;
    supervisor.ready_fd = options->ready_fd;
    supervisor.is_on_demand = options->on_demand;
    supervisor.threads = options->threads;
    supervisor.views_each = options->views_each;
    supervisor.failure = begin(&supervisor);
    if (supervisor.failure < 0)
        (void)snprintf(supervisor.text, sizeof supervisor.text, "%s", error_text());
    else
        run(&supervisor);
    views_end_all(&supervisor.views);
    let_audit_go(&supervisor);
    annex_end(&supervisor.metrics);
    annex_end(&supervisor.volume);
    credentials_end(&supervisor.credentials);
    holdings_release(&supervisor.holdings);
    watch_end(&supervisor.watch);
    descriptor_close(&supervisor.signals);
    if (supervisor.failure < 0)
        log_error("%s", supervisor.text);
    tell_end(&supervisor);
    return exit_status(supervisor.failure);
}
