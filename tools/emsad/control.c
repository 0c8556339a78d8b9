#include "tools/emsad/control.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"
#include "tools/emsad/call.h"
#include "tools/service/proof.h"

#define CONNECTIONS_MAX 128 /* further ones of those with rights wait in the listener's queue */
#define WATCHERS_MAX 64 /* of them, those whose call goes on: the others are for whoever comes */
/* Of those who hold a right and not all of them; further ones are turned away. What is left is the
 * owner's, whatever they do. */
#define HOLDERS_MAX 96
#define HOLDERS_EACH 16 /* of one user */
#define HOLDER_MESSAGE_MAX (8 * 1024 * 1024)
#define HOLDER_VALUES_MAX 100000 /* of a message: 24 MB of memory; a change of 10,000 keys */
#define STRANGERS_MAX 16         /* of those who hold none: turned away at once */
#define STRANGER_MESSAGE_MAX 16384
#define GROUPS_MAX 65536         /* as the kernel has it */
#define FIRST_MILLISECONDS 30000 /* from connecting to a first message; strangers, to any */
#define MESSAGE_MILLISECONDS 30000

struct connection {
    struct connection *next, **self; /* in the list of its control */
    struct control *control;
    struct varlink *varlink;
    struct caller caller;
    gid_t *groups;      /* the caller's; owned */
    struct proof proof; /* the caller's */
    const char *only;   /* how the methods begin that it may call; NULL: whatever it likes */
    bool is_stranger;   /* holds no right, or (is_holder) some; else all */
    bool is_holder;
    bool is_busy; /* it runs a call, or is to make its first one */
    bool is_watcher;
};

struct control {
    struct control_options options;
    int wake; /* eventfd: the accepting thread is to look */
    pthread_t thread;
    pthread_mutex_t mutex; /* protects what is below, and is_busy and the list in each connection */
    pthread_cond_t ended;  /* a connection has */
    struct connection *connections;
    unsigned count, strangers, holders, watchers, busy;
    bool is_stopping;
};

static void wake(struct control *control)
{
    uint64_t one = 1;
    ssize_t written = write(control->wake, &one, sizeof one);
    (void)written; /* a full counter wakes as well */
}

static void set_busy(struct connection *connection, bool is_busy)
{
    struct control *control = connection->control;
    pthread_mutex_lock(&control->mutex);
    if (connection->is_busy != is_busy) {
        connection->is_busy = is_busy;
        control->busy += is_busy ? 1 : -1u;
    }
    bool is_quiet = !is_busy && control->busy == 0;
    bool is_first = is_busy && control->busy == 1;
    pthread_mutex_unlock(&control->mutex);
    if (is_quiet)
        control->options.quiet(control->options.arg);
    if (is_first)
        control->options.called(control->options.arg);
}

/* False: there are too many. It stays one as long as its call goes on. */
static bool become_watcher(struct connection *connection)
{
    struct control *control = connection->control;
    pthread_mutex_lock(&control->mutex);
    if (!connection->is_watcher && control->watchers < WATCHERS_MAX) {
        connection->is_watcher = true;
        control->watchers++;
    }
    pthread_mutex_unlock(&control->mutex);
    return connection->is_watcher;
}

static void end_watching(struct connection *connection)
{
    struct control *control = connection->control;
    pthread_mutex_lock(&control->mutex);
    control->watchers -= connection->is_watcher;
    connection->is_watcher = false;
    pthread_mutex_unlock(&control->mutex);
}

/* As call_waits.wait: who waits for a change is not busy, and keeps nothing from ending. */
static int wait_for_news(void *arg, uint64_t rev)
{
    struct connection *connection = arg;
    struct news *news = connection->control->options.news;
    if (!become_watcher(connection))
        return error_set(ERR_BUSY, "%d callers watch already, as many as may", WATCHERS_MAX);
    set_busy(connection, false);
    int outcome = news_wait(news, rev, varlink_descriptor(connection->varlink));
    set_busy(connection, true);
    return outcome;
}

