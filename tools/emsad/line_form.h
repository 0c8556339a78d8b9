/* A line of the audit record as the datagram that a log daemon takes. */
#ifndef EMSA_TOOLS_EMSAD_LINE_FORM_H
#define EMSA_TOOLS_EMSAD_LINE_FORM_H

#include <sys/types.h>
#include <time.h>

#include "store/bytes.h"

#define LINE_FORM_MAX 32768u

/* journald's native protocol: MESSAGE, PRIORITY and their like, and each field of the line as
 * EMSA_NAME, decoded. Appends; the failure sticks to out. */
void line_form_journald(struct bytes *out, const char *line, size_t size, const char *store);

/* Syslog's, as it is spoken on a machine: "<PRI>Mmm dd hh:mm:ss emsa-audit[PID]: LINE". */
void line_form_syslog(struct bytes *out, const char *line, size_t size, pid_t pid, time_t now);

#endif
