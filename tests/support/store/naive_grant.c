/* Who was granted what. */
#include "tests/support/store/naive.h"

const char *const naive_principals[NAIVE_PRINCIPALS] = {"user:alice", "user:bob", "group:ops"};

void naive_rights(struct naive_work *work, const struct naive_wish *wish)
{
    struct naive_environment *in = &work->state->environments[wish->at.environment];
    const unsigned place = wish->at.service < 0 ? NAIVE_SERVICES : (unsigned)wish->at.service;
    unsigned *held = &in->grants[place][wish->consumer];
    if (wish->verb == NAIVE_REVOKE && (*held & wish->rights) != wish->rights) {
        naive_refuse(work, REASON_NO_GRANT, REASON_AT_ONCE, &wish->at, "");
        return;
    }
    if (wish->verb == NAIVE_GRANT && (*held & wish->rights) == wish->rights)
        return;
    if (wish->verb == NAIVE_GRANT)
        *held |= wish->rights;
    else
        *held &= ~wish->rights;
    naive_did(work, &wish->at);
}
