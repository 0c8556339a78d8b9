/* rollback: what was defined at a place as of a revision is set again. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/report.h"

static void print_left(json_t *left)
{
    size_t index;
    json_t *key;
    json_array_foreach(left, index, key)
    {
        char time[TIME_TEXT_MAX];
        printf("%s stays as it is: ", output_member(key, "path"));
        if (strcmp(output_member(key, "why"), "secret") == 0)
            puts("a secret (--with-secrets)");
        else
            printf("what was there then ended by itself, %s\n",
                   time_text(time, json_integer_value(json_object_get(key, "ended"))));
    }
}

static void print_beneath(json_t *beneath)
{
    size_t index;
    json_t *key;
    json_array_foreach(beneath, index, key)
    {
        const char *in = output_member(key, "in");
        printf("%s is not what it was then: ", output_member(key, "path"));
        if (in[0] != '\0')
            printf("it shows '%s', which is of rev %lld and not touched\n", in,
                   (long long)json_integer_value(json_object_get(key, "rev")));
        else
            puts("what it showed is not there any more");
    }
}

static int print(json_t *reply, const char *path)
{
    int error = report_print(reply);
    print_left(json_object_get(reply, "left"));
    print_beneath(json_object_get(reply, "beneath"));
    const long long to = json_integer_value(json_object_get(reply, "to"));
    if (to > 0)
        printf("all else that '%s' defines is what it was as of revision %lld\n", path, to);
    return error;
}

int run_rollback(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const struct options *options = &session->options;
    const char *word = options->arguments.list[0];
    char text[PATH_TEXT_MAX];
    struct path path;
    int error = path_parse(&path, word, strlen(word));
    if (error == 0 && options->to == NULL)
        error = error_set(ERR_INVALID,
                          "say where to: --to REV, as 'emsa log %s' shows them, or a "
                          "tag",
                          word);
    if (error < 0)
        return error;
    path_text(&path, text);
    error = report_ask(session, "io.emsa.Rollback",
                       json_pack("{s:s, s:s, s:b}", "path", text, "to", options->to, "with_secrets",
                                 (int)options->with_secrets),
                       text, NULL, 0, &answer);
    if (error < 0)
        return error;
    return options->json ? output_json(json_incref(answer.reply)) : print(answer.reply, text);
}
