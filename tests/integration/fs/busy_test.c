/* Something is mounted on what a commit removes: the key goes, and the mount with it, whether it
 * stands where the notifier works (its unlink is refused then, EBUSY) or in another namespace.
 * Watchers hear what they hear of any removal, and what is made again is an ordinary key. */
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/fs/server.h"
#include "tests/integration/fs/watcher.h"
#include "tests/integration/fs/world.h"

static struct world world;
static char cover[96]; /* a file of another file system */
static struct watcher watcher;

static void set(const char *path, const char *value)
{
    world_set(&world, path, value, strlen(value));
    world_commit(&world);
}

static void write_file(const char *path, const char *text)
{
    int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
    close(fd);
}

static int begin(void **state)
{
    (void)state;
    world_make(&world, NULL);
    world_environment_add(&world, "prod");
    world_set(&world, "prod/a/KEY", "own", 3);
    world_set(&world, "prod/a/OTHER", "x", 1);
    world_set(&world, "prod/b/KEY", "own", 3);
    world_set(&world, "prod/z/END", "0", 1);
    world_commit(&world);
    snprintf(cover, sizeof(cover), "%s/cover", world.folder);
    write_file(cover, "cover");
    watcher_init(&watcher);
    watcher_add(&watcher, "prod", world_path(&world, "prod"), EVERYTHING);
    watcher_add(&watcher, "a", world_path(&world, "prod/a"), EVERYTHING);
    watcher_add(&watcher, "KEY", world_path(&world, "prod/a/KEY"), EVERYTHING);
    watcher_add(&watcher, "b", world_path(&world, "prod/b"), EVERYTHING);
    watcher_add(&watcher, "end", world_path(&world, "prod/z/END"), EVERYTHING);
    return 0;
}

static int end(void **state)
{
    (void)state;
    watcher_release(&watcher);
    world_end(&world);
    return 0;
}

/* What was heard until now: the last thing to be heard of is a change made for that. */
static const char *heard(void)
{
    static unsigned times;
    char value[16];
    snprintf(value, sizeof(value), "turn %u", times++);
    set("prod/z/END", value);
    return watcher_until(&watcher, "end");
}

/* One read from the start; a watcher of what is read hears an OPEN. */
static bool reads(const char *path, const char *expected)
{
    char data[16];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, data, sizeof(data));
    if (fd >= 0)
        close(fd);
    return n == (ssize_t)strlen(expected) && memcmp(data, expected, (size_t)n) == 0;
}

static bool is_mounted(const char *path)
{
    char line[1024];
    bool found = false;
    FILE *mounts = fopen("/proc/self/mounts", "re");
    while (mounts && fgets(line, sizeof(line), mounts)) {
        const char *at = strchr(line, ' ');
        size_t size = strlen(path);
        found = found || (at && strncmp(at + 1, path, size) == 0 && at[1 + size] == ' ');
    }
    fclose(mounts);
    return found;
}

static void cover_with_file(const char *path)
{
    assert_int_equal(mount(cover, path, NULL, MS_BIND, NULL), 0);
    assert_true(reads(path, "cover"));
    assert_true(is_mounted(path));
}

static void must_be_gone(const char *path)
{
    struct stat st;
    assert_false(is_mounted(path));
    assert_int_equal(stat(path, &st), -1);
}

static void made_again_it_is_a_key_as_any(void)
{
    const char *key = world_path(&world, "prod/a/KEY");
    set("prod/a/KEY", "again");
    assert_string_equal(heard(), "a:CREATE|KEY a:OPEN|KEY a:MODIFY|KEY a:CLOSE_WRITE|KEY");
    assert_true(reads(key, "again"));
    assert_string_equal(heard(), "a:OPEN|KEY");
    set("prod/a/KEY", "more");
    assert_string_equal(heard(), "a:OPEN|KEY a:MODIFY|KEY a:CLOSE_WRITE|KEY");
    assert_true(reads(key, "more"));
}

