#include "tools/emsad/server.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fs/fs.h"
#include "store/audit_ring.h"
#include "store/error.h"
#include "store/identity_file.h"
#include "store/limits.h"
#include "store/pin.h"
#include "store/secret.h"
#include "store/store.h"
#include "tools/common/descriptor.h"
#include "tools/common/exit_status.h"
#include "tools/common/log.h"
#include "tools/common/place.h"
#include "tools/emsad/alarms.h"
#include "tools/emsad/channel.h"
#include "tools/emsad/control.h"
#include "tools/emsad/estate.h"
#include "tools/emsad/expirer.h"
#include "tools/emsad/host.h"
#include "tools/emsad/hosted.h"
#include "tools/emsad/key.h"
#include "tools/emsad/lender.h"
#include "tools/emsad/link.h"
#include "tools/emsad/meter.h"
#include "tools/emsad/people_link.h"
#include "tools/emsad/reader.h"
#include "tools/emsad/sandbox.h"
#include "tools/service/service.h"

/* The largest commit, and beside it what the readers open meanwhile. */
#define SECRETS_MAX (COMMIT_BYTES_MAX + 64u * 1024u * 1024u)
#define SETUP_MILLISECONDS 30000
#define HEIR_MILLISECONDS 5000
#define LENT_MILLISECONDS 10000                  /* for a unit to read its credential */
#define VOLUME_CALLS SERVICE_INTERFACE ".Volume" /* how those begin that the plugin may make */

struct server {
    int channel; /* borrowed */
    struct channel_message setup;
    struct channel_descriptors given; /* SETUP's; what was passed on is -1 */
    uid_t owner;
    gid_t group;
    int pin; /* the store's, once it is open; 0: there is none */
    struct link *link;
    struct store *store;
    struct fs *fs;
    struct dispatcher *dispatcher;
    struct audit_ring *audit;
    char identity[IDENTITY_TEXT_MAX]; /* public; "": it has none */
    struct host host;
    struct estate estate;
    struct volume_beginning beginning;
    bool is_beginning; /* after START: the volumes are asked for */
    bool is_serving;   /* and then: it can go on without a supervisor */
    struct control *control;
    struct expirer *expirer;
    struct reader *reader;
    struct meter *meter;   /* NULL: nobody asks for metrics */
    struct lender *lender; /* NULL: nobody has asked for a credential */
};

static int next_message(struct server *server, struct channel_message *message,
                        struct channel_descriptors *descriptors, int milliseconds)
{
    int64_t deadline = deadline_in(milliseconds);
    for (;;) {
        int outcome = channel_receive(server->channel, message, descriptors);
        if (outcome != 2)
            return outcome;
        int late = descriptor_wait(server->channel, POLLIN, deadline);
        if (late != 0)
            return late < 0 ? late : error_set(ERR_IO, "the supervisor says nothing");
    }
}

static int receive_setup(struct server *server)
{
    int outcome = next_message(server, &server->setup, &server->given, SETUP_MILLISECONDS);
    if (outcome != 0)
        return outcome < 0 ? outcome : error_set(ERR_IO, "the supervisor is gone");
    if (server->setup.kind != CHANNEL_SETUP || server->given.count < SETUP_IDENTITY)
        return error_set(ERR_IO, "the supervisor began with something else than SETUP");
    struct stat status;
    int folder DESCRIPTOR_CLEANUP = -1;
    outcome = place_open_folder(&folder, server->setup.text);
    if (outcome < 0)
        return outcome;
    if (fstat(folder, &status) < 0)
        return error_system(errno, "cannot look at store '%s'", server->setup.text);
    server->owner = status.st_uid;
    server->group = status.st_gid;
    return estate_init(&server->estate, &server->setup, &server->given);
}

/* 1: it waits for its passphrase, with the text that says so; its public text is known all the
 * same. */
static int open_identity(struct identity **out, char public_text[static IDENTITY_TEXT_MAX], int fd,
                         int key_fd, const char *path)
{
    SECRET_CLEANUP struct secret key = {0};
    struct identity_opener opener = {.key = &key};
    struct identity_file *file;
    int error = identity_file_read(&file, fd, path);
    if (error < 0)
        return error;
    identity_file_public(file, public_text);
    if (key_fd >= 0 && lseek(key_fd, 0, SEEK_SET) < 0)
        error = error_system(errno, "cannot read the key file of identity '%s'", path);
    else if (key_fd >= 0)
        error = secret_read(&key, key_fd, IDENTITY_KEY_MAX);
    if (error == 0)
        error = identity_file_open(out, file, &opener);
    if (error == -ERR_NO_KEY && identity_file_has(file, IDENTITY_PASSPHRASE))
        error = 1;
    identity_file_free(file);
    return error;
}

