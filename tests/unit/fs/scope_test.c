/* What a view has: ids there and back, whatever number is asked for; names; the past; paths. Over a
 * real store, with no mount. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include <cmocka.h>

#include "fs/hidden.h"
#include "fs/scope.h"
#include "fs/xattr.h"
#include "store/change.h"
#include "store/error.h"
#include "store/grant.h"
#include "store/identity.h"
#include "tests/support/store/declare.h"
#include "tests/support/store/trial.h"

#define MANY 200000u

static struct store *store;
static struct snapshot *snapshot;
static struct view_options options;
static struct scope scope;
static uint64_t environment, service, port, other_service, other_key, elsewhere;
static uint64_t past_port, past_other;

static struct path path_of(const char *text)
{
    struct path path;
    assert_int_equal(path_parse(&path, text, strlen(text)), 0);
    return path;
}

/* A view of a path from here on. */
static void see(const char *text, enum view_layout layout)
{
    struct path path = path_of(text);
    options = (struct view_options){.layout = (uint8_t)layout};
    assert_int_equal(view_options_of(&options, &path), 0);
    assert_int_equal(scope_check(&options), 0);
    scope_init(&scope, &options, NULL);
}

static void set(struct change *change, const char *path, const char *value)
{
    struct path where = path_of(path);
    assert_int_equal(change_set_plain(change, &where, value, strlen(value)), 0);
}

static void commit(const char *path, const char *value)
{
    struct change_terms terms = {.author = {.name = "uid 0 (root)"}, .allow_new = true};
    struct change_result result;
    struct change *change;
    assert_int_equal(change_new(&change, store), 0);
    if (!path) {
        assert_int_equal(change_environment_add(change, "prod", NULL), 0);
        assert_int_equal(change_environment_add(change, "dev", NULL), 0);
        set(change, "prod/web/PORT", "8080");
        set(change, "prod/web/HOST", "h");
        set(change, "prod/api/TOKEN", "t");
        set(change, "dev/web/PORT", "1");
    } else {
        set(change, path, value);
    }
    assert_int_equal(change_commit(change, &terms, &result), 0);
    change_free(change);
    change_result_release(&result);
}

static uint64_t find(uint64_t parent, const char *name)
{
    struct place place;
    assert_int_equal(tree_lookup(snapshot, &place, parent, name), 0);
    return place.id;
}

static uint64_t past_of(uint64_t directory, const char *key)
{
    return find(find(find(find(directory, ".emsa"), "at"), "2"), key);
}

