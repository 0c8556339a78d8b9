/* Defined once, seen in many places: whoever reads a value by a link, in a template, from a base or
 * from `all` hears of a change as of one of his own, and a place stays the same place wherever its
 * value is defined. */
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
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/integration/fs/values.h"
#include "tests/integration/fs/watcher.h"
#include "tests/integration/fs/world.h"

static struct world world;
static struct watcher watcher;
static uint64_t made; /* the first commit */

static void put(const char *path, const char *value)
{
    world_set(&world, path, value, strlen(value));
}

static uint64_t set(const char *path, const char *value)
{
    put(path, value);
    return world_commit(&world);
}

static int make(void **state)
{
    (void)state;
    world_make(&world, NULL);
    world_environment_add(&world, "prod");
    put("prod/z/END", "0");
    put("prod/c/X", "of its own");
    put("all/shared/HOST", "db-one");
    put("all/a/LEVEL", "info");
    world_set_link(&world, "prod/a/HOST", "shared/HOST");
    world_set_secret(&world, "prod/a/PASSWORD", "correct horse 1", 15);
    world_set_template(&world, "prod/a/DSN", "${PASSWORD}@${shared/HOST}");
    world_set_template(&world, "prod/b/URL", "http://${shared/HOST}:80/");
    made = world_commit(&world);
    put("prod/a/DEEP", "as in the base");
    world_environment_add_on(&world, "stage", "prod");
    world_commit(&world);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static int listen_anew(void **state)
{
    (void)state;
    watcher_init(&watcher);
    watcher_add(&watcher, "end", world_path(&world, "prod/z/END"), IN_CLOSE_WRITE);
    return 0;
}

static int listen_no_more(void **state)
{
    (void)state;
    watcher_release(&watcher);
    return 0;
}

/* Everything but who opens: the test does too. */
static void watch(const char *name, const char *path)
{
    watcher_add(&watcher, name, world_path(&world, path), EVERYTHING & ~IN_OPEN);
}

/* What was heard until now: the last thing to be heard of is a change made for that. */
static const char *heard(void)
{
    static unsigned turn;
    char value[16];
    snprintf(value, sizeof(value), "turn %u", turn++);
    set("prod/z/END", value);
    return watcher_until(&watcher, "end");
}

static unsigned times(const char *text, const char *what)
{
    unsigned found = 0;
    size_t length = strlen(what);
    for (const char *at = text; (at = strstr(at, what)); at += length)
        found += (at == text || at[-1] == ' ') && (at[length] == 0 || at[length] == ' ');
    return found;
}

/* As of an ordinary edit, at a directory (and a file, if it has a name), and nothing else there. */
static void edited(const char *text, const char *directory, const char *key, const char *file)
{
    static const char *const words[] = {"MODIFY", "CLOSE_WRITE"};
    char what[128];
    for (size_t i = 0; i < 2; i++) {
        snprintf(what, sizeof(what), "%s:%s|%s", directory, words[i], key);
        if (times(text, what) != 1)
            fail_msg("not once '%s' in '%s'", what, text);
        snprintf(what, sizeof(what), "%s:%s", file, words[i]);
        if (file[0] && times(text, what) != 1)
            fail_msg("not once '%s' in '%s'", what, text);
    }
}

static void told_once(const char *text, const char *what)
{
    if (times(text, what) != 1)
        fail_msg("not once '%s' in '%s'", what, text);
}

static void untold(const char *text, const char *what)
{
    if (strstr(text, what))
        fail_msg("'%s' in '%s'", what, text);
}

/* What is read, and its exact size before that. */
static void is(const char *path, const char *wanted)
{
    char got[256];
    struct stat st;
    if (stat(world_path(&world, path), &st) < 0)
        fail_msg("'%s': %s", path, strerror(errno));
    assert_int_equal(st.st_size, strlen(wanted));
    int fd = open(world_path(&world, path), O_RDONLY | O_CLOEXEC);
    ssize_t size = read(fd, got, sizeof(got) - 1);
    close(fd);
    assert_true(size >= 0);
    got[size] = 0;
    assert_string_equal(got, wanted);
}

static void says(const char *path, const char *name, const char *wanted)
{
    char got[256], attribute[64];
    snprintf(attribute, sizeof(attribute), "user.emsa.%s", name);
    ssize_t size = getxattr(world_path(&world, path), attribute, got, sizeof(got) - 1);
    if (size < 0)
        fail_msg("'%s' of '%s': %s", attribute, path, strerror(errno));
    got[size] = 0;
    if (strcmp(got, wanted) != 0)
        fail_msg("'%s' of '%s' is '%s', not '%s'", attribute, path, got, wanted);
}

static void rev_is(const char *path, uint64_t rev)
{
    char wanted[24];
    snprintf(wanted, sizeof(wanted), "%llu", (unsigned long long)rev);
    says(path, "rev", wanted);
}

static bool there(const char *path)
{
    struct stat st;
    return stat(world_path(&world, path), &st) == 0;
}

static ino_t inode(const char *path)
{
    struct stat st;
    assert_int_equal(stat(world_path(&world, path), &st), 0);
    return st.st_ino;
}

/* What the kernel kept of every reader is gone when the commit is answered: pages and sizes. */
static void a_change_is_seen_by_every_reader(void **state)
{
    (void)state;
    static const struct {
        const char *path, *before, *after;
    } readers[] = {{"all/shared/HOST", "db-one", "db-uno, longer"},
                   {"prod/shared/HOST", "db-one", "db-uno, longer"},
                   {"prod/a/HOST", "db-one", "db-uno, longer"},
                   {"prod/a/DSN", "correct horse 1@db-one", "correct horse 1@db-uno, longer"},
                   {"prod/b/URL", "http://db-one:80/", "http://db-uno, longer:80/"},
                   {"stage/b/URL", "http://db-one:80/", "http://db-uno, longer:80/"}};
    enum { COUNT = sizeof(readers) / sizeof(readers[0]) };
    const void *maps[COUNT];
    for (size_t i = 0; i < COUNT; i++) {
        is(readers[i].path, readers[i].before);
        int fd = open(world_path(&world, readers[i].path), O_RDONLY | O_CLOEXEC);
        maps[i] = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, fd, 0);
        assert_ptr_not_equal(maps[i], MAP_FAILED);
        assert_memory_equal(maps[i], readers[i].before, strlen(readers[i].before));
        close(fd);
    }
    set("all/shared/HOST", "db-uno, longer");
    for (size_t i = 0; i < COUNT; i++) {
        struct stat st;
        assert_int_equal(stat(world_path(&world, readers[i].path), &st), 0);
        assert_int_equal(st.st_size, strlen(readers[i].after));
        assert_memory_equal(maps[i], readers[i].after, strlen(readers[i].after));
        munmap((void *)(uintptr_t)maps[i], 4096);
    }
}

