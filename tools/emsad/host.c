#include "tools/emsad/host.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "store/audit_ring.h"
#include "store/error.h"
#include "store/secret.h"
#include "tools/common/place.h"
#include "tools/emsad/figures.h"
#include "tools/emsad/hosted.h"
#include "tools/emsad/line_sink.h"
#include "tools/emsad/unlocking.h"

/* The tree changes hands from one process to another in link's messages; here only numbers are
 * kept. */

static int published(void *arg, uint64_t rev)
{
    struct host *host = arg;
    /* What is committed before the tree is there, it finds when it begins. */
    host_called(host); /* also where nobody called: the notifier is to be looked at meanwhile */
    int late = host->fs != NULL ? fs_publish(host->fs, rev) : 0;
    news_tell(&host->news, rev);
    return late;
}

static uint64_t told(void *arg)
{
    struct host *host = arg;
    return news_told(&host->news);
}

static void expiring(void *arg, int64_t moment)
{
    struct host *host = arg;
    pthread_mutex_lock(&host->mutex);
    if (host->expirer != NULL)
        expirer_notice(host->expirer, moment);
    pthread_mutex_unlock(&host->mutex);
}

/* What the audit process has not written down, and what it could not. */
static int add_audit(const struct audit_ring *ring, json_t *reply)
{
    struct audit_ring_status audit;
    audit_ring_status(ring, &audit);
    json_t *processes = json_object_get(reply, "processes");
    (void)json_object_set_new(processes, "audit", json_integer(figures_living(audit.process)));
    json_t *object = json_pack(
        "{s:I, s:I, s:I, s:I, s:I, s:i, s:b, s:s, s:I, s:i}", "waiting", (json_int_t)audit.waiting,
        "written", (json_int_t)audit.written, "counted", (json_int_t)audit.counted, "lost",
        (json_int_t)audit.lost, "refused", (json_int_t)audit.refused, "failing", (int)audit.failing,
        "required", (int)audit.is_required, "sink", line_sink_word(audit.sink), "unsent",
        (json_int_t)audit.unsent, "sink_failing", (int)audit.sink_failing);
    return json_object_set_new(reply, "audit", object) < 0
               ? error_set(ERR_NOMEM, "cannot make a reply: out of memory")
               : 0;
}

static int status(void *arg, json_t *reply)
{
    struct host *host = arg;
    pthread_mutex_lock(&host->mutex);
    pid_t notifier = host->notifier, metrics = host->metrics, volume = host->volume;
    bool is_on_demand = host->is_on_demand;
    pthread_mutex_unlock(&host->mutex);
    size_t used, locked;
    secret_usage(&used, &locked);
    json_t *own = json_pack("{s:b, s:b, s:{s:i, s:i, s:i}}", "unlocked",
                            (int)store_unlocked(host->store), "on_demand", (int)is_on_demand,
                            "processes", "supervisor", (int)link_supervisor(host->link), "server",
                            (int)getpid(), "notifier", (int)figures_living(notifier));
    (void)json_object_set_new(own, "memory",
                              json_pack("{s:I, s:I, s:b}", "used", (json_int_t)used, "locked",
                                        (json_int_t)locked, "dumpable",
                                        prctl(PR_GET_DUMPABLE, 0, 0, 0, 0) != 0));
    if (metrics > 0)
        (void)json_object_set_new(json_object_get(own, "processes"), "metrics",
                                  json_integer(figures_living(metrics)));
    if (volume > 0)
        (void)json_object_set_new(json_object_get(own, "processes"), "volume",
                                  json_integer(figures_living(volume)));
    int failed = own == NULL || json_object_update(reply, own) < 0;
    json_decref(own);
    if (failed)
        return error_set(ERR_NOMEM, "cannot make a reply: out of memory");
    int error = host->hooks.audit != NULL ? add_audit(host->hooks.audit, reply) : 0;
    return error < 0 ? error : figures_add(reply, host->fs);
}

/* What the server keeps may hold more than the owner of a store had: root's identity. So nobody
 * follows root but root. */
static int take_over(void *arg, const struct caller *caller, int channel)
{
    struct host *host = arg;
    if (caller->uid != 0 && caller->uid != host->supervisor)
        return error_set(ERR_DENIED,
                         "only who started this server (uid %u), or root, may follow "
                         "its supervisor",
                         (unsigned)host->supervisor);
    return link_take_over(host->link, channel);
}

static int upgrade(void *arg)
{
    struct host *host = arg;
    if (link_supervisor(host->link) == 0)
        return error_set(ERR_BUSY, "the supervisor of this server is gone: start 'emsad', which "
                                   "takes over, and is then what runs");
    link_tell(host->link, CHANNEL_UPGRADE, 0);
    return 0;
}

/* Alone the server could not take the mounts away. */
static int stop(void *arg)
{
    struct host *host = arg;
    if (link_supervisor(host->link) == 0)
        return error_set(ERR_BUSY, "the supervisor of this server is gone: start 'emsad', which "
                                   "takes over, and then stop it");
    link_tell(host->link, CHANNEL_END, 0);
    return 0;
}

/* One whose path is too long has no room for a name. */
static void find_volumes(struct host *host, const char *store)
{
    struct place_of_store place;
    if (place_find(&place, store) < 0 || place_volumes(host->volumes, &place) < 0)
        host->volumes[0] = '\0';
}

