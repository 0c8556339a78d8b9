#include "store/log/expected_relation.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"

static bool is_same(const struct relation *a, const struct relation *b)
{
    return a->is_lock == b->is_lock && a->is_schema == b->is_schema && a->is_tag == b->is_tag &&
           a->environment == b->environment && a->service == b->service &&
           a->name_id == b->name_id && strcmp(a->consumer, b->consumer) == 0;
}

static uint64_t mix(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * 0x9e3779b97f4a7c15u;
    return sum ^ (sum >> 29);
}

static struct relation *slot_of(struct relation *slots, size_t capacity,
                                const struct relation *relation)
{
    const unsigned kind = relation->is_lock     ? 1
                          : relation->is_schema ? 2
                          : relation->is_tag    ? 3
                                                : 0;
    uint64_t sum = mix(mix(kind, relation->environment), relation->service);
    sum = mix(sum, relation->name_id);
    for (const char *at = relation->consumer; *at; at++)
        sum = mix(sum, (unsigned char)*at);
    size_t slot = sum & (capacity - 1);
    while (slots[slot].is_used && !is_same(&slots[slot], relation))
        slot = (slot + 1) & (capacity - 1);
    return &slots[slot];
}

static int grow(struct relations *relations)
{
    if (relations->count * 2 < relations->capacity)
        return 0;
    const size_t capacity = relations->capacity ? relations->capacity * 2 : 64;
    struct relation *slots = calloc(capacity, sizeof *slots);
    if (!slots)
        return error_set(ERR_NOMEM, "no memory to verify");
    for (size_t i = 0; i < relations->capacity; i++)
        if (relations->slots[i].is_used)
            *slot_of(slots, capacity, &relations->slots[i]) = relations->slots[i];
    free(relations->slots);
    relations->slots = slots;
    relations->capacity = capacity;
    return 0;
}

static void count_one(struct relations *relations, const struct relation *relation, int by)
{
    uint64_t *count = relation->is_lock     ? &relations->locks
                      : relation->is_schema ? &relations->schemas
                      : relation->is_tag    ? &relations->tags
                                            : &relations->shares;
    *count += (uint64_t)by;
}

int relations_apply(struct relations *relations, const struct operation *operation, uint64_t rev,
                    uint32_t op)
{
    const bool is_said = operation->kind == OPERATION_SHARE || operation->kind == OPERATION_LOCK ||
                         operation->kind == OPERATION_SCHEMA_SET ||
                         operation->kind == OPERATION_TAG;
    struct relation relation = {.is_used = true,
                                .environment = operation->environment,
                                .service = operation->service,
                                .name_id = operation->name_id,
                                .rev = is_said ? rev : 0,
                                .op = op,
                                .is_tag = operation_is_of_tag(operation->kind),
                                .tagged = operation->tagged};
    relation.is_lock = operation->kind == OPERATION_LOCK || operation->kind == OPERATION_UNLOCK;
    relation.is_schema = operation_is_of_schema(operation->kind);
    if (relation.is_tag)
        memcpy(relation.consumer, operation->name, operation->name_size);
    else
        memcpy(relation.consumer, operation->consumer ? operation->consumer : "",
               operation->consumer_size);
    const int error = grow(relations);
    if (error)
        return error;
    struct relation *slot = slot_of(relations->slots, relations->capacity, &relation);
    const bool was_said = slot->is_used && slot->rev;
    if ((!is_said && !was_said) || (relation.is_schema && is_said && operation->first == was_said))
        return 1;
    relations->count += !slot->is_used;
    count_one(relations, &relation, (int)is_said - (int)was_said);
    *slot = relation;
    return 0;
}

bool relations_has_schema(const struct relations *relations, uint32_t environment, uint32_t service)
{
    const struct relation wanted = {
        .is_schema = true, .environment = environment, .service = service};
    if (!relations->capacity)
        return false;
    const struct relation *slot = slot_of(relations->slots, relations->capacity, &wanted);
    return slot->is_used && slot->rev;
}

void relations_drop_shares(struct relations *relations, uint32_t environment, uint32_t service)
{
    for (size_t i = 0; i < relations->capacity && relations->shares; i++) {
        struct relation *slot = &relations->slots[i];
        if (!slot->rev || slot->is_lock || slot->is_schema || slot->is_tag ||
            slot->environment != environment || slot->service != service)
            continue;
        slot->rev = 0;
        relations->shares--;
    }
}

void relations_release(struct relations *relations)
{
    free(relations->slots);
    *relations = (struct relations){0};
}
