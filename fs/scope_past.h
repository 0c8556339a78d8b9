/* Which revisions a consumer's view shows in at/. */
#ifndef EMSA_FS_SCOPE_PAST_H
#define EMSA_FS_SCOPE_PAST_H

#include "fs/scope.h"

/*
 * Whether a view may have a name in at/ of a directory of its own: 0, NOT_THERE or a failure. With
 * history any revision up to the place's newest; else that one, and those that were it within the
 * last minute, so that whoever has read where `head` leads gets there. Never a tag.
 * Of a view that is held at a revision that one is the newest: nothing is there that is newer than
 * what it shows, and without history that one alone, and what it was moved from within the last
 * minute if that is older. Bounded work:
 * where nothing changed in the place for very long before that, an older one may be refused.
 */
int scope_past_enter(const struct scope *scope, struct snapshot *snapshot, const struct node *at,
                     const char *name);

#endif
