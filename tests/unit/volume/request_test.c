/* What docker and podman send, as it was recorded, and what they never would. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/volume/request.h"

#define ID "2f73349cfc4630255319c6c8dfc1b46a8996ace9d14d8e07563b165915918ec2"

struct example {
    const char *path, *body;
    const char *method, *parameters; /* NULL: none */
};

static const struct example examples[] = {
    {"/Plugin.Activate", "", NULL, NULL},
    {"/Plugin.Activate", "whatever", NULL, NULL},
    {"/VolumeDriver.Capabilities", "{}\n", NULL, NULL},
    {"/VolumeDriver.Capabilities", "", NULL, NULL},
    {"/VolumeDriver.List", "", "io.emsa.VolumeList", "{}"},
    {"/VolumeDriver.List", "{}\n", "io.emsa.VolumeList", "{}"},
    {"/VolumeDriver.Get", "{\"Name\":\"bill\"}", "io.emsa.VolumeGet", "{\"name\":\"bill\"}"},
    {"/VolumeDriver.Get", "{\"Name\":\"app_env-1.x\"}\n", "io.emsa.VolumeGet",
     "{\"name\":\"app_env-1.x\"}"},
    {"/VolumeDriver.Remove", "{\"Name\":\"bill\"}", "io.emsa.VolumeRemove", "{\"name\":\"bill\"}"},
    {"/VolumeDriver.Path", "{\"Name\":\"bill\"}", "io.emsa.VolumePath", "{\"name\":\"bill\"}"},
    {"/VolumeDriver.Mount", "{\"Name\":\"bill\",\"ID\":\"" ID "\"}", "io.emsa.VolumeMount",
     "{\"name\":\"bill\",\"id\":\"" ID "\"}"},
    {"/VolumeDriver.Mount", "{\"Name\":\"bill\"}", "io.emsa.VolumeMount",
     "{\"name\":\"bill\",\"id\":\"\"}"},
    {"/VolumeDriver.Mount", "{\"Name\":\"bill\",\"ID\":null}", "io.emsa.VolumeMount",
     "{\"name\":\"bill\",\"id\":\"\"}"},
    {"/VolumeDriver.Unmount", "{\"Name\":\"bill\",\"ID\":\"" ID "\"}\n", "io.emsa.VolumeUnmount",
     "{\"name\":\"bill\",\"id\":\"" ID "\"}"},
    {"/VolumeDriver.Create",
     "{\"Name\":\"bill\",\"Opts\":{\"environment\":\"prod\",\"service\":\"billing\"}}",
     "io.emsa.VolumeCreate", "{\"name\":\"bill\",\"options\":{\"path\":\"prod/billing\"}}"},
    {"/VolumeDriver.Create",
     "{\"Name\":\"b\",\"Opts\":{\"environment\":\"prod\",\"service\":\"billing\",\"layout\":"
     "\"flat\",\"uid\":\"1000\",\"gid\":\"0\",\"mode\":\"0400\",\"rev\":\"v1.2\",\"history\":"
     "\"true\",\"nocopy\":\"\",\"timeout\":\"20\"}}",
     "io.emsa.VolumeCreate",
     "{\"name\":\"b\",\"options\":{\"path\":\"prod/billing\",\"layout\":\"flat\",\"uid\":1000,"
     "\"gid\":0,\"mode\":256,\"at\":\"v1.2\",\"history\":true}}"},
    {"/VolumeDriver.Create",
     "{\"Name\":\"b\",\"Opts\":{\"environment\":\"prod\",\"service\":\"web\",\"history\":\"\","
     "\"nocopy\":\"true\",\"uid\":\"4294967294\",\"mode\":\"777\",\"layout\":\"tree\"}}",
     "io.emsa.VolumeCreate",
     "{\"name\":\"b\",\"options\":{\"path\":\"prod/web\",\"history\":true,\"uid\":4294967294,"
     "\"mode\":511,\"layout\":\"tree\"}}"},
    {"/VolumeDriver.Create",
     "{\"Name\":\"b\",\"Opts\":{\"environment\":\"prod\",\"service\":\"web\",\"history\":\"false\","
     "\"nocopy\":true,\"timeout\":5}}",
     "io.emsa.VolumeCreate", "{\"name\":\"b\",\"options\":{\"path\":\"prod/web\"}}"},
    {"/VolumeDriver.Create",
     "{\"Name\":\"b\",\"Opts\":{\"environment\":\"prod\",\"service\":\"web\"},\"More\":[1]}",
     "io.emsa.VolumeCreate", "{\"name\":\"b\",\"options\":{\"path\":\"prod/web\"}}"},
};

