#include "tests/integration/fs/world.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/roster.h"
#include "fs/state.h"
#include "store/error.h"
#include "tests/integration/fs/server.h"

static void must(int error, const char *what)
{
    if (error < 0)
        give_up("%s failed", what);
}

static void pair(int type, int ends[2])
{
    if (socketpair(AF_UNIX, type | SOCK_CLOEXEC, 0, ends) < 0)
        give_up("cannot make a socket pair");
}

/* A namespace of its own, so that nothing stays mounted whatever happens. */
static void alone(void)
{
    static bool done;
    if (done)
        return;
    done = true;
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        give_up("cannot make a mount namespace");
}

static pid_t child(void)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid < 0)
        give_up("cannot fork");
    return pid;
}

static void reap(pid_t *pid)
{
    if (*pid > 0)
        waitpid(*pid, NULL, 0);
    *pid = 0;
}

/* Waits for a process that ends by itself; what a sanitizer found in it shows in its status. */
static void reap_clean(pid_t *pid)
{
    int status = 0;
    if (*pid > 0 && waitpid(*pid, &status, 0) == *pid && status != 0)
        give_up("process %d ended with status %#x", *pid, (unsigned)status);
    *pid = 0;
}

static void make_store(struct world *world)
{
    int status;
    pid_t pid = child();
    if (pid == 0)
        server_make_store(world);
    if (waitpid(pid, &status, 0) != pid || status != 0)
        give_up("the store could not be made");
}

void world_notifier_start(struct world *world)
{
    int control[2];
    pair(SOCK_STREAM, control);
    world->notifier = child();
    if (world->notifier == 0) {
        close(control[0]);
        if (world->server_socket >= 0)
            close(world->server_socket);
        notifier_run(world, control[1]);
    }
    close(control[1]);
    world->notifier_socket = control[0];
}

void world_server_start(struct world *world)
{
    int commands[2], channel[2];
    char ready;
    pair(SOCK_STREAM, commands);
    pair(SOCK_SEQPACKET, channel);
    world->server = child();
    if (world->server == 0) {
        close(commands[0]);
        close(channel[1]);
        close(world->notifier_socket);
        server_run(world, commands[1], channel[0]);
    }
    close(commands[1]);
    close(channel[0]);
    descriptor_send(world->notifier_socket, channel[1]);
    close(channel[1]);
    world->server_socket = commands[0];
    for (unsigned i = 0; i <= world->view_count && !world->view.replay; i++)
        must(mount_resend(i ? world->views[i - 1].super.fuse_fd : world->super.fuse_fd),
             "mount_resend");
    if (!stream_read(world->server_socket, &ready, 1))
        give_up("the server did not start");
}

void world_server_kill(struct world *world)
{
    kill(world->server, SIGKILL);
    reap(&world->server);
    close(world->server_socket);
    world->server_socket = -1;
}

void world_notifier_kill(struct world *world)
{
    struct roster *roster;
    kill(world->notifier, SIGKILL);
    reap(&world->notifier);
    must(roster_map(&roster, world->roster_fd, true), "roster_map");
    roster_clear(roster);
    roster_unmap(roster);
    close(world->notifier_socket);
    world->notifier_socket = -1;
}

unsigned world_view_more(struct world *world, const char *path, const struct view_options *options)
{
    struct world_view *view = &world->views[world->view_count];
    struct path parsed;
    *view = (struct world_view){.options = *options};
    must(path_parse(&parsed, path, strlen(path)), "path_parse");
    must(view_options_of(&view->options, &parsed), "view_options_of");
    view->options.id = world->view_count + 2;
    return world->view_count++;
}

static void mount_view(struct mount *super, const struct view_options *options, char *path)
{
    if (mkdir(path, 0700) < 0)
        give_up("cannot make '%s'", path);
    must(mount_make(super, options), "mount_make");
    must(mount_attach(super->mount_fd, path), "mount_attach");
    close(super->mount_fd);
    super->mount_fd = -1;
}

void world_make(struct world *world, const struct view_options *view)
{
    struct world made = {
        .server_socket = -1, .no_identity = world->no_identity, .view_count = world->view_count};
    memcpy(made.views, world->views, sizeof(made.views));
    alone();
    snprintf(made.folder, sizeof(made.folder), "/tmp/emsa-fs-XXXXXX");
    if (!mkdtemp(made.folder))
        give_up("cannot make a folder");
    snprintf(made.store, sizeof(made.store), "%s/store", made.folder);
    snprintf(made.identity, sizeof(made.identity), "%s/identity", made.folder);
    snprintf(made.mount, sizeof(made.mount), "%s/mount", made.folder);
    if (view)
        made.view = *view;
    made.view.id = 1;
    *world = made;
    make_store(world);
    must(state_create(&world->state_fd), "state_create");
    must(roster_create(&world->roster_fd), "roster_create");
    mount_view(&world->super, &world->view, world->mount);
    for (unsigned i = 0; i < world->view_count; i++) {
        struct world_view *more = &world->views[i];
        snprintf(more->mount, sizeof(more->mount), "%s/view%u", world->folder, i);
        mount_view(&more->super, &more->options, more->mount);
    }
    world_notifier_start(world);
    world_server_start(world);
}

