/* Environments that take signed changes only: who signed, and whether that identity was granted
 * what it did. */
#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "store/log/entitled.h"
#include "store/model/settle_internal.h"

/* Whose key signed: 0: of an identity that the store knows; NOT_THERE: of nobody. */
static int find_signer(const struct settling *settling, struct identity_state *signer)
{
    const struct signature *signature = settling->judge->terms->signature;
    return signature ? state_signer(settling->txn, signer, signature->key, settling->rev)
                     : NOT_THERE;
}

/* What it was granted before this commit: what the commit grants itself is no right to it. */
static int load_rights(const struct settling *settling, struct entitled *out,
                       const struct identity_state *signer)
{
    struct txn *before;
    entitled_begin(out, signer->name, signer->rev);
    int error = txn_reader_new(&before, settling->judge->store->env);
    if (error)
        return error;
    error = txn_renew(before);
    if (!error) {
        error = entitled_load(out, before);
        txn_reset(before);
    }
    txn_free(before);
    return error;
}

static int refuse_unsigned(struct settling *settling, const struct environment *is)
{
    return judge_object(settling->judge, ERR_REFUSED,
                        settling->judge->terms->signature
                            ? "'%s' takes changes only that an identity of this store has signed, "
                              "and the key is none of theirs: name another (--sign FILE, "
                              "$EMSA_SIGN_IDENTITY)"
                            : "'%s' takes signed changes only: name an identity that the store "
                              "knows (--sign FILE, $EMSA_SIGN_IDENTITY)",
                        is->name);
}

static int refuse_rights(struct settling *settling, const struct entitled *signer,
                         uint32_t environment, uint32_t service, unsigned rights)
{
    char place[PATH_TEXT_MAX];
    const int error = settle_path(settling, place, environment, service, "");
    return error ? error
                 : judge_object(settling->judge, ERR_REFUSED,
                                "'%s' takes signed changes only, and '%s', who signed, was not "
                                "granted %s there: emsa grant %s --to %s %s, signed by who may",
                                place, signer->principal, entitled_words(rights), place,
                                signer->principal, entitled_words(rights));
}

/* Whether the service was placed by this commit: 1, 0, or a failure. */
static int comes(struct settling *settling, const struct operation *operation)
{
    struct place_state place;
    char name[SERVICE_NAME_MAX + 1];
    if (operation->kind != OPERATION_SERVICE_KEY)
        return 0;
    int found = state_service_name(settling->txn, name, operation->service);
    if (!found)
        found = state_place(settling->txn, &place, operation->environment, name);
    return found < 0 ? found : !found && place.is.made_rev == settling->rev;
}

static bool is_seen(const struct settling *settling, uint32_t environment)
{
    for (size_t i = 0; i < settling->outcome_count; i++)
        if (settling->outcomes[i].environment == environment)
            return true;
    return false;
}

/* A compaction of everything is one of each environment. */
static bool is_there(const struct operation *operation, uint32_t environment)
{
    return operation->environment == environment ||
           (operation->kind == OPERATION_COMPACT && !operation->environment);
}

static bool is_done(const struct settling *settling, uint32_t environment)
{
    const struct plan *plan = settling->judge->plan;
    for (size_t i = 0; i < plan->count; i++)
        if (is_there(&plan->steps[i].operation, environment))
            return true;
    return false;
}

/* Whether something was done in `all`. */
static bool is_done_in_all(const struct settling *settling)
{
    for (size_t i = 0; i < settling->environment_count; i++)
        if (settling->environments[i].is_all)
            return is_done(settling, settling->environments[i].is.id);
    return false;
}

/* What is copied is read where it comes from: there, too, by who may. */
static int guard_source(struct settling *settling, const struct entitled *signer,
                        const struct operation *operation)
{
    const struct known *known = operation->from.environment
                                    ? settle_environment(settling, operation->from.environment)
                                    : NULL;
    char key[KEY_NAME_MAX + 1];
    uint32_t service;
    if (!known || !known->is.is_signed)
        return 0;
    const int found = state_name(settling->txn, &service, key, operation->from.name_id);
    if (found)
        return found < 0 ? found : error_set(ERR_CORRUPT, "a copy is of a key that never was");
    return entitled_holds(signer, known->is.id, service, GRANT_READ)
               ? 0
               : refuse_rights(settling, signer, known->is.id, service, GRANT_READ);
}

/* The first operation that was not the signer's to ask for is told of. */
static int guard_rights(struct settling *settling, const struct environment *is,
                        const struct entitled *signer)
{
    const struct plan *plan = settling->judge->plan;
    for (size_t i = 0; i < plan->count; i++) {
        const struct operation *operation = &plan->steps[i].operation;
        if (!is_there(operation, is->id))
            continue;
        const int come = comes(settling, operation);
        if (come < 0)
            return come;
        const unsigned rights = entitled_takes(operation, come);
        if (!entitled_holds(signer, is->id, operation->service, rights))
            return refuse_rights(settling, signer, is->id, operation->service, rights);
        const int error = guard_source(settling, signer, operation);
        if (error)
            return error;
    }
    /* What stands in `all` is set there, and seen here. */
    if (is_done_in_all(settling) && is_seen(settling, is->id) &&
        !entitled_holds(signer, is->id, 0, GRANT_SET))
        return refuse_rights(settling, signer, is->id, 0, GRANT_SET);
    return 0;
}

/* Its addition too was asked for by somebody who may: for who could not sign could change nothing
 * in it. What has ended goes by itself. */
int settle_guard_signed(struct settling *settling)
{
    struct identity_state identity;
    struct entitled signer = {0};
    int found = -1, error = 0;
    for (size_t i = 0; i < settling->environment_count && !error && !settling->is_expiry; i++) {
        const struct environment *is = &settling->environments[i].is;
        if (!is->is_signed || (!is_done(settling, is->id) && !is_seen(settling, is->id)))
            continue;
        if (found < 0) {
            found = find_signer(settling, &identity);
            error = found < 0 ? found : !found ? load_rights(settling, &signer, &identity) : 0;
        }
        if (!error)
            error = found ? refuse_unsigned(settling, is) : guard_rights(settling, is, &signer);
    }
    entitled_release(&signer);
    return error;
}
