/* What is defined at some places, in one reply; what was changed there since; and changes that hold
 * only where some places did not change. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/secret.h"
#include "world.h"

#define PASSWORD "correct-horse-battery" /* 21 bytes */

static void fill(struct world *world)
{
    world_set(world,
              "[{'kind': 'environment', 'path': 'all'}, {'kind': 'environment', 'path': 'dev'},"
              " {'kind': 'environment', 'path': 'kid', 'base': 'dev'},"
              " {'kind': 'environment', 'path': 'prod', 'protected': true},"
              " {'kind': 'plain', 'path': 'prod/shared/HOST', 'value': 'db1'},"
              " {'kind': 'secret', 'path': 'prod/web/PASSWORD', 'size': 21},"
              " {'kind': 'share', 'path': 'prod/web/PASSWORD', 'with': 'job'},"
              " {'kind': 'share', 'path': 'prod/web/PASSWORD', 'with': 'api'},"
              " {'kind': 'plain', 'path': 'all/web/FORMAT', 'value': 'json'},"
              " {'kind': 'share', 'path': 'prod/web/FORMAT', 'with': '*'},"
              " {'kind': 'link', 'path': 'prod/web/HOST', 'value': 'shared/HOST'},"
              " {'kind': 'template', 'path': 'prod/web/URL', 'value': '${HOST}!'},"
              " {'kind': 'plain', 'path': 'prod/web/EMPTY', 'value': ''},"
              " {'kind': 'plain', 'path': 'prod/web/ENDS', 'value': 'x', 'ttl': 3600},"
              " {'kind': 'service', 'path': 'dev/web'}]",
              PASSWORD);
}

/* The bytes of all entries. */
static const char *bytes_of(const struct call *call, size_t *size)
{
    static char all[4096];
    *size = 0;
    for (size_t i = 0; i < call->part_count; i++) {
        const struct value_part *part = &call->parts[i];
        const void *data = part->is_secret ? part->secret.data : part->plain.data;
        size_t length = part->is_secret ? part->secret.size : part->plain.size;
        if (length > 0)
            memcpy(all + *size, data, length);
        *size += length;
    }
    all[*size] = '\0';
    return all;
}

static void expect(struct world *world, const char *parameters, const char *paths,
                   const char *bytes)
{
    struct call call;
    size_t size;
    world_ask(world, &call, 0, "Definitions", world_json("%s", parameters), NULL);
    if (call.error != NULL)
        fail_msg("%s", json_string_value(json_object_get(call.reply, "message")));
    assert_string_equal(world_members(json_object_get(call.reply, "entries"), "path"), paths);
    assert_string_equal(bytes_of(&call, &size), bytes);
    call_release(&call);
}

static void told(void **state)
{
    struct world *world = *state;
    fill(world);
    expect(world, "{'paths': ['prod/web']}", "prod/web", "xshared/HOST${HOST}!");
    expect(world, "{'paths': ['prod/web'], 'reveal': true}", "prod/web",
           "xshared/HOST" PASSWORD "${HOST}!");
    expect(world, "{'paths': ['prod']}", "prod/shared prod/web", "db1xshared/HOST${HOST}!");
    expect(world, "{'paths': ['']}", "all/web dev/web prod/shared prod/web",
           "jsondb1xshared/HOST${HOST}!");
    expect(world, "{'paths': ['prod/none', 'none/web', 'dev/web'], 'absent': true}", "dev/web", "");
    expect(world, "{'environments': ['prod', 'none']}", "", "");
    json_t *reply = world_reply(world, "Definitions",
                                world_json("{'paths': ['prod/web'], 'environments': ['kid']}"));
    assert_string_equal(world_member(reply, "entries.0.kinds"), "pplst");
    json_t *names = json_object_get(json_array_get(json_object_get(reply, "entries"), 0), "names");
    char *text = json_dumps(names, JSON_COMPACT);
    assert_string_equal(text, "[\"EMPTY\",\"ENDS\",\"HOST\",\"PASSWORD\",\"URL\"]");
    free(text);
    text =
        json_dumps(json_object_get(json_array_get(json_object_get(reply, "entries"), 0), "sizes"),
                   JSON_COMPACT);
    assert_string_equal(text, "[0,1,11,0,8]");
    free(text);
    text =
        json_dumps(json_object_get(json_array_get(json_object_get(reply, "entries"), 0), "shares"),
                   JSON_COMPACT);
    assert_string_equal(text, "{\"FORMAT\":[\"*\"],\"PASSWORD\":[\"api\",\"job\"]}");
    free(text);
    assert_string_not_equal(world_member(reply, "entries.0.expires.ENDS"), "");
    assert_string_equal(world_member(reply, "environments.prod.protected"), "true");
    assert_string_equal(world_member(reply, "environments.kid.base"), "dev");
    json_decref(reply);
    world_fails(world, "Definitions", world_json("{'paths': ['prod/wbe']}"), "NotFound", "web");
    world_fails(world, "Definitions", world_json("{'paths': ['prod/web/URL']}"), "Invalid", "key");
    world_fails(world, "Definitions", json_object(), "Invalid", "paths");
}

