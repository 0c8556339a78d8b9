/*
 * What the server and the notifier say to each other, one message a packet, in one machine's byte
 * order (both are the same binary).
 *
 *   server to notifier
 *     CHANGE  view, sequence, upto: effects follow (struct effect, then its name)
 *     SWEEP   view, node, turn: pages of a secret
 *     END     view: it is gone, forget what waits for it
 *   notifier to server, when it is done
 *     CHANGE  view, sequence, upto as they came
 *     SWEEP   view, node, turn as they came
 */
#ifndef EMSA_FS_MESSAGE_H
#define EMSA_FS_MESSAGE_H

#include <stdint.h>

enum message_kind { MESSAGE_CHANGE = 1, MESSAGE_SWEEP = 2, MESSAGE_END = 3 };

struct message {
    uint32_t kind;
    uint32_t view;
    uint64_t a;     /* CHANGE: sequence; SWEEP: node */
    uint64_t b;     /* CHANGE: all up to this revision is told when this is done; SWEEP: turn */
    uint32_t size;  /* bytes of effects that follow */
    uint32_t spare; /* 0 */
};

/*
 * One thing to tell a kernel. The order within a message is the order to do them in.
 *   WAIT   node is a directory: every LOOKUP and READDIR in it that was answered before has arrived
 * in the kernel's caches when this is done (fs/DESIGN.md says why that matters) NODE   forget
 * attributes and pages of node NAME   forget what name means in directory node; it waits as WAIT
 * does
 */
enum effect_kind { EFFECT_WAIT = 1, EFFECT_NODE = 2, EFFECT_NAME = 3 };

struct effect {
    uint64_t node;
    uint8_t kind;
    uint8_t name_size; /* bytes of the name that follows; padded to 8 */
    uint8_t spare[6];
};

/* One packet, with its effects. Small against a socket's buffer, so that many are on the way. */
#define MESSAGE_MAX 16384u

/* Messages on the way to one view: what the notifier must be able to keep for a view that is stuck.
 */
#define MESSAGES_IN_FLIGHT 8u

#endif
