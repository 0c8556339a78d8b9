/*
 * What several services of an environment repeat, and how it would be defined once. A value that
 * two or more have goes to `shared`, under the name that most of them give it, and they link to it;
 * a "host:port" or a host that several name goes there too, and what is around it becomes a
 * template. What stands in `shared` already is used before anything new is made.
 *
 * Small values (numbers, words of a switch, anything under six bytes) mean the same only under the
 * same key. Empty ones mean nothing.
 */
#ifndef EMSA_TOOLS_EMSA_REPEATS_H
#define EMSA_TOOLS_EMSA_REPEATS_H

#include "tools/emsa/standing.h"

/* Rewrites the set until nothing is repeated any more: planned again, nothing is left to do.
 * ERR_NOMEM. */
int repeats_plan(struct standings *set);

/* Whether a value means nothing by itself. */
bool repeats_is_small(const char *value, size_t size);

#endif
