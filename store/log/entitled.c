#include "store/log/entitled.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/grant.h"
#include "store/log/state_relation.h"

void entitled_begin(struct entitled *entitled, const char *name, uint64_t known_rev)
{
    *entitled = (struct entitled){.is_founder = known_rev == 1};
    (void)snprintf(entitled->principal, sizeof entitled->principal, PRINCIPAL_IDENTITY "%s", name);
}

int entitled_add(struct entitled *entitled, uint32_t environment, uint32_t service, unsigned rights)
{
    if (!environment) {
        entitled->is_administrator |= entitled->is_founder && rights & GRANT_READ;
        return 0;
    }
    if (entitled->count == entitled->capacity) {
        const size_t capacity = entitled->capacity ? entitled->capacity * 2 : 8;
        struct entitlement *grown = realloc(entitled->items, capacity * sizeof *grown);
        if (!grown)
            return error_set(ERR_NOMEM, "no memory for the rights of '%s'", entitled->principal);
        entitled->items = grown;
        entitled->capacity = capacity;
    }
    entitled->items[entitled->count++] = (struct entitlement){environment, service, rights};
    return 0;
}

int entitled_load(struct entitled *entitled, struct txn *txn)
{
    struct state_grant grant = {0};
    int found;
    while (!(found = state_next_grant(txn, &grant))) {
        if (strcmp(grant.principal, entitled->principal) == 0)
            found = entitled_add(entitled, grant.environment, grant.service, grant.rights);
        if (found)
            return found;
    }
    return found < 0 ? found : 0;
}

void entitled_release(struct entitled *entitled)
{
    free(entitled->items);
    *entitled = (struct entitled){0};
}

bool entitled_holds(const struct entitled *entitled, uint32_t environment, uint32_t service,
                    unsigned rights)
{
    unsigned held = entitled->is_administrator ? GRANT_ALL : 0;
    for (size_t i = 0; i < entitled->count; i++) {
        const struct entitlement *item = &entitled->items[i];
        if (item->environment == environment && (!item->service || item->service == service))
            held |= item->rights & GRANT_ADMIN ? GRANT_ALL : item->rights;
    }
    return (held & rights) == rights;
}

unsigned entitled_takes(const struct operation *operation, bool comes)
{
    if (operation->kind == OPERATION_REMOVE && operation->expires)
        return 0;
    if (operation->is_override)
        return GRANT_ADMIN;
    switch (operation->kind) {
    case OPERATION_SET_PLAIN:
    case OPERATION_SET_SECRET:
        return operation->from.environment ? GRANT_SET | GRANT_READ : GRANT_SET;
    case OPERATION_REMOVE:
    case OPERATION_LOCK:
    case OPERATION_SERVICE_ADD:
        return GRANT_SET;
    case OPERATION_SET_LINK:
    case OPERATION_SET_TEMPLATE:
    case OPERATION_SCHEMA_SET:
    case OPERATION_SCHEMA_REMOVE:
    case OPERATION_DEFAULT_SET:
    case OPERATION_DEFAULT_REMOVE:
        return GRANT_SET | GRANT_READ;
    case OPERATION_SHARE:
    case OPERATION_UNSHARE:
    case OPERATION_VALUE_KEY: /* it comes with a share, or with what takes more */
        return GRANT_SHARE;
    case OPERATION_SERVICE_KEY: /* whoever makes one for a service that is there takes all others'
                                   from them */
        return comes ? GRANT_SET : GRANT_ADMIN;
    default:
        return GRANT_ADMIN;
    }
}

const char *entitled_words(unsigned rights)
{
    switch (rights) {
    case GRANT_SET:
        return "--set";
    case GRANT_READ:
        return "--read";
    case GRANT_SHARE:
        return "--share";
    case GRANT_SET | GRANT_READ:
        return "--set and --read";
    default:
        return "--admin";
    }
}
