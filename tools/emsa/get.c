/* get: one value, exactly. */
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/render.h"

static int print_value(const struct answer *answer, size_t size)
{
    int error = size > 0 ? output_bytes(answer->values, size) : 0;
    /* for eyes only: a pipe gets exactly what was set */
    if (error == 0 && output_is_terminal() && (size == 0 || answer->values[size - 1] != '\n'))
        error = output_bytes("\n", 1);
    return error;
}

static int print_entry(const struct answer *answer, json_t *entry, size_t size)
{
    struct secret text SECRET_CLEANUP = {0};
    int error = render_entry(&text, entry, answer->values, size);
    return error < 0 ? error : output_bytes(text.data, text.size);
}

int run_get(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const char *word = session->options.arguments.list[0];
    struct path path;
    int error = path_parse(&path, word, strlen(word));
    if (error == 0 && path_depth(&path) != PATH_KEY)
        error = error_set(ERR_INVALID,
                          "'%s' is no key: 'emsa ls' lists a place, 'emsa export' prints a service",
                          word);
    if (error == 0)
        error = session_ask(session, "io.emsa.Get",
                            json_pack("{s:[s], s:b, s:s}", "paths", word, "reveal",
                                      (int)session->options.reveal, "door", "get"),
                            NULL, 0, &answer);
    if (error < 0)
        return error;
    json_t *entry = json_array_get(json_object_get(answer.reply, "entries"), 0);
    if (entry == NULL)
        return error_set(ERR_IO, "the server's answer has no value");
    size_t size = (size_t)json_integer_value(json_object_get(entry, "size"));
    return session->options.json ? print_entry(&answer, entry, size) : print_value(&answer, size);
}
