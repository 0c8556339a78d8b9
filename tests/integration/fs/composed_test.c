/* What is put together from others' values: as exact, as whole and as secret as any value. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/fs/pages.h"
#include "tests/integration/fs/values.h"
#include "tests/integration/fs/world.h"
#include "tests/support/store/trial.h"

#define MOST 60000
#define COMMITS 300

static struct world world;

static void put(const char *path, const char *value)
{
    world_set(&world, path, value, strlen(value));
}

static void put_secret(const char *path, const char *value)
{
    world_set_secret(&world, path, value, strlen(value));
}

/* What is a secret becomes plain by being another: one commit, in which nobody sees it gone. */
static void put_plain_again(const char *path, const char *value)
{
    world_remove(&world, path);
    put(path, value);
}

/* PLAIN and SECRET are put together from PART and KEY; FLIP from what is one and then the other. */
static void fill(const struct view_options *view)
{
    world_make(&world, view);
    world_environment_add(&world, "prod");
    put("prod/a/PART", "a part");
    put_secret("prod/a/KEY", "a secret of some length");
    put_secret("prod/keys/ROOT", "the root of all keys, 1");
    world_share(&world, "prod/keys/ROOT", "a");
    put("prod/a/CHANGING", "plain at first");
    world_set_template(&world, "prod/a/PLAIN", "<${PART}>");
    world_set_template(&world, "prod/a/SECRET", "<${PART}:${KEY}>");
    world_set_template(&world, "prod/a/DEEPER", "[${SECRET}] [${PLAIN}]");
    world_set_template(&world, "prod/a/FOREIGN", "key ${keys/ROOT}");
    world_set_link(&world, "prod/a/LINKED", "keys/ROOT");
    world_set_template(&world, "prod/a/FLIP", "<${CHANGING}>");
    world_commit(&world);
}

