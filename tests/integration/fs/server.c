#include "tests/integration/fs/server.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fs/notifier.h"
#include "store/change.h"
#include "store/error.h"
#include "store/identity.h"
#include "store/store.h"

#define ARENA (16u * 1024 * 1024)

void give_up(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(stderr, format, args);
    va_end(args);
    fprintf(stderr, ": %s (%s)\n", error_text(), strerror(errno));
    _exit(99);
}

static void must(int error, const char *what)
{
    if (error < 0)
        give_up("%s failed", what);
}

void stream_write(int fd, const void *data, size_t size)
{
    const char *at = data;
    while (size > 0) {
        ssize_t n = send(fd, at, size, MSG_NOSIGNAL);
        if (n < 0)
            give_up("cannot send");
        at += n;
        size -= (size_t)n;
    }
}

bool stream_read(int fd, void *data, size_t size)
{
    char *at = data;
    while (size > 0) {
        ssize_t n = read(fd, at, size);
        if (n <= 0)
            return false;
        at += n;
        size -= (size_t)n;
    }
    return true;
}

void descriptor_send(int socket, int fd)
{
    char byte = 0;
    struct iovec part = {&byte, 1};
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof(control.space)};
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN(sizeof(int));
    memcpy(CMSG_DATA(header), &fd, sizeof(int));
    if (sendmsg(socket, &message, MSG_NOSIGNAL) < 0)
        give_up("cannot send a descriptor");
}

int descriptor_receive(int socket)
{
    char byte;
    int fd = -1;
    struct iovec part = {&byte, 1};
    union {
        char space[CMSG_SPACE(sizeof(int))];
        struct cmsghdr align;
    } control = {0};
    struct msghdr message = {.msg_iov = &part,
                             .msg_iovlen = 1,
                             .msg_control = control.space,
                             .msg_controllen = sizeof(control.space)};
    if (recvmsg(socket, &message, MSG_CMSG_CLOEXEC) <= 0)
        return -1;
    struct cmsghdr *header = CMSG_FIRSTHDR(&message);
    if (header)
        memcpy(&fd, CMSG_DATA(header), sizeof(int));
    return fd;
}

static void alarm_print(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "alarm: %s\n", text);
}

void server_make_store(const struct world *world)
{
    struct identity *identity;
    struct author author = {.name = "uid 0 (root)"};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    must(secret_setup(ARENA), "secret_setup");
    must(identity_new(&identity), "identity_new");
    must(identity_write(identity, world->identity), "identity_write");
    must(store_create(world->store, identity, &author), "store_create");
    identity_free(identity);
    _exit(0);
}

struct serving {
    struct store *store;
    struct fs *fs;
    struct change *change;
    int socket;
};

static struct change *change_now(struct serving *serving)
{
    if (!serving->change)
        must(change_new(&serving->change, serving->store), "change_new");
    return serving->change;
}

static void gather(struct serving *serving, const struct command *command, const void *value)
{
    struct change *change = change_now(serving);
    struct secret secret = {0};
    struct path path;
    char text[512] = "";
    if (command->size < sizeof(text))
        memcpy(text, value, command->size);
    const struct environment_terms terms = {.base = text[0] ? text : NULL};
    int error = path_parse(&path, command->path, strlen(command->path));
    must(error, "path_parse");
    switch (command->kind) {
    case COMMAND_ENVIRONMENT_ADD:
        error = change_environment_add(change, path.environment, &terms);
        break;
    case COMMAND_ENVIRONMENT_REMOVE:
        error = change_environment_remove(change, path.environment);
        break;
    case COMMAND_SERVICE_ADD:
        error = change_service_add(change, &path);
        break;
    case COMMAND_SERVICE_REMOVE:
        error = change_service_remove(change, &path);
        break;
    case COMMAND_SET:
        error = change_set_plain(change, &path, value, command->size);
        break;
    case COMMAND_SET_SECRET:
        must(secret_copy(&secret, value, command->size), "secret_copy");
        error = change_set_secret(change, &path, &secret);
        break;
    case COMMAND_SET_LINK:
        error = change_set_link(change, &path, text);
        break;
    case COMMAND_SET_TEMPLATE:
        error = change_set_template(change, &path, value, command->size);
        break;
    case COMMAND_SHARE:
        error = change_share(change, &path, text);
        break;
    default:
        error = change_remove(change, &path);
        break;
    }
    must(error, "an operation");
}

static void commit(struct serving *serving, struct answer *answer)
{
    struct change_terms terms = {
        .author = {.name = "uid 0 (root)"}, .reason = "a test", .allow_new = true};
    struct change_result result = {0};
    answer->error = change_commit(change_now(serving), &terms, &result);
    change_free(serving->change);
    serving->change = NULL;
    if (answer->error < 0) {
        snprintf(answer->text, sizeof(answer->text), "%s", error_text());
        return;
    }
    answer->rev = result.rev;
    change_result_release(&result);
    answer->error = fs_publish(serving->fs, answer->rev);
}

