/* Views of one environment and of one service: what is in them, that nothing else is, and what
 * their watchers hear while their place comes, goes, and comes again. */
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
#include "tests/integration/fs/watcher.h"
#include "tests/integration/fs/world.h"

static struct world world;
static unsigned tree, flat, environment, environment_flat, with_history, later, nowhere;

static void set(const char *path, const char *value)
{
    world_set(&world, path, value, strlen(value));
}

static int make(void **state)
{
    (void)state;
    const struct view_options usual = {0};
    tree = world_view_more(&world, "prod/billing", &usual);
    flat = world_view_more(&world, "prod/billing",
                           &(struct view_options){.layout = LAYOUT_FLAT,
                                                  .uid = 1234,
                                                  .gid = 1235,
                                                  .directory_mode = 0750,
                                                  .file_mode = 0440});
    environment = world_view_more(&world, "prod", &usual);
    environment_flat =
        world_view_more(&world, "prod", &(struct view_options){.layout = LAYOUT_FLAT});
    with_history = world_view_more(&world, "prod/billing", &(struct view_options){.history = 1});
    later = world_view_more(&world, "prod/later", &(struct view_options){.layout = LAYOUT_FLAT});
    nowhere = world_view_more(&world, "nowhere/none", &usual);
    world_make(&world, NULL);
    world_environment_add(&world, "prod");
    world_environment_add(&world, "dev");
    set("prod/billing/PORT", "8080");
    set("prod/billing/HOST", "one");
    world_set_secret(&world, "prod/billing/PASSWORD", "secret", 6);
    set("prod/web/URL", "http://x");
    set("prod/end/END", "0");
    set("dev/billing/PORT", "1");
    world_commit(&world);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

/* The names of a directory as they come, joined by spaces; "!" and an errno on failure. */
static const char *list(unsigned view, const char *path)
{
    static char text[4096];
    DIR *directory = opendir(world_view_path(&world, view, path));
    const struct dirent *entry;
    text[0] = '\0';
    if (!directory) {
        snprintf(text, sizeof(text), "!%d", errno);
        return text;
    }
    while ((entry = readdir(directory)))
        if (entry->d_name[0] != '.')
            snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", *text ? " " : "",
                     entry->d_name);
    closedir(directory);
    return text;
}

static const char *read_path(const char *path)
{
    static char text[4096];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
    if (n < 0)
        snprintf(text, sizeof(text), "!%d", errno);
    else
        text[n] = '\0';
    if (fd >= 0)
        close(fd);
    return text;
}

static const char *content(unsigned view, const char *path)
{
    return read_path(world_view_path(&world, view, path));
}

static struct stat look(const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        fail_msg("stat '%s': %s", path, strerror(errno));
    return st;
}

static struct stat status(unsigned view, const char *path)
{
    return look(world_view_path(&world, view, path));
}

static void assert_absent(unsigned view, const char *path)
{
    struct stat st;
    if (lstat(world_view_path(&world, view, path), &st) == 0 || errno != ENOENT)
        fail_msg("'%s' is there, or said so (%d)", path, errno);
}

static void nothing_else_is_there(void **state)
{
    (void)state;
    static const char *const keys = "HOST PASSWORD PORT";
    assert_string_equal(list(tree, ""), "prod");
    assert_string_equal(list(tree, "prod"), "billing");
    assert_string_equal(list(tree, "prod/billing"), keys);
    assert_string_equal(list(flat, ""), keys);
    assert_string_equal(list(environment, ""), "prod");
    assert_string_equal(list(environment, "prod"), "billing end web");
    assert_string_equal(list(environment, "prod/billing"), keys);
    assert_string_equal(list(environment_flat, ""), "billing end web");
    assert_string_equal(list(environment_flat, "web"), "URL");
    assert_string_equal(list(later, ""), "");
    assert_string_equal(list(nowhere, ""), "nowhere");
    assert_string_equal(list(nowhere, "nowhere/none"), "");
    static const char *const absent[] = {"dev",
                                         "all",
                                         "prod/web",
                                         ".emsa",
                                         "prod/.emsa",
                                         "billing",
                                         "prod/billing/URL",
                                         "prod/dev",
                                         "prod/billing/prod"};
    for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++)
        assert_absent(tree, absent[i]);
    assert_absent(environment, "dev");
    assert_absent(environment, ".emsa");
    assert_absent(environment_flat, "prod");
    assert_absent(flat, "prod");
    assert_absent(later, ".emsa");
    assert_absent(nowhere, "nowhere/none/.emsa");
    assert_string_equal(content(tree, "prod/billing/PORT"), "8080");
    assert_string_equal(content(tree, "prod/billing/PASSWORD"), "secret");
    assert_string_equal(content(flat, "HOST"), "one");
    assert_string_equal(content(environment, "prod/web/URL"), "http://x");
    assert_string_equal(content(environment_flat, "billing/PASSWORD"), "secret");
}

