#include "tools/emsa/report.h"

#include <stdio.h>
#include <string.h>

#include "store/name.h"
#include "tools/emsa/output.h"

static long long number_of(json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

enum colour report_colour(char mark)
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

const char *report_note(char out[static REPORT_NOTE_MAX], json_t *line)
{
    char until[TIME_TEXT_MAX + 16] = "", time[TIME_TEXT_MAX];
    const char *mark = output_member(line, "mark");
    bool secret = json_is_true(json_object_get(line, "secret"));
    long long rev = number_of(line, "was_rev");
    const char *note = json_string_value(json_object_get(line, "note"));
    if (number_of(line, "expires") > 0)
        snprintf(until, sizeof until, ", until %s", time_text(time, number_of(line, "expires")));
    out[0] = '\0';
    if (note != NULL)
        snprintf(out, REPORT_NOTE_MAX, "(%s%s)", note, mark[0] == '=' ? " as it was" : "");
    else if (mark[0] == '+')
        snprintf(out, REPORT_NOTE_MAX, "(new%s%s)", secret ? ", secret" : "", until);
    else if (mark[0] == '=')
        snprintf(out, REPORT_NOTE_MAX, "(as it was)");
    else if (rev > 0)
        snprintf(out, REPORT_NOTE_MAX, "(was rev %lld%s%s)", rev, secret ? ", secret" : "", until);
    return out;
}

/* The paths that a line is about: its own, or those of the keys of the service that it names. NULL
 * past the last. */
static const char *nth_path(json_t *line, size_t index, char text[static PATH_TEXT_MAX])
{
    json_t *keys = json_object_get(line, "keys");
    const char *path = json_string_value(json_object_get(line, "path"));
    if (keys == NULL)
        return index == 0 ? path : NULL;
    const char *key = json_string_value(json_array_get(keys, index));
    size_t length = path != NULL ? strlen(path) : 0;
    if (path == NULL || key == NULL || length + strlen(key) + 2 > PATH_TEXT_MAX)
        return NULL;
    memcpy(text, path, length);
    text[length] = '/';
    memcpy(text + length + 1, key, strlen(key) + 1);
    return text;
}

static void add_rows(struct table *table, json_t *line)
{
    char was[REPORT_NOTE_MAX], text[PATH_TEXT_MAX];
    const char *mark = json_string_value(json_object_get(line, "mark")), *path;
    if (mark == NULL)
        return;
    report_note(was, line);
    for (size_t i = 0; (path = nth_path(line, i, text)) != NULL; i++) {
        const char *cells[] = {mark, path[0] != '\0' ? path : "/", was};
        enum colour colours[] = {report_colour(mark[0]), COLOUR_NONE, COLOUR_FAINT};
        table_row(table, cells, colours);
    }
}

/* A reply as if its lines had not been asked for in groups. */
static json_t *with_single_lines(json_t *reply)
{
    json_t *whole = json_copy(reply), *lines = json_array(), *line;
    size_t index;
    json_array_foreach(json_object_get(reply, "lines"), index, line)
    {
        char text[PATH_TEXT_MAX];
        const char *path;
        for (size_t i = 0; (path = nth_path(line, i, text)) != NULL; i++) {
            json_t *single = json_copy(line);
            json_object_del(single, "keys");
            json_object_set_new(single, "path", json_string(path));
            json_array_append_new(lines, single);
        }
    }
    if (whole == NULL || json_object_set_new(whole, "lines", lines) < 0) {
        json_decref(whole);
        return NULL;
    }
    return whole;
}

static int print_lines(json_t *lines)
{
    struct table *table = table_new("lll");
    size_t index;
    json_t *line;
    json_array_foreach(lines, index, line) add_rows(table, line);
    int error = table_print(table);
    table_free(table);
    return error;
}

static const char *note_place(json_t *note)
{
    const char *path = output_member(note, "path");
    return path[0] != '\0' ? path : "/";
}

/* What a schema that was set says: to be known, and no failure. */
static void print_notes(json_t *notes)
{
    size_t index;
    json_t *note;
    json_array_foreach(notes, index, note)
        output_note("'%s' %s", note_place(note), output_member(note, "text"));
}

void report_end(json_t *reply)
{
    print_notes(json_object_get(reply, "notes"));
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
}

int report_print(json_t *reply)
{
    int error = print_lines(json_object_get(reply, "lines"));
    report_end(reply);
    return error;
}

int report_change(struct session *session, const char *method, json_t *parameters, const char *path,
                  const struct piece *pieces, size_t piece_count)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    int error = report_ask(session, method, parameters, path, pieces, piece_count, &answer);
    if (error < 0)
        return error;
    return session->options.json ? output_json(with_single_lines(answer.reply))
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
