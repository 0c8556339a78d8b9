/* tree, attr and xattr over a real store, with no mount. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fs/attr.h"
#include "fs/tree.h"
#include "fs/xattr.h"
#include "store/change.h"
#include "store/identity.h"
#include "tests/support/store/trial.h"

static struct store *store;
static struct snapshot *snapshot;
static uint64_t environment, service, port, password;

static struct path path_of(const char *text)
{
    struct path path;
    assert_int_equal(path_parse(&path, text, strlen(text)), 0);
    return path;
}

static void fill(struct change *change)
{
    struct path where = path_of("prod/web/PORT");
    assert_int_equal(change_environment_add(change, "prod", NULL), 0);
    assert_int_equal(change_environment_add(change, "dev", NULL), 0);
    assert_int_equal(change_set_plain(change, &where, "8080", 4), 0);
    where = path_of("prod/web/A");
    assert_int_equal(change_set_plain(change, &where, "", 0), 0);
    assert_int_equal(change_ttl(change, 60), 0);
    where = path_of("prod/api/Z");
    assert_int_equal(change_set_plain(change, &where, "z", 1), 0);
    struct secret secret = {0};
    assert_int_equal(secret_copy(&secret, "s3cret", 6), 0);
    where = path_of("prod/web/PASSWORD");
    assert_int_equal(change_set_secret(change, &where, &secret), 0);
    where = path_of("prod/web/URL");
    assert_int_equal(change_set_template(change, &where, "http://host:${PORT}/", 20), 0);
    where = path_of("prod/web/LOGIN");
    assert_int_equal(change_set_template(change, &where, "me:${PASSWORD}", 14), 0);
    where = path_of("prod/web/SAME");
    assert_int_equal(change_set_link(change, &where, "web/PASSWORD"), 0);
    where = path_of("all/web/TEXT");
    assert_int_equal(change_set_template(change, &where, "${PORT} for all", 15), 0);
    where = path_of("all/web/LINK");
    assert_int_equal(change_set_link(change, &where, "web/PORT"), 0);
}

static uint64_t find(uint64_t parent, const char *name)
{
    struct place place;
    assert_int_equal(tree_lookup(snapshot, &place, parent, name), 0);
    assert_string_equal(place_name(&place), name);
    return place.id;
}

static int make(void **state)
{
    (void)state;
    struct author author = {.name = "uid 0 (root)"};
    struct change_terms terms = {
        .author = author, .reason = "the first values", .now = 4000000000 * 1000000000ll};
    struct change_result result;
    struct identity *identity;
    struct change *change;
    static char path[TRIAL_PATH_MAX];
    struct store_options options = {.path = trial_path(path, trial_folder(), "store"),
                                    .lock_fd = -1};
    assert_int_equal(secret_setup(4u << 20), 0);
    assert_int_equal(identity_new(&identity), 0);
    assert_int_equal(store_create(path, identity, &author), 0);
    assert_int_equal(store_open(&store, &options), 0);
    assert_int_equal(store_unlock(store, identity), 0);
    assert_int_equal(change_new(&change, store), 0);
    fill(change);
    assert_int_equal(change_commit(change, &terms, &result), 0);
    change_free(change);
    change_result_release(&result);
    assert_int_equal(snapshot_new(&snapshot, store), 0);
    assert_int_equal(snapshot_begin(snapshot), 0);
    environment = find(NODE_ROOT, "prod");
    service = find(environment, "web");
    port = find(service, "PORT");
    password = find(service, "PASSWORD");
    return 0;
}

static int end(void **state)
{
    (void)state;
    snapshot_end(snapshot);
    snapshot_free(snapshot);
    store_close(store);
    secret_teardown();
    return 0;
}

static void a_node_leads_back(void **state)
{
    (void)state;
    struct place place;
    uint64_t ids[] = {NODE_ROOT, environment, service, port};
    enum node_kind kinds[] = {NODE_IS_ROOT, NODE_IS_ENVIRONMENT, NODE_IS_SERVICE, NODE_IS_KEY};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(tree_find(snapshot, &place, ids[i]), 0);
        assert_int_equal(place.kind, kinds[i]);
        assert_true(place.id == ids[i]);
    }
    assert_string_equal(place_name(&place), "PORT");
}

static void what_is_not_there(void **state)
{
    (void)state;
    struct place place;
    char name[300];
    memset(name, 'n', sizeof(name) - 1);
    name[sizeof(name) - 1] = 0;
    assert_int_equal(tree_lookup(snapshot, &place, NODE_ROOT, "none"), NOT_THERE);
    assert_int_equal(tree_lookup(snapshot, &place, environment, "none"), NOT_THERE);
    assert_int_equal(tree_lookup(snapshot, &place, service, "none"), NOT_THERE);
    assert_int_equal(tree_lookup(snapshot, &place, NODE_ROOT, name), NOT_THERE);
    assert_int_equal(tree_lookup(snapshot, &place, service, name), NOT_THERE);
    assert_int_equal(tree_lookup(snapshot, &place, NODE_ROOT, ""), NOT_THERE);
    assert_int_equal(tree_lookup(snapshot, &place, port, "x"), NOT_THERE);
    assert_int_equal(tree_lookup(snapshot, &place, 12345, "x"), NOT_THERE);
    assert_int_equal(tree_find(snapshot, &place, node_key(1, 99999)), NOT_THERE);
    assert_int_equal(tree_find(snapshot, &place, node_environment(999)), NOT_THERE);
    assert_int_equal(tree_find(snapshot, &place, ~0ull), NOT_THERE);
    /* another life of the same directory */
    struct node node;
    assert_true(node_parse(&node, service));
    uint64_t other = node_service(node.environment, node.service, (uint16_t)(node.incarnation + 1));
    assert_int_equal(tree_find(snapshot, &place, other), NOT_THERE);
    assert_int_equal(tree_lookup(snapshot, &place, other, "PORT"), NOT_THERE);
}

