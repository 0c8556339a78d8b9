#include "tools/volume/reply.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "store/encode.h"
#include "store/error.h"
#include "tools/common/json_text.h"

#define NO_MEMORY "{\"Err\": \"the volume plugin is out of memory: try again\"}\n"
#define NOT_FOUND "io.emsa.NotFound"
#define NANOSECONDS 1000000000

static int unexpected(const char *what)
{
    return error_set(
        ERR_IO, "the server's answer has no %s: is it of another version? see 'emsa status'", what);
}

/* Members of what the server said; NULL, and the failure is told, where one is not as it must be.
 */

static const char *mountpoint_of(const json_t *said)
{
    const char *path = json_string_value(json_object_get(said, "mountpoint"));
    if (path != NULL && path[0] == '/')
        return path;
    (void)unexpected("absolute mountpoint");
    return NULL;
}

static const char *name_of(const json_t *said)
{
    const char *name = json_string_value(json_object_get(said, "name"));
    if (name != NULL && name[0] != '\0')
        return name;
    (void)unexpected("name");
    return NULL;
}

/* As Go reads it; a time that is none is left out. */
static int add_created(json_t *volume, const json_t *said)
{
    const json_t *created = json_object_get(said, "created");
    time_t seconds = (time_t)(json_integer_value(created) / NANOSECONDS);
    struct tm parts;
    char text[32];
    if (!json_is_integer(created) || seconds < 0 || gmtime_r(&seconds, &parts) == NULL ||
        parts.tm_year > 9999 - 1900 ||
        strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) == 0)
        return 0;
    return json_object_set_new(volume, "CreatedAt", json_string(text));
}

/* NULL: it is told what is wrong, or there is no memory. */
static json_t *listed(const json_t *said)
{
    const char *name = name_of(said), *path = name == NULL ? NULL : mountpoint_of(said);
    if (path == NULL)
        return NULL;
    json_t *volume = json_pack("{s:s, s:s}", "Name", name, "Mountpoint", path);
    if (volume != NULL && add_created(volume, said) == 0)
        return volume;
    json_decref(volume);
    return NULL;
}

/* What the members of the reply are. */

static json_t *say_nothing(const json_t *said)
{
    (void)said;
    return json_object();
}

static json_t *say_activate(const json_t *said)
{
    (void)said;
    return json_pack("{s:[s]}", "Implements", "VolumeDriver");
}

static json_t *say_capabilities(const json_t *said)
{
    (void)said;
    return json_pack("{s:{s:s}}", "Capabilities", "Scope", "local");
}

static json_t *say_mountpoint(const json_t *said)
{
    const char *path = mountpoint_of(said);
    return path == NULL ? NULL : json_pack("{s:s}", "Mountpoint", path);
}

static json_t *say_volume(const json_t *said)
{
    const json_t *given = json_object_get(said, "volume");
    json_t *volume = listed(given), *options = json_object_get(given, "options");
    if (volume == NULL)
        return NULL;
    json_t *status = json_is_object(options) ? json_incref(options) : json_object();
    return json_object_set_new(volume, "Status", status) < 0 ? (json_decref(volume), NULL)
                                                             : json_pack("{s:o}", "Volume", volume);
}

static json_t *say_list(const json_t *said)
{
    const json_t *given = json_object_get(said, "volumes");
    json_t *volumes = json_array(), *each;
    size_t i;
    if (!json_is_array(given)) {
        json_decref(volumes);
        (void)unexpected("volumes");
        return NULL;
    }
    json_array_foreach(given, i, each)
    {
        if (json_array_append_new(volumes, listed(each)) < 0) {
            json_decref(volumes);
            return NULL;
        }
    }
    return json_pack("{s:o}", "Volumes", volumes);
}

