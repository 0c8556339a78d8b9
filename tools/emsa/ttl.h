/* How long what is set lives: the text of --ttl, and the member of a call's operations. */
#ifndef EMSA_TOOLS_EMSA_TTL_H
#define EMSA_TOOLS_EMSA_TTL_H

#include <jansson.h>
#include <stdint.h>

/* "30s", "90m", "1h30m", "7d": whole numbers with s, m, h or d, each unit once, the larger before
 * the smaller. Seconds, from 1 to TTL_MAX. ERR_INVALID, saying what is wrong with it. */
int ttl_parse(uint64_t *out, const char *text);

/* Gives every operation of the list that time to live; 0: none. */
void ttl_give(json_t *operations, uint64_t seconds);

#endif
