/* Judging from outside: of many views at once, of one that is gone, and of a notifier that has
 * ended and can't be reaped. Looks are counted, so none of it takes its time. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "fs/view_slot.h"
#include "tools/emsad/watch.h"

#define MANY 600u /* more than a look could take at once, when it took 256 */
#define LOOKS 10u /* more than it takes to find somebody stuck */

struct world {
    struct watch watch;
    struct views views;
    struct state *memory;
    int listener;
    char why[WATCH_WHY_MAX];
};

static struct watched watched_of(struct world *world)
{
    return (struct watched){.views = &world->views,
                            .memory = world->memory,
                            .pid = getpid(),
                            .channel = -1,
                            .notifier_channel = -1};
}

static int make(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct rlimit limit = {.rlim_cur = 4096, .rlim_max = 4096};
    (void)setrlimit(RLIMIT_NOFILE, &limit);
    world->memory = calloc(1, sizeof *world->memory);
    world->listener = eventfd(0, EFD_CLOEXEC);
    *state = world;
    if (watch_begin(&world->watch, world->listener) != 0)
        return -1;
    world->watch.is_ready = true;
    view_slots_begin(world->memory);
    return 0;
}

static int clean(void **state)
{
    struct world *world = *state;
    for (size_t i = 0; i < world->views.count; i++)
        close(world->views.items[i].mount.fuse_fd);
    watch_end(&world->watch);
    close(world->listener);
    free(world->views.items);
    free(world->memory);
    free(world);
    return 0;
}

/* A view whose connection is that descriptor, which is taken over. */
static void add(struct world *world, int fd)
{
    struct view view = {.options.id = (uint32_t)world->views.count + 1,
                        .mount = {.fuse_fd = fd, .mount_fd = -1}};
    world->views.items =
        realloc(world->views.items, (world->views.count + 1) * sizeof *world->views.items);
    assert_non_null(world->views.items);
    world->views.items[world->views.count++] = view;
    assert_non_null(view_slot_take(world->memory, view.options.id));
    assert_int_equal(watch_add(&world->watch, &view), 0);
}

/* How many looks it took to find the server stuck; LOOKS: it was not found. */
static unsigned look_on(struct world *world, void (*between)(struct world *))
{
    const struct watched watched = watched_of(world);
    unsigned looks = 0;
    while (looks < LOOKS && watch_look(&world->watch, &watched, world->why) == WATCH_WELL) {
        looks++;
        if (between)
            between(world);
    }
    return looks;
}

static void take_one_of_each(struct world *world)
{
    for (size_t i = 0; i < world->views.count; i++)
        atomic_fetch_add(&view_slot_find(world->memory, world->views.items[i].options.id)->taken,
                         1);
}

static void many_views_wait(void **state)
{
    struct world *world = *state;
    for (unsigned i = 0; i < MANY; i++)
        add(world, eventfd(1, EFD_CLOEXEC)); /* readable: a request waits */
    assert_int_equal(look_on(world, take_one_of_each), LOOKS);
    assert_true(look_on(world, NULL) < LOOKS);
    assert_non_null(strstr(world->why, "not taken"));
}

/* It stays ready until the server has said so, which a stopped one does not: nothing is stuck, and
 * nobody spins. */
static void view_is_gone(void **state)
{
    struct world *world = *state;
    int ends[2];
    assert_int_equal(pipe(ends), 0);
    close(ends[0]);
    add(world, ends[1]);
    assert_int_equal(look_on(world, NULL), LOOKS);
    assert_int_equal(watch_descriptor(&world->watch), -1);
    assert_true(world->watch.next >= 0);
}

static int held[2]; /* the other thread waits until it can read here */

static void *wait_there(void *arg)
{
    char byte;
    (void)arg;
    if (read(held[0], &byte, 1) < 0)
        return arg;
    _exit(0); /* a sanitizer has threads of its own, which would go on */
}

/* A process whose first thread has ended, and which a second one keeps. */
static pid_t headless(void)
{
    pid_t pid = fork();
    if (pid != 0)
        return pid;
    pthread_t thread;
    close(held[1]);
    if (pthread_create(&thread, NULL, wait_there, NULL) != 0)
        _exit(1);
    pthread_exit(NULL);
}

static bool has_no_head(pid_t pid)
{
    char path[64], text[256] = "";
    snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    char *line = fgets(text, sizeof text, file);
    fclose(file);
    return line != NULL && strstr(line, ") Z ") != NULL;
}

static void notifier_is_held(void **state)
{
    struct world *world = *state;
    struct watched watched = watched_of(world);
    int status;
    assert_int_equal(pipe(held), 0);
    watched.notifier = headless();
    watched.notifier_channel =
        held[0]; /* where nothing can be sent: it is asked, and says nothing */
    assert_true(watched.notifier > 0);
    while (!has_no_head(watched.notifier))
        sched_yield();
    watch_called(&world->watch);
    assert_int_equal(watch_look_at_notifier(&world->watch, &watched, world->why), WATCH_WELL);
    assert_int_equal(watch_look_at_notifier(&world->watch, &watched, world->why), WATCH_HELD);
    close(held[1]);
    assert_int_equal(waitpid(watched.notifier, &status, 0), watched.notifier);
    close(held[0]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(many_views_wait, make, clean),
        cmocka_unit_test_setup_teardown(view_is_gone, make, clean),
        cmocka_unit_test_setup_teardown(notifier_is_held, make, clean),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
