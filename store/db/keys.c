#include "store/db/keys.h"

#include <string.h>

#include "store/error.h"

/* Building: each adds at the end. What doesn't fit is cut: every name was checked for its length,
 * and a key that is longer than any in the store finds nothing. */
static void add(struct key *key, const void *data, size_t size)
{
    size_t left = sizeof(key->data) - key->size;
    if (size > left)
        size = left;
    if (size > 0)
        memcpy(key->data + key->size, data, size);
    key->size += size;
}

static void add_number(struct key *key, uint64_t value, size_t size)
{
    unsigned char bytes[8];
    for (size_t i = 0; i < size; i++)
        bytes[i] = (unsigned char)(value >> (8 * (size - 1 - i)));
    add(key, bytes, size);
}

/* A text that something follows: its length in a byte, then its bytes. */
static void add_short(struct key *key, const char *text)
{
    size_t size = strlen(text);
    add_number(key, size > UINT8_MAX ? UINT8_MAX : size, 1);
    add(key, text, size);
}

static struct key *start(struct key *key, const char *tag)
{
    key->size = 0;
    add(key, tag, strlen(tag));
    return key;
}

static struct slice done(const struct key *key)
{
    return (struct slice){key->data, key->size};
}

static struct slice text_key(struct key *key, const char *tag, const char *text)
{
    add(start(key, tag), text, strlen(text));
    return done(key);
}

/* Parsing: the same the other way round; what failed stays failed. */
struct parser {
    struct slice left;
    int failed;
};

static struct parser parse(struct slice found, const char *tag)
{
    struct parser in = {.left = found};
    size_t size = strlen(tag);
    if (found.size < size || memcmp(found.data, tag, size) != 0)
        in.failed = 1;
    else
        in.left = (struct slice){found.data + size, found.size - size};
    return in;
}

static const unsigned char *take(struct parser *in, size_t size)
{
    if (in->failed || in->left.size < size) {
        in->failed = 1;
        return NULL;
    }
    const unsigned char *data = in->left.data;
    in->left = (struct slice){data + size, in->left.size - size};
    return data;
}

static uint64_t take_number(struct parser *in, size_t size)
{
    const unsigned char *data = take(in, size);
    uint64_t value = 0;
    for (size_t i = 0; data && i < size; i++)
        value = value << 8 | data[i];
    return value;
}

/* The next bytes as a text of at most maximum of them. */
static struct slice take_text(struct parser *in, size_t size, size_t maximum)
{
    const unsigned char *text = take(in, size);
    if (!text || size > maximum || memchr(text, '\0', size)) {
        in->failed = 1;
        return (struct slice){NULL, 0};
    }
    return (struct slice){text, size};
}

static struct slice take_rest(struct parser *in, size_t maximum)
{
    return take_text(in, in->left.size, maximum);
}

static struct slice take_short(struct parser *in, size_t maximum)
{
    size_t size = take_number(in, 1);
    return take_text(in, size, maximum);
}

static int end(const struct parser *in, const char *database)
{
    if (in->failed || in->left.size > 0)
        return error_set(ERR_CORRUPT, "a key of database '%s' is malformed", database);
    return 0;
}

static void copy_text(char *out, struct slice text)
{
    memcpy(out, text.data, text.size);
    out[text.size] = '\0';
}

struct slice key_meta(struct key *key, const char *name)
{
    return text_key(key, "", name);
}

struct slice key_commit(struct key *key, uint64_t rev)
{
    add_number(start(key, ""), rev, 8);
    return done(key);
}

int key_commit_parse(struct slice found, uint64_t *rev)
{
    struct parser in = parse(found, "");
    uint64_t parsed = take_number(&in, 8);
    int error = end(&in, "commit");
    if (!error)
        *rev = parsed;
    return error;
}

struct slice key_operation(struct key *key, uint64_t rev, uint32_t op)
{
    add_number(start(key, ""), rev, 8);
    add_number(key, op, 4);
    return done(key);
}

int key_operation_parse(struct slice found, uint64_t *rev, uint32_t *op)
{
    struct parser in = parse(found, "");
    uint64_t parsed_rev = take_number(&in, 8);
    uint64_t parsed_op = take_number(&in, 4);
    int error = end(&in, "log");
    if (error)
        return error;
    *rev = parsed_rev;
    *op = (uint32_t)parsed_op;
    return 0;
}