static bool is_kept_from(const struct connection *connection, const struct varlink_message *message)
{
    const char *method = json_string_value(json_object_get(message->object, "method"));
    return connection->only != NULL &&
           (method == NULL || strncmp(method, connection->only, strlen(connection->only)) != 0);
}

/* What somebody may send who does not hold all rights: less, and a stranger no descriptors. A
 * holder's may be of a file system of its own, and hold whoever closes it: its own thread, of which
 * it has few. */
static void limit_peer(struct connection *connection)
{
    varlink_limit(connection->varlink,
                  connection->is_holder ? HOLDER_MESSAGE_MAX : STRANGER_MESSAGE_MAX);
    varlink_limit_values(connection->varlink, HOLDER_VALUES_MAX);
    if (connection->is_stranger || connection->only != NULL)
        varlink_without_descriptors(connection->varlink);
    else
        varlink_with_descriptors(connection->varlink);
}

static bool has_room_for_holder(const struct control *control, uid_t uid)
{
    unsigned same = 0;
    for (const struct connection *each = control->connections; each != NULL; each = each->next)
        same += each->is_holder && each->caller.uid == uid;
    return control->holders < HOLDERS_MAX && same < HOLDERS_EACH;
}

/* False: there are too many of those. */
static bool become(struct connection *connection, bool is_holder)
{
    struct control *control = connection->control;
    pthread_mutex_lock(&control->mutex);
    const bool may = connection->is_holder == is_holder || !is_holder ||
                     has_room_for_holder(control, connection->caller.uid);
    if (may && connection->is_holder != is_holder) {
        connection->is_holder = is_holder;
        connection->is_stranger = !is_holder;
        control->holders += is_holder ? 1 : -1u;
        control->strangers += is_holder ? -1u : 1;
    }
    pthread_mutex_unlock(&control->mutex);
    return may;
}

/* By a proof somebody without any right may come to some, and has the room of those who hold some
 * from then on; by the next one it may lose them. */
static int answer_proof(struct connection *connection, struct varlink_message *message,
                        const struct call_waits *waits)
{
    struct dispatcher *dispatcher = connection->control->options.dispatcher;
    const bool is_judged = connection->is_stranger || connection->is_holder; /* not the owner */
    if (is_judged && !become(connection, true))
        return call_refuse(connection->varlink, "io.emsa.Busy", "too many callers: try again");
    int error = call_answer(connection->varlink, message, dispatcher, &connection->caller, waits);
    if (is_judged) {
        (void)become(connection, service_knows(dispatcher, &connection->caller));
        limit_peer(connection);
    }
    return error;
}

static bool is_proof(const struct varlink_message *message)
{
    const char *method = json_string_value(json_object_get(message->object, "method"));
    return method != NULL && strcmp(method, SERVICE_INTERFACE "." PROOF_ANSWER) == 0;
}

/* One call. Negative or 1: there will be no other. */
static int serve_one(struct connection *connection)
{
    struct varlink_message message;
    int error = varlink_receive(connection->varlink, &message, MESSAGE_MILLISECONDS);
    if (error == -ERR_INVALID)
        (void)call_refuse(connection->varlink, "io.emsa.Invalid", error_text());
    if (error != 0)
        return error;
    struct call_waits waits = {.arg = connection, .wait = wait_for_news};
    if (is_kept_from(connection, &message))
        error = call_refuse(connection->varlink, "io.emsa.Denied",
                            "this connection is not for such calls");
    else if (is_proof(&message))
        error = answer_proof(connection, &message, &waits);
    else
        error = call_answer(connection->varlink, &message, connection->control->options.dispatcher,
                            &connection->caller, &waits);
    end_watching(connection);
    varlink_message_release(&message);
    return error;
}

static void serve(struct connection *connection)
{
    bool is_first = connection->only == NULL; /* else it is there to be called over some day */
    if (!is_first)
        set_busy(connection, false);
    for (;;) {
        bool is_owner = !connection->is_stranger && !connection->is_holder;
        int patience = is_first || !is_owner ? FIRST_MILLISECONDS : -1;
        if (varlink_wait(connection->varlink, patience) != 0)
            return;
        set_busy(connection, true);
        if (serve_one(connection) != 0)
            return;
        set_busy(connection, false);
        is_first = false;
    }
}

