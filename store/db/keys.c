#include "store/db/keys_internal.h"

#include <string.h>

#include "store/error.h"

void key_add(struct key *key, const void *data, size_t size)
{
    size_t left = sizeof(key->data) - key->size;
    if (size > left)
        size = left;
    if (size > 0)
        memcpy(key->data + key->size, data, size);
    key->size += size;
}

void key_add_number(struct key *key, uint64_t value, size_t size)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value >> (8 * (size - 1 - i)));
    key_add(key, bytes, size);
}

void key_add_short(struct key *key, const char *text)
{
    size_t size = strlen(text);
    key_add_number(key, size > UINT8_MAX ? UINT8_MAX : size, 1);
    key_add(key, text, size);
}

struct key *key_start(struct key *key, const char *tag)
{
    key->size = 0;
    key_add(key, tag, strlen(tag));
    return key;
}

struct slice key_done(const struct key *key)
{
    return (struct slice){key->data, key->size};
}

struct slice key_of_text(struct key *key, const char *tag, const char *text)
{
    key_add(key_start(key, tag), text, strlen(text));
    return key_done(key);
}

struct key_parser key_parse(struct slice found, const char *tag)
{
    struct key_parser in = {.left = found};
    size_t size = strlen(tag);
    if (found.size < size || memcmp(found.data, tag, size) != 0)
        in.failed = 1;
    else
        in.left = (struct slice){found.data + size, found.size - size};
    return in;
}

const unsigned char *key_take(struct key_parser *in, size_t size)
{
    if (in->failed || in->left.size < size) {
        in->failed = 1;
        return NULL;
    }
    const unsigned char *data = in->left.data;
    in->left = (struct slice){data + size, in->left.size - size};
    return data;
}

uint64_t key_take_number(struct key_parser *in, size_t size)
{
    const unsigned char *data = key_take(in, size);
    uint64_t value = 0;
    for (size_t i = 0; data && i < size; i++)
        value = value << 8 | data[i];
    return value;
}

struct slice key_take_text(struct key_parser *in, size_t size, size_t maximum)
{
    const unsigned char *text = key_take(in, size);
    if (!text || size > maximum || memchr(text, '\0', size)) {
        in->failed = 1;
        return (struct slice){NULL, 0};
    }
    return (struct slice){text, size};
}

struct slice key_take_rest(struct key_parser *in, size_t maximum)
{
    return key_take_text(in, in->left.size, maximum);
}

struct slice key_take_short(struct key_parser *in, size_t maximum)
{
    size_t size = key_take_number(in, 1);
    return key_take_text(in, size, maximum);
}

int key_end(const struct key_parser *in, const char *database)
{
    if (in->failed || in->left.size > 0)
        return error_set(ERR_CORRUPT, "a key of database '%s' is malformed", database);
    return 0;
}

void key_copy_text(char *out, struct slice text)
{
    memcpy(out, text.data, text.size);
    out[text.size] = '\0';
}

struct slice key_meta(struct key *key, const char *name)
{
    return key_of_text(key, "", name);
}

struct slice key_commit(struct key *key, uint64_t rev)
{
    key_add_number(key_start(key, ""), rev, 8);
    return key_done(key);
}

int key_commit_parse(struct slice found, uint64_t *rev)
{
    struct key_parser in = key_parse(found, "");
    uint64_t parsed = key_take_number(&in, 8);
    int error = key_end(&in, "commit");
    if (!error)
        *rev = parsed;
    return error;
}

struct slice key_operation(struct key *key, uint64_t rev, uint32_t op)
{
    key_add_number(key_start(key, ""), rev, 8);
    key_add_number(key, op, 4);
    return key_done(key);
}

int key_operation_parse(struct slice found, uint64_t *rev, uint32_t *op)
{
    struct key_parser in = key_parse(found, "");
    uint64_t parsed_rev = key_take_number(&in, 8);
    uint64_t parsed_op = key_take_number(&in, 4);
    int error = key_end(&in, "log");
    if (error)
        return error;
    *rev = parsed_rev;
    *op = (uint32_t)parsed_op;
    return 0;
}

struct slice key_request(struct key *key, const uint8_t id[static REQUEST_KEY_SIZE])
{
    key_add(key_start(key, ""), id, REQUEST_KEY_SIZE);
    return key_done(key);
}

struct slice key_environment(struct key *key, const char *name)
{
    return key_of_text(key, "", name);
}

int key_environment_parse(struct slice found, char name[static ENVIRONMENT_NAME_MAX + 1])
{
    struct key_parser in = key_parse(found, "");
    struct slice text = key_take_rest(&in, ENVIRONMENT_NAME_MAX);
    int error = key_end(&in, "environment");
    if (!error)
        key_copy_text(name, text);
    return error;
}

struct slice key_place(struct key *key, uint32_t environment, const char *service)
{
    key_add_number(key_start(key, ""), environment, 4);
    key_add(key, service, strlen(service));
    return key_done(key);
}

