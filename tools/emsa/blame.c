/* blame: who changed last what is in effect. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/table.h"

/* Where it stands, if not at the key itself, and what it is a copy of. */
static void note_of(char *out, size_t capacity, json_t *line)
{
    const char *defined = output_member(line, "defined");
    json_t *from = json_object_get(line, "from");
    out[0] = '\0';
    if (strcmp(output_member(line, "origin"), "schema") == 0)
        snprintf(out, capacity, "by the schema");
    else if (defined[0] != '\0')
        snprintf(out, capacity, "in %s", defined);
    const size_t used = strlen(out);
    if (from != NULL)
        snprintf(out + used, capacity - used, "%sfrom %s of rev %lld", used > 0 ? ", " : "",
                 output_member(from, "path"),
                 (long long)json_integer_value(json_object_get(from, "rev")));
}

static int print(json_t *lines)
{
    static const char *const heading[] = {"KEY", "REV", "TIME", "AUTHOR", "REASON", ""};
    struct table *table = table_new("lrllll");
    size_t index;
    json_t *line;
    if (json_array_size(lines) > 0)
        table_heading(table, heading);
    json_array_foreach(lines, index, line)
    {
        static const enum colour colours[] = {COLOUR_NONE, COLOUR_YELLOW, COLOUR_FAINT,
                                              COLOUR_NONE, COLOUR_NONE,   COLOUR_BLUE};
        char rev[SIZE_TEXT_MAX], time[TIME_TEXT_MAX], reason[256], author[AUTHOR_TEXT_MAX];
        char note[2 * PATH_TEXT_MAX + 64];
        output_first_line(reason, sizeof reason, output_member(line, "reason"));
        note_of(note, sizeof note, line);
        const char *cells[] = {output_member(line, "path"),
                               number_text(rev, json_integer_value(json_object_get(line, "rev"))),
                               time_text(time, json_integer_value(json_object_get(line, "time"))),
                               output_author(author, line),
                               reason,
                               note};
        table_row(table, cells, colours);
    }
    int error = table_print(table);
    table_free(table);
    return error;
}

/* The next piece; *after, owned, is the last line's path, NULL at the end. */
static int ask(struct session *session, json_t *lines, json_t **after, json_t **rev)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    json_t *parameters =
        json_pack("{s:s, s:O*}", "path", session->options.arguments.list[0], "after", *after);
    int error = session_ask(session, "io.emsa.Blame", parameters, NULL, 0, &answer);
    json_decref(*after);
    *after = NULL;
    if (error < 0)
        return error;
    json_t *piece = json_object_get(answer.reply, "lines");
    const size_t count = json_array_size(piece);
    json_decref(*rev);
    *rev = json_incref(json_object_get(answer.reply, "rev"));
    if (count > 0 && json_is_true(json_object_get(answer.reply, "more")))
        *after = json_incref(json_object_get(json_array_get(piece, count - 1), "path"));
    return json_array_extend(lines, piece) == 0 ? 0 : error_set(ERR_NOMEM, "no memory for a list");
}

int run_blame(struct session *session)
{
    json_t *lines = json_array(), *after = NULL, *rev = NULL;
    int error;
    do
        error = ask(session, lines, &after, &rev);
    while (error == 0 && after != NULL);
    if (error == 0 && session->options.json)
        error = output_json(json_pack("{s:O, s:O}", "rev", rev, "lines", lines));
    else if (error == 0)
        error = print(lines);
    json_decref(lines);
    json_decref(after);
    json_decref(rev);
    return error;
}
