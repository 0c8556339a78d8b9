#include "fs/histogram.h"

#define PARTS_A_BIT (1u << HISTOGRAM_PART_BITS)

/* Counters are independent: a reader that comes between two additions sees one of them, which is as
 * true as both. */
static uint64_t get(const _Atomic uint64_t *counter)
{
    return atomic_load_explicit(counter, memory_order_relaxed);
}

static void put(_Atomic uint64_t *counter, uint64_t more)
{
    (void)atomic_fetch_add_explicit(counter, more, memory_order_relaxed);
}

static void raise_to(_Atomic uint64_t *counter, uint64_t value)
{
    uint64_t before = get(counter);
    while (before < value &&
           !atomic_compare_exchange_weak_explicit(counter, &before, value, memory_order_relaxed,
                                                  memory_order_relaxed))
        ;
}

static unsigned part_of(uint64_t nanoseconds)
{
    if (nanoseconds >> HISTOGRAM_FIRST_BIT == 0)
        return 0;
    if (nanoseconds >> HISTOGRAM_LAST_BIT != 0)
        return HISTOGRAM_PARTS - 1;
    unsigned bit = 63u - (unsigned)__builtin_clzll(nanoseconds);
    unsigned within = (unsigned)(nanoseconds >> (bit - HISTOGRAM_PART_BITS)) & (PARTS_A_BIT - 1);
    return 1 + ((bit - HISTOGRAM_FIRST_BIT) << HISTOGRAM_PART_BITS) + within;
}

/* The middle of a part, so that the error goes both ways. */
static uint64_t middle_of(unsigned part)
{
    if (part == 0)
        return 1ull << (HISTOGRAM_FIRST_BIT - 1);
    if (part == HISTOGRAM_PARTS - 1)
        return 1ull << HISTOGRAM_LAST_BIT;
    unsigned bit = HISTOGRAM_FIRST_BIT + ((part - 1) >> HISTOGRAM_PART_BITS);
    uint64_t width = 1ull << (bit - HISTOGRAM_PART_BITS);
    return (1ull << bit) + ((part - 1) & (PARTS_A_BIT - 1)) * width + width / 2;
}

void histogram_add(struct histogram *histogram, uint64_t nanoseconds)
{
    put(&histogram->parts[part_of(nanoseconds)], 1);
    put(&histogram->sum, nanoseconds);
    raise_to(&histogram->max, nanoseconds);
}

void histogram_merge(struct histogram *into, const struct histogram *from)
{
    for (unsigned i = 0; i < HISTOGRAM_PARTS; i++) {
        uint64_t count = get(&from->parts[i]);
        if (count != 0)
            put(&into->parts[i], count);
    }
    put(&into->sum, get(&from->sum));
    raise_to(&into->max, get(&from->max));
}

uint64_t histogram_count(const struct histogram *histogram)
{
    uint64_t count = 0;
    for (unsigned i = 0; i < HISTOGRAM_PARTS; i++)
        count += get(&histogram->parts[i]);
    return count;
}

uint64_t histogram_percentile(const struct histogram *histogram, double fraction)
{
    uint64_t count = histogram_count(histogram), seen = 0;
    if (count == 0)
        return 0;
    double wanted = fraction < 0 ? 0 : fraction > 1 ? (double)count : fraction * (double)count;
    uint64_t rank = (uint64_t)wanted;
    if ((double)rank < wanted || rank == 0)
        rank++;
    if (rank > count)
        rank = count;
    uint64_t longest = get(&histogram->max);
    for (unsigned i = 0; i < HISTOGRAM_PARTS; i++) {
        seen += get(&histogram->parts[i]);
        if (seen >= rank) {
            uint64_t middle = middle_of(i);
            return middle < longest ? middle : longest;
        }
    }
    return longest;
}

uint64_t histogram_below(const struct histogram *histogram, unsigned bit)
{
    if (bit < HISTOGRAM_FIRST_BIT)
        bit = HISTOGRAM_FIRST_BIT;
    if (bit > HISTOGRAM_LAST_BIT)
        bit = HISTOGRAM_LAST_BIT;
    unsigned end = 1 + ((bit - HISTOGRAM_FIRST_BIT) << HISTOGRAM_PART_BITS);
    uint64_t count = 0;
    for (unsigned i = 0; i < end; i++)
        count += get(&histogram->parts[i]);
    return count;
}
