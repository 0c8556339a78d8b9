/*
 * The inside of the supervisor, for its rooms: what one knows of its life, and what they ask of
 * each other. supervisor.c has the loop, the beginning and the end; serving.c the two children and
 * what the server says; watch.c judges a server that lives and does not answer.
 */
#ifndef EMSA_TOOLS_EMSAD_SUPERVISION_H
#define EMSA_TOOLS_EMSAD_SUPERVISION_H

#include <limits.h>
#include <stdbool.h>
#include <stdint.h>

#include "tools/emsad/annex.h"
#include "tools/emsad/child.h"
#include "tools/emsad/credentials.h"
#include "tools/emsad/holdings.h"
#include "tools/emsad/options.h"
#include "tools/emsad/upgrade.h"
#include "tools/emsad/views.h"
#include "tools/emsad/watch.h"

#define SEND_MILLISECONDS 5000 /* for a child to take a message */

enum phase { STARTING, SERVING, STOPPING, FORCING };

struct supervisor {
    const struct daemon_options *options;
    struct holdings holdings;
    struct child server, notifier, audit;
    struct annex metrics, volume;
    struct credentials credentials;
    struct views views;
    struct watch watch;
    struct upgrade upgrade;
    enum phase phase;
    bool is_on_demand;    /* it ends with the last view */
    unsigned threads;     /* of the server; 0: as it thinks best */
    unsigned views_each;  /* how many one user may have; 0: as the server thinks best */
    int signals;          /* signalfd */
    int ready_fd;         /* -1: nobody waits, or was told */
    bool has_opened;      /* the server now running has the store open, and takes views */
    bool is_stuck;        /* it was judged so, and is to be reaped */
    bool has_left_behind; /* a notifier that a reader keeps in the kernel; it has our connections */
    uint64_t gap;         /* nanoseconds (monotonic) of the last server's end; 0: one answers */
    int64_t deadline;     /* of STOPPING and FORCING */
    int64_t ready_by;     /* STARTING, and the server answers: then at the latest; 0: none does */
    int failure;          /* why it ends, 0: as asked */
    char text[PATH_MAX];  /* of the failure */
};

/* Begins the end, once: readers first, while they are still answered; then callers; then the
 * store. */
void supervisor_stop(struct supervisor *);

/* The same for a reason, of which the first is kept. */
void supervisor_fail(struct supervisor *, int error, const char *text);

/* Starts a child and hands it what there is; what fails is tried again when restart_at says. */
void serving_start_server(struct supervisor *);
void serving_start_notifier(struct supervisor *);
void serving_start_metrics(struct supervisor *);
void serving_start_volume(struct supervisor *);

/* A new view, which nobody was told of yet. As views_make. */
int serving_make_view(struct supervisor *, struct view **out, const struct view_options *options);

/* One that nobody was told of yet is no more. */
void serving_end_view(struct supervisor *, uint32_t id);

/* A server that was taken over answers already: it is told of what is new here, and its notifier is
 * replaced. ERR_*: what stands in the way of the options' mounts. */
int serving_adopted(struct supervisor *);

/* Hands those who ask for a credential to the server. */
void serving_lend(struct supervisor *);

/* Takes all that the server has said. */
void serving_listen(struct supervisor *);

/* Answers all that the notifier, or the volume plugin, has asked. */
void serving_listen_notifier(struct supervisor *);
void serving_listen_volume(struct supervisor *);

/* Judges the server and the notifier; whom it finds stuck it ends. */
void serving_watch(struct supervisor *);

/* The server, or the notifier, was reaped. */
void serving_server_ended(struct supervisor *, int wait_status);
void serving_notifier_ended(struct supervisor *, int wait_status);

#endif
