#include "tools/emsad/child.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"
#include "tools/emsad/channel.h"
#include "tools/emsad/network.h"
#include "tools/emsad/oom.h"

/* Milliseconds from being ready: who lived as long was not ended by what it was handed (a request
 * that kills a server is sent again to the next, and kills that at once). */
#define LONG_ENOUGH 20
#define FIRST_PAUSE 5
#define LONGEST_PAUSE 1000
/* Where somebody kills each before it is ready readers wait as short as they can. If that goes on,
 * as where the kernel has no memory for it, the processor is given to others between two. */
#define KILLED_AT_ONCE 10
#define KILLED_PAUSE 10

/* In the child: only the channel and the standard descriptors go on; the signals that end the
 * daemon stay blocked, since they are the supervisor's to act on (a terminal sends them to all). */
static void become(const char *role, int channel, int self)
{
    sigset_t reaped;
    (void)sigemptyset(&reaped);
    (void)sigaddset(&reaped, SIGCHLD);
    (void)sigprocmask(SIG_UNBLOCK, &reaped, NULL);
    oom_restore();
    network_leave();
    int program = fcntl(self, F_DUPFD_CLOEXEC, CHANNEL_FD + 1);
    if (channel == CHANNEL_FD ? fcntl(channel, F_SETFD, 0) < 0 : dup2(channel, CHANNEL_FD) < 0)
        _exit(127);
    if (program < 0 || close_range(CHANNEL_FD + 1, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
        _exit(127);
    char name[] = "emsad", option[] = "--role", value[16] = "";
    (void)memccpy(value, role, '\0', sizeof value - 1);
    char *arguments[] = {name, option, value, NULL};
    (void)execveat(program, "", arguments, environ, AT_EMPTY_PATH);
    _exit(127);
}

int child_start(struct child *child, int self)
{
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
        return error_system(errno, "cannot make a channel to the %s", child->role);
    pid_t pid = fork();
    if (pid == 0)
        become(child->role, pair[1], self);
    descriptor_close(&pair[1]);
    if (pid < 0) {
        int error = error_system(errno, "cannot start the %s", child->role);
        descriptor_close(&pair[0]);
        return error;
    }
    child->pid = pid;
    child->channel = pair[0];
    child->is_ready = child->has_entered = false;
    child->restart_at = -1;
    return 0;
}

static void tell(const struct child *child, int wait_status)
{
    if (WIFSIGNALED(wait_status))
        log_error("the %s (process %d) was ended by signal %d (%s)", child->role, (int)child->pid,
                  WTERMSIG(wait_status), strsignal(WTERMSIG(wait_status)));
    else
        log_error("the %s (process %d) ended with status %d", child->role, (int)child->pid,
                  WEXITSTATUS(wait_status));
}

static bool was_killed(int wait_status)
{
    return WIFSIGNALED(wait_status) && WTERMSIG(wait_status) == SIGKILL;
}

/* Whether it seems to have died of its birth: of how it was started, or of what it was handed. Not
 * so who was doing its work when somebody else (an administrator, the kernel short of memory) ended
 * it. */
static bool died_of_birth(const struct child *child, int wait_status)
{
    if (!child->is_ready)
        return true;
    if (was_killed(wait_status))
        return false;
    return deadline_in(0) - child->ready_since < LONG_ENOUGH;
}

static int pause_of(const struct child *child, int wait_status)
{
    if (was_killed(wait_status))
        return child->failures > KILLED_AT_ONCE ? KILLED_PAUSE : 0;
    if (child->failures <= 1)
        return 0;
    int pause = child->failures > 10 ? LONGEST_PAUSE : FIRST_PAUSE << (child->failures - 2);
    return pause < LONGEST_PAUSE ? pause : LONGEST_PAUSE;
}

void child_ended(struct child *child, int wait_status)
{
    /* One that could not begin has said why itself. */
    if (!child->is_leaving || WIFSIGNALED(wait_status) || (child->is_ready && wait_status != 0))
        tell(child, wait_status);
    child->failures = died_of_birth(child, wait_status) ? child->failures + 1 : 0;
    descriptor_close(&child->channel);
    descriptor_close(&child->process);
    child->pid = 0;
    child->is_ready = false;
    child->restart_at = child->is_leaving ? -1 : deadline_in(pause_of(child, wait_status));
}

void child_adopt(struct child *child, pid_t pid, int *process, int *channel)
{
    child->pid = pid;
    child->process = *process;
    child->channel = *channel;
    *process = *channel = -1;
    child->restart_at = -1;
    child_ready(child);
}

void child_ready(struct child *child)
{
    child->is_ready = true;
    child->ready_since = deadline_in(0);
}

void child_kill(struct child *child)
{
    if (child->process >= 0) /* its pid may be another's by now */
        (void)syscall(SYS_pidfd_send_signal, child->process, SIGKILL, NULL, 0);
    else if (child->pid > 0)
        (void)kill(child->pid, SIGKILL);
}