/* Where the notifier works: its unlink is refused until the mount is away. */
static void on_a_key_where_the_notifier_works(void **state)
{
    (void)state;
    const char *key = world_path(&world, "prod/a/KEY");
    cover_with_file(key);
    assert_string_equal(heard(), "");
    /* a new value is no reason to take it away */
    set("prod/a/KEY", "new");
    assert_true(is_mounted(key));
    assert_true(reads(key, "cover"));
    assert_string_equal(heard(), "a:OPEN|KEY KEY:OPEN a:MODIFY|KEY KEY:MODIFY "
                                 "a:CLOSE_WRITE|KEY KEY:CLOSE_WRITE");
    /* and neither is the end of its neighbour */
    world_remove(&world, "prod/a/OTHER");
    world_commit(&world);
    assert_true(is_mounted(key));
    assert_string_equal(heard(), "a:DELETE|OTHER");
    world_remove(&world, "prod/a/KEY");
    world_commit(&world);
    must_be_gone(key);
    assert_string_equal(heard(), "KEY:ATTRIB KEY:DELETE_SELF KEY:IGNORED a:DELETE|KEY");
    made_again_it_is_a_key_as_any();
    /* so it may be covered again, and go again */
    cover_with_file(key);
    world_remove(&world, "prod/a/KEY");
    world_commit(&world);
    must_be_gone(key);
}

/* The file that was mounted is whole, and who has it open goes on with it. */
static void two_mounts_and_a_reader(void **state)
{
    (void)state;
    const char *key = world_path(&world, "prod/a/KEY");
    char data[8];
    cover_with_file(key);
    cover_with_file(key); /* one on the other */
    int fd = open(key, O_RDONLY | O_CLOEXEC);
    world_remove(&world, "prod/a/KEY");
    world_commit(&world);
    must_be_gone(key);
    assert_int_equal(pread(fd, data, sizeof(data), 0), 5);
    assert_memory_equal(data, "cover", 5);
    assert_true(reads(cover, "cover"));
    close(fd);
    assert_string_equal(heard(), "KEY:ATTRIB KEY:DELETE_SELF KEY:IGNORED a:DELETE|KEY");
    made_again_it_is_a_key_as_any();
}

/* Gone and made again in one commit is a change of its value, and the mount stays. */
static void one_commit_that_removes_and_sets(void **state)
{
    (void)state;
    const char *key = world_path(&world, "prod/a/KEY");
    cover_with_file(key);
    world_remove(&world, "prod/a/KEY");
    world_set(&world, "prod/a/KEY", "back", 4);
    world_commit(&world);
    assert_true(is_mounted(key));
    assert_int_equal(umount(key), 0);
    assert_true(reads(key, "back"));
}

/* A service that goes: with a mount on its directory, and one on a key in it. */
static void on_a_directory(void **state)
{
    (void)state;
    const char *service = world_path(&world, "prod/b"), *key = world_path(&world, "prod/b/KEY");
    cover_with_file(key);
    assert_int_equal(mount("test", service, "tmpfs", 0, NULL), 0);
    world_remove(&world, "prod/b/KEY");
    world_service_remove(&world, "prod/b");
    world_commit(&world);
    must_be_gone(key);
    must_be_gone(service);
    assert_string_equal(heard(), "b:DELETE|KEY b:DELETE_SELF b:IGNORED prod:DELETE/|b");
    set("prod/b/KEY", "again");
    assert_string_equal(heard(), "prod:CREATE/|b");
    assert_true(reads(key, "again"));
}

/* Says that it has mounted; then is asked whether the mount is still there. */
static void mount_elsewhere(int socket, const char *path)
{
    char byte = 0;
    if (unshare(CLONE_NEWNS) < 0 || mount(cover, path, NULL, MS_BIND, NULL) < 0)
        _exit(1);
    stream_write(socket, &byte, 1);
    stream_read(socket, &byte, 1);
    _exit(is_mounted(path) || reads(path, "cover") ? 2 : 0);
}

/* There the unlink goes through, and the kernel takes the mount away. */
static void in_another_namespace(void **state)
{
    (void)state;
    int ends[2], status;
    char byte = 0;
    const char *key = world_path(&world, "prod/a/KEY");
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    pid_t pid = fork();
    if (pid == 0)
        mount_elsewhere(ends[1], key);
    assert_true(stream_read(ends[0], &byte, 1));
    world_remove(&world, "prod/a/KEY");
    world_commit(&world);
    must_be_gone(key);
    stream_write(ends[0], &byte, 1);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    assert_string_equal(heard(), "KEY:ATTRIB KEY:DELETE_SELF KEY:IGNORED a:DELETE|KEY");
    made_again_it_is_a_key_as_any();
    close(ends[0]);
    close(ends[1]);
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, begin, end)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(on_a_key_where_the_notifier_works),
        TEST(two_mounts_and_a_reader),
        TEST(one_commit_that_removes_and_sets),
        TEST(on_a_directory),
        TEST(in_another_namespace),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