static void enlist(struct control *control, struct connection *connection)
{
    pthread_mutex_lock(&control->mutex);
    connection->self = &control->connections;
    connection->next = control->connections;
    if (connection->next != NULL)
        connection->next->self = &connection->next;
    control->connections = connection;
    control->count++;
    control->strangers += connection->is_stranger;
    control->holders += connection->is_holder;
    pthread_mutex_unlock(&control->mutex);
    set_busy(connection, true);
}

/* The control is not touched after the lock is given back: it may be freed by then. */
static void delist(struct connection *connection)
{
    struct control *control = connection->control;
    set_busy(connection, false);
    pthread_mutex_lock(&control->mutex);
    *connection->self = connection->next;
    if (connection->next != NULL)
        connection->next->self = connection->self;
    control->strangers -= connection->is_stranger;
    control->holders -= connection->is_holder;
    if (control->count-- == CONNECTIONS_MAX)
        wake(control);
    pthread_cond_signal(&control->ended);
    pthread_mutex_unlock(&control->mutex);
}

static void release_connection(struct connection *connection)
{
    if (connection != NULL)
        free(connection->groups);
    free(connection);
}

static void *run_connection(void *arg)
{
    struct connection *connection = arg;
    serve(connection);
    struct varlink *varlink = connection->varlink;
    delist(connection);
    varlink_free(varlink);
    release_connection(connection);
    return NULL;
}

static int run_detached(struct connection *connection)
{
    pthread_t thread;
    pthread_attr_t attributes;
    (void)pthread_attr_init(&attributes);
    (void)pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    int failed = pthread_create(&thread, &attributes, run_connection, connection);
    (void)pthread_attr_destroy(&attributes);
    return failed;
}

static bool is_turned_away(struct control *control, const struct connection *connection)
{
    pthread_mutex_lock(&control->mutex);
    bool is_full = (connection->is_stranger && control->strangers >= STRANGERS_MAX) ||
                   (connection->is_holder && !has_room_for_holder(control, connection->caller.uid));
    pthread_mutex_unlock(&control->mutex);
    return is_full;
}

/* The groups that the peer was in when it connected. */
static int read_groups(struct connection *connection, int fd)
{
    socklen_t size = 0;
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, NULL, &size) == 0)
        return 0; /* it is in none */
    if (errno != ERANGE || size > GROUPS_MAX * sizeof(gid_t))
        return error_system(errno, "cannot see which groups a caller is in");
    connection->groups = malloc(size);
    if (connection->groups == NULL)
        return error_set(ERR_NOMEM, "no memory for a caller's groups");
    if (getsockopt(fd, SOL_SOCKET, SO_PEERGROUPS, connection->groups, &size) < 0)
        return error_system(errno, "cannot see which groups a caller is in");
    connection->caller.groups = connection->groups;
    connection->caller.group_count = size / sizeof(gid_t);
    return 0;
}

static int judge_peer(struct connection *connection, int fd)
{
    int error = read_groups(connection, fd);
    if (error < 0)
        return error;
    connection->is_holder =
        service_knows(connection->control->options.dispatcher, &connection->caller);
    connection->is_stranger = !connection->is_holder;
    limit_peer(connection);
    return 0;
}

static int who(struct connection *connection, uid_t owner)
{
    struct ucred peer;
    socklen_t size = sizeof peer;
    int fd = varlink_descriptor(connection->varlink);
    if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
        return error_system(errno, "cannot see who calls");
    connection->caller = (struct caller){
        .uid = peer.uid, .gid = peer.gid, .pid = peer.pid, .proof = &connection->proof};
    if (connection->only != NULL)
        varlink_without_descriptors(connection->varlink);
    return peer.uid == 0 || peer.uid == owner ? 0 : judge_peer(connection, fd);
}

