/* A listening socket with a name in a folder. */
#ifndef EMSA_TOOLS_EMSAD_SOCKET_FILE_H
#define EMSA_TOOLS_EMSAD_SOCKET_FILE_H

#include <sys/stat.h>

struct socket_file { /* ours to take away in the end; another may have been put in its place */
    dev_t device;
    ino_t inode;
};

/*
 * Makes a listening socket at the path, with that mode, for as many who wait to be accepted as
 * backlog says. A stale socket there makes room; use is what it is for, in messages. ERR_INVALID:
 * the path does not begin with '/'; ERR_REFUSED: the place is taken; ERR_DENIED, ERR_NOT_FOUND,
 * ERR_IO.
 */
int socket_file_listen(int *out, struct socket_file *file, const char *path, mode_t mode,
                       int backlog, const char *use);

/* Takes the name away, if it is still its. */
void socket_file_hide(const struct socket_file *file, const char *path);

#endif
