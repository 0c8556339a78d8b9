#include "tools/emsa/report.h"

#include <stdio.h>
#include <string.h>

#include "tools/emsa/output.h"
#include "tools/emsa/table.h"

static long long number_of(json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

static enum colour colour_of(char mark)
{
    switch (mark) {
    case '+':
        return COLOUR_GREEN;
    case '~':
        return COLOUR_YELLOW;
    case '-':
        return COLOUR_RED;
    default:
        return COLOUR_FAINT;
    }
}

static int print_lines(json_t *lines)
{
    struct table *table = table_new("lll");
    size_t index;
    json_t *line;
    json_array_foreach(lines, index, line)
    {
        char was[128] = "", until[TIME_TEXT_MAX + 16] = "", time[TIME_TEXT_MAX];
        const char *mark = json_string_value(json_object_get(line, "mark"));
        const char *path = json_string_value(json_object_get(line, "path"));
        bool secret = json_is_true(json_object_get(line, "secret"));
        long long rev = number_of(line, "was_rev");
        if (mark == NULL || path == NULL)
            continue;
        if (number_of(line, "expires") > 0)
            snprintf(until, sizeof until, ", until %s",
                     time_text(time, number_of(line, "expires")));
        const char *note = json_string_value(json_object_get(line, "note"));
        if (note != NULL)
            snprintf(was, sizeof was, "(%s%s)", note, mark[0] == '=' ? " as it was" : "");
        else if (mark[0] == '+')
            snprintf(was, sizeof was, "(new%s%s)", secret ? ", secret" : "", until);
        else if (mark[0] == '=')
            snprintf(was, sizeof was, "(as it was)");
        else if (rev > 0)
            snprintf(was, sizeof was, "(was rev %lld%s%s)", rev, secret ? ", secret" : "", until);
        const char *cells[] = {mark, path, was};
        enum colour colours[] = {colour_of(mark[0]), COLOUR_NONE, COLOUR_FAINT};
        table_row(table, cells, colours);
    }
    int error = table_print(table);
    table_free(table);
    return error;
}

int report_print(json_t *reply)
{
    int error = print_lines(json_object_get(reply, "lines"));
    long long rev = number_of(reply, "rev");
    if (json_is_true(json_object_get(reply, "dry_run")))
        printf("dry run: nothing was changed, the store is at revision %lld\n", rev);
    else if (json_is_true(json_object_get(reply, "repeated")))
        printf("revision %lld (done by an earlier try of the same request)\n", rev);
    else if (!json_is_true(json_object_get(reply, "committed")))
        printf("nothing to change: the store stays at revision %lld\n", rev);
    else
        printf("revision %lld\n", rev);
    if (json_is_true(json_object_get(reply, "late")))
        output_note(
            "one view did not come back in time: it is told of the change as soon as it does");
    return error;
}

int report_change(struct session *session, const char *method, json_t *parameters, const char *path,
                  const struct piece *pieces, size_t piece_count)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    int error = report_ask(session, method, parameters, path, pieces, piece_count, &answer);
    if (error < 0)
        return error;
    return session->options.json ? output_json(json_incref(answer.reply))
                                 : report_print(answer.reply);
}

int report_ask(struct session *session, const char *method, json_t *parameters, const char *path,
               const struct piece *pieces, size_t piece_count, struct answer *out)
{
    int error = parameters != NULL ? session_terms(session, parameters, path) : 0;
    if (error < 0) {
        json_decref(parameters);
        return error;
    }
    return session_ask(session, method, parameters, pieces, piece_count, out);
}
