/*
 * watch: changes as they happen. What was told last is remembered here and nowhere else (a revision
 * and a place in it), so that whichever server answers next goes on exactly there: none is missed
 * and none comes twice, however often servers die or are replaced.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <unistd.h>

#include "store/error.h"
#include "store/limits.h"
#include "store/name.h"
#include "tools/common/descriptor.h"
#include "tools/common/varlink.h"
#include "tools/emsa/answer.h"
#include "tools/emsa/command.h"
#include "tools/emsa/errand.h"
#include "tools/emsa/output.h"
#include "tools/emsa/prove.h"
#include "tools/emsa/sign.h"

#define MESSAGE_MILLISECONDS 30000 /* for the rest of a message that has begun */
#define PAUSE_FIRST 10             /* ms, until a server is looked for again */
#define PAUSE_MAX 500

struct watch {
    struct session *session;
    json_t *paths;        /* owned */
    const char **command; /* owned list of argv's texts, or NULL */
    int signals;          /* signalfd */
    struct varlink *link; /* NULL: there is no server just now */
    json_int_t rev;       /* where to go on; negative: from now on */
    json_int_t op;        /* negative: at the first of rev, and the places are to be there */
    int pause;            /* ms before the next try; 0: none failed */
    bool is_missed;       /* that there is no server was said */
    bool is_crowded;      /* that there is no place was said */
    bool is_ending;
    struct errand errand;
};

/* What is printed */

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static void print_change(json_t *commit, json_t *change)
{
    char time[TIME_TEXT_MAX], author[AUTHOR_TEXT_MAX], reason[REASON_MAX + 1], path[PATH_TEXT_MAX];
    const char *mark = text_of(change, "mark");
    bool is_coloured = output_coloured();
    const char *colour = mark[0] == '+' ? "\033[32m" : mark[0] == '-' ? "\033[31m" : "\033[33m";
    output_author(author, commit);
    output_tame(reason, sizeof reason, text_of(commit, "reason"));
    output_tame(path, sizeof path, text_of(change, "path"));
    printf("%*lld  %s  %s%s%s %-*s  %s%s%s\n", output_is_terminal() ? 6 : 0,
           (long long)json_integer_value(json_object_get(commit, "rev")),
           time_text(time, json_integer_value(json_object_get(commit, "time"))),
           is_coloured ? colour : "", mark, is_coloured ? "\033[0m" : "",
           output_is_terminal() ? 40 : 0, path, author, reason[0] != '\0' ? "  " : "", reason);
}

static int tell_commit(struct watch *watch, json_t *commit)
{
    const struct session *session = watch->session;
    uint64_t rev = (uint64_t)json_integer_value(json_object_get(commit, "rev"));
    bool is_printed = watch->command == NULL;
    size_t index;
    json_t *change;
    if (is_printed && session->options.json) {
        json_dumpf(commit, stdout, JSON_COMPACT);
        putchar('\n');
        return 0;
    }
    json_array_foreach(json_object_get(commit, "changes"), index, change)
    {
        if (is_printed)
            print_change(commit, change);
        int error = errand_add(&watch->errand, rev, text_of(change, "path"));
        if (error < 0)
            return error;
    }
    return 0;
}

/* Nobody reads any more: that is an end like another. */
static void leave_quietly(struct watch *watch)
{
    int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);
    if (nowhere >= 0) {
        (void)dup2(nowhere, STDOUT_FILENO);
        close(nowhere);
    }
    clearerr(stdout);
    (void)fflush(stdout);
    watch->is_ending = true;
}

static int flush(struct watch *watch)
{
    if (fflush(stdout) == 0)
        return 0;
    int error = errno == EPIPE ? 0 : error_system(errno, "cannot write to stdout");
    leave_quietly(watch); /* so that it is told once */
    return error;
}

/* What is asked and answered */

static int tell(struct watch *watch, json_t *reply)
{
    size_t index;
    json_t *commit;
    json_array_foreach(json_object_get(reply, "commits"), index, commit)
    {
        int error = tell_commit(watch, commit);
        if (error < 0)
            return error;
    }
    int error = flush(watch);
    watch->rev = json_integer_value(json_object_get(reply, "from"));
    watch->op = json_integer_value(json_object_get(reply, "op"));
    watch->pause = 0;
    return error < 0 ? error : errand_start(&watch->errand);
}

