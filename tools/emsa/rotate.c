/* rotate keys and rotate list: new keys for places, and what is to be changed because it is known.
 */
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/list.h"
#include "tools/emsa/output.h"
#include "tools/emsa/report.h"
#include "tools/emsa/table.h"

int run_rotate_keys(struct session *session)
{
    const struct texts *words = &session->options.arguments;
    json_t *operations = json_array();
    struct path shared = {0}, path;
    char text[PATH_TEXT_MAX];
    int error = 0;
    for (size_t i = 0; i < words->count && error == 0; i++) {
        if (strcmp(words->list[i], "/") == 0)
            error = error_set(ERR_INVALID, "everything has no keys of its own: name environments "
                                           "('emsa env ls' lists them) or services");
        else
            error = path_parse(&path, words->list[i], strlen(words->list[i]));
        if (error < 0)
            break;
        if (i == 0)
            shared = path;
        path_share(&shared, &path);
        json_t *operation =
            json_pack("{s:s, s:s}", "kind", "rotate", "path", path_text(&path, text));
        if (session->options.reencrypt)
            json_object_set_new(operation, "reencrypt", json_true());
        json_array_append_new(operations, operation);
    }
    if (error < 0) {
        json_decref(operations);
        return error;
    }
    return report_change(session, "io.emsa.Set", json_pack("{s:o}", "operations", operations),
                         path_text(&shared, text), NULL, 0);
}

static int print_secrets(json_t *secrets)
{
    static const char *const heading[] = {"SECRET", "REV", "KNOWN TO", "UNTIL REV", "TIME"};
    static const enum colour colours[] = {COLOUR_NONE, COLOUR_YELLOW, COLOUR_NONE, COLOUR_YELLOW,
                                          COLOUR_FAINT};
    struct table *table = table_new("lrlrl");
    size_t index;
    json_t *secret;
    if (json_array_size(secrets) > 0)
        table_heading(table, heading);
    json_array_foreach(secrets, index, secret)
    {
        char rev[SIZE_TEXT_MAX], since[SIZE_TEXT_MAX], time[TIME_TEXT_MAX];
        const char *cells[] = {
            output_member(secret, "path"),
            number_text(rev, json_integer_value(json_object_get(secret, "rev"))),
            output_member(secret, "who"),
            number_text(since, json_integer_value(json_object_get(secret, "since"))),
            time_text(time, json_integer_value(json_object_get(secret, "time")))};
        table_row(table, cells, colours);
    }
    int error = table_print(table);
    table_free(table);
    return error;
}

/* The next piece of the list. */
static int ask(struct session *session, const char *path, json_t *secrets, json_t **rev, bool *more)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    json_t *parameters =
        json_pack("{s:s, s:I}", "path", path, "skip", (json_int_t)json_array_size(secrets));
    int error = session_ask(session, "io.emsa.Exposed", parameters, NULL, 0, &answer);
    if (error < 0)
        return error;
    json_decref(*rev);
    *rev = json_incref(json_object_get(answer.reply, "rev"));
    *more = json_is_true(json_object_get(answer.reply, "more"));
    return json_array_extend(secrets, json_object_get(answer.reply, "secrets")) == 0
               ? 0
               : error_set(ERR_NOMEM, "no memory for a list");
}

int run_rotate_list(struct session *session)
{
    const struct texts *words = &session->options.arguments;
    json_t *secrets = json_array(), *rev = NULL;
    struct path path = {0};
    char text[PATH_TEXT_MAX];
    bool more = true;
    int error = words->count > 0 ? path_parse(&path, words->list[0], strlen(words->list[0])) : 0;
    path_text(&path, text);
    while (error == 0 && more)
        error = ask(session, text, secrets, &rev, &more);
    if (error == 0 && session->options.json)
        error = output_json(json_pack("{s:O, s:O}", "rev", rev, "secrets", secrets));
    else if (error == 0)
        error = print_secrets(secrets);
    json_decref(secrets);
    json_decref(rev);
    return error;
}