static int make(void **state)
{
    (void)state;
    struct author author = {.name = "uid 0 (root)"};
    struct identity *identity;
    static char path[TRIAL_PATH_MAX];
    struct store_options store_options = {.path = trial_path(path, trial_folder(), "store"),
                                          .lock_fd = -1};
    assert_int_equal(secret_setup(4u << 20), 0);
    assert_int_equal(identity_new(&identity), 0);
    assert_int_equal(store_create(path, identity, &author), 0);
    assert_int_equal(store_open(&store, &store_options), 0);
    assert_int_equal(store_unlock(store, identity), 0);
    commit(NULL, NULL);
    commit("prod/web/HOST", "i");
    commit("prod/api/TOKEN", "u");
    assert_int_equal(snapshot_new(&snapshot, store), 0);
    assert_int_equal(snapshot_begin(snapshot), 0);
    environment = find(NODE_ROOT, "prod");
    service = find(environment, "web");
    port = find(service, "PORT");
    other_service = find(environment, "api");
    other_key = find(other_service, "TOKEN");
    elsewhere = find(find(find(NODE_ROOT, "dev"), "web"), "PORT");
    past_port = past_of(service, "PORT");
    past_other = past_of(other_service, "TOKEN");
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

/* What a number on the wire is. */
static uint64_t behind(uint64_t wire)
{
    uint64_t node = scope_decipher(&scope, wire);
    assert_int_equal(scope_admit(&scope, snapshot, &node), 0);
    return node;
}

static bool has(uint64_t node)
{
    const uint64_t wire = scope_wire(&scope, node), own = scope_own(&scope, node);
    const uint64_t found = behind(wire);
    assert_true(found == 0 || found == own);
    assert_true(own <= 3 ? wire == own : wire > 3 && wire != node);
    return found == own;
}

static void a_service_has_its_own_alone(void **state)
{
    (void)state;
    const enum view_layout layouts[] = {LAYOUT_TREE, LAYOUT_FLAT};
    for (unsigned i = 0; i < 2; i++) {
        see("prod/web", layouts[i]);
        assert_true(has(NODE_ROOT) && has(environment) && has(service) && has(port));
        assert_true(has(past_port) && has(find(service, ".emsa")));
        assert_true(has(find(find(service, ".emsa"), "rev")));
        assert_true(has(find(find(service, ".emsa"), "head")));
        assert_false(has(other_key) || has(elsewhere) || has(past_other));
        assert_false(has(find(environment, ".emsa")) || has(find(NODE_ROOT, ".emsa")));
        assert_false(has(find(find(environment, ".emsa"), "rev")));
        assert_false(has(find(other_service, ".emsa")));
        assert_false(has(find(find(NODE_ROOT, ".emsa"), "head")));
        assert_true(scope_wire(&scope, service) == (i ? 1 : 3));
        assert_true(behind(2) == (i ? 0 : 2) && behind(3) == (i ? 0 : 3) && behind(0) == 0);
    }
}

static void an_environment_has_its_services(void **state)
{
    (void)state;
    see("prod", LAYOUT_TREE);
    assert_true(has(environment) && has(service) && has(port) && has(other_service));
    assert_true(has(other_key) && has(past_other) && has(find(environment, ".emsa")));
    assert_false(has(elsewhere) || has(find(NODE_ROOT, ".emsa")));
    assert_true(scope_wire(&scope, environment) == 2 && scope_wire(&scope, service) > 3);
    assert_true(behind(3) == 0);
}

/* Of another view's numbers, and of the administrators', nothing is any: as of all there are. */
static void no_number_leads_elsewhere(void **state)
{
    (void)state;
    const uint64_t nodes[] = {environment, service,   port,     other_service,
                              other_key,   elsewhere, past_port};
    see("prod/web", LAYOUT_TREE);
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++)
        assert_true(behind(nodes[i]) == 0);
    for (uint64_t wire = 4; wire < MANY; wire++)
        assert_true(behind(wire) == 0);
    for (unsigned i = 0; i < MANY; i++) {
        uint64_t wire;
        assert_int_equal(getrandom(&wire, sizeof(wire), 0), sizeof(wire));
        if (wire > 3)
            assert_true(behind(wire) == 0);
    }
    const uint64_t wire = scope_wire(&scope, port);
    see("prod/web", LAYOUT_TREE); /* another key */
    assert_true(behind(wire) == 0 && scope_wire(&scope, port) != wire);
    assert_true(behind(scope_wire(&scope, UINT64_MAX)) == 0);
}

/* Whatever deciphers to it: nothing that there may be elsewhere, ever. */
static void nothing_but_its_own_is_ever_admitted(void **state)
{
    (void)state;
    struct node parsed, own;
    see("prod/web", LAYOUT_TREE);
    assert_true(node_parse(&own, service));
    for (uint64_t kind = 0; kind < 16; kind++)
        for (unsigned i = 0; i < MANY / 100; i++) {
            uint64_t low, id;
            assert_int_equal(getrandom(&low, sizeof(low), 0), sizeof(low));
            low &= i % 2 ? 0xfffffffffffffffull : 0x30000000003000full;
            id = kind << 60 | low;
            assert_int_equal(scope_admit(&scope, snapshot, &id), 0);
            if (id <= 3)
                continue;
            assert_true(node_parse(&parsed, id));
            assert_true(parsed.kind == NODE_IS_PAST_KEY || parsed.environment == own.environment);
            assert_true(!parsed.service || parsed.service == own.service);
        }
}

