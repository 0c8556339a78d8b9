/* find: keys by their names or plain values, everywhere. */
#include "store/error.h"
#include "tools/emsa/command.h"
#include "tools/emsa/list.h"
#include "tools/emsa/output.h"

/* The next piece; *after, owned, is where the one after it goes on, NULL at the end. */
static int find_piece(struct session *session, json_t *items, json_t **after, json_t **rev)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const struct options *options = &session->options;
    json_t *parameters = json_pack("{s:s, s:s*, s:O*}", "pattern", options->arguments.list[0],
                                   "value", options->value, "after", *after);
    int error = session_ask(session, "io.emsa.Find", parameters, NULL, 0, &answer);
    if (error < 0)
        return error;
    json_decref(*after);
    json_decref(*rev);
    *after = json_is_true(json_object_get(answer.reply, "more"))
                 ? json_incref(json_object_get(answer.reply, "after"))
                 : NULL;
    *rev = json_incref(json_object_get(answer.reply, "rev"));
    return json_array_extend(items, json_object_get(answer.reply, "items")) == 0
               ? 0
               : error_set(ERR_NOMEM, "no memory for a list");
}

int run_find(struct session *session)
{
    json_t *items = json_array(), *after = NULL, *rev = NULL;
    int error;
    do
        error = find_piece(session, items, &after, &rev);
    while (error == 0 && after != NULL);
    if (error == 0 && session->options.json)
        error = output_json(json_pack("{s:O, s:O}", "rev", rev, "items", items));
    else if (error == 0)
        error = list_print_items(items, "path");
    json_decref(items);
    json_decref(after);
    json_decref(rev);
    return error;
}
