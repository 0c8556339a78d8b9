#include "tools/emsa/intake_text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"
#include "tools/emsa/bundle.h"
#include "tools/emsa/hidden.h"

struct share { /* a key, and a service that has it */
    size_t key, service;
};

struct building {
    struct intake_call *call;
    const struct intake *intake;
    const char *environment;
    struct bundle bundle;
    struct share *shares;
    size_t share_count, share_room;
};

static int append_text(struct secret *out, const unsigned char *text, size_t size)
{
    const unsigned char *end = text + size;
    while (text < end) {
        const unsigned char *dollar = memchr(text, '$', (size_t)(end - text));
        size_t run = dollar != NULL ? (size_t)(dollar - text) + 1 : (size_t)(end - text);
        int error = hidden_append(out, text, run);
        if (error == 0 && dollar != NULL)
            error = hidden_append(out, "$", 1);
        if (error < 0)
            return error;
        text += run;
    }
    return 0;
}

static int append_reference(struct secret *out, const struct intake *intake,
                            const struct intake_key *key, size_t target)
{
    const struct intake_key *to = &intake->keys[target];
    char text[SERVICE_NAME_MAX + KEY_NAME_MAX + 8];
    bool own = to->service == key->service;
    snprintf(text, sizeof text, "${%s%s%s}", own ? "" : intake->services[to->service].name,
             own ? "" : "/", to->name);
    return hidden_append_text(out, text);
}

int intake_template(struct secret *out, const struct intake *intake, const struct intake_key *key)
{
    const struct intake_part *parts = intake->parts + key->value.first_part;
    int error = 0;
    for (size_t i = 0; i < key->value.part_count && error == 0; i++)
        error = parts[i].key != INTAKE_NONE
                    ? append_reference(out, intake, key, parts[i].key)
                    : append_text(out, intake_bytes(intake, key) + parts[i].offset, parts[i].size);
    return error;
}

static int add_operation(struct building *building, json_t *operation)
{
    if (operation == NULL || json_array_append_new(building->call->operations, operation) < 0)
        return error_set(ERR_NOMEM, "no memory for the operations of an import");
    return 0;
}

static const char *path_of(const struct building *building, size_t service, const char *key,
                           char out[static PATH_TEXT_MAX])
{
    struct path path;
    int error =
        path_make(&path, building->environment, building->intake->services[service].name, key);
    return error < 0 ? "" : path_text(&path, out);
}

static int add_places(struct building *building, bool is_there)
{
    const struct intake *intake = building->intake;
    char text[PATH_TEXT_MAX];
    int error = 0;
    if (!is_there)
        error = add_operation(building, json_pack("{s:s, s:s}", "kind", "environment", "path",
                                                  building->environment));
    for (size_t i = 0; i < intake->service_count && error == 0; i++)
        if (!intake->services[i].absent)
            error = add_operation(building, json_pack("{s:s, s:s}", "kind", "service", "path",
                                                      path_of(building, i, NULL, text)));
    return error;
}

static int add_bytes(struct building *building, const char *kind, const struct intake_key *key,
                     const void *data, size_t size)
{
    const char *service = building->intake->services[key->service].name;
    struct path path = {0}; /* of names that were checked when they were taken in */
    memcpy(path.environment, building->environment, strlen(building->environment) + 1);
    memcpy(path.service, service, strlen(service) + 1);
    memcpy(path.key, key->name, strlen(key->name) + 1);
    building->call->pieces[building->call->piece_count++] = (struct piece){data, size};
    return bundle_add(&building->bundle, kind, &path, size);
}

static int add_link(struct building *building, const struct intake_key *key)
{
    const struct intake *intake = building->intake;
    const struct intake_key *to = &intake->keys[intake->parts[key->value.first_part].key];
    char text[PATH_TEXT_MAX], target[SERVICE_NAME_MAX + KEY_NAME_MAX + 2];
    snprintf(target, sizeof target, "%s/%s", intake->services[to->service].name, to->name);
    return add_operation(building, json_pack("{s:s, s:s, s:s}", "kind", "link", "path",
                                             path_of(building, key->service, key->name, text),
                                             "value", target));
}

