#include "tools/emsad/daemon_mount.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"

static int number(const char *name, const char *text, int base, unsigned long maximum,
                  unsigned long *out)
{
    char *end;
    errno = 0;
    unsigned long value = strtoul(text, &end, base);
    if (errno != 0 || end == text || *end != '\0' || text[0] < '0' || text[0] > '9' ||
        value > maximum)
        return error_set(ERR_INVALID, "'%s' is no number for %s= of --mount", text, name);
    *out = value;
    return 0;
}

static int take_layout(struct view_options *view, const char *value)
{
    if (strcmp(value, "tree") != 0 && strcmp(value, "flat") != 0)
        return error_set(ERR_INVALID, "there is no layout '%s': it is tree or flat", value);
    view->layout = strcmp(value, "flat") == 0 ? LAYOUT_FLAT : LAYOUT_TREE;
    return 0;
}

/* Of files, which can only be read; who may read them may go through the directories. */
static int take_mode(struct view_options *view, const char *value)
{
    unsigned long mode;
    int error = number("mode", value, 8, 0777, &mode);
    if (error < 0)
        return error;
    if (mode == 0 || (mode & ~0444ul) != 0)
        return error_set(ERR_INVALID,
                         "the mode %s will not do: files can only be read, so it is made of 4s "
                         "(0400, 0440, 0444)",
                         value);
    view->file_mode = (uint16_t)mode;
    view->directory_mode = (uint16_t)(mode | mode >> 2);
    return 0;
}

/* Whose; UINT32_MAX is nobody's number. */
static int take_owner(uint32_t *out, bool *is_given, const char *name, const char *value)
{
    unsigned long id;
    int error = number(name, value, 10, UINT32_MAX - 1, &id);
    if (error < 0)
        return error;
    *out = (uint32_t)id;
    *is_given = true;
    return 0;
}

/* A number: tags are in the store, which is opened later, and by another process. */
static int take_revision(struct view_options *view, const char *value)
{
    unsigned long rev;
    int error = number("at", value, 10, INT64_MAX, &rev);
    if (error == 0 && rev == 0)
        error = error_set(ERR_INVALID, "no revision 0 for at= of --mount: the first is 1");
    if (error == 0)
        view->pin = rev;
    return error;
}

static int take_option(struct daemon_mount *mount, char *option)
{
    struct view_options *view = &mount->view;
    char *value = strchr(option, '=');
    if (value != NULL)
        *value++ = '\0';
    if (value != NULL && strcmp(option, "layout") == 0)
        return take_layout(view, value);
    if (value != NULL && strcmp(option, "mode") == 0)
        return take_mode(view, value);
    if (value != NULL && strcmp(option, "at") == 0)
        return take_revision(view, value);
    if (value != NULL && strcmp(option, "uid") == 0)
        return take_owner(&view->uid, &mount->has_uid, option, value);
    if (value != NULL && strcmp(option, "gid") == 0)
        return take_owner(&view->gid, &mount->has_gid, option, value);
    uint8_t *flag = strcmp(option, "history") == 0  ? &view->history
                    : strcmp(option, "masked") == 0 ? &view->masked
                    : strcmp(option, "cache") == 0  ? &view->cache
                    : strcmp(option, "idmap") == 0  ? &view->idmap
                                                    : NULL;
    if (value != NULL || flag == NULL)
        return error_set(
            ERR_INVALID,
            "no option '%s' of --mount: there are layout=, uid=, gid=, mode=, at=, history, "
            "masked, cache and idmap",
            option);
    *flag = 1;
    return 0;
}

/* What stands before the colon; 1: that is a part of a directory's name, and it is all. */
static int take_place(struct view_options *view, const char *text, const char *colon)
{
    struct path path = {0};
    bool is_named = colon != NULL && text[0] != '/' && text[0] != '.';
    int error = is_named ? path_parse(&path, text, (size_t)(colon - text)) : 0;
    if (error == 0)
        error = view_options_of(view, &path);
    return error == 0 && !is_named ? 1 : error;
}

/* "DIR[,OPTION]...", which is cut. */
static int take_rest(struct daemon_mount *mount, char *text)
{
    char *rest = text;
    int error = 0;
    mount->directory = strsep(&rest, ",");
    for (char *option; error == 0 && (option = strsep(&rest, ",")) != NULL;)
        error = take_option(mount, option);
    return error;
}

int daemon_mount_parse(struct daemon_mount *out, const char *text)
{
    char *copy = NULL;
    struct daemon_mount mount = {.directory = text};
    const char *colon = strchr(text, ':');
    int error = take_place(&mount.view, text, colon);
    if (error < 0)
        return error;
    if (error == 0) {
        copy = strdup(colon + 1);
        error = copy == NULL ? error_set(ERR_NOMEM, "no memory for the command line")
                             : take_rest(&mount, copy);
    } else {
        error = 0;
    }
    if (error == 0 && mount.directory[0] == '\0')
        error = error_set(ERR_INVALID, "no directory in '%s' of --mount", text);
    if (error == 0 && mount.view.layout == LAYOUT_FLAT && mount.view.extent == VIEW_ALL)
        error = error_set(ERR_INVALID, "the whole tree has no flat layout: '%s'", text);
    if (error < 0)
        free(copy);
    else
        *out = mount;
    return error;
}
