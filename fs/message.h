/*
 * What the server and the notifier say to each other, one message a packet, in one machine's byte
 * order (both are the same binary).
 *
 *   server to notifier
 *     CHANGE  view, sequence, upto: what the kernel is to forget; effects follow
 *     NAMES   view, position, upto: names that go and come, of the step that ends at upto; effects
 *             follow, and position is that of the last (fs/step.h)
 *     EVENTS  view, sequence, upto: files to be touched; effects follow
 *     SWEEP   view, node, turn: pages of a secret
 *     END     view: it is gone, forget what waits for it
 *   notifier to server, when it is done
 *     CHANGE, NAMES, EVENTS, SWEEP  with their numbers as they came
 *
 * Of one view, what it is to forget is done before names, and names before events, whatever waits;
 * within a kind, in order.
 */
#ifndef EMSA_FS_MESSAGE_H
#define EMSA_FS_MESSAGE_H

#include <stdint.h>

enum message_kind {
    MESSAGE_CHANGE = 1,
    MESSAGE_SWEEP = 2,
    MESSAGE_END = 3,
    MESSAGE_NAMES = 4,
    MESSAGE_EVENTS = 5,
};

struct message {
    uint32_t kind;
    uint32_t view;
    uint64_t a;     /* CHANGE, EVENTS: sequence; NAMES: position; SWEEP: node */
    uint64_t b;     /* CHANGE: all up to this revision is told when this is done; NAMES, EVENTS: the
                       revision that this is part of; SWEEP: turn */
    uint32_t size;  /* bytes of effects that follow */
    uint32_t spare; /* 0 */
};

/*
 * One thing to do to a view. The order within a message is the order to do them in.
 *
 * Told to the kernel (CHANGE):
 *   WAIT   node is a directory: every LOOKUP and READDIR in it that was answered before has arrived
 *          in the kernel's caches when this is done (fs/DESIGN.md says why that matters)
 *   NODE   forget attributes and pages of node
 *   NAME   forget what the name means in directory node; it waits as WAIT does
 *
 * Done on a mount, where the name is a path from the view's root, node what stands there and parent
 * the directory that it stands in:
 *   REMOVE_FILE, REMOVE_DIRECTORY, MAKE_FILE, MAKE_DIRECTORY (NAMES); TOUCH (EVENTS)
 *
 * Ids are those that the view's kernel knows (fs/scope.h), and paths are of its root.
 */
enum effect_kind {
    EFFECT_WAIT = 1,
    EFFECT_NODE = 2,
    EFFECT_NAME = 3,
    EFFECT_REMOVE_FILE = 4,
    EFFECT_REMOVE_DIRECTORY = 5,
    EFFECT_MAKE_FILE = 6,
    EFFECT_MAKE_DIRECTORY = 7,
    EFFECT_TOUCH = 8,
};

struct effect {
    uint64_t node;
    uint64_t parent; /* 0 where it is only told */
    uint16_t kind;
    uint16_t name_size; /* bytes of the name that follows; padded to 8 */
    uint32_t spare;
    uint64_t position; /* in its step (fs/step.h), which ids on the wire don't tell; there is none
                          in a message where there is no name */
};

/* One packet, with its effects. Small against a socket's buffer, so that many are on the way. */
#define MESSAGE_MAX 16384u

/* Messages of one kind on the way to one view: what the notifier must be able to keep for a view
 * that is stuck. */
#define MESSAGES_IN_FLIGHT 8u

#endif
