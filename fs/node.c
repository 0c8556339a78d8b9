#include "fs/node.h"

#include "store/limits.h"

#define KIND_SHIFT 60
#define ENVIRONMENT_SHIFT 40
#define SERVICE_SHIFT 16
#define LOW_MASK NAME_ID_MAX

#define PAST_KEY_SHIFT 20
#define INDEX_MASK 0xfffffu
#define PAST_REV_MAX 0xffffffffffull
_Static_assert(COMMIT_OUTCOMES_MAX <= INDEX_MASK + 1, "the place of an outcome fits");

#define LENGTH_MASK 31u
#define ENVIRONMENT_LENGTH_SHIFT 55
#define SERVICE_LENGTH_SHIFT 50
#define PAYLOAD 50u /* bits */

static uint64_t of_kind(enum node_kind kind, uint64_t rest)
{
    return (uint64_t)kind << KIND_SHIFT | rest;
}

static uint64_t make(enum node_kind kind, uint32_t environment, uint64_t low)
{
    return of_kind(kind, (uint64_t)(environment & ENVIRONMENT_ID_MAX) << ENVIRONMENT_SHIFT |
                             (low & LOW_MASK));
}

static uint64_t place(uint32_t service, uint16_t incarnation)
{
    return (uint64_t)(service & SERVICE_ID_MAX) << SERVICE_SHIFT | incarnation;
}

uint64_t node_environment(uint32_t environment)
{
    return make(NODE_IS_ENVIRONMENT, environment, 0);
}

uint64_t node_service(uint32_t environment, uint32_t service, uint16_t incarnation)
{
    return make(NODE_IS_SERVICE, environment, place(service, incarnation));
}

uint64_t node_key(uint32_t environment, uint64_t name_id)
{
    return make(NODE_IS_KEY, environment, name_id);
}

uint64_t node_hidden(enum node_kind kind, uint32_t environment, uint32_t service,
                     uint16_t incarnation)
{
    return make(kind, environment, place(service, incarnation));
}

uint64_t node_past_key(uint64_t rev, uint32_t index)
{
    if (rev > PAST_REV_MAX || index > INDEX_MASK)
        return 0;
    return of_kind(NODE_IS_PAST_KEY, rev << PAST_KEY_SHIFT | index);
}

static unsigned length_of(uint64_t value)
{
    return value ? 64u - (unsigned)__builtin_clzll(value) : 0;
}

/* Bits that a number of a length takes without its highest. */
static unsigned rest_of(unsigned length)
{
    return length ? length - 1 : 0;
}

static uint64_t low_bits(uint64_t value, unsigned count)
{
    return value & ((1ull << count) - 1);
}

uint64_t node_of_revision(enum node_kind kind, uint32_t environment, uint32_t service, uint64_t rev)
{
    const unsigned e = length_of(environment), s = length_of(service);
    const unsigned left = PAYLOAD - rest_of(e) - rest_of(s);
    if (length_of(rev) > left)
        return 0;
    uint64_t payload = low_bits(environment, rest_of(e));
    payload = payload << rest_of(s) | low_bits(service, rest_of(s));
    payload = payload << left | rev;
    return of_kind(kind, (uint64_t)e << ENVIRONMENT_LENGTH_SHIFT |
                             (uint64_t)s << SERVICE_LENGTH_SHIFT | payload);
}

/* A number of a length whose highest bit was left away. */
static uint64_t whole(unsigned length, uint64_t bits)
{
    return length ? 1ull << (length - 1) | low_bits(bits, length - 1) : 0;
}

static bool parse_revision(struct node *node, uint64_t id)
{
    const unsigned e = (unsigned)(id >> ENVIRONMENT_LENGTH_SHIFT) & LENGTH_MASK;
    const unsigned s = (unsigned)(id >> SERVICE_LENGTH_SHIFT) & LENGTH_MASK;
    if (e > length_of(ENVIRONMENT_ID_MAX) || s > length_of(SERVICE_ID_MAX) || (s && !e))
        return false;
    const unsigned left = PAYLOAD - rest_of(e) - rest_of(s);
    const uint64_t payload = low_bits(id, PAYLOAD);
    node->rev = low_bits(payload, left);
    node->service = (uint32_t)whole(s, payload >> left);
    node->environment = (uint32_t)whole(e, payload >> (left + rest_of(s)));
    return node->rev != 0;
}

static bool parse_place(struct node *node, uint64_t low)
{
    node->service = (uint32_t)(low >> SERVICE_SHIFT);
    node->incarnation = (uint16_t)low;
    return node->kind == NODE_IS_SERVICE ||
           ((node->service || !node->incarnation) && (node->environment || !node->service));
}

static bool parse_past_key(struct node *node, uint64_t id)
{
    node->environment = 0;
    node->rev = id >> PAST_KEY_SHIFT & PAST_REV_MAX;
    node->index = (uint32_t)(id & INDEX_MASK);
    return node->rev != 0;
}

bool node_parse(struct node *out, uint64_t id)
{
    uint64_t low = id & LOW_MASK;
    struct node node = {.kind = (enum node_kind)(id >> KIND_SHIFT),
                        .environment = (uint32_t)(id >> ENVIRONMENT_SHIFT) & ENVIRONMENT_ID_MAX};
    bool good = false;
    switch (id >> KIND_SHIFT) {
    case NODE_IS_ROOT:
        good = id == NODE_ROOT;
        break;
    case NODE_IS_ENVIRONMENT:
        good = low == 0;
        break;
    case NODE_IS_SERVICE:
    case NODE_IS_HIDDEN:
    case NODE_IS_AT:
        good = parse_place(&node, low);
        break;
    case NODE_IS_KEY:
        node.name_id = low;
        good = true;
        break;
    case NODE_IS_PAST_KEY:
        good = parse_past_key(&node, id);
        break;
    default:
        good = id >> KIND_SHIFT <= NODE_IS_TAG && parse_revision(&node, id);
        break;
    }
    if (good)
        *out = node;
    return good;
}

bool node_is_file(enum node_kind kind)
{
    return kind == NODE_IS_KEY || kind == NODE_IS_PAST_KEY;
}

bool node_is_past(enum node_kind kind)
{
    return kind >= NODE_IS_PAST && kind <= NODE_IS_PAST_BY_SERVICE;
}

bool node_is_text(enum node_kind kind)
{
    return kind >= NODE_IS_REV && kind <= NODE_IS_JSON;
}

bool node_is_link(enum node_kind kind)
{
    return kind == NODE_IS_HEAD || kind == NODE_IS_TAG;
}

uint64_t node_parent(uint64_t id)
{
    struct node node;
    if (!node_parse(&node, id))
        return NODE_ROOT;
    if (node.kind == NODE_IS_AT)
        return node_hidden(NODE_IS_HIDDEN, node.environment, node.service, node.incarnation);
    if (node.kind == NODE_IS_HIDDEN && node.service)
        return node_service(node.environment, node.service, node.incarnation);
    if (node.kind == NODE_IS_SERVICE || node.kind == NODE_IS_HIDDEN)
        return node.environment ? node_environment(node.environment) : NODE_ROOT;
    if (node_is_past(node.kind) && node.service && node.kind != NODE_IS_PAST_BY_SERVICE)
        return node_of_revision(node.kind, node.environment, 0, node.rev);
    return NODE_ROOT;
}

uint64_t node_offset(uint64_t id)
{
    return id + OFFSET_ENTRIES + 1;
}

uint64_t node_offset_id(uint64_t offset)
{
    return offset - OFFSET_ENTRIES - 1;
}
