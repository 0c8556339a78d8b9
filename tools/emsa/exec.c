/* exec: a command in our place, with a service's values as its environment. No shell, no parent
 * that stays: its signals and its exit status are its own. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/hidden.h"
#include "tools/emsa/output.h"
#include "tools/emsa/render.h"

extern char **environ;

struct variables {
    struct secret text; /* "KEY=value\0" one after the other */
    size_t *offsets;
    size_t count;
    size_t capacity;
};

static int add_offset(struct variables *variables)
{
    if (variables->count == variables->capacity) {
        size_t capacity = variables->capacity == 0 ? 64 : variables->capacity * 2;
        size_t *offsets = realloc(variables->offsets, capacity * sizeof *offsets);
        if (offsets == NULL)
            return error_set(ERR_NOMEM, "no memory for %zu variables", capacity);
        variables->offsets = offsets;
        variables->capacity = capacity;
    }
    variables->offsets[variables->count++] = variables->text.size;
    return 0;
}

static int add_variable(struct variables *variables, const char *key, const unsigned char *value,
                        size_t size)
{
    if (size > 0 && memchr(value, '\0', size) != NULL)
        return error_set(
            ERR_INVALID,
            "'%s' holds a NUL byte, which no variable can: leave it out with --only, and "
            "read it as a file",
            key);
    int error = add_offset(variables);
    if (error == 0)
        error = hidden_append_text(&variables->text, key);
    if (error == 0)
        error = hidden_append(&variables->text, "=", 1);
    if (error == 0)
        error = hidden_append(&variables->text, value, size);
    return error < 0 ? error : hidden_append(&variables->text, "", 1);
}

static int add_entries(struct variables *variables, const struct answer *answer, bool strict)
{
    const unsigned char *value = answer->values;
    size_t index;
    json_t *entry;
    json_array_foreach(json_object_get(answer->reply, "entries"), index, entry)
    {
        const char *key = json_string_value(json_object_get(entry, "name"));
        size_t size = (size_t)json_integer_value(json_object_get(entry, "size"));
        int error = 0;
        if (key != NULL && is_variable_name(key))
            error = add_variable(variables, key, value, size);
        else if (strict)
            error = error_set(ERR_INVALID, "'%s' cannot be the name of a variable",
                              key != NULL ? key : "");
        else
            output_note("left '%s' away: it cannot be the name of a variable",
                        key != NULL ? key : "");
        if (error < 0)
            return error;
        value = value != NULL ? value + size : NULL;
    }
    return 0;
}

static bool is_set(const struct variables *variables, const char *variable)
{
    size_t length = strcspn(variable, "=") + 1;
    for (size_t i = 0; i < variables->count; i++)
        if (strncmp((const char *)variables->text.data + variables->offsets[i], variable, length) ==
            0)
            return true;
    return false;
}

/* Our own environment under the values, or the values alone. The texts stay where they are. */
static char **make_environment(struct variables *variables, bool pristine)
{
    size_t inherited = 0, count = 0;
    while (!pristine && environ != NULL && environ[inherited] != NULL)
        inherited++;
    char **out = calloc(inherited + variables->count + 1, sizeof *out);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < inherited; i++)
        if (!is_set(variables, environ[i]))
            out[count++] = environ[i];
    for (size_t i = 0; i < variables->count; i++)
        out[count++] = (char *)variables->text.data + variables->offsets[i];
    return out;
}

/* "K,K" as paths beneath the service. */
static int only_paths(const char *only, const struct path *service, json_t *paths)
{
    while (only != NULL) {
        size_t length = strcspn(only, ",");
        struct path path = *service;
        char text[PATH_TEXT_MAX];
        int error = name_check(NAME_KEY, only, length);
        if (error < 0)
            return error;
        memcpy(path.key, only, length);
        json_array_append_new(paths, json_string(path_text(&path, text)));
        only = only[length] == ',' ? only + length + 1 : NULL;
    }
    return 0;
}

static int paths_of(struct session *session, json_t **out)
{
    const char *word = session->options.arguments.list[0];
    struct path service;
    char text[PATH_TEXT_MAX];
    int error = path_parse(&service, word, strlen(word));
    if (error == 0 && path_depth(&service) != PATH_SERVICE)
        error = error_set(ERR_INVALID, "'%s' is no service: write ENVIRONMENT/SERVICE", word);
    if (error == 0 && strcmp(service.environment, "all") == 0)
        error = error_set(ERR_INVALID,
                          "'all' has definitions, not values: name an environment to run in");
    if (error < 0)
        return error;
    json_t *paths = json_array();
    if (session->options.only == NULL)
        json_array_append_new(paths, json_string(path_text(&service, text)));
    else
        error = only_paths(session->options.only, &service, paths);
    if (error < 0)
        json_decref(paths);
    else
        *out = paths;
    return error;
}

static int gather(struct session *session, struct variables *variables)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    json_t *paths;
    int error = paths_of(session, &paths);
    if (error == 0)
        error =
            session_ask(session, "io.emsa.Get",
                        json_pack("{s:o, s:b, s:s}", "paths", paths, "reveal", 1, "door", "exec"),
                        NULL, 0, &answer);
    return error < 0 ? error : add_entries(variables, &answer, session->options.strict);
}

/* As env(1): 127 when there is no such command, 126 when it cannot be run. */
static int not_run(const char *command)
{
    int failed = errno;
    error_system(failed, "cannot run '%s'", command);
    if (failed == E2BIG)
        error_add(ERR_IO, "the values are too large for an environment: leave some out with "
                          "--only, and read them as "
                          "files");
    output_failure(-ERR_IO);
    return failed == ENOENT ? 127 : 126;
}

int run_exec(struct session *session)
{
    struct variables variables = {0};
    const struct texts *words = &session->options.arguments;
    int error = gather(session, &variables);
    char **environment = error < 0 ? NULL : make_environment(&variables, session->options.pristine);
    char **command = error < 0 ? NULL : calloc(words->count, sizeof *command);
    if (error == 0 && (environment == NULL || command == NULL))
        error = error_set(ERR_NOMEM, "no memory for an environment");
    if (error == 0) {
        for (size_t i = 1; i < words->count; i++)
            command[i - 1] = (char *)(uintptr_t)words->list[i];
        session_restore(session);
        execvpe(command[0], command, environment);
        error = not_run(command[0]);
    }
    free(environment);
    free(command);
    free(variables.offsets);
    secret_release(&variables.text);
    return error;
}
