/* The look-ups of index.h that a service which came by the revision does not need. */
#include "store/log/index.h"

#include "store/error.h"

/* Whether the service's name came by this revision: nobody had named a key of it. */
static bool is_new_service(const struct index *index, uint32_t service)
{
    return service > index->services_before;
}

/* Whether the service in hand is there for the first time, by this revision: it had nothing. */
static bool is_new_place(const struct index *index, uint32_t environment, uint32_t service)
{
    const struct service *is = &index->place.is;
    return index->has_place && is->environment == environment && is->id == service &&
           is->made_rev == index->rev && is->incarnation == 0;
}

int index_name_id(struct index *index, uint64_t *id, uint32_t service, const char *key)
{
    if (is_new_service(index, service) && !seen_has(&index->names, 0, service, key))
        return NOT_THERE;
    return state_name_id(index->txn, id, service, key);
}

int index_current(struct index *index, struct spot *out, uint32_t environment, uint32_t service,
                  const char *key)
{
    if (is_new_place(index, environment, service) &&
        !seen_has(&index->spots, environment, service, key))
        return NOT_THERE;
    return state_current(index->txn, out, environment, service, key);
}

int index_saw_name(struct index *index, uint32_t service)
{
    return is_new_service(index, service) ? seen_add(&index->names, 0, service, index->name) : 0;
}

int index_saw_spot(struct index *index, uint32_t environment, uint32_t service)
{
    return is_new_place(index, environment, service)
               ? seen_add(&index->spots, environment, service, index->name)
               : 0;
}

void index_release(struct index *index)
{
    seen_release(&index->names);
    seen_release(&index->spots);
}
