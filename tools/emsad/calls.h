/*
 * The system calls that each role makes: one table, in groups by what they are for, with the roles
 * that do that. filter.c makes a filter of it; what is in no group of a role does not exist for it.
 *
 * A role more: a bit in enum calls_role, and that bit in the groups that it needs.
 * tests/integration/room/traced.py says which calls a role made in a run of any test under strace,
 * and tests/integration/room/calls.sh compares.
 */
#ifndef EMSA_TOOLS_EMSAD_CALLS_H
#define EMSA_TOOLS_EMSAD_CALLS_H

#include <stddef.h>
#include <stdint.h>

enum calls_role {
    CALLS_SERVER = 1u << 0,
    CALLS_NOTIFIER = 1u << 1,
    CALLS_METRICS = 1u << 2,
    CALLS_VOLUME = 1u << 3,
    CALLS_AUDIT = 1u << 4,
    CALLS_LOOK = 1u << 5, /* a thread of the audit process alone (audit_look.h) */
};
#define CALLS_ALL                                                                                  \
    ((unsigned)(CALLS_SERVER | CALLS_NOTIFIER | CALLS_METRICS | CALLS_VOLUME | CALLS_AUDIT))

/* Calls that a role may make whatever their arguments are. */
struct calls_group {
    const char *why;
    unsigned roles;
    const int *calls; /* libseccomp's numbers */
    size_t count;
};

/* One call that may be made with some arguments only: several rows of one call are alternatives. */
struct calls_condition {
    const char *why;
    unsigned roles;
    int call;
    unsigned argument;    /* counted from 0 */
    uint64_t mask, value; /* what the argument must be, in the bits of mask */
};

extern const struct calls_group calls_groups[];
extern const size_t calls_group_count;
extern const struct calls_condition calls_conditions[];
extern const size_t calls_condition_count;

#endif
