/* The verbs of volumes: names of views that stand in a folder of the daemon's own, from
 * VolumeCreate to VolumeRemove. */
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "store/error.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"
#include "tools/service/volumes.h"
#include "tools/service/wish.h"

#define OPTIONS "path, layout, uid, gid, mode, at, history, cache, masked and idmap"

static int check_host(const struct service_host *host)
{
    return host->volume_mount != NULL
               ? 0
               : error_set(ERR_REFUSED, "no server runs for this store: start one with 'emsad'");
}

static int take_name(struct request *request, const char **out)
{
    const char *name = NULL;
    int error = check_host(&request->service->host);
    if (error == 0)
        error = parameter_text(request->call->parameters, "name", &name);
    if (error == 0 && name == NULL)
        error = error_set(ERR_INVALID, "the parameter 'name' is missing");
    if (error == 0)
        error = place_check_volume(name);
    if (error == 0)
        *out = name;
    return error;
}

/* As if it was not given: options that mean the same are equal. */
static bool is_usual(const char *name, const json_t *value)
{
    const char *text = json_string_value(value);
    if (json_is_null(value))
        return true;
    if (strcmp(name, "layout") == 0)
        return text != NULL && strcmp(text, "tree") == 0;
    return json_is_false(value) && (strcmp(name, "history") == 0 || strcmp(name, "cache") == 0 ||
                                    strcmp(name, "masked") == 0 || strcmp(name, "idmap") == 0);
}

/* Those that were given, without those that say what is usual. Owned. */
static int take_options(struct request *request, json_t **out)
{
    static const char *const known[] = {"path", "layout",  "uid",   "gid",    "mode",
                                        "at",   "history", "cache", "masked", "idmap"};
    json_t *given = json_object_get(request->call->parameters, "options");
    json_t *options = json_object();
    const char *name;
    json_t *value;
    int error =
        json_is_object(given) ? 0 : error_set(ERR_INVALID, "the parameter 'options' is no object");
    json_object_foreach(given, name, value)
    {
        bool is_known = false;
        for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
            is_known = is_known || strcmp(name, known[i]) == 0;
        if (error == 0 && !is_known)
            error = error_set(ERR_INVALID, "no option '%.64s': there are " OPTIONS, name);
        if (error == 0 && !is_usual(name, value) && json_object_set(options, name, value) < 0)
            error = error_set(ERR_NOMEM, "no memory for the options");
    }
    if (error < 0)
        json_decref(options);
    else
        *out = options;
    return error;
}

static int wish_of(struct view_wish *out, const struct volume *volume)
{
    struct view_wish wish = {.uid = volume->uid, .gid = volume->gid};
    int error = wish_read(&wish, volume->options);
    if (error == 0)
        *out = wish;
    return error;
}

static int mountpoint(char out[static PATH_MAX], const struct service_host *host, const char *name)
{
    int length = snprintf(out, PATH_MAX, "%s/%s", host->volume_folder, name);
    return length < PATH_MAX ? 0
                             : error_set(ERR_INVALID, "the path of volume '%s' is too long", name);
}

static int describe(struct request *request, const struct volume *volume, json_t **out)
{
    char path[PATH_MAX];
    int error = mountpoint(path, &request->service->host, volume->name);
    if (error < 0)
        return error;
    *out = json_pack("{s:s, s:s, s:I, s:O}", "name", volume->name, "mountpoint", path, "created",
                     (json_int_t)volume->created, "options", volume->options);
    return *out != NULL ? 0 : error_set(ERR_NOMEM, "no memory for the reply");
}

static int reply_volume(struct request *request, const struct volume *volume)
{
    json_t *object;
    int error = describe(request, volume, &object);
    if (error == 0)
        request->call->reply = json_pack("{s:o}", "volume", object);
    return error;
}

static int reply_mountpoint(struct request *request, const char *name)
{
    char path[PATH_MAX];
    int error = mountpoint(path, &request->service->host, name);
    if (error == 0)
        request->call->reply = json_pack("{s:s}", "mountpoint", path);
    return error;
}

static int stand(struct request *request, const struct volume *volume)
{
    struct view_wish wish;
    const struct service_host *host = &request->service->host;
    int error = wish_of(&wish, volume);
    return error == 0 ? host->volume_mount(host->arg, volume->name, &wish) : error;
}

/* Mounted first, and written down then: what is in the file without standing would be in the way of
 * a second try. */
static int create(struct request *request, const struct volume *volume)
{
    const struct service_host *host = &request->service->host;
    struct volumes *volumes = &request->service->volumes;
    int outcome = volumes_begin(volumes, volume);
    if (outcome < 0)
        return outcome;
    int error = stand(request, volume);
    if (outcome == 1) {
        volumes_let(volumes, volume->name);
        return error;
    }
    if (error == 0) {
        error = volumes_keep(volumes, volume->name);
        if (error == 0)
            return 0;
        char text[ERROR_TEXT_MAX];
        (void)snprintf(text, sizeof text, "%s", error_text());
        (void)host->volume_unmount(host->arg, volume->name);
        (void)error_set((enum error_code) - error, "%s", text);
    }
    volumes_drop(volumes, volume->name);
    return error;
}

