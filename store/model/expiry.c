#include "store/expiry.h"

#include "store/change.h"
#include "store/model/core.h"
#include "store/model/due.h"

static int commit(struct store *store, struct expiry_result *out, int64_t now)
{
    const struct change_terms terms = {.now = now};
    struct change_result result = {0};
    struct change *change;
    int error = change_new(&change, store);
    if (error)
        return error;
    error = change_remove_due(change);
    if (!error)
        error = change_commit(change, &terms, &result);
    change_free(change);
    if (!error && result.committed)
        *out = (struct expiry_result){.rev = result.rev, .count = result.count};
    change_result_release(&result);
    return error;
}

int expiry_commit(struct store *store, struct expiry_result *out, int64_t now)
{
    struct expiry_result result = {0};
    struct store_status status;
    int error = store_status(store, &status);
    if (!error && status.next_expiry && status.next_expiry <= now) {
        error = commit(store, &result, now);
        /* What was done is done: whoever cannot look what is next looks again at once. */
        if (!error && store_status(store, &status) < 0)
            status.next_expiry = now;
    }
    if (error)
        return error;
    result.next = status.next_expiry;
    *out = result;
    return 0;
}