static void changed(struct world *world, const char *paths, uint64_t since, const char *expected)
{
    char all[512] = "";
    size_t index;
    json_t *commit;
    json_t *reply = world_reply(world, "Definitions",
                                world_json("{'paths': [%s], 'absent': true, 'since': %llu}", paths,
                                           (unsigned long long)since));
    json_array_foreach(json_object_get(reply, "changed"), index, commit)
    {
        json_t *list = json_object_get(commit, "paths"), *path;
        size_t at;
        json_array_foreach(list, at, path)
            snprintf(all + strlen(all), sizeof all - strlen(all), "%s ", json_string_value(path));
        assert_string_equal(world_member(commit, "author"), "uid 0 (root)");
        assert_string_equal(world_member(commit, "reason"), "why");
    }
    assert_string_equal(all, expected);
    json_decref(reply);
}

static void since(void **state)
{
    struct world *world = *state;
    fill(world);
    uint64_t first =
        world_set(world, "[{'kind': 'plain', 'path': 'dev/web/A', 'value': '1'}]", NULL);
    changed(world, "'dev/web'", first, "");
    changed(world, "'dev/web'", first - 1, "dev/web/A ");
    changed(world, "'dev'", first - 1, "dev/web/A ");
    changed(world, "''", first - 1, "dev/web/A ");
    changed(world, "'dev/job'", first - 1, "");
    /* what shows otherwise in a service by what was set elsewhere is no change of it */
    world_set(world, "[{'kind': 'plain', 'path': 'prod/shared/HOST', 'value': 'db2'}]", NULL);
    changed(world, "'prod/web'", first, "");
    world_set(world, "[{'kind': 'lock', 'path': 'dev/web'}]", NULL);
    world_set(world, "[{'kind': 'unlock', 'path': 'dev/web'}]", NULL);
    changed(world, "'dev/web'", first, "");
    world_set(world, "[{'kind': 'share', 'path': 'dev/web/A', 'with': '*'}]", NULL);
    world_set(world, "[{'kind': 'remove', 'path': 'dev/web/A'}]", NULL);
    changed(world, "'dev/web', 'prod'", first, "prod/shared/HOST dev/web/A dev/web/A ");
    uint64_t last = world_set(world, "[{'kind': 'environment', 'path': 'late'}]", NULL);
    changed(world, "'late/none'", last - 1, "late ");
    changed(world, "'dev'], 'environments': ['late'", last - 1, "late ");
    world_fails(world, "Definitions", world_json("{'paths': ['dev'], 'since': 99}"), "Conflict",
                "no revision 99");
}

static void only_if(void **state)
{
    struct world *world = *state;
    fill(world);
    uint64_t rev = world_set(world, "[{'kind': 'plain', 'path': 'dev/web/A', 'value': '1'}]", NULL);
    world_set(world, "[{'kind': 'plain', 'path': 'dev/api/B', 'value': '1'}]", NULL);
    const char *operations = "[{'kind': 'plain', 'path': 'dev/web/A', 'value': '2'}]";
    world_fails(world, "Set",
                world_json("{'operations': %s, 'if_rev': %llu, 'if_paths': ['dev/web', 'dev/api']}",
                           operations, (unsigned long long)rev),
                "Conflict", "dev/api");
    world_fails(world, "Set",
                world_json("{'operations': %s, 'if_rev': %llu, 'if_paths': ['dev/web', 7]}",
                           operations, (unsigned long long)rev),
                "Invalid", "path");
    world_fails(world, "Set",
                world_json("{'operations': %s, 'if_rev': %llu, 'if_paths': []}", operations,
                           (unsigned long long)rev),
                "Invalid", "if_paths");
    json_decref(world_reply(
        world, "Set",
        world_json("{'operations': %s, 'if_rev': %llu, 'if_paths': ['dev/web', 'dev/none']}",
                   operations, (unsigned long long)rev)));
    /* one that was taken away meanwhile was changed */
    rev = world_set(world, "[{'kind': 'service', 'path': 'dev/gone'}]", NULL);
    json_decref(world_reply(world, "ServiceRemove", world_json("{'paths': ['dev/gone']}")));
    world_fails(world, "Set",
                world_json("{'operations': %s, 'if_rev': %llu, 'if_paths': ['dev/gone']}",
                           operations, (unsigned long long)rev),
                "Conflict", "dev/gone");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(told, world_begin, world_end),
        cmocka_unit_test_setup_teardown(since, world_begin, world_end),
        cmocka_unit_test_setup_teardown(only_if, world_begin, world_end)};
    if (secret_setup(8u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
