/* What the dispatcher may ask of the server it runs in, and when a daemon that was started on
 * demand has nothing left to do. */
#ifndef EMSA_TOOLS_EMSAD_HOST_H
#define EMSA_TOOLS_EMSAD_HOST_H

#include <limits.h>
#include <pthread.h>
#include <stdbool.h>

#include "fs/fs.h"
#include "tools/emsad/channel.h"
#include "tools/emsad/control.h"
#include "tools/emsad/estate.h"
#include "tools/emsad/expirer.h"
#include "tools/emsad/link.h"
#include "tools/emsad/news.h"
#include "tools/service/service.h"

#define VIEWS_EACH 64u /* of one user, unless --views-each says something else */

struct host_making { /* a view that a call is waiting for; of the call's */
    struct host_making *next;
    const struct view_options *options;
};

struct host {
    struct service_host hooks;
    struct link *link; /* borrowed, as what follows */
    struct estate *estate;
    struct store *store;
    struct news news;
    char volumes[PATH_MAX];  /* the folder of volumes */
    uint32_t views_each;     /* how many one user may have, who does not hold all rights */
    struct fs *fs;           /* NULL before host_serve */
    pthread_mutex_t mutex;   /* protects what is below */
    struct control *control; /* NULL before host_answer and after host_end */
    struct expirer *expirer; /* NULL before host_watch and after host_end */
    struct host_making *making;
    uint32_t views;
    int32_t notifier;
    uid_t supervisor; /* who the supervisor is, and so who may follow it */
    int32_t metrics, volume;
    bool is_on_demand, had_views,
        is_asked;   /* there was a view, or one was tried; the end was asked for already */
    bool is_called; /* the supervisor was told of a call, and not yet that none runs */
};

/* In this order. */
void host_begin(struct host *host, struct link *link, struct estate *estate, struct store *store);
void host_serve(struct host *host, struct fs *fs);
void host_watch(struct host *host, struct expirer *expirer);
void host_answer(struct host *host, struct control *control);

/* Forgets these two, before they are stopped; calls that still run are served, until fs_free. */
void host_end(struct host *host);

const struct service_host *host_hooks(struct host *host);

/* For those who wait for a change; published changes are told there. */
struct news *host_news(struct host *host);

/* The supervisor is gone, perhaps with the word that there was nothing left to do. */
void host_alone(struct host *host);

/* A next supervisor has taken over: its flags, as in SETUP. */
void host_adopted(struct host *host, uint32_t flags);

/* A view came; a view went (as fs_options.gone, from any thread); the pid of the notifier. */
void host_view_here(struct host *host);
void host_view_gone(void *arg, uint32_t view);
void host_notifier(struct host *host, int32_t pid);

/* The pid of the metrics process, and of the volume plugin. */
void host_metrics(struct host *host, int32_t pid);
void host_volume(struct host *host, int32_t pid);

/* A call comes where none ran; none runs any more (as control_options has them). */
void host_called(void *arg);
void host_quiet(void *arg);

/* The supervisor asks whether this server is there: tells it, with how many calls run. */
void host_asked(struct host *host);

#endif
