/* What was said at a place and goes with it, and who holds which rights there. */
#include "store/log/index.h"

#include <string.h>

#include "store/grant.h"
#include "store/log/state.h"
#include "store/log/state_relation.h"

int index_drop_shares(struct index *index, uint32_t environment, const char *service)
{
    struct state_share share = {.layer = environment};
    memcpy(share.service, service, strlen(service) + 1);
    for (;;) {
        const int found = state_next_share(index->txn, &share);
        if (found || share.layer != environment || strcmp(share.service, service) != 0)
            return found < 0 ? found : 0;
        state_delete_share(index->txn, &share);
    }
}

int index_drop_grants(struct index *index, uint32_t environment, uint32_t service)
{
    struct state_grant grant = {.environment = environment, .service = service};
    for (;;) {
        const int found = state_next_grant(index->txn, &grant);
        if (found || grant.environment != environment || grant.service != service)
            return found < 0 ? found : 0;
        state_delete_grant(index->txn, &grant);
    }
}

/* Whether reading all of the environment, or everything, covers the place of a grant. */
static int reads_above(struct index *index, const struct state_grant *grant)
{
    int reads = 0;
    if (grant->service)
        reads = state_grant_reads(index->txn, grant->environment, 0, grant->principal);
    if (!reads && grant->environment)
        reads = state_grant_reads(index->txn, 0, 0, grant->principal);
    return reads;
}

/* What an identity could read it knows: so that was noted until it is another value. */
static int note_exposure(struct index *index, const struct operation *operation,
                         const struct state_grant *grant)
{
    struct exposure exposure = {.environment = grant->environment,
                                .service = grant->service,
                                .rev = index->rev,
                                .op = grant->op};
    if (operation->kind != OPERATION_RIGHTS_REVOKE || !(operation->rights & GRANT_READ) ||
        !principal_is_identity(grant->principal))
        return 0;
    const int reads = reads_above(index, grant);
    if (reads)
        return reads < 0 ? reads : 0;
    memcpy(exposure.principal, grant->principal, sizeof exposure.principal);
    state_put_exposure(index->txn, &exposure);
    return 0;
}

int index_take_rights(struct index *index, const struct operation *operation, uint32_t op)
{
    struct state_grant grant = {.environment = operation->environment,
                                .service = operation->service};
    const bool is_grant = operation->kind == OPERATION_RIGHTS_GRANT;
    memcpy(grant.principal, operation->principal, operation->principal_size);
    const int found = state_grant(index->txn, &grant);
    if (found < 0)
        return found;
    if ((grant.rights & operation->rights) != (is_grant ? 0 : operation->rights))
        return 1;
    grant.rights ^= operation->rights;
    grant.rev = index->rev;
    grant.op = op;
    if (grant.rights)
        state_put_grant(index->txn, &grant);
    else
        state_delete_grant(index->txn, &grant);
    return note_exposure(index, operation, &grant);
}
