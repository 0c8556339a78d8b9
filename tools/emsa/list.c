#include "tools/emsa/list.h"

#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/table.h"

#define NOTE_MAX (ENVIRONMENT_NAME_MAX + 16)

void path_share(struct path *shared, const struct path *other)
{
    if (strcmp(shared->environment, other->environment) != 0 ||
        strcmp(shared->service, other->service) != 0)
        *shared = (struct path){0};
    else if (strcmp(shared->key, other->key) != 0)
        shared->key[0] = '\0';
}

/* The next piece, after the last item of what there is. */
static int gather_piece(struct session *session, const char *method, const char *path,
                        json_t **whole, bool *more)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    json_t *have = json_object_get(*whole, "items");
    json_t *last = have != NULL && json_array_size(have) > 0
                       ? json_array_get(have, json_array_size(have) - 1)
                       : NULL;
    json_t *parameters = json_pack("{s:s}", "path", path);
    if (last != NULL && parameters != NULL)
        json_object_set(parameters, "after", json_object_get(last, "path"));
    int error = session_ask(session, method, parameters, NULL, 0, &answer);
    if (error < 0)
        return error;
    *more = json_is_true(json_object_get(answer.reply, "more"));
    if (*whole == NULL) {
        *whole = json_incref(answer.reply);
        return 0;
    }
    json_object_set(*whole, "rev", json_object_get(answer.reply, "rev"));
    return json_array_extend(have, json_object_get(answer.reply, "items")) == 0
               ? 0
               : error_set(ERR_NOMEM, "no memory for a list");
}

int list_gather(struct session *session, const char *method, const char *path, json_t **out)
{
    json_t *whole = NULL;
    struct path parsed;
    bool more = true;
    int wrong = path_parse(&parsed, path, strlen(path));
    if (wrong < 0)
        return wrong;
    while (more) {
        int error = gather_piece(session, method, path, &whole, &more);
        if (error < 0) {
            json_decref(whole);
            return error;
        }
    }
    json_object_del(whole, "more");
    *out = whole;
    return 0;
}

static enum colour colour_of(const char *kind)
{
    if (strcmp(kind, "secret") == 0)
        return COLOUR_YELLOW;
    return strcmp(kind, "plain") == 0 ? COLOUR_NONE : COLOUR_BLUE;
}

/* Of a key where it is defined, if that is elsewhere; of an environment what it stands on, and
 * whether it is protected. */
static void note_of(json_t *item, char out[static NOTE_MAX])
{
    const char *origin = json_string_value(json_object_get(item, "origin"));
    const char *base = json_string_value(json_object_get(item, "base"));
    out[0] = '\0';
    if (origin != NULL && strcmp(origin, "own") != 0)
        snprintf(out, NOTE_MAX, "from %s", origin);
    else if (base != NULL)
        snprintf(out, NOTE_MAX, "on %s", base);
    else if (json_is_true(json_object_get(item, "protected")))
        snprintf(out, NOTE_MAX, "protected%s",
                 json_is_true(json_object_get(item, "signed")) ? ", signed changes only" : "");
}

static void add_row(struct table *table, json_t *item, const char *name)
{
    char note[NOTE_MAX];
    char size[SIZE_TEXT_MAX], rev[SIZE_TEXT_MAX], time[TIME_TEXT_MAX], end[TIME_TEXT_MAX];
    json_t *expires = json_object_get(item, "expires");
    json_t *bytes = json_object_get(item, "size");
    const char *kind = json_string_value(json_object_get(item, "kind"));
    if (name == NULL || kind == NULL)
        return;
    note_of(item, note);
    const char *cells[] = {name,
                           kind,
                           bytes != NULL ? number_text(size, json_integer_value(bytes)) : "-",
                           number_text(rev, json_integer_value(json_object_get(item, "rev"))),
                           time_text(time, json_integer_value(json_object_get(item, "time"))),
                           note,
                           expires != NULL ? time_text(end, json_integer_value(expires)) : ""};
    enum colour colours[] = {colour_of(kind), colour_of(kind), COLOUR_NONE,  COLOUR_NONE,
                             COLOUR_FAINT,    COLOUR_BLUE,     COLOUR_YELLOW};
    table_row(table, cells, colours);
}

static bool any_has(json_t *items, const char *member)
{
    for (size_t i = 0; i < json_array_size(items); i++)
        if (json_object_get(json_array_get(items, i), member) != NULL)
            return true;
    return false;
}

/* The last columns are empty but where something is inherited or ends, and so stand only then. */
int list_print_items(json_t *items, const char *name_member)
{
    const char *const heading[] = {
        "NAME", "KIND", "SIZE", "REV", "CHANGED", "", any_has(items, "expires") ? "EXPIRES" : ""};
    struct table *table = table_new("llrrlll");
    size_t index;
    json_t *item;
    if (json_array_size(items) > 0)
        table_heading(table, heading);
    json_array_foreach(items, index, item)
        add_row(table, item, json_string_value(json_object_get(item, name_member)));
    int error = table_print(table);
    table_free(table);
    return error;
}

int list_print(struct session *session, const char *method, const char *path)
{
    json_t *whole;
    int error = list_gather(session, method, path, &whole);
    if (error < 0)
        return error;
    if (session->options.json)
        return output_json(whole);
    error = list_print_items(json_object_get(whole, "items"), "name");
    json_decref(whole);
    return error;
}

static const char *place_argument(const struct session *session)
{
    return session->options.arguments.count > 0 ? session->options.arguments.list[0] : "";
}

int run_list(struct session *session)
{
    return list_print(session, "io.emsa.List", place_argument(session));
}

/* On a terminal indented as a tree, in a pipe one path a line. */
static void print_tree_line(json_t *item)
{
    const char *name = json_string_value(json_object_get(item, "name"));
    const char *kind = json_string_value(json_object_get(item, "kind"));
    const char *path = json_string_value(json_object_get(item, "path"));
    if (name == NULL || kind == NULL || path == NULL)
        return;
    bool is_place = strcmp(kind, "environment") == 0 || strcmp(kind, "service") == 0;
    if (!output_is_terminal()) {
        printf("%s%s\n", path, is_place ? "/" : "");
        return;
    }
    int depth = strcmp(kind, "environment") == 0 ? 0 : is_place ? 2 : 4;
    bool secret = strcmp(kind, "secret") == 0;
    bool coloured = output_coloured();
    printf("%*s%s%s%s%s%s\n", depth, "", coloured && is_place ? "\033[34m" : "", name,
           is_place ? "/" : "", coloured && is_place ? "\033[0m" : "", secret ? "  (secret)" : "");
}

int run_tree(struct session *session)
{
    json_t *whole;
    size_t index;
    json_t *item;
    int error = list_gather(session, "io.emsa.Tree", place_argument(session), &whole);
    if (error < 0)
        return error;
    if (session->options.json)
        return output_json(whole);
    json_array_foreach(json_object_get(whole, "items"), index, item) print_tree_line(item);
    json_decref(whole);
    return 0;
}