static int forget(const char *path, const struct stat *st, int flag, struct FTW *walk)
{
    (void)st, (void)flag, (void)walk;
    return remove(path);
}

void world_end(struct world *world)
{
    umount2(world->mount, MNT_DETACH);
    for (unsigned i = 0; i < world->view_count; i++)
        umount2(world->views[i].mount, MNT_DETACH);
    /* the notifier first: it may wait in the kernel for an answer */
    close(world->notifier_socket);
    reap_clean(&world->notifier);
    close(world->server_socket);
    reap_clean(&world->server);
    mount_release(&world->super);
    for (unsigned i = 0; i < world->view_count; i++)
        mount_release(&world->views[i].super);
    close(world->state_fd);
    close(world->roster_fd);
    nftw(world->folder, forget, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT);
}

static void tell(struct world *world, enum command_kind kind, const char *path, const void *value,
                 size_t size)
{
    struct command command = {.kind = (uint32_t)kind, .size = (uint32_t)size};
    snprintf(command.path, sizeof(command.path), "%s", path);
    stream_write(world->server_socket, &command, sizeof(command));
    stream_write(world->server_socket, value, size);
}

#define EITHER 2 /* told, or late */

static struct answer ask(struct world *world, enum command_kind kind, int expected)
{
    struct answer answer;
    tell(world, kind, "", NULL, 0);
    if (!stream_read(world->server_socket, &answer, sizeof(answer)))
        give_up("the server is gone");
    if (answer.error != expected && !(expected == EITHER && answer.error >= 0)) {
        fprintf(stderr, "the server says %d %s\n", answer.error, answer.text);
        exit(99);
    }
    return answer;
}

void world_environment_add(struct world *world, const char *name)
{
    tell(world, COMMAND_ENVIRONMENT_ADD, name, NULL, 0);
}

void world_environment_add_on(struct world *world, const char *name, const char *base)
{
    tell(world, COMMAND_ENVIRONMENT_ADD, name, base, strlen(base));
}

void world_environment_remove(struct world *world, const char *name)
{
    tell(world, COMMAND_ENVIRONMENT_REMOVE, name, NULL, 0);
}

void world_service_add(struct world *world, const char *path)
{
    tell(world, COMMAND_SERVICE_ADD, path, NULL, 0);
}

void world_service_remove(struct world *world, const char *path)
{
    tell(world, COMMAND_SERVICE_REMOVE, path, NULL, 0);
}

void world_set(struct world *world, const char *path, const void *value, size_t size)
{
    tell(world, COMMAND_SET, path, value, size);
}

void world_set_secret(struct world *world, const char *path, const void *value, size_t size)
{
    tell(world, COMMAND_SET_SECRET, path, value, size);
}

void world_set_link(struct world *world, const char *path, const char *target)
{
    tell(world, COMMAND_SET_LINK, path, target, strlen(target));
}

void world_set_template(struct world *world, const char *path, const char *text)
{
    tell(world, COMMAND_SET_TEMPLATE, path, text, strlen(text));
}

void world_share(struct world *world, const char *path, const char *consumer)
{
    tell(world, COMMAND_SHARE, path, consumer, strlen(consumer));
}

void world_remove(struct world *world, const char *path)
{
    tell(world, COMMAND_REMOVE, path, NULL, 0);
}

uint64_t world_commit(struct world *world)
{
    return ask(world, COMMAND_COMMIT, 0).rev;
}

uint64_t world_commit_patiently(struct world *world)
{
    return ask(world, COMMAND_COMMIT, EITHER).rev;
}

uint64_t world_commit_late(struct world *world)
{
    return ask(world, COMMAND_COMMIT, 1).rev;
}

int world_move(struct world *world, unsigned view, uint64_t rev)
{
    char text[64];
    struct answer answer;
    snprintf(text, sizeof(text), "%u %llu", world->views[view].options.id, (unsigned long long)rev);
    tell(world, COMMAND_MOVE, text, NULL, 0);
    if (!stream_read(world->server_socket, &answer, sizeof(answer)))
        give_up("the server has ended");
    return answer.error;
}

void world_status(struct world *world, struct fs_status *status)
{
    *status = ask(world, COMMAND_STATUS, 0).status;
}

static const char *join(const char *mount, const char *path)
{
    static char texts[8][512];
    static unsigned next;
    char *text = texts[next++ % 8];
    snprintf(text, sizeof(texts[0]), "%s/%s", mount, path);
    return text;
}

const char *world_path(const struct world *world, const char *path)
{
    return join(world->mount, path);
}

const char *world_view_path(const struct world *world, unsigned view, const char *path)
{
    return join(world->views[view].mount, path);
}
