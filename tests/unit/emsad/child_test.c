/* When the next child is due, by how the last one ended; and the command line. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/emsad/child.h"
#include "tools/emsad/daemon_mount.h"
#include "tools/emsad/options.h"

#define EXITED(status) ((status) << 8) /* as wait gives it */

#define AT_ONCE                                                                                    \
    (-1000000) /* "lived" so long after being ready: no delay of the test's own makes it long */
#define NEVER (-1)

/* One life of a child that was never really there, and the pause that must follow, in milliseconds.
 */
static void live(struct child *child, bool is_ready, int64_t lived, int wait_status, int pause)
{
    child->pid = 1;
    if (is_ready)
        child_ready(child);
    child->ready_since -= lived;
    int64_t before = deadline_in(0);
    child_ended(child, wait_status);
    int64_t after = deadline_in(0);
    assert_int_equal(child->pid, 0);
    assert_int_equal(child->channel, -1);
    if (pause == NEVER) {
        assert_int_equal(child->restart_at, -1);
        return;
    }
    assert_true(child->restart_at - after <= pause);
    assert_true(child->restart_at - before >= pause);
}

static void the_first_death_costs_nothing(void **state)
{
    (void)state;
    struct child child = CHILD_INIT("test");
    live(&child, true, AT_ONCE, SIGSEGV, 0);
}

static void dying_of_birth_again_and_again(void **state)
{
    (void)state;
    static const int pauses[] = {0, 5, 10, 20, 40, 80, 160, 320, 640, 1000, 1000, 1000};
    struct child child = CHILD_INIT("test");
    for (size_t n = 0; n < sizeof pauses / sizeof pauses[0]; n++)
        live(&child, n % 2 == 0, AT_ONCE, n % 3 == 0 ? SIGABRT : EXITED(1), pauses[n]);
    for (size_t n = 0; n < 100; n++) /* for ever, and no number overflows */
        live(&child, false, 0, EXITED(1), 1000);
    /* One that worked makes up for all of it. */
    live(&child, true, 500, SIGSEGV, 0);
    live(&child, false, 0, EXITED(1), 0);
    live(&child, false, 0, EXITED(1), 5);
}

static void being_killed_is_not_dying_of_birth(void **state)
{
    (void)state;
    struct child child = CHILD_INIT("test");
    for (int n = 0; n < 20; n++)
        live(&child, true, AT_ONCE, SIGKILL, 0);
    for (int n = 0; n < 10; n++) /* readers wait */
        live(&child, false, 0, SIGKILL, 0);
    for (int n = 0; n < 10; n++)
        live(&child, false, 0, SIGKILL, 10);
}

static void leaving(void **state)
{
    (void)state;
    struct child child = CHILD_INIT("test");
    child.is_leaving = true;
    live(&child, true, 0, EXITED(0), NEVER);
}

static int parse(struct daemon_options *options, const char *const words[], int count)
{
    char texts[8][32] = {{0}};
    char *arguments[9] = {NULL};
    for (int i = 0; i < count; i++) {
        strncpy(texts[i], words[i], sizeof texts[i] - 1);
        arguments[i] = texts[i];
    }
    int error = options_parse(options, count, arguments);
    if (error == 0 && options->store != NULL)
        assert_string_equal(options->store, "/s");
    if (error == 0)
        options->store = NULL; /* texts end here */
    return error;
}

#define PARSE(options, ...)                                                                        \
    parse(options, (const char *const[]){"emsad", __VA_ARGS__},                                    \
          (int)(sizeof((const char *const[]){"emsad", __VA_ARGS__}) / sizeof(char *)))

