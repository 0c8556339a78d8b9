/*
 * Whether looking for more pays, by trying both.
 *
 * Looking for the next request before blocking saves waking this thread, which is dear where it
 * sleeps on a core of its own. Where the reader shares the core with it, looking keeps the reader
 * from running: a yield gives the core away only to threads of the same scheduling group, and a
 * daemon and its readers are in different ones (of cgroups, or of sessions). Neither can be asked
 * for: who runs where is the scheduler's. So the time that a request takes is measured
 * both ways while requests come one after the other, in stretches of some; the quicker way is
 * taken, and the other tried again now and then.
 */
#ifndef EMSA_FS_PACE_H
#define EMSA_FS_PACE_H

#include <stdbool.h>
#include <stdint.h>

#define PACE_STRETCH 16u /* requests; a reader of a few files has found its way by the third */

struct pace {       /* of one thread; all zero at first */
    uint64_t begun; /* this stretch, in monotonic nanoseconds; 0: it is not timed */
    uint32_t requests;
    uint32_t stretches;
    bool blocks;      /* this stretch is without looking */
    uint64_t cost[2]; /* of a request, in nanoseconds; [1]: without looking; 0: not known */
};

static inline bool pace_looks(const struct pace *pace)
{
    return !pace->blocks;
}

/* One more request was answered. */
void pace_request(struct pace *pace);

/* Whoever asked went silent: what was measured is of the past. */
void pace_forget(struct pace *pace);

/* The end of a stretch, for the test: it took so long a request. */
void pace_end(struct pace *pace, uint64_t cost);

#endif
