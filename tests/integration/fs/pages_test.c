/* No page of a secret stays in the page cache: looked at through a descriptor that was opened
 * before, because opening drops the pages and so hides them. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/fs/pages.h"
#include "tests/integration/fs/world.h"

#define SIZE 40000

static struct world world;
static int watch_secret, watch_plain;

static int make(void **state)
{
    (void)state;
    static unsigned char value[SIZE];
    memset(value, 's', sizeof(value));
    world_make(&world, NULL);
    world_environment_add(&world, "prod");
    world_set_secret(&world, "prod/a/SECRET", value, sizeof(value));
    world_set(&world, "prod/a/PLAIN", value, sizeof(value));
    world_commit(&world);
    watch_secret = open(world_path(&world, "prod/a/SECRET"), O_RDONLY);
    watch_plain = open(world_path(&world, "prod/a/PLAIN"), O_RDONLY);
    return watch_secret < 0 || watch_plain < 0;
}

static int end(void **state)
{
    (void)state;
    close(watch_secret);
    close(watch_plain);
    world_end(&world);
    return 0;
}

static uint64_t pages_left(int fd)
{
    return pages_swept(&world, "prod/b/WAIT", fd);
}

static int open_secret(void)
{
    int fd = open(world_path(&world, "prod/a/SECRET"), O_RDONLY);
    assert_true(fd >= 0);
    return fd;
}

static void by_read(void **state)
{
    (void)state;
    char data[SIZE];
    int fd = open_secret();
    assert_int_equal(read(fd, data, sizeof(data)), SIZE);
    assert_int_equal(pages_cached(watch_secret), 0); /* at once: no page was ever made */
    close(fd);
}

static void by_sendfile(void **state)
{
    (void)state;
    int fd = open_secret(), ends[2];
    char data[4096];
    assert_int_equal(pipe(ends), 0);
    assert_true(sendfile(ends[1], fd, NULL, sizeof(data)) > 0);
    assert_true(read(ends[0], data, sizeof(data)) > 0);
    assert_int_equal(data[0], 's');
    close(fd);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(pages_left(watch_secret), 0);
}

static void by_splice(void **state)
{
    (void)state;
    int fd = open_secret(), ends[2];
    assert_int_equal(pipe(ends), 0);
    assert_true(splice(fd, NULL, ends[1], NULL, 16384, 0) > 0);
    close(ends[0]);
    close(ends[1]);
    assert_int_equal(pages_left(watch_secret), 0);
    close(fd);
    assert_int_equal(pages_left(watch_secret), 0);
}

static void by_readahead(void **state)
{
    (void)state;
    int fd = open_secret();
    readahead(fd, 0, SIZE);
    posix_fadvise(fd, 0, SIZE, POSIX_FADV_WILLNEED);
    close(fd);
    assert_int_equal(pages_left(watch_secret), 0);
}

static void map_as(int kind)
{
    int fd = open_secret();
    const volatile char *map = mmap(NULL, SIZE, PROT_READ, kind, fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    for (size_t i = 0; i < SIZE; i += 4096)
        assert_int_equal(map[i], 's');
    assert_int_equal(pages_left(watch_secret), 0);
    assert_int_equal(map[SIZE - 1], 's'); /* it comes again, and goes again */
    assert_int_equal(pages_left(watch_secret), 0);
    munmap((void *)(uintptr_t)map, SIZE);
    close(fd);
    assert_int_equal(pages_left(watch_secret), 0);
}

static void by_mmap(void **state)
{
    (void)state;
    map_as(MAP_PRIVATE);
}

/* As Python and Java do where nothing else is said. */
static void by_shared_mmap(void **state)
{
    (void)state;
    int fd = open_secret();
    void *map = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);
    int error = errno;
    if (map != MAP_FAILED)
        munmap(map, SIZE);
    close(fd);
    if (map == MAP_FAILED && error == ENODEV)
        skip(); /* before Linux 6.6 */
    map_as(MAP_SHARED);
}

static void by_a_process_that_is_killed(void **state)
{
    (void)state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        int fd = open_secret();
        const volatile char *map = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
        char seen = map[8192];
        if (write(ends[1], &seen, 1) == 1)
            pause();
        _exit(1);
    }
    char seen = 0;
    assert_int_equal(read(ends[0], &seen, 1), 1);
    kill(pid, SIGKILL);
    waitpid(pid, NULL, 0);
    assert_int_equal(pages_left(watch_secret), 0);
    close(ends[0]);
    close(ends[1]);
}

/* The server is killed after the answer and before anybody could sweep: the next one does. */
static void by_a_server_that_is_killed(void **state)
{
    (void)state;
    world_notifier_kill(&world);
    int fd = open_secret();
    const volatile char *map = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_int_equal(map[0], 's');
    assert_true(pages_cached(watch_secret) > 0);
    world_server_kill(&world);
    world_notifier_start(&world);
    world_server_start(&world);
    assert_int_equal(pages_left(watch_secret), 0);
    munmap((void *)(uintptr_t)map, SIZE);
    close(fd);
}

/* What is measured is there to be seen: a plain value may stay. */
static void a_plain_value_may_stay(void **state)
{
    (void)state;
    int fd = open(world_path(&world, "prod/a/PLAIN"), O_RDONLY);
    const volatile char *map = mmap(NULL, SIZE, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_int_equal(map[0], 's');
    assert_true(pages_cached(watch_plain) > 0);
    munmap((void *)(uintptr_t)map, SIZE);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(by_read),
        cmocka_unit_test(by_sendfile),
        cmocka_unit_test(by_splice),
        cmocka_unit_test(by_readahead),
        cmocka_unit_test(by_mmap),
        cmocka_unit_test(by_shared_mmap),
        cmocka_unit_test(by_a_process_that_is_killed),
        cmocka_unit_test(by_a_server_that_is_killed),
        cmocka_unit_test(a_plain_value_may_stay),
    };
    return cmocka_run_group_tests_name("pages", tests, make, end);
}
