/* mount and umount. The server makes the mount; this process puts it where it was told, with its
 * own rights and in its own namespace. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
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
#include "tools/common/unmounted.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/view_ask.h"

/* Before a server is started for nothing. */
static int check_directory(const char *directory)
{
    struct stat status;
    /* A dead one would be mounted again by the server that is to start. What cannot be found or
     * taken away is told of below, and by who mounts. */
    (void)mount_clear_now(directory);
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

static void hold_signals(void)
{
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGHUP);
    sigprocmask(SIG_BLOCK, &set, NULL);
}

static int attach(struct session *session, const char *path, const char *directory)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    struct statfs status;
    char *place = realpath(directory, NULL); /* for the next daemon, if this one dies */
    int error = view_ask(session, view_parameters(session, path, place), &answer);
    free(place);
    if (error == 0 &&
        session->options.foreground) /* none is lost between the mount and the waiting */
        hold_signals();
    if (error == 0)
        error = mount_attach(answer.mount_fd, directory);
    if (error == 0)
        error = view_wait_free(session);
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

static int tell(struct session *session, const char *path, const char *directory)
{
    const char *store = session->place.store;
    if (session->options.json)
        return output_json(
            json_pack("{s:s, s:s, s:s}", "store", store, "directory", directory, "path", path));
    if (path[0] != '\0')
        printf("'%s' of '%s' is mounted at '%s'\n", path, store, directory);
    else
        printf("'%s' is mounted at '%s'\n", store, directory);
    fflush(stdout);
    return 0;
}

/* A directory that says that nothing is mounted on it, as long as that is so. */
static int prepare(struct session *session, const char *directory)
{
    char folder[PATH_MAX];
    size_t length = strlen(directory);
    while (length > 1 && directory[length - 1] == '/')
        length--;
    if (length >= sizeof folder)
        return error_set(ERR_INVALID, "the path '%.64s...' is too long", directory);
    (void)snprintf(folder, sizeof folder, "%.*s", (int)length, directory);
    char *slash = strrchr(folder, '/');
    const char *name = slash != NULL ? slash + 1 : folder;
    if (name[0] == '\0' || strcmp(name, ".") == 0 || strcmp(name, "..") == 0)
        return error_set(ERR_INVALID, "'%s' is no name for a directory to be mounted on",
                         directory);
    if (slash != NULL)
        *slash = '\0';
    int above DESCRIPTOR_CLEANUP = open(slash == NULL       ? "."
                                        : folder[0] == '\0' ? "/"
                                                            : folder,
                                        O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (above < 0)
        return error_system(errno, "cannot open the folder of '%s'", directory);
    int error = unmounted_make(above, name, directory);
    if (error == 0 && session->options.json)
        error = output_json(json_pack("{s:s}", "directory", directory));
    return error;
}

int run_mount(struct session *session)
{
    const struct texts *words = &session->options.arguments;
    const char *directory = words->list[words->count - 1];
    const char *path = words->count > 1 ? words->list[0] : "";
    if (session->options.prepare && words->count > 1)
        return error_set(ERR_INVALID, "--prepare takes a directory alone: what is mounted there is "
                                      "said when it is");
    if (session->options.prepare)
        return prepare(session, directory);
    int error = check_directory(directory);
    if (error == 0)
        error = place_check_mount(&session->place, directory);
    bool is_full = error == 0 && unmounted_look(directory) == 1;
    if (error == 0)
        error = attach(session, path, directory);
    if (error < 0)
        return error;
    client_close(session->client);
    session->client = NULL;
    if (is_full)
        output_note("what is in the directory '%s' itself is out of sight while this is mounted on "
                    "it",
                    directory);
    error = tell(session, path, directory);
    return error == 0 && session->options.foreground ? stay(directory) : error;
}

/* One that the daemon mounted stands until it is removed, by who made it. */
static int check_volume(const struct session *session, const char *directory)
{
    char folder[PATH_MAX];
    char *path = realpath(directory, NULL);
    int error = place_volumes(folder, &session->place);
    size_t length = strlen(folder);
    if (error == 0 && path != NULL && strncmp(path, folder, length) == 0 && path[length] == '/')
        error = error_set(ERR_REFUSED,
                          "'%s' is a volume: it goes with 'docker volume rm %s' or 'podman volume "
                          "rm %s'",
                          directory, path + length + 1, path + length + 1);
    free(path);
    return error;
}

int run_umount(struct session *session)
{
    const char *directory = session->options.arguments.list[0];
    int error = check_volume(session, directory);
    if (error == 0)
        error = mount_detach(directory, false);
    if (error == 0 && session->options.json)
        error = output_json(json_pack("{s:s}", "directory", directory));
    return error;
}
