#include "store/model/lengths.h"

#include "store/limits.h"

/*
 * A version is 57 bits: 39 of the revision, 18 of the operation. They are mixed by steps that can
 * be undone, so 14 bits that choose the slot and 43 that stand in the word name the version
 * exactly. The other 21 bits are the size plus one; an empty slot is 0.
 */
#define VERSION_BITS 57
#define SIZE_BITS 21
#define OPERATION_BITS 18
#define VERSION_MASK ((UINT64_C(1) << VERSION_BITS) - 1)
#define SIZE_MASK ((UINT64_C(1) << SIZE_BITS) - 1)

_Static_assert(LENGTHS_SLOT_BITS + 64 - SIZE_BITS == VERSION_BITS, "a word names its version");
_Static_assert(VALUE_MAX + 1 <= SIZE_MASK, "every size fits");
_Static_assert(COMMIT_OPERATIONS_MAX <= 1u << OPERATION_BITS, "every operation fits");

static uint64_t mix(uint64_t version)
{
    version = version * UINT64_C(0x9e3779b97f4a7c15) & VERSION_MASK;
    version ^= version >> 29;
    version = version * UINT64_C(0xbf58476d1ce4e5b9) & VERSION_MASK;
    return version ^ version >> 31;
}

/* False for a revision too great to be named in a word: it is simply not remembered. */
static bool name_version(uint64_t *tag, size_t *slot, uint64_t rev, uint32_t op)
{
    if (rev >> (VERSION_BITS - OPERATION_BITS) || op >> OPERATION_BITS)
        return false;
    const uint64_t mixed = mix(rev << OPERATION_BITS | op);
    *slot = mixed & ((1u << LENGTHS_SLOT_BITS) - 1);
    *tag = mixed >> LENGTHS_SLOT_BITS;
    return true;
}

bool lengths_find(struct lengths *lengths, size_t *size, uint64_t rev, uint32_t op)
{
    uint64_t tag;
    size_t slot;
    if (!name_version(&tag, &slot, rev, op))
        return false;
    const uint64_t word = atomic_load_explicit(&lengths->slots[slot], memory_order_relaxed);
    if (!word || word >> SIZE_BITS != tag)
        return false;
    *size = (size_t)(word & SIZE_MASK) - 1;
    return true;
}

void lengths_note(struct lengths *lengths, size_t size, uint64_t rev, uint32_t op)
{
    uint64_t tag;
    size_t slot;
    if (size <= VALUE_MAX && name_version(&tag, &slot, rev, op))
        atomic_store_explicit(&lengths->slots[slot], tag << SIZE_BITS | (size + 1),
                              memory_order_relaxed);
}