/* A thread for a new connection; whatever stands in the way, the socket is closed. */
static void begin(struct control *control, int socket, const char *only)
{
    struct connection *connection = calloc(1, sizeof *connection);
    struct varlink *varlink;
    if (varlink_new(&varlink, socket) < 0) {
        free(connection);
        return;
    }
    if (connection != NULL) {
        connection->control = control;
        connection->varlink = varlink;
        connection->only = only;
        if (who(connection, control->options.owner) == 0) {
            if (!is_turned_away(control, connection)) {
                enlist(control, connection);
                if (run_detached(connection) == 0)
                    return;
                delist(connection);
                log_error("cannot start a thread for a caller");
            } else {
                (void)call_refuse(varlink, "io.emsa.Busy", "too many callers: try again");
            }
        }
    }
    varlink_free(varlink);
    release_connection(connection);
}

static bool is_ended(struct control *control, bool *is_full)
{
    pthread_mutex_lock(&control->mutex);
    bool ended = control->is_stopping;
    *is_full = control->count >= CONNECTIONS_MAX;
    pthread_mutex_unlock(&control->mutex);
    return ended;
}

static void *run_accept(void *arg)
{
    struct control *control = arg;
    bool is_full, is_out_of_fds = false;
    while (!is_ended(control, &is_full)) {
        struct pollfd entries[] = {
            {.fd = control->wake, .events = POLLIN},
            {.fd = is_full || is_out_of_fds ? -1 : control->options.listener, .events = POLLIN}};
        /* Without descriptors there is nothing to wait for but that one is given back. */
        (void)poll(entries, 2, is_out_of_fds ? 100 : -1);
        is_out_of_fds = false;
        uint64_t count;
        if ((entries[0].revents & POLLIN) != 0 && read(control->wake, &count, sizeof count) < 0)
            continue;
        if (entries[1].revents == 0)
            continue;
        int fd = accept4(control->options.listener, NULL, NULL, SOCK_CLOEXEC);
        if (fd >= 0)
            begin(control, fd, NULL);
        else
            is_out_of_fds =
                errno == EMFILE || errno == ENFILE || errno == ENOBUFS || errno == ENOMEM;
    }
    return NULL;
}

static void release(struct control *control)
{
    descriptor_close(&control->wake);
    descriptor_close(&control->options.listener);
    (void)pthread_cond_destroy(&control->ended);
    (void)pthread_mutex_destroy(&control->mutex);
    free(control);
}

int control_start(struct control **out, const struct control_options *options)
{
    int listener = options->listener;
    struct control *control = calloc(1, sizeof *control);
    if (control == NULL) {
        descriptor_close(&listener);
        return error_set(ERR_NOMEM, "cannot take calls: out of memory");
    }
    control->options = *options;
    (void)pthread_mutex_init(&control->mutex, NULL);
    (void)pthread_cond_init(&control->ended, NULL);
    control->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    int error = 0;
    if (control->wake < 0)
        error = error_system(errno, "cannot make an eventfd");
    else if (pthread_create(&control->thread, NULL, run_accept, control) != 0)
        error = error_set(ERR_NOMEM, "cannot start a thread");
    if (error < 0) {
        release(control);
        return error;
    }
    *out = control;
    return 0;
}

void control_let_in(struct control *control, int socket, const char *only)
{
    if (control == NULL)
        descriptor_close(&socket);
    else
        begin(control, socket, only);
}

unsigned control_calls(struct control *control)
{
    pthread_mutex_lock(&control->mutex);
    unsigned calls = control->busy;
    pthread_mutex_unlock(&control->mutex);
    return calls;
}

void control_stop(struct control *control)
{
    if (control == NULL)
        return;
    pthread_mutex_lock(&control->mutex);
    control->is_stopping = true;
    wake(control);
    pthread_mutex_unlock(&control->mutex);
    pthread_join(control->thread, NULL);
    pthread_mutex_lock(&control->mutex);
    /* What a caller has sent is still read and answered; then its connection ends. */
    for (struct connection *each = control->connections; each != NULL; each = each->next)
        (void)shutdown(varlink_descriptor(each->varlink), SHUT_RD);
    while (control->count > 0)
        pthread_cond_wait(&control->ended, &control->mutex);
    pthread_mutex_unlock(&control->mutex);
    release(control);
}
