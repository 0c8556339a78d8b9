#include "tools/emsad/volumes.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "fs/mount.h"
#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/log.h"
#include "tools/common/unmounted.h"
#include "tools/emsad/record.h"

#define FOLDER_MODE 0700

static int open_below(int folder, const char *name)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS};
    return (int)syscall(SYS_openat2, folder, name, &how, sizeof how);
}

/* One that anybody else could put something into is none. */
static int check_folder(int folder, const char *path)
{
    struct stat status;
    if (fstat(folder, &status) < 0)
        return error_system(errno, "cannot look at the folder '%s'", path);
    if (status.st_uid != geteuid() || (status.st_mode & 077) != 0)
        return error_set(ERR_REFUSED,
                         "the folder '%s' of volumes belongs to somebody else, or is open to "
                         "others: remove it, and it is made anew",
                         path);
    return 0;
}

/* The folder of volumes, made where it is missing. */
static int open_folder(int *out, const struct place_of_store *place)
{
    char path[PATH_MAX];
    int above DESCRIPTOR_CLEANUP = -1;
    int error = place_volumes(path, place);
    if (error < 0)
        return error;
    char *slash = strrchr(path, '/');
    *slash = '\0';
    error = place_open_folder(&above, path);
    *slash = '/';
    if (error < 0)
        return error;
    if (mkdirat(above, slash + 1, FOLDER_MODE) < 0 && errno != EEXIST)
        return error_system(errno, "cannot make the folder '%s'", path);
    int folder = open_below(above, slash + 1);
    if (folder < 0)
        return error_system(errno, "cannot open the folder '%s'", path);
    error = check_folder(folder, path);
    if (error < 0)
        descriptor_close(&folder);
    else
        *out = folder;
    return error;
}

static int path_of(char out[static PATH_MAX], const struct supervisor *supervisor, const char *name)
{
    char folder[PATH_MAX];
    int error = place_check_volume(name);
    if (error == 0)
        error = place_volumes(folder, &supervisor->holdings.place);
    if (error == 0 && snprintf(out, PATH_MAX, "%s/%s", folder, name) >= PATH_MAX)
        error = error_set(ERR_INVALID, "the path of volume '%s' is too long", name);
    return error;
}

static struct view *find(struct supervisor *supervisor, const char *path)
{
    for (size_t i = 0; i < supervisor->views.count; i++) {
        struct view *view = &supervisor->views.items[i];
        if (view->is_volume && strcmp(view->directory, path) == 0)
            return view;
    }
    return NULL;
}

/* Whether the view still stands where it was mounted: somebody may have taken it away. */
static bool stands(const struct view *view, int folder, const char *name)
{
    if (view->mount.mount_fd >= 0) /* it is mounted when readers are answered */
        return true;
    int place DESCRIPTOR_CLEANUP = open_below(folder, name);
    return place >= 0 && view->mount.number != 0 && mount_number_at(place) == view->mount.number;
}

/* Whatever is mounted there goes: dead ones, and what is in the way of a new one. */
static int clear(int folder, const char *name, const char *path)
{
    char through[64];
    for (;;) {
        int place DESCRIPTOR_CLEANUP = open_below(folder, name);
        if (place < 0)
            return errno == ENOENT ? 0 : error_system(errno, "cannot open '%s'", path);
        if (mount_number_at(place) == 0)
            return 0;
        (void)snprintf(through, sizeof through, "/proc/self/fd/%d", place);
        if (umount2(through, MNT_DETACH) < 0)
            return error_system(errno, "cannot take a mount away from '%s'", path);
    }
}

/* A runtime mounts it again in the container with flags of its own: podman's are nosuid and nodev.
 * In a container with users of its own no flag may go that the mount has here, and noexec would:
 * the container would not start. */
static int fit_flags(const struct view *view, const char *path)
{
    struct mount_attr attributes = {.attr_clr = MOUNT_ATTR_NOEXEC};
    return mount_setattr(view->mount.mount_fd, "", AT_EMPTY_PATH, &attributes, sizeof attributes) ==
                   0
               ? 0
               : error_system(errno, "cannot set the flags of the mount for '%s'", path);
}

