/* The address of a unix socket, for paths of any length: what does not fit sockaddr_un is reached
 * through a descriptor of its folder. */
#ifndef EMSA_TOOLS_COMMON_ADDRESS_H
#define EMSA_TOOLS_COMMON_ADDRESS_H

#include <sys/socket.h>
#include <sys/un.h>

struct address {
    struct sockaddr_un name;
    socklen_t size;
    int folder; /* keeps a short form valid while it is open; -1 where none is needed */
};

/* ERR_NOT_FOUND or ERR_DENIED: the folder cannot be opened; ERR_INVALID: the last part alone is too
 * long. address_release afterwards; nothing is left on failure. */
int address_make(struct address *out, const char *path);
void address_release(struct address *address);

#endif
