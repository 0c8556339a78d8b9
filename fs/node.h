/*
 * Node ids, by arithmetic only.
 *
 * A node is a place in the tree, not an entry: what stands there may change, go and come back, and
 * the node stays the same, so that watches, descriptors and single-file mounts stay with the place.
 * Nothing is counted and nothing is looked up: any server, also one that was started a moment ago,
 * understands every node id that the kernel may ever send. (A FORGET that a dead server had read is
 * lost; with ids that are computed there is nothing to forget.)
 *
 *     bits 63..60  kind        bits 59..40  environment id        bits 39..0  what, by kind
 *     root         the id is 1, as FUSE has it
 *     environment  kind 1, environment, 0
 *     service      kind 2, environment, service id (24) and incarnation (16)
 *     key          kind 3, environment, name id (40)
 *
 * A directory that was removed and made again is another node (its incarnation or environment id is
 * new): the kernel treats a removed directory that somebody still holds as dead for ever. A key
 * made again is the same node. Ids are given once by the store and never reused, so a node id can't
 * come to mean something else.
 *
 * The hidden directory (fs/hidden.h). `.emsa` and `.emsa/at` are places as well:
 *
 *     .emsa        kind 5, and at: kind 6: environment, service id, incarnation of the directory
 *                  that it is in; all 0 for the root, the last two for an environment
 *
 * The past, where a place is not enough: the same place has a node at each revision. What never
 * changes needs no node of a place, though, it may have one of its content.
 *
 *     past key     kind 4, revision (40) and index (20): the outcome by which a key came to this
 *                  value. Every value that was ever in effect at a place has one, and says of what
 *                  place (history_outcome). So a file that is the same at two revisions is one
 *                  node, cached once, and `diff -r` need not read it. Files may have many names.
 *
 * A directory may not: the kernel has one name for each, and would move it to and fro between those
 * that it is looked up by, with whoever stands in it. So every name of a directory of the past is a
 * node, which takes a place, a revision, and whose at/ it was come by:
 *
 *     past         kinds 7 (the root's), 8 (an environment's), 9 (a service's): environment,
 *                  service, revision; no service: an environment; neither: all of it
 *     texts        kinds 10 to 14: the files rev, env and json, the links head and of a tag, each
 * as of a revision. That they are nodes of a revision and not of a place is what makes one open one
 * snapshot: the name is looked up at each open and leads to the newest one, whose size and bytes
 * are for ever the same, also for the next server
 *
 * Environment, service and revision don't fit side by side at their full width (20, 24, 64 bits):
 *
 *     bits 59..55  how many bits the environment takes      bits 54..50  the same of the service
 *     bits 49..0   environment and service without their highest bit, which is 1, then the revision
 *
 * So the three may have 52 bits together: 4 milliard revisions with a thousand environments and a
 * thousand services ever made, or 16 million with 60,000 environments and 4,000 services. Beyond
 * that a place can't be shown as it was (ids are 0 here), and all else goes on. The other ways were
 * weighed: a table of those that are looked at, in memory that outlives servers, has room for so
 * many and must take away from who still holds one (FORGETs are lost with servers, so nobody
 * knows); a table in the store would make readers write.
 *
 * Kind 15 has no ids: it is what a directory is that belongs to a consumer's view and to no place
 * (fs/scope.h). Free is what the checks of kinds 0 and 1 refuse.
 *
 * All this is what an administrators' kernel sees, as inode numbers too. A consumer's sees none of
 * it: the numbers that ids are made of count up, so that they would tell what else there is. It has
 * 1 to 3 for the directories that belong to its view, and all others enciphered (fs/scope.h).
 */
#ifndef EMSA_FS_NODE_H
#define EMSA_FS_NODE_H

#include <stdbool.h>
#include <stdint.h>

#define NODE_ROOT 1u

enum node_kind {
    NODE_IS_ROOT = 0,
    NODE_IS_ENVIRONMENT = 1,
    NODE_IS_SERVICE = 2,
    NODE_IS_KEY = 3,
    NODE_IS_PAST_KEY = 4,
    NODE_IS_HIDDEN = 5,
    NODE_IS_AT = 6,
    NODE_IS_PAST = 7, /* a directory of the past, by the root's at/ */
    NODE_IS_PAST_BY_ENVIRONMENT = 8,
    NODE_IS_PAST_BY_SERVICE = 9,
    NODE_IS_REV = 10,
    NODE_IS_ENV = 11,
    NODE_IS_JSON = 12,
    NODE_IS_HEAD = 13,
    NODE_IS_TAG = 14,
    NODE_IS_OWN = 15, /* a view's own directory; of a place, never of an id */
};

struct node {
    enum node_kind kind;
    uint32_t environment; /* 20 bits; 0 for the root */
    uint32_t service;     /* 24 bits; of a service, and of what is hidden in one or of its past */
    uint16_t incarnation; /* of a service, and of `.emsa` and at in one */
    uint64_t name_id;     /* 40 bits; of a key */
    uint64_t rev;         /* of the past and of texts */
    uint32_t index;       /* 20 bits; of a past key */
};

uint64_t node_environment(uint32_t environment);
uint64_t node_service(uint32_t environment, uint32_t service, uint16_t incarnation);
uint64_t node_key(uint32_t environment, uint64_t name_id);

/* kind: NODE_IS_HIDDEN or NODE_IS_AT. */
uint64_t node_hidden(enum node_kind kind, uint32_t environment, uint32_t service,
                     uint16_t incarnation);

/* 0: the revision has more than 40 bits. */
uint64_t node_past_key(uint64_t rev, uint32_t index);

/* kind: NODE_IS_PAST to NODE_IS_TAG. 0: it is too large for an id. */
uint64_t node_of_revision(enum node_kind kind, uint32_t environment, uint32_t service,
                          uint64_t rev);

/* False for an id that no place can have. */
bool node_parse(struct node *out, uint64_t id);

/* Of a kind: a key now or then; a directory of the past; rev, env or json; head or a tag. */
bool node_is_file(enum node_kind kind);
bool node_is_past(enum node_kind kind);
bool node_is_text(enum node_kind kind);
bool node_is_link(enum node_kind kind);

/* What ".." shows of a directory: for people, the kernel knows better. */
uint64_t node_parent(uint64_t id);

/* Directory offsets. 0 is the beginning, 1 stands after ".", 2 after "..", and what follows names
 * the last entry that was shown by its id, so that reading a directory goes on from there in any
 * server and after any change. */
#define OFFSET_ENTRIES 2
uint64_t node_offset(uint64_t id); /* of an environment, service or name id */
uint64_t node_offset_id(uint64_t offset);

#endif