static int attach(struct view *view, int folder, const char *name, const char *path)
{
    int error = clear(folder, name, path);
    if (error == 0)
        error = fit_flags(view, path);
    if (error == 0)
        error = unmounted_make(folder, name, path);
    int place DESCRIPTOR_CLEANUP = error == 0 ? open_below(folder, name) : -1;
    if (error == 0 && place < 0)
        error = error_system(errno, "cannot open '%s'", path);
    if (error == 0)
        error = mount_attach_again(view->mount.mount_fd, place, path);
    if (error == 0)
        error = view_place(view, path, true);
    descriptor_close(&view->mount.mount_fd); /* while it is open, the mount could not go */
    if (error == 0)
        view->is_volume = true;
    return error;
}

/* *out stays NULL where it stands already. */
static int mount_one(struct supervisor *supervisor, const struct channel_message *asked,
                     uint32_t *id, struct view **out)
{
    char path[PATH_MAX];
    int folder DESCRIPTOR_CLEANUP = -1;
    int error = supervisor->phase < STOPPING
                    ? path_of(path, supervisor, asked->text)
                    : error_set(ERR_BUSY, "the daemon is ending: try again");
    if (error == 0)
        error = open_folder(&folder, &supervisor->holdings.place);
    if (error < 0)
        return error;
    struct view *view = find(supervisor, path);
    /* one that was removed while there was no supervisor stands on, under a name that may be given
     * again */
    if (view != NULL && view_options_alike(&view->options, &asked->options) &&
        stands(view, folder, asked->text)) {
        *id = view->options.id;
        return 0;
    }
    if (view != NULL)
        view_unplace(view); /* whoever has it mounted elsewhere keeps it */
    error = serving_make_view(supervisor, &view, &asked->options);
    if (error < 0)
        return error;
    error = attach(view, folder, asked->text, path);
    if (error < 0) {
        serving_end_view(supervisor, view->options.id);
        return error;
    }
    *id = view->options.id;
    *out = view;
    return 0;
}

static void set_answer(struct channel_message *answer, const struct channel_message *asked,
                       int error)
{
    *answer = (struct channel_message){
        .kind = CHANNEL_MOUNTED, .request = asked->request, .error = error};
    if (error < 0)
        (void)snprintf(answer->text, sizeof answer->text, "%s", error_text());
}

void volumes_mount(struct supervisor *supervisor, const struct channel_message *asked,
                   struct channel_message *answer, struct view **out)
{
    uint32_t id = 0;
    *out = NULL;
    int error = mount_one(supervisor, asked, &id, out);
    set_answer(answer, asked, error);
    answer->view = id;
    if (error == 0 && *out == NULL)
        answer->flags = CHANNEL_STANDS;
    if (*out != NULL && supervisor->phase == SERVING) /* else when it begins */
        record_write(&supervisor->holdings.place, &supervisor->views);
}

static int unmount_one(struct supervisor *supervisor, const char *name)
{
    char path[PATH_MAX];
    int folder DESCRIPTOR_CLEANUP = -1;
    int error = path_of(path, supervisor, name);
    if (error == 0)
        error = open_folder(&folder, &supervisor->holdings.place);
    if (error < 0)
        return error;
    struct view *view = find(supervisor, path);
    if (view != NULL) {
        descriptor_close(&view->mount.mount_fd);
        view_unplace(view);
    }
    error = clear(folder, name, path);
    if (error == 0)
        unmounted_remove(folder, name);
    return error;
}

void volumes_unmount(struct supervisor *supervisor, const struct channel_message *asked,
                     struct channel_message *answer)
{
    int error = unmount_one(supervisor, asked->text);
    set_answer(answer, asked, error);
    if (error < 0)
        log_warning("%s", error_text());
    else if (supervisor->phase == SERVING)
        record_write(&supervisor->holdings.place, &supervisor->views);
}

void volumes_unmount_all(struct supervisor *supervisor)
{
    int folder DESCRIPTOR_CLEANUP = -1;
    for (size_t i = 0; i < supervisor->views.count; i++) {
        struct view *view = &supervisor->views.items[i];
        if (!view->is_volume || view->mount.mount_fd >= 0)
            continue;
        int error = folder >= 0 ? 0 : open_folder(&folder, &supervisor->holdings.place);
        if (error == 0)
            error = clear(folder, strrchr(view->directory, '/') + 1, view->directory);
        if (error < 0)
            log_warning("%s", error_text());
        view_unplace(view);
    }
}