struct slice key_request(struct key *key, const uint8_t id[static REQUEST_KEY_SIZE])
{
    add(start(key, ""), id, REQUEST_KEY_SIZE);
    return done(key);
}

struct slice key_environment(struct key *key, const char *name)
{
    return text_key(key, "", name);
}

int key_environment_parse(struct slice found, char name[static ENVIRONMENT_NAME_MAX + 1])
{
    struct parser in = parse(found, "");
    struct slice text = take_rest(&in, ENVIRONMENT_NAME_MAX);
    int error = end(&in, "environment");
    if (!error)
        copy_text(name, text);
    return error;
}

struct slice key_place(struct key *key, uint32_t environment, const char *service)
{
    add_number(start(key, ""), environment, 4);
    add(key, service, strlen(service));
    return done(key);
}

int key_place_parse(struct slice found, uint32_t *environment,
                    char service[static SERVICE_NAME_MAX + 1])
{
    struct parser in = parse(found, "");
    uint64_t parsed = take_number(&in, 4);
    struct slice text = take_rest(&in, SERVICE_NAME_MAX);
    int error = end(&in, "place");
    if (error)
        return error;
    *environment = (uint32_t)parsed;
    copy_text(service, text);
    return 0;
}

struct slice key_current(struct key *key, uint32_t environment, uint32_t service, const char *name)
{
    add_number(start(key, ""), environment, 4);
    add_number(key, service, 4);
    add(key, name, strlen(name));
    return done(key);
}

int key_current_parse(struct slice found, uint32_t *environment, uint32_t *service,
                      char key[static KEY_NAME_MAX + 1])
{
    struct parser in = parse(found, "");
    uint64_t parsed_environment = take_number(&in, 4);
    uint64_t parsed_service = take_number(&in, 4);
    struct slice text = take_rest(&in, KEY_NAME_MAX);
    int error = end(&in, "current");
    if (error)
        return error;
    *environment = (uint32_t)parsed_environment;
    *service = (uint32_t)parsed_service;
    copy_text(key, text);
    return 0;
}

struct slice key_history(struct key *key, uint32_t environment, uint64_t name_id, uint64_t rev)
{
    add_number(start(key, ""), environment, 4);
    add_number(key, name_id, 8);
    add_number(key, rev, 8);
    return done(key);
}

int key_history_parse(struct slice found, uint32_t *environment, uint64_t *name_id, uint64_t *rev)
{
    struct parser in = parse(found, "");
    uint64_t parsed_environment = take_number(&in, 4);
    uint64_t parsed_name = take_number(&in, 8);
    uint64_t parsed_rev = take_number(&in, 8);
    int error = end(&in, "history");
    if (error)
        return error;
    *environment = (uint32_t)parsed_environment;
    *name_id = parsed_name;
    *rev = parsed_rev;
    return 0;
}

struct slice key_expiry(struct key *key, int64_t moment, uint32_t environment, uint64_t name_id)
{
    add_number(start(key, ""), (uint64_t)moment, 8);
    add_number(key, environment, 4);
    add_number(key, name_id, 8);
    return done(key);
}

int key_expiry_parse(struct slice found, int64_t *moment, uint32_t *environment, uint64_t *name_id)
{
    struct parser in = parse(found, "");
    uint64_t parsed_moment = take_number(&in, 8);
    uint64_t parsed_environment = take_number(&in, 4);
    uint64_t parsed_name = take_number(&in, 8);
    in.failed |= parsed_moment > INT64_MAX;
    int error = end(&in, "expiry");
    if (error)
        return error;
    *moment = (int64_t)parsed_moment;
    *environment = (uint32_t)parsed_environment;
    *name_id = parsed_name;
    return 0;
}

struct slice key_name_environment(struct key *key, uint32_t environment)
{
    add_number(start(key, "E"), environment, 4);
    return done(key);
}

struct slice key_name_service(struct key *key, uint32_t service)
{
    add_number(start(key, "S"), service, 4);
    return done(key);
}

struct slice key_name_service_text(struct key *key, const char *service)
{
    return text_key(key, "s", service);
}

