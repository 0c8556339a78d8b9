/* What a server can still do to files; tried in children, for none of it can be undone. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/emsad/confine.h"
#include "tools/emsad/sandbox.h"

static char folder[] = "/tmp/emsad-sandbox.XXXXXX";

static void in_folder(char out[static 128], const char *name)
{
    snprintf(out, 128, "%s/%s", folder, name);
}

static void make_file(const char *name)
{
    char path[128];
    in_folder(path, name);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    assert_true(fd >= 0);
    close(fd);
}

static int make(void **state)
{
    (void)state;
    char path[128];
    memcpy(folder + strlen(folder) - 6, "XXXXXX", 6);
    if (mkdtemp(folder) == NULL)
        return -1;
    in_folder(path, "store");
    if (mkdir(path, 0700) < 0)
        return -1;
    make_file("store/inside");
    make_file("outside");
    return 0;
}

static int clean(void **state)
{
    (void)state;
    static const char *const names[] = {"store/inside", "store/new", "store/moved", "outside",
                                        "new"};
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        in_folder(path, names[i]);
        unlink(path);
    }
    in_folder(path, "store");
    return rmdir(path) + rmdir(folder);
}

/* 0, or the errno of opening a file of the folder. */
static int opened(const char *name, int flags)
{
    char path[128];
    in_folder(path, name);
    int fd = open(path, flags | O_CLOEXEC, 0600);
    if (fd < 0)
        return errno;
    close(fd);
    return 0;
}

/* What a child found to be otherwise than it should, as bits. */
static int try_files(bool has_store, int reading)
{
    char from[128], to[128];
    int bad = 0;
    int inside = has_store ? 0 : EACCES;
    in_folder(from, "store/new");
    in_folder(to, "store/moved");
    bad |= (opened("outside", O_WRONLY) != EACCES) << 0;
    bad |= (opened("new", O_WRONLY | O_CREAT) != EACCES) << 1;
    bad |= (opened("outside", O_RDONLY) != reading) << 2;
    bad |= (opened("store/inside", O_RDWR) != inside) << 3;
    bad |= (opened("store/new", O_WRONLY | O_CREAT) != inside) << 4;
    bad |= has_store && (rename(from, to) < 0 || unlink(to) < 0) ? 1 << 5 : 0;
    return bad;
}

static int in_child(int (*work)(void))
{
    int status;
    pid_t pid = fork();
    if (pid == 0)
        _exit(work());
    assert_true(pid > 0);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

/* Asked at the beginning: in the sandbox there is no such call. */
static bool has_landlock;

static int look_for_landlock(void **state)
{
    (void)state;
    has_landlock =
        syscall(SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION) > 0;
    return 0;
}

static int confined_to_store(void)
{
    char store[128];
    in_folder(store, "store");
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || confine_writes(store) != 0)
        return 99;
    return try_files(true, 0);
}

static int confined_to_nothing(void)
{
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || confine_writes(NULL) != 0)
        return 99;
    return try_files(false, 0);
}

static void writes(void **state)
{
    (void)state;
    if (!has_landlock)
        skip();
    assert_int_equal(in_child(confined_to_store), 0);
    assert_int_equal(in_child(confined_to_nothing), 0);
}

static void no_such_folder(void **state)
{
    (void)state;
    if (has_landlock)
        assert_true(confine_writes("/nonexistent/store") < 0);
}

/* All of it, as the server does. */
static int as_the_server(void)
{
    char store[128], outside[128];
    in_folder(store, "store");
    in_folder(outside, "outside");
    if (sandbox_server(geteuid(), getegid(), store) != 0)
        return 99;
    if (chmod(outside, 0666) == 0 || errno != EPERM)
        return 98;
    if (chown(outside, geteuid(), getegid()) == 0 || errno != EPERM)
        return 97;
    /* by its number, which the C library has no name for: setxattrat, Linux 6.13 */
    if (syscall(463, AT_FDCWD, outside, 0, "user.x", NULL, 0) == 0 || errno != EPERM)
        return 96;
    /* another daemon's socket would do for it what it may not */
    if (socket(AF_UNIX, SOCK_STREAM, 0) >= 0 || errno != EPERM)
        return 95;
#ifdef EMSA_SANITIZED
    return has_landlock ? try_files(true, 0) : 0;
#else
    return has_landlock ? try_files(true, EACCES) : 0;
#endif
}

static void server(void **state)
{
    (void)state;
    assert_int_equal(in_child(as_the_server), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(writes, make, clean),
        cmocka_unit_test(no_such_folder),
        cmocka_unit_test_setup_teardown(server, make, clean),
    };
    return cmocka_run_group_tests(tests, look_for_landlock, NULL);
}
