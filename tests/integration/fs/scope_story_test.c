/*
 * Random changes, and views of single services and of an environment beside the whole tree: after
 * each commit a view holds exactly what the whole tree has in its place (names, bytes, times,
 * attributes), whether or not there is such a place; and the names that its watchers heard of come
 * to those that it has. ($EMSA_TEST_SEED)
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/fs/server.h"
#include "tests/integration/fs/values.h"
#include "tests/integration/fs/watcher.h"
#include "tests/integration/fs/world.h"
#include "tests/support/store/trial.h"

#define COMMITS 150u
#define LOOK 10u /* so many commits are listened to at a time */
#define ENVIRONMENTS 2u
#define SERVICES 3u
#define KEYS 5u
#define NAMES 12u

static const char *const environments[ENVIRONMENTS] = {"prod", "dev"};
static const char *const services[SERVICES] = {"a", "b", "c"};

/* What stands in the store of own entries, so that what is asked for is not refused. */
static struct {
    bool there[ENVIRONMENTS];
    bool placed[ENVIRONMENTS][SERVICES];
    bool set[ENVIRONMENTS][SERVICES][KEYS];
    bool secret[ENVIRONMENTS][SERVICES][KEYS]; /* of those, what no plain value may follow */
    bool linked[ENVIRONMENTS][SERVICES];
} model;

struct heard { /* the directory of one view, as its watchers know it */
    unsigned view;
    unsigned environment, service;
    struct watcher watcher;
    char names[NAMES][32];
    unsigned count;
};

static struct world world;
static struct heard views[ENVIRONMENTS * SERVICES];
static unsigned whole_environment;
static uint64_t random_state;

static unsigned pick(unsigned below)
{
    return (unsigned)(number_next(&random_state) % below);
}

static const char *place(const char *environment, unsigned service, const char *key)
{
    static char texts[4][96];
    static unsigned next;
    char *text = texts[next++ % 4];
    snprintf(text, sizeof(texts[0]), "%s/%s%s%s", environment, services[service], key ? "/" : "",
             key ? key : "");
    return text;
}

static const char *key_name(unsigned key)
{
    static char text[8];
    snprintf(text, sizeof(text), "K%u", key);
    return text;
}

static void set(const char *path)
{
    unsigned char value[32];
    unsigned size = 1 + pick(sizeof(value) - 1);
    for (unsigned i = 0; i < size; i++)
        value[i] = (unsigned char)('a' + pick(26));
    world_set(&world, path, value, size);
}

static void remove_own(unsigned e, unsigned s, unsigned key)
{
    if (model.set[e][s][key])
        world_remove(&world, place(environments[e], s, key_name(key)));
    model.set[e][s][key] = model.secret[e][s][key] = false;
}

/* A secret becomes plain only by being removed first. */
static void set_plain(unsigned e, unsigned s, unsigned key)
{
    if (model.secret[e][s][key])
        remove_own(e, s, key);
    set(place(environments[e], s, key_name(key)));
    model.set[e][s][key] = model.placed[e][s] = true;
}

static void set_own(unsigned e, unsigned s)
{
    unsigned key = pick(KEYS);
    if (pick(3) != 0) {
        set_plain(e, s, key);
        return;
    }
    world_set_secret(&world, place(environments[e], s, key_name(key)), "sesame", pick(7));
    model.set[e][s][key] = model.secret[e][s][key] = model.placed[e][s] = true;
}

static void clear(unsigned e, unsigned s)
{
    for (unsigned key = 0; key < KEYS; key++)
        remove_own(e, s, key);
    if (model.linked[e][s])
        world_remove(&world, place(environments[e], s, "LINK"));
    model.linked[e][s] = false;
}

static void unplace(unsigned e, unsigned s)
{
    clear(e, s);
    world_service_remove(&world, place(environments[e], s, NULL));
    model.placed[e][s] = false;
}

static void remove_environment(unsigned e)
{
    for (unsigned s = 0; s < SERVICES; s++)
        if (model.placed[e][s])
            unplace(e, s);
    char shared[64];
    snprintf(shared, sizeof(shared), "%s/shared", environments[e]);
    if (access(world_path(&world, shared), F_OK) == 0)
        world_service_remove(&world, shared);
    world_environment_remove(&world, environments[e]);
    model.there[e] = false;
}

/* An environment goes in the first change of a commit, while it is known what is in it: services
 * may have come by what was set elsewhere. */
