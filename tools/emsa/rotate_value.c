/*
 * rotate value: a new random secret, which a command takes over first (a database that changes a
 * password), and which is set only when that succeeded. The value is given on the command's
 * standard input and nowhere else. What would be refused is refused before the command runs: the
 * change is tried first, and holds if nothing at the key changed meanwhile.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <string.h>
#include <sys/random.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/error.h"
#include "store/limits.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/pump.h"
#include "tools/emsa/report.h"

#define GENERATE_MIN 16u
#define GENERATE_MAX 4096u

extern char **environ;

/* Letters, digits, '-' and '_' (RFC 4648, base64url without padding): a third more than the random
 * bytes, and nothing that a URL or a shell would read otherwise. */
static int generate(struct secret *out, size_t size)
{
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    const size_t length = (size * 4 + 2) / 3;
    int error = secret_alloc(out, length);
    if (error < 0)
        return error;
    for (size_t at = 0; at < length;) {
        ssize_t done = getrandom(out->data + at, length - at, 0);
        if (done < 0 && errno != EINTR)
            return error_system(errno, "cannot get random bytes");
        at += done > 0 ? (size_t)done : 0;
    }
    for (size_t i = 0; i < length; i++)
        out->data[i] = (unsigned char)digits[out->data[i] & 63];
    out->size = length;
    return 0;
}

struct rotation {
    struct session *session;
    struct path path;
    struct path previous; /* a key, or none */
    struct secret value;
};

static int read_words(struct rotation *rotation)
{
    const struct options *options = &rotation->session->options;
    const char *word = options->arguments.list[0];
    int error = path_parse(&rotation->path, word, strlen(word));
    if (error < 0)
        return error;
    if (path_depth(&rotation->path) != PATH_KEY)
        return error_set(ERR_INVALID, "'%s' is no key: write ENVIRONMENT/SERVICE/KEY", word);
    if (options->generate == 0)
        return error_set(ERR_INVALID, "how many random bytes? --generate 32");
    if (options->generate < GENERATE_MIN || options->generate > GENERATE_MAX)
        return error_set(ERR_INVALID, "--generate takes %u to %u bytes", GENERATE_MIN,
                         GENERATE_MAX);
    if (options->keep_previous == NULL)
        return 0;
    if (strcmp(options->keep_previous, rotation->path.key) == 0)
        return error_set(ERR_INVALID, "--keep-previous is the same key");
    return path_make(&rotation->previous, rotation->path.environment, rotation->path.service,
                     options->keep_previous);
}

/* The old value under its new key first, then the new one. */
static json_t *parameters_of(const struct rotation *rotation)
{
    char path[PATH_TEXT_MAX], previous[PATH_TEXT_MAX];
    json_t *operations = json_array();
    path_text(&rotation->path, path);
    if (rotation->previous.key[0] != '\0')
        json_array_append_new(operations,
                              json_pack("{s:s, s:s, s:s}", "kind", "copy", "path",
                                        path_text(&rotation->previous, previous), "from", path));
    json_array_append_new(operations, json_pack("{s:s, s:s, s:I}", "kind", "secret", "path", path,
                                                "size", (json_int_t)rotation->value.size));
    return json_pack("{s:o}", "operations", operations);
}

static int ask(struct rotation *rotation, struct answer *answer)
{
    char path[PATH_TEXT_MAX];
    const struct piece piece = {rotation->value.data, rotation->value.size};
    return report_ask(rotation->session, "io.emsa.Set", parameters_of(rotation),
                      path_text(&rotation->path, path), &piece, 1, answer);
}

/* Whether it is a secret that is set there, and nowhere else: no other has a value of its own. */
static int judge_item(json_t *item, const char *path)
{
    if (strcmp(output_member(item, "kind"), "secret") != 0)
        return error_set(ERR_REFUSED, "'%s' is no secret: 'emsa set --secret %s' makes it one",
                         path, path);
    if (output_member(item, "via")[0] != '\0')
        return error_set(ERR_REFUSED,
                         "'%s' has its value by a %s: rotate the secret that it refers to "
                         "('emsa explain %s' says which)",
                         path, output_member(item, "via"), path);
    if (strcmp(output_member(item, "origin"), "own") != 0)
        return error_set(ERR_REFUSED,
                         "'%s' is inherited (from %s): rotate it where it is set ('emsa explain "
                         "%s' says where)",
                         path, output_member(item, "origin"), path);
    return 0;
}

