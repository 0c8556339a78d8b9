#include "tools/emsa/remote.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/emsa/answer.h"
#include "tools/emsa/command.h"
#include "tools/emsa/frame.h"

#define SCHEME "ssh://"
#define NAME_MAX_BYTES 255
#define WORDS_MAX 64 /* of $EMSA_SSH, and what is added to them */
#define NOT_RUNNABLE 127

extern char **environ;

struct target { /* what a host's text says; texts are ended */
    char user[NAME_MAX_BYTES + 1], host[NAME_MAX_BYTES + 1], port[8];
    char store[PATH_MAX];
};

struct remote {
    int socket;
    pid_t ssh;
    char host[NAME_MAX_BYTES + 1]; /* for messages */
    struct sigaction pipe_action;
};

/* The text */

static int no_host(const char *text)
{
    return error_set(ERR_INVALID,
                     "'%.200s' names no host: it is \"ssh://[USER@]HOST[:PORT][/STORE]\"", text);
}

/* Whether these bytes are a user or a host: nothing that ssh or a shell could take for more. */
static bool is_name(const char *text, size_t size)
{
    if (size == 0 || size > NAME_MAX_BYTES || text[0] == '-')
        return false;
    for (size_t i = 0; i < size; i++)
        if (!isalnum((unsigned char)text[i]) && strchr("._-:%", text[i]) == NULL)
            return false;
    return true;
}

static bool is_port(const char *text, size_t size)
{
    bool is_number = size > 0 && size <= 5;
    for (size_t i = 0; i < size && is_number; i++)
        is_number = isdigit((unsigned char)text[i]);
    unsigned long port = is_number ? strtoul(text, NULL, 10) : 0;
    return port > 0 && port <= 65535;
}

/* HOST or [HOST], and what follows it. */
static bool take_host(struct target *out, const char *text, size_t size)
{
    bool has_brackets = size > 0 && text[0] == '[';
    const char *end = memchr(text, has_brackets ? ']' : ':', size);
    if (has_brackets && end == NULL)
        return false;
    const char *host = text + has_brackets, *rest = end != NULL ? end + has_brackets : text + size;
    size_t host_size = (size_t)((end != NULL ? end : text + size) - host);
    size_t rest_size = (size_t)(text + size - rest);
    if (!is_name(host, host_size) || (!has_brackets && memchr(host, ':', host_size) != NULL))
        return false;
    memcpy(out->host, host, host_size);
    if (rest_size == 0)
        return true;
    if (rest[0] != ':' || !is_port(rest + 1, rest_size - 1))
        return false;
    memcpy(out->port, rest + 1, rest_size - 1);
    return true;
}

static int read_target(struct target *out, const char *text, const char *store)
{
    *out = (struct target){.port = ""};
    if (strncmp(text, SCHEME, strlen(SCHEME)) != 0)
        return no_host(text);
    const char *at = text + strlen(SCHEME);
    size_t size = strcspn(at, "/");
    const char *path = at[size] != '\0' && at[size + 1] != '\0' ? at + size : store;
    const char *user_end = memchr(at, '@', size);
    if (user_end != NULL) {
        size_t user_size = (size_t)(user_end - at);
        if (!is_name(at, user_size))
            return no_host(text);
        memcpy(out->user, at, user_size);
        size -= user_size + 1;
        at = user_end + 1;
    }
    if (!take_host(out, at, size))
        return no_host(text);
    if (path != NULL && snprintf(out->store, sizeof out->store, "%s", path) >= PATH_MAX)
        return error_set(ERR_INVALID, "the store's path is too long");
    return 0;
}

/* ssh */

/* What the far side's shell is to run: words of ours, and one text that may be anything. */
static int far_command(char *out, size_t size, const struct target *target)
{
    size_t used = (size_t)snprintf(out, size, "exec emsa relay");
    if (target->store[0] != '\0')
        used += (size_t)snprintf(out + used, size - used, " --store '");
    for (const char *at = target->store; *at != '\0'; at++) {
        if (used + 8 > size)
            return error_set(ERR_INVALID, "the store's path is too long");
        if (*at == '\'')
            used += (size_t)snprintf(out + used, size - used, "'\\''");
        else
            out[used++] = *at;
    }
    (void)snprintf(out + used, size - used, "%s", target->store[0] != '\0' ? "'" : "");
    return 0;
}

