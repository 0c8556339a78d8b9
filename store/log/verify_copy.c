/*
 * Copies. Who signs that something is copied signs no value, and not even which: what was there is
 * what the log says. So of each set that says whence it is, it is asked that this very definition
 * was there, that it still was when it was copied (or at the revision that was gone back to), and
 * that the bytes are the same. Of secrets, which are sealed anew, whoever has the keys tells the
 * last (store/model/signed_check.h).
 */
#include <string.h>

#include "store/error.h"
#include "store/log/copied.h"
#include "store/log/verify_internal.h"

/* The bytes of a set. TXN_NOT_FOUND: they were destroyed. */
static int read_value(struct verify *verify, struct slice *out, enum operation_kind kind,
                      uint64_t rev, uint32_t op)
{
    struct slice body;
    struct key key;
    int found = txn_get(verify->txn, &body, DB_VALUE, key_operation(&key, rev, op));
    if (!found)
        found = value_decode(&out->data, &out->size, kind, body);
    if (found != -ERR_PURGED)
        return found;
    error_clear();
    return TXN_NOT_FOUND;
}

/* Whether two sets have the same bytes, as far as that can be told: 0; 1: they have not. Of both,
 * so many are passed over where they begin. */
static int compare_bytes(struct verify *verify, enum operation_kind kind, uint64_t was_rev,
                         uint32_t was_op, uint32_t op, size_t (*begin)(struct slice))
{
    struct slice was, is;
    int found = read_value(verify, &was, kind, was_rev, was_op);
    if (!found)
        found = read_value(verify, &is, kind, verify->rev, op);
    if (found)
        return found < 0 ? found : 0; /* it is rightly gone, or that is told of by itself */
    const size_t from = begin ? begin(was) : 0, at = begin ? begin(is) : 0;
    return was.size - from != is.size - at ||
           (is.size - at && memcmp(was.data + from, is.data + at, is.size - at) != 0);
}

static int compare(struct verify *verify, const struct operation *copy, uint32_t op,
                   uint32_t source)
{
    struct operation set = {.from = {0}};
    struct slice body = {0};
    struct key key;
    int found = txn_get(verify->txn, &body, DB_LOG, key_operation(&key, copy->from.rev, source));
    if (!found)
        found = operation_decode(&set, body);
    if (found)
        return found;
    if (set.kind != copy->kind || set.stored_size != copy->stored_size ||
        (copy->expires && copy->expires != set.expires)) /* else it ends by whom nobody asked */
        return 1;
    return copy->kind == OPERATION_SET_SECRET
               ? 0
               : compare_bytes(verify, set.kind, copy->from.rev, source, op, NULL);
}

/* As of which revision what is copied stood; 0: whoever made the commit says. Positive 1: there was
 * no such tag. */
static int find_moment(struct verify *verify, uint64_t *as_of)
{
    const struct slice tag = verify->follow.to_tag;
    *as_of = verify->is_signed ? follow_copied_at(&verify->follow, verify->rev) : 0;
    if (!verify->is_signed || *as_of)
        return 0;
    const struct relation *named = relations_find(&verify->expected.relations, RELATION_TAG, 0, 0,
                                                  0, (const char *)tag.data, tag.size);
    if (!named || !named->rev)
        return TXN_NOT_FOUND;
    *as_of = named->tagged;
    return 0;
}

int verify_copy_of(struct verify *verify, const struct operation *operation, uint32_t op,
                   const char *what)
{
    uint32_t source = 0;
    uint64_t as_of = 0;
    if (!operation->from.environment || !operation_is_set(operation->kind))
        return 0;
    int found = find_moment(verify, &as_of);
    if (!found)
        found = copied_source(verify->txn, &source, operation, verify->rev, op);
    if (!found && as_of && operation->from.rev != verify->rev)
        found = copied_stood(verify->txn, operation, as_of);
    if (!found)
        found = compare(verify, operation, op, source);
    found = verify_read(verify, found, what);
    if (found == 1)
        verify_fault(verify, "%s: it is said to be a copy, and is not what stood there", what);
    return found < 0 ? found : 0;
}

/* --- what does not say of itself whence it is --- */

/* An environment that is copied: what ends there is set anew, to end then. */
static int check_ending(struct verify *verify, const struct operation *set, uint32_t op)
{
    const uint32_t from = expected_living(&verify->expected, verify->follow.from.environment);
    struct spot spot;
    const int found = verify_moment(verify, &spot, from, set->name_id, verify->rev - 1);
    if (found)
        return found;
    if (!spot.expires || spot.kind != (unsigned)set->kind)
        return 1;
    return compare_bytes(verify, set->kind, spot.since, spot.op, op, NULL);
}

/* Behind format, flags and the service's name, which is another one's. */
static size_t begin_of_schema(struct slice schema)
{
    const size_t begin = schema.size > 2 ? 3 + (size_t)schema.data[2] : 0;
    return begin <= schema.size ? begin : schema.size;
}

/* The service that something comes from, and its environment. */
static int find_from(struct verify *verify, uint32_t *environment, uint32_t *service)
{
    const struct follow *follow = &verify->follow;
    *environment = expected_living(&verify->expected, follow->from.environment);
    return state_service_id(verify->txn, service,
                            follow->from.service[0] ? follow->from.service : follow->names.service);
}

static int check_schema(struct verify *verify, uint32_t op)
{
    uint32_t environment, service;
    const int found = find_from(verify, &environment, &service);
    if (found)
        return found;
    const struct relation *was = relations_find(&verify->expected.relations, RELATION_SCHEMA,
                                                environment, service, 0, "", 0);
    if (!was || !was->rev)
        return 1;
    return compare_bytes(verify, OPERATION_SCHEMA_SET, was->rev, was->op, op, begin_of_schema);
}

/* What moves is shared no more where it was by now. */
static int check_share(struct verify *verify, const struct operation *share)
{
    const struct follow *follow = &verify->follow;
    uint32_t environment, service;
    uint64_t name_id;
    int found = find_from(verify, &environment, &service);
    if (!found)
        found = state_name_id(verify->txn, &name_id, service,
                              follow->from.key[0] ? follow->from.key : follow->names.key);
    if (found)
        return found;
    return !relations_find(&verify->expected.relations, RELATION_SHARE, environment, service,
                           name_id, share->consumer, share->consumer_size);
}

static int is_misfit(struct verify *verify, const struct operation *operation, uint32_t op)
{
    if (operation_is_set(operation->kind))
        return operation->from.environment ? 0 : check_ending(verify, operation, op);
    if (operation->kind == OPERATION_SCHEMA_SET)
        return check_schema(verify, op);
    return operation->kind == OPERATION_SHARE && !operation->is_override
               ? check_share(verify, operation)
               : 0;
}

int verify_brought(struct verify *verify, const struct operation *operation, uint32_t op,
                   const char *what)
{
    if (!verify->is_signed || !follow_copies(&verify->follow))
        return 0;
    const int found = verify_read(verify, is_misfit(verify, operation, op), what);
    if (found == 1)
        verify_fault(verify, "%s: it is not what stood where it was asked to come from", what);
    return found < 0 ? found : 0;
}
