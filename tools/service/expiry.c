/* What ended by itself: removed, and told to the views. */
#include "store/expiry.h"

#include "tools/service/verb.h"

int service_expire(struct dispatcher *service, int64_t *next, int64_t now)
{
    const struct service_host *host = &service->host;
    struct expiry_result result;
    do {
        const int error = expiry_commit(service->store, &result, now);
        if (error < 0)
            return error;
        if (result.rev != 0)
            audit_committed(service, NULL, "", result.rev, false);
        if (result.rev != 0 && host->published != NULL)
            (void)host->published(host->arg, result.rev); /* who is late is told when it is back */
    } while (result.next != 0 && result.next <= now);
    *next = result.next;
    return 0;
}