int key_place_parse(struct slice found, uint32_t *environment,
                    char service[static SERVICE_NAME_MAX + 1])
{
    struct key_parser in = key_parse(found, "");
    uint64_t parsed = key_take_number(&in, 4);
    struct slice text = key_take_rest(&in, SERVICE_NAME_MAX);
    int error = key_end(&in, "place");
    if (error)
        return error;
    *environment = (uint32_t)parsed;
    key_copy_text(service, text);
    return 0;
}

struct slice key_current(struct key *key, uint32_t environment, uint32_t service, const char *name)
{
    key_add_number(key_start(key, ""), environment, 4);
    key_add_number(key, service, 4);
    key_add(key, name, strlen(name));
    return key_done(key);
}

int key_current_parse(struct slice found, uint32_t *environment, uint32_t *service,
                      char key[static KEY_NAME_MAX + 1])
{
    struct key_parser in = key_parse(found, "");
    uint64_t parsed_environment = key_take_number(&in, 4);
    uint64_t parsed_service = key_take_number(&in, 4);
    struct slice text = key_take_rest(&in, KEY_NAME_MAX);
    int error = key_end(&in, "current");
    if (error)
        return error;
    *environment = (uint32_t)parsed_environment;
    *service = (uint32_t)parsed_service;
    key_copy_text(key, text);
    return 0;
}

struct slice key_history(struct key *key, uint32_t environment, uint64_t name_id, uint64_t rev)
{
    key_add_number(key_start(key, ""), environment, 4);
    key_add_number(key, name_id, 8);
    key_add_number(key, rev, 8);
    return key_done(key);
}

int key_history_parse(struct slice found, uint32_t *environment, uint64_t *name_id, uint64_t *rev)
{
    struct key_parser in = key_parse(found, "");
    uint64_t parsed_environment = key_take_number(&in, 4);
    uint64_t parsed_name = key_take_number(&in, 8);
    uint64_t parsed_rev = key_take_number(&in, 8);
    int error = key_end(&in, "history");
    if (error)
        return error;
    *environment = (uint32_t)parsed_environment;
    *name_id = parsed_name;
    *rev = parsed_rev;
    return 0;
}

struct slice key_expiry(struct key *key, int64_t moment, uint32_t environment, uint64_t name_id)
{
    key_add_number(key_start(key, ""), (uint64_t)moment, 8);
    key_add_number(key, environment, 4);
    key_add_number(key, name_id, 8);
    return key_done(key);
}

int key_expiry_parse(struct slice found, int64_t *moment, uint32_t *environment, uint64_t *name_id)
{
    struct key_parser in = key_parse(found, "");
    uint64_t parsed_moment = key_take_number(&in, 8);
    uint64_t parsed_environment = key_take_number(&in, 4);
    uint64_t parsed_name = key_take_number(&in, 8);
    in.failed |= parsed_moment > INT64_MAX;
    int error = key_end(&in, "expiry");
    if (error)
        return error;
    *moment = (int64_t)parsed_moment;
    *environment = (uint32_t)parsed_environment;
    *name_id = parsed_name;
    return 0;
}

struct slice key_name_environment(struct key *key, uint32_t environment)
{
    key_add_number(key_start(key, "E"), environment, 4);
    return key_done(key);
}

struct slice key_name_service(struct key *key, uint32_t service)
{
    key_add_number(key_start(key, "S"), service, 4);
    return key_done(key);
}

struct slice key_name_service_text(struct key *key, const char *service)
{
    return key_of_text(key, "s", service);
}

struct slice key_name_entry(struct key *key, uint64_t name_id)
{
    key_add_number(key_start(key, "N"), name_id, 8);
    return key_done(key);
}

struct slice key_name_entry_text(struct key *key, uint32_t service, const char *name)
{
    key_add_number(key_start(key, "n"), service, 4);
    key_add(key, name, strlen(name));
    return key_done(key);
}

static int parse_tagged_id(struct slice found, const char *tag, uint32_t *id)
{
    struct key_parser in = key_parse(found, tag);
    uint64_t parsed = key_take_number(&in, 4);
    int error = key_end(&in, "name");
    if (!error)
        *id = (uint32_t)parsed;
    return error;
}

int key_name_environment_parse(struct slice found, uint32_t *environment)
{
    return parse_tagged_id(found, "E", environment);
}

int key_name_service_parse(struct slice found, uint32_t *service)
{
    return parse_tagged_id(found, "S", service);
}

int key_name_service_text_parse(struct slice found, char service[static SERVICE_NAME_MAX + 1])
{
    struct key_parser in = key_parse(found, "s");
    struct slice text = key_take_rest(&in, SERVICE_NAME_MAX);
    int error = key_end(&in, "name");
    if (!error)
        key_copy_text(service, text);
    return error;
}

