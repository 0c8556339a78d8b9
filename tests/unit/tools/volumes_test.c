/* The volumes of a store: what is kept of them, torn files and full disks, and several at once. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
/* cmocka wants these first */
#include <cmocka.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/service/volume_file.h"
#include "tools/service/volumes.h"

#define AT_ONCE 8
#define EACH 20

struct place {
    char folder[64];
    char file[96];
};

static int begin(void **state)
{
    static struct place place;
    (void)snprintf(place.folder, sizeof place.folder, "/tmp/emsa-volumes.XXXXXX");
    assert_non_null(mkdtemp(place.folder));
    (void)snprintf(place.file, sizeof place.file, "%s/" VOLUME_FILE, place.folder);
    *state = &place;
    return 0;
}

static int end(void **state)
{
    const struct place *place = *state;
    unlink(place->file);
    return rmdir(place->folder); /* and so nothing else is left in it */
}

static struct volume make(const char *name, const char *path)
{
    struct volume volume = {.created = 17, .uid = 3, .gid = 4};
    (void)snprintf(volume.name, sizeof volume.name, "%s", name);
    volume.options = json_pack("{s:s}", "path", path);
    assert_non_null(volume.options);
    return volume;
}

static void add(struct volumes *volumes, const char *name, const char *path)
{
    struct volume volume VOLUME_CLEANUP = make(name, path);
    assert_int_equal(volumes_begin(volumes, &volume), 0);
    assert_int_equal(volumes_keep(volumes, name), 0);
}

static void write_file(const struct place *place, const char *text)
{
    FILE *file = fopen(place->file, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, strlen(text), file), strlen(text));
    assert_int_equal(fclose(file), 0);
}

static size_t count(struct volumes *volumes)
{
    size_t n = 0;
    for (;; n++) {
        struct volume volume VOLUME_CLEANUP = {.options = NULL};
        if (volumes_nth(volumes, &volume, n) != 0)
            return n;
    }
}

static void names_survive(void **state)
{
    const struct place *place = *state;
    struct volumes volumes;
    volumes_init(&volumes, place->folder);
    add(&volumes, "two", "prod/two");
    add(&volumes, "one", "prod/one");
    volumes_release(&volumes);
    volumes_init(&volumes, place->folder);
    assert_int_equal(count(&volumes), 2);
    struct volume found VOLUME_CLEANUP = {.options = NULL};
    assert_int_equal(volumes_nth(&volumes, &found, 0), 0);
    assert_string_equal(found.name, "one");
    assert_string_equal(json_string_value(json_object_get(found.options, "path")), "prod/one");
    assert_int_equal(found.created, 17);
    assert_int_equal(found.uid, 3);
    assert_int_equal(found.gid, 4);
    assert_int_equal(volumes_leave(&volumes, "one"), 0);
    volumes_drop(&volumes, "one");
    assert_int_equal(volumes_leave(&volumes, "one"), -ERR_NOT_FOUND);
    volumes_release(&volumes);
    volumes_init(&volumes, place->folder);
    assert_int_equal(count(&volumes), 1);
    volumes_release(&volumes);
}

static void the_same_name(void **state)
{
    const struct place *place = *state;
    struct volumes volumes;
    volumes_init(&volumes, place->folder);
    add(&volumes, "one", "prod/one");
    struct volume same VOLUME_CLEANUP = make("one", "prod/one");
    struct volume other VOLUME_CLEANUP = make("one", "prod/other");
    assert_int_equal(volumes_begin(&volumes, &same), 1);
    volumes_let(&volumes, "one");
    assert_int_equal(volumes_begin(&volumes, &other), -ERR_REFUSED);
    assert_non_null(strstr(error_text(), "'prod/one'"));
    same.uid++;
    assert_int_equal(volumes_begin(&volumes, &same), -ERR_REFUSED);
    volumes_release(&volumes);
}

struct leaving {
    struct volumes *volumes;
    atomic_bool is_done;
    int error;
};

static void *leave(void *arg)
{
    struct leaving *leaving = arg;
    leaving->error = volumes_leave(leaving->volumes, "one");
    atomic_store(&leaving->is_done, true);
    return NULL;
}

