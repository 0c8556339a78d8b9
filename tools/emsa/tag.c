/* tag: what revisions are called. */
#include <stdio.h>

#include "store/error.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/report.h"
#include "tools/emsa/table.h"

static int print_tags(json_t *tags)
{
    static const char *const heading[] = {"TAG", "REV", "SAID", "BY", "REASON"};
    struct table *table = table_new("lrlll");
    size_t index;
    json_t *tag;
    if (json_array_size(tags) > 0)
        table_heading(table, heading);
    json_array_foreach(tags, index, tag)
    {
        static const enum colour colours[] = {COLOUR_NONE, COLOUR_YELLOW, COLOUR_FAINT, COLOUR_NONE,
                                              COLOUR_NONE};
        char rev[SIZE_TEXT_MAX], time[TIME_TEXT_MAX], reason[256], author[AUTHOR_TEXT_MAX];
        output_first_line(reason, sizeof reason, output_member(tag, "reason"));
        const char *cells[] = {output_member(tag, "name"),
                               number_text(rev, json_integer_value(json_object_get(tag, "rev"))),
                               time_text(time, json_integer_value(json_object_get(tag, "time"))),
                               output_author(author, tag), reason};
        table_row(table, cells, colours);
    }
    int error = table_print(table);
    table_free(table);
    return error;
}

static int list(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    int error = session_ask(session, "io.emsa.Tags", json_object(), NULL, 0, &answer);
    if (error < 0)
        return error;
    return session->options.json ? output_json(json_incref(answer.reply))
                                 : print_tags(json_object_get(answer.reply, "tags"));
}

/* "v1 is revision 41", before what the commit has to tell. */
static void print_change(json_t *reply, const char *name)
{
    json_t *line = json_array_get(json_object_get(reply, "lines"), 0);
    const long long tagged = json_integer_value(json_object_get(reply, "tagged"));
    const long long was = json_integer_value(json_object_get(line, "was_rev"));
    const char *mark = output_member(line, "mark");
    char before[64] = "";
    if (line == NULL)
        return;
    if (mark[0] == '-')
        printf("-  %s  (was revision %lld)\n", name, was);
    if (mark[0] == '~')
        snprintf(before, sizeof before, " (was revision %lld)", was);
    else if (mark[0] == '=')
        snprintf(before, sizeof before, " (as it was)");
    if (mark[0] != '-')
        printf("%s  %s  revision %lld%s\n", mark, name, tagged, before);
    json_object_del(reply, "lines");
}

int run_tag(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const struct options *options = &session->options;
    const struct texts *words = &options->arguments;
    if (words->count == 0 && !options->remove)
        return list(session);
    if (words->count == 0 || (options->remove && words->count > 1))
        return error_set(ERR_INVALID, "name the tag to remove: emsa tag --rm NAME");
    const char *name = words->list[0];
    json_t *parameters =
        json_pack("{s:s, s:s*}", "name", name, "rev", words->count > 1 ? words->list[1] : NULL);
    int error = report_ask(session, options->remove ? "io.emsa.Untag" : "io.emsa.Tag", parameters,
                           "", NULL, 0, &answer);
    if (error < 0)
        return error;
    if (options->json)
        return output_json(json_incref(answer.reply));
    print_change(answer.reply, name);
    return report_print(answer.reply);
}
