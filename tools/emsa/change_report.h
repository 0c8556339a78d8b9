/* What a file of definitions changes, told: a line for each thing, with what it was and what it is.
 */
#ifndef EMSA_TOOLS_EMSA_CHANGE_REPORT_H
#define EMSA_TOOLS_EMSA_CHANGE_REPORT_H

#include "tools/emsa/difference.h"

/* Prints the reply to the Set of a difference, as JSON where that is wanted. Secrets are masked. */
int change_report(struct session *session, json_t *reply, const struct sheet *sheet,
                  const struct difference *difference);

#endif
