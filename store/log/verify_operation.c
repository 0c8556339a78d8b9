/* One operation against everything that follows from it alone: its value, its name, its key. What
 * it means for spots is looked at when the commit is whole (verify_spot.c). */
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "store/db/keys.h"
#include "store/error.h"
#include "store/limits.h"
#include "store/log/verify_internal.h"
#include "store/template.h"

struct subject { /* the operation in hand */
    uint32_t op;
    struct operation operation;
    char what[64];
    char name[KEY_NAME_MAX + 1];
};

/* A text that is none could not be resolved, and its references would not be known. */
static int check_text(struct verify *verify, const struct subject *subject, const char *text,
                      size_t size)
{
    struct reference target;
    int misfit = 0;
    if (subject->operation.kind == OPERATION_SET_LINK)
        misfit = link_parse(&target, text, size);
    else if (subject->operation.kind == OPERATION_SET_TEMPLATE)
        misfit = template_check(text, size);
    if (misfit)
        verify_fault(verify, "%s: its text is none: %s", subject->what, error_text());
    return 0;
}

static int check_value(struct verify *verify, const struct subject *subject)
{
    struct slice body;
    struct key key;
    uint8_t digest[HASH_SIZE];
    const unsigned char *data;
    size_t size = 0;
    const struct operation *operation = &subject->operation;
    int found =
        txn_get(verify->txn, &body, DB_VALUE, key_operation(&key, verify->rev, subject->op));
    if (!found && body.size >= 2 && body.data[1] == 0)
        return verify_erased(verify, operation, subject->op, body, subject->what);
    if (!found) {
        value_digest(digest, body);
        if (memcmp(digest, operation->digest, HASH_SIZE) != 0)
            return verify_fault(verify, "%s: its value does not match its hash", subject->what);
        found = value_decode(&data, &size, operation_value_kind(operation->kind), body);
    }
    found = verify_read(verify, found, subject->what);
    if (found)
        return found == TXN_NOT_FOUND
                   ? verify_fault(verify, "%s: its value is not there", subject->what)
               : found < 0 ? found
                           : 0;
    verify->report->values++;
    if (operation->kind != OPERATION_SET_SECRET && size != operation->stored_size)
        verify_fault(verify, "%s: its value is not of its recorded size", subject->what);
    found = erasure_may(operation->kind)
                ? verify_not_erased(verify, operation, subject->op, subject->what)
                : 0;
    return found ? found : check_text(verify, subject, (const char *)data, size);
}

/* The name's record, both ways. */
static int check_name(struct verify *verify, const struct subject *subject)
{
    const struct operation *operation = &subject->operation;
    char key[KEY_NAME_MAX + 1];
    uint32_t service = 0;
    uint64_t id = 0;
    verify->report->derived += 2;
    int found = state_name(verify->txn, &service, key, operation->name_id);
    if (!found)
        found = state_name_id(verify->txn, &id, operation->service, subject->name);
    found = verify_read(verify, found, subject->what);
    if (found == TXN_NOT_FOUND ||
        (!found && (service != operation->service || id != operation->name_id ||
                    strcmp(key, subject->name) != 0)))
        verify_fault(verify, "%s: the id of '%s' is recorded wrongly", subject->what,
                     subject->name);
    return found < 0 ? found : 0;
}

/* That a place came or went. */
static int check_presence(struct verify *verify, const struct subject *subject)
{
    const struct operation *operation = &subject->operation;
    const bool came =
        operation->kind == OPERATION_ENVIRONMENT_ADD || operation->kind == OPERATION_SERVICE_ADD;
    struct presence presence = {.environment = operation->environment,
                                .service = operation->service,
                                .rev = verify->rev,
                                .op = subject->op};
    verify->report->derived++;
    verify->presences++;
    const int found = verify_read(verify, state_presence_of(verify->txn, &presence), subject->what);
    if (found == TXN_NOT_FOUND ||
        (!found && (presence.is_there != came || presence.incarnation != operation->turn)))
        verify_fault(verify, "%s: the record of what came or went does not match the log",
                     subject->what);
    return found < 0 ? found : 0;
}