static void offsets_too(void **state)
{
    (void)state;
    see("prod/web", LAYOUT_TREE);
    for (uint64_t offset = 0; offset < 10000; offset++) {
        const uint64_t wire = scope_offset(&scope, offset);
        assert_true(scope_offset_back(&scope, wire) == offset);
        assert_true(offset < 3 ? wire == offset : wire >= 3 && wire <= INT64_MAX);
    }
    for (unsigned i = 0; i < 10000; i++) {
        uint64_t any;
        assert_int_equal(getrandom(&any, sizeof(any), 0), sizeof(any));
        struct scope_walk walk;
        int found =
            scope_walk_begin(&scope, snapshot, &walk, 3, scope_offset_back(&scope, any >> 1));
        assert_true(found == 0 || found == NOT_THERE);
    }
}

/* Where only the view's own name is, nothing is asked of the store: there is none here. */
static void what_exists_elsewhere_takes_as_long_as_what_does_not(void **state)
{
    (void)state;
    struct place place;
    const char *const names[] = {"dev", "all", "api", "nowhere", ".emsa", "", "web "};
    see("prod/web", LAYOUT_TREE);
    for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
        assert_int_equal(scope_lookup(&scope, NULL, &place, 1, names[i]), NOT_THERE);
        assert_int_equal(scope_lookup(&scope, NULL, &place, 2, names[i]), NOT_THERE);
    }
    assert_int_equal(scope_find(&scope, NULL, &place, 0), NOT_THERE);
}

static void names_are_the_views_own(void **state)
{
    (void)state;
    struct place place;
    see("prod/web", LAYOUT_TREE);
    assert_int_equal(scope_lookup(&scope, snapshot, &place, 1, "prod"), 0);
    assert_true(place.id == 2 && place.kind == NODE_IS_OWN);
    assert_int_equal(scope_lookup(&scope, snapshot, &place, 2, "web"), 0);
    assert_true(place.id == 3 && place.kind == NODE_IS_SERVICE);
    assert_int_equal(scope_lookup(&scope, snapshot, &place, 3, "PORT"), 0);
    assert_true(place.id == port);
    assert_int_equal(scope_find(&scope, snapshot, &place, port), 0);
    assert_true(place.id == port);
    assert_true(scope_parent(&scope, 3) == 2 && scope_parent(&scope, 1) == 1);
    assert_true(scope_parent(&scope, find(service, ".emsa")) == 3);
    see("prod/none", LAYOUT_FLAT);
    assert_int_equal(scope_find(&scope, snapshot, &place, 1), 0);
    assert_true(place.kind == NODE_IS_OWN && place.corner.time == options.made_time);
    assert_int_equal(scope_lookup(&scope, snapshot, &place, 1, "PORT"), NOT_THERE);
    assert_false(scope_stays_away(&scope, 1, ".emsa"));
    assert_true(scope_stays_away(&scope, 1, "PORT"));
    uint64_t rev;
    assert_int_equal(scope_find(&scope, snapshot, &place, 1), 0);
    assert_int_equal(scope_changed(&scope, snapshot, &rev, &place), NOT_THERE);
    assert_true(scope_is_behind(&scope, snapshot, 3) && !scope_is_behind(&scope, snapshot, 4));
    see("prod/web", LAYOUT_FLAT); /* changed last by revision 3 of 4 */
    assert_true(scope_is_behind(&scope, snapshot, 2) && !scope_is_behind(&scope, snapshot, 3));
}

