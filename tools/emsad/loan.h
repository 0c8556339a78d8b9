/*
 * Which value a unit's LoadCredential= is for. systemd asks from an abstract address that says it:
 * "\0RANDOM/unit/UNIT/ID". ID is a key, or ENVIRONMENT@SERVICE@KEY ('@' stands in none of these
 * names). Of a key alone the unit says the rest: its name, up to '@' or its suffix, is the
 * service's; the environment is the daemon's own, where it has one, else the unit's instance:
 *
 *     billing@prod.service  DATABASE_URL               prod/billing/DATABASE_URL
 *     billing.service       DATABASE_URL               the daemon's
 * environment/billing/DATABASE_URL anything.service      prod@billing@DATABASE_URL
 * prod/billing/DATABASE_URL
 */
#ifndef EMSA_TOOLS_EMSAD_LOAN_H
#define EMSA_TOOLS_EMSAD_LOAN_H

#include <stddef.h>

#include "store/name.h"

#define LOAN_NAME_MAX 108 /* an address has no room for more */

struct loan {
    char unit[LOAN_NAME_MAX]; /* as they were said, for messages: printable ASCII */
    char id[LOAN_NAME_MAX];
    struct path path;
};

/* Parses size bytes of an address's path, the first of which is 0 where it is abstract. environment
 * is the daemon's own; "": it has none. ERR_INVALID with what is wrong; unit and id are "" where
 * they are not known. */
int loan_parse(struct loan *out, const char *address, size_t size, const char *environment);

#endif
