/*
 * Everything that is wrong, at once, in one snapshot: what one part of the check hands to the next.
 * check.c walks, check_key.c judges a key, check_parity.c compares environments, check_left.c looks
 * for what overrides left behind.
 */
#ifndef EMSA_TOOLS_SERVICE_CHECK_H
#define EMSA_TOOLS_SERVICE_CHECK_H

#include "store/schema.h"
#include "store/snapshot.h"
#include "tools/service/verb.h"

#define CHECK_FINDINGS_MAX 100000u /* of one reply: it must fit a message */

enum severity { SEVERITY_NOTE, SEVERITY_WARNING, SEVERITY_ERROR };

struct check {
    struct request *request;
    struct snapshot *snapshot;
    struct path scope;
    struct schema *against; /* schemas that are judged by instead of those in force; owned */
    bool *met;              /* each of those: its service was there */
    size_t against_count;
    json_t *findings, *services; /* owned, until they are the reply's */
    uint64_t counts[SEVERITY_ERROR + 1];
    uint64_t keys;
    bool is_cut;
    struct secret scratch; /* for values */
    /* where the walk stands */
    struct environment environment;
    char base[ENVIRONMENT_NAME_MAX + 1]; /* the name of its base, "": it has none */
    bool is_all;
    bool has_locks;
    struct service service;
    uint64_t opened; /* secrets of it, of which something is told */
};

/* A finding at a place: verdict is a word of the manual's table, text follows the path. rev: of
 * what it is about, 0: nothing. ERR_NOMEM. */
int check_found(struct check *, enum severity severity, const char *verdict,
                const struct path *path, uint64_t rev, const char *format, ...)
    __attribute__((format(printf, 6, 7)));

/* One of the service that the walk stands on. */
int check_found_key(struct check *, enum severity severity, const char *verdict, const char *key,
                    uint64_t rev, const char *text);

/* A service that was looked at; its object is the reply's. */
int check_service_told(struct check *, const struct path *path, uint64_t keys, json_t **object);

/* What the schema (NULL: there is none) says of a key that is there, and what else can be wrong
 * with it. */
int check_entry(struct check *, const struct schema *schema, const struct entry *entry);

/* What is required and not there: the key stands in the schema, and nothing is in effect. */
int check_absent(struct check *, const struct schema *schema, const struct schema_key *key);

/* Keys that are in one of the environments and not in another, unless a schema says so. names: a
 * list of at least two. */
int check_parity(struct check *, json_t *names);

/* What overrides left in the environment that the walk stands on: what is locked and gone, shares
 * that were made by one; and of an entry: newer than its lock. */
int check_left(struct check *);
int check_left_entry(struct check *, const struct entry *entry);

/* A definition's name as a place of the environment that the walk stands on. */
int check_path(const struct check *, struct path *out, const char *service, const char *key);

#endif
