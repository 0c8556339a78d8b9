/* log and show. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/limits.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/table.h"
#include "tools/emsa/when.h"

static const char *text_of(json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));
    return text != NULL ? text : "";
}

static json_int_t number_of(json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

/* "(purged by revision 6)", of what was. */
static void purged_text(char *out, size_t capacity, json_t *object)
{
    const json_int_t by = number_of(object, "purged");
    out[0] = '\0';
    if (by > 0)
        snprintf(out, capacity, "(purged by revision %lld)", (long long)by);
}

/* All of it, each line in the column of the others: none can be taken for one of ours. */
static void print_reason(const char *text)
{
    char line[REASON_MAX + 1];
    for (const char *label = "reason    "; *text != '\0'; label = "          ") {
        text += output_line(line, sizeof line, text);
        text += *text != '\0';
        printf("%s%s\n", label, line);
    }
}

static int print_commits(json_t *commits)
{
    static const char *const heading[] = {"REV", "TIME", "AUTHOR", "CHANGES", "REASON"};
    struct table *table = table_new("rllrl");
    size_t index;
    json_t *commit;
    if (json_array_size(commits) > 0)
        table_heading(table, heading);
    json_array_foreach(commits, index, commit)
    {
        char gone[64], rev[SIZE_TEXT_MAX], time[TIME_TEXT_MAX], operations[SIZE_TEXT_MAX],
            reason[256], author[AUTHOR_TEXT_MAX];
        output_first_line(reason, sizeof reason, text_of(commit, "reason"));
        purged_text(gone, sizeof gone, commit);
        const size_t used = strlen(reason);
        snprintf(reason + used, sizeof reason - used, "%s%s",
                 used > 0 && gone[0] != '\0' ? " " : "", gone);
        const char *cells[] = {number_text(rev, number_of(commit, "rev")),
                               time_text(time, number_of(commit, "time")),
                               output_author(author, commit),
                               number_text(operations, number_of(commit, "operations")), reason};
        enum colour colours[] = {COLOUR_YELLOW, COLOUR_FAINT, COLOUR_NONE, COLOUR_NONE,
                                 COLOUR_NONE};
        table_row(table, cells, colours);
    }
    int error = table_print(table);
    table_free(table);
    return error;
}

/* One piece of the log, older than *before; *before becomes what the next one is older than, 0 at
 * the end. */
static int log_piece(struct session *session, json_t *filter, uint64_t limit, uint64_t *before,
                     json_t *commits)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    json_t *parameters = json_copy(filter);
    if (parameters != NULL && *before > 0)
        json_object_set_new(parameters, "before", json_integer((json_int_t)*before));
    if (parameters != NULL && limit > 0)
        json_object_set_new(parameters, "limit", json_integer((json_int_t)limit));
    int error = session_ask(session, "io.emsa.Log", parameters, NULL, 0, &answer);
    if (error < 0)
        return error;
    json_t *piece = json_object_get(answer.reply, "commits");
    *before = (uint64_t)number_of(answer.reply, "next");
    json_array_extend(commits, piece);
    return 0;
}

static int log_filter(const struct options *options, const char *path, json_t **out)
{
    int64_t since = 0, until = 0;
    int error = options->since != NULL ? when_parse(&since, "since", options->since, false) : 0;
    if (error == 0 && options->until != NULL)
        error = when_parse(&until, "until", options->until, true);
    if (error < 0)
        return error;
    json_t *filter = json_pack("{s:s, s:s*, s:s*}", "path", path, "author", options->author, "key",
                               options->key);
    if (filter == NULL)
        return error_set(ERR_INVALID, "an author or a pattern is not UTF-8");
    if (options->since != NULL)
        json_object_set_new(filter, "since", json_integer((json_int_t)since));
    if (options->until != NULL)
        json_object_set_new(filter, "until", json_integer((json_int_t)until));
    *out = filter;
    return 0;
}

