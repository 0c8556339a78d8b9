/* export: all values of a service, in a form that other programs read. */
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/hidden.h"
#include "tools/emsa/output.h"
#include "tools/emsa/render.h"

enum form { FORM_DOTENV, FORM_JSON, FORM_SHELL };

static int find_form(enum form *out, const struct options *options)
{
    const char *format = options->format;
    if (format == NULL)
        format = options->json ? "json" : "dotenv";
    if (strcmp(format, "dotenv") == 0)
        *out = FORM_DOTENV;
    else if (strcmp(format, "json") == 0)
        *out = FORM_JSON;
    else if (strcmp(format, "shell") == 0)
        *out = FORM_SHELL;
    else
        return error_set(ERR_INVALID, "no format '%.32s': there are dotenv, json and shell",
                         format);
    return 0;
}

static int render_member(struct secret *out, const char *key, const unsigned char *value,
                         size_t size, bool first)
{
    int error = hidden_append_text(out, first ? "\n  \"" : ",\n  \"");
    if (error == 0)
        error = hidden_append_text(out, key);
    if (error == 0)
        error = hidden_append_text(out, "\": ");
    return error < 0 ? error : render_json(out, value, size);
}

/* A shell knows names that are variables only. */
static int render_variable(struct secret *out, const struct options *options, const char *key,
                           const unsigned char *value, size_t size)
{
    if (is_variable_name(key))
        return render_shell(out, key, value, size);
    if (options->strict)
        return error_set(ERR_INVALID, "'%s' cannot be the name of a variable", key);
    output_note("left '%s' away: it cannot be the name of a variable", key);
    return 0;
}

static int render_all(struct secret *out, const struct options *options, enum form form,
                      const struct answer *answer)
{
    const unsigned char *value = answer->values;
    size_t index;
    json_t *entry;
    int error = form == FORM_JSON ? hidden_append_text(out, "{") : 0;
    json_array_foreach(json_object_get(answer->reply, "entries"), index, entry)
    {
        const char *key = json_string_value(json_object_get(entry, "name"));
        size_t size = (size_t)json_integer_value(json_object_get(entry, "size"));
        if (error < 0)
            return error;
        if (key == NULL)
            return error_set(ERR_IO, "the server's answer has no name for a value");
        if (form == FORM_JSON)
            error = render_member(out, key, value, size, index == 0);
        else if (form == FORM_DOTENV)
            error = render_dotenv(out, key, value, size);
        else
            error = render_variable(out, options, key, value, size);
        value = value != NULL ? value + size : NULL;
    }
    if (error == 0 && form == FORM_JSON)
        error = hidden_append_text(out, out->size > 1 ? "\n}\n" : "}\n");
    return error;
}

static int check_service(const char *word)
{
    struct path path;
    int error = path_parse(&path, word, strlen(word));
    if (error == 0 && path_depth(&path) != PATH_SERVICE)
        error = error_set(ERR_INVALID, "'%s' is no service: write ENVIRONMENT/SERVICE", word);
    return error;
}

int run_export(struct session *session)
{
    const struct options *options = &session->options;
    const char *word = options->arguments.list[0];
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    struct secret text SECRET_CLEANUP = {0};
    enum form form;
    int error = find_form(&form, options);
    if (error == 0)
        error = check_service(word);
    if (error < 0)
        return error;
    error = session_ask(session, "io.emsa.Get",
                        json_pack("{s:[s], s:b, s:b}", "paths", word, "reveal",
                                  (int)options->reveal, "skip_secrets", (int)options->no_secrets),
                        NULL, 0, &answer);
    if (error == -ERR_REFUSED)
        error_add(ERR_REFUSED, "--no-secrets exports the rest");
    if (error == 0)
        error = render_all(&text, options, form, &answer);
    return error < 0 || text.size == 0 ? error : output_bytes(text.data, text.size);
}
