#include "tools/emsa/words.h"

#include <string.h>

#include "store/error.h"
#include "tools/emsa/list.h"

const char word_key[] = "a key: write ENVIRONMENT/SERVICE/KEY";
const char word_service[] = "a service: write ENVIRONMENT/SERVICE";
const char word_environment[] = "the name of an environment";

int words_path(const char *word, enum path_depth depth, const char *wanted, struct path *out)
{
    struct path path;
    int error = path_parse(&path, word, strlen(word));
    if (error == 0 && path_depth(&path) != depth)
        error = error_set(ERR_INVALID, "'%s' is not %s", word, wanted);
    if (error == 0)
        *out = path;
    return error;
}

static int add_path(json_t *list, const struct path *path, struct path *shared)
{
    char text[PATH_TEXT_MAX];
    if (json_array_size(list) == 0)
        *shared = *path;
    path_share(shared, path);
    return json_array_append_new(list, json_string(path_text(path, text))) == 0
               ? 0
               : error_set(ERR_NOMEM, "no memory for the arguments");
}

int words_paths(const struct texts *texts, enum path_depth depth, const char *wanted, json_t **out,
                struct path *shared)
{
    json_t *list = json_array();
    for (size_t i = 0; i < texts->count; i++) {
        struct path path;
        int error = words_path(texts->list[i], depth, wanted, &path);
        if (error == 0)
            error = add_path(list, &path, shared);
        if (error < 0) {
            json_decref(list);
            return error;
        }
    }
    *out = list;
    return 0;
}

int words_places(const struct texts *texts, json_t **out, struct path *shared)
{
    json_t *list = json_array();
    for (size_t i = 0; i < texts->count; i++) {
        struct path path;
        int error = path_parse(&path, texts->list[i], strlen(texts->list[i]));
        if (error == 0 && path_depth(&path) == PATH_ROOT)
            error =
                error_set(ERR_INVALID, "a place is missing: an environment, a service or a key");
        if (error == 0)
            error = add_path(list, &path, shared);
        if (error < 0) {
            json_decref(list);
            return error;
        }
    }
    *out = list;
    return 0;
}

json_t *words_cut(const char *text)
{
    json_t *list = json_array();
    for (const char *at = text; at != NULL;) {
        size_t length = strcspn(at, ",");
        if (length == 0 || json_array_append_new(list, json_stringn(at, length)) < 0) {
            json_decref(list);
            error_set(ERR_INVALID, "'%.64s' is no list: WORD,WORD", text);
            return NULL;
        }
        at = at[length] == ',' ? at + length + 1 : NULL;
    }
    return list;
}
