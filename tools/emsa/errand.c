#include "tools/emsa/errand.h"

#include <errno.h>
#include <inttypes.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/bytes.h"
#include "store/error.h"
#include "tools/emsa/output.h"

#define PATHS_BYTES_MAX 100000u /* a variable may have 128 KiB */
#define OWN_VARIABLES 5

extern char **environ;

int errand_add(struct errand *errand, uint64_t rev, const char *path)
{
    if (errand->words == NULL)
        return 0;
    if (errand->paths == NULL)
        errand->paths = json_object();
    if (errand->first_rev == 0)
        errand->first_rev = rev;
    errand->rev = rev;
    return json_object_set_new(errand->paths, path, json_true()) < 0
               ? error_set(ERR_NOMEM, "no memory for a change")
               : 0;
}

/* What the command is told; each text ends with NUL. */
static void write_variables(struct bytes *out, const struct errand *errand)
{
    bool is_cut = false;
    const char *path;
    json_t *value;
    bytes_append_format(out, "EMSA_REV=%" PRIu64 "%cEMSA_FIRST_REV=%" PRIu64 "%c", errand->rev, 0,
                        errand->first_rev, 0);
    if (errand->store != NULL)
        bytes_append_format(out, "EMSA_STORE=%s%c", errand->store, 0);
    bytes_append_text(out, "EMSA_PATHS=");
    size_t start = out->size;
    json_object_foreach(errand->paths, path, value)
    {
        is_cut = out->size + strlen(path) - start > PATHS_BYTES_MAX;
        if (is_cut)
            break;
        bytes_append_format(out, "%s%s", out->size > start ? " " : "", path);
    }
    bytes_append(out, "", 1);
    if (is_cut)
        bytes_append(out, "EMSA_MORE=1", sizeof "EMSA_MORE=1");
}

static bool is_ours(const char *variable, const struct errand *errand)
{
    static const char *const names[] = {
        "EMSA_REV=", "EMSA_FIRST_REV=", "EMSA_PATHS=", "EMSA_MORE="};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (strncmp(variable, names[i], strlen(names[i])) == 0)
            return true;
    return errand->store != NULL && strncmp(variable, "EMSA_STORE=", strlen("EMSA_STORE=")) == 0;
}

/* Our own environment, and the variables. The texts stay where they are. */
static char **make_environment(const struct errand *errand, struct bytes *variables)
{
    size_t inherited = 0, count = 0;
    while (environ != NULL && environ[inherited] != NULL)
        inherited++;
    char **out = calloc(inherited + OWN_VARIABLES + 1, sizeof *out);
    for (size_t i = 0; out != NULL && i < inherited; i++)
        if (!is_ours(environ[i], errand))
            out[count++] = environ[i];
    char *end = (char *)variables->data + variables->size;
    for (char *at = (char *)variables->data; out != NULL && at < end; at += strlen(at) + 1)
        out[count++] = at;
    return out;
}

static int spawn(struct errand *errand, char **environment)
{
    posix_spawnattr_t attributes;
    sigset_t usual;
    char **words = (char **)(uintptr_t)errand->words;
    (void)sigemptyset(&usual);
    (void)sigaddset(&usual, SIGPIPE);
    int failed = posix_spawnattr_init(&attributes);
    if (failed != 0)
        return error_system(failed, "cannot run '%s'", words[0]);
    (void)posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
    (void)posix_spawnattr_setsigmask(&attributes, &errand->mask);
    (void)posix_spawnattr_setsigdefault(&attributes, &usual);
    failed = posix_spawnp(&errand->pid, words[0], NULL, &attributes, words, environment);
    (void)posix_spawnattr_destroy(&attributes);
    if (failed == 0)
        return 0;
    errand->pid = 0;
    errand->not_run = failed == ENOENT ? 127 : 126;
    return error_system(failed, "cannot run '%s'", words[0]);
}

int errand_start(struct errand *errand)
{
    if (errand->rev == 0 || errand->pid != 0)
        return 0;
    struct bytes variables BYTES_CLEANUP = BYTES_INIT(2 * PATHS_BYTES_MAX);
    write_variables(&variables, errand);
    char **environment = variables.error < 0 ? NULL : make_environment(errand, &variables);
    int error = environment == NULL ? error_set(ERR_NOMEM, "no memory for an environment")
                                    : spawn(errand, environment);
    free(environment);
    json_decref(errand->paths);
    errand->paths = NULL;
    errand->rev = errand->first_rev = 0;
    return error;
}

void errand_reap(struct errand *errand)
{
    int status;
    if (errand->pid == 0 || waitpid(errand->pid, &status, WNOHANG) != errand->pid)
        return;
    errand->pid = 0;
    if (WIFSIGNALED(status))
        output_note("'%s' was ended by signal %d", errand->words[0], WTERMSIG(status));
    else if (WEXITSTATUS(status) != 0)
        output_note("'%s' ended with status %d", errand->words[0], WEXITSTATUS(status));
}

void errand_release(struct errand *errand)
{
    json_decref(errand->paths);
    errand->paths = NULL;
}
