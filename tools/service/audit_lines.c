/* The audit record, read: its lines as objects, with names for ids. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/error.h"
#include "store/identity.h"
#include "tools/service/parameter.h"
#include "tools/service/verb.h"

#define LINES_MAX 1000u /* of one piece */
#define FIELD_MAX 1024u
#define STAMP_MAX 40u

struct reading {
    struct snapshot *snapshot;
    struct path path; /* only what is at or beneath it */
    bool has_path, has_uid;
    const char *identity; /* only what was done as it, by its name; NULL: all. Borrowed */
    uint64_t uid, from, limit;
    char since[STAMP_MAX]; /* as lines have it: such texts compare as times do; "": all */
    uint64_t at;           /* lines of the record so far */
    json_t *lines;
    bool more;
};

static bool number_of(uint64_t *out, const char *line, size_t size, const char *name)
{
    char text[24];
    if (!audit_line_field(line, size, name, text, sizeof text))
        return false;
    *out = strtoull(text, NULL, 10);
    return true;
}

/* What ids are called, also of what is not there any more. False: they are not known. */
static bool name_place(struct snapshot *snapshot, struct path *out, const char *line, size_t size)
{
    uint64_t environment, service = 0, name = 0;
    uint32_t of_name;
    *out = (struct path){0};
    if (!number_of(&environment, line, size, "environment") ||
        snapshot_environment_name(snapshot, out->environment, (uint32_t)environment) != 0)
        return false;
    if (number_of(&name, line, size, "name")) {
        if (snapshot_name(snapshot, &of_name, out->key, name) != 0)
            return false;
        service = of_name;
    } else if (!number_of(&service, line, size, "service")) {
        return true;
    }
    return snapshot_service_name(snapshot, out->service, (uint32_t)service) == 0;
}

/* Whose path is told as it was written down ("path"), or by its ids. */
static bool place_of(struct snapshot *snapshot, char text[static PATH_TEXT_MAX], const char *line,
                     size_t size)
{
    struct path path;
    if (audit_line_field(line, size, "path", text, PATH_TEXT_MAX))
        return true;
    if (!name_place(snapshot, &path, line, size))
        return false;
    path_text(&path, text);
    return true;
}

static bool is_beneath(const char *text, const struct path *path)
{
    char above[PATH_TEXT_MAX];
    size_t length = strlen(path_text(path, above));
    return strncmp(text, above, length) == 0 && (text[length] == '\0' || text[length] == '/');
}

static void add_number(json_t *object, const char *line, size_t size, const char *name)
{
    uint64_t value;
    if (number_of(&value, line, size, name))
        json_object_set_new(object, name, json_integer((json_int_t)value));
}

/* jansson makes no string of what is not UTF-8; what a process is called may be anything. */
static void add_text(json_t *object, const char *line, size_t size, const char *name)
{
    char text[FIELD_MAX];
    if (!audit_line_field(line, size, name, text, sizeof text))
        return;
    json_t *value = json_string(text);
    for (char *at = text; value == NULL && *at != '\0'; at++)
        if ((unsigned char)*at >= 0x80)
            *at = '?';
    json_object_set_new(object, name, value != NULL ? value : json_string(text));
}

static json_t *object_of(const char *path, const char *line, size_t size)
{
    static const char *const numbers[] = {"n", "uid", "pid", "view", "rev", "count"};
    static const char *const texts[] = {"time",    "event",  "door",      "method",
                                        "program", "cgroup", "container", "identity",
                                        "auditor", "hash",   "since",     "as"};
    json_t *object = json_object();
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++)
        add_number(object, line, size, numbers[i]);
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++)
        add_text(object, line, size, texts[i]);
    if (path != NULL)
        json_object_set_new(object, "path", json_string(path));
    return object;
}

