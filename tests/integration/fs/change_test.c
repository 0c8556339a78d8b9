/* What was published is seen, by whatever way one looks: the value read after a commit was answered
 * is the new one, every time. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/fs/values.h"
#include "tests/integration/fs/world.h"

static struct world world;
static const char *const keys[] = {"prod/a/PLAIN", "prod/a/SECRET"};

static int make(void **state)
{
    (void)state;
    world_make(&world, NULL);
    world_environment_add(&world, "prod");
    world_set(&world, keys[0], "0000", 4);
    world_set_secret(&world, keys[1], "0000", 4);
    world_commit(&world);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static void set(int which, const void *value, size_t size)
{
    if (which == 0)
        world_set(&world, keys[which], value, size);
    else
        world_set_secret(&world, keys[which], value, size);
    world_commit(&world);
}

/* Every way at once, over values of the same and of other lengths. */
static void ways(int which, const struct view_options *view)
{
    (void)view;
    const char *path = world_path(&world, keys[which]);
    static unsigned char value[20000], got[65536];
    uint64_t seed = 1;
    set(which, "0000", 4);
    int held = open(path, O_RDONLY);
    assert_true(held >= 0);
    const volatile unsigned char *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, held, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    /* before Linux 6.6 there is none */
    const volatile unsigned char *shared = mmap(NULL, 4096, PROT_READ, MAP_SHARED, held, 0);
    assert_int_equal(map[0], '0');
    for (int i = 0; i < 200; i++) {
        size_t size = i % 3 ? 100 : 3 + number_next(&seed) % (sizeof(value) - 3);
        struct stat st;
        value_make(value, size, (uint64_t)i);
        set(which, value, size);
        /* the mapping first: nothing else may have helped it */
        if (i % 2)
            assert_int_equal(map[size > 4096 ? 4095 : size - 1],
                             value[size > 4096 ? 4095 : size - 1]);
        if (shared != MAP_FAILED && i % 4 == 1)
            assert_int_equal(shared[0], value[0]);
        assert_int_equal(pread(held, got, sizeof(got), 0), size);
        assert_memory_equal(got, value, size);
        assert_int_equal(fstat(held, &st), 0);
        assert_int_equal(st.st_size, size);
        assert_memory_equal((const void *)(uintptr_t)map, value, size < 4096 ? size : 4096);
        if (shared != MAP_FAILED)
            assert_memory_equal((const void *)(uintptr_t)shared, value, size < 4096 ? size : 4096);
        int fd = open(path, O_RDONLY);
        assert_int_equal(read(fd, got, sizeof(got)), size);
        assert_memory_equal(got, value, size);
        close(fd);
    }
    munmap((void *)(uintptr_t)map, 4096);
    if (shared != MAP_FAILED)
        munmap((void *)(uintptr_t)shared, 4096);
    close(held);
}

static void plain_by_every_way(void **state)
{
    (void)state;
    ways(0, NULL);
}

static void secret_by_every_way(void **state)
{
    (void)state;
    ways(1, NULL);
}

static void by_sendfile_on_a_held_descriptor(void **state)
{
    (void)state;
    char got[16];
    int held = open(world_path(&world, keys[0]), O_RDONLY), ends[2];
    assert_int_equal(pipe(ends), 0);
    for (int i = 0; i < 50; i++) {
        char value[8];
        snprintf(value, sizeof(value), "%04d", i);
        set(0, value, 4);
        off_t at = 0;
        assert_int_equal(sendfile(ends[1], held, &at, 4), 4);
        assert_int_equal(read(ends[0], got, sizeof(got)), 4);
        assert_memory_equal(got, value, 4);
    }
    close(ends[0]);
    close(ends[1]);
    close(held);
}

static int names_in(const char *path, const char *wanted)
{
    DIR *directory = opendir(world_path(&world, path));
    struct dirent *entry;
    int found = 0;
    while (directory && (entry = readdir(directory)))
        found += strcmp(entry->d_name, wanted) == 0;
    if (directory)
        closedir(directory);
    return found;
}

