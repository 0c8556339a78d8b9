/* The locked arena: what is given back is wiped, what is given out is zero, and it is bounded. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "store/error.h"
#include "store/secret.h"

#define MIB (1u << 20)

static int setup(void **state)
{
    (void)state;
    return secret_setup(16 * MIB);
}

static int teardown(void **state)
{
    size_t used = 1, locked;
    (void)state;
    secret_usage(&used, &locked);
    assert_int_equal(used, 0);
    secret_teardown();
    return 0;
}

static bool is_zero(const unsigned char *data, size_t size)
{
    for (size_t i = 0; i < size; i++)
        if (data[i])
            return false;
    return true;
}

static void setup_hides_the_process(void **state)
{
    (void)state;
    struct rlimit limit;
    assert_int_equal(prctl(PR_GET_DUMPABLE), 0);
    assert_int_equal(getrlimit(RLIMIT_CORE, &limit), 0);
    assert_int_equal(limit.rlim_cur, 0);
    assert_int_equal(secret_setup(1), 0); /* a second time does nothing */
}

static void copies_hold_and_grow(void **state)
{
    (void)state;
    struct secret secret = {0};
    assert_int_equal(secret_copy(&secret, "hush", 4), 0);
    assert_int_equal(secret.size, 4);
    assert_int_equal(secret_grow(&secret, 100000), 0);
    assert_memory_equal(secret.data, "hush", 4);
    assert_true(secret.capacity >= 100000);
    assert_true(is_zero(secret.data + 4, secret.capacity - 4));
    secret_clear(&secret);
    assert_int_equal(secret.size, 0);
    assert_true(is_zero(secret.data, secret.capacity));
    secret_release(&secret);
    assert_null(secret.data);
    secret_release(&secret);
    secret_release(NULL);
    assert_int_equal(secret_copy(&secret, NULL, 0), 0);
    assert_non_null(secret.data);
    secret_release(&secret);
}

/* Random sizes, released in random order, each filled with a pattern of its own. */
static void blocks_never_overlap_and_come_back_wiped(void **state)
{
    (void)state;
    enum { LIVE = 200 };
    struct secret live[LIVE] = {{0}};
    unsigned short numbers[3] = {9, 9, 9};
    for (int i = 0; i < 20000; i++) {
        size_t at = (size_t)nrand48(numbers) % LIVE;
        if (live[at].data) {
            for (size_t j = 0; j < live[at].capacity; j++)
                if (live[at].data[j] != (unsigned char)(at + 1))
                    fail_msg("block %zu was written to", at);
            secret_release(&live[at]);
            continue;
        }
        size_t size = (size_t)nrand48(numbers) % (nrand48(numbers) % 50 ? 700 : 100000);
        assert_int_equal(secret_alloc(&live[at], size), 0);
        assert_true(live[at].capacity >= size && live[at].size == 0);
        if (!is_zero(live[at].data, live[at].capacity))
            fail_msg("what was given out holds old bytes");
        memset(live[at].data, (int)at + 1, live[at].capacity);
    }
    for (size_t i = 0; i < LIVE; i++)
        secret_release(&live[i]);
}

static void arena_is_bounded_and_shrinks(void **state)
{
    (void)state;
    struct secret parts[40] = {{0}};
    size_t count = 0, used, locked;
    int error = 0;
    while (count < 40 && (error = secret_alloc(&parts[count], MIB)) == 0)
        count++;
    assert_int_equal(error, -ERR_NOMEM);
    assert_non_null(strstr(error_text(), "ulimit -l"));
    assert_null(parts[count].data);
    assert_true(count >= 7 && count < 16);
    secret_usage(&used, &locked);
    assert_true(used >= count * MIB && locked <= 16 * MIB && used < locked);
    for (size_t i = 0; i < count; i++)
        secret_release(&parts[i]);
    secret_usage(&used, &locked);
    assert_int_equal(used, 0);
    assert_true(locked <= 4 * MIB);
    assert_int_equal(secret_alloc(&parts[0], SIZE_MAX), -ERR_NOMEM);
}

static long locked_kib(void)
{
    char line[256];
    long found = -1;
    FILE *file = fopen("/proc/self/status", "re");
    while (file && fgets(line, sizeof(line), file))
        if (strncmp(line, "VmLck:", 6) == 0)
            found = strtol(line + 6, NULL, 10);
    if (file)
        fclose(file);
    return found;
}

static void memory_is_locked(void **state)
{
    (void)state;
#ifdef EMSA_SANITIZED
    skip(); /* sanitizers make mlock do nothing */
#endif
    size_t used, locked;
    secret_usage(&used, &locked);
    assert_int_equal((size_t)locked_kib() * 1024, locked);
}