static void change_one(bool is_first)
{
    unsigned e = pick(ENVIRONMENTS), s = pick(SERVICES), key = pick(KEYS);
    if (!model.there[e]) {
        world_environment_add(&world, environments[e]);
        model.there[e] = true;
    }
    switch (pick(12)) {
    case 0:
        if (e == 1 && is_first)
            remove_environment(e);
        break;
    case 1:
        if (model.placed[e][s])
            unplace(e, s);
        break;
    case 2:
        if (!model.placed[e][s])
            world_service_add(&world, place(environments[e], s, NULL));
        model.placed[e][s] = true;
        break;
    case 3: /* of both environments */
        set(place("all", s, key_name(key)));
        break;
    case 4: /* of all that link to it */
        set("all/shared/S");
        break;
    case 5:
        if (model.placed[e][s] && !model.linked[e][s]) {
            world_set_link(&world, place(environments[e], s, "LINK"), "shared/S");
            model.linked[e][s] = true;
        }
        break;
    case 6:
    case 7:
        remove_own(e, s, key);
        break;
    default:
        set_own(e, s);
        break;
    }
}

/* Comparing */

struct file {
    char name[256];
    char text[128];
};

static int by_name(const void *a, const void *b)
{
    return strcmp(a, b);
}

static void attribute(char *out, size_t size, int fd, const char *name)
{
    ssize_t n = fgetxattr(fd, name, out, size - 1);
    out[n < 0 ? 0 : n] = '\0';
}

/* All that a reader finds of a file. */
static void describe(struct file *file, int directory)
{
    char value[64] = "", rev[24], origin[16];
    struct stat st;
    int fd = openat(directory, file->name, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) != 0)
        fail_msg("cannot open '%s': %s", file->name, strerror(errno));
    ssize_t n = read(fd, value, sizeof(value) - 1);
    attribute(rev, sizeof(rev), fd, "user.emsa.rev");
    attribute(origin, sizeof(origin), fd, "user.emsa.origin");
    assert_int_equal(n, st.st_size);
    snprintf(file->text, sizeof(file->text), "%s %lld %lld.%09ld %s %s", value,
             (long long)st.st_size, (long long)st.st_mtim.tv_sec, st.st_mtim.tv_nsec, rev, origin);
    close(fd);
}

/* 0 where there is no such directory. */
static unsigned list(struct file files[NAMES], const char *path)
{
    unsigned count = 0;
    DIR *directory = opendir(path);
    const struct dirent *entry;
    if (!directory)
        return 0;
    while ((entry = readdir(directory)))
        if (entry->d_name[0] != '.') {
            assert_true(count < NAMES);
            snprintf(files[count].name, sizeof(files[0].name), "%s", entry->d_name);
            if (entry->d_type != DT_DIR)
                describe(&files[count], dirfd(directory));
            count++;
        }
    closedir(directory);
    qsort(files, count, sizeof(files[0]), by_name);
    return count;
}

static void assert_same(const char *path, const char *there)
{
    static struct file mine[NAMES], whole[NAMES];
    memset(mine, 0, sizeof(mine));
    memset(whole, 0, sizeof(whole));
    unsigned count = list(mine, path), expected = list(whole, there);
    if (count != expected)
        fail_msg("'%s' has %u names, and '%s' has %u", path, count, there, expected);
    for (unsigned i = 0; i < count; i++)
        if (strcmp(mine[i].name, whole[i].name) != 0 || strcmp(mine[i].text, whole[i].text) != 0)
            fail_msg("'%s' in '%s' is '%s', and in '%s' '%s' is '%s'", mine[i].name, path,
                     mine[i].text, there, whole[i].name, whole[i].text);
}

static const char *inner(const struct heard *heard)
{
    return heard->view % 2 ? "" : place(environments[heard->environment], heard->service, NULL);
}

static void compare_all(void)
{
    char path[64];
    for (unsigned i = 0; i < ENVIRONMENTS * SERVICES; i++) {
        const struct heard *heard = &views[i];
        assert_same(
            world_view_path(&world, heard->view, inner(heard)),
            world_path(&world, place(environments[heard->environment], heard->service, NULL)));
    }
    assert_same(world_view_path(&world, whole_environment, ""), world_path(&world, "dev"));
    for (unsigned s = 0; s < SERVICES; s++) {
        snprintf(path, sizeof(path), "dev/%s", services[s]);
        assert_same(world_view_path(&world, whole_environment, services[s]),
                    world_path(&world, path));
    }
}

/* Hearing */