/* All names from an offset on, each walk beginning anew: as a reader that is sent one entry at a
 * time. */
static void walked(uint64_t directory, const char *expected)
{
    char text[256] = "";
    uint64_t offset = 0;
    for (;;) {
        struct walk walk;
        struct place place;
        assert_int_equal(walk_begin(snapshot, &walk, directory, offset), 0);
        int found = walk_next(snapshot, &walk, &place, &offset);
        if (found == NOT_THERE)
            break;
        assert_int_equal(found, 0);
        size_t used = strlen(text);
        snprintf(text + used, sizeof(text) - used, "%s ", place_name(&place));
    }
    assert_string_equal(text, expected);
}

static void a_walk_goes_on_from_any_offset(void **state)
{
    (void)state;
    struct walk walk;
    walked(NODE_ROOT, "all dev prod ");
    walked(environment, "api web ");
    walked(service, "A LINK LOGIN PASSWORD PORT SAME TEXT URL ");
    assert_int_equal(walk_begin(snapshot, &walk, port, 0), NOT_THERE);
    assert_int_equal(walk_begin(snapshot, &walk, service, 1ull << 60), NOT_THERE);
    assert_int_equal(walk_begin(snapshot, &walk, environment, 1ull << 40), NOT_THERE);
    assert_int_equal(walk_begin(snapshot, &walk, NODE_ROOT, 1ull << 40), NOT_THERE);
}

static struct stat attributes(uint64_t id, const struct view_options *view)
{
    struct place place;
    struct stat st;
    assert_int_equal(tree_find(snapshot, &place, id), 0);
    assert_int_equal(attr_fill(snapshot, &st, view, &place), 0);
    return st;
}

static void attributes_by_view(void **state)
{
    (void)state;
    struct view_options view = {0},
                        other = {.uid = 5, .gid = 6, .directory_mode = 0755, .file_mode = 0777};
    struct stat st = attributes(password, &view);
    assert_int_equal(st.st_size, 6);
    assert_int_equal(st.st_mode, S_IFREG | 0400);
    assert_true(st.st_ino == password && st.st_blocks == 1 && st.st_nlink == 1);
    st = attributes(port, &other);
    assert_int_equal(st.st_mode, S_IFREG | 0444); /* never to be written or run */
    assert_true(st.st_uid == 5 && st.st_gid == 6 && st.st_size == 4);
    st = attributes(service, &other);
    assert_int_equal(st.st_mode, S_IFDIR | 0755);
    assert_int_equal(st.st_nlink, 2);
    st = attributes(NODE_ROOT, &view);
    assert_int_equal(st.st_mode, S_IFDIR | 0700);
    assert_true(st.st_mtim.tv_sec > 0);
    attr_brief(&st, node_environment(9));
    assert_true(st.st_ino == node_environment(9) && S_ISDIR(st.st_mode));
}

