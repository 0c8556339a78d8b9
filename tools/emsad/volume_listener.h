/* Where docker and podman look for the volume plugin: a socket that is its owner's alone, for who
 * may speak there may mount any service. Made by the supervisor. */
#ifndef EMSA_TOOLS_EMSAD_VOLUME_LISTENER_H
#define EMSA_TOOLS_EMSAD_VOLUME_LISTENER_H

/*
 * Makes a listening socket at an absolute path, and the folders above it that are not there; a
 * stale socket makes room. ERR_INVALID: no absolute path; ERR_REFUSED: the place is taken, or
 * others could put something there; ERR_DENIED, ERR_NOT_FOUND, ERR_IO.
 */
int volume_listen(int *out, const char *path);

/* Takes its name away. */
void volume_hide(const char *path);

#endif
