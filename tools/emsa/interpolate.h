/*
 * Compose's "${...}": NAME, $NAME, ${NAME:-text}, ${NAME-text}, ${NAME:?why}, ${NAME?why},
 * ${NAME:+text}, ${NAME+text}, with the same again within their texts, and "$$" for a dollar. A
 * dollar before anything else stands for itself.
 */
#ifndef EMSA_TOOLS_EMSA_INTERPOLATE_H
#define EMSA_TOOLS_EMSA_INTERPOLATE_H

#include "tools/emsa/intake.h"

struct interpolation {
    struct intake *intake;
    /* The key that a name stands for now, or INTAKE_NONE where it is not set. */
    size_t (*lookup)(void *context, const char *name, size_t length);
    /* A name that is not set was taken for an empty text; may be NULL. */
    void (*unset)(void *context, const char *name, size_t length);
    void *context;
};

/* Drafts what text comes to; which branch of a "${...}" it takes is judged now, for good. text is
 * not in intake's memory. ERR_INVALID: an unfinished "${", a name that is required and not set, a
 * value too long; with a text without a place, and without anything of a value. */
int interpolate(const struct interpolation *how, const char *text, size_t size);

#endif
