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
 * come to mean something else. Bits of kinds 4 to 15 are free for what is added.
 */
#ifndef EMSA_FS_NODE_H
#define EMSA_FS_NODE_H

#include <stdbool.h>
#include <stdint.h>

#define NODE_ROOT 1u

enum node_kind { NODE_IS_ROOT = 0, NODE_IS_ENVIRONMENT = 1, NODE_IS_SERVICE = 2, NODE_IS_KEY = 3 };

struct node {
    enum node_kind kind;
    uint32_t environment; /* 20 bits; 0 for the root */
    uint32_t service;     /* 24 bits; of a service */
    uint16_t incarnation; /* of a service */
    uint64_t name_id;     /* 40 bits; of a key */
};

uint64_t node_environment(uint32_t environment);
uint64_t node_service(uint32_t environment, uint32_t service, uint16_t incarnation);
uint64_t node_key(uint32_t environment, uint64_t name_id);

/* False for an id that no place can have. */
bool node_parse(struct node *out, uint64_t id);

/* Directory offsets. 0 is the beginning, 1 stands after ".", 2 after "..", and what follows names
 * the last entry that was shown by its id, so that reading a directory goes on from there in any
 * server and after any change. */
#define OFFSET_ENTRIES 2
uint64_t node_offset(uint64_t id); /* of an environment, service or name id */
uint64_t node_offset_id(uint64_t offset);

#endif
