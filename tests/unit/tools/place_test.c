/* Where store, identity and socket are, by option, environment and links. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/common/place.h"

static int forget(void **state)
{
    (void)state;
    return unsetenv("EMSA_STORE") != 0 || unsetenv("EMSA_IDENTITY") != 0;
}

static void the_usual_one(void **state)
{
    (void)state;
    struct place_of_store place;
    assert_int_equal(place_find(&place, NULL), 0);
    assert_true(place.is_default);
    assert_false(place.is_named);
    assert_string_equal(place.identity, "/etc/emsa/identity");
    assert_string_equal(place.socket, "/run/emsa/socket");
    assert_int_equal(place_find(&place, "/var/lib/emsa/"), 0);
    assert_true(place.is_default);
    assert_true(place.is_named);
    assert_string_equal(place.socket, "/run/emsa/socket");
}

static void one_of_its_own(void **state)
{
    (void)state;
    struct place_of_store place;
    assert_int_equal(place_find(&place, "/nowhere/else//"), 0);
    assert_false(place.is_default);
    assert_true(place.is_named);
    assert_string_equal(place.store, "/nowhere/else");
    assert_string_equal(place.identity, "/nowhere/else.identity");
    assert_string_equal(place.socket, "/nowhere/else/socket");
}

static void by_environment(void **state)
{
    (void)state;
    struct place_of_store place;
    setenv("EMSA_STORE", "/nowhere/named", 1);
    setenv("EMSA_IDENTITY", "/nowhere/key", 1);
    assert_int_equal(place_find(&place, NULL), 0);
    assert_true(place.is_named);
    assert_string_equal(place.store, "/nowhere/named");
    assert_string_equal(place.identity, "/nowhere/key");
    assert_int_equal(place_find(&place, "/nowhere/option"), 0);
    assert_string_equal(place.store, "/nowhere/option");
    assert_string_equal(place.identity, "/nowhere/key");
    setenv("EMSA_STORE", "", 1);
    setenv("EMSA_IDENTITY", "", 1);
    assert_int_equal(place_find(&place, NULL), 0);
    assert_true(place.is_default);
    assert_string_equal(place.identity, "/etc/emsa/identity");
}

static void relative_and_linked(void **state)
{
    (void)state;
    struct place_of_store place, linked;
    char root[] = "/tmp/emsa-place-XXXXXX", before[PATH_MAX], expected[PATH_MAX];
    assert_non_null(mkdtemp(root));
    assert_non_null(getcwd(before, sizeof before));
    assert_int_equal(chdir(root), 0);
    assert_int_equal(mkdir("real", 0700), 0);
    assert_int_equal(symlink("real", "link"), 0);
    (void)snprintf(expected, sizeof expected, "%s/new", root);
    assert_int_equal(place_find(&place, "new"), 0);
    assert_string_equal(place.store, expected);
    assert_int_equal(place_find(&place, "real"), 0);
    assert_int_equal(place_find(&linked, "link"), 0);
    assert_string_equal(place.store, linked.store);
    assert_string_equal(place.identity, linked.identity);
    assert_int_equal(unlink("link"), 0);
    assert_int_equal(rmdir("real"), 0);
    assert_int_equal(chdir(before), 0);
    assert_int_equal(rmdir(root), 0);
}

static void bad_ones(void **state)
{
    (void)state;
    struct place_of_store place;
    static char text[PATH_MAX + 10];
    assert_int_equal(place_find(&place, ""), -ERR_INVALID);
    memset(text, 'x', sizeof text - 1);
    text[0] = '/';
    assert_int_equal(place_find(&place, text), -ERR_INVALID);
    text[PATH_MAX - 4] = '\0'; /* fits, but its identity does not */
    assert_int_equal(place_find(&place, text), -ERR_INVALID);
}

static void mounts_that_hide_it(void **state)
{
    (void)state;
    struct place_of_store place = {.store = "/usr/lib/emsa-store",
                                   .identity = "/etc/emsa-identity",
                                   .socket = "/usr/lib/emsa-store/socket"};
    assert_int_equal(place_check_mount(&place, "/usr/lib/../lib/"), -ERR_REFUSED);
    assert_int_equal(place_check_mount(&place, "/"), -ERR_REFUSED);
    assert_int_equal(place_check_mount(&place, "/etc"), -ERR_REFUSED);
    assert_int_equal(place_check_mount(&place, "/usr/share"), 0);
    assert_int_equal(place_check_mount(&place, "/usr/lib/emsa-store/none"), 0);
    memcpy(place.store, "/usr/library", sizeof "/usr/library");
    memcpy(place.socket, "/var/s", sizeof "/var/s");
    assert_int_equal(place_check_mount(&place, "/usr/lib"), 0);
    memcpy(place.store, "/usr/lib", sizeof "/usr/lib");
    assert_int_equal(place_check_mount(&place, "/usr/lib"), -ERR_REFUSED);
}

static void a_folder_over_a_link(void **state)
{
    (void)state;
    char folder[] = "/tmp/emsa-place.XXXXXX", inner[64], link[64], over[80];
    int fd = -1;
    assert_non_null(mkdtemp(folder));
    (void)snprintf(inner, sizeof inner, "%s/real", folder);
    (void)snprintf(link, sizeof link, "%s/link", folder);
    (void)snprintf(over, sizeof over, "%s/link/.", folder);
    assert_int_equal(mkdir(inner, 0700), 0);
    assert_int_equal(symlink("real", link), 0);
    assert_int_equal(place_open_folder(&fd, link), -ERR_REFUSED);
    assert_int_equal(place_open_folder(&fd, over), -ERR_REFUSED);
    assert_int_equal(fd, -1);
    assert_int_equal(place_open_folder(&fd, inner), 0);
    assert_int_equal(close(fd), 0);
    (void)unlink(link);
    (void)rmdir(inner);
    assert_int_equal(place_open_folder(&fd, inner), -ERR_NOT_FOUND);
    (void)rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(the_usual_one, forget),
        cmocka_unit_test_setup(one_of_its_own, forget),
        cmocka_unit_test_setup(by_environment, forget),
        cmocka_unit_test_setup(relative_and_linked, forget),
        cmocka_unit_test_setup(bad_ones, forget),
        cmocka_unit_test(mounts_that_hide_it),
        cmocka_unit_test(a_folder_over_a_link),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
