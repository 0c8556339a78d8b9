#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include <cmocka.h>

#include "fs/histogram.h"

#define COUNT 20000u
#define THREADS 4u

static struct histogram histogram, other;

static int fresh(void **state)
{
    (void)state;
    histogram = (struct histogram){0};
    other = (struct histogram){0};
    return 0;
}

static uint64_t next(uint64_t *seed)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed;
}

/* From 1 us to 100 s, each power of two as likely as another. */
static uint64_t any_time(uint64_t *seed)
{
    uint64_t bit = 10 + next(seed) % 26;
    uint64_t value = (1ull << bit) + next(seed) % (1ull << bit);
    return value < 1024 ? 1024 : value;
}

static int compare(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return x < y ? -1 : x > y;
}

static bool is_near(uint64_t value, uint64_t exact)
{
    uint64_t apart = value > exact ? value - exact : exact - value;
    return apart * 32 <= exact;
}

static void percentiles_are_those_of_sorting(void **state)
{
    (void)state;
    static uint64_t times[COUNT];
    static const double fractions[] = {0.001, 0.1, 0.25, 0.5, 0.75, 0.9, 0.99, 0.999, 1};
    uint64_t seed = (uint64_t)time(NULL) * 2 + 1, sum = 0;
    print_message("seed %" PRIu64 "\n", seed);
    for (unsigned i = 0; i < COUNT; i++) {
        times[i] = any_time(&seed);
        sum += times[i];
        histogram_add(&histogram, times[i]);
    }
    qsort(times, COUNT, sizeof times[0], compare);
    assert_int_equal(histogram_count(&histogram), COUNT);
    assert_int_equal(histogram.sum, sum);
    assert_int_equal(histogram.max, times[COUNT - 1]);
    for (unsigned i = 0; i < sizeof fractions / sizeof fractions[0]; i++) {
        uint64_t exact = times[(size_t)(fractions[i] * COUNT + 0.9999999) - 1];
        uint64_t found = histogram_percentile(&histogram, fractions[i]);
        if (!is_near(found, exact))
            fail_msg("%g: %" PRIu64 " ns instead of %" PRIu64, fractions[i], found, exact);
    }
    for (unsigned bit = 10; bit <= 37; bit++) {
        unsigned below = 0;
        while (below < COUNT && times[below] < 1ull << bit)
            below++;
        assert_int_equal(histogram_below(&histogram, bit), below);
    }
}

static void each_time_comes_back_as_itself(void **state)
{
    (void)state;
    for (uint64_t time = 1024; time <= 100000000000u; time += 1 + time / 97) {
        histogram = (struct histogram){0};
        histogram_add(&histogram, time);
        histogram.max = UINT64_MAX; /* which would correct what the parts say */
        if (!is_near(histogram_percentile(&histogram, 0.5), time))
            fail_msg("%" PRIu64 " ns came back as %" PRIu64, time,
                     histogram_percentile(&histogram, 0.5));
    }
}

static void ends_of_the_range_are_counted(void **state)
{
    (void)state;
    assert_int_equal(histogram_percentile(&histogram, 0.5), 0);
    assert_int_equal(histogram_count(&histogram), 0);
    histogram_add(&histogram, 0);
    assert_int_equal(histogram_percentile(&histogram, 0.5), 0); /* the longest was 0 */
    histogram_add(&histogram, UINT64_MAX);
    assert_int_equal(histogram_count(&histogram), 2);
    assert_int_equal(histogram_percentile(&histogram, 0), 512);
    assert_int_equal(histogram_percentile(&histogram, 1), 1ull << 37);
    assert_int_equal(histogram_percentile(&histogram, 7), 1ull << 37);
    assert_int_equal(histogram_below(&histogram, 0), 1);
    assert_int_equal(histogram_below(&histogram, 63), 1);
}

static void two_are_one(void **state)
{
    (void)state;
    for (uint64_t i = 1; i <= 1000; i++)
        histogram_add(i % 2 ? &histogram : &other, i * 1000000);
    histogram_merge(&histogram, &other);
    assert_int_equal(histogram_count(&histogram), 1000);
    assert_int_equal(histogram.max, 1000000000);
    assert_int_equal(histogram.sum, 1000ull * 1001 / 2 * 1000000);
    assert_true(is_near(histogram_percentile(&histogram, 0.5), 500000000));
    assert_int_equal(histogram_count(&other), 500);
}

static void *add_many(void *arg)
{
    uint64_t seed = (uintptr_t)arg;
    for (unsigned i = 0; i < COUNT; i++)
        histogram_add(&histogram, any_time(&seed));
    return NULL;
}

static void threads_lose_nothing(void **state)
{
    (void)state;
    pthread_t threads[THREADS];
    for (uintptr_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, add_many, (void *)(i + 1)), 0);
    for (unsigned i = 0; i < THREADS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    uint64_t sum = 0, longest = 0;
    for (uint64_t i = 0; i < THREADS; i++) {
        uint64_t seed = i + 1;
        for (unsigned j = 0; j < COUNT; j++) {
            uint64_t time = any_time(&seed);
            sum += time;
            longest = time > longest ? time : longest;
        }
    }
    assert_int_equal(histogram_count(&histogram), THREADS * COUNT);
    assert_int_equal(histogram.sum, sum);
    assert_int_equal(histogram.max, longest);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(percentiles_are_those_of_sorting, fresh),
        cmocka_unit_test_setup(each_time_comes_back_as_itself, fresh),
        cmocka_unit_test_setup(ends_of_the_range_are_counted, fresh),
        cmocka_unit_test_setup(two_are_one, fresh),
        cmocka_unit_test_setup(threads_lose_nothing, fresh),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