/* One change in `all`: everybody who reads it. */
static void a_change_is_heard_by_every_reader(void **state)
{
    (void)state;
    heard(); /* what was changed before */
    watch("a", "prod/a");
    watch("b", "prod/b");
    watch("c", "prod/c");
    watch("shared", "prod/shared");
    watch("stage", "stage/b");
    watch("link", "prod/a/HOST");
    watch("secret", "prod/a/DSN");
    watch("plain", "prod/b/URL");
    watch("itself", "all/shared/HOST");
    uint64_t rev = set("all/shared/HOST", "db-two.example");
    const char *text = heard();
    edited(text, "a", "HOST", "link");
    edited(text, "a", "DSN", "secret");
    edited(text, "b", "URL", "plain");
    edited(text, "shared", "HOST", "itself");
    edited(text, "stage", "URL", "");
    untold(text, "c:");
    untold(text, "PASSWORD");
    untold(text, "CREATE");
    untold(text, "DELETE");
    untold(text, "ATTRIB");
    is("all/shared/HOST", "db-two.example");
    is("prod/shared/HOST", "db-two.example");
    is("prod/a/HOST", "db-two.example");
    is("prod/a/DSN", "correct horse 1@db-two.example");
    is("prod/b/URL", "http://db-two.example:80/");
    is("stage/b/URL", "http://db-two.example:80/");
    static const char *const readers[] = {"all/shared/HOST", "prod/shared/HOST", "prod/a/HOST",
                                          "prod/a/DSN",      "prod/b/URL",       "stage/a/HOST"};
    for (size_t i = 0; i < sizeof(readers) / sizeof(readers[0]); i++) {
        rev_is(readers[i], rev);
        says(readers[i], "reason", "a test");
    }
    says("prod/a/DSN", "kind", "secret");
    says("prod/b/URL", "kind", "plain");
    says("prod/shared/HOST", "origin", "all");
    says("stage/b/URL", "origin", "base");
    says("prod/c/X", "origin", "own");
    rev_is("prod/c/X", made);
}

