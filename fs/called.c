#include "fs/called.h"

#include <stdio.h>

#include "fs/node.h"
#include "store/error.h"

static int look_up_environment(struct snapshot *snapshot, struct called *called, uint32_t id)
{
    if (called->environment == id)
        return 0;
    called->environment = 0;
    int found = snapshot_environment_name(snapshot, called->environment_name, id);
    if (!found)
        called->environment = id;
    return found;
}

static int look_up_service(struct snapshot *snapshot, struct called *called, uint32_t id)
{
    if (called->service == id)
        return 0;
    called->service = 0;
    int found = snapshot_service_name(snapshot, called->service_name, id);
    if (!found)
        called->service = id;
    return found;
}

int called_path(struct snapshot *snapshot, struct called *called, char out[static PATH_TEXT_MAX],
                uint64_t node)
{
    char key[KEY_NAME_MAX + 1] = "";
    struct node place;
    int found = node_parse(&place, node) && place.kind != NODE_IS_ROOT ? 0 : NOT_THERE;
    if (!found)
        found = look_up_environment(snapshot, called, place.environment);
    if (!found && place.kind == NODE_IS_KEY)
        found = snapshot_name(snapshot, &place.service, key, place.name_id);
    if (!found && place.kind != NODE_IS_ENVIRONMENT)
        found = look_up_service(snapshot, called, place.service);
    if (found)
        return found < 0 ? found : error_set(ERR_CORRUPT, "the name of a place is not there");
    if (place.kind == NODE_IS_ENVIRONMENT)
        (void)snprintf(out, PATH_TEXT_MAX, "%s", called->environment_name);
    else if (place.kind == NODE_IS_SERVICE)
        (void)snprintf(out, PATH_TEXT_MAX, "%s/%s", called->environment_name, called->service_name);
    else
        (void)snprintf(out, PATH_TEXT_MAX, "%s/%s/%s", called->environment_name,
                       called->service_name, key);
    return 0;
}
