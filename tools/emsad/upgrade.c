#include "tools/emsad/upgrade.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"
#include "tools/emsad/channel.h"
#include "tools/emsad/oom.h"
#include "tools/emsad/service_manager.h"
#include "tools/emsad/supervision.h"
#include "tools/emsad/tally.h"

#define HELLO_MILLISECONDS 5000
#define FINISH_MILLISECONDS 2000 /* for the old server to finish its calls */
#define READY_MILLISECONDS 2500  /* readers wait meanwhile */
#define TRIAL_MILLISECONDS 5000
#define DELETED " (deleted)" /* what the kernel adds to the path of a file that was replaced */

static bool is_this_program(const char *path)
{
    struct stat there, here;
    return stat(path, &there) == 0 && stat("/proc/self/exe", &here) == 0 &&
           there.st_dev == here.st_dev && there.st_ino == here.st_ino;
}

/* The name it was called by, which may be a link that leads to another program later: told by the
 * one before, which was this process, or by the kernel. */
static bool take_name(struct upgrade *upgrade)
{
    const char *follows = getenv(UPGRADE_FOLLOWS);
    const char *name = (const char *)getauxval(AT_EXECFN);
    char *rest = NULL;
    if (follows != NULL && strtol(follows, &rest, 10) == (long)getpid() && *rest == ':')
        name = rest + 1;
    else if (name == NULL || !is_this_program(name))
        return false;
    if (name[0] != '/' || strlen(name) >= sizeof upgrade->path)
        return false;
    memcpy(upgrade->path, name, strlen(name) + 1);
    return true;
}

void upgrade_init(struct upgrade *upgrade)
{
    *upgrade = (struct upgrade){.binary = -1, .next = CHILD_INIT("server"), .deadline = -1};
    if (take_name(upgrade))
        return;
    ssize_t size = readlink("/proc/self/exe", upgrade->path, sizeof upgrade->path - 1);
    size_t length = size < 0 ? 0 : (size_t)size;
    size_t suffix = sizeof DELETED - 1;
    if (length > suffix && memcmp(upgrade->path + length - suffix, DELETED, suffix) == 0)
        length -= suffix;
    upgrade->path[length] = '\0';
}

static void end(struct upgrade *upgrade)
{
    upgrade->stage = UPGRADE_NONE;
    upgrade->deadline = -1;
    descriptor_close(&upgrade->binary);
}

static void failed(struct supervisor *supervisor, const char *why)
{
    struct upgrade *upgrade = &supervisor->upgrade;
    log_error("the upgrade to '%s' failed: %s; the binary from before goes on", upgrade->path, why);
    tally_count(&supervisor->holdings.memory->figures.upgrade_failed);
    child_kill(&upgrade->next); /* reaped as nobody's */
    descriptor_close(&upgrade->next.channel);
    upgrade->next = CHILD_INIT("server");
    end(upgrade);
}

void upgrade_begin(struct supervisor *supervisor)
{
    struct upgrade *upgrade = &supervisor->upgrade;
    if (supervisor->phase != SERVING || upgrade->stage == UPGRADE_BEGUN ||
        upgrade->stage == UPGRADE_HANDING || !supervisor->server.is_ready) {
        log_warning("no upgrade now: another one, a start or an end is under way");
        return;
    }
    descriptor_close(&upgrade->binary); /* of a trial, which ends untold */
    upgrade->stage = UPGRADE_BEGUN;
    upgrade->deadline = deadline_in(HELLO_MILLISECONDS);
    upgrade->binary = open(upgrade->path, O_PATH | O_CLOEXEC);
    if (upgrade->binary < 0)
        failed(supervisor, strerror(errno));
    else if (child_start(&upgrade->next, upgrade->binary) < 0)
        failed(supervisor, error_text());
}

/* The old server is to end: readers are answered until it has finished its calls. */
static void hand(struct supervisor *supervisor)
{
    struct upgrade *upgrade = &supervisor->upgrade;
    if (supervisor->phase != SERVING) {
        failed(supervisor, "the daemon is ending");
        return;
    }
    upgrade->stage = UPGRADE_HANDING;
    upgrade->deadline = deadline_in(FINISH_MILLISECONDS);
    supervisor->server.is_leaving = true;
    if (supervisor->server.pid == 0) /* it has just died, and was to be started again */
        supervisor->server.restart_at = deadline_in(0);
    else if (channel_send_plain(supervisor->server.channel, CHANNEL_STOP, 0, 0) < 0)
        child_kill(&supervisor->server);
}

void upgrade_listen(struct supervisor *supervisor)
{
    struct upgrade *upgrade = &supervisor->upgrade;
    struct channel_message message;
    struct channel_descriptors descriptors;
    int outcome = channel_receive(upgrade->next.channel, &message, &descriptors);
    if (outcome == 2)
        return;
    if (outcome == 0)
        channel_descriptors_release(&descriptors);
    if (outcome == 0 && message.kind == CHANNEL_HELLO && message.flags == CHANNEL_VERSION &&
        upgrade->stage == UPGRADE_BEGUN)
        hand(supervisor);
    else if (upgrade->stage == UPGRADE_BEGUN)
        failed(supervisor, outcome == 0 ? "it is of a version that this one cannot speak to"
                                        : "it ended at once");
    else
        descriptor_close(&upgrade->next.channel); /* found when it is needed */
}