static const char *edit_of(const char *key)
{
    static char text[256];
    snprintf(text, sizeof(text), "a:MODIFY|%s file:MODIFY a:CLOSE_WRITE|%s file:CLOSE_WRITE", key,
             key);
    return text;
}

static void reads(int fd, const char *wanted)
{
    char got[256];
    ssize_t size = pread(fd, got, sizeof(got), 0);
    assert_int_equal(size, strlen(wanted));
    assert_memory_equal(got, wanted, (size_t)size);
}

static void bound_reads(const char *path, const char *wanted)
{
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, strlen(wanted));
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    reads(fd, wanted);
    close(fd);
}

/* A value is defined beneath, then here, then beneath again: one file all the time. */
static void moves(const char *here, const char *beneath, const char *key, const char *origin)
{
    static unsigned char large[9000], got[9000];
    char directory[64], file[128];
    snprintf(directory, sizeof(directory), "%.*s", (int)(strlen(here) - strlen(key) - 1), here);
    snprintf(file, sizeof(file), "%s/file", world.folder);
    close(open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600));
    set(beneath, "first beneath");
    heard();
    const ino_t place = inode(here);
    int held = open(world_path(&world, here), O_RDONLY | O_CLOEXEC);
    reads(held, "first beneath");
    assert_int_equal(mount(world_path(&world, here), file, NULL, MS_BIND, NULL), 0);
    watch("a", directory);
    watch("file", here);
    says(here, "origin", origin);
    /* here */
    uint64_t rev = set(here, "of my own");
    assert_string_equal(heard(), edit_of(key));
    is(here, "of my own");
    reads(held, "of my own");
    bound_reads(file, "of my own");
    says(here, "origin", "own");
    rev_is(here, rev);
    assert_true(inode(here) == place);
    /* nobody here sees what is changed beneath */
    set(beneath, "second beneath");
    assert_string_equal(heard(), "");
    rev_is(here, rev);
    /* beneath again; who has begun to read goes on */
    value_make(large, sizeof(large), 1);
    world_set(&world, here, large, sizeof(large));
    world_commit(&world);
    assert_string_equal(heard(), edit_of(key));
    assert_int_equal(lseek(held, 0, SEEK_SET), 0);
    assert_int_equal(read(held, got, 3000), 3000);
    world_remove(&world, here);
    rev = world_commit(&world);
    assert_string_equal(heard(), edit_of(key));
    assert_int_equal(read(held, got + 3000, sizeof(got) - 3000), 6000);
    assert_memory_equal(got, large, sizeof(large));
    is(here, "second beneath");
    reads(held, "second beneath");
    bound_reads(file, "second beneath");
    says(here, "origin", origin);
    rev_is(here, rev);
    assert_true(inode(here) == place);
    /* and seen again */
    set(beneath, "third beneath");
    assert_string_equal(heard(), edit_of(key));
    reads(held, "third beneath");
    bound_reads(file, "third beneath");
    assert_int_equal(umount2(file, MNT_DETACH), 0);
    close(held);
}

