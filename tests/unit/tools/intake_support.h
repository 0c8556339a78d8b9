/* What an import would send, as lines of text, for the tests of compose and kube. */
#ifndef EMSA_TESTS_UNIT_TOOLS_INTAKE_SUPPORT_H
#define EMSA_TESTS_UNIT_TOOLS_INTAKE_SUPPORT_H

#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/compose.h"
#include "tools/emsa/intake_marks.h"
#include "tools/emsa/intake_text.h"
#include "tools/emsa/kube.h"

static char notes[16384], sent[65536];
static __attribute__((unused)) const char *dotenv_name = ".env";

static void keep_note(const char *text)
{
    size_t used = strlen(notes);
    snprintf(notes + used, sizeof notes - used, "%s\n", text);
}

/* "plain demo/web/KEY = value", "link demo/web/KEY = shared/KEY", "share demo/db/PW > web" */
static void write_operation(json_t *operation, const struct piece *pieces, size_t *piece)
{
    size_t used = strlen(sent);
    const char *kind = json_string_value(json_object_get(operation, "kind"));
    const char *path = json_string_value(json_object_get(operation, "path"));
    const char *value = json_string_value(json_object_get(operation, "value"));
    const char *with = json_string_value(json_object_get(operation, "with"));
    json_t *keys = json_object_get(operation, "keys"), *sizes = json_object_get(operation, "sizes");
    for (size_t i = 0; i < json_array_size(keys); i++, ++*piece) {
        if ((size_t)json_integer_value(json_array_get(sizes, i)) != pieces[*piece].size)
            continue; /* no line: each is looked for */
        used += (size_t)snprintf(sent + used, sizeof sent - used, "%s %s/%s = %.*s\n", kind, path,
                                 json_string_value(json_array_get(keys, i)),
                                 (int)pieces[*piece].size, (const char *)pieces[*piece].data);
    }
    if (keys == NULL) {
        snprintf(sent + used, sizeof sent - used, "%s %s%s%s\n", kind, path,
                 value != NULL  ? " = "
                 : with != NULL ? " > "
                                : "",
                 value != NULL  ? value
                 : with != NULL ? with
                                : "");
    }
}

static int write_call(const struct intake *intake)
{
    struct intake_call call;
    size_t index, piece = 0;
    json_t *operation;
    int error = intake_compose_call(&call, intake, "demo", false);
    if (error == 0)
        json_array_foreach(call.operations, index, operation)
            write_operation(operation, call.pieces, &piece);
    intake_call_release(&call);
    return error;
}

struct marks {
    const char *secret[4], *plain[4]; /* up to a NULL */
    bool guess;
};

static int finish(struct intake *intake, const struct marks *marks)
{
    struct texts secret = {.list = (const char **)(uintptr_t)marks->secret};
    struct texts plain = {.list = (const char **)(uintptr_t)marks->plain};
    struct intake_choice choice = {&secret, &plain, marks->guess};
    while (secret.count < 4 && secret.list[secret.count] != NULL)
        secret.count++;
    while (plain.count < 4 && plain.list[plain.count] != NULL)
        plain.count++;
    int error = intake_settle(intake);
    if (error == 0)
        error = intake_mark(intake, &choice);
    return error < 0 ? error : write_call(intake);
}

/* Fills sent and notes. dotenv may be NULL. */
static __attribute__((unused)) int import_compose(const char *file, const char *text,
                                                  const char *dotenv, const struct marks *marks)
{
    struct secret first SECRET_CLEANUP = {0};
    struct secret second SECRET_CLEANUP = {0};
    struct intake intake = {.note = keep_note};
    notes[0] = sent[0] = '\0';
    int error = secret_copy(&first, text, strlen(text));
    if (error == 0 && dotenv != NULL)
        error = secret_copy(&second, dotenv, strlen(dotenv));
    struct compose_input input = {.file = file,
                                  .text = &first,
                                  .dotenv_file = dotenv != NULL ? dotenv_name : NULL,
                                  .dotenv = &second};
    if (error == 0)
        error = compose_take(&intake, &input);
    if (error == 0)
        error = finish(&intake, marks);
    intake_release(&intake);
    return error;
}

static __attribute__((unused)) int import_kube(const char *text, const struct marks *marks)
{
    struct secret first SECRET_CLEANUP = {0};
    struct intake intake = {.note = keep_note};
    notes[0] = sent[0] = '\0';
    int error = secret_copy(&first, text, strlen(text));
    if (error == 0)
        error = kube_take(&intake, "k.yaml", &first);
    if (error == 0)
        error = finish(&intake, marks);
    intake_release(&intake);
    return error;
}

/* Whether sent has that line. */
static __attribute__((unused)) bool has_line(const char *line)
{
    size_t length = strlen(line);
    for (const char *at = strstr(sent, line); at != NULL; at = strstr(at + 1, line))
        if ((at == sent || at[-1] == '\n') && at[length] == '\n')
            return true;
    return false;
}

#define assert_line(line)                                                                          \
    do {                                                                                           \
        if (!has_line(line))                                                                       \
            fail_msg("no line '%s' in:\n%s", line, sent);                                          \
    } while (0)

#define assert_note(text)                                                                          \
    do {                                                                                           \
        if (strstr(notes, text) == NULL)                                                           \
            fail_msg("no note '%s' in:\n%s", text, notes);                                         \
    } while (0)

#endif
