/* How many lines the audit record gets: all, as long as they are few. */
#ifndef EMSA_TOOLS_EMSAD_AUDIT_PACE_H
#define EMSA_TOOLS_EMSAD_AUDIT_PACE_H

#include <stdint.h>

#include "store/audit.h"

#define AUDIT_LINES_A_SECOND 200u  /* of reads and denials that were seen before */
#define AUDIT_DENIALS_A_MINUTE 60u /* of one user, each with what was refused */
#define AUDIT_PACE_USERS 16u       /* the one longest silent makes room */

struct audit_pace_user {
    uint32_t uid, lines;
    int64_t minute; /* since 1970; 0: this place is free */
};

struct audit_pace {
    int64_t second;
    uint32_t lines;
    struct audit_pace_user users[AUDIT_PACE_USERS];
};

enum audit_pace_verdict {
    AUDIT_PACE_WRITE,
    AUDIT_PACE_COUNT, /* to be counted if it was seen lately, else written */
    AUDIT_PACE_MERGE, /* to be counted in any case; what it is of was taken out of it */
};

/* Judges an event by its own time. */
enum audit_pace_verdict audit_pace_judge(struct audit_pace *, struct audit_event *event);

#endif
