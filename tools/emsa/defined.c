#include "tools/emsa/defined.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/output.h"

static int no_answer(void)
{
    return error_set(ERR_IO, "the server's answer is none: it is of another version");
}

void defined_release(struct defined *defined)
{
    free(defined->services);
    free(defined->keys);
    answer_release(&defined->answer);
    *defined = (struct defined){.answer = ANSWER_INIT};
}

static bool find_kind(enum entry_kind *out, char letter)
{
    static const struct {
        char letter;
        enum entry_kind kind;
    } kinds[] = {{'p', ENTRY_PLAIN}, {'s', ENTRY_SECRET}, {'l', ENTRY_LINK}, {'t', ENTRY_TEMPLATE}};
    for (size_t i = 0; i < sizeof kinds / sizeof kinds[0]; i++) {
        *out = kinds[i].kind;
        if (kinds[i].letter == letter)
            return true;
    }
    return false;
}

/* One service's keys; value is where its bytes begin. */
static int add_keys(struct defined *defined, json_t *entry, const unsigned char *value,
                    bool is_shown)
{
    json_t *names = json_object_get(entry, "names"), *sizes = json_object_get(entry, "sizes");
    json_t *expires = json_object_get(entry, "expires"), *name;
    const char *kinds = output_member(entry, "kinds");
    json_int_t left = json_integer_value(json_object_get(entry, "size"));
    size_t index;
    if (json_array_size(sizes) != json_array_size(names) || strlen(kinds) != json_array_size(names))
        return no_answer();
    json_array_foreach(names, index, name)
    {
        struct defined_key *key = &defined->keys[defined->key_count++];
        json_int_t size = json_integer_value(json_array_get(sizes, index));
        *key = (struct defined_key){.name = json_string_value(name), .size = (size_t)size};
        if (key->name == NULL || !find_kind(&key->kind, kinds[index]) || size < 0 || size > left)
            return no_answer();
        if (is_shown || key->kind != ENTRY_SECRET)
            key->data = size > 0 ? value : (const unsigned char *)"";
        if (expires != NULL)
            key->expires = json_integer_value(json_object_get(expires, key->name));
        if (size > 0)
            value += size;
        left -= size;
    }
    return 0;
}

static size_t count_keys(json_t *entries)
{
    size_t count = 0, index;
    json_t *entry;
    json_array_foreach(entries, index, entry) count +=
        json_array_size(json_object_get(entry, "names"));
    return count;
}

static int compare_services(const void *a, const void *b)
{
    return strcmp(((const struct defined_service *)a)->path,
                  ((const struct defined_service *)b)->path);
}

static int make(struct defined *defined, bool is_shown)
{
    json_t *entries = json_object_get(defined->answer.reply, "entries"), *entry;
    const unsigned char *value = defined->answer.values;
    size_t index;
    defined->services = calloc(json_array_size(entries) + 1, sizeof *defined->services);
    defined->keys = calloc(count_keys(entries) + 1, sizeof *defined->keys);
    if (defined->services == NULL || defined->keys == NULL)
        return error_set(ERR_NOMEM, "no memory for %zu services", json_array_size(entries));
    json_array_foreach(entries, index, entry)
    {
        struct defined_service *service = &defined->services[defined->service_count++];
        *service =
            (struct defined_service){.path = output_member(entry, "path"),
                                     .first = defined->key_count,
                                     .count = json_array_size(json_object_get(entry, "names")),
                                     .shares = json_object_get(entry, "shares"),
                                     .schema = json_object_get(entry, "schema")};
        int error = add_keys(defined, entry, value, is_shown);
        if (error < 0)
            return error;
        if (value != NULL)
            value += json_integer_value(json_object_get(entry, "size"));
    }
    qsort(defined->services, defined->service_count, sizeof *defined->services, compare_services);
    return 0;
}

int defined_ask(struct defined *defined, struct session *session, json_t *parameters)
{
    bool is_shown = json_is_true(json_object_get(parameters, "reveal"));
    *defined = (struct defined){.answer = ANSWER_INIT};
    int error = session_ask(session, "io.emsa.Definitions", parameters, NULL, 0, &defined->answer);
    if (error < 0)
        return error;
    json_t *reply = defined->answer.reply;
    defined->rev = (uint64_t)json_integer_value(json_object_get(reply, "rev"));
    defined->environments = json_object_get(reply, "environments");
    defined->changed = json_object_get(reply, "changed");
    return make(defined, is_shown);
}

const struct defined_service *defined_service(const struct defined *defined, const char *path)
{
    struct defined_service wanted = {.path = path};
    if (defined->service_count == 0)
        return NULL;
    return bsearch(&wanted, defined->services, defined->service_count, sizeof wanted,
                   compare_services);
}

static int compare_keys(const void *a, const void *b)
{
    return strcmp(((const struct defined_key *)a)->name, ((const struct defined_key *)b)->name);
}

const struct defined_key *defined_key(const struct defined *defined,
                                      const struct defined_service *service, const char *name)
{
    struct defined_key wanted = {.name = name};
    if (service == NULL || service->count == 0)
        return NULL;
    return bsearch(&wanted, defined->keys + service->first, service->count, sizeof wanted,
                   compare_keys);
}
