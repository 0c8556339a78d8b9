/* Where a store, its identity and its socket are. One rule each, for the command and the daemon
 * alike. */
#ifndef EMSA_TOOLS_COMMON_PLACE_H
#define EMSA_TOOLS_COMMON_PLACE_H

#include <limits.h>
#include <stdbool.h>

#define VOLUME_NAME_MAX 200

struct place_of_store {
    char store[PATH_MAX];    /* --store, else $EMSA_STORE, else /var/lib/emsa; absolute */
    char identity[PATH_MAX]; /* $EMSA_IDENTITY, else /etc/emsa/identity for the default store, else
                                DIR.identity */
    char socket[PATH_MAX];   /* /run/emsa/socket for the default store, else DIR/socket */
    bool is_default;
    bool is_named;     /* by --store or $EMSA_STORE */
    bool accepts_head; /* opened whatever its pin says: only for `emsa verify --accept-head` */
    bool is_examined;  /* opened whatever its seal says: only for `emsa verify` */
};

/* option is --store's argument or NULL. ERR_INVALID: too long. The folder need not exist. */
int place_find(struct place_of_store *out, const char *option);

/* Where the head of a store is pinned (store/pin.h): $EMSA_PIN, else DIR.pin. ERR_INVALID: too
 * long.
 */
int place_pin(char out[static PATH_MAX], const char *store);

/* Where `emsa init` puts the recovery identity if it is told nothing else, and where nothing is to
 * be left of it: DIR.recovery, beside DIR.identity; beside an identity of another name that and
 * ".recovery". ERR_INVALID: too long. */
int place_recovery(char out[static PATH_MAX], const struct place_of_store *place);

/* Opens a folder (O_PATH) to act in it, if its path leads over no symbolic link: whoever owns a
 * folder above may put one there at any moment, and have us act elsewhere with our rights.
 * ERR_REFUSED: there is one; ERR_NOT_FOUND, ERR_IO. */
int place_open_folder(int *out, const char *path);

/* Whether a tree may be mounted on a directory: not where the store, its identity or its socket
 * lies beneath, which no server could reach again. ERR_REFUSED; a directory that cannot be found is
 * left for who mounts to tell of. */
int place_check_mount(const struct place_of_store *, const char *directory);

/* The folder that volumes stand in: beside the socket. ERR_INVALID: too long. */
int place_volumes(char out[static PATH_MAX], const struct place_of_store *place);

/* Whether a text may name a volume, and thus a folder: [A-Za-z0-9][A-Za-z0-9_.-]*, at most
 * VOLUME_NAME_MAX bytes. ERR_INVALID. */
int place_check_volume(const char *name);

#endif
