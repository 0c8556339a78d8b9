/* import: a service's keys from one file, all in one commit. */
#include "tools/emsa/import.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/assignments.h"
#include "tools/emsa/bundle.h"
#include "tools/emsa/command.h"
#include "tools/emsa/dotenv.h"
#include "tools/emsa/flat.h"
#include "tools/emsa/input.h"
#include "tools/emsa/output.h"
#include "tools/emsa/recognise.h"
#include "tools/emsa/report.h"
#include "tools/emsa/ttl.h"

static void note(const char *text)
{
    output_note("%s", text);
}

static bool ends_in(const char *text, const char *end)
{
    size_t length = strlen(text);
    size_t size = strlen(end);
    return length >= size && strcmp(text + length - size, end) == 0;
}

static int parse(struct assignments *out, const char *format, const struct secret *text)
{
    const char *data = text->size > 0 ? (const char *)text->data : "";
    if (format == NULL)
        format = ends_in(out->file, ".json") ? "json" : "dotenv";
    if (strcmp(format, "dotenv") == 0)
        return dotenv_parse(out, data, text->size);
    if (strcmp(format, "json") == 0)
        return flat_parse(out, data, text->size);
    return error_set(ERR_INVALID,
                     "the format '%.32s' cannot be imported: dotenv, json, compose and kubernetes "
                     "can",
                     format);
}

static bool is_listed(const struct texts *texts, const char *key)
{
    for (size_t i = 0; i < texts->count; i++)
        if (strcmp(texts->list[i], key) == 0)
            return true;
    return false;
}

/* Every key that --secret and --plain name is in the file, and in one of the two. */
static int check_marks(const struct assignments *assignments, const struct texts *marks,
                       const struct texts *others, const char *option)
{
    for (size_t i = 0; i < marks->count; i++) {
        bool found = false;
        for (size_t n = 0; n < assignments->count && !found; n++)
            found = strcmp(assignments->list[n].key, marks->list[i]) == 0;
        if (!found)
            return error_set(ERR_NOT_FOUND, "no key '%.64s' in '%s', which %s names",
                             marks->list[i], assignments->file, option);
        if (is_listed(others, marks->list[i]))
            return error_set(ERR_INVALID, "'%s' is marked --secret and --plain: choose one",
                             marks->list[i]);
    }
    return 0;
}

/* Why an unmarked key looks like a secret; NULL where it does not, or was marked. */
static const char *suspicion(const struct options *options, const struct assignments *assignments,
                             const struct assignment *one)
{
    if (is_listed(&options->secret_keys, one->key) || is_listed(&options->plain_keys, one->key))
        return NULL;
    const char *why = recognise_name(one->key);
    return why != NULL ? why : recognise_value(assignment_value(assignments, one), one->size);
}

/* Marks what is a secret; what only looks like one is asked about, all of it at once. */
static int mark_secrets(struct session *session, struct assignments *assignments)
{
    const struct options *options = &session->options;
    int error = check_marks(assignments, &options->secret_keys, &options->plain_keys, "--secret");
    if (error == 0)
        error = check_marks(assignments, &options->plain_keys, &options->secret_keys, "--plain");
    if (error < 0)
        return error;
    for (size_t i = 0; i < assignments->count; i++) {
        struct assignment *one = &assignments->list[i];
        const char *why = suspicion(options, assignments, one);
        one->secret =
            is_listed(&options->secret_keys, one->key) || (why != NULL && options->guess_secrets);
        if (why == NULL || one->secret)
            continue;
        if (error == 0)
            error = error_set(
                ERR_REFUSED,
                "some keys of '%s' look like secrets: mark each with --secret KEY or --plain KEY, "
                "or say --guess-secrets",
                assignments->file);
        error_add(ERR_REFUSED, "%s (line %u): %s", one->key, one->line, why);
    }
    return error;
}

static int add_all(json_t *operations, const struct assignments *assignments,
                   const struct path *service, struct piece *pieces)
{
    struct bundle bundle;
    int error = 0;
    bundle_begin(&bundle, operations);
    for (size_t i = 0; i < assignments->count && error == 0; i++) {
        const struct assignment *one = &assignments->list[i];
        struct path path = *service;
        memcpy(path.key, one->key, sizeof path.key);
        pieces[i] = (struct piece){assignment_value(assignments, one), one->size};
        error = bundle_add(&bundle, one->secret ? "secret" : "plain", &path, one->size);
    }
    return error;
}

static int send_all(struct session *session, const struct assignments *assignments,
                    const struct path *service)
{
    char text[PATH_TEXT_MAX];
    if (assignments->count == 0)
        return error_set(ERR_INVALID, "nothing to import: '%s' has no key", assignments->file);
    struct piece *pieces = calloc(assignments->count, sizeof *pieces);
    if (pieces == NULL)
        return error_set(ERR_NOMEM, "no memory for %zu values", assignments->count);
    json_t *operations = json_array();
    int error = add_all(operations, assignments, service, pieces);
    ttl_give(operations, session->options.ttl);
    if (error == 0)
        error = report_change(session, "io.emsa.Set",
                              json_pack("{s:O, s:b}", "operations", operations, "grouped", 1),
                              path_text(service, text), pieces, assignments->count);
    json_decref(operations);
    free(pieces);
    return error;
}

static int import_service(struct session *session, const char *place, const char *file)
{
    struct secret text SECRET_CLEANUP = {0};
    struct assignments assignments = {.file = strcmp(file, "-") == 0 ? "stdin" : file,
                                      .note = note};
    struct path service;
    int error = path_parse(&service, place, strlen(place));
    if (error == 0 && path_depth(&service) != PATH_SERVICE)
        error = error_set(ERR_INVALID, "'%s' is no service: write ENVIRONMENT/SERVICE", place);
    if (error == 0)
        error = read_whole(&text, file, FILE_SIZE_MAX);
    if (error == 0)
        error = parse(&assignments, session->options.format, &text);
    if (error == 0)
        error = mark_secrets(session, &assignments);
    if (error == 0)
        error = send_all(session, &assignments, &service);
    assignments_release(&assignments);
    return error;
}

static bool is_environment(const char *format)
{
    return format != NULL && (strcmp(format, "compose") == 0 || strcmp(format, "kubernetes") == 0);
}

int run_import(struct session *session)
{
    const struct texts *words = &session->options.arguments;
    if (session->options.dotenv != NULL &&
        (session->options.format == NULL || strcmp(session->options.format, "compose") != 0))
        return error_set(ERR_INVALID, "--dotenv stands with --format compose only");
    if (session->options.tree != NULL) {
        if (words->count > 0 || session->options.secret_keys.count > 0 ||
            session->options.plain_keys.count > 0 || session->options.format != NULL)
            return error_set(
                ERR_INVALID,
                "--tree stands without ENV/SERVICE, --format, --secret and --plain: its "
                "lines say all that");
        if (session->options.ttl >
            0) /* it is resumed by giving it again, which would set all anew */
            return error_set(ERR_INVALID,
                             "--tree stands without --ttl: give the keys that end with "
                             "'emsa set' or 'emsa import ENV/SERVICE FILE'");
        return load_tree(session, session->options.tree);
    }
    if (words->count != 2)
        return error_set(ERR_INVALID, "usage: emsa %s", session->command->synopsis);
    return is_environment(session->options.format)
               ? import_environment(session)
               : import_service(session, words->list[0], words->list[1]);
}
