/* Whether two values are equal: asked here, so that no secret needs to be shown to compare it. */
#ifndef EMSA_TOOLS_SERVICE_COMPARE_H
#define EMSA_TOOLS_SERVICE_COMPARE_H

#include "store/snapshot.h"

/* UNKNOWN: one of them is a secret that no key at hand opens. */
enum likeness { LIKENESS_SAME, LIKENESS_OTHER, LIKENESS_UNKNOWN };

/* What was set, at any time: the kinds, and the bytes or texts. */
int compare_definitions(struct snapshot *, enum likeness *out, const struct definition *a,
                        const struct definition *b);

/* What the definitions set that are in effect at two places. */
int compare_defined(struct snapshot *, enum likeness *out, const struct entry *a,
                    const struct entry *b);

/* Whether what readers get at both is one stored value, so that they are equal whatever it is. */
bool compare_is_one(const struct entry *a, const struct entry *b);

/* What readers get: whether it is secret, and the bytes. */
int compare_entries(struct snapshot *, enum likeness *out, const struct entry *a,
                    const struct entry *b);

#endif
