/* promote: what one environment defines, in another one too. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/report.h"

static const char *words_for(const char *why)
{
    static const struct {
        const char *why, *words;
    } rows[] = {
        {"secret", "is not promoted: a secret, which has to be named"},
        {"fixed", "is not promoted: the schema says that it belongs to its environment"},
        {"elsewhere", "is not promoted: by the schema it may not be there"},
        {"ends", "is not promoted: it ends by itself"},
        {"only-there", "stays as it is: the other one has no such key"},
        {"inherited", "stays as it is: the other one has that of 'all'"},
        {"not-placed", "is not placed: 'emsa service add' places it"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof rows[0]; i++)
        if (strcmp(rows[i].why, why) == 0)
            return rows[i].words;
    return why;
}

static int print(json_t *reply)
{
    const long long same = (long long)json_integer_value(json_object_get(reply, "same"));
    size_t index;
    json_t *key;
    int error = report_print(reply);
    json_array_foreach(json_object_get(reply, "left"), index, key)
        printf("%s %s\n", output_member(key, "path"), words_for(output_member(key, "why")));
    if (same > 0)
        printf("= %lld %s equal already\n", same, same == 1 ? "key is" : "keys are");
    return error;
}

int run_promote(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const struct texts *words = &session->options.arguments;
    struct path from, to;
    char from_text[PATH_TEXT_MAX], to_text[PATH_TEXT_MAX];
    int error = path_parse(&from, words->list[0], strlen(words->list[0]));
    if (error == 0)
        error = path_parse(&to, words->list[1], strlen(words->list[1]));
    if (error < 0)
        return error;
    json_t *parameters =
        json_pack("{s:s, s:s}", "from", path_text(&from, from_text), "to", path_text(&to, to_text));
    json_t *keys = json_array();
    for (size_t i = 2; i < words->count; i++)
        json_array_append_new(keys, json_string(words->list[i]));
    if (parameters != NULL && json_array_size(keys) > 0)
        json_object_set(parameters, "keys", keys);
    json_decref(keys);
    error = report_ask(session, "io.emsa.Promote", parameters, to_text, NULL, 0, &answer);
    if (error < 0)
        return error;
    return session->options.json ? output_json(json_incref(answer.reply)) : print(answer.reply);
}
