/* The keys of identities' names, of wrapped keys of secrets, and of what could be read. */
#include "store/db/keys_internal.h"

struct slice key_identity_name(struct key *key, const char *name)
{
    return key_of_text(key, "i", name);
}

int key_identity_name_parse(struct slice found, char name[static PRINCIPAL_NAME_MAX + 1])
{
    struct key_parser in = key_parse(found, "i");
    const struct slice text = key_take_rest(&in, PRINCIPAL_NAME_MAX);
    const int error = key_end(&in, "key");
    if (!error)
        key_copy_text(name, text);
    return error;
}

struct slice key_value_wrap(struct key *key, const struct key_value_wrap *wrap)
{
    key_add_number(key_start(key, "V"), wrap->rev, 8);
    key_add_number(key, wrap->op, 4);
    key_add_number(key, wrap->environment, 4);
    key_add_number(key, wrap->service, 4);
    key_add_number(key, wrap->generation, 4);
    return key_done(key);
}

int key_value_wrap_parse(struct slice found, struct key_value_wrap *out)
{
    struct key_parser in = key_parse(found, "V");
    struct key_value_wrap wrap = {.rev = key_take_number(&in, 8)};
    wrap.op = (uint32_t)key_take_number(&in, 4);
    wrap.environment = (uint32_t)key_take_number(&in, 4);
    wrap.service = (uint32_t)key_take_number(&in, 4);
    wrap.generation = (uint32_t)key_take_number(&in, 4);
    const int error = key_end(&in, "key");
    if (!error)
        *out = wrap;
    return error;
}

struct slice key_exposure(struct key *key, uint32_t environment, uint32_t service, uint64_t rev,
                          uint32_t op)
{
    key_add_number(key_start(key, "X"), environment, 4);
    key_add_number(key, service, 4);
    key_add_number(key, rev, 8);
    key_add_number(key, op, 4);
    return key_done(key);
}

int key_exposure_parse(struct slice found, uint32_t *environment, uint32_t *service, uint64_t *rev,
                       uint32_t *op)
{
    struct key_parser in = key_parse(found, "X");
    const uint32_t in_environment = (uint32_t)key_take_number(&in, 4);
    const uint32_t in_service = (uint32_t)key_take_number(&in, 4);
    const uint64_t of_rev = key_take_number(&in, 8);
    const uint32_t of_op = (uint32_t)key_take_number(&in, 4);
    const int error = key_end(&in, "key");
    if (error)
        return error;
    *environment = in_environment;
    *service = in_service;
    *rev = of_rev;
    *op = of_op;
    return 0;
}