/* Secrets can stay closed; the tree must not for that. */
static void unlock(struct server *server)
{
    int fd = server->given.fd[SETUP_IDENTITY];
    const char *path = server->setup.identity;
    struct identity *identity = NULL;
    if (fd < 0) {
        log_warning(
            "there is no identity '%s': plain values are served, secrets give ENOKEY; put the file "
            "there (or name it in $EMSA_IDENTITY) and start again",
            path);
        return;
    }
    int error =
        open_identity(&identity, server->identity, fd, server->given.fd[SETUP_IDENTITY_KEY], path);
    key_hold(fd);
    descriptor_close(&server->given.fd[SETUP_IDENTITY]);
    descriptor_close(&server->given.fd[SETUP_IDENTITY_KEY]);
    if (error > 0) {
        log_warning("%s\nplain values are served, secrets give ENOKEY until somebody does",
                    error_text());
        return;
    }
    if (error == 0)
        error = store_unlock(server->store, identity);
    if (error < 0)
        log_error("%s\nplain values are served, secrets give ENOKEY: put the identity that this "
                  "store was made "
                  "with at '%s' and start again",
                  error_text(), path);
}

/* While it may still write beside the store. Where something else is in the pin's place nothing was
 * held against one, and is not served. */
static int open_pin(struct server *server)
{
    char path[PATH_MAX];
    int fd = place_pin(path, server->setup.text);
    if (fd == 0)
        fd = pin_open(path);
    if (fd == -ERR_REFUSED)
        return fd;
    if (fd < 0)
        log_warning("%s: the head is not pinned", error_text());
    server->pin = fd < 0 ? 0 : fd;
    return 0;
}

#define LONG_LOOK 200000000 /* ns: who waits for the first answer hears what for */

static void tell_look(const struct server *server)
{
    struct pin_report pin;
    if (store_pinned(server->store, &pin) < 0 || pin.looked_for < LONG_LOOK)
        return;
    log_info("%llu records were looked at%s before anything is served, in %lld ms",
             (unsigned long long)pin.looked_at, pin.was_verified ? ", and all were verified," : "",
             (long long)(pin.looked_for / 1000000));
}

static int open_store(struct server *server)
{
    struct store_options options = {.path = server->setup.text,
                                    .lock_fd = server->given.fd[SETUP_LOCK],
                                    .alarm = alarms_raise,
                                    .pin_fd = server->pin,
                                    .is_continued = (server->setup.flags & CHANNEL_CONTINUED) != 0};
    int error = store_open(&server->store, &options);
    if (error == 0) {
        tell_look(server);
        unlock(server);
    }
    return error;
}

static int take_over(int *fd)
{
    int taken = *fd;
    *fd = -1;
    return taken;
}

static int open_tree_of(struct server *server)
{
    struct fs_options options = {.store = server->store,
                                 .threads = server->setup.threads,
                                 .state_fd = take_over(&server->given.fd[SETUP_STATE]),
                                 .roster_fd = server->given.fd[SETUP_ROSTER],
                                 .audit = server->audit,
                                 .alarm = alarms_raise,
                                 .gone = host_view_gone,
                                 .arg = &server->host};
    return fs_new(&server->fs, &options);
}

static void audit_of_server(const struct server *server, enum audit_kind kind, const char *text)
{
    struct audit_event event = {.kind = kind, .uid = geteuid(), .gid = getegid(), .pid = getpid()};
    if (server->store != NULL)
        event.rev = store_revision(server->store);
    (void)snprintf(event.text, sizeof event.text, "%s", text);
    (void)audit_ring_put(server->audit, &event);
}

/* What a server before left half done is mended before anything is audited. */
static int open_ring(struct server *server)
{
    int error = audit_ring_map(&server->audit, server->given.fd[SETUP_AUDIT]);
    if (error < 0)
        return error;
    audit_ring_mend(server->audit);
    audit_ring_require(server->audit, (server->setup.flags & CHANNEL_REQUIRED) != 0);
    return 0;
}

static void audit_begin(const struct server *server)
{
    audit_of_server(server, AUDIT_START, server->identity);
    if (store_unlocked(server->store))
        audit_of_server(server, AUDIT_UNLOCK, server->identity);
}