struct slice key_name_entry(struct key *key, uint64_t name_id)
{
    add_number(start(key, "N"), name_id, 8);
    return done(key);
}

struct slice key_name_entry_text(struct key *key, uint32_t service, const char *name)
{
    add_number(start(key, "n"), service, 4);
    add(key, name, strlen(name));
    return done(key);
}

static int parse_tagged_id(struct slice found, const char *tag, uint32_t *id)
{
    struct parser in = parse(found, tag);
    uint64_t parsed = take_number(&in, 4);
    int error = end(&in, "name");
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
    struct parser in = parse(found, "s");
    struct slice text = take_rest(&in, SERVICE_NAME_MAX);
    int error = end(&in, "name");
    if (!error)
        copy_text(service, text);
    return error;
}

int key_name_entry_parse(struct slice found, uint64_t *name_id)
{
    struct parser in = parse(found, "N");
    uint64_t parsed = take_number(&in, 8);
    int error = end(&in, "name");
    if (!error)
        *name_id = parsed;
    return error;
}

int key_name_entry_text_parse(struct slice found, uint32_t *service,
                              char key[static KEY_NAME_MAX + 1])
{
    struct parser in = parse(found, "n");
    uint64_t parsed = take_number(&in, 4);
    struct slice text = take_rest(&in, KEY_NAME_MAX);
    int error = end(&in, "name");
    if (error)
        return error;
    *service = (uint32_t)parsed;
    copy_text(key, text);
    return 0;
}

struct slice key_identity(struct key *key, const uint8_t public_key[static PUBLIC_KEY_SIZE])
{
    add(start(key, "I"), public_key, PUBLIC_KEY_SIZE);
    return done(key);
}

struct slice key_pair(struct key *key, uint32_t environment, uint32_t service, uint32_t generation)
{
    add_number(start(key, "K"), environment, 4);
    add_number(key, service, 4);
    add_number(key, generation, 4);
    return done(key);
}

struct slice key_wrapped(struct key *key, uint32_t environment, uint32_t service,
                         uint32_t generation, const uint8_t holder[static PUBLIC_KEY_SIZE])
{
    key_pair(key, environment, service, generation);
    key->data[0] = 'W';
    add(key, holder, PUBLIC_KEY_SIZE);
    return done(key);
}

int key_identity_parse(struct slice found, uint8_t public_key[static PUBLIC_KEY_SIZE])
{
    struct parser in = parse(found, "I");
    const unsigned char *data = take(&in, PUBLIC_KEY_SIZE);
    int error = end(&in, "key");
    if (!error)
        memcpy(public_key, data, PUBLIC_KEY_SIZE);
    return error;
}

int key_pair_parse(struct slice found, uint32_t *environment, uint32_t *service,
                   uint32_t *generation)
{
    struct parser in = parse(found, "K");
    uint64_t parsed_environment = take_number(&in, 4);
    uint64_t parsed_service = take_number(&in, 4);
    uint64_t parsed_generation = take_number(&in, 4);
    int error = end(&in, "key");
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
    struct parser in = parse(found, "W");
    uint64_t parsed_environment = take_number(&in, 4);
    uint64_t parsed_service = take_number(&in, 4);
    uint64_t parsed_generation = take_number(&in, 4);
    const unsigned char *data = take(&in, PUBLIC_KEY_SIZE);
    int error = end(&in, "key");
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
    struct parser in = parse(found, "");
    uint64_t parsed_rev = take_number(&in, 8);
    uint64_t parsed_chunk = take_number(&in, 4);
    int error = end(&in, "outcome");
    if (error)
        return error;
    *rev = parsed_rev;
    *chunk = (uint32_t)parsed_chunk;
    return 0;
}

/* What begins the keys of references, shares and locks. */
static void add_path(struct key *key, uint32_t layer, const char *service, const char *name)
{
    add_number(start(key, ""), layer, 4);
    add_short(key, service);
    add_short(key, name);
}

struct slice key_reference(struct key *key, uint32_t layer, const char *service, const char *name,
                           uint64_t name_id)
{
    add_path(key, layer, service, name);
    add_number(key, name_id, 8);
    return done(key);
}

