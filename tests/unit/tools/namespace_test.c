/* A mount into another process's mount namespace, whose content does what it can against it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/namespace.h"

static pid_t inmate; /* a process in a mount namespace of its own, with a root of its own */
static char root[64];

static void in_root(char out[static PATH_MAX], const char *path)
{
    (void)snprintf(out, PATH_MAX, "%s/%s", root, path);
}

/* /proc of the inmate's, so that what it sees can be looked at from here. */
static bool has_marker(const char *path)
{
    char text[PATH_MAX];
    struct stat status;
    (void)snprintf(text, sizeof text, "/proc/%d/root/%s/marker", (int)inmate, path);
    return stat(text, &status) == 0;
}

static void live_inside(int told)
{
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_PRIVATE | MS_REC, NULL) < 0 ||
        mount("tmpfs", root, "tmpfs", 0, NULL) < 0 || chroot(root) < 0 || chdir("/") < 0)
        _exit(1);
    if (mkdir("/env", 0755) < 0 || mkdir("/deep", 0755) < 0 || mkdir("/env2", 0755) < 0 ||
        symlink("/", "/loop") < 0 || symlink("../../../../../../../tmp", "/up") < 0 ||
        symlink("/etc/nowhere", "/dangling") < 0 || symlink("self", "/self") < 0 ||
        mkdir("/sealed", 0755) < 0 || mount("tmpfs", "/sealed", "tmpfs", 0, NULL) < 0 ||
        mkdir("/sealed/env", 0755) < 0 ||
        mount(NULL, "/sealed", NULL, MS_REMOUNT | MS_RDONLY, NULL) < 0 ||
        mkdir("/inner", 0755) < 0 || mkdir("/inner/env", 0755) < 0 ||
        symlink("/env", "/inner/out") < 0 || symlink("../env2", "/inner/above") < 0 ||
        close(open("/file", O_CREAT | O_WRONLY, 0600)) < 0 || write(told, "r", 1) != 1)
        _exit(1);
    for (;;)
        pause();
}

static int begin(void **state)
{
    int ends[2];
    char ready;
    (void)state;
    if (geteuid() != 0)
        return 0;
    (void)snprintf(root, sizeof root, "/tmp/emsa-namespace.XXXXXX");
    assert_non_null(mkdtemp(root));
    assert_int_equal(pipe(ends), 0);
    inmate = fork();
    if (inmate == 0)
        live_inside(ends[1]);
    close(ends[1]);
    assert_int_equal(read(ends[0], &ready, 1), 1);
    close(ends[0]);
    return 0;
}

static int end(void **state)
{
    (void)state;
    if (inmate == 0)
        return 0;
    kill(inmate, SIGKILL);
    waitpid(inmate, NULL, 0);
    inmate = 0;
    return rmdir(root);
}

