/* Who asked for a commit: its signature, and whether what was done is what was signed. */
#include <inttypes.h>
#include <string.h>

#include "store/crypto/signature.h"
#include "store/db/keys.h"
#include "store/error.h"
#include "store/log/verify_internal.h"

static int check_text(struct verify *verify, const struct header *header, struct slice text)
{
    const char *why;
    struct identity_state signer;
    if (!request_is_signed(&header->signature, text.data, text.size))
        return verify_fault(verify, "commit %" PRIu64 ": its signature is none of its request",
                            verify->rev);
    const int error = follow_begin(&verify->follow, text);
    if (error == -ERR_NOMEM)
        return error;
    if (error) {
        verify_fault(verify, "commit %" PRIu64 ": what was signed cannot be read: %s", verify->rev,
                     error_text());
        error_clear();
        return 0;
    }
    verify->is_signed = true;
    verify->follow.time = header->time;
    const int known = verify_read(
        verify, state_signer(verify->txn, &signer, header->signature.key, verify->rev), "identity");
    if (known < 0)
        return known;
    verify->is_of_the_known = !known;
    if (follow_commit(&verify->follow, verify->store_id, header->request_id, header->reason,
                      header->reason_size, &why))
        verify_fault(verify, "commit %" PRIu64 ": %s", verify->rev, why);
    return 0;
}

int verify_signature(struct verify *verify, const struct header *header)
{
    struct slice text;
    struct key key;
    char what[64];
    follow_release(&verify->follow);
    verify->is_signed = verify->is_of_the_known = false;
    if (!header->is_signed)
        return 0;
    verify->signed_commits++;
    snprintf(what, sizeof what, "commit %" PRIu64 ": its request", verify->rev);
    const int found = verify_read(
        verify, txn_get(verify->txn, &text, DB_SIGNED, key_commit(&key, verify->rev)), what);
    if (found < 0)
        return found;
    if (!found)
        return check_text(verify, header, text);
    if (found == TXN_NOT_FOUND)
        verify_fault(verify, "commit %" PRIu64 ": the request that was signed is not there",
                     verify->rev);
    if (!signature_holds(&header->signature))
        verify_fault(verify, "commit %" PRIu64 ": its signature is none", verify->rev);
    return 0;
}

int verify_signed_place(struct verify *verify, uint32_t environment, const char *what)
{
    const struct expected *expected = &verify->expected;
    if (environment > expected->counters.environment_id ||
        !expected->environments[environment].is.is_signed || verify->is_of_the_known)
        return 0;
    return verify_fault(verify, "%s: '%s' takes changes only that an identity of the store signed",
                        what, expected->environments[environment].is.name);
}

/* A compaction of everything is one of each environment. */
static void check_everywhere(struct verify *verify, const char *what)
{
    const struct expected *expected = &verify->expected;
    for (uint32_t i = 1; i <= expected->counters.environment_id; i++)
        if (expected->environments[i].alive)
            verify_signed_place(verify, i, what);
}

/* What came to its end was authorised by whoever set that. */
static bool is_due(const struct operation *operation)
{
    return operation->kind == OPERATION_REMOVE && operation->expires;
}

int verify_follows(struct verify *verify, const struct operation *operation, const char *what)
{
    if (operation->environment && !is_due(operation))
        verify_signed_place(verify, operation->environment, what);
    else if (operation->kind == OPERATION_COMPACT && !operation->environment)
        check_everywhere(verify, what);
    if (!verify->is_signed)
        return 0;
    const int missing =
        verify_read(verify, follow_operation(&verify->follow, verify->txn, operation), what);
    if (missing == 1)
        verify_fault(verify, "%s: whoever signed the commit did not ask for it", what);
    return missing < 0 ? missing : 0;
}