static void drop(struct watch *watch)
{
    varlink_free(watch->link);
    watch->link = NULL;
    watch->pause = watch->pause == 0 ? PAUSE_FIRST : 2 * watch->pause;
    if (watch->pause > PAUSE_MAX)
        watch->pause = PAUSE_MAX;
}

/* Where a server was replaced others may have been quicker: whoever watches is not thrown out. */
static void wait_for_place(struct watch *watch)
{
    if (!watch->is_crowded)
        output_note("as many watch as may: waiting for one of them to end");
    watch->is_crowded = true;
    drop(watch);
}

static int take_message(struct watch *watch)
{
    struct varlink_message message = {0};
    int error = varlink_receive(watch->link, &message, MESSAGE_MILLISECONDS);
    if (error == 1 || error == -ERR_IO) { /* the server has ended */
        drop(watch);
        return 0;
    }
    if (error < 0)
        return error;
    json_t *reply = json_object_get(message.object, "parameters");
    const char *failure = json_string_value(json_object_get(message.object, "error"));
    if (failure != NULL && strcmp(failure, "io.emsa.Busy") == 0)
        wait_for_place(watch);
    else
        error = failure != NULL ? answer_failure(failure, reply) : tell(watch, reply);
    varlink_message_release(&message);
    return error;
}

/* All that has come: what is read ahead raises no event. */
static int take_messages(struct watch *watch)
{
    int error = 0;
    while (error == 0 && watch->link != NULL && !watch->is_ending &&
           varlink_wait(watch->link, 0) == 0)
        error = take_message(watch);
    return error;
}

static int ask(struct watch *watch)
{
    json_t *call = json_pack("{s:s, s:b, s:{s:O}}", "method", "io.emsa.Watch", "more", 1,
                             "parameters", "paths", watch->paths);
    json_t *parameters = json_object_get(call, "parameters");
    if (parameters == NULL)
        return error_set(ERR_NOMEM, "no memory for a message");
    if (watch->rev >= 0)
        json_object_set_new(parameters, "from", json_integer(watch->rev));
    if (watch->op >= 0)
        json_object_set_new(parameters, "op", json_integer(watch->op));
    int error = varlink_send(watch->link, call, NULL, 0, -1);
    json_decref(call);
    if (error == -ERR_IO) {
        drop(watch);
        error = 0;
    }
    return error;
}

/* Who asks, where that is to be proven, and then what. */
static int introduce(struct watch *watch)
{
    int error = sign_is_named(watch->session) ? sign_open(watch->session) : 0;
    if (error == 0 && prove_is_wanted(watch->session))
        error = prove_over(watch->session, watch->link);
    if (error == 0)
        return ask(watch);
    if (error > 0) /* the server has ended */
        drop(watch);
    return error < 0 ? error : 0;
}

static int no_server(const struct watch *watch)
{
    const char *store = watch->session->place.store;
    error_set(ERR_NOT_FOUND, "no server runs for the store '%s': a watch needs one", store);
    return error_add(ERR_NOT_FOUND, "start it: emsad --store '%s' (or: emsa mount DIR)", store);
}

/* Looks for the server, or for the next one: a daemon that was ended may come again. */
static int connect_again(struct watch *watch)
{
    bool is_first = watch->op < 0;
    int error = varlink_connect(&watch->link, watch->session->place.socket);
    if (error == 0) {
        watch->is_missed = false;
        return introduce(watch);
    }
    if (error != -ERR_NOT_FOUND)
        return error;
    if (is_first && watch->pause == 0)
        return no_server(watch);
    if (!watch->is_missed)
        output_note("no server runs for the store '%s' any more: waiting for the next one",
                    watch->session->place.store);
    watch->is_missed = true;
    drop(watch);
    return 0;
}

/* Signals and waiting */

/* The first asks the command to end as well, the next ends it. */
static void end(struct watch *watch)
{
    if (watch->errand.pid > 0)
        (void)kill(watch->errand.pid, watch->is_ending ? SIGKILL : SIGTERM);
    watch->is_ending = true;
}