bool upgrade_reaped(struct supervisor *supervisor, pid_t pid, int wait_status)
{
    struct upgrade *upgrade = &supervisor->upgrade;
    (void)wait_status;
    if (pid != upgrade->next.pid)
        return false;
    upgrade->next.pid = 0;
    if (upgrade->stage == UPGRADE_BEGUN)
        failed(supervisor, "it ended at once");
    return true;
}

bool upgrade_replaces(struct supervisor *supervisor, bool has_failed)
{
    struct upgrade *upgrade = &supervisor->upgrade;
    struct child *server = &supervisor->server;
    if (upgrade->stage == UPGRADE_TRIAL && has_failed && supervisor->phase < STOPPING) {
        failed(supervisor, "its server failed");
        server->failures = 0;
        server->restart_at = deadline_in(0);
    }
    if (upgrade->stage != UPGRADE_HANDING || supervisor->phase >= STOPPING)
        return false;
    if (upgrade->next.pid == 0 || upgrade->next.channel < 0) {
        failed(supervisor, "it ended before it served");
        *server = CHILD_INIT("server");
        server->restart_at = deadline_in(0);
        return false;
    }
    *server = upgrade->next;
    upgrade->next = CHILD_INIT("server");
    upgrade->stage = UPGRADE_TRIAL;
    upgrade->has_served = upgrade->is_awaited = false;
    upgrade->deadline = deadline_in(READY_MILLISECONDS);
    return true;
}

void upgrade_ready(struct supervisor *supervisor, uint64_t pause)
{
    struct upgrade *upgrade = &supervisor->upgrade;
    if (upgrade->stage != UPGRADE_TRIAL)
        return;
    upgrade->deadline = deadline_in(TRIAL_MILLISECONDS);
    upgrade->is_awaited = false;
    if (upgrade->has_served)
        return;
    upgrade->has_served = true;
    tally_count(&supervisor->holdings.memory->figures.upgraded);
    log_info("upgraded to '%s', readers waited %.1f ms; on trial for %d s", upgrade->path,
             (double)pause / 1e6, TRIAL_MILLISECONDS / 1000);
}

/* Becomes the new binary. What is held closes itself; the server has all of it, and gives it to
 * who follows. Returns only if that cannot be. */
static void become(struct supervisor *supervisor)
{
    char follows[PATH_MAX + 16];
    (void)snprintf(follows, sizeof follows, "%d:%s", (int)getpid(), supervisor->upgrade.path);
    oom_restore();
    if (setenv(UPGRADE_FOLLOWS, follows, 1) == 0)
        (void)execveat(supervisor->holdings.self, "", supervisor->options->argv, environ,
                       AT_EMPTY_PATH);
    log_error("cannot become '%s': %s; this supervisor goes on", supervisor->upgrade.path,
              strerror(errno));
    (void)unsetenv(UPGRADE_FOLLOWS);
    oom_spare();
}

static void prove(struct supervisor *supervisor)
{
    struct upgrade *upgrade = &supervisor->upgrade;
    if (!supervisor->server.is_ready && upgrade->has_served && !upgrade->is_awaited) {
        upgrade->is_awaited = true; /* somebody killed it just now: another is on its way */
        upgrade->deadline = deadline_in(READY_MILLISECONDS);
        return;
    }
    if (!supervisor->server.is_ready) {
        log_error("the new server is not ready in time");
        upgrade->deadline = -1;
        supervisor->server.is_leaving = false;
        child_kill(&supervisor->server);
        failed(supervisor, "it does not become ready");
        return;
    }
    descriptor_close(&supervisor->holdings.self);
    supervisor->holdings.self = upgrade->binary;
    supervisor->metrics.self = supervisor->volume.self = upgrade->binary;
    upgrade->binary = -1;
    end(upgrade);
    become(supervisor);
}

void upgrade_look(struct supervisor *supervisor)
{
    struct upgrade *upgrade = &supervisor->upgrade;
    if (upgrade->deadline < 0 || deadline_left(upgrade->deadline) > 0)
        return;
    switch (upgrade->stage) {
    case UPGRADE_BEGUN:
        failed(supervisor, "it says nothing");
        break;
    case UPGRADE_HANDING:
        upgrade->deadline = -1;
        child_kill(&supervisor->server);
        break;
    case UPGRADE_TRIAL:
        prove(supervisor);
        break;
    case UPGRADE_NONE:
        break;
    }
}

bool upgrade_on_trial(const struct supervisor *supervisor)
{
    return supervisor->upgrade.stage == UPGRADE_TRIAL;
}

int upgrade_binary(const struct supervisor *supervisor)
{
    return upgrade_on_trial(supervisor) ? supervisor->upgrade.binary : supervisor->holdings.self;
}
