#include "tests/integration/fs/mounted.h"

#include <errno.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/roster.h"
#include "fs/state.h"
#include "tests/integration/fs/server.h"
#include "tests/integration/fs/tree_text.h"
#include "tests/support/store/trial.h"

#define TRIES_MAX 1000u /* of telling a view that does not come back at once */

static void must(int error, const char *what)
{
    if (error < 0)
        give_up("%s failed", what);
}

static int duplicate(int fd)
{
    const int copy = dup(fd);
    must(copy, "dup");
    return copy;
}

/* --- who reads --- */

static void read_on(const struct mounted *mounted, int socket)
{
    struct tree_inodes inodes = {0};
    char byte;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    while (read(socket, &byte, 1) == 1) {
        byte = tree_text_is(mounted->text, mounted->world.mount, &inodes) ? 'y' : 'n';
        if (write(socket, &byte, 1) != 1)
            break;
    }
    free(inodes.rows);
    exit(0);
}

static void start_reader(struct mounted *mounted)
{
    int ends[2];
    must(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), "socketpair");
    fflush(NULL);
    mounted->reader = fork();
    must(mounted->reader, "fork");
    if (mounted->reader == 0) {
        close(ends[0]);
        close(mounted->world.notifier_socket);
        read_on(mounted, ends[1]);
    }
    close(ends[1]);
    mounted->reader_socket = ends[0];
}

/* --- the mount --- */

/* A namespace of its own, so that nothing stays mounted whatever happens. */
static void alone(void)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        give_up("cannot make a mount namespace");
}

void mounted_make(struct mounted *mounted, unsigned every)
{
    struct world *world = &mounted->world;
    *mounted = (struct mounted){.every = every, .world = {.server_socket = -1}};
    alone();
    world->view.id = 1;
    snprintf(world->folder, sizeof world->folder, "/tmp/emsa-mounted-XXXXXX");
    if (!mkdtemp(world->folder))
        give_up("cannot make a folder");
    snprintf(world->mount, sizeof world->mount, "%s/mount", world->folder);
    must(mkdir(world->mount, 0700), "mkdir");
    must(state_create(&world->state_fd), "state_create");
    must(roster_create(&world->roster_fd), "roster_create");
    must(mount_make(&world->super, &world->view), "mount_make");
    must(mount_attach(world->super.mount_fd, world->mount), "mount_attach");
    close(world->super.mount_fd);
    world->super.mount_fd = -1;
    mounted->text = mmap(NULL, sizeof *mounted->text, PROT_READ | PROT_WRITE,
                         MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (mounted->text == MAP_FAILED)
        give_up("no shared memory");
    world_notifier_start(world);
    start_reader(mounted);
}

void mounted_end(struct mounted *mounted)
{
    struct world *world = &mounted->world;
    /* By force, so that nobody waits for a server that is no more. */
    umount2(world->mount, MNT_FORCE | MNT_DETACH);
    close(world->notifier_socket);
    waitpid(world->notifier, NULL, 0);
    close(mounted->reader_socket);
    waitpid(mounted->reader, NULL, 0);
    mount_release(&world->super);
    close(world->state_fd);
    close(world->roster_fd);
    munmap(mounted->text, sizeof *mounted->text);
    rmdir(world->mount);
    rmdir(world->folder);
}

/* --- in the process that plays --- */

static void alarm_print(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "alarm: %s\n", text);
}

static void opened(void *arg, struct store *store)
{
    struct mounted *mounted = arg;
    const struct world *world = &mounted->world;
    int channel[2];
    struct fs_options options = {.store = store,
                                 .threads = 4,
                                 .state_fd = duplicate(world->state_fd),
                                 .roster_fd = world->roster_fd,
                                 .alarm = alarm_print};
    must(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, channel), "socketpair");
    descriptor_send(world->notifier_socket, channel[1]);
    close(channel[1]);
    must(mount_resend(world->super.fuse_fd), "mount_resend");
    must(fs_new(&mounted->fs, &options), "fs_new");
    must(fs_adopt(mounted->fs, &world->view, duplicate(world->super.fuse_fd), world->super.init,
                  world->super.init_size),
         "fs_adopt");
    must(fs_start(mounted->fs), "fs_start");
    must(fs_notifier(mounted->fs, channel[0]), "fs_notifier");
}

static void closing(void *arg)
{
    struct mounted *mounted = arg;
    fs_free(mounted->fs);
    mounted->fs = NULL;
}

/* A view may not come back in time on a busy machine: it is told as soon as it does. */
static void publish(struct mounted *mounted, uint64_t rev)
{
    int late = 1;
    for (unsigned i = 0; late && i < TRIES_MAX; i++) {
        late = fs_publish(mounted->fs, rev);
        must(late, "fs_publish");
    }
    MUST(!late, "the view was never told of revision %llu", (unsigned long long)rev);
}

static void committed(void *arg, const struct naive *state, const int64_t times[])
{
    struct mounted *mounted = arg;
    char byte = 'r';
    publish(mounted, state->rev);
    if (++mounted->commits % mounted->every)
        return;
    tree_text_of(mounted->text, state, times);
    if (mounted->text->is_partial)
        return;
    MUST(write(mounted->reader_socket, &byte, 1) == 1 &&
             read(mounted->reader_socket, &byte, 1) == 1,
         "who reads the tree is gone");
    MUST(byte == 'y', "the mounted tree differs at revision %llu", (unsigned long long)state->rev);
    mounted->looks++;
}

struct story_hook mounted_hook(struct mounted *mounted)
{
    return (struct story_hook){
        .opened = opened, .closing = closing, .committed = committed, .arg = mounted};
}
