/* What a change did, told: the lines with their marks, the revision. */
#ifndef EMSA_TOOLS_EMSA_REPORT_H
#define EMSA_TOOLS_EMSA_REPORT_H

#include "tools/emsa/session.h"
#include "tools/emsa/table.h"

/* Sends a change (parameters are taken over) with terms for what is at path, and reports it. */
int report_change(struct session *session, const char *method, json_t *parameters, const char *path,
                  const struct piece *pieces, size_t piece_count);

/* The two halves of that, for who has more to tell of the reply. */
int report_ask(struct session *session, const char *method, json_t *parameters, const char *path,
               const struct piece *pieces, size_t piece_count, struct answer *out);
int report_print(json_t *reply);

/* The pieces of what is printed: the colour of a mark, what stands behind a path ("(was rev 3)"),
 * and the last line. */
#define REPORT_NOTE_MAX 160
enum colour report_colour(char mark);
const char *report_note(char out[static REPORT_NOTE_MAX], json_t *line);
void report_end(json_t *reply);

#endif