static int check_derived(struct verify *verify, const struct subject *subject)
{
    const struct operation *operation = &subject->operation;
    switch (operation->kind) {
    case OPERATION_IDENTITY:
    case OPERATION_ENVIRONMENT_KEY:
    case OPERATION_SERVICE_KEY:
    case OPERATION_GRANT:
    case OPERATION_VALUE_KEY:
    case OPERATION_RIGHTS_REVOKE:
        return verify_key_of(verify, operation, subject->op, subject->what);
    case OPERATION_PURGE: {
        const int error = verify_purge_of(verify, operation, subject->op, subject->what);
        return error || !operation->name_id ? error : check_name(verify, subject);
    }
    case OPERATION_COMPACT:
        return verify_compaction_of(verify, operation, subject->op, subject->what);
    case OPERATION_ENVIRONMENT_ADD:
    case OPERATION_ENVIRONMENT_REMOVE:
    case OPERATION_SERVICE_ADD:
    case OPERATION_SERVICE_REMOVE:
        return check_presence(verify, subject);
    default:
        break;
    }
    /* Places, and what is said of names, are compared at the end of the log. */
    int error = operation_has_value(operation->kind) ? check_value(verify, subject) : 0;
    if (!error)
        error = verify_copy_of(verify, operation, subject->op, subject->what);
    if (!error)
        error = verify_brought(verify, operation, subject->op, subject->what);
    if (!error && operation->name_id)
        error = check_name(verify, subject);
    return error;
}

/* Room for as many as a commit has operations. */
static int add_touch(struct touches *touches, const struct subject *subject)
{
    const struct operation *operation = &subject->operation;
    if (!operation_is_of_key(operation->kind) && !operation_is_of_default(operation->kind))
        return 0;
    if (touches->count == touches->capacity) {
        const size_t capacity = touches->capacity ? touches->capacity * 2 : 64;
        struct touch *items = realloc(touches->items, capacity * sizeof *items);
        if (!items)
            return error_set(ERR_NOMEM, "no memory to verify");
        touches->items = items;
        touches->capacity = capacity;
    }
    touches->items[touches->count++] = (struct touch){.environment = operation_layer(operation),
                                                      .name_id = operation->name_id,
                                                      .op = subject->op};
    return 0;
}

static int add_leaf(struct verify *verify, const struct subject *subject, struct slice body)
{
    struct leaf leaf = {.environment = subject->operation.environment,
                        .service = subject->operation.service,
                        .op = subject->op};
    operation_leaf(leaf.hash, verify->store_id, verify->rev, subject->op, body);
    return leaves_add(&verify->leaves, &leaf);
}

int verify_operation(struct verify *verify, uint32_t op)
{
    struct subject subject = {.op = op};
    struct slice body;
    struct key key;
    const char *why = NULL;
    snprintf(subject.what, sizeof subject.what, "commit %" PRIu64 ": operation %u", verify->rev,
             op);
    int found = txn_get(verify->txn, &body, DB_LOG, key_operation(&key, verify->rev, op));
    if (!found)
        found = operation_decode(&subject.operation, body);
    found = verify_read(verify, found, subject.what);
    if (found == TXN_NOT_FOUND)
        verify_fault(verify, "%s: it is not there", subject.what);
    if (found)
        return found < 0 ? found : 0;
    verify->report->operations++;
    if (op == 0)
        verify->is_override = subject.operation.is_override;
    if (subject.operation.is_override != verify->is_override)
        verify_fault(verify, "%s: it says otherwise than the first whether a rule was overridden",
                     subject.what);
    verify->is_compaction |= subject.operation.kind == OPERATION_COMPACT;
    memcpy(subject.name, subject.operation.name, subject.operation.name_size);
    found = add_leaf(verify, &subject, body);
    if (!found)
        found = add_touch(&verify->touches, &subject);
    if (found)
        return found;
    found =
        expected_apply(&verify->expected, &why, &subject.operation, op, verify->rev, verify->time);
    if (found > 0)
        verify_fault(verify, "%s: %s", subject.what, why);
    if (found >= 0)
        found = verify_follows(verify, &subject.operation, subject.what);
    return found < 0 ? found : check_derived(verify, &subject);
}