static void no_tag_and_no_revision_of_others(void **state)
{
    (void)state;
    struct place place;
    see("prod/web", LAYOUT_TREE);
    const uint64_t at = find(find(service, ".emsa"), "at");
    assert_int_equal(scope_lookup(&scope, snapshot, &place, at, "3"), 0);
    assert_true(place.corner.time == options.made_time);
    assert_false(scope_stays(&scope, &place));
    assert_int_equal(scope_lookup(&scope, snapshot, &place, at, "2"), 0); /* a moment ago */
    assert_int_equal(scope_lookup(&scope, snapshot, &place, at, "1"), NOT_THERE);
    assert_int_equal(scope_lookup(&scope, snapshot, &place, at, "4"), NOT_THERE);
    assert_int_equal(scope_lookup(&scope, snapshot, &place, at, "5"), NOT_THERE);
    assert_int_equal(scope_lookup(&scope, snapshot, &place, at, "tag"), NOT_THERE);
    options.history = 1;
    assert_int_equal(scope_lookup(&scope, snapshot, &place, at, "2"), 0);
    assert_false(scope_stays(&scope, &place)); /* the view may be moved to an older one */
    assert_int_equal(scope_lookup(&scope, snapshot, &place, at, "4"), NOT_THERE);
}

static void paths_begin_at_the_views_root(void **state)
{
    (void)state;
    const char *path = "prod/web/PORT";
    see("prod/web", LAYOUT_TREE);
    assert_string_equal(scope_path(&scope, path), path);
    see("prod", LAYOUT_FLAT);
    assert_string_equal(scope_path(&scope, path), "web/PORT");
    see("prod/web", LAYOUT_FLAT);
    assert_string_equal(scope_path(&scope, path), "PORT");
    assert_string_equal(scope_path(NULL, path), path);
}

static void a_view_that_can_not_be(void **state)
{
    (void)state;
    struct path path = path_of("prod/web/PORT");
    struct view_options bad = {0};
    assert_int_equal(view_options_of(&bad, &path), -ERR_INVALID);
    assert_int_equal(scope_check(&bad), 0);
    bad.layout = LAYOUT_FLAT;
    assert_int_equal(scope_check(&bad), -ERR_INVALID);
    see("prod/web", LAYOUT_TREE);
    bad = options;
    bad.extent = 9;
    assert_int_equal(scope_check(&bad), -ERR_INVALID);
    bad = options;
    bad.service[0] = '\0';
    assert_int_equal(scope_check(&bad), -ERR_INVALID);
    bad = options;
    bad.service[0] = '/';
    assert_int_equal(scope_check(&bad), -ERR_INVALID);
    bad = options;
    memset(bad.environment, 'e', sizeof(bad.environment));
    assert_int_equal(scope_check(&bad), -ERR_INVALID);
}

static void an_administrators_view_is_the_tree(void **state)
{
    (void)state;
    struct place place;
    see("", LAYOUT_TREE);
    const uint64_t nodes[] = {NODE_ROOT, 2, 3, environment, port, past_other, UINT64_MAX, 0};
    for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
        assert_true(scope_wire(&scope, nodes[i]) == nodes[i] && behind(nodes[i]) == nodes[i]);
        assert_true(scope_offset(&scope, nodes[i]) == nodes[i]);
        assert_true(scope_offset_back(&scope, nodes[i]) == nodes[i]);
    }
    assert_int_equal(scope.generation, 0);
    assert_int_equal(scope_find(&scope, snapshot, &place, NODE_ROOT), 0);
    assert_true(place.kind == NODE_IS_ROOT);
    assert_true(scope_is_behind(&scope, snapshot, 3) && !scope_is_behind(&scope, snapshot, 4));
}

/* What a consumer is told of when its place changed, in all ways there are. */
struct shown {
    uint64_t rev[3]; /* of the root, of the place's directory, of `.emsa` */
    uint64_t nodes[4];
    uint64_t listed;
};