int key_name_entry_parse(struct slice found, uint64_t *name_id)
{
    struct key_parser in = key_parse(found, "N");
    uint64_t parsed = key_take_number(&in, 8);
    int error = key_end(&in, "name");
    if (!error)
        *name_id = parsed;
    return error;
}

int key_name_entry_text_parse(struct slice found, uint32_t *service,
                              char key[static KEY_NAME_MAX + 1])
{
    struct key_parser in = key_parse(found, "n");
    uint64_t parsed = key_take_number(&in, 4);
    struct slice text = key_take_rest(&in, KEY_NAME_MAX);
    int error = key_end(&in, "name");
    if (error)
        return error;
    *service = (uint32_t)parsed;
    key_copy_text(key, text);
    return 0;
}

struct slice key_identity(struct key *key, const uint8_t public_key[static PUBLIC_KEY_SIZE])
{
    key_add(key_start(key, "I"), public_key, PUBLIC_KEY_SIZE);
    return key_done(key);
}

struct slice key_pair(struct key *key, uint32_t environment, uint32_t service, uint32_t generation)
{
    key_add_number(key_start(key, "K"), environment, 4);
    key_add_number(key, service, 4);
    key_add_number(key, generation, 4);
    return key_done(key);
}

struct slice key_wrapped(struct key *key, uint32_t environment, uint32_t service,
                         uint32_t generation, const uint8_t holder[static PUBLIC_KEY_SIZE])
{
    key_pair(key, environment, service, generation);
    key->data[0] = 'W';
    key_add(key, holder, PUBLIC_KEY_SIZE);
    return key_done(key);
}

int key_identity_parse(struct slice found, uint8_t public_key[static PUBLIC_KEY_SIZE])
{
    struct key_parser in = key_parse(found, "I");
    const unsigned char *data = key_take(&in, PUBLIC_KEY_SIZE);
    int error = key_end(&in, "key");
    if (!error)
        memcpy(public_key, data, PUBLIC_KEY_SIZE);
    return error;
}

int key_pair_parse(struct slice found, uint32_t *environment, uint32_t *service,
                   uint32_t *generation)
{
    struct key_parser in = key_parse(found, "K");
    uint64_t parsed_environment = key_take_number(&in, 4);
    uint64_t parsed_service = key_take_number(&in, 4);
    uint64_t parsed_generation = key_take_number(&in, 4);
    int error = key_end(&in, "key");
    if (error)
        return error;
    *environment = (uint32_t)parsed_environment;
    *service = (uint32_t)parsed_service;
    *generation = (uint32_t)parsed_generation;
    return 0;
}

int key_wrapped_parse(struct slice found, uint32_t *environment, uint32_t *service,
                      uint32_t *generation, uint8_t holder[static PUBLIC_KEY_SIZE])
{
    struct key_parser in = key_parse(found, "W");
    uint64_t parsed_environment = key_take_number(&in, 4);
    uint64_t parsed_service = key_take_number(&in, 4);
    uint64_t parsed_generation = key_take_number(&in, 4);
    const unsigned char *data = key_take(&in, PUBLIC_KEY_SIZE);
    int error = key_end(&in, "key");
    if (error)
        return error;
    *environment = (uint32_t)parsed_environment;
    *service = (uint32_t)parsed_service;
    *generation = (uint32_t)parsed_generation;
    memcpy(holder, data, PUBLIC_KEY_SIZE);
    return 0;
}

struct slice key_outcome(struct key *key, uint64_t rev, uint32_t chunk)
{
    return key_operation(key, rev, chunk);
}

int key_outcome_parse(struct slice found, uint64_t *rev, uint32_t *chunk)
{
    struct key_parser in = key_parse(found, "");
    uint64_t parsed_rev = key_take_number(&in, 8);
    uint64_t parsed_chunk = key_take_number(&in, 4);
    int error = key_end(&in, "outcome");
    if (error)
        return error;
    *rev = parsed_rev;
    *chunk = (uint32_t)parsed_chunk;
    return 0;
}

struct slice key_presence(struct key *key, uint32_t environment, uint32_t service, uint64_t rev,
                          uint32_t op)
{
    key_add_number(key_start(key, ""), (uint64_t)environment << 32 | service, 8);
    key_add_number(key, rev, 8);
    key_add_number(key, op, 4);
    return key_done(key);
}

int key_presence_parse(struct slice found, uint32_t *environment, uint32_t *service, uint64_t *rev,
                       uint32_t *op)
{
    struct key_parser in = key_parse(found, "");
    uint64_t parsed_place = key_take_number(&in, 8);
    uint64_t parsed_rev = key_take_number(&in, 8);
    uint64_t parsed_op = key_take_number(&in, 4);
    int error = key_end(&in, "presence");
    if (error)
        return error;
    *environment = (uint32_t)(parsed_place >> 32);
    *service = (uint32_t)parsed_place;
    *rev = parsed_rev;
    *op = (uint32_t)parsed_op;
    return 0;
}
