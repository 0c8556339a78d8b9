/* cp, mv and link: what one key is, another one is too. */
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/command.h"
#include "tools/emsa/list.h"
#include "tools/emsa/report.h"
#include "tools/emsa/words.h"

static int parse_place(const char *word, struct path *out)
{
    int error = path_parse(out, word, strlen(word));
    if (error == 0 && path_depth(out) < PATH_SERVICE)
        error = error_set(
            ERR_INVALID, "'%s' is neither a service nor a key: 'emsa env cp' copies an environment",
            word);
    return error;
}

static int transfer(struct session *session, const char *method)
{
    const struct texts *words = &session->options.arguments;
    struct path from, to, shared;
    char from_text[PATH_TEXT_MAX], to_text[PATH_TEXT_MAX], shared_text[PATH_TEXT_MAX];
    int error = parse_place(words->list[0], &from);
    if (error == 0)
        error = parse_place(words->list[1], &to);
    if (error < 0)
        return error;
    shared = from;
    path_share(&shared, &to);
    return report_change(
        session, method,
        json_pack("{s:s, s:s}", "from", path_text(&from, from_text), "to", path_text(&to, to_text)),
        path_text(&shared, shared_text), NULL, 0);
}

int run_copy(struct session *session)
{
    return transfer(session, "io.emsa.Copy");
}

int run_move(struct session *session)
{
    return transfer(session, "io.emsa.Move");
}

int run_link(struct session *session)
{
    const struct options *options = &session->options;
    struct path path;
    char text[PATH_TEXT_MAX];
    int error = words_path(options->arguments.list[0], PATH_KEY, word_key, &path);
    if (error < 0)
        return error;
    path_text(&path, text);
    json_t *operation = json_pack("{s:s, s:s, s:s}", "kind", "link", "path", text, "value",
                                  options->arguments.list[1]);
    if (operation != NULL && options->ttl > 0)
        json_object_set_new(operation, "ttl", json_integer((json_int_t)options->ttl));
    return report_change(session, "io.emsa.Set", json_pack("{s:[o]}", "operations", operation),
                         text, NULL, 0);
}
