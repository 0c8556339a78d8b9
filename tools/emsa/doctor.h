/*
 * `emsa doctor`: what protects the store and its processes on this machine, and what is missing. A
 * check is a function that says one thing or several of what it is about, each with a level and,
 * where it is not well, the next step. Nothing is changed, no store is opened, and what this user
 * may not look at is said to be so.
 */
#ifndef EMSA_TOOLS_EMSA_DOCTOR_H
#define EMSA_TOOLS_EMSA_DOCTOR_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "tools/emsa/session.h"

enum doctor_level { DOCTOR_OK, DOCTOR_WARN, DOCTOR_BAD };

struct doctor {
    const struct place_of_store *place;
    json_t *status;   /* the server's, or NULL: none runs, or it does not say */
    json_t *findings; /* array */
    unsigned counts[3];
};

#define DOCTOR_TEXT_MAX 512

/* Adds a finding: what it is of, a text, and what to do ("" where it is well). */
void doctor_say(struct doctor *doctor, enum doctor_level level, const char *check, const char *next,
                const char *format, ...) __attribute__((format(printf, 5, 6)));

/* As DOCTOR_WARN, for what this user may not see. */
void doctor_hidden(struct doctor *doctor, const char *check, const char *what);

void doctor_kernel(struct doctor *doctor);    /* doctor_kernel.c: version, what it offers */
void doctor_refused(struct doctor *doctor);   /* doctor_refused.c: calls that the filters refused */
void doctor_processes(struct doctor *doctor); /* doctor_process.c: each of the daemon's */
void doctor_memory(struct doctor *doctor);    /* doctor_memory.c: locks, swap, cores */
void doctor_store(struct doctor *doctor);     /* doctor_store.c: folder, files, room */
void doctor_identity(struct doctor *doctor);  /* doctor_identity.c: where it is, who can read it */
/* doctor_recovery.c: what is left when that is lost */
void doctor_recovery(struct doctor *doctor, struct session *session);

#endif