static bool is_made_time(unsigned view, struct stat st)
{
    const int64_t time = world.views[view].options.made_time;
    return st.st_mtim.tv_sec == time / 1000000000 && st.st_mtim.tv_nsec == time % 1000000000;
}

static void attributes_tell_of_nothing_else(void **state)
{
    (void)state;
    const uint64_t known = look(world_path(&world, "prod/billing/PORT")).st_ino;
    const struct stat port = status(tree, "prod/billing/PORT");
    assert_true(known >> 60 == 3); /* an administrator sees node ids */
    assert_true(port.st_ino > 3 && port.st_ino != known);
    assert_true(status(flat, "PORT").st_ino != port.st_ino);
    assert_true(status(environment, "prod/billing/PORT").st_ino != port.st_ino);
    assert_int_equal(status(tree, "").st_ino, 1);
    assert_int_equal(status(tree, "prod").st_ino, 2);
    assert_int_equal(status(tree, "prod/billing").st_ino, 3);
    assert_int_equal(status(flat, "").st_ino, 1);
    assert_int_equal(status(environment, "prod").st_ino, 2);
    assert_true(status(environment, "prod/billing").st_ino > 3);
    assert_true(is_made_time(tree, status(tree, "")));
    assert_true(is_made_time(tree, status(tree, "prod")));
    assert_true(is_made_time(environment, status(environment, "")));
    assert_true(is_made_time(later, status(later, "")));
    assert_false(is_made_time(tree, status(tree, "prod/billing")));
    assert_false(is_made_time(environment, status(environment, "prod")));
    assert_int_equal(status(tree, "prod/billing").st_nlink, 2);
    assert_int_equal(status(later, "").st_nlink, 2);
    assert_int_equal(port.st_mode & 07777, 0444);
    assert_int_equal(port.st_size, 4);
    assert_int_equal(status(tree, "prod").st_mode & 07777, 0555);
    assert_int_equal(status(flat, "").st_mode & 07777, 0750);
    assert_int_equal(status(flat, "PORT").st_mode & 07777, 0440);
    assert_int_equal(status(flat, "PORT").st_uid, 1234);
    assert_int_equal(status(flat, "").st_gid, 1235);
}

/* Offsets are made of ids, and are as good as inode numbers. */
static void lists_have_numbers_of_their_own(void **state)
{
    (void)state;
    DIR *mine = opendir(world_view_path(&world, tree, "prod/billing"));
    DIR *whole = opendir(world_path(&world, "prod/billing"));
    const struct dirent *entry;
    long places[8];
    unsigned count = 0;
    assert_true(mine && whole);
    assert_int_equal(readdir(whole)->d_ino >> 60, 2);
    while ((entry = readdir(mine))) {
        places[count++] = telldir(mine);
        if (strcmp(entry->d_name, ".") == 0)
            assert_int_equal(entry->d_ino, 3);
        else if (strcmp(entry->d_name, "..") == 0)
            assert_int_equal(entry->d_ino, 2);
        else
            assert_true(entry->d_ino > 3 && telldir(mine) > 0xffffffff);
        if (strcmp(entry->d_name, "PORT") == 0)
            assert_true(entry->d_ino == status(tree, "prod/billing/PORT").st_ino);
    }
    assert_int_equal(count, 5);
    seekdir(mine, places[2]); /* behind the first key */
    assert_string_equal(readdir(mine)->d_name, "PASSWORD");
    seekdir(mine, 12345678901); /* behind nothing that there ever was */
    assert_null(readdir(mine));
    closedir(mine);
    closedir(whole);
}

static const char *attribute(unsigned view, const char *path, const char *name)
{
    static char value[256];
    ssize_t n = getxattr(world_view_path(&world, view, path), name, value, sizeof(value) - 1);
    value[n < 0 ? 0 : n] = '\0';
    return n < 0 ? "!" : value;
}

