#include "tools/emsad/host.h"

#include <limits.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/emsad/figures.h"

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

/* A number of the parameters; missing, it stays as it is. */
static int take_number(json_t *parameters, const char *name, uint64_t maximum, uint64_t *out)
{
    const json_t *value = json_object_get(parameters, name);
    if (value == NULL || json_is_null(value))
        return 0;
    json_int_t number = json_is_integer(value) ? json_integer_value(value) : -1;
    if (number < 0 || (uint64_t)number > maximum)
        return error_set(ERR_INVALID, "parameter '%s' is no number from 0 to %llu", name,
                         (unsigned long long)maximum);
    *out = (uint64_t)number;
    return 0;
}

static int take_flag(json_t *parameters, const char *name, uint8_t *out)
{
    const json_t *value = json_object_get(parameters, name);
    if (value == NULL || json_is_null(value))
        return 0;
    if (!json_is_boolean(value))
        return error_set(ERR_INVALID, "parameter '%s' is neither true nor false", name);
    *out = json_is_true(value);
    return 0;
}

static int take_options(struct view_options *out, const struct caller *caller, json_t *parameters)
{
    uint64_t uid = caller->uid, gid = caller->gid, directory_mode = 0, file_mode = 0, max_read = 0;
    int error = take_number(parameters, "uid", UINT32_MAX - 1, &uid);
    if (error == 0)
        error = take_number(parameters, "gid", UINT32_MAX - 1, &gid);
    if (error == 0)
        error = take_number(parameters, "directory_mode", 0777, &directory_mode);
    if (error == 0)
        error = take_number(parameters, "file_mode", 0777, &file_mode);
    if (error == 0)
        error = take_number(parameters, "max_read", VIEW_MAX_READ_LIMIT, &max_read);
    struct view_options options = {.uid = (uid_t)uid,
                                   .gid = (gid_t)gid,
                                   .directory_mode = (uint16_t)directory_mode,
                                   .file_mode = (uint16_t)file_mode,
                                   .max_read = (uint32_t)max_read};
    if (error == 0)
        error = take_flag(parameters, "cache", &options.cache);
    if (error == 0)
        error = take_flag(parameters, "masked", &options.masked);
    if (error == 0)
        *out = options;
    return error;
}

static int mount_view(void *arg, const struct caller *caller, json_t *parameters, int *mount_fd)
{
    struct host *host = arg;
    struct view_options options;
    const char *directory = json_string_value(json_object_get(parameters, "directory"));
    int error = take_options(&options, caller, parameters);
    if (error == 0 && directory != NULL && (directory[0] != '/' || strlen(directory) >= PATH_MAX))
        error = error_set(ERR_INVALID, "parameter 'directory' is no absolute path");
    if (error < 0)
        return error;
    /* What it was started for has begun: if it fails there is nothing left to do. */
    pthread_mutex_lock(&host->mutex);
    host->had_views = true;
    pthread_mutex_unlock(&host->mutex);
    return link_mount(host->link, &options, directory, mount_fd);
}

static int status(void *arg, json_t *reply)
{
    struct host *host = arg;
    pthread_mutex_lock(&host->mutex);
    pid_t notifier = host->notifier, metrics = host->metrics, volume = host->volume;
    bool is_on_demand = host->is_on_demand;
    pthread_mutex_unlock(&host->mutex);
    json_t *own = json_pack("{s:b, s:b, s:{s:i, s:i, s:i}}", "unlocked",
                            (int)store_unlocked(host->store), "on_demand", (int)is_on_demand,
                            "processes", "supervisor", (int)link_supervisor(host->link), "server",
                            (int)getpid(), "notifier", (int)figures_living(notifier));
    if (metrics > 0)
        (void)json_object_set_new(json_object_get(own, "processes"), "metrics",
                                  json_integer(figures_living(metrics)));
    if (volume > 0)
        (void)json_object_set_new(json_object_get(own, "processes"), "volume",
                                  json_integer(figures_living(volume)));
    int failed = own == NULL || json_object_update(reply, own) < 0;
    json_decref(own);
    return failed ? error_set(ERR_NOMEM, "cannot make a reply: out of memory")
                  : figures_add(reply, host->fs);
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

void host_begin(struct host *host, struct link *link, struct estate *estate, struct store *store)
{
    const struct channel_message *setup = &estate->setup;
    *host = (struct host){.hooks = {.arg = host,
                                    .published = published,
                                    .told = told,
                                    .expiring = expiring,
                                    .mount = mount_view,
                                    .status = status,
                                    .upgrade = upgrade,
                                    .take_over = take_over,
                                    .stop = stop},
                          .link = link,
                          .estate = estate,
                          .store = store,
                          .supervisor = setup->uid,
                          .is_on_demand = (setup->flags & CHANNEL_ON_DEMAND) != 0,
                          .had_views = (setup->flags & CHANNEL_HAD_VIEWS) != 0};
    (void)pthread_mutex_init(&host->mutex, NULL);
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