static void names_come_and_go(void **state)
{
    (void)state;
    struct stat st;
    for (int i = 0; i < 20; i++) {
        assert_int_equal(stat(world_path(&world, "prod/a/NAME"), &st), -1);
        assert_int_equal(errno, ENOENT);
        assert_int_equal(names_in("prod/a", "NAME"), 0);
        world_set(&world, "prod/a/NAME", "x", 1);
        world_commit(&world);
        assert_int_equal(stat(world_path(&world, "prod/a/NAME"), &st), 0);
        ino_t before = st.st_ino;
        assert_int_equal(names_in("prod/a", "NAME"), 1);
        assert_int_equal(stat(world_path(&world, "prod/a"), &st), 0);
        world_remove(&world, "prod/a/NAME");
        world_commit(&world);
        assert_int_equal(stat(world_path(&world, "prod/a/NAME"), &st), -1);
        assert_int_equal(names_in("prod/a", "NAME"), 0);
        world_set(&world, "prod/a/NAME", "y", 1);
        world_commit(&world);
        assert_int_equal(stat(world_path(&world, "prod/a/NAME"), &st), 0);
        assert_int_equal(st.st_ino, before); /* the same place */
        world_remove(&world, "prod/a/NAME");
        world_commit(&world);
    }
}

static void services_and_environments_come_and_go(void **state)
{
    (void)state;
    struct stat st;
    ino_t last = 0;
    for (int i = 0; i < 5; i++) {
        assert_int_equal(stat(world_path(&world, "prod/extra"), &st), -1);
        world_service_add(&world, "prod/extra");
        world_commit(&world);
        assert_int_equal(stat(world_path(&world, "prod/extra"), &st), 0);
        assert_int_equal(names_in("prod", "extra"), 1);
        assert_true(st.st_ino != last); /* made again: another directory */
        last = st.st_ino;
        world_service_remove(&world, "prod/extra");
        world_commit(&world);
        assert_int_equal(names_in("prod", "extra"), 0);
        assert_int_equal(stat(world_path(&world, "brief"), &st), -1);
        world_environment_add(&world, "brief");
        world_set(&world, "brief/s/K", "v", 1);
        world_commit(&world);
        assert_int_equal(stat(world_path(&world, "brief/s/K"), &st), 0);
        assert_int_equal(names_in("", "brief"), 1);
        world_remove(&world, "brief/s/K");
        world_service_remove(&world, "brief/s");
        world_environment_remove(&world, "brief");
        world_commit(&world);
        assert_int_equal(stat(world_path(&world, "brief"), &st), -1);
        assert_int_equal(names_in("", "brief"), 0);
    }
}

/* As an unlinked file does elsewhere: who has it open goes on reading what it was. */
static void a_removed_key_is_readable_by_who_has_it_open(void **state)
{
    (void)state;
    char got[8];
    struct stat st;
    world_set(&world, "prod/a/GONE", "last", 4);
    world_commit(&world);
    int held = open(world_path(&world, "prod/a/GONE"), O_RDONLY);
    assert_int_equal(pread(held, got, sizeof(got), 0), 4);
    world_set(&world, "prod/a/GONE", "the last", 8);
    world_commit(&world);
    world_remove(&world, "prod/a/GONE");
    world_commit(&world);
    assert_int_equal(open(world_path(&world, "prod/a/GONE"), O_RDONLY), -1);
    assert_int_equal(fstat(held, &st), 0); /* cat asks before it reads */
    assert_int_equal(st.st_size, 8);
    assert_int_equal(st.st_nlink, 0);
    assert_int_equal(pread(held, got, sizeof(got), 2), 2); /* going on in what it began */
    assert_int_equal(pread(held, got, sizeof(got), 0), 8); /* what fstat shows the size of */
    assert_memory_equal(got, "the last", 8);
    assert_int_equal(pread(held, got, sizeof(got), 4), 4);
    world_set(&world, "prod/a/GONE", "again", 5);
    world_commit(&world);
    assert_int_equal(pread(held, got, sizeof(got), 0), 5);
    assert_memory_equal(got, "again", 5);
    assert_int_equal(fstat(held, &st), 0);
    assert_int_equal(st.st_size, 5);
    assert_int_equal(st.st_nlink, 1);
    close(held);
}

/* A read that goes on further along stays with what it began with. */
static void a_read_continues_its_revision(void **state)
{
    (void)state;
    static unsigned char first[9000], second[5000], got[12000];
    value_make(first, sizeof(first), 1);
    value_make(second, sizeof(second), 2);
    for (int which = 0; which < 2; which++) {
        set(which, first, sizeof(first));
        int fd = open(world_path(&world, keys[which]), O_RDONLY);
        assert_int_equal(read(fd, got, 3000), 3000);
        set(which, second, sizeof(second));
        assert_int_equal(read(fd, got + 3000, 3000), 3000);
        assert_int_equal(read(fd, got + 6000, 6000), 3000);
        assert_memory_equal(got, first, sizeof(first));
        assert_int_equal(pread(fd, got, sizeof(got), 0), sizeof(second));
        assert_memory_equal(got, second, sizeof(second));
        close(fd);
    }
}

