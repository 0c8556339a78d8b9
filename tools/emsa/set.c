/* set: what the arguments name, gathered into one change. */
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "store/sealed.h"
#include "tools/emsa/command.h"
#include "tools/emsa/input.h"
#include "tools/emsa/list.h"
#include "tools/emsa/output.h"
#include "tools/emsa/recognise.h"
#include "tools/emsa/report.h"
#include "tools/emsa/ttl.h"

struct setting {
    struct path path;
    struct input value;
    const char *text; /* of the command line, instead of value */
};

struct settings {
    struct setting *list;
    size_t count;
    size_t capacity;
    struct path shared; /* the deepest place that all are in */
};

static void settings_release(struct settings *settings)
{
    for (size_t i = 0; i < settings->count; i++)
        input_release(&settings->list[i].value);
    free(settings->list);
}

static bool is_same(const struct path *a, const struct path *b)
{
    return strcmp(a->key, b->key) == 0 && strcmp(a->service, b->service) == 0 &&
           strcmp(a->environment, b->environment) == 0;
}

static int add_setting(struct settings *settings, const struct path *path, struct setting **out)
{
    char text[PATH_TEXT_MAX];
    for (size_t i = 0; i < settings->count; i++)
        if (is_same(&settings->list[i].path, path))
            return error_set(ERR_INVALID, "'%s' is given twice: only one value can hold",
                             path_text(path, text));
    if (settings->count == settings->capacity) {
        size_t capacity = settings->capacity == 0 ? 8 : settings->capacity * 2;
        struct setting *list = realloc(settings->list, capacity * sizeof *list);
        if (list == NULL)
            return error_set(ERR_NOMEM, "no memory for %zu values", capacity);
        settings->list = list;
        settings->capacity = capacity;
    }
    if (settings->count == 0)
        settings->shared = *path;
    path_share(&settings->shared, path);
    *out = &settings->list[settings->count++];
    **out = (struct setting){.path = *path};
    return 0;
}

/* What was given stays out of every message. */
static int refuse_secret_argument(const struct path *path)
{
    char text[PATH_TEXT_MAX];
    error_set(
        ERR_REFUSED,
        "the secret '%s' stands in the arguments, where every user of this machine can see it",
        path_text(path, text));
    return error_add(
        ERR_REFUSED,
        "give it on stdin (emsa set --secret %s -), with --file FILE, or alone to be asked", text);
}

static int check_argument(const struct session *session, const struct path *path, const char *value)
{
    const char *why;
    if (session->options.secret)
        return refuse_secret_argument(path);
    if (session->options.template ||
        session->options.sealed) /* ${...} may stand where a password would */
        return 0;
    why = recognise_value((const unsigned char *)value, strlen(value));
    if (why != NULL)
        output_note(
            "'%s' looks like a secret (%s): it is set as a plain value; --secret would hide it",
            path->key, why);
    return 0;
}

static int make_key(struct path *path, const struct path *service, const char *key, size_t length)
{
    int error = name_check(NAME_KEY, key, length);
    if (error < 0)
        return error;
    *path = *service;
    memcpy(path->key, key, length);
    path->key[length] = '\0';
    return 0;
}

static int add_text(struct session *session, struct settings *settings, const struct path *path,
                    const char *text)
{
    struct setting *setting;
    int error = check_argument(session, path, text);
    if (error == 0)
        error = add_setting(settings, path, &setting);
    if (error == 0)
        setting->text = text;
    return error;
}

/* KEY=VALUE beneath a service, or ENV/SERVICE/KEY=VALUE. */
static int add_assignment(struct session *session, struct settings *settings,
                          const struct path *service, const char *word)
{
    struct path path;
    const char *equals = strchr(word, '=');
    if (equals == NULL)
        return error_set(ERR_INVALID, "'%.64s' is no KEY=VALUE", word);
    size_t length = (size_t)(equals - word);
    int error =
        service != NULL ? make_key(&path, service, word, length) : path_parse(&path, word, length);
    if (error == 0 && path_depth(&path) != PATH_KEY)
        error = error_set(ERR_INVALID, "'%.*s' is no key: write ENVIRONMENT/SERVICE/KEY=VALUE",
                          (int)length, word);
    return error < 0 ? error : add_text(session, settings, &path, equals + 1);
}

