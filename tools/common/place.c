#include "tools/common/place.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "store/error.h"

#define DEFAULT_STORE "/var/lib/emsa"
#define DEFAULT_IDENTITY "/etc/emsa/identity"
#define IDENTITY_SUFFIX ".identity"
#define DEFAULT_SOCKET "/run/emsa/socket"

static int join(char out[static PATH_MAX], const char *first, const char *second)
{
    int length = snprintf(out, PATH_MAX, "%s%s", first, second);
    if (length < 0 || length >= PATH_MAX)
        return error_set(ERR_INVALID, "the path '%.64s...' is too long", first);
    return 0;
}

/* Absolute, without slashes at its end, and with links resolved where it exists: one store has one
 * name, whichever way it was written. */
static int absolute(char out[static PATH_MAX], const char *path)
{
    char *resolved = realpath(path, NULL);
    int error;
    if (resolved != NULL) {
        error = join(out, resolved, "");
    } else if (path[0] == '/') {
        error = join(out, path, "");
    } else {
        char current[PATH_MAX];
        if (getcwd(current, sizeof current - 1) == NULL)
            return error_system(errno, "cannot find the current folder");
        size_t length = strlen(current);
        current[length] = '/';
        current[length + 1] = '\0';
        error = join(out, current, path);
    }
    free(resolved);
    if (error < 0)
        return error;
    for (size_t length = strlen(out); length > 1 && out[length - 1] == '/'; length--)
        out[length - 1] = '\0';
    return 0;
}

static const char *environment(const char *name)
{
    const char *value = getenv(name);
    return value == NULL || value[0] == '\0' ? NULL : value;
}

static int find_identity(struct place_of_store *place)
{
    const char *named = environment("EMSA_IDENTITY");
    if (named != NULL)
        return absolute(place->identity, named);
    if (place->is_default)
        return join(place->identity, DEFAULT_IDENTITY, "");
    return join(place->identity, place->store, IDENTITY_SUFFIX);
}

int place_find(struct place_of_store *out, const char *option)
{
    struct place_of_store place = {0};
    const char *named = option != NULL ? option : environment("EMSA_STORE");
    if (named != NULL && named[0] == '\0')
        return error_set(ERR_INVALID, "the store's path is empty: give --store a directory");
    place.is_named = named != NULL;
    int error = absolute(place.store, named != NULL ? named : DEFAULT_STORE);
    if (error < 0)
        return error;
    /* The default one may be a link to where the disk is; it is the same store by either name. */
    char usual[PATH_MAX];
    error = absolute(usual, DEFAULT_STORE);
    if (error < 0)
        return error;
    place.is_default = strcmp(place.store, usual) == 0;
    error = find_identity(&place);
    if (error < 0)
        return error;
    error = place.is_default ? join(place.socket, DEFAULT_SOCKET, "")
                             : join(place.socket, place.store, "/socket");
    if (error < 0)
        return error;
    *out = place;
    return 0;
}

int place_recovery(char out[static PATH_MAX], const struct place_of_store *place)
{
    char stem[PATH_MAX];
    const size_t size = strlen(place->identity), tail = strlen(IDENTITY_SUFFIX);
    const bool has_tail =
        size > tail && strcmp(place->identity + size - tail, IDENTITY_SUFFIX) == 0;
    memcpy(stem, place->identity, size + 1);
    stem[has_tail ? size - tail : size] = '\0';
    return join(out, stem, ".recovery");
}

int place_pin(char out[static PATH_MAX], const char *store)
{
    const char *named = environment("EMSA_PIN");
    return named != NULL ? absolute(out, named) : join(out, store, ".pin");
}

int place_open_folder(int *out, const char *path)
{
    struct open_how how = {.flags = O_PATH | O_DIRECTORY | O_CLOEXEC,
                           .resolve = RESOLVE_NO_SYMLINKS};
    int fd = (int)syscall(SYS_openat2, AT_FDCWD, path, &how, sizeof how);
    if (fd >= 0) {
        *out = fd;
        return 0;
    }
    if (errno == ELOOP)
        return error_set(ERR_REFUSED, "the path '%s' leads over a symbolic link now", path);
    return error_system(errno, "cannot open folder '%s'", path);
}

static bool lies_in(const char *path, const char *folder)
{
    size_t length = strcmp(folder, "/") == 0 ? 0 : strlen(folder);
    return strncmp(path, folder, length) == 0 && (path[length] == '/' || path[length] == '\0');
}

int place_check_mount(const struct place_of_store *place, const char *directory)
{
    const char *const needed[] = {place->store, place->identity, place->socket};
    char *folder = realpath(directory, NULL);
    int error = 0;
    for (size_t i = 0; folder != NULL && error == 0 && i < sizeof needed / sizeof needed[0]; i++)
        if (lies_in(needed[i], folder))
            error = error_set(ERR_REFUSED,
                              "cannot mount on '%s': it would hide '%s' from the store's own "
                              "server; name another directory",
                              directory, needed[i]);
    free(folder);
    return error;
}

int place_volumes(char out[static PATH_MAX], const struct place_of_store *place)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(place->socket, '/');
    (void)snprintf(folder, sizeof folder, "%.*s", (int)(slash - place->socket), place->socket);
    return join(out, folder, "/volumes");
}

int place_check_volume(const char *name)
{
    static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    size_t length = strlen(name);
    size_t good = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.-");
    if (length > 0 && length <= VOLUME_NAME_MAX && good == length &&
        strchr(letters, name[0]) != NULL)
        return 0;
    return error_set(ERR_INVALID,
                     "that name will not do for a volume: 1 to %d letters, digits, '_', '.' and "
                     "'-', of which the first is a letter or a digit",
                     VOLUME_NAME_MAX);
}
