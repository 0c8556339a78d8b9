/*
 * An ssh-agent that signs (draft-miller-ssh-agent): two questions, which keys it has, and a
 * signature. Whatever answers there is not trusted: answers are bounded, waited for not longer than
 * so long, and a signature is checked before it is used.
 *
 * What is signed begins with a domain of ours (store/FORMAT.md, "Signing"). What ssh signs to log
 * in begins with the length of a session id, three bytes of zeros, and what 'ssh-keygen -Y sign'
 * signs with 'SSHSIG': neither can be taken for the other.
 */
#ifndef EMSA_TOOLS_EMSA_AGENT_H
#define EMSA_TOOLS_EMSA_AGENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "store/ssh_key.h"

#define AGENT_WORD "ssh-agent"
#define AGENT_COMMENT_MAX 255

struct agent {
    int fd; /* owned; -1: none */
    /* Milliseconds for an answer; signing may wait for a person who is asked whether it may. */
    int list_patience, sign_patience;
};

struct agent_key {
    uint8_t key[SSH_KEY_SIZE];
    char comment[AGENT_COMMENT_MAX + 1]; /* cut; may hold anything but NUL */
};

/* "ssh-agent" or "ssh-agent:KEY"; which: KEY, or NULL. */
bool agent_is_named(const char *text, const char **which);

/* Connects to $SSH_AUTH_SOCK. ERR_NOT_FOUND, with how to start one; ERR_DENIED. */
int agent_open(struct agent *out);
void agent_close(struct agent *agent);

/* The key that which names: by its comment, its fingerprint (SHA256:...) or the file of its public
 * half; NULL: the only Ed25519 key that it has. ERR_NOT_FOUND: it has none such; ERR_CONFLICT: it
 * has several; ERR_INVALID: it is of another type; ERR_IO: it does not answer, or as
 * no agent does. */
int agent_find(struct agent *agent, struct agent_key *out, const char *which);

/* Signs. ERR_DENIED: it does not (somebody said no, or it was locked meanwhile); ERR_IO: it does
 * not answer, or what came is no signature of that key. */
int agent_sign(struct agent *agent, uint8_t out[static SSH_SIGNATURE_SIZE],
               const struct agent_key *key, const void *message, size_t size);

/* A public key from the text of a .pub file: "ssh-ed25519 AAAA... comment". ERR_INVALID. */
int agent_key_parse(struct agent_key *out, const char *text, size_t size);

/* The same from a file. ERR_NOT_FOUND, ERR_DENIED. */
int agent_key_load(struct agent_key *out, const char *path);

#endif
