/* What an environment defines, asked of the store: its plain values, and what in those environments
 * that stand on it has a say in how they are read. */
#ifndef EMSA_TOOLS_EMSA_SURVEY_H
#define EMSA_TOOLS_EMSA_SURVEY_H

#include "tools/emsa/session.h"
#include "tools/emsa/standing.h"

struct survey {
    struct standings set;
    json_int_t rev;       /* nothing is older than this */
    struct answer values; /* whose bytes the set borrows */
    json_t *unplaced;     /* environments on it that have no service `shared` */
    size_t children;      /* how many stand on it */
};

/* survey_release in any case. ERR_NOT_FOUND: no such environment, and what a call fails with. */
int survey_make(struct survey *survey, struct session *session, const char *environment);
void survey_release(struct survey *survey);

#endif