static void no_author_and_no_reason(void **state)
{
    (void)state;
    char names[512] = "";
    ssize_t n = listxattr(world_view_path(&world, tree, "prod/billing/PORT"), names, sizeof(names));
    for (ssize_t i = 0; i + 1 < n; i++)
        names[i] = names[i] ? names[i] : ' ';
    assert_string_equal(names, "user.emsa.rev user.emsa.kind user.emsa.origin user.emsa.time");
    assert_string_equal(attribute(tree, "prod/billing/PORT", "user.emsa.author"), "!");
    assert_string_equal(attribute(tree, "prod/billing/PORT", "user.emsa.reason"), "!");
    assert_string_equal(attribute(tree, "prod/billing/PORT", "user.emsa.origin"), "own");
    assert_string_equal(attribute(tree, "", "user.emsa.kind"), "root");
    assert_string_equal(attribute(tree, "prod", "user.emsa.kind"), "environment");
    assert_string_equal(attribute(later, "", "user.emsa.kind"), "service");
    assert_string_equal(attribute(later, "", "user.emsa.rev"), "!");
}

/* A commit elsewhere moves no revision that is shown. */
static void revisions_are_its_own(void **state)
{
    (void)state;
    char before[256], commit[32];
    snprintf(before, sizeof(before), "%s", attribute(tree, "", "user.emsa.rev"));
    set("prod/web/URL", "http://y");
    snprintf(commit, sizeof(commit), "%llu", (unsigned long long)world_commit(&world));
    static const char *const places[] = {"", "prod", "prod/billing", "prod/billing/.emsa",
                                         "prod/billing/.emsa/at"};
    for (size_t i = 0; i < sizeof(places) / sizeof(places[0]); i++)
        assert_string_equal(attribute(tree, places[i], "user.emsa.rev"), before);
    assert_int_equal(strtoul(content(tree, "prod/billing/.emsa/rev"), NULL, 10),
                     strtoul(before, NULL, 10));
    assert_string_equal(attribute(environment, "", "user.emsa.rev"), commit);
    assert_string_equal(attribute(environment, "prod/web", "user.emsa.rev"), commit);
    assert_string_equal(attribute(environment, "prod/billing", "user.emsa.rev"), before);
}

static void the_past_as_far_as_it_was_given(void **state)
{
    (void)state;
    char path[128];
    unsigned long old = strtoul(content(tree, "prod/billing/.emsa/rev"), NULL, 10);
    assert_string_equal(content(tree, "prod/billing/.emsa/head/PORT"), "8080");
    assert_string_equal(content(flat, ".emsa/env"), "HOST=one\nPASSWORD=secret\nPORT=8080\n");
    assert_string_equal(content(environment, "prod/.emsa/head/web/URL"), "http://y");
    assert_string_equal(content(environment_flat, "billing/.emsa/head/PORT"), "8080");
    int held = open(world_view_path(&world, tree, "prod/billing/.emsa/head"), O_PATH | O_CLOEXEC);
    assert_true(held >= 0);
    assert_absent(tree, "prod/billing/.emsa/at/1");
    assert_absent(with_history, "prod/billing/.emsa/at/1"); /* it was not there then */
    set("prod/web/URL", "http://z");
    const unsigned long other = world_commit(&world);
    set("prod/billing/PORT", "8081");
    const unsigned long now = world_commit(&world);
    snprintf(path, sizeof(path), "prod/billing/.emsa/at/%lu/PORT", now);
    assert_string_equal(content(tree, path), "8081");
    /* it was the newest until now */
    snprintf(path, sizeof(path), "prod/billing/.emsa/at/%lu/PORT", old);
    assert_string_equal(content(tree, path), "8080");
    snprintf(path, sizeof(path), "prod/billing/.emsa/at/%lu", other);
    assert_absent(tree, path); /* of others */
    assert_string_equal(list(with_history, path), "HOST PASSWORD PORT");
    assert_true(is_made_time(with_history, status(with_history, path)));
    set("prod/web/URL", "http://w");
    snprintf(path, sizeof(path), "prod/billing/.emsa/at/%lu", (unsigned long)world_commit(&world));
    assert_absent(with_history, path); /* nothing of it changed: there is no such revision */
    int fd = openat(held, "PORT", O_RDONLY | O_CLOEXEC);
    char text[8] = "";
    assert_int_equal(read(fd, text, sizeof(text)), 4);
    assert_string_equal(text, "8080");
    close(fd);
    close(held);
    set("prod/billing/PORT", "8080");
    world_commit(&world);
}

/* The next events are these; one too many is found with the next. */
static void hear(struct watcher *watcher, const char *expected)
{
    unsigned count = 1;
    for (const char *at = expected; *at; at++)
        count += *at == ' ';
    assert_string_equal(watcher_take(watcher, count), expected);
}

/* What this program opens itself is not of interest. */
#define CHANGES (EVERYTHING & ~IN_OPEN)