static int take_signals(struct watch *watch)
{
    struct signalfd_siginfo info;
    while (read(watch->signals, &info, sizeof info) == (ssize_t)sizeof info)
        if (info.ssi_signo != SIGCHLD)
            end(watch);
    errand_reap(&watch->errand);
    return watch->is_ending ? 0 : errand_start(&watch->errand);
}

static int wait_and_take(struct watch *watch)
{
    /* that whoever read it has gone poll tells unasked */
    struct pollfd entries[] = {
        {.fd = watch->signals, .events = POLLIN},
        {.fd = watch->is_ending || watch->command != NULL ? -1 : STDOUT_FILENO},
        {.fd = watch->is_ending || watch->link == NULL ? -1 : varlink_descriptor(watch->link),
         .events = POLLIN}};
    int patience = watch->is_ending || watch->link != NULL ? -1 : watch->pause;
    if (poll(entries, 3, patience) < 0)
        return errno == EINTR ? 0 : error_system(errno, "cannot wait for a change");
    int error = entries[0].revents != 0 ? take_signals(watch) : 0;
    if ((entries[1].revents & (POLLERR | POLLHUP)) != 0) /* a pipe's, a socket's */
        leave_quietly(watch);
    if (error == 0 && entries[2].revents != 0)
        error = take_messages(watch);
    return error;
}

static int run(struct watch *watch)
{
    int error = 0;
    while (error == 0 && (!watch->is_ending || watch->errand.pid > 0)) {
        if (watch->link == NULL && !watch->is_ending)
            error = connect_again(watch);
        if (error == 0)
            error = wait_and_take(watch);
    }
    return error;
}

static int take_over_signals(struct watch *watch)
{
    sigset_t set;
    (void)sigemptyset(&set);
    (void)sigaddset(&set, SIGINT);
    (void)sigaddset(&set, SIGTERM);
    (void)sigaddset(&set, SIGCHLD);
    if (signal(SIGPIPE, SIG_IGN) == SIG_ERR ||
        sigprocmask(SIG_BLOCK, &set, &watch->errand.mask) < 0)
        return error_system(errno, "cannot take signals");
    watch->signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    return watch->signals < 0 ? error_system(errno, "cannot take signals") : 0;
}

/* The command line */

static int take_paths(struct watch *watch, const struct texts *words, size_t count)
{
    watch->paths = json_array();
    for (size_t i = 0; i < count; i++) {
        struct path path;
        char text[PATH_TEXT_MAX];
        int error = path_parse(&path, words->list[i], strlen(words->list[i]));
        if (error < 0)
            return error;
        json_array_append_new(watch->paths, json_string(path_text(&path, text)));
    }
    return 0;
}

static int take_command(struct watch *watch, const struct texts *words, size_t first)
{
    if (first == words->count)
        return error_set(ERR_INVALID, "a command is missing after '--'");
    watch->command = calloc(words->count - first + 1, sizeof *watch->command);
    if (watch->command == NULL)
        return error_set(ERR_NOMEM, "no memory for the command line");
    memcpy(watch->command, words->list + first, (words->count - first) * sizeof *words->list);
    watch->errand.words = watch->command;
    watch->errand.store = watch->session->place.is_named ? watch->session->place.store : NULL;
    return 0;
}

static int begin(struct watch *watch)
{
    const struct options *options = &watch->session->options;
    size_t count = options->has_dashes ? options->before_dashes : options->arguments.count;
    if (count == 0)
        return error_set(ERR_INVALID, "what is to be watched? name a place before '--'");
    if (options->has_from)
        watch->rev = (json_int_t)options->from;
    int error = take_paths(watch, &options->arguments, count);
    if (error == 0 && options->has_dashes)
        error = take_command(watch, &options->arguments, count);
    return error == 0 ? take_over_signals(watch) : error;
}

int run_watch(struct session *session)
{
    struct watch watch = {.session = session, .signals = -1, .rev = -1, .op = -1};
    session_restore(session); /* no secret comes here, and the command shall have its limits */
    int error = begin(&watch);
    if (error == 0)
        error = run(&watch);
    varlink_free(watch.link);
    descriptor_close(&watch.signals);
    errand_release(&watch.errand);
    json_decref(watch.paths);
    free(watch.command);
    if (error == 0 || watch.errand.not_run == 0)
        return error;
    output_failure(error);
    return watch.errand.not_run;
}
