/* export: all values of a service, in a form that other programs read. */
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/defined.h"
#include "tools/emsa/output.h"
#include "tools/emsa/override.h"
#include "tools/emsa/render.h"
#include "tools/emsa/sheet_write.h"

enum form { FORM_DOTENV, FORM_JSON, FORM_SHELL, FORM_YAML, FORM_COMPOSE_OVERRIDE };

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
    else if (strcmp(format, "yaml") == 0)
        *out = FORM_YAML;
    else if (strcmp(format, "compose-override") == 0)
        *out = FORM_COMPOSE_OVERRIDE;
    else
        return error_set(ERR_INVALID,
                         "no format '%.32s': there are dotenv, json, shell, yaml and "
                         "compose-override",
                         format);
    if (options->file != NULL && *out != FORM_COMPOSE_OVERRIDE)
        return error_set(ERR_INVALID, "--file is for --format compose-override");
    return 0;
}

/* A variable that a form cannot say. */
static int leave_out(const struct options *options, enum form form, const char *key,
                     enum render_gap gap)
{
    if (gap == RENDER_NUL)
        return error_set(ERR_INVALID,
                         "'%s' holds a NUL byte, which %s cannot say: use --format json", key,
                         form == FORM_SHELL ? "a shell" : "a dotenv file");
    if (options->strict)
        return error_set(ERR_INVALID, "'%s' cannot be the name of a variable", key);
    output_note("left '%s' away: it cannot be the name of a variable", key);
    return 0;
}

static int render_one(struct render *render, const struct options *options, enum form form,
                      const char *key, const unsigned char *value, size_t size, bool first)
{
    enum render_gap gap = RENDER_NO_GAP;
    if (form == FORM_JSON)
        render_member(render, key, value, size, first);
    else if (form == FORM_DOTENV)
        gap = render_dotenv(render, key, value, size);
    else
        gap = render_shell(render, key, value, size);
    return gap ? leave_out(options, form, key, gap) : render->error;
}

static int render_all(struct secret *out, const struct options *options, enum form form,
                      const struct answer *answer)
{
    struct render render = render_whole(out);
    const unsigned char *value = answer->values;
    json_t *entries = json_object_get(answer->reply, "entries"), *entry;
    size_t index;
    json_array_foreach(entries, index, entry)
    {
        const char *key = json_string_value(json_object_get(entry, "name"));
        size_t size = (size_t)json_integer_value(json_object_get(entry, "size"));
        if (key == NULL)
            return error_set(ERR_IO, "the server's answer has no name for a value");
        int error = render_one(&render, options, form, key, value, size, index == 0);
        if (error < 0)
            return error;
        value = value != NULL ? value + size : NULL;
    }
    if (form == FORM_JSON)
        render_object_end(&render, json_array_size(entries) == 0);
    return render.error;
}

/* What is defined at a place of any depth, as a file for apply. */
static int export_sheet(struct session *session, const char *word)
{
    const struct options *options = &session->options;
    struct defined defined = {.answer = ANSWER_INIT};
    struct secret text SECRET_CLEANUP = {0};
    struct sheet_style style = {.no_secrets = options->no_secrets};
    if (options->reveal && options->no_secrets)
        return error_set(ERR_INVALID, "one of --reveal and --no-secrets, not both");
    int error =
        defined_ask(&defined, session,
                    json_pack("{s:[s], s:b, s:s}", "paths", strcmp(word, "/") == 0 ? "" : word,
                              "reveal", (int)options->reveal, "door", "export"));
    if (error == 0)
        error = sheet_write(&text, &defined, &style);
    defined_release(&defined);
    return error < 0 ? error : output_bytes(text.data, text.size);
}

static int check_service(const char *word)
{
    struct path path;
    if (word[0] == '\0')
        return error_set(ERR_INVALID,
                         "which service? 'emsa export ENV/SERVICE'; --format yaml takes any place");
    int error = path_parse(&path, word, strlen(word));
    if (error == 0 && path_depth(&path) != PATH_SERVICE)
        error = error_set(ERR_INVALID, "'%s' is no service: write ENVIRONMENT/SERVICE", word);
    return error;
}

int run_export(struct session *session)
{
    const struct options *options = &session->options;
    const char *word = options->arguments.count > 0 ? options->arguments.list[0] : "";
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    struct secret text SECRET_CLEANUP = {0};
    enum form form;
    int error = find_form(&form, options);
    if (error == 0 && form == FORM_YAML)
        return export_sheet(session, word);
    if (error == 0 && form == FORM_COMPOSE_OVERRIDE)
        return override_print(session, word);
    if (error == 0)
        error = check_service(word);
    if (error < 0)
        return error;
    error = session_ask(session, "io.emsa.Get",
                        json_pack("{s:[s], s:b, s:b, s:s}", "paths", word, "reveal",
                                  (int)options->reveal, "skip_secrets", (int)options->no_secrets,
                                  "door", "export"),
                        NULL, 0, &answer);
    if (error == -ERR_REFUSED)
        error_add(ERR_REFUSED, "--no-secrets exports the rest");
    if (error == 0)
        error = render_all(&text, options, form, &answer);
    return error < 0 || text.size == 0 ? error : output_bytes(text.data, text.size);
}
