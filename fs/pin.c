#include "fs/pin.h"

#include <stddef.h>

#include "fs/view_slot.h"

#define FIXED (1ull << 63)
#define ENDED (1ull << 62) /* in the slot, beside the revision */
#define GENERATION_MASK 0x7fffffffull
#define USED 1ull

/* How far to look for a free slot before a handle goes without: bounds the time of an OPEN. */
#define PROBES 512u
/* The first of them lie beside each other; the rest are strewn over all slots, so that one who has
 * a long run of them is soon left behind. */
#define PROBES_NEAR 16u
#define STRIDE 4099u

/* Views told apart when they are counted. */
#define SEEN_BYTES 8192u

/* tag: view (32) | generation (31) | used (1) */
static uint64_t tag_make(uint32_t view, uint64_t generation, uint64_t used)
{
    return (uint64_t)view << 32 | (generation & GENERATION_MASK) << 1 | used;
}

static uint64_t tag_generation(uint64_t tag)
{
    return tag >> 1 & GENERATION_MASK;
}

static void raise_high(struct state *state, uint32_t index)
{
    uint32_t high = atomic_load_explicit(&state->pin_high, memory_order_relaxed);
    while (high <= index && !atomic_compare_exchange_weak(&state->pin_high, &high, index + 1))
        ;
}

/* One slot more, or less, of a view that may be gone already. */
static void count(struct state *state, uint32_t view, uint32_t more)
{
    struct view_slot *slot = view_slot_find(state, view);
    atomic_fetch_add_explicit(&state->pins_used, more, memory_order_relaxed);
    if (slot)
        atomic_fetch_add_explicit(&slot->pins, more, memory_order_relaxed);
}

void pins_begin(struct state *state)
{
    uint32_t high = atomic_load(&state->pin_high);
    atomic_store(&state->pins_used, 0);
    for (uint32_t i = 0; i < VIEW_SLOTS && i < atomic_load(&state->view_high); i++)
        atomic_store(&state->views[i].pins, 0);
    for (uint32_t i = 0; i < high && i < PIN_SLOTS; i++) {
        uint64_t tag = atomic_load_explicit(&state->pins[i].tag, memory_order_relaxed);
        if (tag & USED)
            count(state, (uint32_t)(tag >> 32), 1);
    }
}

/* Whether a view may have one more: threads that ask at one time may get one each too many. */
static bool has_share(struct state *state, uint32_t view)
{
    const struct view_slot *slot = view_slot_find(state, view);
    uint32_t used = atomic_load_explicit(&state->pins_used, memory_order_relaxed);
    uint32_t left = used < PIN_SLOTS ? PIN_SLOTS - used : 0;
    return !slot || atomic_load_explicit(&slot->pins, memory_order_relaxed) < left;
}

uint64_t pin_take(struct state *state, uint32_t view, uint64_t rev, uint32_t *hint)
{
    if (!has_share(state, view))
        return pin_fixed(rev);
    for (uint32_t i = 0; i < PROBES; i++) {
        uint32_t index = (*hint + (i < PROBES_NEAR ? i : i * STRIDE)) % PIN_SLOTS;
        struct pin_slot *slot = &state->pins[index];
        uint64_t tag = atomic_load_explicit(&slot->tag, memory_order_relaxed);
        if (tag & USED)
            continue;
        uint64_t generation = (tag_generation(tag) + 1) & GENERATION_MASK;
        if (!atomic_compare_exchange_strong(&slot->tag, &tag, tag_make(view, generation, USED)))
            continue;
        atomic_store(&slot->rev, rev);
        raise_high(state, index);
        count(state, view, 1);
        *hint = index + 1;
        return generation << 32 | index;
    }
    *hint += PROBES;
    return pin_fixed(rev);
}

uint64_t pin_fixed(uint64_t rev)
{
    return FIXED | rev;
}

/* The slot of a live handle, or NULL. */
static struct pin_slot *slot_of(struct state *state, uint64_t handle)
{
    uint64_t index = handle & 0xffffffffu;
    if (handle & FIXED || index >= PIN_SLOTS)
        return NULL;
    struct pin_slot *slot = &state->pins[index];
    uint64_t tag = atomic_load(&slot->tag);
    return tag & USED && tag_generation(tag) == handle >> 32 ? slot : NULL;
}

struct pin pin_get(struct state *state, uint64_t handle)
{
    if (handle & FIXED)
        return (struct pin){.rev = handle & ~FIXED};
    struct pin_slot *slot = slot_of(state, handle);
    if (!slot)
        return (struct pin){0};
    uint64_t word = atomic_load(&slot->rev);
    return (struct pin){.rev = word & ~ENDED, .moves = true, .ended = (word & ENDED) != 0};
}

void pin_set(struct state *state, uint64_t handle, uint64_t rev)
{
    struct pin_slot *slot = slot_of(state, handle);
    if (slot)
        atomic_store(&slot->rev, rev);
}

void pin_end(struct state *state, uint64_t handle, struct pin pin, bool ended)
{
    struct pin_slot *slot = slot_of(state, handle);
    uint64_t word = pin.rev | (pin.ended ? ENDED : 0);
    if (slot)
        (void)atomic_compare_exchange_strong(&slot->rev, &word, pin.rev | (ended ? ENDED : 0));
}

void pin_drop(struct state *state, uint64_t handle, uint32_t *hint)
{
    struct pin_slot *slot = slot_of(state, handle);
    if (!slot)
        return;
    uint64_t tag = atomic_load(&slot->tag);
    if (!atomic_compare_exchange_strong(&slot->tag, &tag, tag & ~USED))
        return;
    count(state, (uint32_t)(tag >> 32), (uint32_t)-1);
    *hint = (uint32_t)(handle & 0xffffffffu); /* the next one takes what is warm */
}

/* The bit of a view, and whether it was new: ids are given in order, so few views share one. */
static bool mark_seen(unsigned char seen[], uint32_t view)
{
    uint32_t bit = view % (8 * SEEN_BYTES);
    bool is_new = (seen[bit / 8] & 1u << bit % 8) == 0;
    seen[bit / 8] |= (unsigned char)(1u << bit % 8);
    return is_new;
}

uint32_t pin_count(struct state *state, uint32_t *views)
{
    unsigned char seen[SEEN_BYTES] = {0};
    uint32_t count = 0, high = atomic_load(&state->pin_high);
    *views = 0;
    for (uint32_t i = 0; i < high; i++) {
        uint64_t tag = atomic_load_explicit(&state->pins[i].tag, memory_order_relaxed);
        if (!(tag & USED))
            continue;
        count++;
        *views += mark_seen(seen, (uint32_t)(tag >> 32));
    }
    return count;
}

uint32_t pin_drop_view(struct state *state, uint32_t view)
{
    uint32_t dropped = 0, high = atomic_load(&state->pin_high);
    for (uint32_t i = 0; i < high; i++) {
        uint64_t tag = atomic_load(&state->pins[i].tag);
        if (tag & USED && tag >> 32 == view &&
            atomic_compare_exchange_strong(&state->pins[i].tag, &tag, tag & ~USED))
            dropped++;
    }
    if (dropped)
        count(state, view, (uint32_t)-dropped);
    return dropped;
}
