#include "tools/volume/options.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"

#define ID_MAX 4294967294L /* 4294967295 is nobody's: chown takes it for "as it was" */
#define MODE_MAX 0777L

struct wanted {
    const char *environment, *service; /* NULL: not given; borrowed */
    json_t *options;                   /* what was made of the others */
};

static int keep(struct wanted *wanted, const char *name, json_t *value)
{
    return json_object_set_new(wanted->options, name, value) < 0
               ? error_set(ERR_NOMEM, "cannot take an option: out of memory")
               : 0;
}

static int take_environment(struct wanted *wanted, const char *name, const char *value)
{
    (void)name;
    wanted->environment = value;
    return 0;
}

static int take_service(struct wanted *wanted, const char *name, const char *value)
{
    (void)name;
    wanted->service = value;
    return 0;
}

static int take_layout(struct wanted *wanted, const char *name, const char *value)
{
    if (strcmp(value, "tree") != 0 && strcmp(value, "flat") != 0)
        return error_set(ERR_INVALID,
                         "option '%s' is tree (ENVIRONMENT/SERVICE/KEY) or flat (KEY), not '%s'",
                         name, value);
    return keep(wanted, name, json_string(value));
}

/* Digits of the base and nothing else: no sign, no blank. */
static int number(long *out, const char *value, int base, long maximum)
{
    char *end;
    errno = 0;
    long read = strtol(value, &end, base);
    if (value[0] < '0' || value[0] > '9' || *end != '\0' || errno != 0 || read > maximum)
        return 1;
    *out = read;
    return 0;
}

static int take_id(struct wanted *wanted, const char *name, const char *value)
{
    long id;
    if (number(&id, value, 10, ID_MAX) != 0)
        return error_set(ERR_INVALID, "option '%s' is a number from 0 to %ld, not '%s'", name,
                         ID_MAX, value);
    return keep(wanted, name, json_integer(id));
}

static int take_mode(struct wanted *wanted, const char *name, const char *value)
{
    long mode;
    if (number(&mode, value, 8, MODE_MAX) != 0)
        return error_set(ERR_INVALID,
                         "option '%s' is the mode of files in octal, as 0400 or 0444, not '%s'",
                         name, value);
    return keep(wanted, name, json_integer(mode));
}

static int take_revision(struct wanted *wanted, const char *name, const char *value)
{
    if (value[0] == '\0')
        return error_set(ERR_INVALID, "option '%s' is a revision's number or a tag", name);
    return keep(wanted, "at", json_string(value));
}

static int take_flag(struct wanted *wanted, const char *name, const char *value)
{
    if (strcmp(value, "false") == 0)
        return 0; /* as if it was not given: equal options are the same volume */
    if (value[0] != '\0' && strcmp(value, "true") != 0)
        return error_set(ERR_INVALID, "option '%s' is true or false, not '%s'", name, value);
    return keep(wanted, name, json_true());
}

static int tolerate(struct wanted *wanted, const char *name, const char *value)
{
    (void)wanted, (void)name, (void)value;
    return 0;
}

static const struct {
    const char *name;
    int (*take)(struct wanted *wanted, const char *name, const char *value);
} table[] = {
    {"environment", take_environment},
    {"service", take_service},
    {"layout", take_layout},
    {"uid", take_id},
    {"gid", take_id},
    {"mode", take_mode},
    {"rev", take_revision},
    {"history", take_flag},
    {"idmap", take_flag},
    {"nocopy", tolerate},
    {"timeout", tolerate},
};

static int take(struct wanted *wanted, const char *name, const json_t *value)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++) {
        if (strcmp(table[i].name, name) != 0)
            continue;
        if (table[i].take == tolerate)
            return 0;
        if (!json_is_string(value))
            return error_set(ERR_INVALID, "the value of option '%s' is no text", name);
        return table[i].take(wanted, name, json_string_value(value));
    }
    return error_set(ERR_INVALID,
                     "there is no option '%.64s': a volume of emsa has environment and service, "
                     "and may have layout, uid, gid, mode, rev, history, idmap, "
                     "nocopy, timeout",
                     name);
}

static int take_all(struct wanted *wanted, json_t *opts)
{
    const char *name;
    json_t *value;
    int error = 0;
    json_object_foreach(opts, name, value)
    {
        error = take(wanted, name, value);
        if (error < 0)
            return error;
    }
    return 0;
}

static int take_place(struct wanted *wanted)
{
    static const char needed[] =
        "option '%s' is missing: a volume shows one service, as -o environment=prod -o "
        "service=billing";
    struct path path;
    char text[PATH_TEXT_MAX];
    if (wanted->environment == NULL)
        return error_set(ERR_INVALID, needed, "environment");
    if (wanted->service == NULL)
        return error_set(ERR_INVALID, needed, "service");
    int error = name_check(NAME_ENVIRONMENT, wanted->environment, strlen(wanted->environment));
    if (error == 0)
        error = name_check(NAME_SERVICE, wanted->service, strlen(wanted->service));
    if (error == 0)
        error = path_make(&path, wanted->environment, wanted->service, NULL);
    return error == 0 ? keep(wanted, "path", json_string(path_text(&path, text))) : error;
}

int options_read(json_t **out, json_t *opts)
{
    struct wanted wanted = {.options = json_object()};
    int error = 0;
    if (wanted.options == NULL)
        error = error_set(ERR_NOMEM, "cannot take options: out of memory");
    else if (opts != NULL && !json_is_object(opts) && !json_is_null(opts))
        error = error_set(ERR_INVALID, "'Opts' is no object");
    else if (json_is_object(opts))
        error = take_all(&wanted, opts);
    if (error == 0)
        error = take_place(&wanted);
    if (error < 0)
        json_decref(wanted.options);
    else
        *out = wanted.options;
    return error;
}
