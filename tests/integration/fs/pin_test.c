/* A view that is held at a revision, beside one that follows: what it shows by every way to look,
 * and what is heard when it is moved. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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

#include "store/error.h"
#include "tests/integration/fs/server.h"
#include "tests/integration/fs/watcher.h"
#include "tests/integration/fs/world.h"

static struct world world;
static unsigned held, live, kept, history, environment;
static uint64_t before, first, second, third;

static void set(const char *path, const char *value)
{
    world_set(&world, path, value, strlen(value));
}

/* Revisions that differ in all that can: another value, a key that goes, one that comes, and one
 * that is there all the time. */
static int make(void **state)
{
    (void)state;
    const struct view_options flat = {.layout = LAYOUT_FLAT};
    held = world_view_more(&world, "prod/billing", &flat);
    live = world_view_more(&world, "prod/billing", &flat);
    kept = world_view_more(&world, "prod/billing",
                           &(struct view_options){.layout = LAYOUT_FLAT, .cache = 1});
    history = world_view_more(&world, "prod/billing", &(struct view_options){.history = 1});
    environment = world_view_more(&world, "prod", &flat);
    world_make(&world, NULL);
    world_environment_add(&world, "prod");
    before = world_commit(&world);
    set("prod/billing/PORT", "1");
    set("prod/billing/GOES", "going");
    set("prod/billing/STAYS", "here");
    world_set_secret(&world, "prod/billing/PASSWORD", "one", 3);
    first = world_commit(&world);
    set("prod/billing/PORT", "22");
    set("prod/billing/COMES", "new");
    world_set_secret(&world, "prod/billing/PASSWORD", "second", 6);
    world_remove(&world, "prod/billing/GOES");
    set("prod/web/URL", "http://x");
    second = world_commit(&world);
    set("prod/billing/PORT", "333");
    third = world_commit(&world);
    return 0;
}

static int end(void **state)
{
    (void)state;
    world_end(&world);
    return 0;
}

static const char *read_fd(int fd)
{
    static char texts[4][4096];
    static unsigned next;
    char *text = texts[next++ % 4];
    ssize_t n = pread(fd, text, sizeof(texts[0]) - 1, 0);
    if (n < 0)
        snprintf(text, sizeof(texts[0]), "!%d", errno);
    else
        text[n] = '\0';
    return text;
}

