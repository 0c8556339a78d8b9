/* mount and umount. The server makes the mount; this process puts it where it was told, with its
 * own rights and in its own namespace. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include "fs/mount.h"
#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/spawn.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"

#define START_DEADLINE 30000 /* ms */
#define PAUSE 20
#define SERVICE_MANAGER_PAUSE 500 /* RestartSec is 100 */

/* Before a server is started for nothing. */
static int check_directory(const char *directory)
{
    struct stat status;
    /* A dead one would be mounted again by the server that is to start. What cannot be found or
     * taken away is told of below, and by who mounts. */
    (void)mount_clear(directory, 0);
    if (stat(directory, &status) < 0 && errno == ENOENT)
        return error_set(ERR_NOT_FOUND, "no directory '%s' to mount on: make it with 'mkdir %s'",
                         directory, directory);
    if (stat(directory, &status) < 0)
        return error_system(errno, "cannot look at '%s'", directory);
    if (!S_ISDIR(status.st_mode))
        return error_set(ERR_INVALID, "'%s' is not a directory: a tree is mounted on one",
                         directory);
    return 0;
}

/* The server of this store, started where none runs. Somebody who owns the store and does not
 * answer yet is a server that starts, or a command that ends. */
static int reach_server(struct session *session)
{
    int64_t deadline = deadline_in(START_DEADLINE);
    for (;;) {
        int error = client_connect(&session->client, &session->place);
        if (error != -ERR_NOT_FOUND)
            return error;
        error = spawn_daemon(&session->place, START_DEADLINE);
        if (error < 0 && error != -ERR_BUSY)
            return error;
        if (error < 0 && deadline_left(deadline) == 0)
            return error;
        if (error < 0)
            poll(NULL, 0, PAUSE);
    }
}

/* For a server whose supervisor has died: a daemon that is started takes it over. Where that is not
 * so, it finds the store owned, or nobody there any more. The system's store has a service manager,
 * whose own daemon could not follow any more if ours did first: that is given a moment to. */
static int bring_supervisor(struct session *session, bool is_first)
{
    if (is_first && session->place.is_default) {
        poll(NULL, 0, SERVICE_MANAGER_PAUSE);
        return 0;
    }
    int error = spawn_daemon(&session->place, START_DEADLINE);
    return error == -ERR_BUSY ? 0 : error;
}

/* A mount of the server's. One that was started on demand and has just lost its last mount may end
 * between the connection and the answer: then the way leads to the store in this process, which can
 * mount nothing, or to a refusal, and another server is to be started. */
static int ask_for_mount(struct session *session, const char *directory, struct answer *out)
{
    const struct options *options = &session->options;
    int64_t deadline = deadline_in(START_DEADLINE);
    for (bool is_first = true;; is_first = false) {
        int error = reach_server(session);
        if (error < 0)
            return error;
        error = session_ask(session, "io.emsa.Mount",
                            json_pack("{s:b, s:b, s:s*}", "cache", (int)options->cache, "masked",
                                      (int)options->masked, "directory", directory),
                            NULL, 0, out);
        bool has_ended = error == -ERR_BUSY || (error < 0 && client_is_local(session->client));
        if (!has_ended || deadline_left(deadline) == 0)
            return error;
        client_close(session->client);
        session->client = NULL;
        error = bring_supervisor(session, is_first);
        if (error < 0)
            return error;
    }
}

static void hold_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

/* The server's thread goes on to a next call only when it has closed its own descriptor of the
 * mount; until then the mount would be in use, and could not be taken away again. */
static int wait_until_free(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    return session_ask(session, "org.varlink.service.GetInfo", json_object(), NULL, 0, &answer);
}

static int attach(struct session *session, const char *directory)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    struct statfs status;
    char *place = realpath(directory, NULL); /* for the next daemon, if this one dies */
    int error = ask_for_mount(session, place, &answer);
    free(place);
    if (error == 0 && answer.mount_fd < 0)
        error = error_set(ERR_IO, "the server gave no mount");
    if (error == 0 &&
        session->options.foreground) /* none is lost between the mount and the waiting */
        hold_signals();
    if (error == 0)
        error = mount_attach(answer.mount_fd, directory);
    if (error == 0)
        error = wait_until_free(session);
    if (error < 0)
        return error;
    return statfs(directory, &status) == 0
               ? 0
               : error_system(errno, "mounted, but cannot read '%s'", directory);
}

static int stay(const char *directory)
{
    sigset_t set;
    int number;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    if (sigwait(&set, &number) != 0)
        return error_set(ERR_IO, "cannot wait for a signal");
    int error = mount_detach(directory, false);
    if (error != -ERR_BUSY)
        return error;
    output_note("somebody is still in '%s': it goes when they leave", directory);
    return mount_detach(directory, true);
}

int run_mount(struct session *session)
{
    const char *directory = session->options.arguments.list[0];
    int error = check_directory(directory);
    if (error == 0)
        error = place_check_mount(&session->place, directory);
    if (error == 0)
        error = attach(session, directory);
    if (error < 0)
        return error;
    client_close(session->client);
    session->client = NULL;
    if (session->options.json)
        output_json(json_pack("{s:s, s:s}", "store", session->place.store, "directory", directory));
    else
        printf("'%s' is mounted at '%s'\n", session->place.store, directory);
    fflush(stdout);
    return session->options.foreground ? stay(directory) : 0;
}

int run_umount(struct session *session)
{
    const char *directory = session->options.arguments.list[0];
    int error = mount_detach(directory, false);
    if (error == 0 && session->options.json)
        error = output_json(json_pack("{s:s}", "directory", directory));
    return error;
}
