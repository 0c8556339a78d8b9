/* The server is killed in a loop under readers: no error, no half value, no hang. Once where the
 * kernel sends again what it had in its hands, once where the shared memory has it. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/fs/values.h"
#include "tests/integration/fs/world.h"
#include "tests/support/store/trial.h"

#define KEYS 6
#define READERS 4
#define MOST 30000
#define MAPPED                                                                                     \
    3000 /* K0 always, which is mapped: a mapping shows a new length later than the bytes */

static struct world world;

struct shared {
    _Atomic bool stop;
    _Atomic uint64_t reads, errors, torn, worst;
    _Atomic uint64_t turns[READERS]; /* of each reader, so that one that hangs is seen */
    char complaint[256];
};
static struct shared *shared;

static unsigned kills(void)
{
    const char *text = getenv("EMSA_TEST_KILLS");
    return text ? (unsigned)strtoul(text, NULL, 10) : trial_scaled(200);
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_nsec / 1000;
}

static void set_all(uint64_t *seed)
{
    static unsigned char value[MOST];
    char path[32];
    for (unsigned key = 0; key < KEYS; key++) {
        size_t size = key == 0 ? MAPPED : 3 + number_next(seed) % (MOST - 2);
        value_make(value, size, number_next(seed));
        snprintf(path, sizeof(path), "prod/a/K%u", key);
        if (key % 2)
            world_set_secret(&world, path, value, size);
        else
            world_set(&world, path, value, size);
    }
    world_commit(&world);
}

static void bad(_Atomic uint64_t *what, const char *how, ssize_t n)
{
    ++*what;
    snprintf(shared->complaint, sizeof(shared->complaint), "%s: %zd, errno %d (%s)", how, n, errno,
             strerror(errno));
}

static void check(const char *how, ssize_t n, const unsigned char *data)
{
    if (n < 0)
        bad(&shared->errors, how, n);
    else if (!value_whole(data, (size_t)n))
        bad(&shared->torn, how, n);
    shared->reads++;
}

/* What is mapped may change while it is looked at, but not a hundred times in a row. */
static void look(const volatile unsigned char *map)
{
    static unsigned char data[MAPPED];
    for (unsigned i = 0; i < 100; i++) {
        for (size_t at = 0; at < sizeof(data); at++)
            data[at] = map[at];
        if (value_whole(data, sizeof(data)))
            return;
    }
    bad(&shared->torn, "mmap", -1);
}

static void list(void)
{
    DIR *directory = opendir(world_path(&world, "prod/a"));
    int found = 0;
    struct dirent *entry;
    errno = 0;
    while (directory && (entry = readdir(directory)))
        found += entry->d_name[0] == 'K';
    if (found != KEYS)
        bad(&shared->errors, "readdir", found);
    if (directory)
        closedir(directory);
}

static void reader(unsigned number)
{
    static unsigned char data[64 * 1024];
    char path[32];
    uint64_t seed = number;
    int held = open(world_path(&world, "prod/a/K0"), O_RDONLY);
    const unsigned char *map = mmap(NULL, MAPPED, PROT_READ, MAP_PRIVATE, held, 0);
    if (map == MAP_FAILED)
        bad(&shared->errors, "mmap", -1);
    while (!shared->stop) {
        uint64_t start = now();
        struct stat st;
        snprintf(path, sizeof(path), "prod/a/K%u", (unsigned)(number_next(&seed) % KEYS));
        switch (number_next(&seed) % 5) {
        case 0:
            check("pread", pread(held, data, sizeof(data), 0), data);
            break;
        case 1:
            list();
            break;
        case 3:
            look(map);
            break;
        case 2:
            if (stat(world_path(&world, path), &st) < 0)
                bad(&shared->errors, "stat", -1);
            if (stat(world_path(&world, "prod/a/NONE"), &st) == 0 || errno != ENOENT)
                bad(&shared->errors, "stat of nothing", -1);
            break;
        default: {
            int fd = open(world_path(&world, path), O_RDONLY);
            check(fd < 0 ? "open" : "read", fd < 0 ? -1 : read(fd, data, sizeof(data)), data);
            close(fd);
        }
        }
        uint64_t took = now() - start;
        if (took > shared->worst)
            shared->worst = took;
        shared->turns[number]++;
    }
    close(held);
    _exit(0);
}

/* Until every reader has come round once more: none hangs. */
static void all_go_on(void)
{
    uint64_t before[READERS];
    for (unsigned i = 0; i < READERS; i++)
        before[i] = shared->turns[i];
    for (unsigned i = 0; i < READERS; i++)
        while (shared->turns[i] < before[i] + 2)
            sched_yield();
}

static void kill_under_readers(const struct view_options *options)
{
    pid_t readers[READERS];
    uint64_t seed = 7;
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    world_make(&world, options);
    if (!world.super.has_resend && !options->replay) {
        world_end(&world);
        skip(); /* Linux before 6.9 cannot send again */
    }
    world_environment_add(&world, "prod");
    world_commit(&world);
    set_all(&seed);
    fflush(NULL);
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = fork();
        if (readers[i] == 0)
            reader(i);
    }
    for (unsigned i = 0; i < kills(); i++) {
        if (i % 4 == 0)
            set_all(&seed);
        all_go_on();
        world_server_kill(&world);
        world_server_start(&world);
    }
    all_go_on();
    shared->stop = true;
    for (unsigned i = 0; i < READERS; i++)
        waitpid(readers[i], NULL, 0);
    world_end(&world);
    printf("[   kills  ] %u, %llu reads, the worst took %llu us\n", kills(),
           (unsigned long long)shared->reads, (unsigned long long)shared->worst);
    if (shared->torn || shared->errors)
        fail_msg("%llu torn, %llu errors; the last: %s", (unsigned long long)shared->torn,
                 (unsigned long long)shared->errors, shared->complaint);
}

static void no_reader_notices(void **state)
{
    (void)state;
    const struct view_options options = {0};
    kill_under_readers(&options);
}

static void nor_where_the_kernel_cannot_send_again(void **state)
{
    (void)state;
    const struct view_options options = {.replay = 1};
    kill_under_readers(&options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_reader_notices),
        cmocka_unit_test(nor_where_the_kernel_cannot_send_again),
    };
    return cmocka_run_group_tests_name("kill", tests, NULL, NULL);
}
