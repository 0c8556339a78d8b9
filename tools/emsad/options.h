/* The command line of emsad. */
#ifndef EMSA_TOOLS_EMSAD_OPTIONS_H
#define EMSA_TOOLS_EMSAD_OPTIONS_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "fs/fs.h"
#include "store/limits.h"

#define DAEMON_MOUNTS_MAX 64

struct daemon_mount {
    const char *directory;
    struct view_options view; /* who owns it is said where has_uid and has_gid are */
    bool has_uid, has_gid;
};

enum daemon_role {
    ROLE_SUPERVISOR,
    ROLE_SERVER,
    ROLE_NOTIFIER,
    ROLE_METRICS,
    ROLE_VOLUME,
    ROLE_AUDIT
};

struct daemon_options {         /* texts are argv's */
    enum daemon_role role;      /* --role: how the supervisor starts its children */
    const char *store;          /* NULL: the usual one */
    const char *metrics;        /* where they are asked for, as metrics_listen; NULL: nowhere */
    const char *volume;         /* the plugin's socket, as volume_listen; NULL: there is none */
    const char *credential;     /* NULL: the usual one, if there is one */
    const char *identity_key;   /* NULL: as key_find_key finds it */
    char credentials[PATH_MAX]; /* the socket for LoadCredential=; "": there is none */
    char environment[ENVIRONMENT_NAME_MAX + 1]; /* of units that name none; "": they must */
    struct daemon_mount mounts[DAEMON_MOUNTS_MAX];
    size_t mount_count;
    bool on_demand;
    const char *audit_sink; /* as line_sink_parse; NULL: there is none */
    bool audit_required;    /* nothing secret is given that cannot be audited */
    bool replay;  /* keep what a server has in its hands, though the kernel could send it again */
    int ready_fd; /* -1: none */
    unsigned threads;    /* 0: as the tree thinks best */
    unsigned views_each; /* that a user may have who does not hold all rights; 0: VIEWS_EACH */
    bool upgrade;        /* ask the daemon that runs */
    char **argv;         /* all of it, to become another binary with */
    bool help;
    bool version;
};

/* ERR_INVALID, with what is wrong. */
int options_parse(struct daemon_options *out, int argc, char *argv[]);

/* What --help prints. */
const char *options_help(void);

#endif