static void a_value_moves_from_all_and_back(void **state)
{
    (void)state;
    moves("prod/a/LEVEL", "all/a/LEVEL", "LEVEL", "all");
}

static void a_value_moves_from_a_base_and_back(void **state)
{
    (void)state;
    moves("stage/a/DEEP", "prod/a/DEEP", "DEEP", "base");
}

/* Said again here what is said beneath: nobody hears of what he does not see. (In
 * an environment that nobody stands on: who does might see another thing.) */
static void what_stays_as_it_was_is_not_told(void **state)
{
    (void)state;
    uint64_t rev = set("all/a/LEVEL", "the same");
    heard();
    watch("a", "stage/a");
    set("stage/a/LEVEL", "the same");
    assert_string_equal(heard(), "");
    says("stage/a/LEVEL", "origin", "own");
    rev_is("stage/a/LEVEL", rev);
    world_remove(&world, "stage/a/LEVEL");
    world_commit(&world);
    assert_string_equal(heard(), "");
    says("stage/a/LEVEL", "origin", "all");
    rev_is("stage/a/LEVEL", rev);
    is("stage/a/LEVEL", "the same");
}

/* A key of `all` comes and goes wherever its service is. */
static void a_key_comes_and_goes_where_its_service_is(void **state)
{
    (void)state;
    world_environment_add(&world, "dev");
    world_environment_add(&world, "bare");
    put("dev/a/OTHER", "x");
    put("bare/c/OTHER", "x");
    world_commit(&world);
    watch("prod", "prod/a");
    watch("stage", "stage/a");
    watch("dev", "dev/a");
    watch("all", "all/a");
    watch("bare", "bare");
    static const char *const directories[] = {"prod", "stage", "dev", "all"};
    for (int turn = 0; turn < 3; turn++) {
        char path[32], what[32];
        set("all/a/NEW", "everywhere");
        const char *text = heard();
        for (size_t i = 0; i < 4; i++) {
            snprintf(what, sizeof(what), "%s:CREATE|NEW", directories[i]);
            told_once(text, what);
            edited(text, directories[i], "NEW", "");
            snprintf(path, sizeof(path), "%s/a/NEW", directories[i]);
            is(path, "everywhere");
        }
        untold(text, "bare:");
        assert_false(there("bare/a"));
        world_remove(&world, "all/a/NEW");
        world_commit(&world);
        text = heard();
        for (size_t i = 0; i < 4; i++) {
            snprintf(what, sizeof(what), "%s:DELETE|NEW", directories[i]);
            told_once(text, what);
            snprintf(path, sizeof(path), "%s/a/NEW", directories[i]);
            assert_false(there(path));
        }
        untold(text, "bare:");
    }
    /* of a base: where that is one */
    set("prod/a/NEW", "in prod");
    const char *text = heard();
    told_once(text, "prod:CREATE|NEW");
    told_once(text, "stage:CREATE|NEW");
    untold(text, "dev:");
    is("stage/a/NEW", "in prod");
    world_remove(&world, "prod/a/NEW");
    world_commit(&world);
    told_once(heard(), "stage:DELETE|NEW");
}

/* With a service the keys of `all` come that it has there. */
static void a_service_brings_its_keys(void **state)
{
    (void)state;
    watch("bare", "bare");
    world_service_add(&world, "bare/a");
    world_commit(&world);
    assert_string_equal(heard(), "bare:CREATE/|a");
    is("bare/a/LEVEL", "the same");
    watch("a", "bare/a");
    set("bare/a/MORE", "x");
    assert_string_equal(heard(), "a:CREATE|MORE a:MODIFY|MORE a:CLOSE_WRITE|MORE");
    /* removed and placed again in one commit: another directory with the same key */
    const ino_t directory = inode("bare/a"), place = inode("bare/a/LEVEL");
    world_remove(&world, "bare/a/MORE");
    world_service_remove(&world, "bare/a");
    world_service_add(&world, "bare/a");
    world_commit(&world);
    const char *text = heard();
    told_once(text, "bare:DELETE/|a");
    told_once(text, "bare:CREATE/|a");
    assert_true(inode("bare/a") != directory);
    assert_true(inode("bare/a/LEVEL") == place);
    is("bare/a/LEVEL", "the same");
    assert_false(there("bare/a/MORE"));
}

