/* What the supervisor counts, in the memory that servers read it from (struct state_figures). */
#ifndef EMSA_TOOLS_EMSAD_TALLY_H
#define EMSA_TOOLS_EMSAD_TALLY_H

#include <stdatomic.h>
#include <stdint.h>

#include "fs/state.h"

/* One more. */
static inline void tally_count(_Atomic uint64_t *figure)
{
    (void)atomic_fetch_add(figure, 1);
}

/* Now, in monotonic nanoseconds. */
uint64_t tally_now(void);

/* No server answered from the moment begun until now; begun becomes 0. Nanoseconds; 0 when begun
 * was 0 already, which is no pause. */
uint64_t tally_pause(struct state_figures *, uint64_t *begun);

#endif