int run_log(struct session *session)
{
    const struct options *options = &session->options;
    const char *path = options->arguments.count > 0 ? options->arguments.list[0] : "";
    struct path parsed;
    uint64_t before = 0;
    json_t *filter = NULL;
    int error = path_parse(&parsed, path, strlen(path));
    if (error == 0)
        error = log_filter(options, path, &filter);
    if (error < 0)
        return error;
    json_t *commits = json_array();
    do {
        uint64_t have = json_array_size(commits);
        error = log_piece(session, filter, options->number > 0 ? options->number - have : 0,
                          &before, commits);
    } while (error == 0 && before > 0 &&
             (options->number == 0 || json_array_size(commits) < options->number));
    json_decref(filter);
    if (error == 0 && options->json)
        return output_json(json_pack("{s:o}", "commits", commits));
    if (error == 0)
        error = print_commits(commits);
    json_decref(commits);
    return error;
}

/* Whether a value can be shown as it is, in a line. */
static bool is_tame(char *tame, size_t capacity, const json_t *value)
{
    const char *text = json_string_value(value);
    if (text == NULL || strlen(text) != json_string_length(value))
        return false;
    output_tame(tame, capacity, text);
    return strncmp(tame, text, strlen(tame)) == 0;
}

static const char *mark_of(const char *kind, bool first)
{
    static const char *const away[] = {"remove",
                                       "environment-remove",
                                       "service-remove",
                                       "expire",
                                       "environment-expire",
                                       "unshare",
                                       "unlock",
                                       "untag",
                                       "schema-remove",
                                       "default-remove",
                                       "revoke",
                                       "purge",
                                       "compact"};
    for (size_t i = 0; i < sizeof away / sizeof away[0]; i++)
        if (strcmp(kind, away[i]) == 0)
            return "-";
    return first || strcmp(kind, "tag") == 0 || strcmp(kind, "share") == 0 ||
                   strcmp(kind, "lock") == 0 || strcmp(kind, "grant") == 0
               ? "+"
               : "~";
}

static void tag_text(char *out, size_t capacity, json_t *operation)
{
    const json_int_t rev = number_of(operation, "tagged");
    const char *tag = text_of(operation, "tag");
    if (rev > 0)
        snprintf(out, capacity, "%s: revision %lld", tag, (long long)rev);
    else
        snprintf(out, capacity, "%s", tag);
}

/* "user:alice: read, set" */
static void rights_shown(char *out, size_t capacity, json_t *operation)
{
    size_t index, used;
    json_t *word;
    snprintf(out, capacity, "%s:", text_of(operation, "with"));
    json_array_foreach(json_object_get(operation, "rights"), index, word)
    {
        used = strlen(out);
        snprintf(out + used, capacity - used, "%s%s", index > 0 ? ", " : " ",
                 json_string_value(word));
    }
}

/* What a copy was taken from, behind what stands there. */
static void from_text(char *out, size_t capacity, json_t *operation)
{
    json_t *from = json_object_get(operation, "from");
    const size_t used = strlen(out);
    if (from != NULL)
        snprintf(out + used, capacity - used, "%sfrom %s of rev %lld", used > 0 ? ", " : "",
                 text_of(from, "path"), (long long)number_of(from, "rev"));
}

