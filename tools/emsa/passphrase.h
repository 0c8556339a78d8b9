/* What opens identities, on its way into this process: a passphrase, from a person or a file, and
 * the bytes of a key file. Never from the command line, where others can read it. */
#ifndef EMSA_TOOLS_EMSA_PASSPHRASE_H
#define EMSA_TOOLS_EMSA_PASSPHRASE_H

#include "store/identity_file.h"
#include "tools/common/place.h"

/* A passphrase: the first line of a file ("-": stdin), or, where path is NULL, asked for on the
 * terminal, not shown; twice, if it is a new one. name is whose it is, for the question.
 * ERR_INVALID: there is no terminal, or the two differ. */
int passphrase_read(struct secret *out, const char *path, const char *name, bool is_new);

/* A key file whole ("-" is stdin). ERR_INVALID: it is larger than a key file can be; ERR_REFUSED:
 * group or others may read it. */
int passphrase_key(struct secret *out, const char *path);

/* The path of a systemd credential, in $CREDENTIALS_DIRECTORY. ERR_NOT_FOUND: it is not there, with
 * how systemd passes one; ERR_INVALID: that is no name of one. */
int passphrase_credential(char out[static PATH_MAX], const char *name);

/* Opens an identity's file with what is at hand: nothing, the key file (key_path, else
 * $EMSA_IDENTITY_KEY, else the credential "emsa-identity-key" where there is one), or the
 * passphrase, which is asked for where nothing else opens it and ask is set, or read from
 * passphrase_path. */
struct passphrase_ways {
    const char *key_path, *passphrase_path; /* NULL: not given */
    bool ask;
};
int passphrase_open(struct identity **out, const struct identity_file *file,
                    const struct passphrase_ways *ways);

/* identity_file_load and that. */
int passphrase_load(struct identity **out, const char *path, const struct passphrase_ways *ways);

#endif
