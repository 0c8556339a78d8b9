/*
 * Makes the n-th call of a family fail. The families stand in the program's own link: what our
 * objects call of malloc and LMDB is replaced by the linker (--wrap, see CMakeLists.txt), and
 * system calls are defined here, so that liblmdb's and libsodium's go through them as well. While
 * nothing is armed they only pass calls on.
 */
#ifndef EMSA_TESTS_INJECT_H
#define EMSA_TESTS_INJECT_H

#include <stdbool.h>

enum inject_family { INJECT_MEMORY, INJECT_DATABASE, INJECT_SYSTEM };

enum inject_how {
    INJECT_REFUSE,      /* memory: NULL; LMDB: ENOMEM; system: EIO. Nothing was done */
    INJECT_FULL,        /* LMDB: MDB_MAP_FULL; system: ENOSPC */
    INJECT_HALF,        /* a write does half of its bytes and says so; other system calls: EIO */
    INJECT_LATE,        /* system: done, and then said to have failed (EIO): a sync that lies */
    INJECT_KILL_BEFORE, /* system: the process is killed instead of calling */
    INJECT_KILL_AFTER,  /* system: the process is killed when it returns */
};

/* From now on the at-th call (from 1) of the family fails; and all after it, where onwards. */
void inject_arm(enum inject_family family, enum inject_how how, unsigned at, bool onwards);

/* Back to normal. Whether a call has failed; *calls (may be NULL) is how many there were. */
bool inject_disarm(unsigned *calls);

#endif