/* What is there, by what everybody may know who holds a right; holds on to its revision. */
static int look(struct rotation *rotation)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    struct options *options = &rotation->session->options;
    char path[PATH_TEXT_MAX];
    path_text(&rotation->path, path);
    int error = session_ask(rotation->session, "io.emsa.List", json_pack("{s:s}", "path", path),
                            NULL, 0, &answer);
    if (error == -ERR_NOT_FOUND)
        return error_add(ERR_NOT_FOUND, "what is rotated is there: emsa set --secret %s makes it",
                         path);
    if (error == 0)
        error = judge_item(json_array_get(json_object_get(answer.reply, "items"), 0), path);
    if (error == 0 && !options->has_if_rev) {
        options->has_if_rev = true;
        options->if_rev = (uint64_t)json_integer_value(json_object_get(answer.reply, "rev"));
    }
    return error;
}

/* Tries it: what would be refused is refused before a command has changed anything elsewhere. */
static int rehearse(struct rotation *rotation)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    struct options *options = &rotation->session->options;
    const bool was_dry = options->dry_run;
    options->dry_run = true;
    int error = ask(rotation, &answer);
    options->dry_run = was_dry;
    return error;
}

static int start(pid_t *pid, const char *command, int input)
{
    char *words[] = {(char *)(uintptr_t) "sh", (char *)(uintptr_t) "-c", (char *)(uintptr_t)command,
                     NULL};
    posix_spawn_file_actions_t actions;
    posix_spawnattr_t attributes;
    sigset_t usual; /* a pump ignores what a command may want */
    (void)sigemptyset(&usual);
    (void)sigaddset(&usual, SIGPIPE);
    int failed = posix_spawn_file_actions_init(&actions);
    if (failed != 0)
        return error_system(failed, "cannot run '%s'", command);
    failed = posix_spawnattr_init(&attributes);
    if (failed == 0) {
        (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGDEF);
        (void)posix_spawnattr_setsigdefault(&attributes, &usual);
        failed = posix_spawn_file_actions_adddup2(&actions, input, STDIN_FILENO);
        if (failed == 0)
            failed = posix_spawn(pid, "/bin/sh", &actions, &attributes, words, environ);
        (void)posix_spawnattr_destroy(&attributes);
    }
    (void)posix_spawn_file_actions_destroy(&actions);
    return failed == 0 ? 0 : error_system(failed, "cannot run '%s'", command);
}

static int wait_for(pid_t pid, const char *command)
{
    int status = 0;
    while (waitpid(pid, &status, 0) < 0)
        if (errno != EINTR)
            return error_system(errno, "cannot wait for '%s'", command);
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        return 0;
    return WIFEXITED(status) ? error_set(ERR_IO, "'%s' failed with status %d: nothing was set",
                                         command, WEXITSTATUS(status))
                             : error_set(ERR_IO, "'%s' was ended by signal %d: nothing was set",
                                         command, WTERMSIG(status));
}

/* The command with the value on its standard input. */
static int run(struct rotation *rotation)
{
    const char *command = rotation->session->options.run;
    const struct piece piece = {rotation->value.data, rotation->value.size};
    struct pump pump;
    pid_t pid;
    session_leave(rotation->session);
    int error = pump_begin(&pump, &piece, 1);
    if (error == 0)
        error = start(&pid, command, pump.read_end);
    if (error == 0) {
        close(pump.read_end);
        pump.read_end = -1;
        pump_run(&pump);
        error = wait_for(pid, command);
    }
    pump_end(&pump);
    return error;
}

/* The command took the value over: what is lost now is lost. */
static int told_of_conflict(const struct rotation *rotation, int error)
{
    if (error == 0 || rotation->session->options.run == NULL)
        return error;
    return error_add((enum error_code) - error,
                     "'%s' has succeeded with a value that was not set: run this again",
                     rotation->session->options.run);
}

static int rotate(struct rotation *rotation)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const struct options *options = &rotation->session->options;
    int error = look(rotation);
    if (error == 0)
        error = rehearse(rotation);
    if (error == 0 && options->run != NULL && !options->dry_run)
        error = run(rotation);
    else if (error == 0 && options->run != NULL)
        output_note("dry run: '%s' is not run", options->run);
    if (error < 0)
        return error;
    error = told_of_conflict(rotation, ask(rotation, &answer));
    if (error < 0)
        return error;
    return options->json ? output_json(json_incref(answer.reply)) : report_print(answer.reply);
}

int run_rotate_value(struct session *session)
{
    struct rotation rotation = {.session = session};
    int error = read_words(&rotation);
    if (error == 0)
        error = generate(&rotation.value, session->options.generate);
    if (error == 0)
        error = rotate(&rotation);
    secret_release(&rotation.value);
    return error;
}
