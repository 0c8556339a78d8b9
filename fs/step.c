#include "fs/step.h"

/* Node ids are below this (fs/node.h: kinds 0 to 3). */
#define NODES (1ull << 62)
#define MADE (1ull << 63)

/* The order matters against step_begin and step_end, which end the step before with told, then
 * empty done, then open the next with upto: whoever sees a new upto sees the told before it, and
 * whoever saw the old one finds told there at the latest, where done says nothing. */
struct step step_of(const struct view_slot *slot)
{
    struct step step;
    step.upto = atomic_load(&slot->upto);
    step.done = atomic_load(&slot->done);
    step.told = atomic_load(&slot->told);
    if (step.upto < step.told)
        step.upto = step.told;
    step.is_move = false;
    step.name = step.upto;
    return step;
}

uint64_t step_move_name(uint64_t moves)
{
    return MADE | moves;
}

/* Another step may begin while it is looked at: then what was seen is of no one step. */
bool step_of_move(const struct view_slot *slot, struct step *out)
{
    for (;;) {
        const uint64_t moves = atomic_load(&slot->moves), from = atomic_load(&slot->move_from);
        const uint64_t upto = atomic_load(&slot->move_upto), done = atomic_load(&slot->done);
        if (from == 0)
            return false;
        if (from != atomic_load(&slot->move_from) || moves != atomic_load(&slot->moves))
            continue;
        *out = (struct step){.told = from,
                             .upto = upto,
                             .done = done,
                             .is_move = true,
                             .name = step_move_name(moves)};
        return done != UINT64_MAX;
    }
}

uint64_t step_position(uint64_t node, bool made)
{
    /* from the leaves to the root for what goes, the other way for what comes */
    return made ? MADE | node : NODES - node;
}

bool step_makes(uint64_t position)
{
    return position & MADE;
}

bool step_shows(const struct step *step, uint64_t node, bool was, bool is)
{
    if (was == is || step->upto == step->told)
        return was;
    return step_position(node, is) <= step->done ? is : was;
}

void step_begin(struct view_slot *slot, uint64_t upto)
{
    atomic_store(&slot->done, 0);
    atomic_store(&slot->upto, upto);
}

void step_reach(struct view_slot *slot, uint64_t position)
{
    uint64_t done = atomic_load(&slot->done);
    while (done < position && !atomic_compare_exchange_weak(&slot->done, &done, position))
        ;
}

void step_end(struct view_slot *slot)
{
    atomic_store(&slot->told, atomic_load(&slot->upto));
}
