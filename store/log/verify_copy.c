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

/* 0: they are the same, as far as that can be told; 1: they are not. */
static int compare(struct verify *verify, const struct operation *copy, uint32_t op,
                   uint32_t source)
{
    struct operation set;
    struct slice body = {0}, was, is;
    struct key key;
    int found = txn_get(verify->txn, &body, DB_LOG, key_operation(&key, copy->from.rev, source));
    if (!found)
        found = operation_decode(&set, body);
    if (found)
        return found;
    if (set.kind != copy->kind || set.stored_size != copy->stored_size)
        return 1;
    if (copy->kind == OPERATION_SET_SECRET)
        return 0;
    found = read_value(verify, &was, set.kind, copy->from.rev, source);
    if (!found)
        found = read_value(verify, &is, copy->kind, verify->rev, op);
    if (found)
        return found < 0 ? found : 0; /* it is rightly gone, or that is told of by itself */
    return was.size != is.size || (is.size && memcmp(was.data, is.data, is.size) != 0);
}

int verify_copy_of(struct verify *verify, const struct operation *operation, uint32_t op,
                   const char *what)
{
    uint32_t source = 0;
    if (!operation->from.environment || !operation_is_set(operation->kind))
        return 0;
    const uint64_t as_of = verify->is_signed ? follow_copied_at(&verify->follow, verify->rev) : 0;
    int found = copied_source(verify->txn, &source, operation, verify->rev, op);
    if (!found && as_of >= operation->from.rev)
        found = copied_stood(verify->txn, operation, as_of);
    if (!found)
        found = compare(verify, operation, op, source);
    found = verify_read(verify, found, what);
    if (found == 1)
        verify_fault(verify, "%s: it is said to be a copy, and is not what stood there", what);
    return found < 0 ? found : 0;
}
