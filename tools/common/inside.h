/* The part of a child that enters another mount namespace: it finds a directory in there, and
 * mounts on it. For namespace_attach, and for no other. */
#ifndef EMSA_TOOLS_COMMON_INSIDE_H
#define EMSA_TOOLS_COMMON_INSIDE_H

#include "tools/common/namespace.h"

/* What the child hands back: once when the directory is found, and once at the end. */
struct inside_verdict {
    int code;        /* enum error_code, or 0: what errno_value makes of it */
    int errno_value; /* 0: it went well */
    char text[200];
};

/* Ends the process. Over channel (SOCK_SEQPACKET): a verdict on the directory; to that, where it
 * went well, a message with the mount is the answer; and a verdict on the mounting. Everything else
 * that the process has open is closed first. */
_Noreturn void inside_run(int channel, const struct namespace *space,
                          const struct namespace_place *place);

#endif