static int start(struct remote *remote, int far_end, char *words[])
{
    posix_spawn_file_actions_t actions;
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed == 0) {
        (void)posix_spawn_file_actions_adddup2(&actions, far_end, STDIN_FILENO);
        (void)posix_spawn_file_actions_adddup2(&actions, far_end, STDOUT_FILENO);
        failed = posix_spawnp(&remote->ssh, words[0], &actions, NULL, words, environ);
        (void)posix_spawn_file_actions_destroy(&actions);
    }
    if (failed == 0)
        return 0;
    remote->ssh = 0;
    return error_set(failed == ENOENT ? ERR_NOT_FOUND : ERR_IO, "cannot run '%s': %s", words[0],
                     strerror(failed));
}

/* The words of $EMSA_SSH, the target's, and what is to be run there. */
static int run_ssh(struct remote *remote, const struct target *target, int far_end)
{
    static char no_terminal[] = "-T", of_port[] = "-p", of_user[] = "-l", no_more[] = "--";
    char command[2 * PATH_MAX], *words[WORDS_MAX + 1], *rest;
    size_t count = 0;
    const char *given = getenv("EMSA_SSH");
    char *own = strdup(given != NULL && given[0] != '\0' ? given : "ssh");
    if (own == NULL)
        return error_set(ERR_NOMEM, "no memory for a command line");
    for (char *word = strtok_r(own, " \t", &rest); word != NULL && count < WORDS_MAX - 8;
         word = strtok_r(NULL, " \t", &rest))
        words[count++] = word;
    int error = count > 0 ? far_command(command, sizeof command, target)
                          : error_set(ERR_INVALID, "$EMSA_SSH has no word");
    words[count++] = no_terminal;
    if (target->port[0] != '\0') {
        words[count++] = of_port;
        words[count++] = (char *)(uintptr_t)target->port;
    }
    if (target->user[0] != '\0') {
        words[count++] = of_user;
        words[count++] = (char *)(uintptr_t)target->user;
    }
    words[count++] = no_more;
    words[count++] = (char *)(uintptr_t)target->host;
    words[count++] = command;
    words[count] = NULL;
    if (error == 0)
        error = start(remote, far_end, words);
    free(own);
    return error;
}

/* What ssh ended with; 0 while it has not. */
static int ended_with(struct remote *remote)
{
    int status = 0;
    pid_t pid;
    descriptor_close(&remote->socket);
    do
        pid = waitpid(remote->ssh, &status, 0);
    while (pid < 0 && errno == EINTR);
    remote->ssh = 0;
    return pid > 0 && WIFEXITED(status) ? WEXITSTATUS(status) : 255;
}

static int no_far_side(struct remote *remote)
{
    int status = ended_with(remote);
    if (status == NOT_RUNNABLE)
        return error_set(ERR_NOT_FOUND, "there is no 'emsa' in the path of '%s'", remote->host);
    return error_set(ERR_IO, "nobody answers at '%s': ssh ended with status %d, and has said why",
                     remote->host, status);
}

/* Up to its first newline. */
static int hear_hello(struct remote *remote)
{
    char line[sizeof FRAME_HELLO] = "";
    size_t size = 0;
    while (size < sizeof line - 1 && (size == 0 || line[size - 1] != '\n')) {
        ssize_t count = read(remote->socket, line + size, 1);
        if (count < 0 && errno == EINTR)
            continue;
        if (count <= 0)
            return no_far_side(remote);
        size++;
    }
    if (strcmp(line, FRAME_HELLO) == 0)
        return 0;
    line[strcspn(line, "\n")] = '\0';
    error_set(ERR_IO, "'%s' says something else than emsa does: '%s'", remote->host, line);
    return error_add(ERR_IO, "its emsa is of another version, or its shell prints at its start");
}

