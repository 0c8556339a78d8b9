/* An intake as the store takes it: the text of its links and templates, and one call's operations.
 */
#ifndef EMSA_TOOLS_EMSA_INTAKE_TEXT_H
#define EMSA_TOOLS_EMSA_INTAKE_TEXT_H

#include <jansson.h>

#include "tools/emsa/client.h"
#include "tools/emsa/intake.h"

/* Appends a template's text: "${KEY}" for a key of the same service, "${service/KEY}", "$$" for a
 * dollar. ERR_NOMEM. */
int intake_template(struct secret *out, const struct intake *intake, const struct intake_key *key);

struct intake_call {
    json_t *operations;   /* owned */
    struct piece *pieces; /* the values beside it; they stand in the intake and in templates */
    size_t piece_count;
    struct secret templates;
};

/* All of it as operations of io.emsa.Set: the environment (unless it is there), its services,
 * values, templates, links, and what is shared with whom. After intake_mark. ERR_INVALID: the
 * environment's name; ERR_NOMEM. intake_call_release in any case. */
int intake_compose_call(struct intake_call *out, const struct intake *intake,
                        const char *environment, bool is_there);
void intake_call_release(struct intake_call *call);

#endif