static void what_is_mounted(void **state)
{
    static const char *const bad[] = {
        "prod:",          "prod/web/KEY:/a",  "pr od:/a",         ":/a,layout=flat",
        "dev:/a,layout",  "dev:/a,layout=up", "dev:/a,mode=0600", "dev:/a,mode=0",
        "dev:/a,mode=9",  "dev:/a,uid=-1",    "dev:/a,uid=x",     "dev:/a,uid=4294967295",
        "dev:/a,masked=", "dev:/a,something", "dev:/a,",          "",
    };
    (void)state;
    struct daemon_mount mount;
    assert_int_equal(daemon_mount_parse(&mount, "/a:b,c"), 0); /* as it always was */
    assert_string_equal(mount.directory, "/a:b,c");
    assert_int_equal(mount.view.extent, VIEW_ALL);
    assert_int_equal(
        daemon_mount_parse(&mount, "prod/web:/env,layout=flat,uid=7,mode=0440,history,masked"), 0);
    assert_string_equal(mount.directory, "/env");
    assert_string_equal(mount.view.environment, "prod");
    assert_string_equal(mount.view.service, "web");
    assert_int_equal(mount.view.extent, VIEW_SERVICE);
    assert_int_equal(mount.view.layout, LAYOUT_FLAT);
    assert_int_equal(mount.view.uid, 7);
    assert_true(mount.has_uid);
    assert_false(mount.has_gid);
    assert_int_equal(mount.view.file_mode, 0440);
    assert_int_equal(mount.view.directory_mode, 0550);
    assert_true(mount.view.history && mount.view.masked && !mount.view.cache);
    free((char *)(uintptr_t)mount.directory);
    assert_int_equal(daemon_mount_parse(&mount, "prod:env"), 0);
    assert_int_equal(mount.view.extent, VIEW_ENVIRONMENT);
    free((char *)(uintptr_t)mount.directory);
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(daemon_mount_parse(&mount, bad[i]), -ERR_INVALID);
}

static void command_lines(void **state)
{
    (void)state;
    struct daemon_options options;
    assert_int_equal(
        PARSE(&options, "--store", "/s", "--threads", "32", "--replay", "--views-each", "3"), 0);
    assert_int_equal(options.views_each, 3);
    assert_int_equal(options.threads, 32);
    assert_true(options.replay);
    assert_int_equal(options.ready_fd, -1);
    assert_int_equal(options.role, ROLE_SUPERVISOR);
    assert_int_equal(PARSE(&options, "--mount", "/a", "--mount", "/b", "--cache", "--on-demand"),
                     0);
    assert_int_equal(options.mount_count, 2);
    assert_false(options.mounts[0].view.cache);
    assert_true(options.mounts[1].view.cache);
    assert_true(options.on_demand);
    assert_int_equal(PARSE(&options, "--role", "notifier"), 0);
    assert_int_equal(options.role, ROLE_NOTIFIER);
    assert_int_equal(PARSE(&options, "--threads", "0"), -ERR_INVALID);
    assert_int_equal(PARSE(&options, "--views-each", "0"), -ERR_INVALID);
    assert_int_equal(PARSE(&options, "--views-each", "65537"), -ERR_INVALID);
    assert_int_equal(PARSE(&options, "--views-each", "3", "upgrade"), -ERR_INVALID);
    assert_int_equal(PARSE(&options, "--threads", "33"), -ERR_INVALID);
    assert_int_equal(PARSE(&options, "--threads", "4x"), -ERR_INVALID);
    assert_int_equal(PARSE(&options, "--ready-fd", "-1"), -ERR_INVALID);
    assert_int_equal(PARSE(&options, "--ready-fd", "998"), -ERR_INVALID);
    assert_int_equal(PARSE(&options, "--role", "king"), -ERR_INVALID);
    assert_int_equal(PARSE(&options, "--cache", "--mount", "/a"), -ERR_INVALID);
    assert_int_equal(PARSE(&options, "--store"), -ERR_INVALID);
    assert_non_null(strstr(error_text(), "--store"));
    assert_int_equal(PARSE(&options, "word"), -ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_death_costs_nothing),
        cmocka_unit_test(dying_of_birth_again_and_again),
        cmocka_unit_test(being_killed_is_not_dying_of_birth),
        cmocka_unit_test(leaving),
        cmocka_unit_test(what_is_mounted),
        cmocka_unit_test(command_lines),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