/* A detached mount with one file in it. */
static int detached(void)
{
    int context = fsopen("tmpfs", FSOPEN_CLOEXEC);
    assert_true(context >= 0);
    assert_int_equal(fsconfig(context, FSCONFIG_CMD_CREATE, NULL, NULL, 0), 0);
    int fd = fsmount(context, FSMOUNT_CLOEXEC, 0);
    assert_true(fd >= 0);
    close(context);
    int marker = openat(fd, "marker", O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_true(marker >= 0);
    close(marker);
    return fd;
}

static int attach(const struct namespace_place *place)
{
    struct namespace space NAMESPACE_CLEANUP = NAMESPACE_NONE;
    int error = namespace_find(&space, inmate);
    if (error < 0)
        return error;
    int fd = detached();
    error = namespace_attach(fd, &space, place);
    close(fd);
    return error;
}

static bool is_root(void)
{
    if (inmate != 0)
        return true;
    skip();
    return false;
}

static void it_stands_there_alone(void **state)
{
    struct namespace_place place = {.path = "/env"};
    struct stat status;
    char here[PATH_MAX];
    (void)state;
    if (!is_root())
        return;
    assert_int_equal(attach(&place), 0);
    assert_true(has_marker("env"));
    in_root(here, "env/marker");
    assert_true(stat(here, &status) < 0);
    assert_true(stat("/env/marker", &status) < 0);
    assert_int_equal(attach(&place), -ERR_REFUSED);
    assert_non_null(strstr(error_text(), "type tmpfs"));
}

static void links_lead_nowhere_else(void **state)
{
    struct {
        const char *path;
        int error;
        const char *found; /* where it is then */
    } tried[] = {
        {"/loop/loop/env", 0, "env"},        {"/../../../inner/env", 0, "inner/env"},
        {"env2/../env2/.", 0, "env2"},       {"/up", -ERR_NOT_FOUND, NULL},
        {"/dangling", -ERR_NOT_FOUND, NULL}, {"/self", -ERR_INVALID, NULL},
        {"/file", -ERR_INVALID, NULL},       {"/nothing", -ERR_NOT_FOUND, NULL},
        {"/file/x", -ERR_INVALID, NULL},     {"", -ERR_NOT_FOUND, NULL},
    };
    (void)state;
    if (!is_root())
        return;
    for (size_t i = 0; i < sizeof tried / sizeof tried[0]; i++) {
        struct namespace_place place = {.path = tried[i].path};
        assert_int_equal(attach(&place), tried[i].error);
        if (tried[i].found != NULL)
            assert_true(has_marker(tried[i].found));
    }
}

static void a_root_below(void **state)
{
    struct namespace_place place = {.root = "/inner", .path = "/out"}; /* to its own /env */
    (void)state;
    if (!is_root())
        return;
    assert_int_equal(attach(&place), 0);
    assert_true(has_marker("inner/env"));
    assert_false(has_marker("env"));
    place.path = "/env";
    assert_int_equal(attach(&place), -ERR_REFUSED);
    place.path = "/above"; /* as seen from in there it leads to /env2, which is not there */
    assert_int_equal(attach(&place), -ERR_NOT_FOUND);
    assert_false(has_marker("env2"));
    place.root = "/nothing";
    assert_int_equal(attach(&place), -ERR_NOT_FOUND);
}

static void made_where_it_is_missing(void **state)
{
    struct namespace_place place = {.path = "/deep/er/still/", .make = true};
    struct stat status;
    (void)state;
    if (!is_root())
        return;
    assert_int_equal(attach(&place), 0);
    assert_true(has_marker("deep/er/still"));
    place.path = "new";
    assert_int_equal(attach(&place), 0);
    assert_true(has_marker("new"));
    place.path = "/up/emsa-namespace-test"; /* there is no tmp in there, and none is made above */
    assert_true(attach(&place) < 0);
    assert_true(stat("/tmp/emsa-namespace-test", &status) < 0);
    place.path = "/dangling/x";
    assert_true(attach(&place) < 0);
    place.path = "/file/x";
    assert_true(attach(&place) < 0);
}

static void of_a_bounded_depth(void **state)
{
    char path[2 * 66 + 1] = "";
    struct namespace_place place = {.path = path, .make = true};
    struct stat status;
    char text[PATH_MAX];
    (void)state;
    if (!is_root())
        return;
    for (size_t i = 0; i < 65; i++)
        memcpy(path + 2 * i, "/d", sizeof "/d");
    assert_int_equal(attach(&place), -ERR_IO);
    assert_non_null(strstr(error_text(), "too long"));
    (void)snprintf(text, sizeof text, "/proc/%d/root/d", (int)inmate);
    assert_true(stat(text, &status) < 0);
    path[2 * 64] = '\0';
    assert_int_equal(attach(&place), 0);
    assert_true(has_marker(path));
    place.make = false; /* nothing is made, so it may be as deep as it likes */
    memset(path, '/', sizeof path - 1);
    assert_int_equal(attach(&place), -ERR_REFUSED);
}

static void not_in_a_read_only_root(void **state)
{
    struct namespace_place place = {.path = "/sealed/new", .make = true};
    (void)state;
    if (!is_root())
        return;
    assert_int_equal(attach(&place), -ERR_REFUSED);
    assert_non_null(strstr(error_text(), "read-only"));
    place.path = "/sealed/env";
    assert_int_equal(attach(&place), 0);
    assert_true(has_marker("sealed/env"));
}

static void not_in_our_own(void **state)
{
    struct namespace space NAMESPACE_CLEANUP = NAMESPACE_NONE;
    (void)state;
    assert_int_equal(namespace_find(&space, getpid()), -ERR_REFUSED);
    assert_non_null(strstr(error_text(), "emsa mount"));
}

static size_t descriptors(void)
{
    size_t count = 0;
    for (int fd = 0; fd < 1024; fd++)
        count += fcntl(fd, F_GETFD) >= 0;
    return count;
}

/* What was found names no other process, whoever is given its number. */
static void it_has_ended(void **state)
{
    struct namespace space NAMESPACE_CLEANUP = NAMESPACE_NONE;
    struct namespace_place place = {.path = "/env"};
    uid_t uid = 0;
    gid_t gid = 0;
    (void)state;
    if (!is_root())
        return;
    size_t before = descriptors();
    assert_int_equal(namespace_find(&space, inmate), 0);
    kill(inmate, SIGKILL);
    waitpid(inmate, NULL, 0);
    assert_int_equal(process_has_users(&space.process), -ERR_NOT_FOUND);
    assert_int_equal(process_owner(&space.process, &uid, &gid), -ERR_NOT_FOUND);
    int fd = detached();
    assert_int_equal(process_idmap(fd, &space.process), -ERR_NOT_FOUND);
    assert_int_equal(namespace_attach(fd, &space, &place), -ERR_NOT_FOUND);
    close(fd);
    namespace_release(&space);
    assert_int_equal(descriptors(), before);
}

static void nobody_there(void **state)
{
    struct namespace space NAMESPACE_CLEANUP = NAMESPACE_NONE;
    (void)state;
    assert_int_equal(namespace_find(&space, 0), -ERR_NOT_FOUND);
    assert_int_equal(namespace_find(&space, -5), -ERR_NOT_FOUND);
    pid_t gone = fork();
    if (gone == 0)
        _exit(0);
    waitpid(gone, NULL, 0);
    assert_int_equal(namespace_find(&space, gone), -ERR_NOT_FOUND);
}

static void owners(void **state)
{
    struct process self PROCESS_CLEANUP = PROCESS_NONE;
    uid_t uid = getuid();
    gid_t gid = getgid();
    (void)state;
    assert_int_equal(process_find(&self, getpid()), 0);
    assert_int_equal(process_has_users(&self), 0);
    assert_int_equal(process_owner(&self, &uid, &gid), 0);
    assert_int_equal(uid, getuid());
    assert_int_equal(gid, getgid());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(it_stands_there_alone, begin, end),
        cmocka_unit_test_setup_teardown(links_lead_nowhere_else, begin, end),
        cmocka_unit_test_setup_teardown(a_root_below, begin, end),
        cmocka_unit_test_setup_teardown(made_where_it_is_missing, begin, end),
        cmocka_unit_test_setup_teardown(of_a_bounded_depth, begin, end),
        cmocka_unit_test_setup_teardown(not_in_a_read_only_root, begin, end),
        cmocka_unit_test_setup_teardown(it_has_ended, begin, end),
        cmocka_unit_test(not_in_our_own),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(owners),
    };
#ifdef __SANITIZE_THREAD__
    (void)tests;
    puts("SKIP: the sanitizer's own thread keeps this process out of other mount namespaces");
    return 0;
#else
    return cmocka_run_group_tests(tests, NULL, NULL);
#endif
}