/* Who has it stand is not overtaken by who removes it; and nobody new comes meanwhile. */
static void what_is_held_stays(void **state)
{
    const struct place *place = *state;
    struct volumes volumes;
    struct volume held VOLUME_CLEANUP = {.options = NULL}, other VOLUME_CLEANUP = {.options = NULL};
    struct leaving leaving = {.volumes = &volumes};
    pthread_t thread;
    volumes_init(&volumes, place->folder);
    add(&volumes, "one", "prod/one");
    struct volume same VOLUME_CLEANUP = make("one", "prod/one");
    assert_int_equal(volumes_hold(&volumes, &held, "one"), 0);
    assert_int_equal(volumes_begin(&volumes, &same), 1);
    assert_int_equal(pthread_create(&thread, NULL, leave, &leaving), 0);
    while (volumes_find(&volumes, &other, "one") == 0)
        volume_release(&other);
    assert_int_equal(volumes_hold(&volumes, &other, "one"), -ERR_NOT_FOUND);
    volumes_let(&volumes, "one");
    assert_false(atomic_load(&leaving.is_done));
    volumes_let(&volumes, "one");
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(leaving.error, 0);
    volumes_drop(&volumes, "one");
    volumes_release(&volumes);
}

/* What is being made is not there for others, nor in the file. */
static void not_before_it_is_made(void **state)
{
    const struct place *place = *state;
    struct volumes volumes;
    struct volume found = {.options = NULL};
    struct volume one VOLUME_CLEANUP = make("one", "prod/one");
    volumes_init(&volumes, place->folder);
    assert_int_equal(volumes_begin(&volumes, &one), 0);
    assert_int_equal(volumes_find(&volumes, &found, "one"), -ERR_NOT_FOUND);
    add(&volumes, "two", "prod/two");
    volumes_drop(&volumes, "one");
    assert_int_equal(count(&volumes), 1);
    volumes_release(&volumes);
    volumes_init(&volumes, place->folder);
    assert_int_equal(count(&volumes), 1);
    volumes_release(&volumes);
}

/* Nothing is known then, nothing is changed, and the file stays for whoever mends it. */
static void damaged_files(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{\"version\": 2, \"volumes\": []}",
        "{\"version\": 1}",
        "{\"version\": 1, \"volumes\": [{\"name\": \"one\"}]}",
        ("{\"version\": 1, \"volumes\": [{\"name\": \"../one\", \"created\": 1, \"uid\": 0,"
         " \"gid\": 0, \"options\": {}}]}"),
        ("{\"version\": 1, \"volumes\": [{\"name\": \"one\", \"created\": 1, \"uid\": -1,"
         " \"gid\": 0, \"options\": {}}]}"),
    };
    const struct place *place = *state;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        struct volumes volumes;
        struct volume found = {.options = NULL};
        struct volume one VOLUME_CLEANUP = make("two", "prod/two");
        struct stat status;
        write_file(place, texts[i]);
        volumes_init(&volumes, place->folder);
        assert_int_equal(volumes_find(&volumes, &found, "one"), -ERR_CORRUPT);
        assert_non_null(strstr(error_text(), VOLUME_FILE));
        assert_int_equal(volumes_begin(&volumes, &one), -ERR_CORRUPT);
        assert_int_equal(volumes_leave(&volumes, "one"), -ERR_CORRUPT);
        assert_int_equal(volumes_nth(&volumes, &found, 0), -ERR_CORRUPT);
        volumes_release(&volumes);
        assert_int_equal(stat(place->file, &status), 0);
        assert_int_equal(status.st_size, strlen(texts[i]));
    }
}

