/*
 * The last thing that is done to a reply for somebody who may not read everything: what it says of
 * places that the caller may not list is taken out. Handlers leave such things out by themselves
 * where they know of them; but the store judges a change by all that it comes to, and its reasons,
 * notes and lines name whatever stands in the way.
 *
 *   - An object in a list that has the "path" of such a place is left out, and so is a path in a
 *     list of paths; "environments" have only those that are seen.
 *   - Notes and findings are left out where the caller may not read: they tell of values.
 *   - A text for people (a refusal, its reasons, a note, a finding) that names one, in full or as
 *     SERVICE/KEY, or the name of a service or an environment by itself, is replaced as a whole, by
 *     the same words whatever it was: so an absent key and one that is not shared cannot be told
 *     apart.
 *
 * Denials are left as they are: they name what the caller named.
 */
#ifndef EMSA_TOOLS_SERVICE_VEIL_H
#define EMSA_TOOLS_SERVICE_VEIL_H

#include "tools/service/verb.h"

/* ERR_NOMEM, and what reading the store may fail with; the call has no reply then. */
int veil_reply(struct request *request);

#endif
