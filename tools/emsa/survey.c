#include "tools/emsa/survey.h"

#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/list.h"
#include "tools/emsa/output.h"

static bool is_kind(json_t *item, const char *kind)
{
    return strcmp(output_member(item, "kind"), kind) == 0;
}

/* The values of some services, none of which is secret. */
static int get_plain(struct session *session, json_t *paths, struct answer *out)
{
    return session_ask(session, "io.emsa.Get",
                       json_pack("{s:o, s:b}", "paths", paths, "skip_secrets", 1), NULL, 0, out);
}

/* The services of an environment, as paths (owned). */
static int services_of(struct session *session, const char *environment, json_t **out,
                       json_int_t *rev)
{
    json_t *whole, *item;
    size_t index;
    int error = list_gather(session, "io.emsa.ServiceList", environment, &whole);
    if (error < 0)
        return error;
    *out = json_array();
    *rev = json_integer_value(json_object_get(whole, "rev"));
    json_array_foreach(json_object_get(whole, "items"), index, item)
        json_array_append(*out, json_object_get(item, "path"));
    json_decref(whole);
    return 0;
}

static int add_value(struct standings *set, json_t *entry, const char *value)
{
    struct path path;
    struct standing *standing;
    const char *text = output_member(entry, "path");
    const char *via = output_member(entry, "via");
    int error = path_parse(&path, text, strlen(text));
    if (error == 0)
        error = standings_add(set, &standing, path.service, path.key, value,
                              (size_t)json_integer_value(json_object_get(entry, "size")));
    if (error < 0)
        return error;
    bool ends = json_object_get(entry, "expires") != NULL;
    standing->is_own = strcmp(output_member(entry, "origin"), "own") == 0;
    standing->is_fixed = !standing->is_own || via[0] != '\0' || ends;
    standing->is_home = via[0] == '\0' && !ends && strcmp(path.service, SHARED) == 0;
    if (via[0] != '\0')
        standing->kind = strcmp(via, "link") == 0 ? ENTRY_LINK : ENTRY_TEMPLATE;
    return 0;
}

static int add_values(struct survey *survey)
{
    const char *value = (const char *)survey->values.values;
    json_t *entry;
    size_t index;
    json_array_foreach(json_object_get(survey->values.reply, "entries"), index, entry)
    {
        int error = add_value(&survey->set, entry, value != NULL ? value : "");
        if (error < 0)
            return error;
        if (value != NULL)
            value += json_integer_value(json_object_get(entry, "size"));
    }
    return 0;
}

static bool is_listed(json_t *paths, const char *path)
{
    json_t *text;
    size_t index;
    json_array_foreach(paths, index, text)
    {
        if (strcmp(json_string_value(text), path) == 0)
            return true;
    }
    return false;
}

/* Names in a service `shared`, of secrets too, are not free. */
static int take_names(struct survey *survey, struct session *session, const char *shared)
{
    json_t *whole, *item;
    size_t index;
    int error = list_gather(session, "io.emsa.Tree", shared, &whole);
    if (error < 0)
        return error;
    json_array_foreach(json_object_get(whole, "items"), index, item)
    {
        const char *name = output_member(item, "name");
        size_t at = standings_find(&survey->set, SHARED, name);
        error = standings_take(&survey->set, name);
        if (error < 0)
            break;
        if (at != STANDING_NONE && !is_kind(item, "plain"))
            survey->set.list[at].is_home = false; /* a secret, in an environment on this one */
    }
    json_decref(whole);
    return error;
}

/* What an environment on this one reads otherwise in its `shared` is no home. */
static int compare_shared(struct survey *survey, struct session *session, const char *shared)
{
    struct answer answer ANSWER_CLEANUP = ANSWER_INIT;
    json_t *entry;
    size_t index;
    int error = get_plain(session, json_pack("[s]", shared), &answer);
    if (error < 0)
        return error;
    const unsigned char *value = answer.values;
    json_array_foreach(json_object_get(answer.reply, "entries"), index, entry)
    {
        size_t size = (size_t)json_integer_value(json_object_get(entry, "size"));
        size_t at = standings_find(&survey->set, SHARED, output_member(entry, "name"));
        struct standing *home = at != STANDING_NONE ? &survey->set.list[at] : NULL;
        if (home != NULL &&
            (size != home->size || (size > 0 && memcmp(value, home->text, size) != 0)))
            home->is_home = false;
        if (value != NULL)
            value += size;
    }
    return 0;
}

static int look_into(struct survey *survey, struct session *session, const char *environment)
{
    char shared[ENVIRONMENT_NAME_MAX + sizeof "/" SHARED];
    json_t *services;
    json_int_t rev;
    snprintf(shared, sizeof shared, "%s/%s", environment, SHARED);
    int error = services_of(session, environment, &services, &rev);
    if (error < 0)
        return error;
    bool is_placed = is_listed(services, shared);
    json_decref(services);
    survey->children++;
    if (!is_placed)
        return json_array_append_new(survey->unplaced, json_string(shared)) == 0
                   ? 0
                   : error_set(ERR_NOMEM, "no memory for environments");
    error = take_names(survey, session, shared);
    return error < 0 ? error : compare_shared(survey, session, shared);
}

static int look_into_those_on(struct survey *survey, struct session *session,
                              const char *environment)
{
    json_t *whole, *item;
    size_t index;
    int error = list_gather(session, "io.emsa.EnvironmentList", "", &whole);
    if (error < 0)
        return error;
    json_array_foreach(json_object_get(whole, "items"), index, item)
    {
        if (strcmp(output_member(item, "base"), environment) != 0)
            continue;
        error = look_into(survey, session, output_member(item, "name"));
        if (error < 0)
            break;
    }
    json_decref(whole);
    return error;
}

int survey_make(struct survey *survey, struct session *session, const char *environment)
{
    char shared[ENVIRONMENT_NAME_MAX + sizeof "/" SHARED];
    json_t *services = NULL;
    *survey = (struct survey){.values = ANSWER_INIT, .unplaced = json_array()};
    snprintf(shared, sizeof shared, "%s/%s", environment, SHARED);
    int error = standings_init(&survey->set);
    if (error == 0)
        error = services_of(session, environment, &services, &survey->rev);
    if (error < 0)
        return error;
    bool has_shared = is_listed(services, shared);
    error = get_plain(session, services, &survey->values);
    if (error == 0)
        error = add_values(survey);
    if (error == 0 && has_shared)
        error = take_names(survey, session, shared);
    return error < 0 ? error : look_into_those_on(survey, session, environment);
}

void survey_release(struct survey *survey)
{
    standings_release(&survey->set);
    answer_release(&survey->values);
    json_decref(survey->unplaced);
}
