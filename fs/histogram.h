/*
 * How long something took, many times over: counts by size, in memory of a fixed size that any
 * number of threads add to without a lock, and that may be shared between processes. Times are
 * nanoseconds. Each power of two from 1,024 ns to 2^37 ns (137 s) is divided into sixteen equal
 * parts, so what is read from it is at most 1/32 (3 %) from what was put in; what is shorter counts
 * as shorter than 1,024 ns, what is longer as 2^37 ns. Zeroed memory is an empty one.
 */
#ifndef EMSA_FS_HISTOGRAM_H
#define EMSA_FS_HISTOGRAM_H

#include <stdatomic.h>
#include <stdint.h>

#define HISTOGRAM_FIRST_BIT 10u /* below 2^10 ns there is one part */
#define HISTOGRAM_LAST_BIT 37u  /* and from 2^37 ns on */
#define HISTOGRAM_PART_BITS 4u
#define HISTOGRAM_PARTS (((HISTOGRAM_LAST_BIT - HISTOGRAM_FIRST_BIT) << HISTOGRAM_PART_BITS) + 2u)

struct histogram {
    _Atomic uint64_t sum; /* nanoseconds, of all */
    _Atomic uint64_t max;
    _Atomic uint64_t parts[HISTOGRAM_PARTS];
};

/* Counts one. */
void histogram_add(struct histogram *histogram, uint64_t nanoseconds);

/* Adds all that another has counted; also how one is copied, into a zeroed one. */
void histogram_merge(struct histogram *into, const struct histogram *from);

/* How many were counted. */
uint64_t histogram_count(const struct histogram *histogram);

/* The time that this fraction (0 to 1) of all took at most: 0.5 is the median. Never more than the
 * longest. 0: nothing was counted. */
uint64_t histogram_percentile(const struct histogram *histogram, double fraction);

/* How many took less than 2^bit nanoseconds; exact for the bits from HISTOGRAM_FIRST_BIT to
 * HISTOGRAM_LAST_BIT, others count as the nearest of these. */
uint64_t histogram_below(const struct histogram *histogram, unsigned bit);

#endif
