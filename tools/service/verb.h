/* The verb table, and what a handler is given. A new verb is one function, one row here, one
 * section in the manual. */
#ifndef EMSA_TOOLS_SERVICE_VERB_H
#define EMSA_TOOLS_SERVICE_VERB_H

#include "store/change.h"
#include "store/snapshot.h"
#include "tools/service/audit.h"
#include "tools/service/guard.h"
#include "tools/service/rights.h"
#include "tools/service/service.h"
#include "tools/service/volumes.h"

struct dispatcher {
    struct store *store;
    struct service_host host;
    struct audit_sink audit;
    struct guard guard;
    struct volumes volumes;
};

struct verb;

struct request {
    struct dispatcher *service;
    struct call *call;
    const struct verb *verb;   /* that is called */
    enum audit_door door;      /* by which it gets at secrets (audit.h) */
    struct snapshot *snapshot; /* by request_snapshot; ended by the dispatcher */
};

struct verb {
    const char *name;
    int (*handler)(
        struct request *request); /* makes call->reply; a failure travels to the dispatcher */
    enum right right;
    /* The parameter that is judged: a path, a list of paths, or a list of objects with a "path";
     * NULL: the whole store. */
    const char *judged;
    const char *takes; /* in varlink's description language */
    const char *gives;
    const char *about;
};

extern const struct verb verbs[];
extern const size_t verb_count;

/* Handlers, by the file they are in. */
int verb_environment_add(struct request *); /* places.c */
int verb_environment_remove(struct request *);
int verb_service_add(struct request *);
int verb_service_remove(struct request *);
int verb_set(struct request *); /* write.c */
int verb_remove(struct request *);
int verb_copy(struct request *); /* copy.c */
int verb_move(struct request *);
int verb_environment_copy(struct request *); /* replica.c */
int verb_get(struct request *);              /* read.c */
int verb_definitions(struct request *);      /* definitions.c */
int verb_list(struct request *);             /* list.c */
int verb_tree(struct request *);
int verb_environment_list(struct request *);
int verb_service_list(struct request *);
int verb_explain(struct request *);       /* explain.c */
int verb_refs(struct request *);          /* refs.c */
int verb_find(struct request *);          /* search.c */
int verb_locks(struct request *);         /* locks.c */
int verb_grants(struct request *);        /* grants.c */
int verb_exposed(struct request *);       /* exposed.c */
int verb_identity_keys(struct request *); /* identities.c */
int verb_schema_show(struct request *);   /* schemas.c */
int verb_schema_infer(struct request *);
int verb_check(struct request *); /* check.c */
int verb_log(struct request *);   /* past.c */
int verb_show(struct request *);
int verb_blame(struct request *); /* blame.c */
int verb_audit(struct request *); /* audit_lines.c */
int verb_audit_auditor(struct request *);
int verb_tag(struct request *); /* tag.c */
int verb_untag(struct request *);
int verb_tags(struct request *);
int verb_purge(struct request *); /* forget.c */
int verb_compact(struct request *);
int verb_promote(struct request *);  /* promote.c */
int verb_rollback(struct request *); /* rollback.c */
int verb_diff(struct request *);     /* diff.c */
int verb_watch(struct request *);    /* watch.c */
int verb_mount(struct request *);    /* views.c */
int verb_views(struct request *);
int verb_view_move(struct request *);
int verb_volume_create(struct request *); /* volume.c */
int verb_volume_get(struct request *);
int verb_volume_list(struct request *);
int verb_volume_remove(struct request *);
int verb_volume_mount(struct request *);
int verb_volume_unmount(struct request *);
int verb_volume_path(struct request *);
int verb_seal_key(struct request *);         /* sealing.c */
int verb_caller_challenge(struct request *); /* proof.c */
int verb_caller_prove(struct request *);
int verb_store_id(struct request *); /* admin.c */
int verb_status(struct request *);
int verb_metrics(struct request *);
int verb_verify(struct request *);
int verb_unlock_identity(struct request *);
int verb_upgrade(struct request *);
int verb_take_over(struct request *);
int verb_stop(struct request *);

/* A snapshot at the newest revision, ended by the dispatcher after the handler. */
int request_snapshot(struct request *, struct snapshot **out);

#endif