/* By enum request_kind. */
static json_t *(*const says[])(const json_t *said) = {
    [REQUEST_ACTIVATE] = say_activate, [REQUEST_CAPABILITIES] = say_capabilities,
    [REQUEST_CREATE] = say_nothing,    [REQUEST_GET] = say_volume,
    [REQUEST_LIST] = say_list,         [REQUEST_REMOVE] = say_nothing,
    [REQUEST_MOUNT] = say_mountpoint,  [REQUEST_UNMOUNT] = say_nothing,
    [REQUEST_PATH] = say_mountpoint,
};

/* Takes the members over; NULL: there was no memory for them. */
static void finish(struct reply *out, unsigned status, json_t *members, const char *err)
{
    *out = (struct reply){.status = REPLY_FAILED};
    if (members == NULL || json_object_set_new(members, "Err", json_string(err)) < 0) {
        json_decref(members);
        return;
    }
    if (json_text(&out->text, members, JSON_COMPACT, "\n") == 0)
        out->status = status;
    json_decref(members);
}

/* Of a terminal: ASCII's, and U+0080 to U+009F. */
static bool is_control(const unsigned char *at)
{
    return at[0] < ' ' || at[0] == 0x7f || (at[0] == 0xc2 && at[1] < 0xa0);
}

/* One character of a message, as a line of JSON can have it: a text of a client's may be cut in the
 * midst of one, and is not to move somebody's cursor. */
static size_t put_character(char *line, const char *at, size_t *taken)
{
    bool is_good;
    *taken = utf8_next((const unsigned char *)at, strlen(at), &is_good);
    if (*at == '\n') {
        memcpy(line, "; ", 2);
        return 2;
    }
    if (!is_good || is_control((const unsigned char *)at)) {
        *line = '?';
        return 1;
    }
    memcpy(line, at, *taken);
    return *taken;
}

void reply_fail(struct reply *out, const char *text)
{
    char line[ERROR_TEXT_MAX * 2];
    size_t used = 0, taken;
    for (const char *at = text; *at != '\0' && used < sizeof line - 4; at += taken)
        used += put_character(line + used, at, &taken);
    line[used] = '\0';
    finish(out, REPLY_FAILED, json_object(),
           used > 0 ? line : "it failed, and nothing was said of why");
}

/* The message and its reasons, as error_text has them. */
static void tell_failure(struct reply *out, const json_t *said)
{
    json_t *parameters = json_object_get(said, "parameters");
    const json_t *message = json_object_get(parameters, "message"), *reason;
    size_t i;
    (void)error_set(ERR_IO, "%s",
                    json_is_string(message) ? json_string_value(message)
                                            : json_string_value(json_object_get(said, "error")));
    json_array_foreach(json_object_get(parameters, "reasons"), i,
                       reason) if (json_is_string(reason))(void)
        error_add(ERR_IO, "%s", json_string_value(reason));
    reply_fail(out, error_text());
}

static bool is_called(const struct request *request)
{
    return request->kind != REQUEST_ACTIVATE && request->kind != REQUEST_CAPABILITIES;
}

void reply_make(struct reply *out, const struct request *request, const json_t *said,
                bool is_repeated)
{
    const char *error = json_string_value(json_object_get(said, "error"));
    bool is_gone = is_repeated && request->kind == REQUEST_REMOVE && error != NULL &&
                   strcmp(error, NOT_FOUND) == 0; /* as it was to be */
    if (is_gone) {
        finish(out, REPLY_DONE, json_object(), "");
        return;
    }
    if (error != NULL) {
        tell_failure(out, said);
        return;
    }
    const json_t *parameters = json_object_get(said, "parameters");
    json_t *members = NULL;
    error_clear();
    if (is_called(request) && !json_is_object(parameters))
        (void)unexpected("parameters");
    else
        members = says[request->kind](parameters);
    if (members == NULL && error_text()[0] != '\0')
        reply_fail(out, error_text());
    else
        finish(out, REPLY_DONE, members, "");
}

const char *reply_text(const struct reply *reply)
{
    return reply->text != NULL ? reply->text : NO_MEMORY;
}

void reply_release(struct reply *reply)
{
    free(reply->text);
    reply->text = NULL;
}
