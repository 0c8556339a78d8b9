/* What a server says, as docker and podman are told it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "tools/volume/reply.h"

/* The text, without its newline; valid until the next. */
static const char *told(enum request_kind kind, const char *said, bool is_repeated, unsigned status)
{
    static char text[4096];
    struct request request = {.kind = kind};
    struct reply reply;
    json_t *parsed = said == NULL ? NULL : json_loads(said, 0, NULL);
    assert_true(said == NULL || parsed != NULL);
    reply_make(&reply, &request, parsed, is_repeated);
    json_decref(parsed);
    size_t size = strlen(reply_text(&reply));
    assert_true(size > 1 && size < sizeof text && reply_text(&reply)[size - 1] == '\n');
    memcpy(text, reply_text(&reply), size - 1);
    text[size - 1] = '\0';
    if (reply.status != status)
        fail_msg("%u: %s", reply.status, text);
    reply_release(&reply);
    return text;
}

#define DONE(kind, said, text) assert_string_equal(told(kind, said, false, 200), text)
#define FAILED(kind, said, text) assert_string_equal(told(kind, said, false, 500), text)

static void as_the_protocol_has_it(void **state)
{
    (void)state;
    DONE(REQUEST_ACTIVATE, NULL, "{\"Implements\":[\"VolumeDriver\"],\"Err\":\"\"}");
    DONE(REQUEST_CAPABILITIES, NULL, "{\"Capabilities\":{\"Scope\":\"local\"},\"Err\":\"\"}");
    DONE(REQUEST_CREATE, "{\"parameters\":{\"volume\":{}}}", "{\"Err\":\"\"}");
    DONE(REQUEST_REMOVE, "{\"parameters\":{}}", "{\"Err\":\"\"}");
    DONE(REQUEST_UNMOUNT, "{\"parameters\":{}}", "{\"Err\":\"\"}");
    DONE(REQUEST_MOUNT, "{\"parameters\":{\"mountpoint\":\"/run/emsa/volumes/b\"}}",
         "{\"Mountpoint\":\"/run/emsa/volumes/b\",\"Err\":\"\"}");
    DONE(REQUEST_PATH, "{\"parameters\":{\"mountpoint\":\"/m\"}}",
         "{\"Mountpoint\":\"/m\",\"Err\":\"\"}");
    DONE(REQUEST_GET,
         "{\"parameters\":{\"volume\":{\"name\":\"b\",\"mountpoint\":\"/m\",\"created\":"
         "1790000000123456789,\"options\":{\"path\":\"prod/web\",\"uid\":7}}}}",
         "{\"Volume\":{\"Name\":\"b\",\"Mountpoint\":\"/m\",\"CreatedAt\":\"2026-09-21T14:13:20Z\","
         "\"Status\":{\"path\":\"prod/web\",\"uid\":7}},\"Err\":\"\"}");
    DONE(REQUEST_GET, "{\"parameters\":{\"volume\":{\"name\":\"b\",\"mountpoint\":\"/m\"}}}",
         "{\"Volume\":{\"Name\":\"b\",\"Mountpoint\":\"/m\",\"Status\":{}},\"Err\":\"\"}");
    DONE(REQUEST_LIST, "{\"parameters\":{\"volumes\":[]}}", "{\"Volumes\":[],\"Err\":\"\"}");
    DONE(REQUEST_LIST,
         "{\"parameters\":{\"volumes\":[{\"name\":\"a\",\"mountpoint\":\"/a\"},{\"name\":\"b\","
         "\"mountpoint\":\"/b\",\"created\":0}]}}",
         "{\"Volumes\":[{\"Name\":\"a\",\"Mountpoint\":\"/a\"},{\"Name\":\"b\",\"Mountpoint\":"
         "\"/b\",\"CreatedAt\":\"1970-01-01T00:00:00Z\"}],\"Err\":\"\"}");
}

