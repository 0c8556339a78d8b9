/* Watchers hear of a change what an ordinary edit would have told them, wherever they watch; names
 * and their events go in step; and nobody but the notifier may write. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/fs/server.h"
#include "tests/integration/fs/values.h"
#include "tests/integration/fs/watcher.h"
#include "tests/integration/fs/world.h"

static struct world world;

static int make(void **state)
{
    (void)state;
    world_make(&world, NULL);
    world_environment_add(&world, "prod");
    world_set(&world, "prod/a/A", "0000", 4);
    world_set_secret(&world, "prod/a/SECRET", "0000", 4);
    world_set(&world, "prod/z/END", "0", 1);
    world_commit(&world);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static void set(const char *path, const char *value)
{
    world_set(&world, path, value, strlen(value));
    world_commit(&world);
}

/* What was heard until now: the last thing to be heard of is a change made for that. */
static const char *heard(struct watcher *watcher)
{
    static unsigned times;
    char value[16];
    snprintf(value, sizeof(value), "turn %u", times++);
    set("prod/z/END", value);
    return watcher_until(watcher, "end");
}

static void watch(struct watcher *watcher)
{
    watcher_init(watcher);
    watcher_add(watcher, "root", world_path(&world, ""), EVERYTHING);
    watcher_add(watcher, "prod", world_path(&world, "prod"), EVERYTHING);
    watcher_add(watcher, "a", world_path(&world, "prod/a"), EVERYTHING);
    watcher_add(watcher, "A", world_path(&world, "prod/a/A"), EVERYTHING);
    watcher_add(watcher, "end", world_path(&world, "prod/z/END"), EVERYTHING);
}

static void every_change_as_an_ordinary_edit(void **state)
{
    (void)state;
    static struct watcher watcher;
    watch(&watcher);
    set("prod/a/A", "1111");
    assert_string_equal(heard(&watcher), "a:OPEN|A A:OPEN a:MODIFY|A A:MODIFY "
                                         "a:CLOSE_WRITE|A A:CLOSE_WRITE");
    set("prod/a/B", "new");
    assert_string_equal(heard(&watcher), "a:CREATE|B a:OPEN|B a:MODIFY|B a:CLOSE_WRITE|B");
    world_set_secret(&world, "prod/a/SECRET", "1111", 4);
    world_commit(&world);
    assert_string_equal(heard(&watcher), "a:OPEN|SECRET a:MODIFY|SECRET a:CLOSE_WRITE|SECRET");
    world_remove(&world, "prod/a/B");
    world_commit(&world);
    assert_string_equal(heard(&watcher), "a:DELETE|B");
    world_remove(&world, "prod/a/A");
    world_commit(&world);
    assert_string_equal(heard(&watcher), "A:ATTRIB A:DELETE_SELF A:IGNORED a:DELETE|A");
    set("prod/a/A", "again");
    assert_string_equal(heard(&watcher), "a:CREATE|A a:OPEN|A a:MODIFY|A a:CLOSE_WRITE|A");
    watcher_release(&watcher);
}