static int add_keys(struct building *building, enum intake_form form)
{
    const struct intake *intake = building->intake;
    size_t begin = 0;
    int error = 0;
    for (size_t i = 0; i < intake->key_count && error == 0; i++) {
        const struct intake_key *key = &intake->keys[i];
        if (!intake_has(intake, key) || intake_form(intake, key) != form)
            continue;
        if (form == INTAKE_LINK) {
            error = add_link(building, key);
        } else if (form == INTAKE_VALUE) {
            error = add_bytes(building, key->secret ? "secret" : "plain", key,
                              intake_bytes(intake, key), key->value.size);
        } else { /* they were all written before, in this order */
            struct secret one SECRET_CLEANUP = {0};
            error = intake_template(&one, intake, key);
            if (error == 0)
                error = add_bytes(building, "template", key,
                                  one.size > 0 ? building->call->templates.data + begin
                                               : (const unsigned char *)"",
                                  one.size);
            begin += one.size;
        }
    }
    return error;
}

static int write_templates(struct building *building)
{
    const struct intake *intake = building->intake;
    int error = 0;
    for (size_t i = 0; i < intake->key_count && error == 0; i++)
        if (intake_has(intake, &intake->keys[i]) &&
            intake_form(intake, &intake->keys[i]) == INTAKE_TEMPLATE)
            error = intake_template(&building->call->templates, intake, &intake->keys[i]);
    return error;
}

/* Plain values of "shared" are everybody's; anything else of another service must be shared. */
static int need_share(struct building *building, const struct intake_key *key, size_t target)
{
    const struct intake *intake = building->intake;
    const struct intake_key *to = &intake->keys[target];
    if (to->service == key->service ||
        (strcmp(intake->services[to->service].name, "shared") == 0 && !to->touches))
        return 0;
    if (building->share_count == building->share_room) {
        size_t room = building->share_room == 0 ? 64 : building->share_room * 2;
        struct share *shares = realloc(building->shares, room * sizeof *shares);
        if (shares == NULL)
            return error_set(ERR_NOMEM, "no memory for %zu shares", room);
        building->shares = shares;
        building->share_room = room;
    }
    building->shares[building->share_count++] = (struct share){target, key->service};
    return 0;
}

static int compare_shares(const void *a, const void *b)
{
    const struct share *x = a, *y = b;
    if (x->key != y->key)
        return x->key < y->key ? -1 : 1;
    return x->service < y->service ? -1 : x->service > y->service;
}

static int gather_shares(struct building *building)
{
    const struct intake *intake = building->intake;
    int error = 0;
    for (size_t i = 0; i < intake->key_count; i++) {
        const struct intake_key *key = &intake->keys[i];
        const struct intake_part *parts = intake->parts + key->value.first_part;
        if (!intake_has(intake, key) || key->flat)
            continue;
        for (size_t n = 0; n < key->value.part_count && error == 0; n++)
            if (parts[n].key != INTAKE_NONE)
                error = need_share(building, key, parts[n].key);
    }
    if (building->share_count > 0)
        qsort(building->shares, building->share_count, sizeof *building->shares, compare_shares);
    return error;
}

static int add_shares(struct building *building)
{
    const struct intake *intake = building->intake;
    char text[PATH_TEXT_MAX];
    int error = gather_shares(building);
    for (size_t i = 0; i < building->share_count && error == 0; i++) {
        const struct share *share = &building->shares[i];
        const struct intake_key *key = &intake->keys[share->key];
        if (i > 0 && compare_shares(share, share - 1) == 0)
            continue;
        error = add_operation(building, json_pack("{s:s, s:s, s:s}", "kind", "share", "path",
                                                  path_of(building, key->service, key->name, text),
                                                  "with", intake->services[share->service].name));
    }
    return error;
}

int intake_compose_call(struct intake_call *out, const struct intake *intake,
                        const char *environment, bool is_there)
{
    struct building building = {.call = out, .intake = intake, .environment = environment};
    *out = (struct intake_call){.operations = json_array()};
    int error = name_check(NAME_ENVIRONMENT, environment, strlen(environment));
    if (error < 0)
        return error;
    out->pieces = calloc(intake->key_count > 0 ? intake->key_count : 1, sizeof *out->pieces);
    if (out->pieces == NULL || out->operations == NULL)
        return error_set(ERR_NOMEM, "no memory for %zu values", intake->key_count);
    bundle_begin(&building.bundle, out->operations);
    error = write_templates(&building);
    if (error == 0)
        error = add_places(&building, is_there);
    if (error == 0)
        error = add_keys(&building, INTAKE_VALUE);
    if (error == 0)
        error = add_keys(&building, INTAKE_TEMPLATE);
    if (error == 0)
        error = add_keys(&building, INTAKE_LINK);
    if (error == 0)
        error = add_shares(&building);
    free(building.shares);
    return error;
}

void intake_call_release(struct intake_call *call)
{
    json_decref(call->operations);
    free(call->pieces);
    secret_release(&call->templates);
    *call = (struct intake_call){0};
}