static struct shown shown(uint64_t hidden)
{
    static const char *const names[] = {"rev", "head", "env", "json"};
    struct shown out = {0};
    struct place place;
    struct scope_walk walk;
    uint64_t offset;
    const uint64_t inner = options.extent == VIEW_SERVICE ? 3 : 2;
    const uint64_t directories[] = {1, options.layout == LAYOUT_FLAT ? 1 : inner, hidden};
    for (unsigned i = 0; i < 3; i++) {
        assert_int_equal(scope_find(&scope, snapshot, &place, directories[i]), 0);
        assert_int_equal(scope_changed(&scope, snapshot, &out.rev[i], &place), 0);
    }
    for (unsigned i = 0; i < 4; i++)
        if (!scope_lookup(&scope, snapshot, &place, hidden, names[i]))
            out.nodes[i] = place.id;
    assert_int_equal(scope_walk_begin(&scope, snapshot, &walk, hidden, 0), 0);
    while (!scope_walk_next(&scope, snapshot, &walk, &place, &offset))
        out.listed = out.listed * 31 + place.id;
    return out;
}

/* A commit that says something of prod/web, and changes no value: which of them. */
static void say(unsigned what)
{
    struct change_terms terms = {.author = {.name = "uid 0 (root)"}, .reason = "a reason"};
    const struct path key = path_of("prod/web/PORT"), service_path = path_of("prod/web");
    struct change_result result;
    struct schema schema = {0};
    struct change *change;
    assert_int_equal(change_new(&change, store), 0);
    switch (what) {
    case 0:
        assert_int_equal(change_lock(change, &key), 0);
        break;
    case 1:
        assert_int_equal(change_unlock(change, &key), 0);
        break;
    case 2:
        assert_int_equal(change_share(change, &key, "api"), 0);
        break;
    case 3:
        assert_int_equal(change_grant(change, &service_path, "user:alice", GRANT_READ), 0);
        break;
    default:
        declare(&schema, "web", "PORT:port");
        assert_int_equal(change_schema_set(change, &service_path, &schema), 0);
        schema_release(&schema);
        break;
    }
    snapshot_end(snapshot);
    assert_int_equal(change_commit(change, &terms, &result), 0);
    assert_int_equal(snapshot_begin(snapshot), 0);
    assert_true(result.rev == snapshot_revision(snapshot));
    change_free(change);
    change_result_release(&result);
}

/* Of what changes none of its values a view shows nothing, in its own place either. (Of what does,
 * it shows that: or this would hold of a view that never moves.) */
static void what_changes_no_value_moves_nothing(void **state)
{
    (void)state;
    const char *const paths[] = {"prod/web", "prod"}, *const values[] = {"k", "l", "m", "n"};
    struct place place;
    struct node of;
    uint64_t all, before;
    char text[24];
    for (unsigned i = 0; i < 4; i++) {
        see(paths[i / 2], i % 2 ? LAYOUT_FLAT : LAYOUT_TREE);
        options.history = 1;
        const uint64_t hidden = find(i < 2 ? service : environment, ".emsa");
        const struct shown was = shown(hidden);
        before = snapshot_revision(snapshot);
        assert_true(node_parse(&of, hidden));
        for (unsigned what = 0; what < (i ? 2 : 5); what++) {
            say(what);
            const struct shown is = shown(hidden);
            assert_memory_equal(&was, &is, sizeof(was));
            assert_false(scope_is_behind(&scope, snapshot, before));
            (void)snprintf(text, sizeof(text), "%llu",
                           (unsigned long long)snapshot_revision(snapshot));
            assert_int_equal(scope_lookup(&scope, snapshot, &place, find(hidden, "at"), text),
                             NOT_THERE);
        }
        assert_int_equal(hidden_revision(snapshot, &all, &of, HIDDEN_FOR_ALL), 0);
        assert_true(all == snapshot_revision(snapshot));
        snapshot_end(snapshot);
        commit("prod/web/HOST", values[i]);
        assert_int_equal(snapshot_begin(snapshot), 0);
        const struct shown moved = shown(hidden);
        assert_true(moved.rev[1] == snapshot_revision(snapshot) && moved.rev[2] == moved.rev[1]);
        assert_true(moved.nodes[0] != was.nodes[0] && moved.listed != was.listed);
        assert_true(scope_is_behind(&scope, snapshot, before));
    }
}