static int make(void **state)
{
    (void)state;
    fill(NULL);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static int open_file(const char *path)
{
    int fd = open(world_path(&world, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        fail_msg("'%s': %s", path, strerror(errno));
    return fd;
}

static void reads(int fd, const char *wanted)
{
    static char got[8192];
    ssize_t size = pread(fd, got, sizeof(got) - 1, 0);
    assert_true(size >= 0);
    got[size] = 0;
    assert_string_equal(got, wanted);
}

/* What is read, by one who was there and one who comes, and its exact size before that. */
static void is(int held, const char *path, const char *wanted)
{
    struct stat st;
    assert_int_equal(stat(world_path(&world, path), &st), 0);
    assert_int_equal(st.st_size, strlen(wanted));
    assert_int_equal(fstat(held, &st), 0);
    assert_int_equal(st.st_size, strlen(wanted));
    reads(held, wanted);
    int fd = open_file(path);
    reads(fd, wanted);
    close(fd);
}

static void kind_is(const char *path, const char *wanted)
{
    char got[32];
    ssize_t size = getxattr(world_path(&world, path), "user.emsa.kind", got, sizeof(got) - 1);
    assert_true(size > 0);
    got[size] = 0;
    assert_string_equal(got, wanted);
}

static uint64_t pages_left(int fd)
{
    return pages_swept(&world, "prod/b/WAIT", fd);
}

static void it_is_as_long_as_it_says(void **state)
{
    (void)state;
    int plain = open_file("prod/a/PLAIN"), secret = open_file("prod/a/SECRET"),
        deeper = open_file("prod/a/DEEPER"), foreign = open_file("prod/a/FOREIGN"),
        linked = open_file("prod/a/LINKED");
    kind_is("prod/a/PLAIN", "plain");
    kind_is("prod/a/SECRET", "secret");
    kind_is("prod/a/DEEPER", "secret");
    kind_is("prod/a/FOREIGN", "secret");
    kind_is("prod/a/LINKED", "secret");
    for (unsigned i = 0; i < 40; i++) {
        char part[128], key[128], root[64], wanted[1024];
        snprintf(part, sizeof(part), "part %u%.*s", i, (int)(i * 7 % 60),
                 "............................................................");
        snprintf(key, sizeof(key), "a secret key %u%.*s", i, (int)(i * 11 % 60),
                 "------------------------------------------------------------");
        snprintf(root, sizeof(root), "the root of all keys, %u", i + 2);
        put("prod/a/PART", part);
        put_secret("prod/a/KEY", key);
        put_secret("prod/keys/ROOT", root);
        world_commit(&world);
        snprintf(wanted, sizeof(wanted), "<%s>", part);
        is(plain, "prod/a/PLAIN", wanted);
        snprintf(wanted, sizeof(wanted), "<%s:%s>", part, key);
        is(secret, "prod/a/SECRET", wanted);
        snprintf(wanted, sizeof(wanted), "[<%s:%s>] [<%s>]", part, key, part);
        is(deeper, "prod/a/DEEPER", wanted);
        snprintf(wanted, sizeof(wanted), "key %s", root);
        is(foreign, "prod/a/FOREIGN", wanted);
        is(linked, "prod/a/LINKED", root);
    }
    close(plain);
    close(secret);
    close(deeper);
    close(foreign);
    close(linked);
}

/* By everything that goes through the page cache. */
static void leaves_no_page(const char *path, char first)
{
    int watch = open_file(path), fd = open_file(path), ends[2];
    char got[16];
    const volatile char *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_ptr_not_equal(map, MAP_FAILED);
    assert_int_equal(map[0], first);
    assert_int_equal(pages_left(watch), 0);
    assert_int_equal(map[0], first); /* it comes again, and goes again */
    assert_int_equal(pages_left(watch), 0);
    munmap((void *)(uintptr_t)map, 4096);
    assert_int_equal(pipe(ends), 0);
    assert_int_equal(sendfile(ends[1], fd, NULL, 4), 4);
    assert_int_equal(read(ends[0], got, sizeof(got)), 4);
    assert_int_equal(got[0], first);
    close(ends[0]);
    close(ends[1]);
    close(fd);
    assert_int_equal(pages_left(watch), 0);
    close(watch);
}

static void what_touches_a_secret_leaves_no_page(void **state)
{
    (void)state;
    leaves_no_page("prod/a/SECRET", '<');
    leaves_no_page("prod/a/DEEPER", '[');
    leaves_no_page("prod/a/FOREIGN", 'k');
    leaves_no_page("prod/a/LINKED", 't');
    /* what is measured is there to be seen */
    int watch = open_file("prod/a/PLAIN"), fd = open_file("prod/a/PLAIN");
    const volatile char *map = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
    assert_int_equal(map[0], '<');
    assert_true(pages_cached(watch) > 0);
    munmap((void *)(uintptr_t)map, 4096);
    close(fd);
    close(watch);
}

/* At the same place, and what stands on it. */
static void plain_becomes_secret_and_back(void **state)
{
    (void)state;
    static const char *const places[] = {"prod/a/CHANGING", "prod/a/FLIP"};
    for (unsigned turn = 0; turn < 3; turn++) {
        char plain[32], secret[32], wanted[2][40];
        snprintf(plain, sizeof(plain), "it is plain %u", turn);
        snprintf(secret, sizeof(secret), "is secret %u", turn);
        if (turn == 0)
            put("prod/a/CHANGING", plain);
        else
            put_plain_again("prod/a/CHANGING", plain);
        world_commit(&world);
        const volatile char *maps[2];
        int held[2];
        for (int i = 0; i < 2; i++) {
            snprintf(wanted[i], sizeof(wanted[i]), i ? "<%s>" : "%s", plain);
            kind_is(places[i], "plain");
            held[i] = open_file(places[i]);
            is(held[i], places[i], wanted[i]);
            maps[i] = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, held[i], 0);
            assert_ptr_not_equal(maps[i], MAP_FAILED);
            assert_memory_equal((const void *)(uintptr_t)maps[i], wanted[i], strlen(wanted[i]));
        }
        put_secret("prod/a/CHANGING", secret);
        world_commit(&world);
        for (int i = 0; i < 2; i++) {
            snprintf(wanted[i], sizeof(wanted[i]), i ? "<%s>" : "%s", secret);
            kind_is(places[i], "secret");
            assert_int_equal(pages_cached(held[i]), 0);
            assert_memory_equal((const void *)(uintptr_t)maps[i], wanted[i], strlen(wanted[i]));
            assert_int_equal(pages_left(held[i]), 0);
            is(held[i], places[i], wanted[i]);
            munmap((void *)(uintptr_t)maps[i], 4096);
            close(held[i]);
        }
    }
    put_plain_again("prod/a/CHANGING", "plain at last");
    world_commit(&world);
    kind_is("prod/a/FLIP", "plain");
}

/* In a view that shows no secrets, and lets the kernel keep what is plain. */
static void views_take_it_for_what_it_is(void **state)
{
    (void)state;
    struct world kept = world;
    struct fs_status before, after;
    fill(&(struct view_options){.masked = true, .cache = true});
    static const char *const secrets[] = {"prod/a/SECRET", "prod/a/DEEPER", "prod/a/FOREIGN",
                                          "prod/a/LINKED", "prod/a/KEY"};
    for (size_t i = 0; i < sizeof(secrets) / sizeof(secrets[0]); i++) {
        assert_int_equal(open(world_path(&world, secrets[i]), O_RDONLY | O_CLOEXEC), -1);
        assert_int_equal(errno, EACCES);
    }
    int held = open_file("prod/a/PLAIN"), flip = open_file("prod/a/FLIP");
    is(held, "prod/a/PLAIN", "<a part>");
    is(flip, "prod/a/FLIP", "<plain at first>");
    world_status(&world, &before);
    for (int i = 0; i < 100; i++)
        reads(held, "<a part>");
    world_status(&world, &after);
    assert_int_equal(before.reads, after.reads);
    put("prod/a/PART", "another");
    put_secret("prod/a/CHANGING", "and a secret then");
    world_commit(&world);
    is(held, "prod/a/PLAIN", "<another>");
    char got[64];
    assert_int_equal(pread(flip, got, sizeof(got), 0), -1);
    assert_int_equal(errno, EACCES);
    put_plain_again("prod/a/CHANGING", "plain again");
    world_commit(&world);
    is(flip, "prod/a/FLIP", "<plain again>");
    close(held);
    close(flip);
    world_end(&world);
    world = kept;
}

/* Readers in loops while the parts change: every read from the start is of one revision. */

struct reading {
    _Atomic bool stop;
    _Atomic uint64_t reads, faults;
    char complaint[256];
};
static struct reading *reading;

static const char *const twofold[] = {"prod/t/PLAIN", "prod/t/SECRET", "prod/t/MIXED"};

/* The same part twice, with one byte between. */
static bool is_twofold(const unsigned char *data, ssize_t size)
{
    if (size < 0 || size % 2 == 0)
        return false;
    size_t half = (size_t)size / 2;
    return data[half] == '|' && value_whole(data, half) && memcmp(data, data + half + 1, half) == 0;
}

static void complain(const char *how, const char *path, ssize_t size)
{
    reading->faults++;
    snprintf(reading->complaint, sizeof(reading->complaint), "%s '%s': %zd bytes, errno %d", how,
             path, size, errno);
}

static ssize_t read_pieces(int fd, unsigned char *data, size_t size, size_t step)
{
    size_t used = 0;
    for (;;) {
        ssize_t n = read(fd, data + used, step < size - used ? step : size - used);
        if (n <= 0)
            return n < 0 ? -1 : (ssize_t)used;
        used += (size_t)n;
    }
}

static void reader(unsigned number)
{
    static unsigned char data[2 * MOST + 4096];
    static const size_t steps[] = {sizeof(data), 4096, 777, 65536};
    uint64_t seed = number;
    int held[3];
    prctl(PR_SET_PDEATHSIG, SIGKILL); /* it holds the connection: nobody would end it */
    for (int i = 0; i < 3; i++)
        if ((held[i] = open(world_path(&world, twofold[i]), O_RDONLY | O_CLOEXEC)) < 0)
            complain("first open", twofold[i], -1);
    while (!reading->stop) {
        unsigned which = (unsigned)(number_next(&seed) % 3);
        size_t step = steps[number_next(&seed) % 4];
        int fd = open(world_path(&world, twofold[which]), O_RDONLY | O_CLOEXEC);
        ssize_t size = fd < 0 ? -1 : read_pieces(fd, data, sizeof(data), step);
        if (!is_twofold(data, size))
            complain("open", twofold[which], size);
        close(fd);
        lseek(held[which], 0, SEEK_SET);
        size = read_pieces(held[which], data, sizeof(data), step);
        if (!is_twofold(data, size))
            complain("held", twofold[which], size);
        reading->reads += 2;
    }
    _exit(0);
}

static void change_parts(uint64_t *seed)
{
    static unsigned char value[MOST];
    static const char *const parts[] = {"prod/t/P", "prod/t/S", "prod/t/M"};
    static bool was_secret; /* M */
    for (int i = 0; i < 3; i++) {
        size_t size = 20 + number_next(seed) % (MOST / 4u);
        bool is_secret = i == 1 || (i == 2 && number_next(seed) % 2);
        value_make(value, size, number_next(seed));
        if (i == 2 && was_secret && !is_secret)
            world_remove(&world, parts[i]);
        if (i == 2)
            was_secret = is_secret;
        if (is_secret)
            world_set_secret(&world, parts[i], value, size);
        else
            world_set(&world, parts[i], value, size);
    }
}

static void every_read_is_of_one_revision(void **state)
{
    (void)state;
    pid_t readers[3];
    uint64_t seed = 42;
    unsigned commits = trial_scaled(COMMITS);
    reading =
        mmap(NULL, sizeof(*reading), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    change_parts(&seed);
    world_set_template(&world, twofold[0], "${P}|${P}");
    world_set_template(&world, twofold[1], "${S}|${S}");
    world_set_template(&world, twofold[2], "${M}|${M}");
    world_commit(&world);
    fflush(NULL);
    for (unsigned i = 0; i < 3; i++) {
        readers[i] = fork();
        if (readers[i] == 0)
            reader(i);
    }
    for (unsigned i = 0; i < commits && !reading->faults; i++) {
        change_parts(&seed);
        world_commit(&world);
    }
    reading->stop = true;
    for (unsigned i = 0; i < 3; i++)
        waitpid(readers[i], NULL, 0);
    printf("[   reads  ] %llu\n", (unsigned long long)reading->reads);
    if (reading->faults)
        fail_msg("%llu faults; the last: %s", (unsigned long long)reading->faults,
                 reading->complaint);
    assert_true(reading->reads > commits);
    munmap(reading, sizeof(*reading));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_is_as_long_as_it_says),
        cmocka_unit_test(what_touches_a_secret_leaves_no_page),
        cmocka_unit_test(plain_becomes_secret_and_back),
        cmocka_unit_test(views_take_it_for_what_it_is),
        cmocka_unit_test(every_read_is_of_one_revision),
    };
    return cmocka_run_group_tests_name("composed", tests, make, end);
}