static void reads_to_the_end(void **state)
{
    (void)state;
    int ends[2];
    struct secret secret = {0};
    unsigned char data[10000];
    memset(data, 'z', sizeof(data));
    for (size_t maximum = 9999; maximum <= 10001; maximum++) {
        assert_int_equal(pipe(ends), 0);
        assert_int_equal(write(ends[1], data, sizeof(data)), sizeof(data));
        close(ends[1]);
        int error = secret_read(&secret, ends[0], maximum);
        close(ends[0]);
        assert_int_equal(error, maximum < sizeof(data) ? -ERR_INVALID : 0);
        assert_int_equal(secret.size, maximum < sizeof(data) ? 0 : sizeof(data));
        if (!error)
            assert_memory_equal(secret.data, data, sizeof(data));
        secret_release(&secret);
    }
    assert_int_equal(secret_read(&secret, -1, 10), -ERR_IO);
}

/* In a child: what may be locked is less than what is wished for, then nothing. */
static int child_under_limit(rlim_t limit, size_t wanted)
{
    pid_t child = fork();
    if (child == 0) {
        struct rlimit lock = {limit, limit};
        struct secret secret = {0};
        if (setrlimit(RLIMIT_MEMLOCK, &lock) || (geteuid() == 0 && setresuid(65534, 65534, 65534)))
            _exit(100);
        int error = secret_setup(64 * MIB);
        if (!error)
            error = secret_alloc(&secret, wanted);
        _exit(error == -ERR_NOMEM && !strstr(error_text(), "ulimit -l") ? 101 : -error);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WIFEXITED(status) ? WEXITSTATUS(status) : 102;
}

static void small_limits_are_enough_or_said_so(void **state)
{
    (void)state;
#ifdef EMSA_SANITIZED
    skip(); /* sanitizers make mlock do nothing */
#endif
    secret_teardown(); /* a child does not inherit it, and makes its own */
    assert_int_equal(child_under_limit(8 * MIB, 2 * MIB), 0);
    assert_int_equal(child_under_limit(300u << 10, 1000), 0);
    assert_int_equal(child_under_limit(8 * MIB, 20 * MIB), ERR_NOMEM);
    assert_int_equal(child_under_limit(0, 64), ERR_NOMEM);
    assert_int_equal(secret_setup(16 * MIB), 0);
}

static void children_do_not_inherit(void **state)
{
    (void)state;
    struct secret secret = {0};
    assert_int_equal(secret_copy(&secret, "hush", 4), 0);
    pid_t child = fork();
    if (child == 0) {
        /* write(2) tells whether the bytes are mapped without a fault */
        int ends[2];
        if (pipe(ends))
            _exit(2);
        _exit(write(ends[1], secret.data, 4) < 0 && errno == EFAULT ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    secret_release(&secret);
}

static void *churn(void *arg)
{
    (void)arg;
    for (int i = 0; i < 5000; i++) {
        struct secret secret = {0};
        if (secret_alloc(&secret, (size_t)(i % 300) * 16) || !is_zero(secret.data, secret.capacity))
            return (void *)1;
        memset(secret.data, 0xaa, secret.capacity);
        secret_release(&secret);
    }
    return NULL;
}

static void threads_share_it(void **state)
{
    (void)state;
    pthread_t threads[4];
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, churn, NULL), 0);
    for (int i = 0; i < 4; i++) {
        void *bad = NULL;
        pthread_join(threads[i], &bad);
        assert_null(bad);
    }
}

static void many_small_ones_are_quick(void **state)
{
    (void)state;
    enum { MANY = 60000 };
    struct secret *all = calloc(MANY, sizeof(*all));
    for (int round = 0; round < 2; round++) {
        for (size_t i = 0; i < MANY; i++)
            assert_int_equal(secret_alloc(&all[i], 20 + i % 90), 0);
        for (size_t i = 0; i < MANY; i += 2)
            secret_release(&all[i]);
        for (size_t i = 1; i < MANY; i += 2)
            secret_release(&all[i]);
    }
    free(all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(setup_hides_the_process),
        cmocka_unit_test(copies_hold_and_grow),
        cmocka_unit_test(blocks_never_overlap_and_come_back_wiped),
        cmocka_unit_test(arena_is_bounded_and_shrinks),
        cmocka_unit_test(memory_is_locked),
        cmocka_unit_test(reads_to_the_end),
        cmocka_unit_test(small_limits_are_enough_or_said_so),
        cmocka_unit_test(children_do_not_inherit),
        cmocka_unit_test(threads_share_it),
        cmocka_unit_test(many_small_ones_are_quick),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
