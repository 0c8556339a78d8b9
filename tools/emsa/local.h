/*
 * The store opened in this process, where no server runs: the owner lock, the store, the
 * dispatcher. As root the identity is read first and then the process becomes the store's owner, so
 * that no file of the store is ever root's by accident; local_close makes it root again.
 */
#ifndef EMSA_TOOLS_EMSA_LOCAL_H
#define EMSA_TOOLS_EMSA_LOCAL_H

#include "tools/common/place.h"
#include "tools/service/service.h"

struct local;

/* ERR_BUSY: somebody owns the store; ERR_NOT_FOUND: no store, with how to make one; ERR_DENIED;
 * ERR_FORMAT; ERR_CORRUPT; ERR_NOMEM. A missing or wrong identity is no failure here: see
 * local_identity_problem. */
int local_open(struct local **out, const struct place_of_store *place);
void local_close(struct local *local);

struct dispatcher *local_dispatcher(struct local *local);

struct store *local_store(struct local *local);

/* Why the head is not pinned, or NULL. */
const char *local_pin_problem(const struct local *local);

/* Why secrets cannot be opened, or NULL. */
const char *local_identity_problem(const struct local *local);

/* Makes what is derived in the store anew (store/rebuild.h), as its owner, without opening it: so
 * as store_rebuild, and as local_open where there is no store. That it was done is a line of the
 * audit record. problems are why secrets cannot be opened, why the head is not pinned, and why that
 * line is not there; "" where nothing is. */
struct rebuild_options;
struct rebuild_report;
#define LOCAL_PROBLEM_MAX 512
struct local_problems {
    char identity[LOCAL_PROBLEM_MAX];
    char pin[LOCAL_PROBLEM_MAX];
    char audit[LOCAL_PROBLEM_MAX];
};
int local_rebuild(struct rebuild_report *report, struct local_problems *problems,
                  const struct place_of_store *place, void (*fault)(void *arg, const char *text),
                  void *arg);

/* Whom the process was, while it is somebody else. */
struct self {
    uid_t uid;
    gid_t gid;
    gid_t *groups;
    int group_count;
    bool changed;
};

/* As root: becomes that user and group, without further groups, and raises what may be locked in
 * memory while it still may. As anybody else nothing. ERR_DENIED, ERR_NOMEM; self_restore undoes
 * it. */
int self_become(struct self *self, uid_t uid, gid_t gid);
void self_restore(struct self *self);

#endif
