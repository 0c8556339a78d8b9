#include "tools/service/volumes.h"

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/service/volume_file.h"

/* KEEPING: made, and on its way into the file. */
enum volume_state { MAKING, KEEPING, KEPT, LEAVING };

struct kept_volume {
    struct volume volume;
    enum volume_state state;
    unsigned holders; /* who has it stand, and wants it there meanwhile */
};

void volume_release(struct volume *volume)
{
    json_decref(volume->options);
    volume->options = NULL;
}

/* With options of its own: those of the list are used under its lock alone. */
static int copy(struct volume *out, const struct volume *volume)
{
    json_t *options = json_deep_copy(volume->options);
    if (options == NULL)
        return error_set(ERR_NOMEM, "no memory for a volume");
    *out = *volume;
    out->options = options;
    return 0;
}

/* Where the name is, or would be. */
static size_t place_of(const struct volumes *volumes, const char *name, bool *is_there)
{
    size_t low = 0, high = volumes->count;
    *is_there = false;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = strcmp(volumes->items[middle].volume.name, name);
        if (order == 0) {
            *is_there = true;
            return middle;
        }
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static struct kept_volume *find(const struct volumes *volumes, const char *name)
{
    bool is_there;
    size_t at = place_of(volumes, name, &is_there);
    return is_there ? &volumes->items[at] : NULL;
}

static int insert(struct volumes *volumes, const struct volume *volume, enum volume_state state)
{
    bool is_there;
    size_t at = place_of(volumes, volume->name, &is_there);
    struct volume ours;
    if (volumes->count >= VOLUMES_MAX)
        return error_set(ERR_REFUSED, "there are %u volumes already: remove some first",
                         VOLUMES_MAX);
    if (volumes->count == volumes->capacity) {
        size_t capacity = volumes->capacity == 0 ? 16 : 2 * volumes->capacity;
        struct kept_volume *items = reallocarray(volumes->items, capacity, sizeof *items);
        if (items == NULL)
            return error_set(ERR_NOMEM, "no memory for the volumes");
        volumes->items = items;
        volumes->capacity = capacity;
    }
    int error = copy(&ours, volume);
    if (error < 0)
        return error;
    memmove(&volumes->items[at + 1], &volumes->items[at],
            (volumes->count - at) * sizeof volumes->items[0]);
    volumes->items[at] = (struct kept_volume){.volume = ours, .state = state};
    volumes->count++;
    return 0;
}

static void remove_at(struct volumes *volumes, struct kept_volume *item)
{
    size_t at = (size_t)(item - volumes->items);
    volume_release(&item->volume);
    volumes->count--;
    memmove(item, item + 1, (volumes->count - at) * sizeof *item);
}

static int take(struct volumes *volumes, json_t *object)
{
    const char *name;
    json_int_t created, uid, gid;
    struct volume volume = {0};
    bool is_there;
    if (json_unpack(object, "{s:s, s:I, s:I, s:I, s:o}", "name", &name, "created", &created, "uid",
                    &uid, "gid", &gid, "options", &volume.options) < 0 ||
        place_check_volume(name) < 0 || !json_is_object(volume.options) || uid < 0 || gid < 0 ||
        uid >= UINT32_MAX || gid >= UINT32_MAX)
        return error_set(ERR_CORRUPT,
                         "'%s/" VOLUME_FILE "' is damaged (an entry is no volume): mend it, or "
                         "remove it and create the volumes again; then start the server again",
                         volumes->folder);
    memcpy(volume.name, name, strlen(name) + 1);
    volume.created = created;
    volume.uid = (uid_t)uid;
    volume.gid = (gid_t)gid;
    (void)place_of(volumes, name, &is_there);
    return is_there ? 0 : insert(volumes, &volume, KEPT);
}

static int load(struct volumes *volumes)
{
    json_t *list;
    size_t index;
    json_t *object;
    int error = volume_file_read(&list, volumes->folder);
    if (error < 0)
        return error;
    json_array_foreach(list, index, object)
    {
        if (error == 0)
            error = take(volumes, object);
    }
    json_decref(list);
    return error;
}

void volumes_init(struct volumes *volumes, const char *folder)
{
    *volumes = (struct volumes){.folder = folder};
    (void)pthread_mutex_init(&volumes->mutex, NULL);
    (void)pthread_cond_init(&volumes->settled, NULL);
    volumes->fault = load(volumes);
    if (volumes->fault < 0)
        volumes->fault_text = strdup(error_text());
}

void volumes_release(struct volumes *volumes)
{
    for (size_t i = 0; i < volumes->count; i++)
        volume_release(&volumes->items[i].volume);
    free(volumes->items);
    free(volumes->fault_text);
    (void)pthread_cond_destroy(&volumes->settled);
    (void)pthread_mutex_destroy(&volumes->mutex);
    *volumes = (struct volumes){0};
}

static int check(const struct volumes *volumes)
{
    if (volumes->fault == 0)
        return 0;
    return error_set((enum error_code) - volumes->fault, "%s",
                     volumes->fault_text != NULL ? volumes->fault_text : "no memory");
}

/* What is to stand in the file. NULL: no memory. */
static json_t *list_of(const struct volumes *volumes)
{
    json_t *list = json_array();
    for (size_t i = 0; i < volumes->count; i++) {
        const struct volume *volume = &volumes->items[i].volume;
        const enum volume_state state = volumes->items[i].state;
        if (state != KEPT && state != KEEPING)
            continue;
        json_t *object =
            json_pack("{s:s, s:I, s:I, s:I, s:o}", "name", volume->name, "created",
                      (json_int_t)volume->created, "uid", (json_int_t)volume->uid, "gid",
                      (json_int_t)volume->gid, "options", json_deep_copy(volume->options));
        if (json_array_append_new(list, object) < 0) {
            json_decref(list);
            return NULL;
        }
    }
    return list;
}

/* Everything that has changed up to now. The lock is given back while the disk works. */
static int write_now(struct volumes *volumes)
{
    uint64_t changes = volumes->changes;
    json_t *list = list_of(volumes);
    if (list == NULL)
        return error_set(ERR_NOMEM, "no memory for the volumes");
    volumes->is_writing = true;
    pthread_mutex_unlock(&volumes->mutex);
    int error = volume_file_write(volumes->folder, list);
    json_decref(list);
    pthread_mutex_lock(&volumes->mutex);
    volumes->is_writing = false;
    if (error == 0)
        volumes->written = changes;
    pthread_cond_broadcast(&volumes->settled);
    return error;
}

/* Until what the caller has just changed is in the file, whoever writes it. */
static int save(struct volumes *volumes)
{
    uint64_t mine = ++volumes->changes;
    int error = 0;
    while (error == 0 && volumes->written < mine) {
        if (volumes->is_writing)
            pthread_cond_wait(&volumes->settled, &volumes->mutex);
        else
            error = write_now(volumes);
    }
    return error;
}

/* The one of that name, when nobody is at it; NULL. */
static struct kept_volume *await(struct volumes *volumes, const char *name)
{
    struct kept_volume *found;
    while ((found = find(volumes, name)) != NULL && found->state != KEPT)
        pthread_cond_wait(&volumes->settled, &volumes->mutex);
    return found;
}

static int is_equal(const struct volume *there, const struct volume *wanted)
{
    if (json_equal(there->options, wanted->options) && there->uid == wanted->uid &&
        there->gid == wanted->gid)
        return 1;
    const char *path = json_string_value(json_object_get(there->options, "path"));
    return error_set(ERR_REFUSED,
                     "the volume '%s' is there already, of '%s' and with other options: remove it "
                     "first, or take another name",
                     there->name, path != NULL ? path : "");
}

int volumes_begin(struct volumes *volumes, const struct volume *wanted)
{
    pthread_mutex_lock(&volumes->mutex);
    int error = check(volumes);
    struct kept_volume *there = error == 0 ? await(volumes, wanted->name) : NULL;
    if (there != NULL)
        error = is_equal(&there->volume, wanted);
    else if (error == 0)
        error = insert(volumes, wanted, MAKING);
    if (error == 1)
        there->holders++;
    pthread_mutex_unlock(&volumes->mutex);
    return error;
}

int volumes_keep(struct volumes *volumes, const char *name)
{
    pthread_mutex_lock(&volumes->mutex);
    find(volumes, name)->state = KEEPING;
    int error = save(volumes);
    find(volumes, name)->state = error < 0 ? MAKING : KEPT;
    pthread_cond_broadcast(&volumes->settled);
    pthread_mutex_unlock(&volumes->mutex);
    return error;
}

void volumes_drop(struct volumes *volumes, const char *name)
{
    pthread_mutex_lock(&volumes->mutex);
    remove_at(volumes, find(volumes, name));
    pthread_cond_broadcast(&volumes->settled);
    pthread_mutex_unlock(&volumes->mutex);
}

static int missing(const char *name)
{
    return error_set(ERR_NOT_FOUND, "no volume '%.*s': create it first", (int)VOLUME_NAME_MAX,
                     name);
}

int volumes_leave(struct volumes *volumes, const char *name)
{
    pthread_mutex_lock(&volumes->mutex);
    int error = check(volumes);
    struct kept_volume *there = error == 0 ? await(volumes, name) : NULL;
    if (error == 0 && there == NULL)
        error = missing(name);
    if (error == 0) {
        there->state = LEAVING;
        while (find(volumes, name)->holders > 0)
            pthread_cond_wait(&volumes->settled, &volumes->mutex);
        error = save(volumes);
        if (error < 0)
            find(volumes, name)->state = KEPT;
        pthread_cond_broadcast(&volumes->settled);
    }
    pthread_mutex_unlock(&volumes->mutex);
    return error;
}

static int copy_of(struct volumes *volumes, struct volume *out, const char *name, unsigned holders)
{
    pthread_mutex_lock(&volumes->mutex);
    int error = check(volumes);
    struct kept_volume *there = error == 0 ? find(volumes, name) : NULL;
    if (error == 0 && (there == NULL || there->state != KEPT))
        error = missing(name);
    if (error == 0)
        error = copy(out, &there->volume);
    if (error == 0)
        there->holders += holders;
    pthread_mutex_unlock(&volumes->mutex);
    return error;
}

int volumes_find(struct volumes *volumes, struct volume *out, const char *name)
{
    return copy_of(volumes, out, name, 0);
}

int volumes_hold(struct volumes *volumes, struct volume *out, const char *name)
{
    return copy_of(volumes, out, name, 1);
}

void volumes_let(struct volumes *volumes, const char *name)
{
    pthread_mutex_lock(&volumes->mutex);
    find(volumes, name)->holders--;
    pthread_cond_broadcast(&volumes->settled);
    pthread_mutex_unlock(&volumes->mutex);
}

int volumes_nth(struct volumes *volumes, struct volume *out, size_t n)
{
    pthread_mutex_lock(&volumes->mutex);
    int error = check(volumes);
    const struct kept_volume *found = NULL;
    for (size_t i = 0; error == 0 && found == NULL && i < volumes->count; i++)
        if (volumes->items[i].state == KEPT && n-- == 0)
            found = &volumes->items[i];
    if (found != NULL)
        error = copy(out, &found->volume);
    else if (error == 0)
        error = 1;
    pthread_mutex_unlock(&volumes->mutex);
    return error;
}