static unsigned find(const struct heard *heard, const char *name)
{
    unsigned i = 0;
    while (i < heard->count && strcmp(heard->names[i], name) != 0)
        i++;
    return i;
}

static void take(struct heard *heard, const struct inotify_event *event)
{
    unsigned at = find(heard, event->name);
    if (event->mask & IN_CREATE) {
        if (at < heard->count)
            fail_msg("'%s' comes a second time", event->name);
        assert_true(heard->count < NAMES);
        snprintf(heard->names[heard->count++], sizeof(heard->names[0]), "%s", event->name);
    } else if (event->mask & IN_DELETE) {
        if (at == heard->count)
            fail_msg("'%s' goes a second time", event->name);
        memmove(heard->names[at], heard->names[--heard->count], sizeof(heard->names[0]));
    }
}

/* All up to the last change of each, which was made for that. */
static void listen_to_all(void)
{
    for (unsigned e = 0; e < ENVIRONMENTS; e++)
        for (unsigned s = 0; s < SERVICES; s++) {
            if (!model.there[e])
                world_environment_add(&world, environments[e]);
            model.there[e] = model.placed[e][s] = true;
            set(place(environments[e], s, "END"));
            set_plain(e, s, 0);
        }
    world_commit(&world);
    for (unsigned i = 0; i < ENVIRONMENTS * SERVICES; i++) {
        struct heard *heard = &views[i];
        const struct inotify_event *event;
        const char *name;
        do {
            event = watcher_next(&heard->watcher, &name);
            take(heard, event);
        } while (!(event->mask & IN_CLOSE_WRITE) || strcmp(event->name, "END") != 0);
        struct file files[NAMES] = {0};
        unsigned count = list(files, world_view_path(&world, heard->view, inner(heard)));
        qsort(heard->names, heard->count, sizeof(heard->names[0]), by_name);
        assert_int_equal(heard->count, count);
        for (unsigned k = 0; k < count; k++)
            assert_string_equal(heard->names[k], files[k].name);
    }
    for (unsigned e = 0; e < ENVIRONMENTS; e++)
        for (unsigned s = 0; s < SERVICES; s++)
            world_remove(&world, place(environments[e], s, "END"));
    world_commit(&world);
}

static void every_view_is_its_part_of_the_tree(void **state)
{
    (void)state;
    const unsigned commits = trial_scaled(COMMITS);
    for (unsigned i = 1; i <= commits; i++) {
        for (unsigned n = 0, count = 1 + pick(4); n < count; n++)
            change_one(n == 0);
        set("prod/other/K"); /* so that there is something in each commit */
        world_commit(&world);
        compare_all();
        if (i % 40 == 0) {
            world_server_kill(&world);
            world_server_start(&world);
        }
        if (i % LOOK == 0)
            listen_to_all();
    }
}

static int make(void **state)
{
    (void)state;
    const char *seed = getenv("EMSA_TEST_SEED");
    random_state = seed ? strtoull(seed, NULL, 10) : (uint64_t)getpid();
    print_message("seed %llu (EMSA_TEST_SEED)\n", (unsigned long long)random_state);
    for (unsigned i = 0; i < ENVIRONMENTS * SERVICES; i++) {
        const struct view_options options = {.layout = i % 2 ? LAYOUT_FLAT : LAYOUT_TREE};
        views[i].environment = i / SERVICES;
        views[i].service = i % SERVICES;
        views[i].view = world_view_more(
            &world, place(environments[i / SERVICES], i % SERVICES, NULL), &options);
    }
    whole_environment =
        world_view_more(&world, "dev", &(struct view_options){.layout = LAYOUT_FLAT});
    world_make(&world, NULL);
    world_environment_add(&world, "prod");
    model.there[0] = true;
    set("all/shared/S");
    world_commit(&world);
    for (unsigned i = 0; i < ENVIRONMENTS * SERVICES; i++) {
        watcher_init(&views[i].watcher);
        watcher_add(&views[i].watcher, "dir",
                    world_view_path(&world, views[i].view, inner(&views[i])),
                    IN_CREATE | IN_DELETE | IN_MODIFY | IN_CLOSE_WRITE);
    }
    return 0;
}

static int end(void **state)
{
    (void)state;
    for (unsigned i = 0; i < ENVIRONMENTS * SERVICES; i++)
        watcher_release(&views[i].watcher);
    world_end(&world);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_view_is_its_part_of_the_tree),
    };
    return cmocka_run_group_tests(tests, make, end);
}
