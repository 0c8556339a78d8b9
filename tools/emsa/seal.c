/*
 * seal: a value, as a text that may lie in git. The value stays in this process: what is asked of
 * the store is the public key of the service that is to have it, so that neither reading nor a
 * connection to where it will be set is needed, and sealing changes nothing.
 */
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "store/sealed.h"
#include "tools/emsa/command.h"
#include "tools/emsa/input.h"
#include "tools/emsa/output.h"
#include "tools/service/hex.h"

static int read_path(struct path *path, const char *word)
{
    int error = path_parse(path, word, strlen(word));
    if (error == 0 && path_depth(path) != PATH_KEY)
        error = error_set(ERR_INVALID, "'%s' is no key: write ENVIRONMENT/SERVICE/KEY", word);
    if (error == 0 && strcmp(path->environment, "all") == 0)
        error = error_set(ERR_REFUSED,
                          "a secret cannot stand in 'all': seal one for each environment that "
                          "needs it");
    return error;
}

static int read_value(struct input *value, const struct session *session, const struct path *path)
{
    const struct options *options = &session->options;
    const struct texts *words = &options->arguments;
    bool trimmed = false;
    int error;
    value->secret = true;
    if (words->count > 1 && (options->file != NULL || strcmp(words->list[1], "-") != 0))
        return error_set(ERR_INVALID,
                         "a secret never stands in the arguments, where every user of this machine "
                         "can see it: give it on stdin ('-'), with --file FILE, or alone to be "
                         "asked");
    if (options->file != NULL && strcmp(options->file, "-") != 0)
        return input_from_file(value, options->file, path->key);
    if (options->file == NULL && words->count == 1)
        return input_from_prompt(value, path->key);
    error = input_from_stdin(value, options->raw, path->key, &trimmed);
    if (error == 0 && trimmed)
        output_note("left the final newline of '%s' away (--raw keeps it)", path->key);
    return error;
}

static bool take_number(json_t *reply, const char *name, uint32_t *out)
{
    const json_int_t number = json_integer_value(json_object_get(reply, name));
    *out = (uint32_t)number;
    return number > 0 && number <= UINT32_MAX;
}

static int ask(struct session *session, struct sealed_for *out, const struct path *path)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    struct path service = *path;
    char text[PATH_TEXT_MAX];
    service.key[0] = '\0';
    json_t *parameters = json_pack("{s:s}", "path", path_text(&service, text));
    int error = session_ask(session, "io.emsa.SealKey", parameters, NULL, 0, &answer);
    if (error < 0)
        return error;
    if (hex_bytes(out->store_id, STORE_ID_SIZE, output_member(answer.reply, "store")) < 0 ||
        hex_bytes(out->public_key, SEALED_KEY_SIZE, output_member(answer.reply, "key")) < 0 ||
        !take_number(answer.reply, "environment", &out->environment) ||
        !take_number(answer.reply, "service", &out->service) ||
        !take_number(answer.reply, "generation", &out->generation))
        return error_set(ERR_IO, "the server does not say for whom to seal");
    return 0;
}

static int print(struct session *session, const struct path *path, const struct bytes *text)
{
    char place[PATH_TEXT_MAX];
    if (session->options.json)
        return output_json(json_pack("{s:s, s:s%}", "path", path_text(path, place), "sealed",
                                     (const char *)text->data, text->size));
    return output_bytes(text->data, text->size);
}

int run_seal(struct session *session)
{
    struct input value = {.secret = true};
    struct sealed_for owner = {.generation = 0};
    struct bytes text BYTES_CLEANUP = BYTES_INIT(SEALED_TEXT_MAX);
    struct path path;
    int error = read_path(&path, session->options.arguments.list[0]);
    if (error == 0) /* before a person types it in vain */
        error = ask(session, &owner, &path);
    if (error == 0)
        error = read_value(&value, session, &path);
    if (error == 0)
        error = sealed_make(&text, &owner, &path, &value.hidden);
    input_release(&value);
    if (error == 0 && !session->options.json) {
        bytes_append(&text, "\n", 1);
        error = text.error;
    }
    return error < 0 ? error : print(session, &path, &text);
}
