/* env cp: an environment like another one, and what it takes to make it whole. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/output.h"
#include "tools/emsa/report.h"
#include "tools/emsa/words.h"

static void print_secrets(json_t *secrets)
{
    size_t index;
    json_t *secret;
    if (json_array_size(secrets) > 0)
        puts("\nsecrets are not copied; to be set:");
    json_array_foreach(secrets, index, secret)
        printf("  emsa set --secret %s -\n", output_member(secret, "path"));
}

static void print_shares(json_t *shares)
{
    size_t index;
    json_t *share;
    if (json_array_size(shares) > 0)
        puts("\nthen to be shared:");
    json_array_foreach(shares, index, share)
    {
        const char *with = output_member(share, "with");
        printf("  emsa share %s --with %s\n", output_member(share, "path"),
               strcmp(with, "*") == 0 ? "'*'" : with);
    }
}

static void print_out(json_t *out)
{
    size_t index;
    json_t *service;
    if (json_array_size(out) > 0)
        puts("\nservices that cannot be placed before a secret is set; then:");
    json_array_foreach(out, index, service)
        printf("  emsa service add %s  (%s, which is inherited, needs %s)\n",
               output_member(service, "path"), output_member(service, "because"),
               output_member(service, "needs"));
}

static void print_left(json_t *left)
{
    size_t index;
    json_t *key;
    if (json_array_size(left) > 0)
        puts("\nleft out until what they need is set; then, in this order:");
    json_array_foreach(left, index, key)
    {
        const char *needs = output_member(key, "needs");
        printf("  emsa cp %s %s", output_member(key, "from"), output_member(key, "path"));
        if (needs[0] != '\0')
            printf("  (needs %s)", needs);
        putchar('\n');
    }
}

int run_environment_copy(struct session *session)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    const struct options *options = &session->options;
    struct path from, to;
    int error = words_path(options->arguments.list[0], PATH_ENVIRONMENT, word_environment, &from);
    if (error == 0)
        error = words_path(options->arguments.list[1], PATH_ENVIRONMENT, word_environment, &to);
    if (error < 0)
        return error;
    json_t *parameters =
        json_pack("{s:s, s:s, s:b, s:b}", "from", from.environment, "to", to.environment,
                  "protected", (int)options->protect, "signed", (int)options->is_signed);
    if (parameters != NULL && options->ttl > 0)
        json_object_set_new(parameters, "ttl", json_integer((json_int_t)options->ttl));
    error = report_ask(session, "io.emsa.EnvironmentCopy", parameters, from.environment, NULL, 0,
                       &answer);
    if (error < 0)
        return error;
    if (options->json)
        return output_json(json_incref(answer.reply));
    error = report_print(answer.reply);
    print_secrets(json_object_get(answer.reply, "secrets"));
    print_shares(json_object_get(answer.reply, "shares"));
    print_out(json_object_get(answer.reply, "out"));
    print_left(json_object_get(answer.reply, "left"));
    return error;
}