static void watchers_hear_of_their_own(void **state)
{
    (void)state;
    static struct watcher watcher;
    set("prod/billing/MINE", "1");
    world_commit(&world);
    watcher_init(&watcher);
    watcher_add(&watcher, "root", world_view_path(&world, tree, ""), CHANGES);
    watcher_add(&watcher, "prod", world_view_path(&world, tree, "prod"), CHANGES);
    watcher_add(&watcher, "dir", world_view_path(&world, tree, "prod/billing"), EVERYTHING);
    watcher_add(&watcher, "MINE", world_view_path(&world, tree, "prod/billing/MINE"), EVERYTHING);
    /* how it was made may be heard yet, or not */
    set("prod/billing/FIRST", "1");
    world_commit(&world);
    while (strcmp(watcher_take(&watcher, 1), "dir:CLOSE_WRITE|FIRST") != 0)
        ;
    set("prod/billing/MINE", "2");
    world_commit(&world);
    hear(&watcher, "dir:OPEN|MINE MINE:OPEN dir:MODIFY|MINE MINE:MODIFY "
                   "dir:CLOSE_WRITE|MINE MINE:CLOSE_WRITE");
    set("prod/billing/NEW", "x");
    set("prod/web/NEW", "x");
    set("dev/billing/NEW", "x");
    world_service_add(&world, "prod/added");
    world_environment_add(&world, "added");
    world_commit(&world);
    hear(&watcher, "dir:CREATE|NEW dir:OPEN|NEW dir:MODIFY|NEW dir:CLOSE_WRITE|NEW");
    world_remove(&world, "prod/billing/NEW");
    world_remove(&world, "prod/web/NEW");
    world_commit(&world);
    hear(&watcher, "dir:DELETE|NEW");
    set("prod/web/URL", "silence");
    world_commit(&world);
    world_remove(&world, "prod/billing/MINE");
    world_remove(&world, "prod/billing/FIRST");
    world_commit(&world);
    const char *text = watcher_take(&watcher, 5);
    assert_non_null(strstr(text, "MINE:DELETE_SELF"));
    assert_non_null(strstr(text, "dir:DELETE|MINE"));
    assert_non_null(strstr(text, "dir:DELETE|FIRST"));
    watcher_release(&watcher);
}

static void an_environments_watchers_hear_of_services(void **state)
{
    (void)state;
    static struct watcher watchers[2];
    const unsigned views[] = {environment, environment_flat};
    const char *const directories[] = {"prod", ""}, *const inner[] = {"prod/fresh", "fresh"};
    for (unsigned i = 0; i < 2; i++) {
        watcher_init(&watchers[i]);
        watcher_add(&watchers[i], "dir", world_view_path(&world, views[i], directories[i]),
                    CHANGES);
    }
    set("prod/fresh/K", "x");
    world_environment_add(&world, "elsewhere");
    set("elsewhere/fresh/K", "x");
    world_commit(&world);
    for (unsigned i = 0; i < 2; i++) {
        hear(&watchers[i], "dir:CREATE/|fresh");
        watcher_add(&watchers[i], "fresh", world_view_path(&world, views[i], inner[i]), CHANGES);
    }
    assert_string_equal(content(environment_flat, "fresh/K"), "x");
    set("prod/fresh/L", "x");
    world_commit(&world);
    for (unsigned i = 0; i < 2; i++)
        hear(&watchers[i], "fresh:CREATE|L fresh:MODIFY|L fresh:CLOSE_WRITE|L");
    world_remove(&world, "prod/fresh/K");
    world_remove(&world, "prod/fresh/L");
    world_service_remove(&world, "prod/fresh");
    world_commit(&world);
    for (unsigned i = 0; i < 2; i++) {
        hear(&watchers[i], "fresh:DELETE|L fresh:DELETE|K fresh:DELETE_SELF fresh:IGNORED "
                           "dir:DELETE/|fresh");
        watcher_release(&watchers[i]);
    }
    assert_absent(environment, "prod/fresh");
}

/* The directory is the view's: it stays, and its watchers hear of each key. */
static void a_place_comes_and_goes(void **state)
{
    (void)state;
    static struct watcher watcher;
    watcher_init(&watcher);
    watcher_add(&watcher, "dir", world_view_path(&world, later, ""), CHANGES);
    for (unsigned turn = 0; turn < 2; turn++) {
        assert_absent(later, ".emsa");
        assert_absent(later, "A");
        set("prod/later/A", "a");
        set("prod/later/B", "b");
        world_commit(&world);
        hear(&watcher, "dir:CREATE|A dir:CREATE|B dir:MODIFY|A dir:CLOSE_WRITE|A "
                       "dir:MODIFY|B dir:CLOSE_WRITE|B");
        assert_string_equal(list(later, ""), "A B");
        assert_string_equal(content(later, "A"), "a");
        assert_string_equal(content(later, ".emsa/env"), "A=a\nB=b\n");
        assert_false(is_made_time(later, status(later, "")));
        assert_int_equal(status(later, "").st_ino, 1);
        world_remove(&world, "prod/later/A");
        world_remove(&world, "prod/later/B");
        world_service_remove(&world, "prod/later");
        world_commit(&world);
        hear(&watcher, "dir:DELETE|B dir:DELETE|A");
        assert_string_equal(list(later, ""), "");
        assert_true(is_made_time(later, status(later, "")));
    }
    watcher_release(&watcher);
}

