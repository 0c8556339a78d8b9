#include "tools/emsad/tally.h"

#include <time.h>

uint64_t tally_now(void)
{
    struct timespec time;
    (void)clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000000u + (uint64_t)time.tv_nsec;
}

uint64_t tally_pause(struct state_figures *figures, uint64_t *begun)
{
    if (*begun == 0)
        return 0;
    uint64_t pause = tally_now() - *begun;
    *begun = 0;
    atomic_store(&figures->last_pause, pause);
    if (pause > atomic_load(&figures->longest_pause))
        atomic_store(&figures->longest_pause, pause);
    return pause;
}
