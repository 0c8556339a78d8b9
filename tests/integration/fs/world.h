/*
 * A store, the process that serves it, the one that notifies, and the mount, for one test. The
 * test's own process is the supervisor (it holds the connection) and a client, and nothing else.
 */
#ifndef EMSA_TESTS_FS_WORLD_H
#define EMSA_TESTS_FS_WORLD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "fs/fs.h"
#include "fs/mount.h"

/* Another view of the same store. Its number is 2 and on, in order. */
#define WORLD_VIEWS_MAX 12u
struct world_view {
    struct view_options options;
    struct mount super;
    char mount[96];
};

struct world {
    char folder[64]; /* holds all below */
    char store[96];
    char identity[96];
    char mount[96];
    bool no_identity; /* serve without one */
    struct view_options view;
    struct mount super;
    struct world_view views[WORLD_VIEWS_MAX]; /* options set before world_make */
    unsigned view_count;
    int state_fd;
    int roster_fd;
    int server_socket;   /* commands, see server.h */
    int notifier_socket; /* descriptors for it */
    pid_t server, notifier;
};

/* Makes all of it. view may be NULL for the defaults. Ends the program with a message on failure.
 */
void world_make(struct world *world, const struct view_options *view);

/* Another view more, of a path ("", "prod", "prod/billing"), with its other options.
 * Before world_make. Returns its place in views. */
unsigned world_view_more(struct world *world, const char *path, const struct view_options *options);

/* Ends the processes, unmounts, removes the folder. */
void world_end(struct world *world);

/* Starts or ends (SIGKILL, waited for) the server alone. At a start the kernel sends again what the
 * dead one had, unless view.replay says that it is found in the shared memory. */
void world_server_start(struct world *world);
void world_server_kill(struct world *world);
void world_notifier_start(struct world *world);
void world_notifier_kill(struct world *world);

/* Commands for the server; all end the program when it fails. Operations gather until world_commit,
 * which returns the revision after it was published. */
void world_environment_add(struct world *world, const char *name);
void world_environment_add_on(struct world *world, const char *name, const char *base);
void world_environment_remove(struct world *world, const char *name);
void world_service_add(struct world *world, const char *path);
void world_service_remove(struct world *world, const char *path);
void world_set(struct world *world, const char *path, const void *value, size_t size);
void world_set_secret(struct world *world, const char *path, const void *value, size_t size);
void world_set_link(struct world *world, const char *path, const char *target);
void world_set_template(struct world *world, const char *path, const char *text);
void world_share(struct world *world, const char *path, const char *consumer);
void world_remove(struct world *world, const char *path);
uint64_t world_commit(struct world *world);
/* The same where readers may keep the directory so busy that telling it takes its time. */
uint64_t world_commit_patiently(struct world *world);
/* The same where nobody can be told: the publishing must have been late. */
uint64_t world_commit_late(struct world *world);
/* Holds a view (its place in views) at a revision; 0: it follows the newest. What fs_move says. */
int world_move(struct world *world, unsigned view, uint64_t rev);
void world_status(struct world *world, struct fs_status *status);

/* The path of something in another view; static text, good until the eighth call after. */
const char *world_view_path(const struct world *world, unsigned view, const char *path);

/* The path of something in the mount; static text, good until the eighth call after. */
const char *world_path(const struct world *world, const char *path);

#endif
