#include "tools/run/parent.h"

#include <errno.h>
#include <signal.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "tools/run/change.h"
#include "tools/run/place.h"
#include "tools/run/program.h"
#include "tools/run/say.h"
#include "tools/run/snapshot.h"
#include "tools/run/variables.h"

#define HEEDED_SECONDS 60

struct parent {
    const struct run_options *options;
    struct change change;
    struct variables variables;
    char head[PLACE_HEAD_MAX]; /* what the command was told of last */
    sigset_t before;           /* the signals that were blocked when we began: the command's */
    int signals;
    pid_t child;      /* 0: none */
    bool is_again;    /* when it ends it is started again */
    bool was_told_to; /* somebody else told it to end */
    time_t heeded;    /* until when (CLOCK_MONOTONIC) it may end by what it could go on after */
};

/* Signals of our own faults stay what they are. */
static int hold_signals(struct parent *parent)
{
    static const int faults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP, SIGABRT, SIGSYS};
    sigset_t all;
    (void)signal(SIGCHLD, SIG_DFL); /* ignored, as some leave it, nobody could be reaped */
    sigfillset(&all);
    for (size_t i = 0; i < sizeof faults / sizeof faults[0]; i++)
        sigdelset(&all, faults[i]);
    sigprocmask(SIG_BLOCK, &all, &parent->before);
    parent->signals = signalfd(-1, &all, SFD_CLOEXEC | SFD_NONBLOCK);
    return parent->signals < 0 ? say("cannot wait for signals: %s", strerror(errno)) : 0;
}

/* What the child is before it is the command. SIGTTOU is held, so that the terminal can be given.
 */
static void be_child(const struct parent *parent, pid_t ours)
{
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL); /* the one signal that cannot be passed on */
    if (getppid() != ours)
        _exit(RUN_REFUSED);
    bool has_terminal = tcgetpgrp(STDIN_FILENO) == getpgrp();
    (void)setpgid(0, 0);
    if (has_terminal)
        (void)tcsetpgrp(STDIN_FILENO, getpgrp());
    sigprocmask(SIG_SETMASK, &parent->before, NULL);
    _exit(program_become(parent->options->command, &parent->variables));
}

static int start(struct parent *parent)
{
    pid_t ours = getpid();
    parent->is_again = false;
    parent->child = fork();
    if (parent->child == 0)
        be_child(parent, ours);
    variables_clear(&parent->variables); /* nobody needs them here any more */
    if (parent->child < 0)
        return say("cannot start a process: %s", strerror(errno));
    return 0;
}

static int read_values(struct parent *parent, const struct place *place)
{
    return snapshot_read(&parent->variables, parent->head, place, parent->options);
}

/* The first start: the watch stands before the values are read. */
static int begin(struct parent *parent)
{
    struct place place = PLACE_INIT;
    int refused = place_open(&place, parent->options->directory, false);
    if (refused)
        return refused;
    refused = change_begin(&parent->change, parent->options->directory, &place);
    if (!refused)
        refused = read_values(parent, &place);
    place_close(&place);
    return refused ? refused : start(parent);
}

static int start_again(struct parent *parent)
{
    struct place place = PLACE_INIT;
    int refused = place_open(&place, parent->options->directory, false);
    if (!refused)
        refused = read_values(parent, &place);
    place_close(&place);
    return refused ? refused : start(parent);
}

/* Whether the command is to be told. A change that no environment can be made of is no reason to
 * end what runs. */
static bool is_news(struct parent *parent, const struct place *place)
{
    char head[PLACE_HEAD_MAX];
    if (place_head(place, head) < 0 || strcmp(head, parent->head) == 0)
        return false;
    memcpy(parent->head, head, sizeof head);
    if (parent->options->on_change == SIGTERM) {
        int refused = read_values(parent, place);
        variables_clear(&parent->variables);
        if (refused) {
            (void)say("the command keeps what it has");
            return false;
        }
        parent->is_again = true;
    }
    return true;
}

static time_t now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return time.tv_sec;
}

/* SIGINT and SIGQUIT are the end of some, and others go on after them (a virtual machine of Java's
 * prints its threads at a SIGQUIT): who does so for a minute was not ended by it. */
static void note_end(struct parent *parent, uint32_t signal)
{
    if (signal == SIGTERM)
        parent->was_told_to = true;
    if (signal == SIGINT || signal == SIGQUIT)
        parent->heeded = now() + HEEDED_SECONDS;
}

static void pass_signals(struct parent *parent)
{
    struct signalfd_siginfo info;
    while (read(parent->signals, &info, sizeof info) == (ssize_t)sizeof info) {
        if (info.ssi_signo == SIGCHLD)
            continue; /* many may come as one: who has ended is asked in any case */
        note_end(parent, info.ssi_signo);
        (void)kill(parent->child, (int)info.ssi_signo);
    }
}

/* Reaps all who have ended. True: the command has, and *status is its exit status. */
static bool reap(struct parent *parent, int *status)
{
    bool has_ended = false;
    int wait_status;
    for (pid_t pid; (pid = waitpid(-1, &wait_status, WNOHANG)) > 0;)
        if (pid == parent->child) {
            has_ended = true;
            parent->child = 0;
            *status =
                WIFEXITED(wait_status) ? WEXITSTATUS(wait_status) : 128 + WTERMSIG(wait_status);
        }
    return has_ended;
}

/* One wait and what comes of it. True: this is the end, and *status its exit status. */
static bool turn(struct parent *parent, int *status)
{
    struct pollfd polls[1 + CHANGE_POLLS] = {{.fd = parent->signals, .events = POLLIN}};
    struct place place = PLACE_INIT;
    change_polls(&parent->change, polls + 1);
    if (poll(polls, 1 + CHANGE_POLLS, -1) < 0)
        return false; /* EINTR: a stop and a continue */
    pass_signals(parent);
    if (reap(parent, status)) {
        if (!parent->is_again || parent->was_told_to || now() < parent->heeded)
            return true;
        *status = start_again(parent);
        return *status != 0;
    }
    if (change_look(&parent->change, polls + 1, &place)) {
        bool is_told = is_news(parent, &place);
        place_close(&place); /* first: whoever is told may want the mount away */
        if (is_told)
            (void)kill(parent->child, parent->options->on_change);
    }
    return false;
}

int parent_run(const struct run_options *options)
{
    struct parent parent = {
        .options = options, .change = CHANGE_INIT, .variables = VARIABLES_INIT, .signals = -1};
    int status = hold_signals(&parent);
    (void)prctl(PR_SET_CHILD_SUBREAPER, 1); /* as process 1 is by itself */
    if (status == 0)
        status = begin(&parent);
    if (status == 0)
        while (!turn(&parent, &status))
            ;
    change_end(&parent.change);
    variables_release(&parent.variables);
    if (parent.signals >= 0)
        close(parent.signals);
    return status;
}