/* A tag is what it is now: a volume shows the same revision when the daemon was started again. */
static int settle_revision(struct volume *volume, struct view_wish *wish)
{
    char number[32];
    if (wish->at == NULL)
        return 0;
    (void)snprintf(number, sizeof number, "%llu", (unsigned long long)wish->pin);
    if (json_object_set_new(volume->options, "at", json_string(number)) < 0)
        return error_set(ERR_NOMEM, "no memory for a volume");
    wish->at = NULL; /* is gone */
    return 0;
}

int verb_volume_create(struct request *request)
{
    struct volume volume VOLUME_CLEANUP = {.uid = request->call->caller.uid,
                                           .gid = request->call->caller.gid};
    struct view_wish wish;
    struct timespec now;
    const char *name;
    int error = take_name(request, &name);
    if (error == 0)
        error = take_options(request, &volume.options);
    if (error < 0)
        return error;
    memcpy(volume.name, name, strlen(name) + 1);
    (void)clock_gettime(CLOCK_REALTIME, &now);
    volume.created = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    error = wish_of(&wish, &volume);
    if (error == 0)
        error = wish_check(request, &wish);
    if (error == 0)
        error = settle_revision(&volume, &wish);
    if (error == 0)
        error = create(request, &volume);
    volume_release(&volume); /* as it is there: who made it first says since when */
    if (error == 0)
        error = volumes_find(&request->service->volumes, &volume, name);
    return error == 0 ? reply_volume(request, &volume) : error;
}

/* The volume that the call names. */
static int find(struct request *request, struct volume *out)
{
    const char *name;
    int error = take_name(request, &name);
    return error == 0 ? volumes_find(&request->service->volumes, out, name) : error;
}

int verb_volume_get(struct request *request)
{
    struct volume volume VOLUME_CLEANUP = {.options = NULL};
    int error = find(request, &volume);
    return error == 0 ? reply_volume(request, &volume) : error;
}

static int list_one(struct request *request, json_t *list, const struct volume *volume)
{
    json_t *object;
    int error = describe(request, volume, &object);
    return error == 0 && json_array_append_new(list, object) < 0
               ? error_set(ERR_NOMEM, "no memory for the reply")
               : error;
}

int verb_volume_list(struct request *request)
{
    json_t *list = json_array();
    int outcome = check_host(&request->service->host);
    for (size_t n = 0; outcome == 0; n++) {
        struct volume volume VOLUME_CLEANUP = {.options = NULL};
        outcome = volumes_nth(&request->service->volumes, &volume, n);
        if (outcome == 0)
            outcome = list_one(request, list, &volume);
    }
    if (outcome < 0) {
        json_decref(list);
        return outcome;
    }
    request->call->reply = json_pack("{s:o}", "volumes", list);
    return 0;
}

/* Forgotten first: what still stands then goes with the next start at the latest. */
int verb_volume_remove(struct request *request)
{
    const struct service_host *host = &request->service->host;
    struct volumes *volumes = &request->service->volumes;
    struct volume volume VOLUME_CLEANUP = {.options = NULL};
    int error = find(request, &volume);
    if (error == 0)
        error = volumes_leave(volumes, volume.name);
    if (error < 0)
        return error;
    (void)host->volume_unmount(host->arg, volume.name);
    volumes_drop(volumes, volume.name);
    request->call->reply = json_object();
    return 0;
}

/* Stands again, where somebody took it away. Who uses it is the caller's to count. */
static int bring(struct request *request)
{
    struct volume volume VOLUME_CLEANUP = {.options = NULL};
    struct volumes *volumes = &request->service->volumes;
    const char *name;
    int error = take_name(request, &name);
    if (error == 0)
        error = volumes_hold(volumes, &volume, name);
    if (error < 0)
        return error;
    error = stand(request, &volume);
    volumes_let(volumes, volume.name);
    return error == 0 ? reply_mountpoint(request, volume.name) : error;
}

int verb_volume_mount(struct request *request)
{
    return bring(request);
}

int verb_volume_path(struct request *request)
{
    return bring(request);
}

int verb_volume_unmount(struct request *request)
{
    struct volume volume VOLUME_CLEANUP = {.options = NULL};
    int error = find(request, &volume);
    if (error == 0)
        request->call->reply = json_object();
    return error;
}

int service_volume(struct dispatcher *service, size_t n, char *name, struct view_wish *wish)
{
    struct volume volume VOLUME_CLEANUP = {.options = NULL};
    int outcome = volumes_nth(&service->volumes, &volume, n);
    if (outcome != 0)
        return outcome;
    memcpy(name, volume.name, sizeof volume.name);
    return wish_of(wish, &volume);
}

bool service_has_volume(struct dispatcher *service, const char *name)
{
    struct volume volume VOLUME_CLEANUP = {.options = NULL};
    return volumes_find(&service->volumes, &volume, name) == 0;
}