static void note_newline(const struct input *value, const char *key)
{
    const unsigned char *data = input_data(value);
    size_t size = input_size(value);
    if (size > 1 && memchr(data, '\n', size) == data + size - 1)
        output_note("the value of '%s' ends in a newline, as its file does", key);
}

static int add_file(struct session *session, struct settings *settings, const struct path *path,
                    const char *file, bool secret)
{
    struct setting *setting;
    (void)session;
    int error = add_setting(settings, path, &setting);
    if (error < 0)
        return error;
    setting->value.secret = secret;
    error = input_from_file(&setting->value, file, path->key);
    if (error == 0 && secret)
        note_newline(&setting->value, path->key);
    return error;
}

static int add_stdin(struct session *session, struct settings *settings, const struct path *path)
{
    struct setting *setting;
    bool trimmed;
    int error = add_setting(settings, path, &setting);
    if (error < 0)
        return error;
    setting->value.secret = session->options.secret;
    error = input_from_stdin(&setting->value, session->options.raw, path->key, &trimmed);
    if (error == 0 && trimmed)
        output_note("left the final newline of '%s' away (--raw keeps it)", path->key);
    return error;
}

/* A sealed text, which is no secret, but longer than a value; "-": stdin. */
static int add_sealed(struct settings *settings, const struct path *path, const char *file)
{
    struct setting *setting;
    int error = add_setting(settings, path, &setting);
    if (error < 0)
        return error;
    setting->value.secret = true; /* held as one */
    return read_whole(&setting->value.hidden, file, SEALED_TEXT_MAX);
}

static int add_prompt(struct settings *settings, const struct path *path)
{
    struct setting *setting;
    int error = add_setting(settings, path, &setting);
    return error < 0 ? error : input_from_prompt(&setting->value, path->key);
}

/* --secret-file KEY=FILE */
static int add_secret_files(struct session *session, struct settings *settings,
                            const struct path *service)
{
    const struct texts *files = &session->options.secret_files;
    for (size_t i = 0; i < files->count; i++) {
        struct path path;
        const char *equals = strchr(files->list[i], '=');
        if (equals == NULL)
            return error_set(ERR_INVALID, "'%.64s' of --secret-file is no KEY=FILE",
                             files->list[i]);
        int error = make_key(&path, service, files->list[i], (size_t)(equals - files->list[i]));
        if (error == 0)
            error = add_file(session, settings, &path, equals + 1, true);
        if (error < 0)
            return error;
    }
    return 0;
}

static int gather_service(struct session *session, struct settings *settings,
                          const struct path *service)
{
    const struct texts *words = &session->options.arguments;
    char text[PATH_TEXT_MAX];
    if (session->options.file != NULL)
        return error_set(ERR_INVALID, "--file wants one key: emsa set %s/KEY --file FILE",
                         path_text(service, text));
    for (size_t i = 1; i < words->count; i++) {
        int error = add_assignment(session, settings, service, words->list[i]);
        if (error < 0)
            return error;
    }
    int error = add_secret_files(session, settings, service);
    if (error == 0 && settings->count == 0)
        error = error_set(ERR_INVALID, "nothing to set in '%s': write KEY=VALUE after it",
                          path_text(service, text));
    return error;
}

