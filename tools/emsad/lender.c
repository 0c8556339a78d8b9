#include "tools/emsad/lender.h"

#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"
#include "tools/emsad/loan.h"

#define GIVEN_MAX 16 /* values in memory at one time: 16 MiB at most */
#define END_MILLISECONDS 1000
#define CALLER_MAX 300

enum stage { WAITING, GIVING, SPOILING };

struct asker {
    struct asker *next;
    uint32_t id;
    int fd;
    enum stage stage;
    struct call call; /* of GIVING: its only part is the value */
    const unsigned char *data;
    size_t size, sent;
    int64_t deadline; /* of GIVING */
    bool is_done;
    char environment[ENVIRONMENT_NAME_MAX + 1];
    char loan[CALLER_MAX]; /* for messages */
};

struct lender {
    struct lender_options options;
    pthread_t thread;
    pthread_mutex_t mutex; /* protects brought and is_ending */
    int bell;              /* eventfd: there is something there */
    struct asker *brought;
    bool is_ending;
    /* the thread's */
    struct asker *askers; /* in the order in which they came */
    size_t given;
    struct pollfd *polls;
    size_t poll_capacity;
};

static void forget_value(struct lender *lender, struct asker *asker)
{
    if (asker->stage != GIVING)
        return;
    call_release(&asker->call);
    asker->data = NULL;
    lender->given--;
}

static void spoil(struct lender *lender, struct asker *asker)
{
    forget_value(lender, asker);
    asker->stage = SPOILING;
    asker->size = LENDER_SPOIL_SIZE;
    asker->sent = 0;
}

static void refuse(struct lender *lender, struct asker *asker, const char *why)
{
    log_warning("%s is refused, so that its unit does not start: %s", asker->loan, why);
    spoil(lender, asker);
}

