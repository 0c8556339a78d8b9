#include "tools/emsad/hosted.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "fs/mount.h"
#include "store/error.h"
#include "tools/common/log.h"
#include "tools/common/place.h"

#define CONSUMER_DIRECTORY_MODE 0555 /* what fs makes of modes that are not said */
#define CONSUMER_FILE_MODE 0444
#define DIRECTORY_MODE 0700
#define FILE_MODE 0400

static int options_of(struct view_options *out, const struct view_wish *wish)
{
    *out = (struct view_options){.uid = wish->uid,
                                 .gid = wish->gid,
                                 .maker = wish->maker,
                                 .directory_mode = wish->directory_mode,
                                 .file_mode = wish->file_mode,
                                 .max_read = wish->max_read,
                                 .cache = wish->is_cached,
                                 .masked = wish->is_masked,
                                 .history = wish->has_history,
                                 .idmap = wish->may_map,
                                 .pin = wish->pin,
                                 .layout = wish->is_flat ? LAYOUT_FLAT : LAYOUT_TREE};
    return view_options_of(out, &wish->path);
}

/* What it was started for has begun: if it fails there is nothing left to do. */
static void begin_view(struct host *host)
{
    pthread_mutex_lock(&host->mutex);
    host->had_views = true;
    pthread_mutex_unlock(&host->mutex);
}

struct makers_views {
    const struct host_making *making;
    uid_t maker;
    unsigned count;
};

static int count_view(void *arg, const struct channel_message *view)
{
    struct makers_views *views = arg;
    for (const struct host_making *one = views->making; one != NULL; one = one->next)
        if (memcmp(one->options->key, view->options.key, VIEW_KEY_SIZE) == 0)
            return 0; /* it came, and its call does not know yet */
    views->count += view->options.maker == views->maker;
    return 0;
}

/* One more of a user's, until end_making: those that stand, and those that are being made. */
static int begin_making(struct host *host, struct host_making *making, const struct view_wish *wish)
{
    struct makers_views views = {.maker = wish->maker};
    pthread_mutex_lock(&host->mutex);
    views.making = host->making;
    (void)estate_each(host->estate, count_view, &views);
    for (const struct host_making *other = host->making; other != NULL; other = other->next)
        views.count += other->options->maker == wish->maker;
    bool is_full = !wish->is_unbounded && views.count >= host->views_each;
    if (!is_full) {
        making->next = host->making;
        host->making = making;
    }
    pthread_mutex_unlock(&host->mutex);
    return is_full ? error_set(ERR_REFUSED,
                               "uid %u has %u views, as many as one user may: unmount one, or have "
                               "the daemon allow more ('emsad --views-each')",
                               (unsigned)wish->maker, views.count)
                   : 0;
}

static void end_making(struct host *host, struct host_making *making)
{
    pthread_mutex_lock(&host->mutex);
    struct host_making **at = &host->making;
    while (*at != making)
        at = &(*at)->next;
    *at = making->next;
    pthread_mutex_unlock(&host->mutex);
}

int hosted_mount(void *arg, const struct view_wish *wish, struct view_made *out)
{
    struct host *host = arg;
    struct view_options options;
    struct host_making making = {.options = &options};
    int error = options_of(&options, wish);
    if (error == 0)
        error = begin_making(host, &making, wish);
    if (error < 0)
        return error;
    begin_view(host);
    error = link_mount(host->link, &options, wish->directory, &out->view, &out->mount_fd);
    end_making(host, &making);
    return error;
}

static int volume_path(char out[static PATH_MAX], const struct host *host, const char *name)
{
    int length = snprintf(out, PATH_MAX, "%s/%s", host->volumes, name);
    return length < PATH_MAX ? 0
                             : error_set(ERR_INVALID, "the path of volume '%s' is too long", name);
}

/* Whether it stands there, by what the kernel says: then nobody else need be asked, which would be
 * two turns of the scheduler while a hundred containers start. A server that may not look there
 * (it is not root's) asks. */
static bool stands(struct host *host, const char *path, const struct view_options *options)
{
    unsigned number = 0;
    return estate_has_volume(host->estate, path, options, &number) && number != 0 &&
           mount_number_on(path) == number;
}

/* Without a supervisor, what stands is not looked at. */
int hosted_volume_mount(void *arg, const char *name, const struct view_wish *wish)
{
    struct host *host = arg;
    char path[PATH_MAX];
    struct view_options options;
    begin_view(host);
    int error = volume_path(path, host, name);
    if (error == 0)
        error = options_of(&options, wish);
    if (error < 0 || stands(host, path, &options))
        return error;
    error = link_volume(host->link, &options, name);
    return error == -ERR_BUSY && estate_has_volume(host->estate, path, &options, NULL) ? 0 : error;
}

int hosted_volume_unmount(void *arg, const char *name)
{
    struct host *host = arg;
    char path[PATH_MAX];
    int error = link_volume_end(host->link, name);
    if (error == 0)
        error = volume_path(path, host, name);
    if (error == 0)
        estate_unplace(host->estate, path);
    return error;
}

static json_t *place_of(const struct view_options *options)
{
    struct path path = {0};
    char text[PATH_TEXT_MAX];
    memcpy(path.environment, options->environment, sizeof path.environment);
    memcpy(path.service, options->service, sizeof path.service);
    return json_string(path_text(&path, text));
}