static unsigned count_names(const char *path)
{
    DIR *directory = opendir(world_path(&world, path));
    unsigned found = 0;
    assert_non_null(directory);
    while (readdir(directory))
        found++;
    closedir(directory);
    return found;
}

/* An environment on a base shows what that has, and its own value counts for those who refer. */
static void an_environment_stands_on_its_base(void **state)
{
    (void)state;
    watch("root", "");
    world_environment_add_on(&world, "shop", "prod");
    world_commit(&world);
    assert_string_equal(heard(), "root:CREATE/|shop");
    assert_int_equal(count_names("shop"), count_names("prod"));
    assert_int_equal(count_names("shop/a"), count_names("prod/a"));
    is("shop/a/PASSWORD", "correct horse 1");
    is("shop/b/URL", "http://db-two.example:80/");
    says("shop/a/DSN", "kind", "secret");
    watch("prod", "prod/b");
    watch("b", "shop/b");
    watch("a", "shop/a");
    uint64_t rev = set("shop/shared/HOST", "db-shop");
    const char *text = heard();
    edited(text, "b", "URL", "");
    edited(text, "a", "HOST", "");
    edited(text, "a", "DSN", "");
    untold(text, "prod:");
    is("shop/b/URL", "http://db-shop:80/");
    is("shop/a/HOST", "db-shop");
    is("shop/a/DSN", "correct horse 1@db-shop");
    is("prod/b/URL", "http://db-two.example:80/");
    rev_is("shop/b/URL", rev);
    /* nobody in shop sees the one of `all` now */
    set("all/shared/HOST", "db-three");
    text = heard();
    edited(text, "prod", "URL", "");
    untold(text, "a:");
    is("prod/b/URL", "http://db-three:80/");
    is("shop/b/URL", "http://db-shop:80/");
    rev_is("shop/b/URL", rev);
}

/* In `all` nobody reads: what was said there is shown. */
static void all_shows_what_was_said(void **state)
{
    (void)state;
    world_set_link(&world, "all/a/LINK", "shared/HOST");
    world_set_template(&world, "all/b/TEXT", "<${shared/HOST}> for $$5");
    world_commit(&world);
    is("all/a/LINK", "shared/HOST");
    is("all/b/TEXT", "<${shared/HOST}> for $$5");
    says("all/a/LINK", "kind", "link");
    says("all/b/TEXT", "kind", "template");
    says("all/a/LINK", "origin", "own");
    is("prod/a/LINK", "db-three");
    is("prod/b/TEXT", "<db-three> for $5");
    is("shop/b/TEXT", "<db-shop> for $5");
    says("prod/a/LINK", "kind", "plain");
    says("prod/b/TEXT", "kind", "plain");
    says("prod/b/TEXT", "origin", "all");
    watch("all", "all/b");
    watch("prod", "prod/b");
    set("all/shared/HOST", "db-four");
    const char *text = heard();
    untold(text, "all:"); /* the same text */
    edited(text, "prod", "TEXT", "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define HEARD_TEST(test) cmocka_unit_test_setup_teardown(test, listen_anew, listen_no_more)
        cmocka_unit_test(a_change_is_seen_by_every_reader),
        HEARD_TEST(a_change_is_heard_by_every_reader),
        HEARD_TEST(a_value_moves_from_all_and_back),
        HEARD_TEST(a_value_moves_from_a_base_and_back),
        HEARD_TEST(what_stays_as_it_was_is_not_told),
        HEARD_TEST(a_key_comes_and_goes_where_its_service_is),
        HEARD_TEST(a_service_brings_its_keys),
        HEARD_TEST(an_environment_stands_on_its_base),
        HEARD_TEST(all_shows_what_was_said),
    };
    return cmocka_run_group_tests_name("shared", tests, make, end);
}