/* Everything up to OPENED. The sandbox comes before the first byte that somebody else wrote is
 * looked at, and before the first thread. */
static int prepare(struct server *server)
{
    int error = receive_setup(server);
    if (error == 0)
        error = open_pin(server);
    if (error == 0)
        error = fs_catch();
    if (error == 0)
        error = secret_setup(SECRETS_MAX);
    if (error == 0)
        error = sandbox_server(server->owner, server->group, server->setup.text);
    if (error == 0)
        error = alarms_start();
    people_link_begin(server->link);
    if (error == 0)
        error = open_ring(server);
    if (error == 0)
        error = open_store(server);
    if (error == 0) {
        audit_begin(server);
        host_begin(&server->host, server->link, &server->estate, server->store);
        server->host.hooks.audit = server->audit;
        error = service_new(&server->dispatcher, server->store, host_hooks(&server->host));
    }
    if (error == 0)
        error = expirer_first(server->dispatcher);
    if (error == 0)
        error = open_tree_of(server);
    if (error == 0)
        host_serve(&server->host, server->fs);
    return error;
}

static int begin_service(struct server *server)
{
    int error = fs_start(server->fs);
    if (error == 0)
        error = expirer_start(&server->expirer, server->dispatcher, fs_due(server->fs));
    if (error == 0)
        error = reader_start(&server->reader, server->store);
    if (error < 0)
        return error;
    host_watch(&server->host, server->expirer); /* before the first call can set what ends */
    struct control_options options = {.listener = take_over(&server->given.fd[SETUP_LISTENER]),
                                      .dispatcher = server->dispatcher,
                                      .owner = server->owner,
                                      .news = host_news(&server->host),
                                      .called = host_called,
                                      .quiet = host_quiet,
                                      .arg = &server->host};
    error = control_start(&server->control, &options);
    if (error < 0)
        return error;
    host_answer(&server->host, server->control);
    server->is_serving = true;
    link_tell(server->link, CHANNEL_READY, 0);
    return 0;
}

/* Volumes stand before anybody is told that they do. */
static int go_on_beginning(struct server *server)
{
    server->is_beginning = hosted_begin(&server->beginning, &server->host, server->dispatcher) == 1;
    return server->is_beginning ? 0 : begin_service(server);
}

static int mounted(struct server *server, const struct channel_message *message, int *fd)
{
    if (message->request != 0) {
        link_mounted(server->link, message, fd);
        return 0;
    }
    if (message->error < 0)
        log_error("a volume does not stand: %s", message->text);
    return server->is_beginning ? go_on_beginning(server) : 0;
}

static void adopt(struct server *server, const struct channel_message *message, int *fuse_fd)
{
    host_view_here(&server->host);
    int error = estate_add(&server->estate, message, *fuse_fd);
    if (error == 0)
        error = fs_adopt(server->fs, &message->options, take_over(fuse_fd), message->init,
                         message->init_size);
    link_adopted(server->link, message->view, error);
    if (error < 0) {
        log_error("cannot serve a mount: %s", error_text());
        host_view_gone(&server->host, message->view);
    }
}

static void tell_lent(void *arg, uint32_t id)
{
    link_tell(arg, CHANNEL_LENT, id);
}

/* Somebody asks for a credential. */
static int lend(struct server *server, const struct channel_message *message, int *fd)
{
    const struct lender_options options = {.dispatcher = server->dispatcher,
                                           .lent = tell_lent,
                                           .arg = server->link,
                                           .milliseconds = LENT_MILLISECONDS};
    int error = server->lender == NULL ? lender_start(&server->lender, &options) : 0;
    if (error == 0)
        error = lender_give(server->lender, message->view, take_over(fd), message->text,
                            (message->flags & CHANNEL_SPOILT) != 0);
    return error;
}

/* Connections to the volume plugin. */
static void let_in(struct server *server, const struct channel_message *message,
                   struct channel_descriptors *descriptors)
{
    host_volume(&server->host, message->pid);
    for (int i = 0; i < descriptors->count; i++)
        control_let_in(server->control, take_over(&descriptors->fd[i]), VOLUME_CALLS);
}