static void directories_too(void **state)
{
    (void)state;
    static struct watcher watcher;
    watch(&watcher);
    world_service_add(&world, "prod/empty");
    world_commit(&world);
    assert_string_equal(heard(&watcher), "prod:CREATE/|empty");
    /* its first keys come with it */
    set("prod/full/K", "x");
    assert_string_equal(heard(&watcher), "prod:CREATE/|full");
    watcher_add(&watcher, "full", world_path(&world, "prod/full"), EVERYTHING);
    set("prod/full/L", "x");
    assert_string_equal(heard(&watcher),
                        "full:CREATE|L full:OPEN|L full:MODIFY|L full:CLOSE_WRITE|L");
    world_environment_add(&world, "dev");
    world_set(&world, "dev/s/K", "x", 1);
    world_commit(&world);
    assert_string_equal(heard(&watcher), "root:CREATE/|dev");
    world_remove(&world, "prod/full/K");
    world_remove(&world, "prod/full/L");
    world_service_remove(&world, "prod/full");
    world_remove(&world, "dev/s/K");
    world_service_remove(&world, "dev/s");
    world_environment_remove(&world, "dev");
    world_service_remove(&world, "prod/empty");
    world_commit(&world);
    const char *text = heard(&watcher);
    static const char *const expected[] = {"full:DELETE|K",      "full:DELETE|L",
                                           "full:DELETE_SELF",   "prod:DELETE/|full",
                                           "prod:DELETE/|empty", "root:DELETE/|dev"};
    for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++)
        if (!strstr(text, expected[i]))
            fail_msg("'%s' is missing in '%s'", expected[i], text);
    assert_true(strstr(text, "full:DELETE|L") < strstr(text, "prod:DELETE/|full"));
    /* made again in the same step as it is removed: another directory, which is told */
    set("prod/full/K", "x");
    assert_string_equal(heard(&watcher), "prod:CREATE/|full");
    world_remove(&world, "prod/full/K");
    world_service_remove(&world, "prod/full");
    world_service_add(&world, "prod/full");
    world_commit(&world);
    text = heard(&watcher);
    const char *gone = strstr(text, "prod:DELETE/|full"), *back = strstr(text, "prod:CREATE/|full");
    assert_true(gone && back && gone < back);
    watcher_release(&watcher);
}

/* Of many changes to a key at once the last is told, and a name that came and went is not. */
static void a_commit_is_told_as_what_it_comes_to(void **state)
{
    (void)state;
    static struct watcher watcher;
    watch(&watcher);
    world_set(&world, "prod/a/BRIEF", "x", 1);
    world_set(&world, "prod/a/C", "1", 1);
    world_set(&world, "prod/a/C", "2", 1);
    world_remove(&world, "prod/a/BRIEF");
    world_commit(&world);
    assert_string_equal(heard(&watcher), "a:CREATE|C a:OPEN|C a:MODIFY|C a:CLOSE_WRITE|C");
    watcher_release(&watcher);
}

/* In another mount namespace, on a bind of the directory and on one of the file. */
static void in_every_namespace_and_through_binds(void **state)
{
    (void)state;
    static struct watcher watcher;
    int ends[2];
    char byte = 0, directory[128], file[128];
    watcher_init(&watcher);
    watcher_add(&watcher, "end", world_path(&world, "prod/z/END"), EVERYTHING);
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends), 0);
    snprintf(directory, sizeof(directory), "%s/bind", world.folder);
    snprintf(file, sizeof(file), "%s/file", world.folder);
    assert_int_equal(mkdir(directory, 0700), 0);
    int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
    close(fd);
    pid_t pid = fork();
    if (pid == 0) { /* the watches stay in the parent's instance, the mounts here */
        if (unshare(CLONE_NEWNS) < 0 ||
            mount(world_path(&world, "prod/a"), directory, NULL, MS_BIND, NULL) < 0 ||
            mount(world_path(&world, "prod/a/A"), file, NULL, MS_BIND, NULL) < 0 ||
            inotify_add_watch(watcher.fd, directory, EVERYTHING) < 0 ||
            inotify_add_watch(watcher.fd, file, EVERYTHING) < 0)
            _exit(1);
        stream_write(ends[1], &byte, 1);
        stream_read(ends[1], &byte, 1);
        char value[8] = "";
        fd = open(file, O_RDONLY | O_CLOEXEC);
        _exit(read(fd, value, sizeof(value)) == 6 && memcmp(value, "inside", 6) == 0 ? 0 : 2);
    }
    assert_true(stream_read(ends[0], &byte, 1));
    set("prod/a/A", "inside");
    const char *text = heard(&watcher);
    /* of the directory and of the file, as watches that have no name in this test */
    assert_string_equal(text, "?:OPEN|A ?:OPEN ?:MODIFY|A ?:MODIFY ?:CLOSE_WRITE|A ?:CLOSE_WRITE");
    set("prod/a/N", "x");
    assert_string_equal(heard(&watcher), "?:CREATE|N ?:OPEN|N ?:MODIFY|N ?:CLOSE_WRITE|N");
    world_remove(&world, "prod/a/N");
    world_commit(&world);
    assert_string_equal(heard(&watcher), "?:DELETE|N");
    stream_write(ends[0], &byte, 1);
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(status, 0);
    close(ends[0]);
    close(ends[1]);
    watcher_release(&watcher);
}