/* An administrator asks with --if-rev, and is told of anything. */
static void an_administrators_revision_moves_with_anything(void **state)
{
    (void)state;
    struct place place;
    uint64_t rev;
    see("", LAYOUT_TREE);
    say(0);
    assert_int_equal(scope_find(&scope, snapshot, &place, service), 0);
    assert_int_equal(scope_changed(&scope, snapshot, &rev, &place), 0);
    assert_true(rev == snapshot_revision(snapshot));
    assert_int_equal(scope_lookup(&scope, snapshot, &place, find(service, ".emsa"), "rev"), 0);
    assert_true(place.corner.node.rev == rev);
}

static int enter_past(uint64_t at, uint64_t rev)
{
    struct place place;
    char text[24];
    (void)snprintf(text, sizeof(text), "%llu", (unsigned long long)rev);
    return scope_lookup(&scope, snapshot, &place, at, text);
}

/* Without history too: of the last minute those revisions are there at which the place became what
 * it shows, and no other. */
static void a_revision_that_showed_nothing_is_none(void **state)
{
    (void)state;
    const char *const commits[] = {"prod/web/HOST", "prod/api/TOKEN", "dev/web/PORT"};
    const struct {
        const char *path;
        bool sees[3]; /* of those */
    } views[] = {{"prod/web", {true, false, false}},
                 {"prod/api", {false, true, false}},
                 {"prod", {true, true, false}},
                 {"dev", {false, false, true}},
                 {"dev/web", {false, false, true}}};
    uint64_t newest;
    struct node node;
    for (unsigned i = 0; i < sizeof(views) / sizeof(views[0]); i++) {
        const struct path path = path_of(views[i].path);
        uint64_t at = find(NODE_ROOT, path.environment);
        if (path.service[0])
            at = find(at, path.service);
        at = find(find(at, ".emsa"), "at");
        see(views[i].path, LAYOUT_TREE);
        assert_true(node_parse(&node, at));
        assert_int_equal(hidden_revision(snapshot, &newest, &node, HIDDEN_FOR_CONSUMER), 0);
        say(i % 2 ? 0 : 1);
        const uint64_t said = snapshot_revision(snapshot);
        snapshot_end(snapshot);
        for (unsigned n = 0; n < 6; n++)
            commit(commits[n % 3], (const char[]){(char)('A' + i), (char)('0' + n), '\0'});
        assert_int_equal(snapshot_begin(snapshot), 0);
        assert_int_equal(enter_past(at, newest), 0);
        assert_int_equal(enter_past(at, said), NOT_THERE);
        for (unsigned n = 0; n < 6; n++)
            assert_int_equal(enter_past(at, said + 1 + n), views[i].sees[n % 3] ? 0 : NOT_THERE);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_service_has_its_own_alone),
        cmocka_unit_test(an_environment_has_its_services),
        cmocka_unit_test(no_number_leads_elsewhere),
        cmocka_unit_test(nothing_but_its_own_is_ever_admitted),
        cmocka_unit_test(offsets_too),
        cmocka_unit_test(what_exists_elsewhere_takes_as_long_as_what_does_not),
        cmocka_unit_test(names_are_the_views_own),
        cmocka_unit_test(no_tag_and_no_revision_of_others),
        cmocka_unit_test(paths_begin_at_the_views_root),
        cmocka_unit_test(a_view_that_can_not_be),
        cmocka_unit_test(an_administrators_view_is_the_tree),
        /* these go on in the store, and those before say which revisions there are */
        cmocka_unit_test(what_changes_no_value_moves_nothing),
        cmocka_unit_test(an_administrators_revision_moves_with_anything),
        cmocka_unit_test(a_revision_that_showed_nothing_is_none),
    };
    return cmocka_run_group_tests(tests, make, end);
}
