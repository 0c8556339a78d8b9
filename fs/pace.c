#include "fs/pace.h"

#include <time.h>

/* Every so many stretches is one the other way. */
#define TRY 64u

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

void pace_end(struct pace *pace, uint64_t cost)
{
    uint64_t *known = &pace->cost[pace->blocks];
    *known = *known ? (3 * *known + cost) / 4 : cost;
    if (*known == 0)
        *known = 1;
    bool blocking_is_quicker = pace->cost[1] < pace->cost[0];
    pace->stretches++;
    pace->blocks = pace->stretches % TRY ? blocking_is_quicker : !blocking_is_quicker;
}

void pace_request(struct pace *pace)
{
    if (++pace->requests < PACE_STRETCH)
        return;
    uint64_t time = now();
    if (pace->begun)
        pace_end(pace, (time - pace->begun) / PACE_STRETCH);
    pace->begun = time;
    pace->requests = 0;
}

void pace_forget(struct pace *pace)
{
    *pace = (struct pace){0};
}
