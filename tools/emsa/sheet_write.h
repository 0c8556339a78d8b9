/* What a store defines, written as a file that apply reads (tools/man/emsa-apply.5). */
#ifndef EMSA_TOOLS_EMSA_SHEET_WRITE_H
#define EMSA_TOOLS_EMSA_SHEET_WRITE_H

#include "store/secret.h"
#include "tools/emsa/defined.h"

struct sheet_style {
    bool no_secrets; /* they are left out, and named in comments */
    bool only_keys;  /* keys and shares: nothing of schemas, and of what environments themselves are
                      */
};

/* Appends the file, in locked memory: secrets that defined shows are in clear. ERR_NOMEM. */
int sheet_write(struct secret *out, const struct defined *defined, const struct sheet_style *style);

#endif