/* Made again it is another environment, with other keys, in the same directories. */
static void an_environment_is_made_again(void **state)
{
    (void)state;
    static struct watcher watcher;
    watcher_init(&watcher);
    watcher_add(&watcher, "dir", world_view_path(&world, nowhere, "nowhere/none"), CHANGES);
    watcher_add(&watcher, "root", world_view_path(&world, nowhere, ""), CHANGES);
    world_environment_add(&world, "nowhere");
    set("nowhere/none/A", "first");
    world_commit(&world);
    hear(&watcher, "dir:CREATE|A dir:MODIFY|A dir:CLOSE_WRITE|A");
    const uint64_t first = status(nowhere, "nowhere/none/A").st_ino;
    int fd = open(world_view_path(&world, nowhere, "nowhere/none/A"), O_RDONLY | O_CLOEXEC);
    world_remove(&world, "nowhere/none/A");
    world_service_remove(&world, "nowhere/none");
    world_environment_remove(&world, "nowhere");
    world_environment_add(&world, "nowhere");
    set("nowhere/none/A", "second");
    world_commit(&world);
    hear(&watcher, "dir:DELETE|A dir:CREATE|A dir:MODIFY|A dir:CLOSE_WRITE|A");
    assert_string_equal(content(nowhere, "nowhere/none/A"), "second");
    assert_true(status(nowhere, "nowhere/none/A").st_ino != first);
    char text[8] = "";
    assert_int_equal(pread(fd, text, sizeof(text), 0), 5); /* as an unlinked file */
    assert_string_equal(text, "first");
    close(fd);
    world_remove(&world, "nowhere/none/A");
    world_service_remove(&world, "nowhere/none");
    world_environment_remove(&world, "nowhere");
    world_commit(&world);
    hear(&watcher, "dir:DELETE|A");
    watcher_release(&watcher);
}

/* The next server, and the next notifier, know the same ids. */
static void over_a_kill(void **state)
{
    (void)state;
    int fd = open(world_view_path(&world, tree, "prod/billing/PORT"), O_RDONLY | O_CLOEXEC);
    char text[8] = "";
    world_server_kill(&world);
    world_server_start(&world);
    assert_int_equal(pread(fd, text, sizeof(text), 0), 4);
    assert_string_equal(text, "8080");
    world_notifier_kill(&world);
    world_notifier_start(&world);
    world_server_kill(&world);
    world_server_start(&world);
    set("prod/billing/PORT", "9");
    world_commit(&world);
    assert_int_equal(pread(fd, text, sizeof(text), 0), 1);
    assert_string_equal(content(flat, "PORT"), "9");
    close(fd);
}

static void nobody_may_write(void **state)
{
    (void)state;
    assert_int_equal(
        open(world_view_path(&world, tree, "prod/billing/X"), O_WRONLY | O_CREAT | O_CLOEXEC, 0600),
        -1);
    assert_int_equal(errno, EROFS);
    assert_int_equal(unlink(world_view_path(&world, tree, "prod/billing/PORT")), -1);
    assert_int_equal(errno, EROFS);
    assert_int_equal(mkdir(world_view_path(&world, tree, "dev"), 0700), -1);
    assert_int_equal(errno, EROFS);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(nothing_else_is_there),
        cmocka_unit_test(attributes_tell_of_nothing_else),
        cmocka_unit_test(lists_have_numbers_of_their_own),
        cmocka_unit_test(no_author_and_no_reason),
        cmocka_unit_test(revisions_are_its_own),
        cmocka_unit_test(the_past_as_far_as_it_was_given),
        cmocka_unit_test(watchers_hear_of_their_own),
        cmocka_unit_test(an_environments_watchers_hear_of_services),
        cmocka_unit_test(a_place_comes_and_goes),
        cmocka_unit_test(an_environment_is_made_again),
        cmocka_unit_test(over_a_kill),
        cmocka_unit_test(nobody_may_write),
    };
    return cmocka_run_group_tests(tests, make, end);
}