static const char *content(unsigned view, const char *path)
{
    int fd = open(world_view_path(&world, view, path), O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? "!ENOENT" : strerror(errno);
    const char *text = read_fd(fd);
    close(fd);
    return text;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static const char *list(unsigned view, const char *path)
{
    static char text[4096];
    char *names[64];
    unsigned count = 0;
    const struct dirent *entry;
    DIR *directory = opendir(world_view_path(&world, view, path));
    assert_non_null(directory);
    while ((entry = readdir(directory)))
        if (entry->d_name[0] != '.')
            names[count++] = strdup(entry->d_name);
    closedir(directory);
    qsort(names, count, sizeof(names[0]), by_text);
    text[0] = '\0';
    for (unsigned i = 0; i < count; i++) {
        snprintf(text + strlen(text), sizeof(text) - strlen(text), "%s%s", *text ? " " : "",
                 names[i]);
        free(names[i]);
    }
    return text;
}

static struct stat status(unsigned view, const char *path)
{
    struct stat st;
    if (stat(world_view_path(&world, view, path), &st) != 0)
        fail_msg("stat '%s': %s", path, strerror(errno));
    return st;
}

static const char *attribute(unsigned view, const char *path, const char *name)
{
    static char value[64];
    ssize_t n = getxattr(world_view_path(&world, view, path), name, value, sizeof(value) - 1);
    value[n < 0 ? 0 : n] = '\0';
    return value;
}

static const char *number(uint64_t rev)
{
    static char text[4][32];
    static unsigned next;
    char *out = text[next++ % 4];
    snprintf(out, sizeof(text[0]), "%llu", (unsigned long long)rev);
    return out;
}

static void move(unsigned view, uint64_t rev)
{
    assert_int_equal(world_move(&world, view, rev), 0);
}

static void assert_head(unsigned view, const char *directory, uint64_t rev)
{
    char link[32] = "", target[32], path[64];
    snprintf(path, sizeof(path), "%s.emsa/head", directory);
    assert_true(readlink(world_view_path(&world, view, path), link, sizeof(link) - 1) > 0);
    snprintf(target, sizeof(target), "at/%s", number(rev));
    assert_string_equal(link, target);
}

static void assert_shows_first(unsigned view)
{
    assert_string_equal(list(view, ""), "GOES PASSWORD PORT STAYS");
    assert_string_equal(content(view, "PORT"), "1");
    assert_string_equal(content(view, "GOES"), "going");
    assert_string_equal(content(view, "PASSWORD"), "one");
    assert_string_equal(content(view, "COMES"), "!ENOENT");
    assert_int_equal(status(view, "PORT").st_size, 1);
    assert_int_equal(status(view, "PASSWORD").st_size, 3);
    assert_string_equal(attribute(view, "PORT", "user.emsa.rev"), number(first));
    assert_string_equal(attribute(view, "", "user.emsa.rev"), number(first));
    assert_head(view, "", first);
    char text[64];
    snprintf(text, sizeof(text), "%s\n", number(first));
    assert_string_equal(content(view, ".emsa/rev"), text);
    assert_string_equal(content(view, ".emsa/env"),
                        "GOES=going\nPASSWORD=one\nPORT=1\nSTAYS=here\n");
    assert_non_null(strstr(content(view, ".emsa/json"), "\"PORT\""));
    assert_string_equal(content(view, ".emsa/head/PORT"), "1");
}

static void assert_shows_newest(unsigned view)
{
    assert_string_equal(list(view, ""), "COMES PASSWORD PORT STAYS");
    assert_string_equal(content(view, "PORT"), "333");
    assert_string_equal(content(view, "COMES"), "new");
    assert_string_equal(content(view, "PASSWORD"), "second");
    assert_string_equal(content(view, "GOES"), "!ENOENT");
    assert_int_equal(status(view, "PORT").st_size, 3);
    assert_head(view, "", third);
}

static void it_shows_its_revision_by_every_way(void **state)
{
    (void)state;
    assert_shows_newest(held);
    const ino_t inode = status(held, "PORT").st_ino;
    move(held, first);
    assert_shows_first(held);
    assert_shows_newest(live);
    assert_true(status(held, "PORT").st_ino == inode);
    /* an id that is there now and not then, by which the kernel may ask */
    move(held, second);
    assert_string_equal(content(held, "PORT"), "22");
    assert_string_equal(list(held, ""), "COMES PASSWORD PORT STAYS");
    move(held, first);
    assert_shows_first(held);
    move(held, 0);
    assert_shows_newest(held);
}

static void commits_say_nothing_to_it(void **state)
{
    (void)state;
    static struct watcher watcher;
    move(held, first);
    move(held, first); /* begins when the events of the one before are out */
    watcher_init(&watcher);
    watcher_add(&watcher, "dir", world_view_path(&world, held, ""),
                IN_CREATE | IN_DELETE | IN_CLOSE_WRITE);
    set("prod/billing/PORT", "4444");
    set("prod/billing/MORE", "more");
    world_remove(&world, "prod/billing/STAYS");
    world_commit(&world);
    assert_string_equal(content(live, "PORT"), "4444");
    assert_shows_first(held);
    set("prod/billing/PORT", "333");
    set("prod/billing/STAYS", "here");
    world_remove(&world, "prod/billing/MORE");
    world_commit(&world);
    assert_shows_first(held);
    /* the first that is heard is the move's */
    move(held, second);
    const char *heard = watcher_take(&watcher, 5);
    assert_non_null(strstr(heard, "dir:DELETE|GOES"));
    assert_non_null(strstr(heard, "dir:CREATE|COMES"));
    assert_non_null(strstr(heard, "dir:CLOSE_WRITE|COMES"));
    assert_non_null(strstr(heard, "dir:CLOSE_WRITE|PORT"));
    assert_non_null(strstr(heard, "dir:CLOSE_WRITE|PASSWORD"));
    /* and back: STAYS is the same at both, so nothing is said of it */
    move(held, first);
    heard = watcher_take(&watcher, 5);
    assert_non_null(strstr(heard, "dir:DELETE|COMES"));
    assert_non_null(strstr(heard, "dir:CREATE|GOES"));
    assert_non_null(strstr(heard, "dir:CLOSE_WRITE|GOES"));
    assert_non_null(strstr(heard, "dir:CLOSE_WRITE|PORT"));
    assert_non_null(strstr(heard, "dir:CLOSE_WRITE|PASSWORD"));
    move(held, second);
    assert_non_null(strstr(watcher_take(&watcher, 5), "dir:DELETE|GOES"));
    watcher_release(&watcher);
}

/* A descriptor from before goes on with what it has begun, and has the new value from the start; so
 * has one whose key is not there any more what it had. */
static void descriptors_stay(void **state)
{
    (void)state;
    move(held, second);
    int port = open(world_view_path(&world, held, "PORT"), O_RDONLY | O_CLOEXEC);
    int comes = open(world_view_path(&world, held, "COMES"), O_RDONLY | O_CLOEXEC);
    char byte[2] = "";
    assert_int_equal(pread(port, byte, 1, 0), 1);
    assert_string_equal(read_fd(comes), "new");
    move(held, first);
    assert_int_equal(pread(port, byte, 1, 1), 1); /* goes on */
    assert_string_equal(byte, "2");
    assert_string_equal(read_fd(port), "1");
    assert_string_equal(read_fd(comes), "new");
    struct stat st;
    assert_int_equal(fstat(comes, &st), 0);
    assert_int_equal(st.st_size, 3);
    set("prod/billing/COMES", "newer"); /* which is nothing to who has left it behind */
    world_commit(&world);
    assert_string_equal(read_fd(comes), "new");
    set("prod/billing/COMES", "new");
    world_commit(&world);
    move(held, 0);
    assert_string_equal(read_fd(port), "333");
    assert_string_equal(read_fd(comes), "new");
    close(port);
    close(comes);
}

static void a_mount_of_one_file_stays(void **state)
{
    (void)state;
    char file[] = "/tmp/emsa-pin-XXXXXX";
    int fd = mkstemp(file);
    assert_true(fd >= 0);
    close(fd);
    move(held, first);
    assert_int_equal(mount(world_view_path(&world, held, "PORT"), file, NULL, MS_BIND, NULL), 0);
    for (unsigned turn = 0; turn < 2; turn++) {
        move(held, turn ? first : second);
        fd = open(file, O_RDONLY | O_CLOEXEC);
        assert_string_equal(read_fd(fd), turn ? "1" : "22");
        close(fd);
    }
    move(held, 0);
    fd = open(file, O_RDONLY | O_CLOEXEC);
    assert_string_equal(read_fd(fd), "333");
    close(fd);
    assert_int_equal(umount2(file, MNT_DETACH), 0);
    unlink(file);
}

/* With `cache` the kernel has pages: they are another's after a move, in a held mapping too. */
static void pages_are_forgotten(void **state)
{
    (void)state;
    for (unsigned turn = 0; turn < 3; turn++) {
        move(kept, first);
        assert_string_equal(content(kept, "PORT"), "1");
        assert_string_equal(content(kept, "PORT"), "1");
        int fd = open(world_view_path(&world, kept, "PORT"), O_RDONLY | O_CLOEXEC);
        const char *map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, fd, 0);
        assert_ptr_not_equal(map, MAP_FAILED);
        assert_int_equal(map[0], '1');
        move(kept, turn == 2 ? 0 : second);
        assert_int_equal(map[0], turn == 2 ? '3' : '2');
        assert_string_equal(content(kept, "PORT"), turn == 2 ? "333" : "22");
        munmap((void *)(uintptr_t)map, 4096);
        close(fd);
    }
}

static void who_polls_is_woken_by_a_move(void **state)
{
    (void)state;
    move(held, second);
    struct pollfd fd = {.events = POLLPRI};
    fd.fd = open(world_view_path(&world, held, "PORT"), O_RDONLY | O_CLOEXEC);
    assert_string_equal(read_fd(fd.fd), "22");
    assert_int_equal(poll(&fd, 1, 0), 0);
    set("prod/billing/PORT", "55555");
    world_commit(&world);
    assert_int_equal(poll(&fd, 1, 0), 0);
    move(held, first);
    assert_int_equal(poll(&fd, 1, -1), 1);
    assert_string_equal(read_fd(fd.fd), "1");
    assert_int_equal(poll(&fd, 1, 0), 0);
    move(held, 0);
    assert_int_equal(poll(&fd, 1, -1), 1);
    assert_string_equal(read_fd(fd.fd), "55555");
    set("prod/billing/PORT", "333");
    world_commit(&world);
    close(fd.fd);
}

static void nothing_newer_is_in_at(void **state)
{
    (void)state;
    char path[64];
    move(history, second);
    snprintf(path, sizeof(path), "prod/billing/.emsa/at/%s/PORT", number(first));
    assert_string_equal(content(history, path), "1");
    snprintf(path, sizeof(path), "prod/billing/.emsa/at/%s/PORT", number(second));
    assert_string_equal(content(history, path), "22");
    snprintf(path, sizeof(path), "prod/billing/.emsa/at/%s/PORT", number(third));
    assert_string_equal(content(history, path), "!ENOENT");
    assert_head(history, "prod/billing/", second);
    move(history, first);
    snprintf(path, sizeof(path), "prod/billing/.emsa/at/%s/PORT", number(second));
    assert_string_equal(content(history, path), "!ENOENT");
    move(history, 0);
    assert_string_equal(content(history, path), "22");
    /* without history: what it shows, and what it has just left where that is older */
    move(held, first);
    snprintf(path, sizeof(path), ".emsa/at/%s/PORT", number(second));
    assert_string_equal(content(held, path), "!ENOENT");
    move(held, second);
    assert_string_equal(content(held, path), "22");
    snprintf(path, sizeof(path), ".emsa/at/%s/PORT", number(first));
    assert_string_equal(content(held, path), "1");
    move(held, third);
    assert_string_equal(content(held, path), "!ENOENT");
    move(held, 0);
    snprintf(path, sizeof(path), ".emsa/at/%s/PORT", number(third));
    assert_string_equal(content(held, path), "333");
}

static void what_can_not_be_is_refused(void **state)
{
    (void)state;
    move(held, first);
    assert_int_equal(world_move(&world, held, 1000000), -ERR_NOT_FOUND);
    assert_int_equal(world_move(&world, held, before), -ERR_REFUSED); /* no service yet */
    assert_int_equal(world_move(&world, held, 1), -ERR_REFUSED);      /* nor an environment */
    assert_shows_first(held);
    move(held, 0);
}

static void an_environment_is_held_too(void **state)
{
    (void)state;
    static struct watcher watcher;
    watcher_init(&watcher);
    assert_string_equal(list(environment, ""), "billing web");
    watcher_add(&watcher, "web", world_view_path(&world, environment, "web"),
                IN_CREATE | IN_DELETE | IN_CLOSE_WRITE | IN_DELETE_SELF);
    int web = open(world_view_path(&world, environment, "web"), O_RDONLY | O_CLOEXEC);
    move(environment, first);
    assert_string_equal(list(environment, ""), "billing");
    assert_string_equal(content(environment, "billing/PORT"), "1");
    assert_string_equal(content(environment, "web/URL"), "!ENOENT");
    assert_head(environment, "billing/", first);
    assert_head(environment, "", first);
    assert_string_equal(watcher_take(&watcher, 1), "web:DELETE|URL");
    move(environment, before);
    assert_string_equal(list(environment, ""), "");
    /* its directory was held all the time, and is none that is dead */
    move(environment, second);
    assert_string_equal(list(environment, ""), "billing web");
    assert_string_equal(content(environment, "web/URL"), "http://x");
    assert_string_equal(watcher_take(&watcher, 2), "web:CREATE|URL web:CLOSE_WRITE|URL");
    int url = openat(web, "URL", O_RDONLY | O_CLOEXEC);
    assert_string_equal(read_fd(url), "http://x");
    close(url);
    close(web);
    watcher_release(&watcher);
    move(environment, 0);
}

/* What goes from the store stays in a view that is held, and what is made again is nothing to it.
 */
static void a_service_that_is_removed_stays(void **state)
{
    (void)state;
    move(held, first);
    move(environment, first);
    static const char *const keys[] = {"PORT", "STAYS", "COMES", "PASSWORD"};
    for (unsigned i = 0; i < 4; i++) {
        char path[64];
        snprintf(path, sizeof(path), "prod/billing/%s", keys[i]);
        world_remove(&world, path);
    }
    world_service_remove(&world, "prod/billing");
    world_commit(&world);
    assert_string_equal(list(live, ""), "");
    assert_shows_first(held);
    assert_string_equal(content(environment, "billing/PORT"), "1");
    world_server_kill(&world);
    world_server_start(&world);
    assert_shows_first(held);
    move(held, second);
    assert_string_equal(content(held, "PORT"), "22");
    move(held, 0);
    assert_string_equal(list(held, ""), "");
    move(held, first);
    assert_shows_first(held);
    set("prod/billing/PORT", "again");
    const uint64_t last = world_commit(&world);
    assert_shows_first(held);
    assert_string_equal(list(live, ""), "PORT");
    move(held, last);
    assert_string_equal(list(held, ""), "PORT");
    assert_string_equal(content(held, "PORT"), "again");
    move(environment, 0);
    assert_string_equal(content(environment, "billing/PORT"), "again");
    move(held, first);
    assert_shows_first(held);
}

static void it_stays_over_deaths(void **state)
{
    (void)state;
    move(held, first);
    for (unsigned turn = 0; turn < 3; turn++) {
        world_server_kill(&world);
        world_server_start(&world);
        assert_shows_first(held);
        move(held, second);
        assert_string_equal(content(held, "PORT"), "22");
        move(held, first);
    }
    /* one that nobody could tell is told by who comes next */
    static struct watcher watcher;
    move(held, first);
    watcher_init(&watcher);
    watcher_add(&watcher, "dir", world_view_path(&world, held, ""),
                IN_CREATE | IN_DELETE | IN_CLOSE_WRITE);
    world_notifier_kill(&world);
    assert_int_equal(world_move(&world, held, second), 1);
    world_server_kill(&world);
    world_notifier_start(&world);
    world_server_start(&world);
    assert_string_equal(watcher_take(&watcher, 2), "dir:DELETE|GOES dir:CREATE|COMES");
    assert_non_null(strstr(watcher_take(&watcher, 3), "dir:CLOSE_WRITE|PORT"));
    watcher_release(&watcher);
    assert_string_equal(content(held, "PORT"), "22");
    move(held, first);
    assert_shows_first(held);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_shows_its_revision_by_every_way),
        cmocka_unit_test(commits_say_nothing_to_it),
        cmocka_unit_test(descriptors_stay),
        cmocka_unit_test(a_mount_of_one_file_stays),
        cmocka_unit_test(pages_are_forgotten),
        cmocka_unit_test(who_polls_is_woken_by_a_move),
        cmocka_unit_test(nothing_newer_is_in_at),
        cmocka_unit_test(what_can_not_be_is_refused),
        cmocka_unit_test(an_environment_is_held_too),
        cmocka_unit_test(a_service_that_is_removed_stays),
        cmocka_unit_test(it_stays_over_deaths),
    };
    return cmocka_run_group_tests(tests, make, end);
}
