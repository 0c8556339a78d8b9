/* explain and refs: where a value comes from, and who uses it. Secrets come masked. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/table.h"
#include "tools/emsa/words.h"

#define SHOWN_MAX 512                    /* bytes of a text or value in a table */
#define WHOM_MAX (AUTHOR_TEXT_MAX + 320) /* who, why and in which revision */
#define SHARE_MAX (WHOM_MAX + 512)
#define MASK "********"

static json_int_t number_of(json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static bool is_true(json_t *object, const char *name)
{
    return json_is_true(json_object_get(object, name));
}

/* What stands there, in a line: a value, a text, or what can be said of it. */
static const char *shown(char out[static SHOWN_MAX], json_t *object, const char *kind)
{
    json_t *text = json_object_get(object, "text");
    json_t *value = text != NULL ? text : json_object_get(object, "value");
    json_t *size = json_object_get(object, "size");
    out[0] = '\0';
    if (strcmp(kind, "secret") == 0)
        snprintf(out, SHOWN_MAX, MASK);
    else if (value != NULL)
        output_tame(out, SHOWN_MAX, json_string_value(value));
    else if (size != NULL)
        snprintf(out, SHOWN_MAX, "(%lld bytes)", (long long)json_integer_value(size));
    return out;
}

/* "in rev 5 by uid 0 (root), unsigned: why" */
static void by_whom(char *out, size_t capacity, json_t *object)
{
    char author[AUTHOR_TEXT_MAX], reason[256];
    output_author(author, object);
    output_tame(reason, sizeof reason, output_member(object, "reason"));
    snprintf(out, capacity, "in rev %lld%s%s%s%s", (long long)number_of(object, "rev"),
             author[0] != '\0' ? " by " : "", author, reason[0] != '\0' ? ": " : "", reason);
}

static void share_text(char *out, size_t capacity, json_t *share)
{
    char whom[WHOM_MAX];
    out[0] = '\0';
    if (share == NULL)
        return;
    by_whom(whom, sizeof whom, share);
    if (!is_true(share, "shared"))
        snprintf(out, capacity, "not shared with '%s'", output_member(share, "with"));
    else if (number_of(share, "rev") == 0)
        snprintf(out, capacity, "shared with every service");
    else
        snprintf(out, capacity, "shared with '%s' at '%s' %s", output_member(share, "with"),
                 output_member(share, "path"), whom);
}

static void add_step(struct table *table, json_t *step)
{
    static const enum colour colours[] = {COLOUR_NONE, COLOUR_BLUE, COLOUR_NONE,
                                          COLOUR_NONE, COLOUR_BLUE, COLOUR_FAINT};
    char place[PATH_TEXT_MAX + 64], text[SHOWN_MAX], share[SHARE_MAX], rev[SIZE_TEXT_MAX];
    const char *kind = output_member(step, "kind");
    const char *filter = output_member(step, "filter");
    snprintf(place, sizeof place, "%*s%s%s%s", 2 * (int)number_of(step, "depth"), "",
             output_member(step, "path"), filter[0] != '\0' ? "|" : "", filter);
    share_text(share, sizeof share, json_object_get(step, "share"));
    const char *cells[] = {place,
                           is_true(step, "missing") ? "not there" : kind,
                           output_member(step, "origin"),
                           number_text(rev, number_of(step, "rev")),
                           shown(text, step, kind),
                           share};
    if (is_true(step, "missing"))
        cells[3] = "";
    table_row(table, cells, colours);
}

static int print_steps(json_t *steps)
{
    static const char *const heading[] = {"PLACE", "KIND", "FROM", "REV", "TEXT", "SHARED"};
    struct table *table = table_new("lllrll");
    size_t index;
    json_t *step;
    table_heading(table, heading);
    json_array_foreach(steps, index, step) add_step(table, step);
    int error = table_print(table);
    table_free(table);
    return error;
}

static int print_beneath(json_t *beneath)
{
    struct table *table = table_new("llrl");
    size_t index;
    json_t *covered;
    if (json_array_size(beneath) > 0)
        puts("\nwhat it covers:");
    json_array_foreach(beneath, index, covered)
    {
        char text[SHOWN_MAX], rev[SIZE_TEXT_MAX];
        const char *kind = output_member(covered, "kind");
        const char *cells[] = {output_member(covered, "path"), kind,
                               number_text(rev, number_of(covered, "rev")),
                               shown(text, covered, kind)};
        table_row(table, cells, NULL);
    }
    int error = table_print(table);
    table_free(table);
    return error;
}

static int print_elsewhere(json_t *elsewhere)
{
    struct table *table = table_new("lllrl");
    size_t index;
    json_t *other;
    if (json_array_size(elsewhere) > 0)
        puts("\nelsewhere:");
    json_array_foreach(elsewhere, index, other)
    {
        char text[SHOWN_MAX], rev[SIZE_TEXT_MAX];
        const char *kind = output_member(other, "kind");
        bool is_missing = is_true(other, "missing");
        const char *cells[] = {output_member(other, "path"), is_missing ? "not there" : kind,
                               output_member(other, "origin"),
                               is_missing ? "" : number_text(rev, number_of(other, "rev")),
                               shown(text, other, kind)};
        table_row(table, cells, NULL);
    }
    int error = table_print(table);
    table_free(table);
    return error;
}

static int print_explanation(json_t *reply)
{
    char text[SHOWN_MAX], whom[WHOM_MAX];
    json_t *entry = json_object_get(reply, "entry");
    json_t *lock = json_object_get(reply, "lock");
    const char *kind = output_member(entry, "kind");
    printf("%s = %s\n", output_member(entry, "path"), shown(text, entry, kind));
    printf("%s, as it is since rev %lld\n\n", kind, (long long)number_of(entry, "rev"));
    int error = print_steps(json_object_get(reply, "steps"));
    if (error == 0)
        error = print_beneath(json_object_get(reply, "beneath"));
    if (error == 0)
        error = print_elsewhere(json_object_get(reply, "elsewhere"));
    if (lock != NULL) {
        by_whom(whom, sizeof whom, lock);
        printf("\n'%s' was locked %s\n", output_member(lock, "path"), whom);
    }
    if (is_true(reply, "cut"))
        output_note("there is more of it than is shown");
    return error;
}

static int ask_of_key(struct session *session, const char *method, struct answer *answer)
{
    struct path path;
    char text[PATH_TEXT_MAX];
    int error = words_path(session->options.arguments.list[0], PATH_KEY, word_key, &path);
    if (error < 0)
        return error;
    return session_ask(session, method, json_pack("{s:s}", "path", path_text(&path, text)), NULL, 0,
                       answer);
}

int run_explain(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    int error = ask_of_key(session, "io.emsa.Explain", &answer);
    if (error < 0)
        return error;
    return session->options.json ? output_json(json_incref(answer.reply))
                                 : print_explanation(answer.reply);
}

static void print_shares(json_t *reply)
{
    size_t index;
    json_t *share;
    if (is_true(reply, "common"))
        puts("shared with every service, as what is plain in 'shared' is");
    json_array_foreach(json_object_get(reply, "shares"), index, share)
    {
        char whom[WHOM_MAX];
        const char *with = output_member(share, "with");
        bool is_every = strcmp(with, "*") == 0;
        by_whom(whom, sizeof whom, share);
        printf("shared with %s%s%s at '%s' %s\n", is_every ? "" : "'",
               is_every ? "every service" : with, is_every ? "" : "'", output_member(share, "path"),
               whom);
    }
}

static int print_referrers(json_t *referrers)
{
    static const char *const heading[] = {"USED BY", "KIND", "FROM", "REV", "THROUGH"};
    struct table *table = table_new("lllrl");
    size_t index;
    json_t *referrer;
    if (json_array_size(referrers) > 0)
        table_heading(table, heading);
    json_array_foreach(referrers, index, referrer)
    {
        char rev[SIZE_TEXT_MAX], through[PATH_TEXT_MAX + 16] = "";
        const char *path = output_member(referrer, "through");
        if (path[0] != '\0')
            snprintf(through, sizeof through, "through %s", path);
        const char *cells[] = {output_member(referrer, "path"), output_member(referrer, "kind"),
                               output_member(referrer, "origin"),
                               number_text(rev, number_of(referrer, "rev")), through};
        table_row(table, cells, NULL);
    }
    int error = table_print(table);
    table_free(table);
    return error;
}

int run_refs(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    int error = ask_of_key(session, "io.emsa.Refs", &answer);
    if (error < 0)
        return error;
    if (session->options.json)
        return output_json(json_incref(answer.reply));
    json_t *referrers = json_object_get(answer.reply, "referrers");
    print_shares(answer.reply);
    if (json_array_size(referrers) == 0)
        printf("nothing refers to '%s'\n", output_member(answer.reply, "path"));
    if (is_true(answer.reply, "cut"))
        output_note("there are more than are shown");
    return print_referrers(referrers);
}
