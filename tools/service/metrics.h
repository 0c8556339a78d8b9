/* The Status reply as metrics, in the text format of Prometheus (exposition format 0.0.4). Counts
 * and sizes only: no name of the tree, so whoever may not list it may have them. */
#ifndef EMSA_TOOLS_SERVICE_METRICS_H
#define EMSA_TOOLS_SERVICE_METRICS_H

#include <jansson.h>

#include "store/bytes.h"

#define METRICS_BYTES_MAX 65536u
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"

/* Appends all metrics whose members the status has; "processes" is what a server's has, and a
 * command's not. ERR_NOMEM, ERR_INVALID (longer than METRICS_BYTES_MAX). */
int metrics_write(struct bytes *out, json_t *status);

#endif
