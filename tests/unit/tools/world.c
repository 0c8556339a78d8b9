#include "world.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/change.h"
#include "store/error.h"
#include "store/identity.h"

static int note_published(void *arg, uint64_t rev)
{
    struct world *world = arg;
    world->published = rev;
    return 0;
}

int world_begin(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct identity *identity;
    struct author author = {.name = "test"};
    assert_non_null(world);
    snprintf(world->folder, sizeof world->folder, "/tmp/emsa-world.XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    snprintf(world->path, sizeof world->path, "%s/store", world->folder);
    assert_int_equal(identity_new(&identity), 0);
    assert_int_equal(store_create(world->path, identity, &author), 0);
    struct store_options options = {.path = world->path, .lock_fd = -1};
    assert_int_equal(store_open(&world->store, &options), 0);
    char public_text[IDENTITY_TEXT_MAX];
    identity_public(identity, public_text);
    assert_int_equal(store_unlock(world->store, identity), 0);
    struct service_host host = {.arg = world, .published = note_published};
    assert_int_equal(service_new(&world->dispatcher, world->store, &host), 0);
    service_auditor(world->dispatcher, public_text);
    *state = world;
    return 0;
}

int world_end(void **state)
{
    static const char *const names[] = {"data.mdb", "lock.mdb", "owner.lock", "audit/key",
                                        "audit/record.000001"};
    struct world *world = *state;
    service_free(world->dispatcher);
    store_close(world->store);
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        char path[160];
        snprintf(path, sizeof path, "%s/%s", world->path, names[i]);
        unlink(path);
    }
    char audit[160];
    snprintf(audit, sizeof audit, "%s/audit", world->path);
    rmdir(audit);
    rmdir(world->path);
    rmdir(world->folder);
    free(world);
    return 0;
}

static json_t *parse(char *text)
{
    json_error_t error;
    for (char *at = text; *at != '\0'; at++)
        if (*at == '\'')
            *at = '"';
    json_t *object = json_loads(text, 0, &error);
    if (object == NULL)
        fail_msg("%s in: %s", error.text, text);
    return object;
}

json_t *world_json(const char *format, ...)
{
    char *text;
    va_list arguments;
    va_start(arguments, format);
    assert_true(vasprintf(&text, format, arguments) > 0);
    va_end(arguments);
    json_t *object = parse(text);
    free(text);
    return object;
}

void world_ask(struct world *world, struct call *call, uid_t uid, const char *method,
               json_t *parameters, const char *stream)
{
    int ends[2] = {-1, -1};
    char name[64];
    assert_non_null(parameters);
    snprintf(name, sizeof name, "io.emsa.%s", method);
    if (stream != NULL) {
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], stream, strlen(stream)), strlen(stream));
        close(ends[1]);
    }
    *call = (struct call){.caller = {.uid = uid, .gid = uid, .pid = 7},
                          .method = name,
                          .parameters = parameters,
                          .input = ends[0],
                          .input_deadline = 5000};
    assert_int_equal(service_call(world->dispatcher, call), 0);
    call->method = NULL;
    assert_non_null(call->reply);
    if (ends[0] >= 0)
        close(ends[0]);
    json_decref(parameters);
}

static const char *told(const struct call *call)
{
    return json_string_value(json_object_get(call->reply, "message"));
}

static json_t *reply_of(struct world *world, const char *method, json_t *parameters,
                        const char *stream)
{
    struct call call;
    world_ask(world, &call, 0, method, parameters, stream);
    if (call.error != NULL) {
        char *text = json_dumps(call.reply, 0);
        fail_msg("%s: %s: %s", method, call.error, text);
    }
    json_t *reply = json_incref(call.reply);
    call_release(&call);
    return reply;
}

json_t *world_reply(struct world *world, const char *method, json_t *parameters)
{
    return reply_of(world, method, parameters, NULL);
}

uint64_t world_set(struct world *world, const char *operations, const char *stream)
{
    json_t *reply = reply_of(world, "Set",
                             world_json("{'operations': %s, 'reason': 'why'}", operations), stream);
    uint64_t rev = (uint64_t)json_integer_value(json_object_get(reply, "rev"));
    json_decref(reply);
    assert_int_equal(world->published, rev);
    return rev;
}

void world_fails(struct world *world, const char *method, json_t *parameters, const char *error,
                 const char *words)
{
    struct call call;
    char name[64];
    uint64_t before = store_revision(world->store);
    snprintf(name, sizeof name, "io.emsa.%s", error);
    world_ask(world, &call, 0, method, parameters, NULL);
    if (call.error == NULL)
        fail_msg("%s: not refused, and was to be: %s", method, words);
    char *text = json_dumps(call.reply, 0);
    if (strcmp(call.error, name) != 0 || strstr(text, words) == NULL)
        fail_msg("%s: '%s' with '%s' was expected, and is %s: %s", method, error, words, call.error,
                 text);
    assert_non_null(told(&call));
    free(text);
    call_release(&call);
    assert_int_equal(store_revision(world->store), before);
}

const char *world_member(json_t *object, const char *names)
{
    static char found[4096];
    char copy[256], *rest = copy;
    snprintf(copy, sizeof copy, "%s", names);
    for (char *name; (name = strsep(&rest, ".")) != NULL;)
        object = json_is_array(object) ? json_array_get(object, strtoul(name, NULL, 10))
                                       : json_object_get(object, name);
    found[0] = '\0';
    if (json_is_string(object))
        snprintf(found, sizeof found, "%s", json_string_value(object));
    else if (json_is_integer(object))
        snprintf(found, sizeof found, "%lld", (long long)json_integer_value(object));
    else if (json_is_boolean(object))
        snprintf(found, sizeof found, "%s", json_is_true(object) ? "true" : "false");
    return found;
}

const char *world_members(json_t *list, const char *name)
{
    static char found[4096];
    size_t used = 0, index;
    json_t *object;
    found[0] = '\0';
    assert_true(json_is_array(list));
    json_array_foreach(list, index, object)
    {
        int size = snprintf(found + used, sizeof found - used, "%s%s", index > 0 ? " " : "",
                            world_member(object, name));
        assert_true(size >= 0 && used + (size_t)size < sizeof found);
        used += (size_t)size;
    }
    return found;
}

static void is_told(json_t *reply, const char *names, const char *expected)
{
    const char *star = strstr(names, ".*.");
    char list[64];
    const char *found = "";
    if (star == NULL) {
        found = world_member(reply, names);
    } else {
        snprintf(list, sizeof list, "%.*s", (int)(star - names), names);
        found = world_members(json_object_get(reply, list), star + strlen(".*."));
    }
    if (strcmp(found, expected) != 0)
        fail_msg("%s: '%s' was expected, and is '%s'", names, expected, found);
}

void world_tells(struct world *world, const char *method, json_t *parameters, ...)
{
    json_t *reply = world_reply(world, method, parameters);
    va_list members;
    va_start(members, parameters);
    for (const char *names; (names = va_arg(members, const char *)) != NULL;)
        is_told(reply, names, va_arg(members, const char *));
    va_end(members);
    json_decref(reply);
}
