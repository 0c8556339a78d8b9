/* A server that dies between noting that a reader has reached the end and answering so: the next
 * one is asked the same again, and that is no second time. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#define FUSE_USE_VERSION 314
#include <fuse_lowlevel.h>

#include "tests/integration/fs/world.h"

static struct world world;
static atomic_bool
    *dies; /* shared with the server: it is to die instead of its next empty answer */

int __real_fuse_reply_buf(fuse_req_t request, const char *data, size_t size);
int __wrap_fuse_reply_buf(fuse_req_t request, const char *data, size_t size);

int __wrap_fuse_reply_buf(fuse_req_t request, const char *data, size_t size)
{
    if (size == 0 && atomic_exchange(dies, false))
        raise(SIGKILL);
    return __real_fuse_reply_buf(request, data, size);
}

static void set(const char *value, size_t size)
{
    world_set(&world, "prod/a/KEY", value, size);
    world_commit(&world);
}

struct reading {
    int fd;
    char data[64];
    ssize_t size;
};

static void *read_on(void *arg)
{
    struct reading *reading = arg;
    reading->size = read(reading->fd, reading->data, sizeof reading->data);
    return NULL;
}

/* A loop over read(2), whose last turn meets a server that dies. */
static void check(const struct view_options *view)
{
    pthread_t reader;
    struct reading reading;
    world_make(&world, view);
    world_environment_add(&world, "prod");
    set("AAAAAAAAAA", 10);
    reading.fd = open(world_path(&world, "prod/a/KEY"), O_RDONLY);
    assert_int_equal(read(reading.fd, reading.data, 10), 10);
    set("BBBBBBBBBBBBBBBBBBBB", 20);
    atomic_store(dies, true);
    assert_int_equal(pthread_create(&reader, NULL, read_on, &reading), 0);
    while (atomic_load(dies))
        sched_yield();
    world_server_kill(&world);
    world_server_start(&world);
    assert_int_equal(pthread_join(reader, NULL), 0);
    assert_int_equal(reading.size, 0); /* and not the end of the second behind the first */
    close(reading.fd);
    world_end(&world);
}

static void sent_again(void **state)
{
    (void)state;
    check(NULL);
}

static void found_in_the_slot(void **state)
{
    (void)state;
    check(&(struct view_options){.replay = 1});
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sent_again),
        cmocka_unit_test(found_in_the_slot),
    };
    dies = mmap(NULL, sizeof *dies, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return dies == MAP_FAILED ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
