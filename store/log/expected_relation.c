#include "store/log/expected_relation.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"

static bool is_same(const struct relation *a, const struct relation *b)
{
    return a->kind == b->kind && a->environment == b->environment && a->service == b->service &&
           a->name_id == b->name_id && strcmp(a->with, b->with) == 0;
}

static uint64_t mix(uint64_t sum, uint64_t value)
{
    sum = (sum ^ value) * 0x9e3779b97f4a7c15u;
    return sum ^ (sum >> 29);
}

static struct relation *slot_of(struct relation *slots, size_t capacity,
                                const struct relation *relation)
{
    uint64_t sum = mix(mix(relation->kind, relation->environment), relation->service);
    sum = mix(sum, relation->name_id);
    for (const char *at = relation->with; *at; at++)
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

static enum relation_kind kind_of(enum operation_kind kind)
{
    if (operation_is_of_rights(kind))
        return RELATION_GRANT;
    if (operation_is_of_tag(kind))
        return RELATION_TAG;
    if (operation_is_of_schema(kind))
        return RELATION_SCHEMA;
    return kind == OPERATION_LOCK || kind == OPERATION_UNLOCK ? RELATION_LOCK : RELATION_SHARE;
}

static void copy_text(struct relation *relation, const char *text, size_t size)
{
    if (size)
        memcpy(relation->with, text, size);
}

static struct relation relation_of(const struct operation *operation, uint64_t rev, uint32_t op)
{
    struct relation relation = {.is_used = true,
                                .kind = kind_of(operation->kind),
                                .environment = operation->environment,
                                .service = operation->service,
                                .name_id = operation->name_id,
                                .rights = operation->rights,
                                .rev = rev,
                                .op = op,
                                .tagged = operation->tagged};
    if (relation.kind == RELATION_TAG)
        copy_text(&relation, operation->name, operation->name_size);
    else if (relation.kind == RELATION_GRANT)
        copy_text(&relation, operation->principal, operation->principal_size);
    else
        copy_text(&relation, operation->consumer, operation->consumer_size);
    return relation;
}

/* What is held after an operation: the rights that it grants come to those that were held, and
 * those that it takes back were. 1: they do not. */
static int take_rights(struct relation *relation, const struct operation *operation, unsigned held)
{
    const bool is_grant = operation->kind == OPERATION_RIGHTS_GRANT;
    if ((held & operation->rights) != (is_grant ? 0 : operation->rights))
        return 1;
    relation->rights = held ^ operation->rights;
    if (!relation->rights)
        relation->rev = 0;
    return 0;
}

int relations_apply(struct relations *relations, const struct operation *operation, uint64_t rev,
                    uint32_t op)
{
    const bool is_said = operation->kind == OPERATION_SHARE || operation->kind == OPERATION_LOCK ||
                         operation->kind == OPERATION_SCHEMA_SET ||
                         operation->kind == OPERATION_TAG;
    struct relation relation = relation_of(operation, rev, op);
    const bool is_grant = relation.kind == RELATION_GRANT;
    if (!is_said && !is_grant)
        relation.rev = 0;
    const int error = grow(relations);
    if (error)
        return error;
    struct relation *slot = slot_of(relations->slots, relations->capacity, &relation);
    const bool was_said = slot->is_used && slot->rev;
    if (is_grant ? take_rights(&relation, operation, was_said ? slot->rights : 0)
                 : (!is_said && !was_said) || (relation.kind == RELATION_SCHEMA && is_said &&
                                               operation->first == was_said))
        return 1;
    relations->count += !slot->is_used;
    relations->counts[relation.kind] += (uint64_t)((int)(relation.rev != 0) - (int)was_said);
    *slot = relation;
    return 0;
}

const struct relation *relations_find(const struct relations *relations, enum relation_kind kind,
                                      uint32_t environment, uint32_t service, uint64_t name_id,
                                      const char *with, size_t with_size)
{
    struct relation wanted = {
        .kind = kind, .environment = environment, .service = service, .name_id = name_id};
    if (!relations->capacity)
        return NULL;
    copy_text(&wanted, with, with_size);
    const struct relation *slot = slot_of(relations->slots, relations->capacity, &wanted);
    return slot->is_used ? slot : NULL;
}

bool relations_has_schema(const struct relations *relations, uint32_t environment, uint32_t service)
{
    const struct relation *schema =
        relations_find(relations, RELATION_SCHEMA, environment, service, 0, "", 0);
    return schema && schema->rev;
}

unsigned relations_rights(const struct relations *relations, uint32_t environment, uint32_t service,
                          const char *principal)
{
    struct relation wanted = {
        .kind = RELATION_GRANT, .environment = environment, .service = service};
    if (!relations->capacity)
        return 0;
    copy_text(&wanted, principal, strlen(principal));
    const struct relation *slot = slot_of(relations->slots, relations->capacity, &wanted);
    return slot->is_used && slot->rev ? slot->rights : 0;
}

void relations_drop(struct relations *relations, enum relation_kind kind, uint32_t environment,
                    uint32_t service)
{
    for (size_t i = 0; i < relations->capacity && relations->counts[kind]; i++) {
        struct relation *slot = &relations->slots[i];
        if (!slot->rev || slot->kind != kind || slot->environment != environment ||
            slot->service != service)
            continue;
        slot->rev = 0;
        relations->counts[kind]--;
    }
}

void relations_release(struct relations *relations)
{
    free(relations->slots);
    *relations = (struct relations){0};
}
