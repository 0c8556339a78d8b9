/* Who asked for a commit: its signature, and whether what was done is what was signed. */
#include <inttypes.h>
#include <string.h>

#include "store/crypto/signature.h"
#include "store/db/keys.h"
#include "store/error.h"
#include "store/grant.h"
#include "store/log/verify_internal.h"

static bool has_signed(const struct expected *expected)
{
    for (uint32_t i = 1; i <= expected->counters.environment_id; i++)
        if (expected->environments[i].alive && expected->environments[i].is.is_signed)
            return true;
    return false;
}

/* Whether rights are asked for: something is done where only what is signed is taken, or in `all`,
 * which is seen there, and may come by this commit; or in no environment, which may be a compaction
 * of each. */
static bool needs_rights(const struct verify *verify, const struct header *header)
{
    const struct expected *expected = &verify->expected;
    for (uint32_t i = 0; i < header->scope_count; i++) {
        const uint32_t id = header_scope(header, i).environment;
        if (id ? id > expected->counters.environment_id || expected_is_all(expected, id) ||
                     expected->environments[id].is.is_signed
               : has_signed(expected))
            return true;
    }
    return false;
}

/* What the signer was granted before this commit. */
static int load_rights(struct verify *verify, const struct header *header,
                       const struct identity_state *signer)
{
    const struct relations *relations = &verify->expected.relations;
    int error = 0;
    entitled_begin(&verify->signer, signer->name, signer->rev);
    if (!needs_rights(verify, header))
        return 0;
    for (size_t i = 0; i < relations->capacity && !error; i++) {
        const struct relation *at = &relations->slots[i];
        if (at->is_used && at->kind == RELATION_GRANT && at->rev && at->rights &&
            strcmp(at->with, verify->signer.principal) == 0)
            error = entitled_add(&verify->signer, at->environment, at->service, at->rights);
    }
    return error;
}

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
    const int error_of_rights = known ? 0 : load_rights(verify, header, &signer);
    if (error_of_rights)
        return error_of_rights;
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
    entitled_release(&verify->signer);
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

/* Who takes signed changes only; NULL: that environment takes others, too. */
static const struct environment *signed_place(const struct verify *verify, uint32_t environment)
{
    const struct expected *expected = &verify->expected;
    if (environment > expected->counters.environment_id)
        return NULL;
    const struct environment *is = &expected->environments[environment].is;
    return is->is_signed ? is : NULL;
}

static int refuse_rights(struct verify *verify, const char *what, const struct environment *is,
                         unsigned rights)
{
    return verify_fault(verify,
                        "%s: '%s', who signed the commit, was not granted %s there ('%s' takes "
                        "signed changes only)",
                        what, verify->signer.principal, entitled_words(rights), is->name);
}

/* What is copied is read where it comes from. */
static int check_source(struct verify *verify, const struct operation *operation, const char *what)
{
    const struct environment *is =
        operation->from.environment ? signed_place(verify, operation->from.environment) : NULL;
    char key[KEY_NAME_MAX + 1];
    uint32_t service;
    if (!is ||
        verify_read(verify, state_name(verify->txn, &service, key, operation->from.name_id),
                    what) ||
        entitled_holds(&verify->signer, is->id, service, GRANT_READ))
        return 0;
    return refuse_rights(verify, what, is, GRANT_READ);
}

static int check_rights(struct verify *verify, const struct operation *operation,
                        uint32_t environment, const char *what)
{
    const struct environment *is = signed_place(verify, environment);
    if (!is)
        return 0;
    if (!verify->is_of_the_known)
        return verify_fault(verify,
                            "%s: '%s' takes changes only that an identity of the store signed",
                            what, is->name);
    const struct place_state *place =
        expected_place(&verify->expected, environment, operation->service);
    const unsigned rights = entitled_takes(operation, place && place->is.made_rev == verify->rev);
    if (entitled_holds(&verify->signer, environment, operation->service, rights))
        return check_source(verify, operation, what);
    return refuse_rights(verify, what, is, rights);
}

int verify_signed_outcome(struct verify *verify, const struct outcome *outcome)
{
    const struct environment *is = signed_place(verify, outcome->environment);
    char what[64];
    if (!is || !verify->is_done_in_all || verify->seen_signed == outcome->environment)
        return 0;
    verify->seen_signed = outcome->environment;
    snprintf(what, sizeof what, "commit %" PRIu64 ": what it does in 'all'", verify->rev);
    if (!verify->is_of_the_known)
        return verify_fault(verify,
                            "%s is seen in '%s', which takes changes only that an identity "
                            "of the store signed",
                            what, is->name);
    if (entitled_holds(&verify->signer, outcome->environment, 0, GRANT_SET))
        return 0;
    return refuse_rights(verify, what, is, GRANT_SET);
}

/* A compaction of everything is one of each environment. */
static void check_everywhere(struct verify *verify, const struct operation *operation,
                             const char *what)
{
    const struct expected *expected = &verify->expected;
    for (uint32_t i = 1; i <= expected->counters.environment_id; i++)
        if (expected->environments[i].alive)
            check_rights(verify, operation, i, what);
}

/* What came to its end was authorised by whoever set that, and so is that they can read what shows
 * again who may. */
static bool is_due(struct verify *verify, const struct operation *operation)
{
    const bool ends = operation->kind == OPERATION_REMOVE && operation->expires;
    verify->is_expiry |= ends;
    return ends || (verify->is_expiry && operation->kind == OPERATION_VALUE_KEY);
}

int verify_follows(struct verify *verify, const struct operation *operation, const char *what)
{
    if (operation->environment && !is_due(verify, operation)) {
        check_rights(verify, operation, operation->environment, what);
        verify->is_done_in_all |= expected_is_all(&verify->expected, operation->environment);
    } else if (operation->kind == OPERATION_COMPACT && !operation->environment) {
        check_everywhere(verify, operation, what);
    }
    if (!verify->is_signed)
        return 0;
    const int missing =
        verify_read(verify, follow_operation(&verify->follow, verify->txn, operation), what);
    if (missing == 1)
        verify_fault(verify, "%s: whoever signed the commit did not ask for it", what);
    return missing < 0 ? missing : 0;
}
