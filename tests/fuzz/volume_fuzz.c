/* A request of docker or podman, and what a server says to it: whatever comes, there is a reply in
 * JSON; it is a success or says why not; and no success is without an absolute mountpoint. The
 * input is a path, a newline, a body, an empty line, and a varlink reply. */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tests/fuzz/target.h"
#include "tools/volume/reply.h"
#include "tools/volume/request.h"

#define PATH_SIZE 256

static void must(int holds)
{
    if (!holds)
        abort();
}

static void is_mountpoint(const json_t *object)
{
    const char *path = json_string_value(json_object_get(object, "Mountpoint"));
    must(path != NULL && path[0] == '/');
}

static void check_success(enum request_kind kind, const json_t *told)
{
    const json_t *each;
    size_t i;
    if (kind == REQUEST_MOUNT || kind == REQUEST_PATH)
        is_mountpoint(told);
    if (kind == REQUEST_GET)
        is_mountpoint(json_object_get(told, "Volume"));
    if (kind != REQUEST_LIST)
        return;
    must(json_is_array(json_object_get(told, "Volumes")));
    json_array_foreach(json_object_get(told, "Volumes"), i, each) is_mountpoint(each);
}

static void check_reply(struct reply *reply, enum request_kind kind)
{
    const char *text = reply_text(reply);
    must(strlen(text) > 0 && text[strlen(text) - 1] == '\n');
    json_t *told = json_loads(text, JSON_REJECT_DUPLICATES, NULL);
    const char *err = json_string_value(json_object_get(told, "Err"));
    must(err != NULL && (reply->status == REPLY_DONE || reply->status == REPLY_FAILED));
    must((reply->status == REPLY_DONE) == (err[0] == '\0'));
    if (reply->status == REPLY_DONE)
        check_success(kind, told);
    json_decref(told);
    reply_release(reply);
}

static int is_number(const json_t *value, json_int_t maximum)
{
    return value == NULL || (json_is_integer(value) && json_integer_value(value) >= 0 &&
                             json_integer_value(value) <= maximum);
}

static int is_text(const json_t *value)
{
    return value == NULL || json_string_length(value) > 0;
}

/* Of what there is, and nothing else: what does not say its place, or says more, was refused. */
static void check_options(const json_t *options)
{
    static const char *const known[] = {"path", "layout", "uid",     "gid",
                                        "mode", "at",     "history", "idmap"};
    size_t count = 0;
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        count += json_object_get(options, known[i]) != NULL;
    const char *path = json_string_value(json_object_get(options, "path"));
    const char *slash = path == NULL ? NULL : strchr(path, '/');
    must(json_object_size(options) == count);
    must(slash != NULL && slash > path && slash[1] != '\0' && strchr(slash + 1, '/') == NULL);
    must(is_number(json_object_get(options, "uid"), 4294967294));
    must(is_number(json_object_get(options, "gid"), 4294967294));
    must(is_number(json_object_get(options, "mode"), 0777));
    must(is_text(json_object_get(options, "at")) && is_text(json_object_get(options, "layout")));
}

/* What the server is asked: a name that is one of a folder, and a call that can be written. */
static void check_request(const struct request *request)
{
    static const char hostile[] = "/\\ \n";
    const char *name = json_string_value(json_object_get(request->parameters, "name"));
    must((request->method == NULL) == (request->parameters == NULL));
    must(name != NULL || request->kind == REQUEST_LIST || request->parameters == NULL);
    if (name != NULL)
        must(name[0] != '.' && strcspn(name, hostile) == strlen(name) && strlen(name) <= 128);
    if (request->kind == REQUEST_CREATE)
        check_options(json_object_get(request->parameters, "options"));
    if (request->parameters == NULL)
        return;
    char *text = json_dumps(request->parameters, 0);
    must(text != NULL);
    free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const uint8_t nothing;
    char path[PATH_SIZE];
    const uint8_t *line = size == 0 ? NULL : memchr(data, '\n', size);
    size_t length = line == NULL ? size : (size_t)(line - data);
    if (line == NULL || length >= sizeof path || memchr(data, '\0', length) != NULL)
        return 0;
    memcpy(path, data, length);
    path[length] = '\0';
    const uint8_t *body = line + 1;
    size_t rest = size - length - 1;
    const uint8_t *gap = rest == 0 ? NULL : memmem(body, rest, "\n\n", 2);
    size_t body_size = gap == NULL ? rest : (size_t)(gap - body);
    struct request request;
    struct reply reply;
    error_clear();
    if (request_read(&request, path, body_size > 0 ? body : &nothing, body_size) < 0) {
        must(error_text()[0] != '\0');
        reply_fail(&reply, error_text());
        check_reply(&reply, REQUEST_ACTIVATE);
        return 0;
    }
    check_request(&request);
    json_t *said = gap == NULL || rest == body_size + 2
                       ? NULL
                       : json_loadb((const char *)gap + 2, rest - body_size - 2, 0, NULL);
    for (int is_repeated = 0; is_repeated < 2; is_repeated++) {
        reply_make(&reply, &request, said, is_repeated);
        check_reply(&reply, request.kind);
    }
    json_decref(said);
    request_release(&request);
    return 0;
}