static void print_operation(struct table *table, json_t *operation)
{
    static const enum colour colours[] = {COLOUR_NONE, COLOUR_NONE, COLOUR_BLUE, COLOUR_FAINT,
                                          COLOUR_YELLOW};
    char until[PATH_TEXT_MAX + 96] = "", time[TIME_TEXT_MAX];
    char shown[512] = "", tame[512];
    const char *kind = text_of(operation, "kind");
    json_t *size = json_object_get(operation, "size");
    json_t *value = json_object_get(operation, "value");
    bool first = json_is_true(json_object_get(operation, "first"));
    const bool expired = strstr(kind, "expire") != NULL;
    const char *with = text_of(operation, "with");
    const char *mark = mark_of(kind, first);
    if (number_of(operation, "expires") > 0)
        snprintf(until, sizeof until, "%s %s", expired ? "ended" : "until",
                 time_text(time, number_of(operation, "expires")));
    if (number_of(operation, "purged") > 0)
        purged_text(shown, sizeof shown, operation);
    else if (strcmp(kind, "purge") == 0)
        snprintf(shown, sizeof shown, "what revision %lld set",
                 (long long)number_of(operation, "set"));
    else if (strcmp(kind, "compact") == 0)
        snprintf(shown, sizeof shown, "what was replaced by revision %lld",
                 (long long)number_of(operation, "until"));
    else if (json_object_get(operation, "rights") != NULL)
        rights_shown(shown, sizeof shown, operation);
    else if (json_object_get(operation, "tag") != NULL)
        tag_text(shown, sizeof shown, operation);
    else if (with[0] != '\0')
        snprintf(shown, sizeof shown, "with %s", strcmp(with, "*") == 0 ? "every service" : with);
    else if (json_is_true(json_object_get(operation, "secret")))
        snprintf(shown, sizeof shown, "********");
    else if (is_tame(tame, sizeof tame, value))
        snprintf(shown, sizeof shown, "%s", tame);
    else if (size != NULL)
        snprintf(shown, sizeof shown, "(%lld bytes)", (long long)json_integer_value(size));
    from_text(until, sizeof until, operation);
    const char *cells[] = {mark, text_of(operation, "path"), kind, shown, until};
    table_row(table, cells, colours);
}

static void print_tags(json_t *tags)
{
    size_t index;
    json_t *tag;
    json_array_foreach(tags, index, tag)
        printf("%s%s", index == 0 ? "tags      " : ", ", json_string_value(tag));
    if (json_array_size(tags) > 0)
        putchar('\n');
}

static int print_commit(json_t *reply)
{
    char time[TIME_TEXT_MAX], author[AUTHOR_TEXT_MAX];
    json_t *commit = json_object_get(reply, "commit");
    size_t index;
    json_t *operation;
    printf("revision  %lld\nhash      %s\nauthor    %s\ntime      %s\n",
           (long long)number_of(commit, "rev"), text_of(commit, "hash"),
           output_author(author, commit), time_text(time, number_of(commit, "time")));
    print_reason(text_of(commit, "reason"));
    print_tags(json_object_get(commit, "tags"));
    if (json_is_true(
            json_object_get(json_array_get(json_object_get(reply, "operations"), 0), "override")))
        puts("override  a rule was overridden by this commit ('emsa check' lists what is not "
             "cured)");
    putchar('\n');
    struct table *table = table_new("lllll");
    json_array_foreach(json_object_get(reply, "operations"), index, operation)
        print_operation(table, operation);
    int error = table_print(table);
    table_free(table);
    return error;
}

/* All pieces of a commit, by its number or a tag, in one reply object. */
static int gather_commit(struct session *session, const char *word, json_t **out)
{
    json_t *name = json_string(word);
    if (name == NULL)
        return error_set(ERR_INVALID, "'%.64s' is not a revision", word);
    json_t *whole = NULL;
    bool more = true;
    while (more) {
        struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
        json_t *have = json_object_get(whole, "operations");
        int error = session_ask(
            session, "io.emsa.Show",
            json_pack("{s:O, s:I}", "tag", name, "from", (json_int_t)json_array_size(have)), NULL,
            0, &answer);
        if (error < 0) {
            json_decref(name);
            json_decref(whole);
            return error;
        }
        more = json_is_true(json_object_get(answer.reply, "more"));
        if (whole == NULL)
            whole = json_incref(answer.reply);
        else
            json_array_extend(have, json_object_get(answer.reply, "operations"));
    }
    json_decref(name);
    json_object_del(whole, "more");
    *out = whole;
    return 0;
}

int run_show(struct session *session)
{
    json_t *whole = NULL;
    int error = gather_commit(session, session->options.arguments.list[0], &whole);
    if (error < 0)
        return error;
    if (session->options.json)
        return output_json(whole);
    error = print_commit(whole);
    json_decref(whole);
    return error;
}
