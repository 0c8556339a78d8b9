#include "tools/emsa/known.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/emsa/output.h"
#include "tools/service/hex.h"

#define ID_TEXT (2 * STORE_ID_SIZE + 1)
#define PLACE_MAX 4352 /* a host and a path */
#define LINE_TEXT_MAX (PLACE_MAX + ID_TEXT + 2)
#define SCHEME "ssh://"

struct known {
    char path[PATH_MAX]; /* of the file; "": there is none */
    char place[PLACE_MAX];
    char id[ID_TEXT];
    bool is_there;               /* the place, with this store */
    char other_place[PLACE_MAX]; /* where this store is known else; "": nowhere */
};

/* --- names --- */

static void find_file(char out[static PATH_MAX])
{
    const char *given = getenv("EMSA_KNOWN_STORES");
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");
    int size = 0;
    if (given != NULL && given[0] != '\0')
        size = snprintf(out, PATH_MAX, "%s", given);
    else if (config != NULL && config[0] == '/')
        size = snprintf(out, PATH_MAX, "%s/emsa/known_stores", config);
    else if (home != NULL && home[0] == '/')
        size = snprintf(out, PATH_MAX, "%s/.config/emsa/known_stores", home);
    if (size <= 0 || size >= PATH_MAX)
        out[0] = '\0';
}

/* Without who one is there: the store is the same. */
static void name_place(char out[static PLACE_MAX], const char *host, const char *store)
{
    const char *at = host + (strncmp(host, SCHEME, strlen(SCHEME)) == 0 ? strlen(SCHEME) : 0);
    const size_t size = strcspn(at, "/");
    const char *user = memchr(at, '@', size);
    if (user != NULL)
        at = user + 1;
    const bool has_path = strchr(at, '/') != NULL && strchr(at, '/')[1] != '\0';
    (void)snprintf(out, PLACE_MAX, "%.*s%s", (int)(has_path ? strlen(at) : strcspn(at, "/")), at,
                   !has_path && store != NULL ? store : "");
    for (char *each = out; *each != '\0'; each++)
        if ((unsigned char)*each <= ' ') /* which would end it in the file */
            *each = '_';
}

/* --- the file --- */

static int refuse_other(const struct known *known, const char *was)
{
    error_set(ERR_REFUSED, "the store at '%s' says that it is %s, and was %.32s before",
              known->place, known->id, was);
    return error_add(
        ERR_REFUSED,
        "nothing was signed: find out why; if that was meant (it was made anew there), "
        "take its line out of '%s'",
        known->path);
}

/* A line. */
static int look_at(struct known *known, char *line)
{
    char *rest, *place = strtok_r(line, " \t\n", &rest);
    const char *id = place == NULL || place[0] == '#' ? NULL : strtok_r(NULL, " \t\n", &rest);
    if (id == NULL)
        return 0;
    const bool is_place = strcmp(place, known->place) == 0;
    const bool is_store = strcmp(id, known->id) == 0;
    if (is_place && !is_store)
        return refuse_other(known, id);
    known->is_there |= is_place;
    if (is_store && !is_place)
        (void)snprintf(known->other_place, sizeof known->other_place, "%s", place);
    return 0;
}

/* Nothing where there is no file. */
static int read_file(struct known *known)
{
    char line[LINE_TEXT_MAX];
    int error = 0;
    FILE *file = known->path[0] != '\0' ? fopen(known->path, "re") : NULL;
    if (file == NULL)
        return known->path[0] == '\0' || errno == ENOENT || errno == ENOTDIR
                   ? 0
                   : error_system(errno, "cannot read the known stores '%s'", known->path);
    while (error == 0 && fgets(line, sizeof line, file) != NULL)
        error = look_at(known, line);
    if (error == 0 && ferror(file))
        error = error_set(ERR_IO, "cannot read the known stores '%s'", known->path);
    fclose(file);
    return error;
}

static void make_folders(const char *path)
{
    char folder[PATH_MAX];
    (void)snprintf(folder, sizeof folder, "%s", path);
    for (char *slash = strchr(folder + 1, '/'); slash != NULL; slash = strchr(slash + 1, '/')) {
        *slash = '\0';
        (void)mkdir(folder, 0700); /* that it is not there is told when the file is opened */
        *slash = '/';
    }
}

/* One write, so that two commands at once leave two lines. */
static bool append(const struct known *known)
{
    char line[LINE_TEXT_MAX];
    const int size = snprintf(line, sizeof line, "%s %s\n", known->place, known->id);
    if (known->path[0] == '\0')
        return false;
    make_folders(known->path);
    const int fd = open(known->path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    const bool is_done = fd >= 0 && write(fd, line, (size_t)size) == size;
    if (fd >= 0)
        close(fd);
    return is_done;
}

int known_store(const char *host, const char *store, const uint8_t id[static STORE_ID_SIZE])
{
    static struct known known; /* large */
    const char *wanted = getenv("EMSA_STORE_ID");
    if (wanted != NULL && wanted[0] != '\0')
        return 0;
    known = (struct known){.is_there = false};
    find_file(known.path);
    name_place(known.place, host, store);
    hex_text(known.id, id, STORE_ID_SIZE);
    const int error = read_file(&known);
    if (error < 0 || known.is_there)
        return error;
    if (known.other_place[0] != '\0') {
        error_set(ERR_REFUSED, "the store at '%s' says that it is the one at '%s'", known.place,
                  known.other_place);
        return error_add(ERR_REFUSED,
                         "nothing was signed: if these are two names of one place, add a line to "
                         "'%s': %s %s",
                         known.path, known.place, known.id);
    }
    if (append(&known))
        output_note("the store at '%s' is %s: remembered in '%s'", known.place, known.id,
                    known.path);
    else
        output_note("the store at '%s' is %s, and cannot be remembered: set EMSA_STORE_ID, or "
                    "EMSA_KNOWN_STORES to a file that can be written",
                    known.place, known.id);
    return 0;
}