int remote_open(struct remote **out, const char *host, const char *store)
{
    struct target target;
    struct sigaction ignore = {.sa_handler = SIG_IGN};
    int ends[2], error = read_target(&target, host, store);
    if (error < 0)
        return error;
    struct remote *remote = calloc(1, sizeof *remote);
    if (remote == NULL)
        return error_set(ERR_NOMEM, "no memory for a connection");
    memcpy(remote->host, target.host, sizeof remote->host);
    remote->socket = -1;
    (void)sigaction(SIGPIPE, &ignore, &remote->pipe_action);
    if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0) {
        error = error_system(errno, "cannot make a socket");
    } else {
        remote->socket = ends[0];
        error = run_ssh(remote, &target, ends[1]);
        descriptor_close(&ends[1]);
    }
    if (error == 0)
        error = hear_hello(remote);
    if (error < 0)
        remote_close(remote);
    else
        *out = remote;
    return error;
}

void remote_close(struct remote *remote)
{
    if (remote == NULL)
        return;
    descriptor_close(&remote->socket);
    if (remote->ssh > 0)
        (void)ended_with(remote);
    (void)sigaction(SIGPIPE, &remote->pipe_action, NULL);
    free(remote);
}

/* Asking */

static int take_reply(struct frame *frame, struct answer *out)
{
    unsigned char *room;
    size_t size;
    json_t *reply = json_object_get(frame->object, "parameters");
    const char *failure = json_string_value(json_object_get(frame->object, "error"));
    if (failure != NULL && strcmp(failure, FRAME_UNPROVEN) == 0)
        return 1;
    if (failure != NULL)
        return answer_failure(failure, reply);
    out->reply = json_is_object(reply) ? json_incref(reply) : json_object();
    int error = answer_room(out, &room, &size);
    if (error == 0 && size != frame->values.size)
        error = error_set(ERR_IO, "the other side's answer has other values than it says");
    if (error == 0 && size > 0)
        memcpy(room, frame->values.data, size);
    return error;
}

static int lost(const struct remote *remote)
{
    error_set(ERR_IO, "the connection to '%s' ended before an answer came", remote->host);
    return error_add(ERR_IO, "whether it was done there is not known: 'emsa --host ... log' tells");
}

int remote_ask(struct remote *remote, const char *method, json_t *parameters,
               const struct piece *pieces, size_t piece_count, struct answer *out)
{
    struct frame frame FRAME_CLEANUP = {0};
    json_t *message = json_pack("{s:s, s:O}", "method", method, "parameters", parameters);
    if (message == NULL)
        return error_set(ERR_NOMEM, "no memory for a message");
    *out = ANSWER_INIT;
    int error = frame_send(remote->socket, message, pieces, piece_count);
    json_decref(message);
    if (error == 0)
        error = frame_receive(remote->socket, &frame);
    if (error == 1 || error == -ERR_IO)
        error = lost(remote);
    if (error == 0)
        error = take_reply(&frame, out);
    if (error != 0)
        answer_release(out);
    return error;
}

int remote_check(const struct command *command, const char *host)
{
    static const struct {
        const char *name, *sub; /* sub NULL: whatever follows */
    } here[] = {{"init", NULL},  {"mount", NULL},    {"umount", NULL},   {"attach", NULL},
                {"wait", NULL},  {"watch", NULL},    {"stop", NULL},     {"doctor", NULL},
                {"relay", NULL}, {"identity", NULL}, {"audit", "verify"}};
    const char *sub = command->sub != NULL ? command->sub : "";
    if (strcmp(sub, "unlock") == 0)
        return 0; /* of an identity: of the far side's server */
    for (size_t i = 0; i < sizeof here / sizeof here[0]; i++)
        if (strcmp(command->name, here[i].name) == 0 &&
            (here[i].sub == NULL || strcmp(sub, here[i].sub) == 0))
            return error_set(ERR_REFUSED,
                             "'emsa %s%s%s' is of the machine that it runs on: log in at '%.200s', "
                             "and run it there",
                             here[i].name, sub[0] != '\0' ? " " : "", sub, host);
    return 0;
}
