#include "fs/node.h"

#include "store/limits.h"

#define KIND_SHIFT 60
#define ENVIRONMENT_SHIFT 40
#define SERVICE_SHIFT 16
#define LOW_MASK NAME_ID_MAX

static uint64_t make(enum node_kind kind, uint32_t environment, uint64_t low)
{
    return (uint64_t)kind << KIND_SHIFT |
           (uint64_t)(environment & ENVIRONMENT_ID_MAX) << ENVIRONMENT_SHIFT | (low & LOW_MASK);
}

uint64_t node_environment(uint32_t environment)
{
    return make(NODE_IS_ENVIRONMENT, environment, 0);
}

uint64_t node_service(uint32_t environment, uint32_t service, uint16_t incarnation)
{
    uint64_t low = (uint64_t)(service & SERVICE_ID_MAX) << SERVICE_SHIFT | incarnation;
    return make(NODE_IS_SERVICE, environment, low);
}

uint64_t node_key(uint32_t environment, uint64_t name_id)
{
    return make(NODE_IS_KEY, environment, name_id);
}

bool node_parse(struct node *out, uint64_t id)
{
    uint64_t low = id & LOW_MASK;
    struct node node = {.kind = (enum node_kind)(id >> KIND_SHIFT),
                        .environment = (uint32_t)(id >> ENVIRONMENT_SHIFT) & ENVIRONMENT_ID_MAX};
    switch (id >> KIND_SHIFT) {
    case NODE_IS_ROOT:
        if (id != NODE_ROOT)
            return false;
        break;
    case NODE_IS_ENVIRONMENT:
        if (low != 0)
            return false;
        break;
    case NODE_IS_SERVICE:
        node.service = (uint32_t)(low >> SERVICE_SHIFT);
        node.incarnation = (uint16_t)low;
        break;
    case NODE_IS_KEY:
        node.name_id = low;
        break;
    default:
        return false;
    }
    *out = node;
    return true;
}

uint64_t node_offset(uint64_t id)
{
    return id + OFFSET_ENTRIES + 1;
}

uint64_t node_offset_id(uint64_t offset)
{
    return offset - OFFSET_ENTRIES - 1;
}