static void read_is(int fd, const char *wanted)
{
    char got[64];
    ssize_t size = read(fd, got, sizeof(got));
    assert_int_equal(size, strlen(wanted));
    assert_memory_equal(got, wanted, (size_t)size);
}

/* A loop over a value reads the end once; who asks again there waits for what is added. */
static void what_is_added_is_seen_at_the_end(void **state)
{
    (void)state;
    char got[64];
    for (int which = 0; which < 2; which++) {
        set(which, "one", 3);
        int fd = open(world_path(&world, keys[which]), O_RDONLY);
        assert_int_equal(read(fd, got, 3), 3); /* just up to the end */
        set(which, "one, two", 8);
        read_is(fd, "");
        read_is(fd, ", two");
        read_is(fd, "");
        set(which, "one, two, three", 15);
        read_is(fd, ", three"); /* the end of the one before was read already */
        read_is(fd, "");
        world_server_kill(&world);
        world_server_start(&world);
        set(which, "one, two, three, four", 21);
        read_is(fd, ", four");
        set(which, "one, two, three, four, five", 27); /* no end yet since */
        read_is(fd, "");
        set(which, "six", 3);
        read_is(fd, "");
        assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
        read_is(fd, "six");
        read_is(fd, "");
        set(which, "six, seven", 10);
        assert_int_equal(pread(fd, got, 2, 1), 2); /* goes on in what it has read */
        read_is(fd, "");
        read_is(fd, ", seven");
        close(fd);
    }
}

static void a_pin_outlives_the_server(void **state)
{
    (void)state;
    static unsigned char first[9000], second[5000], got[12000];
    value_make(first, sizeof(first), 3);
    value_make(second, sizeof(second), 4);
    set(0, first, sizeof(first));
    int fd = open(world_path(&world, keys[0]), O_RDONLY);
    assert_int_equal(read(fd, got, 3000), 3000);
    set(0, second, sizeof(second));
    world_server_kill(&world);
    world_server_start(&world);
    assert_int_equal(read(fd, got + 3000, 6000), 6000);
    assert_memory_equal(got, first, sizeof(first));
    assert_int_equal(pread(fd, got, sizeof(got), 0), sizeof(second));
    close(fd);
}

/* Killed between the commit and what the kernel is told: here, with no notifier to tell it. */
static void a_new_server_tells_what_the_dead_one_could_not(void **state)
{
    (void)state;
    struct stat st;
    struct fs_status status;
    set(0, "before", 6);
    assert_int_equal(stat(world_path(&world, keys[0]), &st), 0);
    assert_int_equal(st.st_size, 6);
    world_notifier_kill(&world);
    world_set(&world, keys[0], "afterwards", 10);
    uint64_t rev = world_commit_late(&world);
    world_server_kill(&world);
    world_notifier_start(&world);
    world_server_start(&world);
    /* the next commit is answered when all before it is told too */
    world_set(&world, "prod/a/OTHER", "x", 1);
    world_commit(&world);
    world_status(&world, &status);
    assert_true(status.published > rev);
    assert_int_equal(stat(world_path(&world, keys[0]), &st), 0);
    assert_int_equal(st.st_size, 10);
}

static void a_new_notifier_goes_on(void **state)
{
    (void)state;
    for (int i = 0; i < 5; i++) {
        struct stat st;
        world_notifier_kill(&world);
        world_server_kill(&world);
        world_notifier_start(&world);
        world_server_start(&world);
        set(0, "xyzzyxyzzy", (size_t)i + 4);
        assert_int_equal(stat(world_path(&world, keys[0]), &st), 0);
        assert_int_equal(st.st_size, i + 4);
    }
}

static int64_t listed(const char *path, int how)
{
    struct statx is;
    assert_int_equal(statx(AT_FDCWD, world_path(&world, path), how, STATX_MTIME, &is), 0);
    return is.stx_mtime.tv_sec * 1000000000 + is.stx_mtime.tv_nsec;
}

/* What the kernel has kept of a directory's time, and what the server says. */
static void is_listed_as_told(const char *path)
{
    const int64_t kept = listed(path, AT_STATX_SYNC_AS_STAT);
    assert_int_equal(kept, listed(path, AT_STATX_FORCE_SYNC));
}

