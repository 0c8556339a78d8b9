/* The identity that a new store is recovered with, once its own is lost: it reads everything from
 * the first commit on, and is to be kept on another machine, on paper, or in several hands. */
#ifndef EMSA_TOOLS_EMSA_INIT_RECOVERY_H
#define EMSA_TOOLS_EMSA_INIT_RECOVERY_H

#include <jansson.h>

#include "tools/emsa/identity_share.h"

struct recovery {
    enum {
        RECOVERY_NONE,
        RECOVERY_FOUND, /* a file that was there already */
        RECOVERY_FILE,
        RECOVERY_SHARES,
        RECOVERY_PRINTED,
        RECOVERY_PUBLIC, /* made elsewhere */
    } kind;
    char path[PATH_MAX]; /* of the file; of shares without their numbers; "": there is none */
    struct share_count shares;
    char public_text[IDENTITY_TEXT_MAX];
};

/* Makes it as the options say: a file beside the identity where they say nothing. ERR_INVALID:
 * options that do not go together, or that is no public identity; ERR_REFUSED: a share's file is
 * there, or somebody else's file. Nothing is left behind on failure. */
int recovery_make(struct recovery *out, const struct session *session);

/* Takes away what recovery_make made. */
void recovery_unmake(const struct recovery *recovery);

/* The public half for the store's first commit; NULL: there is none. */
const char *recovery_public(const struct recovery *recovery);

/* What became of it, for people, and as members of an object. */
void recovery_tell(const struct recovery *recovery, const struct session *session, FILE *out);
int recovery_tell_json(const struct recovery *recovery, json_t *object);

#endif
