#include "tools/service/veil.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/history.h"

#define NAME_CHARACTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-/"
#define VEILED_MAX (PATH_TEXT_MAX + 96)

struct veil {
    struct request *request;
    struct snapshot *snapshot;                  /* of the newest revision */
    char environment[ENVIRONMENT_NAME_MAX + 1]; /* that the line in hand is about; "": unknown */
    char about[PATH_TEXT_MAX];                  /* the first place that it names, if it is seen */
};

static bool sees(struct veil *veil, const struct path *path)
{
    return rights_hold(veil->request->service, &veil->request->call->caller, RIGHT_SEE, path);
}

static bool sees_place(struct veil *veil, const char *environment, const char *service)
{
    struct path path;
    return path_make(&path, environment, service, NULL) == 0 && sees(veil, &path);
}

/* --- texts --- */

struct token { /* a word of a line that may be a place */
    char text[PATH_TEXT_MAX];
    unsigned parts;
    bool is_quoted;
};

/* The next one in *line, which goes behind it. False: there is none. */
static bool next_token(struct token *token, const char **line, const char *begin)
{
    for (;;) {
        *line += strcspn(*line, NAME_CHARACTERS);
        size_t size = strspn(*line, NAME_CHARACTERS);
        if (size == 0)
            return false;
        const char *word = *line;
        *line += size;
        token->is_quoted = word > begin && word[-1] == '\'' && word[size] == '\'';
        while (size > 0 && word[size - 1] == '.' && !token->is_quoted)
            size--;
        if (size == 0 || size >= sizeof token->text || word[0] == '/')
            continue;
        memcpy(token->text, word, size);
        token->text[size] = '\0';
        token->parts = 1;
        for (size_t i = 0; i < size; i++)
            token->parts += word[i] == '/';
        return true;
    }
}

static bool is_environment(struct veil *veil, const char *name)
{
    struct environment environment;
    return snapshot_environment(veil->snapshot, &environment, name) == 0;
}

static bool is_service(struct veil *veil, const char *name)
{
    uint32_t id;
    return history_service_id(veil->snapshot, &id, name) == 0;
}

/* A service by its name alone, in the environment that the line is about. */
static bool hides_service(struct veil *veil, const char *name)
{
    if (!is_service(veil, name))
        return false;
    return veil->environment[0] == '\0' || !sees_place(veil, veil->environment, name);
}

/* Whether the token names a place that the caller does not see. */
static bool hides(struct veil *veil, const struct token *token)
{
    struct path path;
    if (path_parse(&path, token->text, strlen(token->text)) < 0)
        return false;
    if (token->parts == 1)
        return token->is_quoted &&
               (is_environment(veil, path.environment) ? !sees_place(veil, path.environment, NULL)
                                                       : hides_service(veil, path.environment));
    if (token->parts == 2 && !is_environment(veil, path.environment))
        return hides_service(veil, path.environment);
    return !sees(veil, &path);
}

/* What a line is about: the first whole path in it. */
static void look_through(struct veil *veil, const char *line)
{
    struct token token;
    const char *at = line;
    veil->environment[0] = '\0';
    veil->about[0] = '\0';
    while (next_token(&token, &at, line)) {
        struct path path;
        if (token.parts < 2 || path_parse(&path, token.text, strlen(token.text)) < 0 ||
            !is_environment(veil, path.environment))
            continue;
        memcpy(veil->environment, path.environment, sizeof veil->environment);
        if (sees(veil, &path))
            path_text(&path, veil->about);
        return;
    }
}

static bool tells_of_hidden(struct veil *veil, const char *line)
{
    struct token token;
    const char *at = line;
    look_through(veil, line);
    while (next_token(&token, &at, line))
        if (hides(veil, &token))
            return true;
    return false;
}

/* What is told instead. That a value is a secret's is said (and counted, and written down): who set
 * it has to know what to do about it. */
static void veiled(struct veil *veil, char out[static VEILED_MAX], const char *line)
{
    const bool is_equal = strstr(line, "equal to a secret of another environment") != NULL ||
                          strstr(line, "is equal to the secret") != NULL;
    const char *quote = veil->about[0] != '\0' ? "'" : "";
    const char *what = veil->about[0] != '\0' ? veil->about : "the change";
    if (is_equal)
        snprintf(out, VEILED_MAX, "%s%s%s would be equal to a secret of another place", quote, what,
                 quote);
    else
        snprintf(out, VEILED_MAX,
                 "%s%s%s: something at a place that you may not list stands against it", quote,
                 what, quote);
}