/* Of a directory whose names are what they were the kernel is told nothing, and it keeps its time
 * for long: so that is what it was as well. */
static void what_comes_and_goes_at_once_lists_nothing(void **state)
{
    (void)state;
    world_service_add(&world, "prod/a");
    world_commit(&world);
    const int64_t before = listed("prod", 0), names = listed("prod/a", 0);
    world_service_add(&world, "prod/passing");
    world_service_remove(&world, "prod/passing");
    world_set(&world, "prod/a/PASSING", "x", 1);
    world_remove(&world, "prod/a/PASSING");
    world_commit(&world);
    is_listed_as_told("prod");
    is_listed_as_told("prod/a");
    assert_int_equal(listed("prod", 0), before);
    assert_int_equal(listed("prod/a", 0), names);
}

/* A view that was away while a name came, by one commit, and went, by another, has no name to make
 * or remove: and the time of that is news all the same. */
static void what_comes_and_goes_unseen_is_listed(void **state)
{
    (void)state;
    const int64_t before = listed("prod", 0), names = listed("prod/a", 0);
    world_notifier_kill(&world);
    world_service_add(&world, "prod/passing");
    world_set(&world, "prod/a/PASSING", "x", 1);
    world_commit_late(&world);
    world_service_remove(&world, "prod/passing");
    world_remove(&world, "prod/a/PASSING");
    world_commit_late(&world);
    world_server_kill(&world);
    world_notifier_start(&world);
    world_server_start(&world);
    set(0, "told", 4);
    is_listed_as_told("prod");
    is_listed_as_told("prod/a");
    assert_true(listed("prod", 0) > before);
    assert_true(listed("prod/a", 0) > names);
}

/* A mount of one file stays live while its key exists. */
static void a_mount_of_one_file_follows(void **state)
{
    (void)state;
    char path[128], got[16];
    snprintf(path, sizeof(path), "%s/file", world.folder);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    set(0, "one", 3);
    assert_int_equal(mount(world_path(&world, keys[0]), path, NULL, MS_BIND, NULL), 0);
    for (int i = 0; i < 20; i++) {
        int n = snprintf(got, sizeof(got), "value%d", i * i * i);
        set(0, got, (size_t)n);
        struct stat st;
        char back[16];
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_size, n);
        fd = open(path, O_RDONLY);
        assert_int_equal(read(fd, back, sizeof(back)), n);
        assert_memory_equal(got, back, (size_t)n);
        close(fd);
    }
    assert_int_equal(umount2(path, MNT_DETACH), 0);
}

/* With `cache` the kernel answers by itself, and after an event the whole new value is there. */
static void a_view_that_caches_follows_too(void **state)
{
    (void)state;
    struct world kept = world;
    struct view_options view = {.cache = 1};
    world_make(&world, &view);
    world_environment_add(&world, "prod");
    world_commit(&world);
    set(0, "0000", 4);
    set(1, "0000", 4);
    ways(0, NULL);
    ways(1, NULL);
    struct fs_status before, after;
    char got[16];
    set(0, "cached", 6);
    int fd = open(world_path(&world, keys[0]), O_RDONLY);
    assert_int_equal(read(fd, got, sizeof(got)), 6);
    world_status(&world, &before);
    for (int i = 0; i < 100; i++)
        assert_int_equal(pread(fd, got, sizeof(got), 0), 6);
    world_status(&world, &after);
    assert_int_equal(before.reads, after.reads);
    close(fd);
    world_end(&world);
    world = kept;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_by_every_way),
        cmocka_unit_test(secret_by_every_way),
        cmocka_unit_test(by_sendfile_on_a_held_descriptor),
        cmocka_unit_test(names_come_and_go),
        cmocka_unit_test(services_and_environments_come_and_go),
        cmocka_unit_test(a_removed_key_is_readable_by_who_has_it_open),
        cmocka_unit_test(a_read_continues_its_revision),
        cmocka_unit_test(what_is_added_is_seen_at_the_end),
        cmocka_unit_test(a_pin_outlives_the_server),
        cmocka_unit_test(a_new_server_tells_what_the_dead_one_could_not),
        cmocka_unit_test(a_new_notifier_goes_on),
        cmocka_unit_test(what_comes_and_goes_at_once_lists_nothing),
        cmocka_unit_test(what_comes_and_goes_unseen_is_listed),
        cmocka_unit_test(a_mount_of_one_file_follows),
        cmocka_unit_test(a_view_that_caches_follows_too),
    };
    return cmocka_run_group_tests_name("change", tests, make, end);
}