/* Who asks, as the kernel knows it, and for what. */
static int look(struct asker *asker, struct caller *caller, struct loan *loan)
{
    struct ucred peer;
    struct sockaddr_un name = {.sun_family = AF_UNSPEC};
    socklen_t size = sizeof peer, name_size = sizeof name;
    const size_t head = offsetof(struct sockaddr_un, sun_path);
    if (getsockopt(asker->fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 ||
        getpeername(asker->fd, (struct sockaddr *)&name, &name_size) < 0)
        return error_system(errno, "cannot see who asks");
    *caller = (struct caller){.uid = peer.uid, .gid = peer.gid, .pid = peer.pid};
    (void)snprintf(asker->loan, sizeof asker->loan,
                   "process %d of user %u, which asks for a credential,", (int)peer.pid,
                   (unsigned)peer.uid);
    if (peer.uid != 0)
        return error_set(ERR_REFUSED, "it is not root's: only the system's systemd is answered");
    if (name_size > sizeof name)
        name_size = sizeof name;
    int error = loan_parse(loan, name.sun_path, name_size > head ? name_size - head : 0,
                           asker->environment);
    if (loan->unit[0] != '\0')
        (void)snprintf(asker->loan, sizeof asker->loan, "credential '%s' of unit '%s'", loan->id,
                       loan->unit);
    return error;
}

static int ask_for(struct lender *lender, struct asker *asker, const struct caller *caller,
                   const struct path *path)
{
    char text[PATH_TEXT_MAX];
    json_t *parameters = json_pack("{s:[s], s:b}", "paths", path_text(path, text), "reveal", 1);
    asker->call = (struct call){.caller = *caller,
                                .method = SERVICE_INTERFACE ".Get",
                                .parameters = parameters,
                                .door = AUDIT_DOOR_CREDENTIAL,
                                .input = -1,
                                .output_fd = -1};
    int error = parameters == NULL ? error_set(ERR_NOMEM, "out of memory")
                                   : service_call(lender->options.dispatcher, &asker->call);
    json_decref(parameters);
    asker->call.parameters = NULL;
    if (error < 0)
        return error;
    const char *message = json_string_value(json_object_get(asker->call.reply, "message"));
    if (asker->call.error != NULL)
        return error_set(ERR_REFUSED, "%s", message != NULL ? message : asker->call.error);
    if (asker->call.part_count != 1)
        return error_set(ERR_NOT_FOUND, "'%s' is no value", text);
    return 0;
}

/* Has its value in hand, or is spoilt. */
static void begin(struct lender *lender, struct asker *asker)
{
    struct caller caller;
    struct loan loan = {0};
    int error = look(asker, &caller, &loan);
    if (error < 0) {
        refuse(lender, asker, error_text());
        return;
    }
    asker->stage = GIVING;
    lender->given++;
    error = ask_for(lender, asker, &caller, &loan.path);
    if (error < 0) {
        refuse(lender, asker, error_text());
        return;
    }
    const struct value_part *part = &asker->call.parts[0];
    asker->data = part->is_secret ? part->secret.data : part->plain.data;
    asker->size = part->is_secret ? part->secret.size : part->plain.size;
    asker->deadline = deadline_in(lender->options.milliseconds);
}

/* As much as goes out now. */
static void go_on(struct asker *asker)
{
    static const unsigned char nothing[65536];
    while (asker->sent < asker->size) {
        size_t left = asker->size - asker->sent;
        const void *from = asker->stage == GIVING ? asker->data + asker->sent : nothing;
        if (asker->stage == SPOILING && left > sizeof nothing)
            left = sizeof nothing;
        ssize_t sent = send(asker->fd, from, left, MSG_DONTWAIT | MSG_NOSIGNAL);
        if (sent < 0 && errno == EINTR)
            continue;
        if (sent < 0) {
            asker->is_done = errno != EAGAIN && errno != EWOULDBLOCK && errno != ENOBUFS;
            return; /* done: it does not want it, or is gone */
        }
        asker->sent += (size_t)sent;
    }
    asker->is_done = true;
}

/* The connection ends with the last descriptor of it: the supervisor's. */
static void finish(struct lender *lender, struct asker *asker)
{
    forget_value(lender, asker);
    descriptor_close(&asker->fd);
    lender->options.lent(lender->options.arg, asker->id);
    free(asker);
}

static void work(struct lender *lender)
{
    for (struct asker **at = &lender->askers; *at != NULL;) {
        struct asker *asker = *at;
        if (asker->stage == WAITING && lender->given < GIVEN_MAX)
            begin(lender, asker);
        if (asker->stage == GIVING && deadline_left(asker->deadline) == 0)
            refuse(lender, asker, "it does not read its value");
        if (asker->stage != WAITING)
            go_on(asker);
        if (!asker->is_done) {
            at = &asker->next;
            continue;
        }
        *at = asker->next;
        finish(lender, asker);
    }
}

/* Takes what was brought; whether the end has come. */
static bool take(struct lender *lender)
{
    uint64_t rung;
    (void)!read(lender->bell, &rung, sizeof rung);
    pthread_mutex_lock(&lender->mutex);
    struct asker *brought = lender->brought;
    bool is_ending = lender->is_ending;
    lender->brought = NULL;
    pthread_mutex_unlock(&lender->mutex);
    struct asker **end = &lender->askers;
    while (*end != NULL)
        end = &(*end)->next;
    while (brought != NULL) { /* the newest is the first there */
        struct asker *next = brought->next;
        brought->next = *end;
        *end = brought;
        brought = next;
    }
    return is_ending;
}

static bool make_room(struct lender *lender, size_t count)
{
    if (count <= lender->poll_capacity)
        return true;
    struct pollfd *polls = reallocarray(lender->polls, 2 * count, sizeof *polls);
    if (polls == NULL)
        return false; /* then those are looked at when others are */
    lender->polls = polls;
    lender->poll_capacity = 2 * count;
    return true;
}

/* Who waits for its turn has it when another one is done, and is not polled for. */
static void wait_for_work(struct lender *lender, int64_t until)
{
    size_t count = 0;
    lender->polls[count++] = (struct pollfd){.fd = lender->bell, .events = POLLIN};
    for (const struct asker *asker = lender->askers; asker != NULL; asker = asker->next) {
        if (asker->stage == WAITING || !make_room(lender, count + 1))
            continue;
        lender->polls[count++] = (struct pollfd){.fd = asker->fd, .events = POLLOUT};
        if (asker->stage == GIVING && (until < 0 || asker->deadline < until))
            until = asker->deadline;
    }
    (void)poll(lender->polls, count, deadline_left(until));
}

/* Nobody is to take an end for a value. */
static void spoil_all(struct lender *lender)
{
    int64_t until = deadline_in(END_MILLISECONDS);
    for (struct asker *asker = lender->askers; asker != NULL; asker = asker->next)
        if (asker->stage != SPOILING)
            refuse(lender, asker, "the daemon ends");
    for (work(lender); lender->askers != NULL && deadline_left(until) != 0; work(lender))
        wait_for_work(lender, until);
}

static void *run(void *arg)
{
    struct lender *lender = arg;
    while (!take(lender)) {
        work(lender);
        wait_for_work(lender, -1);
    }
    spoil_all(lender);
    return NULL;
}

static void release(struct lender *lender)
{
    while (lender->askers != NULL) {
        struct asker *asker = lender->askers;
        lender->askers = asker->next;
        finish(lender, asker);
    }
    descriptor_close(&lender->bell);
    free(lender->polls);
    (void)pthread_mutex_destroy(&lender->mutex);
    free(lender);
}

int lender_start(struct lender **out, const struct lender_options *options)
{
    struct lender *lender = calloc(1, sizeof *lender);
    if (lender == NULL)
        return error_set(ERR_NOMEM, "no memory for credentials");
    lender->options = *options;
    (void)pthread_mutex_init(&lender->mutex, NULL);
    lender->bell = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (lender->bell < 0 || !make_room(lender, 8) ||
        pthread_create(&lender->thread, NULL, run, lender) != 0) {
        release(lender);
        return error_set(ERR_NOMEM, "cannot start a thread for credentials");
    }
    *out = lender;
    return 0;
}

static void ring(const struct lender *lender)
{
    const uint64_t one = 1;
    (void)!write(lender->bell, &one, sizeof one);
}

int lender_give(struct lender *lender, uint32_t id, int fd, const char *environment, bool is_spoilt)
{
    struct asker *asker = calloc(1, sizeof *asker);
    if (asker == NULL) {
        descriptor_close(&fd);
        return error_set(ERR_NOMEM, "no memory for who asks for a credential");
    }
    asker->id = id;
    asker->fd = fd;
    (void)snprintf(asker->environment, sizeof asker->environment, "%s", environment);
    if (is_spoilt)
        spoil(lender, asker);
    pthread_mutex_lock(&lender->mutex);
    asker->next = lender->brought;
    lender->brought = asker;
    pthread_mutex_unlock(&lender->mutex);
    ring(lender);
    return 0;
}

void lender_free(struct lender *lender)
{
    if (lender == NULL)
        return;
    pthread_mutex_lock(&lender->mutex);
    lender->is_ending = true;
    pthread_mutex_unlock(&lender->mutex);
    ring(lender);
    pthread_join(lender->thread, NULL);
    release(lender);
}