static void has_size(uint64_t parent, const char *name, off_t size)
{
    const struct view_options view = {0};
    struct stat st = attributes(find(parent, name), &view);
    assert_int_equal(st.st_size, size);
}

/* What is read there; in `all` what was said. */
static void sizes_are_of_what_is_read(void **state)
{
    (void)state;
    const uint64_t all = find(find(NODE_ROOT, "all"), "web");
    has_size(service, "URL", 17);
    has_size(service, "LOGIN", 9);
    has_size(service, "SAME", 6);
    has_size(service, "TEXT", 12);
    has_size(service, "LINK", 4);
    has_size(all, "TEXT", 15);
    has_size(all, "LINK", 8);
}

static void is_attribute(uint64_t id, const char *name, const char *expected)
{
    struct place place;
    char value[XATTR_VALUE_MAX];
    size_t length = 0;
    assert_int_equal(tree_find(snapshot, &place, id), 0);
    int found = xattr_get(snapshot, value, &length, NULL, &place, name);
    if (!expected) {
        assert_int_equal(found, NOT_THERE);
        return;
    }
    assert_int_equal(found, 0);
    assert_int_equal(length, strlen(expected));
    assert_memory_equal(value, expected, length);
}

static void kinds_are_of_what_is_read(void **state)
{
    (void)state;
    const uint64_t all = find(find(NODE_ROOT, "all"), "web");
    is_attribute(find(service, "URL"), "user.emsa.kind", "plain");
    is_attribute(find(service, "URL"), "user.emsa.origin", "own");
    is_attribute(find(service, "LOGIN"), "user.emsa.kind", "secret");
    is_attribute(find(service, "SAME"), "user.emsa.kind", "secret");
    is_attribute(find(service, "LINK"), "user.emsa.kind", "plain");
    is_attribute(find(service, "LINK"), "user.emsa.origin", "all");
    is_attribute(find(all, "LINK"), "user.emsa.kind", "link");
    is_attribute(find(all, "LINK"), "user.emsa.origin", "own");
    is_attribute(find(all, "TEXT"), "user.emsa.kind", "template");
}

static void extended_attributes(void **state)
{
    (void)state;
    struct place place;
    const char *names;
    is_attribute(password, "user.emsa.kind", "secret");
    is_attribute(port, "user.emsa.kind", "plain");
    is_attribute(port, "user.emsa.origin", "own");
    is_attribute(port, "user.emsa.author", "uid 0 (root)");
    is_attribute(port, "user.emsa.signer", "unsigned");
    is_attribute(port, "user.emsa.reason", "the first values");
    is_attribute(port, "user.emsa.none", NULL);
    is_attribute(port, "user.emsa", NULL);
    is_attribute(port, "security.capability", NULL);
    is_attribute(service, "user.emsa.kind", "service");
    is_attribute(environment, "user.emsa.kind", "environment");
    is_attribute(NODE_ROOT, "user.emsa.kind", "root");
    is_attribute(service, "user.emsa.author", NULL);
    assert_int_equal(tree_find(snapshot, &place, port), 0);
    assert_int_equal(xattr_list(NULL, &place, &names), 112);
    assert_string_equal(names, "user.emsa.rev");
    is_attribute(port, "user.emsa.expires", NULL);
    is_attribute(service, "user.emsa.expires", NULL);
    const uint64_t ending = find(service, "A");
    is_attribute(ending, "user.emsa.expires", "2096-10-02T07:07:40.000000000Z");
    assert_int_equal(tree_find(snapshot, &place, ending), 0);
    assert_int_equal(xattr_list(NULL, &place, &names), 112 + sizeof("user.emsa.expires"));
    assert_string_equal(names + 112, "user.emsa.expires");
    assert_true(xattr_foreign("security.selinux") && xattr_foreign("system.posix_acl_access"));
    assert_false(xattr_foreign("user.emsa.rev"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_node_leads_back),
        cmocka_unit_test(what_is_not_there),
        cmocka_unit_test(a_walk_goes_on_from_any_offset),
        cmocka_unit_test(attributes_by_view),
        cmocka_unit_test(sizes_are_of_what_is_read),
        cmocka_unit_test(kinds_are_of_what_is_read),
        cmocka_unit_test(extended_attributes),
    };
    return cmocka_run_group_tests(tests, make, end);
}
