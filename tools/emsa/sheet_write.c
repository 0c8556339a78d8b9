#include "tools/emsa/sheet_write.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/limits.h"
#include "tools/emsa/hidden.h"
#include "tools/emsa/moment.h"
#include "tools/emsa/output.h"
#include "tools/emsa/schema_yaml.h"
#include "tools/emsa/yaml_write.h"

#define KEY_INDENT 10u
#define BLOCK_INDENT (KEY_INDENT + 2)
#define SCHEMA_TEXT_MAX (16u * 1024u * 1024u)

struct writing {
    struct secret *out;
    const struct defined *defined;
    const struct sheet_style *style;
    int error; /* the first failure; nothing is written after it */
};

static void put(struct writing *writing, const char *text)
{
    if (writing->error == 0)
        writing->error = hidden_append_text(writing->out, text);
}

static void put_scalar(struct writing *writing, const void *data, size_t size, unsigned indent)
{
    if (writing->error == 0)
        writing->error = yaml_write(writing->out, data, size, indent);
}

static void put_word(struct writing *writing, const char *text)
{
    put_scalar(writing, text, strlen(text), 0);
}

/* "  name:" */
static void put_name(struct writing *writing, const char *indent, const char *name)
{
    put(writing, indent);
    put_word(writing, name);
    put(writing, ":");
}

static void put_base64(struct writing *writing, const struct defined_key *key)
{
    put(writing, "!base64 ");
    if (writing->error == 0)
        writing->error = hidden_append_encoded(writing->out, TEMPLATE_BASE64, key->data, key->size);
}

/* Within {}. */
static void put_member(struct writing *writing, const char *member, const struct defined_key *key)
{
    put(writing, member);
    put(writing, ": ");
    if (yaml_holds(key->data, key->size))
        put_scalar(writing, key->data, key->size, 0);
    else
        put_base64(writing, key);
}

static void put_long(struct writing *writing, const struct defined_key *key)
{
    static const char *const members[] = {[ENTRY_PLAIN] = "value",
                                          [ENTRY_SECRET] = "secret-value",
                                          [ENTRY_LINK] = "link",
                                          [ENTRY_TEMPLATE] = "template"};
    char moment[MOMENT_TEXT_MAX];
    put(writing, "{");
    if (key->data == NULL)
        put(writing, "secret: true");
    else
        put_member(writing, members[key->kind], key);
    if (key->expires != 0) {
        put(writing, ", expires: '");
        put(writing, moment_text(moment, key->expires));
        put(writing, "'");
    }
    put(writing, "}");
}

static void put_short(struct writing *writing, const struct defined_key *key)
{
    static const char *const tags[] = {[ENTRY_PLAIN] = "",
                                       [ENTRY_SECRET] = "!secret-value ",
                                       [ENTRY_LINK] = "!link ",
                                       [ENTRY_TEMPLATE] = "!template "};
    if (key->data == NULL) {
        put(writing, "!secret");
        return;
    }
    put(writing, tags[key->kind]);
    put_scalar(writing, key->data, key->size, BLOCK_INDENT);
}

static void put_key(struct writing *writing, const struct defined_key *key)
{
    bool is_held = key->data == NULL || yaml_holds(key->data, key->size);
    if (key->kind == ENTRY_SECRET && writing->style->no_secrets) {
        put(writing, "          # ");
        put(writing, key->name);
        put(writing, ": a secret, left out\n");
        return;
    }
    put_name(writing, "          ", key->name);
    put(writing, " ");
    if (key->expires != 0 || (!is_held && key->kind != ENTRY_PLAIN))
        put_long(writing, key);
    else if (!is_held)
        put_base64(writing, key);
    else
        put_short(writing, key);
    put(writing, "\n");
}

static void put_shares(struct writing *writing, json_t *shares)
{
    const char *key;
    json_t *list, *consumer;
    size_t index;
    put(writing, "        shares:\n");
    json_object_foreach(shares, key, list)
    {
        put_name(writing, "          ", key);
        put(writing, " [");
        json_array_foreach(list, index, consumer)
        {
            put(writing, index > 0 ? ", " : "");
            put_word(writing, json_string_value(consumer));
        }
        put(writing, "]\n");
    }
}

static void put_schema(struct writing *writing, json_t *schema)
{
    struct bytes text BYTES_CLEANUP = BYTES_INIT(SCHEMA_TEXT_MAX);
    put(writing, "        schema:\n");
    schema_yaml_write(&text, schema, KEY_INDENT);
    if (writing->error == 0)
        writing->error = text.error < 0 ? error_set(ERR_NOMEM, "no memory for a schema")
                                        : hidden_append(writing->out, text.data, text.size);
}

static void put_service(struct writing *writing, const struct defined_service *service)
{
    const struct defined_key *keys = writing->defined->keys + service->first;
    put_name(writing, "      ", strchr(service->path, '/') + 1);
    bool has_schema = service->schema != NULL && !writing->style->only_keys;
    put(writing, service->count == 0 && service->shares == NULL && !has_schema ? " {}\n" : "\n");
    if (has_schema)
        put_schema(writing, service->schema);
    if (service->count > 0)
        put(writing, "        keys:\n");
    for (size_t i = 0; i < service->count; i++)
        put_key(writing, &keys[i]);
    if (service->shares != NULL)
        put_shares(writing, service->shares);
}

static void put_terms(struct writing *writing, json_t *environment)
{
    char moment[MOMENT_TEXT_MAX];
    json_int_t expires = json_integer_value(json_object_get(environment, "expires"));
    const char *base = output_member(environment, "base");
    if (json_is_true(json_object_get(environment, "protected")))
        put(writing, "    protected: true\n");
    if (json_is_true(json_object_get(environment, "signed")))
        put(writing, "    signed: true\n");
    if (base[0] != '\0') {
        put(writing, "    base: ");
        put_word(writing, base);
        put(writing, "\n");
    }
    if (expires != 0) {
        put(writing, "    expires: '");
        put(writing, moment_text(moment, expires));
        put(writing, "'\n");
    }
}

static bool is_in(const struct defined_service *service, const char *environment)
{
    size_t length = strlen(environment);
    return strncmp(service->path, environment, length) == 0 && service->path[length] == '/';
}

static void put_environment(struct writing *writing, const char *name, json_t *environment)
{
    const struct defined *defined = writing->defined;
    bool has_services = false;
    put_name(writing, "  ", name);
    size_t begin = writing->out->size;
    put(writing, "\n");
    if (!writing->style->only_keys)
        put_terms(writing, environment);
    for (size_t i = 0; i < defined->service_count; i++) {
        if (!is_in(&defined->services[i], name))
            continue;
        put(writing, has_services ? "" : "    services:\n");
        has_services = true;
        put_service(writing, &defined->services[i]);
    }
    if (writing->error == 0 && writing->out->size == begin + 1) { /* an empty one */
        writing->out->size = begin;
        put(writing, " {}\n");
    }
}

int sheet_write(struct secret *out, const struct defined *defined, const struct sheet_style *style)
{
    struct writing writing = {.out = out, .defined = defined, .style = style};
    char line[64];
    const char *name;
    json_t *environment;
    snprintf(line, sizeof line, "rev: %" PRIu64 "\n", defined->rev);
    put(&writing, line);
    put(&writing,
        json_object_size(defined->environments) > 0 ? "environments:\n" : "environments: {}\n");
    json_object_foreach(defined->environments, name, environment)
        put_environment(&writing, name, environment);
    return writing.error;
}
