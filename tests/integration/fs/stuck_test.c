/* Threads that hang in an answer, as on a page of a disk that has stopped: everybody else goes on,
 * also when more hang than there were threads, and those that hang are answered when they can be.
 * Linked so that looking for one node blocks until the test says otherwise. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/state.h"
#include "fs/tree.h"
#include "tests/integration/fs/server.h"
#include "tests/integration/fs/world.h"

#define THREADS 4 /* of a test's server */

static struct world world;
static int gate[2]; /* a byte lets one go on */

struct shared {
    _Atomic uint64_t node;    /* who looks for it hangs */
    _Atomic unsigned hanging; /* threads of the server */
};
static struct shared *shared;

int __real_tree_find(struct snapshot *snapshot, struct place *out, uint64_t id);
int __wrap_tree_find(struct snapshot *snapshot, struct place *out, uint64_t id);
int __wrap_tree_find(struct snapshot *snapshot, struct place *out, uint64_t id)
{
    char byte;
    if (id != 0 && id == atomic_load(&shared->node)) {
        atomic_fetch_add(&shared->hanging, 1);
        while (read(gate[0], &byte, 1) < 0 && errno == EINTR)
            ;
        atomic_fetch_sub(&shared->hanging, 1);
    }
    return __real_tree_find(snapshot, out, id);
}

/* Nothing is remembered, so that every OPEN looks. */
uint64_t __wrap_snapshot_newest(const struct snapshot *snapshot);
uint64_t __wrap_snapshot_newest(const struct snapshot *snapshot)
{
    (void)snapshot;
    return 0;
}

static void must_read(const char *path, const char *expected)
{
    char data[64];
    int fd = open(world_path(&world, path), O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, data, sizeof(data));
    if (n != (ssize_t)strlen(expected) || memcmp(data, expected, (size_t)n) != 0)
        give_up("'%s' cannot be read", path);
    close(fd);
}

static pid_t reader(const char *path, const char *expected)
{
    fflush(NULL);
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    must_read(path, expected);
    _exit(0);
}

static void let_go(unsigned count)
{
    char bytes[64] = {0};
    atomic_store(&shared->node, 0);
    assert_int_equal(write(gate[1], bytes, count), count);
}

static void wait_hanging(unsigned count)
{
    while (atomic_load(&shared->hanging) < count)
        sched_yield();
}

static void must_end(pid_t pids[], unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        int status;
        assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
        assert_int_equal(status, 0);
    }
}

static void begin(void)
{
    struct stat st;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    assert_int_equal(pipe2(gate, O_CLOEXEC), 0);
    world_make(&world, NULL);
    world_environment_add(&world, "prod");
    world_set(&world, "prod/a/HANGS", "hangs", 5);
    world_set(&world, "prod/a/GOES", "goes", 4);
    world_commit(&world);
    must_read("prod/a/HANGS", "hangs");
    must_read("prod/a/GOES", "goes");
    assert_int_equal(stat(world_path(&world, "prod/a/HANGS"), &st), 0);
    /* what a thread looked up before is good until the next commit; now all look again */
    world_set(&world, "prod/a/OTHER", "other", 5);
    world_commit(&world);
    atomic_store(&shared->node, st.st_ino);
}

static void end(void)
{
    world_end(&world);
    close(gate[0]);
    close(gate[1]);
    munmap(shared, sizeof(*shared));
}

/* Several at once: so that one that was given up and others share a view. */
static void read_in_parallel(void)
{
    pid_t pids[THREADS];
    for (unsigned i = 0; i < THREADS; i++) {
        fflush(NULL);
        pids[i] = fork();
        if (pids[i] != 0)
            continue;
        for (unsigned n = 0; n < 200; n++)
            must_read("prod/a/GOES", "goes");
        _exit(0);
    }
    must_end(pids, THREADS);
}

static unsigned threads(void)
{
    char path[64];
    unsigned count = 0;
    snprintf(path, sizeof(path), "/proc/%d/task", (int)world.server);
    DIR *tasks = opendir(path);
    for (struct dirent *entry; tasks && (entry = readdir(tasks));)
        count += entry->d_name[0] != '.';
    if (tasks)
        closedir(tasks);
    return count;
}

static void others_go_on(unsigned hang)
{
    pid_t pids[2 * REQUEST_SLOTS];
    begin();
    unsigned before = threads();
    for (unsigned i = 0; i < hang; i++)
        pids[i] = reader("prod/a/HANGS", "hangs");
    wait_hanging(hang);
    for (unsigned n = 0; n < 200; n++)
        must_read("prod/a/GOES", "goes");
    read_in_parallel();
    let_go(hang);
    must_end(pids, hang);
    while (threads() > before) /* those that were added leave again */
        read_in_parallel();
    end();
}

static void one_thread_hangs(void **state)
{
    (void)state;
    others_go_on(1);
}

static void more_hang_than_there_were_threads(void **state)
{
    (void)state;
    others_go_on(THREADS + 6);
}

/* Then there is nobody left to answer, until they are let go. */
static void all_that_can_be_started_hang(void **state)
{
    (void)state;
    pid_t pids[REQUEST_SLOTS + 8];
    begin();
    for (unsigned i = 0; i < REQUEST_SLOTS + 8; i++)
        pids[i] = reader("prod/a/HANGS", "hangs");
    wait_hanging(REQUEST_SLOTS);
    pid_t waits = reader("prod/a/GOES", "goes");
    let_go(REQUEST_SLOTS);
    must_end(pids, REQUEST_SLOTS + 8);
    must_end(&waits, 1);
    read_in_parallel();
    end();
}

/* A server that is killed while threads hang: the next one has more in its hands than threads. */
static void killed_while_they_hang(const struct view_options *options)
{
    pid_t pids[THREADS + 6];
    begin();
    if (!world.super.has_resend && !options->replay) {
        end();
        skip();
    }
    for (unsigned i = 0; i < THREADS + 6; i++)
        pids[i] = reader("prod/a/HANGS", "hangs");
    wait_hanging(THREADS + 6);
    world.view.replay =
        options->replay; /* of the next server, and whether the kernel sends again */
    atomic_store(&shared->hanging, 0);
    world_server_kill(&world);
    world_server_start(&world);
    wait_hanging(THREADS + 6);
    for (unsigned n = 0; n < 200; n++)
        must_read("prod/a/GOES", "goes");
    let_go(THREADS + 6);
    must_end(pids, THREADS + 6);
    read_in_parallel();
    end();
}

static void the_kernel_sends_it_again(void **state)
{
    (void)state;
    const struct view_options options = {0};
    killed_while_they_hang(&options);
}

static void the_next_server_finds_it(void **state)
{
    (void)state;
    const struct view_options options = {.replay = 1};
    killed_while_they_hang(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_thread_hangs),
        cmocka_unit_test(more_hang_than_there_were_threads),
        cmocka_unit_test(all_that_can_be_started_hang),
        cmocka_unit_test(the_kernel_sends_it_again),
        cmocka_unit_test(the_next_server_finds_it),
    };
    return cmocka_run_group_tests_name("stuck", tests, NULL, NULL);
}
