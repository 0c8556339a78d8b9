#include "tools/hook/wanted.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/name.h"

#define PREFIX "io.emsa."

struct reading {
    struct wanted *wanted;
    struct path path;
    bool is_wrong;
};

/* All that is wrong is told: the first sets this thread's text, the others are added to it. */
__attribute__((format(printf, 2, 3))) static void wrong(struct reading *reading, const char *format,
                                                        ...)
{
    char text[512];
    va_list arguments;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (reading->is_wrong)
        (void)error_add(ERR_INVALID, "%s", text);
    else
        (void)error_set(ERR_INVALID, "%s", text);
    reading->is_wrong = true;
}

static void take_name(struct reading *reading, enum name_kind kind, char *out, const char *name,
                      const char *value)
{
    size_t size = strlen(value);
    if (name_check(kind, value, size) == 0)
        memcpy(out, value, size + 1);
    else
        wrong(reading, "'%.100s' cannot be " PREFIX "%s", value, name);
}

static void take_environment(struct reading *reading, const char *name, const char *value)
{
    take_name(reading, NAME_ENVIRONMENT, reading->path.environment, name, value);
}

static void take_service(struct reading *reading, const char *name, const char *value)
{
    take_name(reading, NAME_SERVICE, reading->path.service, name, value);
}

static void take_directory(struct reading *reading, const char *name, const char *value)
{
    if (value[0] != '/' || value[strspn(value, "/.")] == '\0')
        wrong(reading, "'%.100s' cannot be " PREFIX "%s: it is an absolute path", value, name);
    reading->wanted->directory = value;
}

static void take_layout(struct reading *reading, const char *name, const char *value)
{
    if (strcmp(value, "tree") != 0 && strcmp(value, "flat") != 0)
        wrong(reading, "'%.100s' cannot be " PREFIX "%s: it is tree or flat", value, name);
    (void)json_object_set_new(reading->wanted->parameters, name, json_string(value));
}

static bool number(unsigned long *out, const char *value, int base, unsigned long maximum)
{
    char *end;
    errno = 0;
    *out = strtoul(value, &end, base);
    return value[0] >= '0' && value[0] <= '9' && *end == '\0' && errno == 0 && *out <= maximum;
}

static void take_owner(struct reading *reading, const char *name, const char *value)
{
    unsigned long id;
    if (!number(&id, value, 10, UINT32_MAX - 1))
        wrong(reading, "'%.100s' cannot be " PREFIX "%s: it is a number", value, name);
    else if (strcmp(name, "uid") == 0)
        reading->wanted->uid = (uid_t)id;
    else
        reading->wanted->gid = (gid_t)id;
}

static void take_mode(struct reading *reading, const char *name, const char *value)
{
    unsigned long mode;
    if (!number(&mode, value, 8, 0777))
        wrong(reading, "'%.100s' cannot be " PREFIX "%s: it is octal, as 0440", value, name);
    else
        (void)json_object_set_new(reading->wanted->parameters, name,
                                  json_integer((json_int_t)mode));
}

static void take_revision(struct reading *reading, const char *name, const char *value)
{
    if (value[0] == '\0')
        wrong(reading, "'%s' cannot be " PREFIX "%s: it is a revision's number or a tag", value,
              name);
    (void)json_object_set_new(reading->wanted->parameters, "at", json_string(value));
}

static void take_flag(struct reading *reading, const char *name, const char *value)
{
    if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
        wrong(reading, "'%.100s' cannot be " PREFIX "%s: it is true or false", value, name);
    (void)json_object_set_new(reading->wanted->parameters, name,
                              json_boolean(strcmp(value, "true") == 0));
}

static const struct {
    const char *name; /* behind the prefix; of the last ones as Mount calls the parameter */
    void (*take)(struct reading *reading, const char *name, const char *value);
} table[] = {
    {"environment", take_environment},
    {"service", take_service},
    {"path", take_directory},
    {"layout", take_layout},
    {"uid", take_owner},
    {"gid", take_owner},
    {"mode", take_mode},
    {"rev", take_revision},
    {"history", take_flag},
    {"cache", take_flag},
};

static void take(struct reading *reading, const char *name, const char *value)
{
    for (size_t i = 0; i < sizeof table / sizeof table[0]; i++)
        if (strcmp(table[i].name, name) == 0) {
            table[i].take(reading, name, value != NULL ? value : "");
            return;
        }
    wrong(reading,
          "there is no annotation '" PREFIX "%.100s': there are " PREFIX
          "environment, service, path, "
          "layout, uid, gid, mode, rev, history and cache",
          name);
}

static void finish(struct reading *reading)
{
    char text[PATH_TEXT_MAX];
    if (reading->is_wrong)
        return;
    if (reading->path.environment[0] == '\0' || reading->path.service[0] == '\0')
        wrong(reading, "which view? The annotation '" PREFIX "%s' is missing",
              reading->path.environment[0] == '\0' ? "environment" : "service");
    else if (json_object_set_new(reading->wanted->parameters, "path",
                                 json_string(path_text(&reading->path, text))) < 0)
        wrong(reading, "out of memory");
}

int wanted_read(struct wanted *out, json_t *annotations)
{
    struct reading reading = {.wanted = out};
    const char *name;
    json_t *value;
    bool is_any = false;
    *out = (struct wanted){.parameters = json_object(), .directory = "/env"};
    if (out->parameters == NULL)
        return error_set(ERR_NOMEM, "out of memory");
    json_object_foreach(annotations, name, value)
    {
        if (strncmp(name, PREFIX, strlen(PREFIX)) != 0)
            continue;
        is_any = true;
        take(&reading, name + strlen(PREFIX), json_string_value(value));
    }
    if (!is_any)
        return 1;
    finish(&reading);
    return reading.is_wrong ? -ERR_INVALID : 0;
}

void wanted_release(struct wanted *wanted)
{
    json_decref(wanted->parameters);
    *wanted = (struct wanted){0};
}
