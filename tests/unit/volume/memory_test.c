/* Each allocation fails once: there is a reply all the same, never one that is not true. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/volume/reply.h"
#include "tools/volume/request.h"

static unsigned left; /* allocations until one fails; 0: none does */

void *__real_malloc(size_t size);
void *__real_realloc(void *old, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_realloc(void *old, size_t size);

static int fails(void)
{
    return left > 0 && --left == 0;
}

/* Ours, and jansson's. */
void *__wrap_malloc(size_t size)
{
    return fails() ? NULL : __real_malloc(size);
}

void *__wrap_realloc(void *old, size_t size)
{
    return fails() ? NULL : __real_realloc(old, size);
}

static const struct {
    const char *path, *body, *said;
} examples[] = {
    {"/Plugin.Activate", "", "{}"},
    {"/VolumeDriver.Capabilities", "", "{}"},
    {"/VolumeDriver.Create",
     "{\"Name\":\"b\",\"Opts\":{\"environment\":\"prod\",\"service\":\"web\",\"uid\":\"7\","
     "\"layout\":\"flat\",\"rev\":\"7\",\"history\":\"\"}}",
     "{\"parameters\":{}}"},
    {"/VolumeDriver.Get", "{\"Name\":\"b\"}",
     "{\"parameters\":{\"volume\":{\"name\":\"b\",\"mountpoint\":\"/m\",\"created\":1,\"options\":"
     "{}}}}"},
    {"/VolumeDriver.List", "{}",
     "{\"parameters\":{\"volumes\":[{\"name\":\"b\",\"mountpoint\":\"/m\",\"created\":1}]}}"},
    {"/VolumeDriver.Mount", "{\"Name\":\"b\",\"ID\":\"i\"}",
     "{\"parameters\":{\"mountpoint\":\"/m\"}}"},
    {"/VolumeDriver.Remove", "{\"Name\":\"b\"}",
     "{\"error\":\"io.emsa.Refused\",\"parameters\":{\"message\":\"no\",\"reasons\":[\"why\"]}}"},
};

/* The status of what is told, which is in order. */
static unsigned told(const struct reply *reply)
{
    json_t *parsed = json_loads(reply_text(reply), 0, NULL);
    const char *err = json_string_value(json_object_get(parsed, "Err"));
    assert_non_null(err);
    assert_int_equal(reply->status == REPLY_DONE, err[0] == '\0');
    json_decref(parsed);
    return reply->status;
}

static unsigned answer(size_t i, const json_t *said, unsigned failing)
{
    struct request request;
    struct reply reply;
    left = failing;
    error_clear();
    if (request_read(&request, examples[i].path, examples[i].body, strlen(examples[i].body)) < 0) {
        assert_true(error_text()[0] != '\0');
        reply_fail(&reply, error_text());
    } else {
        reply_make(&reply, &request, said, false);
        request_release(&request);
    }
    bool has_failed = failing > 0 && left == 0;
    left = 0;
    unsigned status = told(&reply);
    reply_release(&reply);
    return has_failed ? status : 0;
}

static void each_fails_once(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof examples / sizeof examples[0]; i++) {
        json_t *said = json_loads(examples[i].said, 0, NULL);
        unsigned failing = 1;
        assert_non_null(said);
        while (answer(i, said, failing) != 0)
            failing++;
        assert_true(failing > 3); /* some did */
        json_decref(said);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_fails_once),
    };
    json_set_alloc_funcs(__wrap_malloc, free);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