/* A file that may not grow stands for a disk that is full: EFBIG where that gives ENOSPC. */
static void a_full_disk(void **state)
{
    const struct place *place = *state;
    struct rlimit before, none = {.rlim_cur = 0};
    struct volumes volumes;
    struct volume two VOLUME_CLEANUP = make("two", "prod/two");
    volumes_init(&volumes, place->folder);
    add(&volumes, "one", "prod/one");
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    none.rlim_max = before.rlim_max;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &none), 0);
    assert_int_equal(volumes_begin(&volumes, &two), 0);
    int kept = volumes_keep(&volumes, "two");
    int left = volumes_leave(&volumes, "one");
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(kept, -ERR_IO);
    assert_int_equal(left, -ERR_IO);
    volumes_drop(&volumes, "two");
    assert_int_equal(count(&volumes), 1);
    volumes_release(&volumes);
    volumes_init(&volumes, place->folder); /* as it was before */
    assert_int_equal(count(&volumes), 1);
    struct volume again VOLUME_CLEANUP = make("one", "prod/one");
    assert_int_equal(volumes_begin(&volumes, &again), 1);
    volumes_release(&volumes);
}

struct worker {
    pthread_t thread;
    struct volumes *volumes;
    unsigned number;
};

/* Everybody makes one of the same name and one of their own, and removes every other one. */
static void *work(void *arg)
{
    struct worker *worker = arg;
    for (unsigned i = 0; i < EACH; i++) {
        char name[32];
        struct volume shared VOLUME_CLEANUP = make("shared", "prod/shared");
        int outcome = volumes_begin(worker->volumes, &shared);
        if (outcome == 0)
            assert_int_equal(volumes_keep(worker->volumes, "shared"), 0);
        else
            assert_int_equal(outcome, 1);
        (void)snprintf(name, sizeof name, "w%u-%u", worker->number, i);
        add(worker->volumes, name, "prod/own");
        if (i % 2 == 0)
            continue;
        assert_int_equal(volumes_leave(worker->volumes, name), 0);
        volumes_drop(worker->volumes, name);
    }
    return NULL;
}

static void several_at_once(void **state)
{
    const struct place *place = *state;
    struct volumes volumes;
    struct worker workers[AT_ONCE];
    volumes_init(&volumes, place->folder);
    for (unsigned i = 0; i < AT_ONCE; i++) {
        workers[i] = (struct worker){.volumes = &volumes, .number = i};
        assert_int_equal(pthread_create(&workers[i].thread, NULL, work, &workers[i]), 0);
    }
    for (unsigned i = 0; i < AT_ONCE; i++)
        assert_int_equal(pthread_join(workers[i].thread, NULL), 0);
    assert_int_equal(count(&volumes), 1 + AT_ONCE * EACH / 2);
    volumes_release(&volumes);
    volumes_init(&volumes, place->folder);
    assert_int_equal(count(&volumes), 1 + AT_ONCE * EACH / 2);
    volumes_release(&volumes);
}

static void good_names(void **state)
{
    static const char *const bad[] = {"",   ".",  "..",  "/",    "a/b", "../a",    "-a",
                                      "_a", ".a", "a b", "a\nb", "a%",  "\xc3\xa4"};
    char longest[VOLUME_NAME_MAX + 2];
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(place_check_volume(bad[i]), -ERR_INVALID);
    memset(longest, 'a', sizeof longest);
    longest[VOLUME_NAME_MAX + 1] = '\0';
    assert_int_equal(place_check_volume(longest), -ERR_INVALID);
    longest[VOLUME_NAME_MAX] = '\0';
    assert_int_equal(place_check_volume(longest), 0);
    assert_int_equal(place_check_volume("billing-env_1.x"), 0);
    assert_int_equal(place_check_volume("0"), 0);
}

int main(void)
{
    (void)signal(SIGXFSZ, SIG_IGN);
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(names_survive, begin, end),
        cmocka_unit_test_setup_teardown(what_is_held_stays, begin, end),
        cmocka_unit_test_setup_teardown(the_same_name, begin, end),
        cmocka_unit_test_setup_teardown(not_before_it_is_made, begin, end),
        cmocka_unit_test_setup_teardown(damaged_files, begin, end),
        cmocka_unit_test_setup_teardown(a_full_disk, begin, end),
        cmocka_unit_test_setup_teardown(several_at_once, begin, end),
        cmocka_unit_test(good_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