static void refused(int result)
{
    assert_int_equal(result, -1);
    assert_int_equal(errno, EROFS);
}

static void nobody_else_may_write(void **state)
{
    (void)state;
    int mount_fd;
    struct stat st;
    const struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_nsec = UTIME_NOW}};
    assert_int_equal(mount_writable(&mount_fd, world.super.fuse_fd), 0);
    refused(mknodat(mount_fd, "prod/a/MINE", S_IFREG | 0600, 0));
    refused(mkdirat(mount_fd, "prod/mine", 0700));
    refused(mkdirat(mount_fd, "mine", 0700));
    refused(unlinkat(mount_fd, "prod/a/A", 0));
    refused(unlinkat(mount_fd, "prod/a", AT_REMOVEDIR));
    refused(openat(mount_fd, "prod/a/A", O_WRONLY | O_CLOEXEC));
    refused(openat(mount_fd, "prod/a/A", O_RDWR | O_CLOEXEC));
    refused(openat(mount_fd, "prod/a/A", O_WRONLY | O_TRUNC | O_CLOEXEC));
    refused(openat(mount_fd, "prod/a/MINE", O_WRONLY | O_CREAT | O_CLOEXEC, 0600));
    refused(utimensat(mount_fd, "prod/a/A", times, 0));
    refused(fchmodat(mount_fd, "prod/a/A", 0666, 0));
    refused(renameat(mount_fd, "prod/a/A", mount_fd, "prod/a/B"));
    refused(symlinkat("x", mount_fd, "prod/a/L"));
    /* and it is all there */
    assert_int_equal(fstatat(mount_fd, "prod/a/A", &st, 0), 0);
    assert_int_equal(fstatat(mount_fd, "prod/a/MINE", &st, 0), -1);
    close(mount_fd);
}

/* Names in step: four readers look for names all the time; no name is ever seen whose event does
 * not come, and none is missed. */

#define NAMES 16

static atomic_bool over;
static atomic_int looks;

static void *look_for_names(void *arg)
{
    char path[256];
    (void)arg;
    for (unsigned i = 0; !atomic_load(&over); i++) {
        struct stat st;
        snprintf(path, sizeof(path), "%s/prod/race/N%u", world.mount, i % NAMES);
        if (stat(path, &st) < 0 && errno != ENOENT)
            give_up("stat '%s'", path);
        if (i % 64 == 0) {
            int fd = open(path, O_RDONLY | O_CLOEXEC);
            if (fd >= 0)
                close(fd);
        }
        atomic_fetch_add(&looks, 1);
    }
    return NULL;
}

static void no_name_is_seen_without_its_event(void **state)
{
    (void)state;
    static struct watcher watcher;
    pthread_t readers[4];
    bool there[NAMES] = {false}, told[NAMES] = {false};
    unsigned changes = 0, events = 0;
    uint64_t seed = 0x5eed0003;
    const char *wanted = getenv("EMSA_TEST_SEED"), *many = getenv("EMSA_TEST_ROUNDS");
    unsigned rounds = many ? (unsigned)strtoul(many, NULL, 10) : 200;
    if (wanted)
        seed = strtoull(wanted, NULL, 0);
    printf("seed %#llx\n", (unsigned long long)seed);
    set("prod/race/KEPT", "x");
    watcher_init(&watcher);
    watcher_add(&watcher, "race", world_path(&world, "prod/race"), IN_CREATE | IN_DELETE);
    watcher_add(&watcher, "end", world_path(&world, "prod/z/END"), IN_CLOSE_WRITE);
    atomic_store(&over, false);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, look_for_names, NULL), 0);
    for (unsigned i = 0; i < rounds; i++) {
        char path[64];
        unsigned which = (unsigned)(number_next(&seed) % NAMES);
        snprintf(path, sizeof(path), "prod/race/N%u", which);
        if (there[which])
            world_remove(&world, path);
        else
            world_set(&world, path, "x", 1);
        there[which] = !there[which];
        changes++;
        world_commit_patiently(&world);
    }
    world_set(&world, "prod/z/END", "over", 4);
    world_commit_patiently(&world);
    atomic_store(&over, true);
    for (int i = 0; i < 4; i++)
        pthread_join(readers[i], NULL);
    for (;;) {
        const char *name;
        const struct inotify_event *event = watcher_next(&watcher, &name);
        if (name && strcmp(name, "end") == 0)
            break;
        unsigned long which = strtoul(event->name + 1, NULL, 10);
        assert_true(which < NAMES);
        /* in turn: never twice the same, never one without the other */
        assert_int_equal(told[which], !(event->mask & IN_CREATE));
        told[which] = !told[which];
        events++;
    }
    printf("%u changes, %u events, %d looks\n", changes, events, atomic_load(&looks));
    assert_int_equal(events, changes);
    assert_memory_equal(there, told, sizeof(there));
    watcher_release(&watcher);
}

