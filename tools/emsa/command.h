/* The verb table: every verb of the command, once. Parsing, help and completion are made from it,
 * and the manual is checked against it. */
#ifndef EMSA_TOOLS_EMSA_COMMAND_H
#define EMSA_TOOLS_EMSA_COMMAND_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tools/emsa/session.h"

struct command {
    const char *name;
    const char *sub; /* the second word, or NULL */
    /* Negative: a failure, with its text; else the exit status. */
    int (*run)(struct session *session);
    option_bits options; /* which it takes */
    size_t least, most;  /* arguments */
    bool runs;           /* what follows its first argument is another program's command line */
    const char *synopsis;
    const char *about;
};

extern const struct command commands[];
extern const size_t command_count;

/* second may be NULL. */
const struct command *command_find(const char *word, const char *second);

/* ERR_INVALID, with the nearest verb there is. */
int command_unknown(const char *word, const char *second);

int run_init(struct session *);             /* init.c */
int run_environment_add(struct session *);  /* places.c */
int run_environment_copy(struct session *); /* replica.c */
int run_environment_list(struct session *);
int run_environment_remove(struct session *);
int run_service_add(struct session *);
int run_service_list(struct session *);
int run_service_remove(struct session *);
int run_set(struct session *);    /* set.c */
int run_seal(struct session *);   /* seal.c */
int run_remove(struct session *); /* places.c */
int run_get(struct session *);    /* get.c */
int run_list(struct session *);   /* list.c */
int run_tree(struct session *);
int run_copy(struct session *); /* copy.c */
int run_move(struct session *);
int run_link(struct session *);
int run_share(struct session *); /* share.c */
int run_unshare(struct session *);
int run_lock(struct session *);
int run_unlock(struct session *);
int run_explain(struct session *); /* explain.c */
int run_refs(struct session *);
int run_find(struct session *);       /* find.c */
int run_suggest(struct session *);    /* suggest.c */
int run_schema_set(struct session *); /* schema.c */
int run_schema_show(struct session *);
int run_schema_remove(struct session *);
int run_schema_promote(struct session *);
int run_schema_infer(struct session *);
int run_check(struct session *); /* check.c */
int run_log(struct session *);   /* past.c */
int run_show(struct session *);
int run_rollback(struct session *); /* rollback.c */
int run_promote(struct session *);  /* promote.c */
int run_diff(struct session *);     /* diff.c */
int run_blame(struct session *);    /* blame.c */
int run_tag(struct session *);      /* tag.c */
int run_purge(struct session *);    /* forget.c */
int run_compact(struct session *);
int run_audit(struct session *); /* audit.c */
int run_audit_verify(struct session *);
int run_audit_follow(struct session *);
int run_audit_auditor(struct session *);
int run_grant(struct session *); /* grant.c */
int run_revoke(struct session *);
int run_rotate_keys(struct session *); /* rotate.c */
int run_rotate_list(struct session *);
int run_rotate_value(struct session *); /* rotate_value.c */
int run_grants(struct session *);
int run_identity_new(struct session *); /* identity.c */
int run_identity_show(struct session *);
int run_identity_export(struct session *);
int run_identity_test(struct session *);
int run_identity_unlock(struct session *);
int run_identity_passphrase(struct session *); /* identity_change.c */
int run_identity_combine(struct session *);    /* identity_share.c */
int run_import(struct session *);              /* import.c */
int run_export(struct session *);              /* export.c */
int run_apply(struct session *);               /* apply.c */
int run_edit(struct session *);                /* edit.c */
int run_exec(struct session *);                /* exec.c */
int run_mount(struct session *);               /* attach.c */
int run_umount(struct session *);
int run_enter(struct session *); /* enter.c */
int run_view_move(struct session *);
int run_views(struct session *); /* views.c */
int run_wait(struct session *);
int run_watch(struct session *);   /* watch.c */
int run_status(struct session *);  /* status.c */
int run_doctor(struct session *);  /* doctor.c */
int run_verify(struct session *);  /* verify.c */
int run_rebuild(struct session *); /* rebuild.c: verify --rebuild */
int run_stop(struct session *);    /* stop.c */
int run_relay(struct session *);   /* relay.c */
int run_help(struct session *);    /* help.c */
int run_version(struct session *);

/* Prints the help of the session's verb, or of all. */
int help_print(struct session *session);

#endif