int key_reference_parse(struct slice found, uint32_t *layer,
                        char service[static SERVICE_NAME_MAX + 1],
                        char key[static KEY_NAME_MAX + 1], uint64_t *name_id)
{
    struct parser in = parse(found, "");
    uint64_t parsed_layer = take_number(&in, 4);
    struct slice parsed_service = take_short(&in, SERVICE_NAME_MAX);
    struct slice parsed_key = take_short(&in, KEY_NAME_MAX);
    uint64_t parsed_name = take_number(&in, 8);
    int error = end(&in, "reference");
    if (error)
        return error;
    *layer = (uint32_t)parsed_layer;
    copy_text(service, parsed_service);
    copy_text(key, parsed_key);
    *name_id = parsed_name;
    return 0;
}

struct slice key_share(struct key *key, uint32_t layer, const char *service, const char *name,
                       const char *consumer)
{
    add_path(key, layer, service, name);
    add_short(key, consumer);
    return done(key);
}

int key_share_parse(struct slice found, uint32_t *layer, char service[static SERVICE_NAME_MAX + 1],
                    char key[static KEY_NAME_MAX + 1], char consumer[static SERVICE_NAME_MAX + 1])
{
    struct parser in = parse(found, "");
    uint64_t parsed_layer = take_number(&in, 4);
    struct slice parsed_service = take_short(&in, SERVICE_NAME_MAX);
    struct slice parsed_key = take_short(&in, KEY_NAME_MAX);
    struct slice parsed_consumer = take_short(&in, SERVICE_NAME_MAX);
    int error = end(&in, "share");
    if (error)
        return error;
    *layer = (uint32_t)parsed_layer;
    copy_text(service, parsed_service);
    copy_text(key, parsed_key);
    copy_text(consumer, parsed_consumer);
    return 0;
}

struct slice key_lock(struct key *key, uint32_t environment, const char *service, const char *name)
{
    add_path(key, environment, service, name);
    return done(key);
}

int key_lock_parse(struct slice found, uint32_t *environment,
                   char service[static SERVICE_NAME_MAX + 1], char key[static KEY_NAME_MAX + 1])
{
    struct parser in = parse(found, "");
    uint64_t parsed_environment = take_number(&in, 4);
    struct slice parsed_service = take_short(&in, SERVICE_NAME_MAX);
    struct slice parsed_key = take_short(&in, KEY_NAME_MAX);
    int error = end(&in, "lock");
    if (error)
        return error;
    *environment = (uint32_t)parsed_environment;
    copy_text(service, parsed_service);
    copy_text(key, parsed_key);
    return 0;
}

struct slice key_leak_value(struct key *key, const uint8_t fingerprint[static FINGERPRINT_SIZE],
                            uint32_t environment, uint64_t name_id)
{
    add(start(key, "F"), fingerprint, FINGERPRINT_SIZE);
    add_number(key, environment, 4);
    add_number(key, name_id, 8);
    return done(key);
}

struct slice key_leak_place(struct key *key, uint32_t environment, uint64_t name_id)
{
    add_number(start(key, "P"), environment, 4);
    add_number(key, name_id, 8);
    return done(key);
}

int key_leak_value_parse(struct slice found, uint8_t fingerprint[static FINGERPRINT_SIZE],
                         uint32_t *environment, uint64_t *name_id)
{
    struct parser in = parse(found, "F");
    const unsigned char *data = take(&in, FINGERPRINT_SIZE);
    uint64_t parsed_environment = take_number(&in, 4);
    uint64_t parsed_name = take_number(&in, 8);
    int error = end(&in, "leak");
    if (error)
        return error;
    memcpy(fingerprint, data, FINGERPRINT_SIZE);
    *environment = (uint32_t)parsed_environment;
    *name_id = parsed_name;
    return 0;
}

int key_leak_place_parse(struct slice found, uint32_t *environment, uint64_t *name_id)
{
    struct parser in = parse(found, "P");
    uint64_t parsed_environment = take_number(&in, 4);
    uint64_t parsed_name = take_number(&in, 8);
    int error = end(&in, "leak");
    if (error)
        return error;
    *environment = (uint32_t)parsed_environment;
    *name_id = parsed_name;
    return 0;
}
