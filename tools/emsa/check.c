/* check: everything that is wrong, for a person, for a program, and for a CI server. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/common/descriptor.h"
#include "tools/common/exit_status.h"
#include "tools/emsa/command.h"
#include "tools/emsa/junit.h"
#include "tools/emsa/output.h"
#include "tools/emsa/schema_yaml.h"
#include "tools/emsa/table.h"
#include "tools/emsa/words.h"

#define JUNIT_MAX (256u * 1024u * 1024u)

static long long number_of(json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

static enum colour colour_of(const char *severity)
{
    if (strcmp(severity, "error") == 0)
        return COLOUR_RED;
    return strcmp(severity, "warning") == 0 ? COLOUR_YELLOW : COLOUR_FAINT;
}

static int print_findings(json_t *findings)
{
    struct table *table = table_new("lll");
    size_t index;
    json_t *finding;
    json_array_foreach(findings, index, finding)
    {
        char text[1024];
        const char *severity = output_member(finding, "severity");
        output_tame(text, sizeof text, output_member(finding, "text"));
        const char *cells[] = {severity, output_member(finding, "path"), text};
        enum colour colours[] = {colour_of(severity), COLOUR_NONE, COLOUR_NONE};
        table_row(table, cells, colours);
    }
    int error = table_print(table);
    table_free(table);
    return error;
}

static void print_count(long long count, const char *what, const char *after)
{
    printf("%lld %s%s%s", count, what, plural_text((uint64_t)count), after);
}

static int print_text(json_t *reply)
{
    int error = print_findings(json_object_get(reply, "findings"));
    if (error < 0)
        return error;
    print_count((long long)json_array_size(json_object_get(reply, "services")), "service",
                " with ");
    print_count(number_of(reply, "keys"), "key", " at ");
    printf("revision %lld: ", number_of(reply, "rev"));
    print_count(number_of(reply, "errors"), "error", ", ");
    print_count(number_of(reply, "warnings"), "warning", "\n");
    if (json_is_true(json_object_get(reply, "cut")))
        output_note(
            "there is more that is wrong than is listed here: check one environment, or one "
            "service");
    return 0;
}

static int open_new(const char *file)
{
    int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    return fd >= 0 ? fd : error_system(errno, "cannot open '%s'", file);
}

static int write_all(int fd, const char *file, const unsigned char *data, size_t size)
{
    while (size > 0) {
        ssize_t count = write(fd, data, size);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_system(errno, "cannot write '%s'", file);
        data += count;
        size -= (size_t)count;
    }
    return 0;
}

static int write_junit(const char *file, json_t *reply)
{
    struct bytes text BYTES_CLEANUP = BYTES_INIT(JUNIT_MAX);
    junit_write(&text, reply);
    if (text.error < 0)
        return error_set(ERR_NOMEM, "no memory for '%s'", file);
    if (strcmp(file, "-") == 0)
        return output_bytes(text.data, text.size);
    int fd DESCRIPTOR_CLEANUP = open_new(file);
    return fd < 0 ? fd : write_all(fd, file, text.data, text.size);
}

static int parameters_of(const struct options *options, json_t **out)
{
    const char *word = options->arguments.count > 0 ? options->arguments.list[0] : "";
    struct path path;
    char text[PATH_TEXT_MAX];
    json_t *against = NULL, *parity = NULL;
    int error = path_parse(&path, word, strlen(word));
    if (error == 0 && options->parity != NULL) {
        parity = words_cut(options->parity);
        error = parity != NULL ? 0 : -ERR_INVALID;
    }
    if (error == 0 && options->against.count > 0)
        error = schema_yaml_files(&against, &options->against);
    if (error == 0) {
        *out = json_pack("{s:s, s:O*, s:O*}", "path", path_text(&path, text), "against", against,
                         "parity", parity);
        error = *out != NULL ? 0 : error_set(ERR_NOMEM, "no memory for a check");
    }
    json_decref(against);
    json_decref(parity);
    return error;
}

int run_check(struct session *session)
{
    const struct options *options = &session->options;
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    json_t *parameters = NULL;
    bool to_stdout = options->junit != NULL && strcmp(options->junit, "-") == 0;
    if (to_stdout && options->json)
        return error_set(ERR_INVALID, "--json and '--junit -' both want stdout: name a file");
    int error = parameters_of(options, &parameters);
    if (error == 0)
        error = session_ask(session, "io.emsa.Check", parameters, NULL, 0, &answer);
    if (error < 0)
        return error;
    if (options->junit != NULL)
        error = write_junit(options->junit, answer.reply);
    if (error == 0 && options->json)
        error = output_json(json_incref(answer.reply));
    else if (error == 0 && !to_stdout)
        error = print_text(answer.reply);
    if (error < 0)
        return error;
    return number_of(answer.reply, "errors") > 0 ? (int)EXIT_STATUS_REFUSED : 0;
}