/* Server and notifier die at any moment of a stream of commits: of every key the last event comes
 * after its last value can be read. */
static void every_last_value_is_told_whoever_dies(void **state)
{
    (void)state;
    static struct watcher watcher;
    char wanted[NAMES][24] = {{0}}, seen[NAMES][24] = {{0}}, path[64];
    uint64_t seed = 0x5eed0002;
    const char *many = getenv("EMSA_TEST_ROUNDS");
    unsigned rounds = many ? (unsigned)strtoul(many, NULL, 10) : 200;
    for (unsigned i = 0; i < NAMES; i++) {
        snprintf(path, sizeof(path), "prod/deaths/K%u", i);
        set(path, "first");
    }
    watcher_init(&watcher);
    watcher_add(&watcher, "deaths", world_path(&world, "prod/deaths"), IN_CLOSE_WRITE);
    watcher_add(&watcher, "end", world_path(&world, "prod/z/END"), IN_CLOSE_WRITE);
    for (unsigned i = 0; i < rounds; i++) {
        unsigned which = (unsigned)(number_next(&seed) % NAMES);
        snprintf(wanted[which], sizeof(wanted[which]), "value %u", i);
        snprintf(path, sizeof(path), "prod/deaths/K%u", which);
        world_set(&world, path, wanted[which], strlen(wanted[which]));
        world_commit(&world);
        if (number_next(&seed) % 8 != 0)
            continue;
        bool both = number_next(&seed) % 2;
        if (both)
            world_notifier_kill(&world);
        world_server_kill(&world);
        if (both)
            world_notifier_start(&world);
        world_server_start(&world);
    }
    set("prod/z/END", "all of them");
    for (;;) {
        const char *name;
        const struct inotify_event *event = watcher_next(&watcher, &name);
        if (name && strcmp(name, "end") == 0)
            break;
        unsigned long which = strtoul(event->name + 1, NULL, 10);
        assert_true(which < NAMES);
        snprintf(path, sizeof(path), "prod/deaths/K%lu", which);
        int fd = open(world_path(&world, path), O_RDONLY | O_CLOEXEC);
        ssize_t size = read(fd, seen[which], sizeof(seen[which]) - 1);
        assert_true(size > 0);
        seen[which][size] = 0;
        close(fd);
    }
    for (unsigned i = 0; i < NAMES; i++)
        if (wanted[i][0])
            assert_string_equal(seen[i], wanted[i]);
    watcher_release(&watcher);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_change_as_an_ordinary_edit),
        cmocka_unit_test(directories_too),
        cmocka_unit_test(a_commit_is_told_as_what_it_comes_to),
        cmocka_unit_test(in_every_namespace_and_through_binds),
        cmocka_unit_test(nobody_else_may_write),
        cmocka_unit_test(no_name_is_seen_without_its_event),
        cmocka_unit_test(every_last_value_is_told_whoever_dies),
    };
    return cmocka_run_group_tests_name("events", tests, make, end);
}
