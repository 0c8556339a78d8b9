/* What the verbs of identities have in common. */
#ifndef EMSA_TOOLS_EMSA_IDENTITY_H
#define EMSA_TOOLS_EMSA_IDENTITY_H

#include "store/identity_file.h"
#include "store/limits.h"
#include "tools/emsa/session.h"

/* The file that the verb is about: its argument, else the store's own identity. */
const char *identity_path(const struct session *session);

/* Writes a new identity's file as --out says (else NAME.identity), with a slot for each way that
 * was asked for; without any, one that opens with nothing. And tells of it. */
int identity_make_file(struct session *session, const struct identity *identity);

/* "nothing", "a passphrase (3 passes over 256 MiB)", "a key file" */
#define IDENTITY_SLOT_TEXT_MAX 80
const char *identity_slot_text(char out[static IDENTITY_SLOT_TEXT_MAX], struct identity_slot slot);

/* What a revision is called at which an identity that opens everything was tested. */
#define IDENTITY_TESTED "tested-"
#define IDENTITY_TESTED_MAX (TAG_NAME_MAX + 1u) /* and the NUL; cut there */
void identity_tested_tag(char out[static IDENTITY_TESTED_MAX], const char *name);

#endif