static int mode_of(uint16_t mode, const struct view_options *options, int consumer, int other)
{
    if (mode != 0)
        return mode;
    return options->extent == VIEW_ALL ? other : consumer;
}

static void add_places(json_t *object, const struct channel_message *view)
{
    if (view->text[0] == '\0')
        return;
    (void)json_object_set_new(object, "directory", json_string(view->text));
    if ((view->flags & CHANNEL_IS_VOLUME) != 0)
        (void)json_object_set_new(object, "volume", json_string(strrchr(view->text, '/') + 1));
}

struct listing {
    struct fs *fs; /* NULL before there is one */
    json_t *list;
};

/* What its kernel was told, and who read last. */
static void add_state(json_t *object, struct fs *fs, uint32_t view)
{
    struct fs_view state = {.told = 0};
    if (fs == NULL || fs_view(fs, &state, view) != 0)
        return;
    (void)json_object_set_new(object, "rev", json_integer((json_int_t)state.told));
    if (state.pin != 0)
        (void)json_object_set_new(object, "pin", json_integer((json_int_t)state.pin));
    if (state.read_time == 0)
        return;
    (void)json_object_set_new(object, "read",
                              json_pack("{s:I, s:I, s:I, s:I}", "time", (json_int_t)state.read_time,
                                        "rev", (json_int_t)state.read_rev, "uid",
                                        (json_int_t)(int32_t)state.uid, "pid",
                                        (json_int_t)state.pid));
}

static int add_view(void *arg, const struct channel_message *view)
{
    const struct listing *listing = arg;
    const struct view_options *options = &view->options;
    json_t *object = json_pack(
        "{s:I, s:o, s:s, s:I, s:I, s:i, s:i, s:b, s:b, s:b, s:b, s:I}", "id",
        (json_int_t)view->view, "path", place_of(options), "layout",
        options->layout == LAYOUT_FLAT ? "flat" : "tree", "uid", (json_int_t)options->uid, "gid",
        (json_int_t)options->gid, "directory_mode",
        mode_of(options->directory_mode, options, CONSUMER_DIRECTORY_MODE, DIRECTORY_MODE),
        "file_mode", mode_of(options->file_mode, options, CONSUMER_FILE_MODE, FILE_MODE), "cache",
        (int)options->cache, "masked", (int)options->masked, "history", (int)options->history,
        "idmap", (int)options->idmap, "made", (json_int_t)options->made_time);
    if (object != NULL) {
        (void)json_object_set_new(object, "maker", json_integer((json_int_t)options->maker));
        (void)json_object_set_new(object, "rev", json_integer(0));
        add_places(object, view);
        add_state(object, listing->fs, view->view);
    }
    return json_array_append_new(listing->list, object) < 0
               ? error_set(ERR_NOMEM, "cannot make a reply: out of memory")
               : 0;
}

int hosted_views(void *arg, json_t *list)
{
    struct host *host = arg;
    struct listing listing = {.fs = host->fs, .list = list};
    return estate_each(host->estate, add_view, &listing);
}

int hosted_view_move(void *arg, uint32_t view, uint64_t rev)
{
    struct host *host = arg;
    return fs_move(host->fs, view, rev);
}

struct stray {
    struct dispatcher *dispatcher;
    char name[VOLUME_NAME_MAX + 1];
};

static int find_stray(void *arg, const struct channel_message *view)
{
    struct stray *stray = arg;
    if ((view->flags & CHANNEL_IS_VOLUME) == 0)
        return 0;
    const char *name = strrchr(view->text, '/') + 1;
    if (service_has_volume(stray->dispatcher, name))
        return 0;
    (void)snprintf(stray->name, sizeof stray->name, "%s", name);
    return 1;
}

/* One that stands and is none, taken away. 1: there was one. */
static int clear_one(struct host *host, struct dispatcher *dispatcher)
{
    char path[PATH_MAX];
    struct stray stray = {.dispatcher = dispatcher};
    if (estate_each(host->estate, find_stray, &stray) == 0)
        return 0;
    log_info("'%s' is no volume any more: taken away", stray.name);
    link_volume_drop(host->link, stray.name);
    if (volume_path(path, host, stray.name) == 0)
        estate_unplace(host->estate, path);
    return 1;
}

int hosted_begin(struct volume_beginning *beginning, struct host *host,
                 struct dispatcher *dispatcher)
{
    for (;;) {
        char name[VOLUME_NAME_MAX + 1] = "", path[PATH_MAX];
        struct view_wish wish = {0};
        struct view_options options;
        int outcome = service_volume(dispatcher, beginning->next, name, &wish);
        if (outcome < 0 && name[0] == '\0') { /* not one of them: the file, as each would be */
            log_error("no volume stands: %s", error_text());
            return 0;
        }
        if (outcome == 1 && clear_one(host, dispatcher) == 1)
            return 1;
        if (outcome == 1)
            return 0;
        beginning->next++;
        if (outcome == 0)
            outcome = volume_path(path, host, name);
        if (outcome == 0)
            outcome = options_of(&options, &wish);
        if (outcome < 0) {
            log_error("volume '%s': %s", name, error_text());
            continue;
        }
        if (estate_has_volume(host->estate, path, NULL, NULL))
            continue;
        link_volume_begin(host->link, &options, name);
        return 1;
    }
}
