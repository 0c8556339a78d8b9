/*
 * What the dispatcher has to tell the audit record: denials, secrets that were given, commits. In a
 * server it goes into the ring (store/audit_ring.h), of which the audit process makes the record;
 * where a command does the work itself, it appends to the record itself.
 *
 * What cannot be written down there is lost, and that is said (service_unaudited): who is refused
 * is refused all the same.
 */
#ifndef EMSA_TOOLS_SERVICE_AUDIT_H
#define EMSA_TOOLS_SERVICE_AUDIT_H

#include <pthread.h>
#include <stdbool.h>

#include "store/audit_record.h"
#include "store/audit_ring.h"
#include "store/snapshot.h"

struct caller;
struct dispatcher;
struct path;
struct request;

#define AUDIT_PROBLEM_MAX 512

struct audit_sink {
    struct audit_ring *ring;         /* borrowed; NULL: the record is written here */
    const char *store;               /* its folder; borrowed */
    pthread_mutex_t mutex;           /* over what is below */
    char auditor[IDENTITY_TEXT_MAX]; /* for whom a record begins, where there is none; "": nobody */
    struct audit_record *record;     /* open from the first line on */
    bool has_failed;                 /* it cannot be written: not tried again */
    char problem[AUDIT_PROBLEM_MAX]; /* why; "": nobody is there for whom one could begin */
};

void audit_sink_init(struct audit_sink *, const char *store, struct audit_ring *ring);
void audit_sink_release(struct audit_sink *);

/* An event of a caller (NULL: of the store's own), as it is. 1: it must not be done (--audit
 * required, and there is no place). */
int audit_event_add(struct dispatcher *, const struct caller *caller, struct audit_event *event);

/* A caller was refused method at path (a place of the tree, as text). */
void audit_denied(struct dispatcher *, const struct caller *caller, const char *method,
                  const char *path);

/* The same of so many more, at places that are not named. */
void audit_denied_rest(struct dispatcher *, const struct caller *caller, const char *method,
                       uint64_t count);

/* By which door the request gets at secrets (request->door): its verb's own, or what the call says
 * of itself (door; "get", "export", "exec", "edit"). ERR_INVALID: it says something else. */
int audit_choose_door(struct request *);

/* A caller is about to be given a secret, or told something of it (that it is equal to another, or
 * not as a schema says), by the request's door. ERR_REFUSED: as above. README.md has the table of
 * all doors. */
int audit_given(struct request *, const struct entry *entry);

/* The same of what no entry is at hand of; count: of that many, 0: of one. */
int audit_given_at(struct request *, const struct path *path, uint64_t rev, uint64_t count);

/* The same of so many more, at places that are not named. */
int audit_given_rest(struct request *, uint64_t count);

/* A commit was made; has_rights: it changed who may do what. */
void audit_committed(struct dispatcher *, const struct caller *caller, const char *method,
                     uint64_t rev, bool has_rights);

#endif