static void move(struct serving *serving, const char *text, struct answer *answer)
{
    char *rest;
    const unsigned long view = strtoul(text, &rest, 10);
    answer->error = fs_move(serving->fs, (uint32_t)view, strtoull(rest, NULL, 10));
    if (answer->error < 0)
        snprintf(answer->text, sizeof(answer->text), "%s", error_text());
}

static void obey(struct serving *serving)
{
    static unsigned char value[VALUE_MAX];
    struct command command;
    while (stream_read(serving->socket, &command, sizeof(command))) {
        struct answer answer = {0};
        if (command.size > sizeof(value) || !stream_read(serving->socket, value, command.size))
            return;
        if (command.kind == COMMAND_COMMIT)
            commit(serving, &answer);
        else if (command.kind == COMMAND_STATUS)
            fs_status(serving->fs, &answer.status);
        else if (command.kind == COMMAND_MOVE)
            move(serving, command.path, &answer);
        else
            gather(serving, &command, value);
        if (command.kind == COMMAND_COMMIT || command.kind == COMMAND_STATUS ||
            command.kind == COMMAND_MOVE)
            stream_write(serving->socket, &answer, sizeof(answer));
    }
}

static int duplicate(int fd)
{
    int copy = dup(fd);
    if (copy < 0)
        give_up("cannot duplicate a descriptor");
    return copy;
}

void server_run(const struct world *world, int commands, int notifier)
{
    struct serving serving = {.socket = commands};
    struct store_options store = {.path = world->store, .lock_fd = -1, .alarm = alarm_print};
    struct identity *identity;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    must(secret_setup(ARENA), "secret_setup");
    must(fs_catch(), "fs_catch");
    must(store_open(&serving.store, &store), "store_open");
    if (!world->no_identity) {
        must(identity_load(&identity, world->identity), "identity_load");
        must(store_unlock(serving.store, identity), "store_unlock");
    }
    const char *spin = getenv("EMSA_TEST_SPIN");
    struct fs_options options = {.store = serving.store,
                                 .threads = 4,
                                 .spin = spin ? (int)strtol(spin, NULL, 10) : 0,
                                 .state_fd = duplicate(world->state_fd),
                                 .roster_fd = world->roster_fd,
                                 .alarm = alarm_print};
    must(fs_new(&serving.fs, &options), "fs_new");
    must(fs_adopt(serving.fs, &world->view, duplicate(world->super.fuse_fd), world->super.init,
                  world->super.init_size),
         "fs_adopt");
    for (unsigned i = 0; i < world->view_count; i++) {
        const struct mount *super = &world->views[i].super;
        must(fs_adopt(serving.fs, &world->views[i].options, duplicate(super->fuse_fd), super->init,
                      super->init_size),
             "fs_adopt");
    }
    must(fs_start(serving.fs), "fs_start");
    must(fs_notifier(serving.fs, notifier), "fs_notifier");
    char ready = 'r';
    stream_write(commands, &ready, 1);
    obey(&serving);
    change_free(serving.change);
    fs_free(serving.fs);
    store_close(serving.store);
    secret_teardown();
    exit(0);
}

/* This process may mount, so it need not ask another. */
static int mount_now(void *arg, uint32_t view)
{
    const struct world *world = arg;
    int fd, fuse_fd = view < 2 ? world->super.fuse_fd : world->views[view - 2].super.fuse_fd;
    return mount_writable(&fd, fuse_fd) == 0 ? fd : NOTIFIER_NOBODY;
}

void notifier_run(const struct world *world, int control)
{
    struct notifier *notifier = NULL;
    struct notifier_options options = {.socket = descriptor_receive(control),
                                       .roster = world->roster_fd,
                                       .ask = mount_now,
                                       .arg = (void *)(uintptr_t)world};
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (options.socket < 0)
        exit(0);
    must(notifier_new(&notifier, &options), "notifier_new");
    must(notifier_view_add(notifier, world->view.id, duplicate(world->super.fuse_fd)),
         "notifier_view_add");
    for (unsigned i = 0; i < world->view_count; i++)
        must(notifier_view_add(notifier, world->views[i].options.id,
                               duplicate(world->views[i].super.fuse_fd)),
             "notifier_view_add");
    bool alive = true;
    for (;;) {
        struct pollfd fds[2] = {{.fd = control, .events = POLLIN},
                                {.fd = alive ? notifier_socket(notifier) : -1, .events = POLLIN}};
        if (poll(fds, 2, -1) < 0)
            continue;
        if (fds[1].revents) {
            int error = notifier_work(notifier);
            must(error, "notifier_work");
            alive = error == 0;
        }
        if (!fds[0].revents)
            continue;
        int socket = descriptor_receive(control);
        if (socket < 0)
            break;
        must(notifier_server(notifier, socket), "notifier_server");
        alive = true;
    }
    notifier_free(notifier);
    exit(0);
}