static int gather_key(struct session *session, struct settings *settings, const struct path *path)
{
    const struct options *options = &session->options;
    const struct texts *words = &options->arguments;
    char text[PATH_TEXT_MAX];
    path_text(path, text);
    if (options->secret_files.count > 0)
        return error_set(
            ERR_INVALID,
            "--secret-file stands with a service: emsa set ENV/SERVICE --secret-file KEY=FILE");
    if (words->count > 2 || (words->count > 1 && options->file != NULL))
        return error_set(ERR_INVALID, "'%s' has more than one value: one of VALUE, '-' and --file",
                         text);
    if (options->sealed &&
        (options->file != NULL || (words->count == 2 && words->list[1][0] == '-')))
        return add_sealed(settings, path, options->file != NULL ? options->file : words->list[1]);
    if (options->file != NULL && strcmp(options->file, "-") != 0)
        return add_file(session, settings, path, options->file, options->secret);
    if (options->file != NULL || (words->count == 2 && strcmp(words->list[1], "-") == 0))
        return add_stdin(session, settings, path);
    if (words->count == 2)
        return add_text(session, settings, path, words->list[1]);
    if (options->secret)
        return add_prompt(settings, path);
    return error_set(ERR_INVALID, "no value for '%s': give VALUE, '-' for stdin, or --file FILE",
                     text);
}

static int gather(struct session *session, struct settings *settings)
{
    const struct texts *words = &session->options.arguments;
    const char *first = words->list[0];
    struct path path;
    if (strchr(first, '=') != NULL) {
        for (size_t i = 0; i < words->count; i++) {
            int error = add_assignment(session, settings, NULL, words->list[i]);
            if (error < 0)
                return error;
        }
        return 0;
    }
    int error = path_parse(&path, first, strlen(first));
    if (error < 0)
        return error;
    if (path_depth(&path) == PATH_SERVICE)
        return gather_service(session, settings, &path);
    if (path_depth(&path) == PATH_KEY)
        return gather_key(session, settings, &path);
    return error_set(
        ERR_INVALID,
        "'%s' is no place for values: write ENVIRONMENT/SERVICE or ENVIRONMENT/SERVICE/KEY", first);
}

static const char *kind_of(const struct session *session, const struct setting *setting)
{
    if (session->options.sealed)
        return "sealed";
    if (setting->value.secret)
        return "secret";
    return session->options.template ? "template" : "plain";
}

static json_t *operation_of(const struct session *session, const struct setting *setting,
                            struct piece *piece)
{
    char text[PATH_TEXT_MAX];
    if (setting->text != NULL)
        *piece = (struct piece){setting->text, strlen(setting->text)};
    else
        *piece = (struct piece){input_data(&setting->value), input_size(&setting->value)};
    return json_pack("{s:s, s:s, s:I}", "path", path_text(&setting->path, text), "kind",
                     kind_of(session, setting), "size", (json_int_t)piece->size);
}

static int send_settings(struct session *session, const struct settings *settings)
{
    char text[PATH_TEXT_MAX];
    struct piece *pieces = calloc(settings->count, sizeof *pieces);
    json_t *operations = json_array();
    if (pieces == NULL) {
        json_decref(operations);
        return error_set(ERR_NOMEM, "no memory for %zu values", settings->count);
    }
    for (size_t i = 0; i < settings->count; i++)
        json_array_append_new(operations, operation_of(session, &settings->list[i], &pieces[i]));
    ttl_give(operations, session->options.ttl);
    int error = report_change(session, "io.emsa.Set", json_pack("{s:o}", "operations", operations),
                              path_text(&settings->shared, text), pieces, settings->count);
    free(pieces);
    return error;
}

int run_set(struct session *session)
{
    struct settings settings = {0};
    if (session->options.template && session->options.secret)
        return error_set(ERR_INVALID, "a template's text is no secret: its value is one where it "
                                      "refers to one; give one of --template and --secret");
    if (session->options.sealed && (session->options.template || session->options.secret))
        return error_set(ERR_INVALID, "a sealed text is a secret already: give --sealed alone");
    int error = gather(session, &settings);
    if (error == 0)
        error = send_settings(session, &settings);
    settings_release(&settings);
    return error;
}