static void are_read(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        const struct example *example = &examples[i];
        struct request request;
        int error = request_read(&request, example->path, example->body, strlen(example->body));
        if (error < 0)
            fail_msg("%s %s: %s", example->path, example->body, error_text());
        if (example->method == NULL) {
            assert_null(request.method);
            assert_null(request.parameters);
        } else {
            json_t *expected = json_loads(example->parameters, 0, NULL);
            assert_string_equal(request.method, example->method);
            if (!json_equal(request.parameters, expected))
                fail_msg("%s: %s", example->body, json_dumps(request.parameters, JSON_COMPACT));
            json_decref(expected);
        }
        request_release(&request);
    }
}

struct wrong {
    const char *path, *body, *words;
};

#define OPTS(text)                                                                                 \
    "{\"Name\":\"b\",\"Opts\":{\"environment\":\"prod\",\"service\":\"web\"," text "}}"

static const struct wrong wrongs[] = {
    {"/VolumeDriver.Destroy", "{}", "'/VolumeDriver.Destroy' is no request"},
    {"/", "", "'/' is no request"},
    {"/volumedriver.get", "{\"Name\":\"b\"}", "is no request"},
    {"/VolumeDriver.Get", "", "'Name' is missing"},
    {"/VolumeDriver.Get", "{}", "'Name' is missing"},
    {"/VolumeDriver.Get", "{\"Name\":7}", "'Name' is missing"},
    {"/VolumeDriver.Get", "{\"Name\":\"\"}", "is no name"},
    {"/VolumeDriver.Get", "{\"Name\":\"..\"}", "is no name"},
    {"/VolumeDriver.Get", "{\"Name\":\"a/b\"}", "is no name"},
    {"/VolumeDriver.Get", "{\"Name\":\"a b\"}", "is no name"},
    {"/VolumeDriver.Get", "{\"Name\":\"\\u00e4\"}", "is no name"},
    {"/VolumeDriver.Get", "{\"Name\":\"a\\u0000b\"}", "no JSON"},
    {"/VolumeDriver.Get", "{\"Name\":\"a\",\"Name\":\"b\"}", "duplicate"},
    {"/VolumeDriver.Get", "{\"Name\":\"b\"", "no JSON"},
    {"/VolumeDriver.Get", "{\"Name\":\"b\"}{}", "no JSON"},
    {"/VolumeDriver.Get", "[]", "no JSON object"},
    {"/VolumeDriver.List", "[]", "no JSON object"},
    {"/VolumeDriver.List", "x", "no JSON"},
    {"/VolumeDriver.Mount", "{\"Name\":\"b\",\"ID\":7}", "'ID' is no text"},
    {"/VolumeDriver.Create", "{\"Name\":\"b\"}", "'environment' is missing"},
    {"/VolumeDriver.Create", "{\"Name\":\"b\",\"Opts\":null}", "'environment' is missing"},
    {"/VolumeDriver.Create", "{\"Name\":\"b\",\"Opts\":[]}", "'Opts' is no object"},
    {"/VolumeDriver.Create", "{\"Name\":\"b\",\"Opts\":{\"environment\":\"prod\"}}",
     "'service' is missing: a volume shows one service, as -o environment="},
    {"/VolumeDriver.Create",
     "{\"Name\":\"b\",\"Opts\":{\"environment\":\"p/q\",\"service\":\"w\"}}", "p/q"},
    {"/VolumeDriver.Create", "{\"Name\":\"b\",\"Opts\":{\"environment\":\"p\",\"service\":\"..\"}}",
     ".."},
    {"/VolumeDriver.Create", "{\"Name\":\"b\",\"Opts\":{\"environment\":\"\",\"service\":\"w\"}}",
     "name"},
    {"/VolumeDriver.Create", OPTS("\"servcie\":\"x\""),
     "no option 'servcie': a volume of emsa has environment and service, and may have layout, uid, "
     "gid, mode, rev, history, idmap, nocopy, timeout"},
    {"/VolumeDriver.Create", OPTS("\"Mode\":\"0400\""), "no option 'Mode'"},
    {"/VolumeDriver.Create", OPTS("\"layout\":\"round\""), "tree"},
    {"/VolumeDriver.Create", OPTS("\"layout\":7"), "'layout' is no text"},
    {"/VolumeDriver.Create", OPTS("\"uid\":\"-1\""), "'uid' is a number from 0 to 4294967294"},
    {"/VolumeDriver.Create", OPTS("\"uid\":\"4294967295\""), "'uid' is a number"},
    {"/VolumeDriver.Create", OPTS("\"gid\":\" 1\""), "'gid' is a number"},
    {"/VolumeDriver.Create", OPTS("\"gid\":\"1x\""), "'gid' is a number"},
    {"/VolumeDriver.Create", OPTS("\"gid\":\"99999999999999999999\""), "'gid' is a number"},
    {"/VolumeDriver.Create", OPTS("\"gid\":\"\""), "'gid' is a number"},
    {"/VolumeDriver.Create", OPTS("\"mode\":\"0800\""), "octal"},
    {"/VolumeDriver.Create", OPTS("\"mode\":\"1000\""), "octal"},
    {"/VolumeDriver.Create", OPTS("\"mode\":\"+7\""), "octal"},
    {"/VolumeDriver.Create", OPTS("\"rev\":\"\""), "'rev' is a revision's number or a tag"},
    {"/VolumeDriver.Create", OPTS("\"history\":\"yes\""), "true or false"},
};