static bool is_by_whom(const struct reading *reading, const char *line, size_t size)
{
    uint64_t uid;
    char name[PRINCIPAL_NAME_MAX + 1];
    if (reading->has_uid && (!number_of(&uid, line, size, "uid") || uid != reading->uid))
        return false;
    return reading->identity == NULL || (audit_line_field(line, size, "as", name, sizeof name) &&
                                         strcmp(name, reading->identity) == 0);
}

static int read_line(void *arg, const char *line, size_t size)
{
    struct reading *reading = arg;
    char path[PATH_TEXT_MAX], time[STAMP_MAX] = "";
    if (reading->at++ < reading->from || !is_by_whom(reading, line, size))
        return 0;
    (void)audit_line_field(line, size, "time", time, sizeof time);
    if (strcmp(time, reading->since) < 0)
        return 0;
    bool has_place = place_of(reading->snapshot, path, line, size);
    if (reading->has_path && (!has_place || !is_beneath(path, &reading->path)))
        return 0;
    if (json_array_size(reading->lines) == reading->limit) {
        reading->at--;
        reading->more = true;
        return 1;
    }
    json_array_append_new(reading->lines, object_of(has_place ? path : NULL, line, size));
    return 0;
}

static void stamp(char out[static STAMP_MAX], int64_t nanoseconds)
{
    struct tm parts;
    time_t seconds = (time_t)(nanoseconds / 1000000000);
    char text[STAMP_MAX - 16];
    if (gmtime_r(&seconds, &parts) != NULL &&
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts) > 0)
        (void)snprintf(out, STAMP_MAX, "%s.%06dZ", text,
                       (int)(nanoseconds % 1000000000 / 1000) % 1000000);
}

static int read_parameters(struct reading *reading, json_t *parameters)
{
    uint64_t since = 0;
    bool has_since = false;
    int error = parameter_path(parameters, "path", &reading->path);
    if (error == 0)
        error = parameter_number(parameters, "uid", &reading->uid, &reading->has_uid);
    if (error == 0)
        error = parameter_text(parameters, "identity", &reading->identity);
    if (error == 0)
        error = parameter_number(parameters, "since", &since, &has_since);
    if (error == 0)
        error = parameter_number(parameters, "from", &reading->from, NULL);
    if (error == 0)
        error = parameter_number(parameters, "limit", &reading->limit, NULL);
    if (reading->limit == 0 || reading->limit > LINES_MAX)
        reading->limit = LINES_MAX;
    reading->has_path = path_depth(&reading->path) != PATH_ROOT;
    if (has_since)
        stamp(reading->since, (int64_t)since);
    return error;
}

int verb_audit(struct request *request)
{
    struct reading reading = {.limit = LINES_MAX};
    int error = read_parameters(&reading, request->call->parameters);
    if (error == 0)
        error = request_snapshot(request, &reading.snapshot);
    if (error < 0)
        return error;
    reading.lines = json_array();
    error = audit_record_read(store_path(request->service->store), read_line, &reading);
    if (error < 0 && error != -ERR_NOT_FOUND) { /* none was begun: nothing was audited yet */
        json_decref(reading.lines);
        return error;
    }
    request->call->reply =
        json_pack("{s:o, s:b, s:I}", "lines", reading.lines, "more", (int)reading.more, "next",
                  (json_int_t)(reading.at > reading.from ? reading.at : reading.from));
    return 0;
}

int verb_audit_auditor(struct request *request)
{
    struct audit_event event = {.kind = AUDIT_AUDITOR};
    unsigned char x25519[32], ed25519[32];
    const char *text = NULL;
    int error = parameter_text(request->call->parameters, "identity", &text);
    if (error < 0)
        return error;
    if (text == NULL || identity_public_parse(x25519, ed25519, text, strlen(text)) < 0)
        return error_set(ERR_INVALID, "'%s' is no public identity: 'emsa1' and 128 hex digits",
                         text != NULL ? text : "");
    (void)snprintf(event.text, sizeof event.text, "%s", text);
    (void)audit_event_add(request->service, &request->call->caller, &event);
    request->call->reply = json_object();
    return 0;
}
