/* Where a text names a host: in its URLs, and where the text is "host:port", "host" or a list of
 * them divided by commas. */
#ifndef EMSA_TOOLS_EMSA_ENDPOINT_H
#define EMSA_TOOLS_EMSA_ENDPOINT_H

#include <stdbool.h>
#include <stddef.h>

struct endpoint {
    size_t offset;    /* of the host in the text */
    size_t host_size; /* of its name, or its address in version 4 */
    size_t size;      /* of the host and, where there is one, ":port" */
    bool is_whole;    /* the text has nothing else */
};

/* The next one at or after *at (0 to begin), which moves on. False: no more. A host that every
 * machine has (localhost, 127.0.0.1, 0.0.0.0) is none; nor is a word that merely could be one,
 * unless it stands in a URL, before a port, or alone. */
bool endpoint_next(struct endpoint *out, size_t *at, const char *text, size_t size);

static inline bool endpoint_has_port(const struct endpoint *endpoint)
{
    return endpoint->size > endpoint->host_size;
}

#endif
