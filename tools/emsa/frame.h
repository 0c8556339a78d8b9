/*
 * What goes between two commands of emsa, one of which is at the far end of ssh (remote.h): a
 * stream that takes no descriptors, so values go behind the message that they are of.
 *
 * The far side says "emsa relay 1" and a newline first. Then each message is a frame:
 *   offset  size  what
 *        0     4  n, the size of the message, big-endian
 *        4     8  v, the size of its values, big-endian
 *       12     n  a JSON object: {"method", "parameters"}, or of an answer {"parameters"} or
 *                 {"error", "parameters"}, as varlink has them
 *   12 + n     v  values, one after the other
 * A frame and its answer follow one another. Values are read into locked memory.
 */
#ifndef EMSA_TOOLS_EMSA_FRAME_H
#define EMSA_TOOLS_EMSA_FRAME_H

#include <jansson.h>

#include "store/secret.h"
#include "tools/emsa/client.h"

#define FRAME_HELLO "emsa relay 1\n"

/* The error of an answer: the far side's server ended, to whom something had been proven
 * (prove.h). It was not done as far as is known; it is to be proven again, and asked again. */
#define FRAME_UNPROVEN "io.emsa.Unproven"

struct frame {
    json_t *object; /* owned */
    struct secret values;
};
#define FRAME_CLEANUP __attribute__((cleanup(frame_release)))
void frame_release(struct frame *frame); /* a zeroed one has nothing */

/* ERR_IO: the other end is gone (SIGPIPE is the caller's to ignore); ERR_INVALID: too large;
 * ERR_NOMEM. */
int frame_send(int fd, const json_t *object, const struct piece *pieces, size_t count);

/* 1: the other end closed between frames. ERR_IO: it closed within one; ERR_INVALID: what came is
 * none; ERR_NOMEM. */
int frame_receive(int fd, struct frame *out);

#endif