void host_begin(struct host *host, struct link *link, struct estate *estate, struct store *store)
{
    const struct channel_message *setup = &estate->setup;
    *host = (struct host){.hooks = {.arg = host,
                                    .published = published,
                                    .told = told,
                                    .expiring = expiring,
                                    .mount = hosted_mount,
                                    .views = hosted_views,
                                    .view_move = hosted_view_move,
                                    .volume_mount = hosted_volume_mount,
                                    .volume_unmount = hosted_volume_unmount,
                                    .volume_folder = host->volumes,
                                    .status = status,
                                    .unlock = unlocking_open,
                                    .upgrade = upgrade,
                                    .take_over = take_over,
                                    .stop = stop},
                          .link = link,
                          .estate = estate,
                          .store = store,
                          .supervisor = setup->uid,
                          .views_each = setup->views_each != 0 ? setup->views_each : VIEWS_EACH,
                          .is_on_demand = (setup->flags & CHANNEL_ON_DEMAND) != 0,
                          .had_views = (setup->flags & CHANNEL_HAD_VIEWS) != 0};
    (void)pthread_mutex_init(&host->mutex, NULL);
    find_volumes(host, setup->text);
    news_init(&host->news, store_revision(store));
}

void host_serve(struct host *host, struct fs *fs)
{
    host->fs = fs;
}

/* Asks for the end when there is nothing left to do, and nothing is being done: a call that runs
 * may be the one that makes the next view. */
static void end_if_idle(struct host *host)
{
    pthread_mutex_lock(&host->mutex);
    bool is_idle = host->is_on_demand && host->had_views && host->views == 0 && !host->is_asked &&
                   host->control != NULL && control_calls(host->control) == 0;
    if (is_idle)
        host->is_asked = true;
    pthread_mutex_unlock(&host->mutex);
    if (is_idle)
        link_tell(host->link, CHANNEL_END, 0);
}

void host_watch(struct host *host, struct expirer *expirer)
{
    pthread_mutex_lock(&host->mutex);
    host->expirer = expirer;
    pthread_mutex_unlock(&host->mutex);
}

void host_answer(struct host *host, struct control *control)
{
    pthread_mutex_lock(&host->mutex);
    host->control = control;
    pthread_mutex_unlock(&host->mutex);
    end_if_idle(host);
}

void host_end(struct host *host)
{
    if (host->link == NULL)
        return;
    pthread_mutex_lock(&host->mutex);
    host->control = NULL;
    host->expirer = NULL;
    pthread_mutex_unlock(&host->mutex);
}

const struct service_host *host_hooks(struct host *host)
{
    return &host->hooks;
}

struct news *host_news(struct host *host)
{
    return &host->news;
}

void host_view_here(struct host *host)
{
    pthread_mutex_lock(&host->mutex);
    host->views++;
    host->had_views = true;
    pthread_mutex_unlock(&host->mutex);
}

void host_view_gone(void *arg, uint32_t view)
{
    struct host *host = arg;
    estate_remove(host->estate, view);
    link_tell(host->link, CHANNEL_GONE, view);
    pthread_mutex_lock(&host->mutex);
    host->views--;
    pthread_mutex_unlock(&host->mutex);
    end_if_idle(host);
}

void host_alone(struct host *host)
{
    pthread_mutex_lock(&host->mutex);
    host->is_asked = false;
    pthread_mutex_unlock(&host->mutex);
    end_if_idle(host);
}

void host_adopted(struct host *host, uint32_t flags)
{
    pthread_mutex_lock(&host->mutex);
    host->is_on_demand = (flags & CHANNEL_ON_DEMAND) != 0;
    host->is_asked = false;
    host->is_called = host->control != NULL && control_calls(host->control) > 0;
    if (host->is_called)
        link_tell(host->link, CHANNEL_CALLED, 0);
    pthread_mutex_unlock(&host->mutex);
    end_if_idle(host);
}

void host_metrics(struct host *host, int32_t pid)
{
    pthread_mutex_lock(&host->mutex);
    host->metrics = pid;
    pthread_mutex_unlock(&host->mutex);
}

void host_volume(struct host *host, int32_t pid)
{
    pthread_mutex_lock(&host->mutex);
    host->volume = pid;
    pthread_mutex_unlock(&host->mutex);
}

void host_notifier(struct host *host, int32_t pid)
{
    pthread_mutex_lock(&host->mutex);
    host->notifier = pid;
    pthread_mutex_unlock(&host->mutex);
}

void host_called(void *arg)
{
    struct host *host = arg;
    pthread_mutex_lock(&host->mutex);
    bool is_news = !host->is_called;
    host->is_called = true;
    pthread_mutex_unlock(&host->mutex);
    if (is_news)
        link_tell(host->link, CHANNEL_CALLED, 0);
}

/* A call that comes meanwhile waits for the lock, and tells. */
void host_asked(struct host *host)
{
    pthread_mutex_lock(&host->mutex);
    unsigned calls = host->control == NULL ? 0 : control_calls(host->control);
    host->is_called = calls > 0;
    link_answer(host->link, calls); /* before who is called now can tell */
    pthread_mutex_unlock(&host->mutex);
}

void host_quiet(void *arg)
{
    end_if_idle(arg);
}