/* NULL: the text may be told as it is. */
static json_t *veiled_text(struct veil *veil, const json_t *text)
{
    char out[VEILED_MAX];
    const char *line = json_string_value(text);
    if (line == NULL || !tells_of_hidden(veil, line))
        return NULL;
    veiled(veil, out, line);
    return json_string(out);
}

static void veil_failure(struct veil *veil, json_t *reply)
{
    json_t *reasons = json_object_get(reply, "reasons"), *reason;
    size_t index;
    json_t *instead = veiled_text(veil, json_object_get(reply, "message"));
    if (instead != NULL)
        json_object_set_new(reply, "message", instead);
    json_array_foreach(reasons, index, reason)
    {
        instead = veiled_text(veil, reason);
        if (instead != NULL)
            json_array_set_new(reasons, index, instead);
    }
}

/* --- places --- */

static bool is_hidden(struct veil *veil, const json_t *text)
{
    struct path path;
    const char *place = json_string_value(text);
    return place != NULL && path_parse(&path, place, strlen(place)) == 0 && !sees(veil, &path);
}

/* What a schema says of a value says something about it: notes and findings are for readers; but
 * those that are of what was asked for alone. */
static bool is_for_readers(const char *list, json_t *item)
{
    return (strcmp(list, "notes") == 0 && !json_is_true(json_object_get(item, "asked"))) ||
           strcmp(list, "findings") == 0;
}

static bool is_unread(struct veil *veil, const json_t *text)
{
    struct path path;
    const char *place = json_string_value(text);
    return place != NULL && path_parse(&path, place, strlen(place)) == 0 &&
           !rights_hold(veil->request->service, &veil->request->call->caller, RIGHT_READ, &path);
}

static void veil_value(struct veil *veil, const char *name, json_t *value);

static void veil_list(struct veil *veil, const char *name, json_t *list)
{
    const bool are_paths = strcmp(name, "paths") == 0;
    for (size_t i = json_array_size(list); i-- > 0;) {
        json_t *item = json_array_get(list, i);
        const json_t *place = json_is_object(item) ? json_object_get(item, "path") : item;
        if ((json_is_object(item) || are_paths) &&
            (is_hidden(veil, place) || (is_for_readers(name, item) && is_unread(veil, place))))
            json_array_remove(list, i);
        else
            veil_value(veil, name, item);
    }
}

static void veil_object(struct veil *veil, const char *name, json_t *object)
{
    const bool are_environments = strcmp(name, "environments") == 0;
    const char *key;
    void *next;
    json_t *value;
    json_object_foreach_safe(object, next, key, value)
    {
        json_t *instead = is_for_readers(name, object) && strcmp(key, "path") != 0
                              ? veiled_text(veil, value)
                              : NULL;
        if (are_environments && !sees_place(veil, key, NULL))
            json_object_del(object, key);
        else if (instead != NULL)
            json_object_set_new(object, key, instead);
        else
            veil_value(veil, key, value);
    }
}

static void veil_value(struct veil *veil, const char *name, json_t *value)
{
    if (json_is_object(value))
        veil_object(veil, name, value);
    else if (json_is_array(value))
        veil_list(veil, name, value);
}

int veil_reply(struct request *request)
{
    struct veil veil = {.request = request};
    struct call *call = request->call;
    if (rights_hold(request->service, &call->caller, RIGHT_READ, &(struct path){0}) ||
        (call->error != NULL && strcmp(call->error, "io.emsa.Denied") == 0))
        return 0;
    int error = snapshot_new(&veil.snapshot, request->service->store);
    if (error == 0)
        error = snapshot_begin(veil.snapshot);
    if (error == 0) {
        if (call->error != NULL)
            veil_failure(&veil, call->reply);
        else
            veil_value(&veil, "", call->reply);
        snapshot_end(veil.snapshot);
    }
    snapshot_free(veil.snapshot);
    error_clear();
    return error;
}
