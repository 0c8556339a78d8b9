/* import --format compose|kubernetes: what others keep, as an environment, in one commit. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/assignments.h"
#include "tools/emsa/compose.h"
#include "tools/emsa/import.h"
#include "tools/emsa/input.h"
#include "tools/emsa/intake_marks.h"
#include "tools/emsa/intake_text.h"
#include "tools/emsa/kube.h"
#include "tools/emsa/list.h"
#include "tools/emsa/output.h"
#include "tools/emsa/report.h"

static void note(const char *text)
{
    output_note("%s", text);
}

static const char *shown(const char *file)
{
    return strcmp(file, "-") == 0 ? "stdin" : file;
}

/* Compose would have read it by itself. */
static void look_for_dotenv(const char *file)
{
    char path[4096];
    const char *slash = strrchr(file, '/');
    int folder = slash != NULL ? (int)(slash - file) + 1 : 0;
    int length = snprintf(path, sizeof path, "%.*s.env", folder, file);
    if (length < (int)sizeof path && access(path, F_OK) == 0)
        output_note("'%s' is there and was not read: --dotenv %s does", path, path);
}

static int take(struct session *session, struct intake *intake, const char *file)
{
    struct secret text SECRET_CLEANUP = {0};
    struct secret dotenv SECRET_CLEANUP = {0};
    const char *dotenv_file = session->options.dotenv;
    int error = read_whole(&text, file, FILE_SIZE_MAX);
    if (error == 0 && dotenv_file != NULL)
        error = read_whole(&dotenv, dotenv_file, FILE_SIZE_MAX);
    if (error < 0)
        return error;
    if (strcmp(session->options.format, "kubernetes") == 0)
        return kube_take(intake, shown(file), &text);
    if (dotenv_file == NULL)
        look_for_dotenv(file);
    struct compose_input input = {.file = shown(file),
                                  .text = &text,
                                  .dotenv_file = dotenv_file != NULL ? shown(dotenv_file) : NULL,
                                  .dotenv = &dotenv};
    return compose_take(intake, &input);
}

/* One that is there is filled as it is: it may be protected, or have a base. */
static int look_for(struct session *session, const char *environment, bool *is_there)
{
    json_t *whole, *item;
    size_t index;
    int error = list_gather(session, "io.emsa.List", "", &whole);
    if (error < 0)
        return error;
    *is_there = false;
    json_array_foreach(json_object_get(whole, "items"), index, item)
    {
        const char *name = json_string_value(json_object_get(item, "name"));
        *is_there = *is_there || (name != NULL && strcmp(name, environment) == 0);
    }
    json_decref(whole);
    return 0;
}

static int send_all(struct session *session, const struct intake *intake, const char *environment)
{
    struct intake_call call;
    bool is_there;
    int error = look_for(session, environment, &is_there);
    if (error < 0)
        return error;
    error = intake_compose_call(&call, intake, environment, is_there);
    if (error == 0)
        error = report_change(session, "io.emsa.Set",
                              json_pack("{s:O, s:b}", "operations", call.operations, "grouped", 1),
                              environment, call.pieces, call.piece_count);
    intake_call_release(&call);
    return error;
}

int import_environment(struct session *session)
{
    const struct options *options = &session->options;
    struct intake intake = {.note = note};
    struct intake_choice choice = {&options->secret_keys, &options->plain_keys,
                                   options->guess_secrets};
    const char *file = options->arguments.list[0], *environment = options->arguments.list[1];
    if (options->ttl > 0)
        return error_set(ERR_INVALID,
                         "--format %s stands without --ttl: a whole environment ends "
                         "with 'emsa env add ENV --ttl TIME'",
                         options->format);
    int error = name_check(NAME_ENVIRONMENT, environment, strlen(environment));
    if (error == 0)
        error = take(session, &intake, file);
    if (error == 0)
        error = intake_settle(&intake);
    if (error == 0)
        error = intake_mark(&intake, &choice);
    if (error == 0)
        error = send_all(session, &intake, environment);
    intake_release(&intake);
    return error;
}
