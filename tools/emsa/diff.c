/* diff: two places, or two revisions of one, side by side. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/common/exit_status.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/table.h"

#define SHOWN_MAX 512

struct place {
    char path[PATH_TEXT_MAX];
    const char *at; /* a revision, or NULL: now */
};

/* PATH or PATH@REV: no name has an @ in it. */
static int read_place(struct place *out, const char *word)
{
    struct path path;
    const char *sign = strchr(word, '@');
    int error = path_parse(&path, word, sign != NULL ? (size_t)(sign - word) : strlen(word));
    if (error < 0)
        return error;
    path_text(&path, out->path);
    out->at = sign != NULL ? sign + 1 : NULL;
    return 0;
}

/* One place: its revisions may stand behind it, or in the options. */
static int read_revisions(const struct options *options, struct place *left, struct place *right)
{
    if (left->at != NULL && options->as_of != NULL)
        return error_set(ERR_INVALID, "'%s@%s' says from which revision, and so does --from",
                         left->path, left->at);
    if (left->at == NULL)
        left->at = options->as_of;
    right->at = options->to;
    if (left->at == NULL)
        return error_set(ERR_INVALID,
                         "'%s' is one place: name another one, or say from which revision (--from "
                         "REV)",
                         left->path);
    return 0;
}

static int read_places(const struct options *options, struct place *left, struct place *right)
{
    const struct texts *words = &options->arguments;
    int error = read_place(left, words->list[0]);
    if (error == 0)
        error = read_place(right, words->list[words->count - 1]);
    if (error < 0)
        return error;
    if (words->count == 1)
        return read_revisions(options, left, right);
    if (options->as_of == NULL && options->to == NULL)
        return 0;
    return error_set(ERR_INVALID, "--from and --to are for one place: write '%s@REV'", left->path);
}

/* --- printing --- */

static bool is_secret(json_t *side)
{
    return strcmp(output_member(side, "kind"), "secret") == 0;
}

static bool is_purged(json_t *side)
{
    return json_is_true(json_object_get(side, "purged"));
}

static void value_text(char out[static SHOWN_MAX], json_t *side)
{
    const char *text = json_string_value(json_object_get(side, "value"));
    if (is_purged(side)) {
        snprintf(out, SHOWN_MAX, "(purged)");
        return;
    }
    if (is_secret(side)) {
        snprintf(out, SHOWN_MAX, "********");
        return;
    }
    if (text != NULL) {
        output_tame(out, SHOWN_MAX, text);
        if (strcmp(out, text) == 0)
            return;
    }
    snprintf(out, SHOWN_MAX, "(%lld bytes)",
             (long long)json_integer_value(json_object_get(side, "size")));
}

static void both_text(char *out, size_t capacity, const char *mark, json_t *left, json_t *right)
{
    char a[SHOWN_MAX] = "", b[SHOWN_MAX] = "";
    if (left != NULL)
        value_text(a, left);
    if (right != NULL)
        value_text(b, right);
    if (mark[0] == '?' && !is_purged(left) && !is_purged(right))
        snprintf(out, capacity, "secret, and no key is at hand to compare it");
    else if (left != NULL && right != NULL && is_secret(left) && is_secret(right) &&
             !is_purged(left) && !is_purged(right))
        snprintf(out, capacity, "secret differs");
    else
        snprintf(out, capacity, "%s%s%s", a, left != NULL && right != NULL ? " -> " : "", b);
}

static void print_line(struct table *table, json_t *line)
{
    char text[2 * SHOWN_MAX + 8];
    const char *mark = output_member(line, "mark");
    const enum colour colour = mark[0] == '+'   ? COLOUR_GREEN
                               : mark[0] == '-' ? COLOUR_RED
                                                : COLOUR_YELLOW;
    const enum colour colours[] = {colour, COLOUR_NONE, COLOUR_BLUE};
    both_text(text, sizeof text, mark, json_object_get(line, "left"),
              json_object_get(line, "right"));
    const char *cells[] = {mark, output_member(line, "path"), text};
    table_row(table, cells, colours);
}

static void print_end(const char *sign, json_t *end)
{
    printf("%s %s@%lld\n", sign, output_member(end, "path"),
           (long long)json_integer_value(json_object_get(end, "rev")));
}

/* Nothing where nothing differs. */
static int print(json_t *whole)
{
    json_t *lines = json_object_get(whole, "lines");
    size_t index;
    json_t *line;
    if (json_array_size(lines) == 0)
        return 0;
    print_end("---", json_object_get(whole, "left"));
    print_end("+++", json_object_get(whole, "right"));
    struct table *table = table_new("lll");
    json_array_foreach(lines, index, line) print_line(table, line);
    int error = table_print(table);
    table_free(table);
    return error;
}

/* --- asking --- */

/* The revisions of the first piece are those of the others. */
static void hold(json_t *parameters, json_t *reply)
{
    static const char *const ends[][2] = {{"left", "at"}, {"right", "other_at"}};
    for (int i = 0; i < 2; i++) {
        json_t *rev = json_object_get(json_object_get(reply, ends[i][0]), "rev");
        json_object_set_new(parameters, ends[i][1],
                            json_sprintf("%lld", (long long)json_integer_value(rev)));
    }
    json_object_set(parameters, "after", json_object_get(reply, "after"));
}

/* The next piece, into *whole (owned; NULL at first). */
static int ask(struct session *session, json_t *parameters, json_t **whole, bool *more)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    int error = session_ask(session, "io.emsa.Diff", json_copy(parameters), NULL, 0, &answer);
    if (error < 0)
        return error;
    *more = json_is_true(json_object_get(answer.reply, "more"));
    hold(parameters, answer.reply);
    if (*whole == NULL)
        *whole = json_incref(answer.reply);
    else if (json_array_extend(json_object_get(*whole, "lines"),
                               json_object_get(answer.reply, "lines")) < 0)
        return error_set(ERR_NOMEM, "no memory for the differences");
    return 0;
}

static int ask_all(struct session *session, const struct place *left, const struct place *right,
                   json_t **out)
{
    json_t *parameters = json_pack("{s:s, s:s, s:s*, s:s*}", "path", left->path, "other",
                                   right->path, "at", left->at, "other_at", right->at);
    json_t *whole = NULL;
    bool more = true;
    int error = parameters != NULL ? 0 : error_set(ERR_INVALID, "a revision is not UTF-8");
    while (error == 0 && more)
        error = ask(session, parameters, &whole, &more);
    json_decref(parameters);
    if (error < 0) {
        json_decref(whole);
        return error;
    }
    json_object_del(whole, "more");
    json_object_del(whole, "after");
    *out = whole;
    return 0;
}

int run_diff(struct session *session)
{
    const struct options *options = &session->options;
    struct place left = {.at = NULL}, right = {.at = NULL};
    json_t *whole = NULL;
    int error = read_places(options, &left, &right);
    if (error == 0)
        error = ask_all(session, &left, &right, &whole);
    if (error < 0)
        return error;
    const bool is_same = json_array_size(json_object_get(whole, "lines")) == 0;
    json_object_set_new(whole, "same", json_boolean(is_same));
    if (options->json)
        error = output_json(json_incref(whole));
    else
        error = print(whole);
    json_decref(whole);
    if (error < 0)
        return error;
    return options->strict && !is_same ? EXIT_STATUS_REFUSED : EXIT_STATUS_DONE;
}
