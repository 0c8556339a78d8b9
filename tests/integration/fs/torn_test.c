/* Readers in loops while values change between 3 and 60,000 bytes: every read from the start is one
 * whole value, by large and small buffers, new descriptors and held ones. */
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/fs/values.h"
#include "tests/integration/fs/world.h"
#include "tests/support/store/trial.h"

#define KEYS 8
#define READERS 4
#define COMMITS 500 /* acceptance/torn makes many more, by the daemon */
#define MOST 60000

static struct world world;

struct shared { /* with the readers */
    _Atomic bool stop;
    _Atomic uint64_t reads, errors, torn;
    char complaint[256];
};
static struct shared *shared;

static void key_path(char out[static 32], unsigned key)
{
    snprintf(out, 32, "prod/a/K%u", key);
}

static void set_all(uint64_t *seed)
{
    static unsigned char value[MOST];
    char path[32];
    for (unsigned key = 0; key < KEYS; key++) {
        size_t size = 3 + number_next(seed) % (MOST - 2);
        value_make(value, size, number_next(seed));
        key_path(path, key);
        if (key % 2)
            world_set_secret(&world, path, value, size);
        else
            world_set(&world, path, value, size);
    }
    world_commit(&world);
}

static void complain(const char *how, unsigned key, ssize_t got, const unsigned char *data)
{
    snprintf(shared->complaint, sizeof(shared->complaint),
             "%s key %u: %zd bytes, errno %d, says %d", how, key, got, errno,
             got > 1 ? data[0] | data[1] << 8 : -1);
}

/* Reads from where the descriptor stands to the end, by pieces of step. */
static ssize_t read_pieces(int fd, unsigned char *data, size_t size, size_t step)
{
    size_t used = 0;
    for (;;) {
        ssize_t n = read(fd, data + used, step < size - used ? step : size - used);
        if (n < 0)
            return -1;
        if (n == 0)
            return (ssize_t)used;
        used += (size_t)n;
    }
}

static void judge(const char *how, unsigned key, ssize_t got, const unsigned char *data)
{
    shared->reads++;
    if (got < 0)
        shared->errors++;
    else if (!value_whole(data, (size_t)got))
        shared->torn++;
    else
        return;
    complain(how, key, got, data);
}

static void reader(unsigned number)
{
    static unsigned char data[128 * 1024];
    static const size_t steps[] = {sizeof(data), 4096, 777, 65536};
    int held[KEYS];
    char path[32];
    uint64_t seed = number;
    for (unsigned key = 0; key < KEYS; key++) {
        key_path(path, key);
        held[key] = open(world_path(&world, path), O_RDONLY);
    }
    while (!shared->stop) {
        unsigned key = (unsigned)(number_next(&seed) % KEYS);
        key_path(path, key);
        int fd = open(world_path(&world, path), O_RDONLY);
        size_t step = steps[number_next(&seed) % 4];
        judge("open", key, fd < 0 ? -1 : read_pieces(fd, data, sizeof(data), step), data);
        close(fd);
        judge("pread", key, pread(held[key], data, sizeof(data), 0), data);
        lseek(held[key], 0, SEEK_SET);
        judge("held", key, read_pieces(held[key], data, sizeof(data), step), data);
    }
    _exit(0);
}

static void run(const struct view_options *view, unsigned commits)
{
    pid_t readers[READERS];
    uint64_t seed = 42;
    printf("[   seed   ] 42\n");
    shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    world_make(&world, view);
    world_environment_add(&world, "prod");
    world_commit(&world);
    set_all(&seed);
    fflush(NULL);
    for (unsigned i = 0; i < READERS; i++) {
        readers[i] = fork();
        if (readers[i] == 0)
            reader(i);
    }
    for (unsigned i = 0; i < commits && !shared->torn && !shared->errors; i++)
        set_all(&seed);
    shared->stop = true;
    for (unsigned i = 0; i < READERS; i++)
        waitpid(readers[i], NULL, 0);
    world_end(&world);
    printf("[   reads  ] %llu\n", (unsigned long long)shared->reads);
    if (shared->torn || shared->errors)
        fail_msg("%llu torn, %llu errors; the last: %s", (unsigned long long)shared->torn,
                 (unsigned long long)shared->errors, shared->complaint);
    assert_true(shared->reads > commits);
    munmap(shared, sizeof(*shared));
}

static void no_read_is_torn(void **state)
{
    (void)state;
    run(NULL, trial_scaled(COMMITS));
}

/* Many READs for one read(2). */
static void nor_in_small_pieces(void **state)
{
    (void)state;
    run(&(struct view_options){.max_read = 4096}, trial_scaled(COMMITS / 2));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_read_is_torn),
        cmocka_unit_test(nor_in_small_pieces),
    };
    return cmocka_run_group_tests_name("torn", tests, NULL, NULL);
}