static void failures(void **state)
{
    (void)state;
    FAILED(REQUEST_CREATE,
           "{\"error\":\"io.emsa.NotFound\",\"parameters\":{\"message\":\"there is no service "
           "'prod/billling'\",\"reasons\":[\"did you mean 'prod/billing'?\"]}}",
           "{\"Err\":\"there is no service 'prod/billling'; did you mean 'prod/billing'?\"}");
    FAILED(REQUEST_MOUNT, "{\"error\":\"io.emsa.Busy\"}", "{\"Err\":\"io.emsa.Busy\"}");
    FAILED(REQUEST_UNMOUNT, "{\"error\":\"x\",\"parameters\":{\"message\":\"\"}}",
           "{\"Err\":\"it failed, and nothing was said of why\"}");
    FAILED(REQUEST_GET, "{\"error\":\"x\",\"parameters\":{\"message\":\"a\\nb\"}}",
           "{\"Err\":\"a; b\"}");
    /* beside an error a mountpoint is none */
    FAILED(REQUEST_MOUNT, "{\"error\":\"x\",\"parameters\":{\"mountpoint\":\"/m\"}}",
           "{\"Err\":\"x\"}");
}

/* Podman would bind the container's own bundle to its /env. */
static void never_done_without_a_mountpoint(void **state)
{
    static const char *const said[] = {"{}",
                                       "{\"parameters\":{}}",
                                       "{\"parameters\":[]}",
                                       "{\"parameters\":{\"mountpoint\":\"\"}}",
                                       "{\"parameters\":{\"mountpoint\":\"run/emsa\"}}",
                                       "{\"parameters\":{\"mountpoint\":7}}",
                                       "{\"parameters\":{\"volume\":{}}}",
                                       "{\"parameters\":{\"volume\":{\"name\":\"b\"}}}",
                                       "{\"parameters\":{\"volume\":{\"mountpoint\":\"/m\"}}}",
                                       "{\"parameters\":{\"volumes\":{}}}",
                                       "{\"parameters\":{\"volumes\":[{\"name\":\"b\"}]}}",
                                       "{\"parameters\":{\"volumes\":[7]}}"};
    static const enum request_kind kinds[] = {REQUEST_MOUNT, REQUEST_PATH, REQUEST_GET,
                                              REQUEST_LIST};
    (void)state;
    for (size_t i = 0; i < sizeof said / sizeof said[0]; i++)
        for (size_t j = 0; j < sizeof kinds / sizeof kinds[0]; j++)
            assert_non_null(strstr(told(kinds[j], said[i], false, 500), "the server's answer has"));
}

static void never_done_without_an_answer(void **state)
{
    (void)state;
    (void)told(REQUEST_CREATE, "{}", false, 500);
    (void)told(REQUEST_REMOVE, "{\"parameters\":7}", false, 500);
    (void)told(REQUEST_UNMOUNT, NULL, true, 500);
}

static void removed_by_a_server_that_died(void **state)
{
    static const char gone[] =
        "{\"error\":\"io.emsa.NotFound\",\"parameters\":{\"message\":\"there is no volume 'b'\"}}";
    (void)state;
    assert_string_equal(told(REQUEST_REMOVE, gone, true, 200), "{\"Err\":\"\"}");
    (void)told(REQUEST_REMOVE, gone, false, 500);
    (void)told(REQUEST_GET, gone, true, 500);
    (void)told(REQUEST_MOUNT, gone, true, 500);
    (void)told(REQUEST_REMOVE, "{\"error\":\"io.emsa.Full\"}", true, 500);
}

static void texts(void **state)
{
    struct reply reply;
    (void)state;
    reply_fail(&reply, "one\ntwo \"three\"");
    assert_string_equal(reply_text(&reply), "{\"Err\":\"one; two \\\"three\\\"\"}\n");
    reply_release(&reply);
    reply_fail(&reply, "");
    assert_string_equal(reply_text(&reply),
                        "{\"Err\":\"it failed, and nothing was said of why\"}\n");
    reply_release(&reply);
    reply_fail(&reply,
               "'caf\xc3\xa9 \xe2\x82' \x1b[1m \xc2\x9b \xc2\xa0\x7f"); /* cut, and steering */
    assert_string_equal(reply_text(&reply), "{\"Err\":\"'caf\xc3\xa9 ?' ?[1m ? \xc2\xa0?\"}\n");
    reply_release(&reply);
    assert_non_null(strstr(reply_text(&reply), "\"Err\"")); /* without any memory */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(as_the_protocol_has_it),
        cmocka_unit_test(failures),
        cmocka_unit_test(never_done_without_a_mountpoint),
        cmocka_unit_test(never_done_without_an_answer),
        cmocka_unit_test(removed_by_a_server_that_died),
        cmocka_unit_test(texts),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