/* One message of the supervisor. 1: it was STOP. */
static int handle(struct server *server, const struct channel_message *message,
                  struct channel_descriptors *descriptors)
{
    int *fd = &descriptors->fd[0];
    switch (message->kind) {
    case CHANNEL_NOTIFIER:
        host_notifier(&server->host, message->pid);
        return fs_notifier(server->fs, take_over(fd));
    case CHANNEL_METRICS:
        host_metrics(&server->host, message->pid);
        return meter_start(&server->meter, server->dispatcher, take_over(fd));
    case CHANNEL_VOLUME:
        let_in(server, message, descriptors);
        return 0;
    case CHANNEL_VIEW:
        adopt(server, message, fd);
        return 0;
    case CHANNEL_CREDENTIAL:
        return lend(server, message, fd);
    case CHANNEL_START:
        return go_on_beginning(server);
    case CHANNEL_MOUNTED:
        return mounted(server, message, fd);
    case CHANNEL_ASK:
        host_asked(&server->host);
        return 0;
    case CHANNEL_ADOPTED:
        link_followed(server->link);
        store_sign(server->estate.fds[SETUP_LOCK], link_supervisor(server->link));
        host_adopted(&server->host, message->flags);
        return 0;
    case CHANNEL_STOP:
        return 1;
    default:
        return error_set(ERR_IO, "the supervisor sent what a server does not take");
    }
}

static int say_hello(const struct server *server, int deadline)
{
    struct channel_message hello = {.kind = CHANNEL_HELLO, .flags = CHANNEL_VERSION};
    return channel_send(server->channel, &hello, NULL, 0, deadline);
}

/* The supervisor is gone: readers and callers are answered as before, until the next one comes.
 * Everybody knows the channel by its number, so the new one gets the same. 1: the server is to
 * end. */
static int find_supervisor(struct server *server)
{
    if (!server->is_serving)
        return error_set(ERR_IO, "the supervisor ended before the server was ready");
    log_warning("the supervisor is gone: the server goes on; start 'emsad', which takes over");
    link_lost(server->link);
    host_alone(&server->host);
    for (;;) {
        int heir DESCRIPTOR_CLEANUP = link_wait_heir(server->link);
        if (heir < 0)
            return 1;
        if (dup3(heir, server->channel, O_CLOEXEC) < 0)
            return error_system(errno, "cannot take the channel to a supervisor");
        int error = say_hello(server, HEIR_MILLISECONDS);
        if (error == 0)
            error = estate_hand_over(&server->estate, server->channel);
        if (error == 0)
            break;
        log_error("a supervisor that was to follow is gone again: %s", error_text());
    }
    link_found(server->link);
    return 0;
}

/* Until STOP, or that there is nothing to do and nobody to tell. */
static int work(struct server *server)
{
    for (;;) {
        struct channel_message message;
        struct channel_descriptors descriptors;
        int outcome = next_message(server, &message, &descriptors, -1);
        if (outcome > 0) {
            outcome = find_supervisor(server);
            if (outcome == 0)
                continue;
        }
        if (outcome != 0)
            return outcome < 0 ? outcome : 0;
        outcome = handle(server, &message, &descriptors);
        channel_descriptors_release(&descriptors);
        if (outcome != 0)
            return outcome < 0 ? outcome : 0;
    }
}

static void tear_down(struct server *server)
{
    lender_free(server->lender);
    if (server->link != NULL)
        link_close(server->link);
    host_end(&server->host);
    control_stop(server->control);
    if (server->is_serving)
        link_tell(server->link, CHANNEL_SILENT, 0);
    expirer_stop(server->expirer);
    reader_stop(server->reader);
    meter_free(server->meter);
    fs_free(server->fs);
    service_free(server->dispatcher);
    if (server->is_serving)
        audit_of_server(server, AUDIT_STOP, "");
    audit_ring_unmap(server->audit);
    store_close(server->store);
    link_free(server->link);
    channel_descriptors_release(&server->given);
    estate_release(&server->estate);
    alarms_stop();
    secret_teardown();
}

int server_run(int channel)
{
    static struct server server = {.given = {.fd = {-1, -1, -1, -1, -1, -1, -1}},
                                   .estate = {.fds = {-1, -1, -1, -1, -1, -1, -1}}};
    log_setup("emsad server");
    server.channel = channel;
    int error = link_new(&server.link, channel);
    if (error == 0)
        error = say_hello(&server, SETUP_MILLISECONDS);
    if (error == 0)
        error = prepare(&server);
    if (error == 0) {
        link_tell(server.link, CHANNEL_OPENED, 0);
        error = work(&server);
    }
    if (error < 0) {
        if (server.link != NULL)
            link_fail(server.link, error, error_text()); /* the supervisor logs it */
    }
    tear_down(&server);
    return exit_status(error);
}
