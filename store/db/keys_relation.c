/* The keys of what is said about names: references, shares, locks, tags, schemas, fingerprints. */
#include <string.h>

#include "store/db/keys_internal.h"

/* What begins the keys of references, shares and locks. */
static void add_path(struct key *key, uint32_t layer, const char *service, const char *name)
{
    key_add_number(key_start(key, ""), layer, 4);
    key_add_short(key, service);
    key_add_short(key, name);
}

struct slice key_reference(struct key *key, uint32_t layer, const char *service, const char *name,
                           uint64_t name_id)
{
    add_path(key, layer, service, name);
    key_add_number(key, name_id, 8);
    return key_done(key);
}

int key_reference_parse(struct slice found, uint32_t *layer,
                        char service[static SERVICE_NAME_MAX + 1],
                        char key[static KEY_NAME_MAX + 1], uint64_t *name_id)
{
    struct key_parser in = key_parse(found, "");
    uint64_t parsed_layer = key_take_number(&in, 4);
    struct slice parsed_service = key_take_short(&in, SERVICE_NAME_MAX);
    struct slice parsed_key = key_take_short(&in, KEY_NAME_MAX);
    uint64_t parsed_name = key_take_number(&in, 8);
    int error = key_end(&in, "reference");
    if (error)
        return error;
    *layer = (uint32_t)parsed_layer;
    key_copy_text(service, parsed_service);
    key_copy_text(key, parsed_key);
    *name_id = parsed_name;
    return 0;
}

struct slice key_share(struct key *key, uint32_t layer, const char *service, const char *name,
                       const char *consumer)
{
    add_path(key, layer, service, name);
    key_add_short(key, consumer);
    return key_done(key);
}

int key_share_parse(struct slice found, uint32_t *layer, char service[static SERVICE_NAME_MAX + 1],
                    char key[static KEY_NAME_MAX + 1], char consumer[static SERVICE_NAME_MAX + 1])
{
    struct key_parser in = key_parse(found, "");
    uint64_t parsed_layer = key_take_number(&in, 4);
    struct slice parsed_service = key_take_short(&in, SERVICE_NAME_MAX);
    struct slice parsed_key = key_take_short(&in, KEY_NAME_MAX);
    struct slice parsed_consumer = key_take_short(&in, SERVICE_NAME_MAX);
    int error = key_end(&in, "share");
    if (error)
        return error;
    *layer = (uint32_t)parsed_layer;
    key_copy_text(service, parsed_service);
    key_copy_text(key, parsed_key);
    key_copy_text(consumer, parsed_consumer);
    return 0;
}

struct slice key_lock(struct key *key, uint32_t environment, const char *service, const char *name)
{
    add_path(key, environment, service, name);
    return key_done(key);
}

int key_lock_parse(struct slice found, uint32_t *environment,
                   char service[static SERVICE_NAME_MAX + 1], char key[static KEY_NAME_MAX + 1])
{
    struct key_parser in = key_parse(found, "");
    uint64_t parsed_environment = key_take_number(&in, 4);
    struct slice parsed_service = key_take_short(&in, SERVICE_NAME_MAX);
    struct slice parsed_key = key_take_short(&in, KEY_NAME_MAX);
    int error = key_end(&in, "lock");
    if (error)
        return error;
    *environment = (uint32_t)parsed_environment;
    key_copy_text(service, parsed_service);
    key_copy_text(key, parsed_key);
    return 0;
}

struct slice key_tag(struct key *key, const char *name)
{
    return key_of_text(key, "", name);
}

int key_tag_parse(struct slice found, char name[static TAG_NAME_MAX + 1])
{
    struct key_parser in = key_parse(found, "");
    const struct slice text = key_take_rest(&in, TAG_NAME_MAX);
    const int error = key_end(&in, "tag");
    if (!error)
        key_copy_text(name, text);
    return error;
}

struct slice key_grant(struct key *key, uint32_t environment, uint32_t service,
                       const char *principal)
{
    key_add_number(key_start(key, ""), environment, 4);
    key_add_number(key, service, 4);
    key_add(key, principal, strlen(principal));
    return key_done(key);
}

int key_grant_parse(struct slice found, uint32_t *environment, uint32_t *service,
                    char principal[static PRINCIPAL_MAX + 1])
{
    struct key_parser in = key_parse(found, "");
    uint64_t parsed_environment = key_take_number(&in, 4);
    uint64_t parsed_service = key_take_number(&in, 4);
    struct slice text = key_take_rest(&in, PRINCIPAL_MAX);
    int error = key_end(&in, "grant");
    if (error)
        return error;
    *environment = (uint32_t)parsed_environment;
    *service = (uint32_t)parsed_service;
    key_copy_text(principal, text);
    return 0;
}

struct slice key_schema(struct key *key, uint32_t layer, uint32_t service)
{
    key_add_number(key_start(key, ""), layer, 4);
    key_add_number(key, service, 4);
    return key_done(key);
}

int key_schema_parse(struct slice found, uint32_t *layer, uint32_t *service)
{
    struct key_parser in = key_parse(found, "");
    uint64_t parsed_layer = key_take_number(&in, 4);
    uint64_t parsed_service = key_take_number(&in, 4);
    int error = key_end(&in, "schema");
    if (error)
        return error;
    *layer = (uint32_t)parsed_layer;
    *service = (uint32_t)parsed_service;
    return 0;
}

struct slice key_leak_value(struct key *key, const uint8_t fingerprint[static FINGERPRINT_SIZE],
                            uint32_t environment, uint64_t name_id)
{
    key_add(key_start(key, "F"), fingerprint, FINGERPRINT_SIZE);
    key_add_number(key, environment, 4);
    key_add_number(key, name_id, 8);
    return key_done(key);
}

struct slice key_leak_place(struct key *key, uint32_t environment, uint64_t name_id)
{
    key_add_number(key_start(key, "P"), environment, 4);
    key_add_number(key, name_id, 8);
    return key_done(key);
}

int key_leak_value_parse(struct slice found, uint8_t fingerprint[static FINGERPRINT_SIZE],
                         uint32_t *environment, uint64_t *name_id)
{
    struct key_parser in = key_parse(found, "F");
    const unsigned char *data = key_take(&in, FINGERPRINT_SIZE);
    uint64_t parsed_environment = key_take_number(&in, 4);
    uint64_t parsed_name = key_take_number(&in, 8);
    int error = key_end(&in, "leak");
    if (error)
        return error;
    memcpy(fingerprint, data, FINGERPRINT_SIZE);
    *environment = (uint32_t)parsed_environment;
    *name_id = parsed_name;
    return 0;
}

int key_leak_place_parse(struct slice found, uint32_t *environment, uint64_t *name_id)
{
    struct key_parser in = key_parse(found, "P");
    uint64_t parsed_environment = key_take_number(&in, 4);
    uint64_t parsed_name = key_take_number(&in, 8);
    int error = key_end(&in, "leak");
    if (error)
        return error;
    *environment = (uint32_t)parsed_environment;
    *name_id = parsed_name;
    return 0;
}