static void are_refused(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof wrongs / sizeof wrongs[0]; i++) {
        struct request request = {.kind = REQUEST_PATH};
        const struct wrong *wrong = &wrongs[i];
        int error = request_read(&request, wrong->path, wrong->body, strlen(wrong->body));
        if (error != -ERR_INVALID || strstr(error_text(), wrong->words) == NULL)
            fail_msg("%s %s: %d, %s", wrong->path, wrong->body, error, error_text());
        assert_int_equal(request.kind, REQUEST_PATH); /* untouched */
    }
}

static void has_bounds(void **state)
{
    static char body[REQUEST_BODY_MAX + 1], name[200];
    struct request request;
    (void)state;
    memset(body, ' ', sizeof body);
    memcpy(body, "{\"Name\":\"b\"}", 12);
    assert_int_equal(request_read(&request, "/VolumeDriver.Get", body, sizeof body - 1), 0);
    request_release(&request);
    assert_int_equal(request_read(&request, "/VolumeDriver.Get", body, sizeof body), -ERR_INVALID);
    memset(body, '[', sizeof body - 1); /* no deep recursion */
    assert_int_equal(request_read(&request, "/VolumeDriver.Get", body, sizeof body - 1),
                     -ERR_INVALID);
    for (int length = 127; length <= 129; length++) {
        memset(name, 'n', sizeof name);
        int size = snprintf(body, sizeof body, "{\"Name\":\"%.*s\"}", length, name);
        int error = request_read(&request, "/VolumeDriver.Get", body, (size_t)size);
        assert_int_equal(error, length <= 128 ? 0 : -ERR_INVALID);
        if (error == 0)
            request_release(&request);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(are_read),
        cmocka_unit_test(are_refused),
        cmocka_unit_test(has_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
