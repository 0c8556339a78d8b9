/*
 * What stands at a revision, and what differs between two, against what was seen when each was the
 * newest: after each of many random commits all that is there is written down, and later asked for
 * again. Over a real store, with no mount. ($EMSA_TEST_SEED)
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "fs/move.h"
#include "fs/node.h"
#include "store/change.h"
#include "store/error.h"
#include "store/identity.h"
#include "tests/support/store/trial.h"

#define COMMITS 60u
#define PAIRS 400u
#define SERVICES 3u
#define KEYS 4u

/* What one key of the environment was when a revision was the newest. */
struct seen {
    bool is_there;
    uint64_t node, rev;
    char value[16];
};

struct written {
    uint64_t rev;
    bool has_environment;
    uint32_t environment;
    uint64_t services[SERVICES]; /* nodes; 0: not there */
    struct seen keys[SERVICES][KEYS];
};

static struct store *store;
static struct snapshot *snapshot;
static struct written book[COMMITS];
static unsigned pages;
static uint64_t dice;
static uint64_t first; /* before all of it */

static unsigned pick(unsigned below)
{
    dice = dice * 6364136223846793005u + 1442695040888963407u;
    return (unsigned)(dice >> 33) % below;
}

static const char *service_name(unsigned service)
{
    static const char *const names[SERVICES] = {"a", "b", "c"};
    return names[service];
}

static struct path path_to(unsigned service, int key)
{
    struct path path = {.environment = "prod"};
    snprintf(path.service, sizeof(path.service), "%s", service_name(service));
    if (key >= 0)
        snprintf(path.key, sizeof(path.key), "K%d", key);
    return path;
}

static void commit(struct change *change)
{
    struct change_terms terms = {.author = {.name = "uid 0 (root)"}, .allow_new = true};
    struct change_result result = {0};
    int error = change_commit(change, &terms, &result);
    if (error)
        fail_msg("%s", error_text());
    change_free(change);
    change_result_release(&result);
}

/* All of a service, or of the environment, goes. */
static void clear(struct change *change, const struct written *now, unsigned service)
{
    for (int key = 0; key < (int)KEYS; key++) {
        const struct path path = path_to(service, key);
        if (now->keys[service][key].is_there)
            assert_int_equal(change_remove(change, &path), 0);
    }
    const struct path path = path_to(service, -1);
    assert_int_equal(change_service_remove(change, &path), 0);
}

static void change_some(struct change *change, const struct written *now)
{
    for (unsigned service = 0; service < SERVICES; service++) {
        const unsigned fate = pick(8);
        if (fate == 0 && now->services[service]) {
            clear(change, now, service);
            continue;
        }
        for (int key = 0; fate < 5 && key < (int)KEYS; key++) {
            const struct path path = path_to(service, key);
            char value[16];
            snprintf(value, sizeof(value), "%u", pick(3));
            if (pick(3) == 0)
                assert_int_equal(change_set_plain(change, &path, value, strlen(value)), 0);
            else if (pick(4) == 0 && now->keys[service][key].is_there)
                assert_int_equal(change_remove(change, &path), 0);
        }
    }
}

static void look_at_key(struct written *page, unsigned service, uint32_t service_id, unsigned key)
{
    struct seen *seen = &page->keys[service][key];
    struct secret scratch = {0};
    const unsigned char *data;
    struct entry entry;
    size_t size;
    char name[8];
    snprintf(name, sizeof(name), "K%u", key);
    if (snapshot_entry(snapshot, &entry, page->environment, service_id, name) != 0)
        return;
    assert_int_equal(snapshot_value(snapshot, &data, &size, &entry, &scratch), 0);
    assert_true(size < sizeof(seen->value));
    memcpy(seen->value, data, size);
    seen->is_there = true;
    seen->node = node_key(entry.environment, entry.name_id);
    seen->rev = entry.rev;
}

/* By names and lists alike, which must agree. */
static struct written look(void)
{
    struct written page;
    struct environment environment;
    struct service service = {.name = ""}, listed;
    unsigned count = 0, found = 0;
    memset(&page, 0, sizeof(page)); /* as it is compared */
    page.rev = snapshot_shown(snapshot);
    if (snapshot_environment(snapshot, &environment, "prod") != 0)
        return page;
    page.has_environment = true;
    page.environment = environment.id;
    assert_int_equal(snapshot_environment_by_id(snapshot, &environment, environment.id), 0);
    for (unsigned i = 0; i < SERVICES; i++) {
        if (snapshot_service(snapshot, &listed, environment.id, service_name(i)) != 0)
            continue;
        page.services[i] = node_service(environment.id, listed.id, listed.incarnation);
        assert_int_equal(snapshot_service_by_id(snapshot, &listed, environment.id, listed.id,
                                                listed.incarnation),
                         0);
        assert_int_equal(snapshot_service_by_id(snapshot, &service, environment.id, listed.id,
                                                listed.incarnation + 1u),
                         NOT_THERE);
        count++;
        for (unsigned key = 0; key < KEYS; key++)
            look_at_key(&page, i, listed.id, key);
    }
    service.name[0] = '\0';
    while (snapshot_next_service(snapshot, &service, environment.id, service.name) == 0) {
        struct entry entry = {.key = ""};
        found++;
        while (snapshot_next_entry(snapshot, &entry, environment.id, service.id, entry.key) == 0) {
            const struct seen *seen = &page.keys[service.name[0] - 'a'][entry.key[1] - '0'];
            assert_true(seen->is_there && seen->rev == entry.rev);
        }
    }
    assert_int_equal(found, count);
    return page;
}

static void story(void)
{
    struct written now = {0};
    for (pages = 0; pages < COMMITS; pages++) {
        struct change *change;
        const struct path other = {.environment = "dev", .service = "web", .key = "K"};
        assert_int_equal(change_new(&change, store), 0);
        assert_int_equal(change_set_plain(change, &other, "x", 1), 0);
        if (!now.has_environment) {
            assert_int_equal(change_environment_add(change, "prod", NULL), 0);
        } else if (pick(12) == 0) {
            for (unsigned service = 0; service < SERVICES; service++)
                if (now.services[service])
                    clear(change, &now, service);
            assert_int_equal(change_environment_remove(change, "prod"), 0);
        } else {
            change_some(change, &now);
        }
        commit(change);
        assert_int_equal(snapshot_begin(snapshot), 0);
        now = book[pages] = look();
        snapshot_end(snapshot);
    }
}

static int make(void **state)
{
    (void)state;
    static char path[TRIAL_PATH_MAX];
    struct author author = {.name = "uid 0 (root)"};
    struct store_options options = {.path = trial_path(path, trial_folder(), "store"),
                                    .lock_fd = -1};
    struct identity *identity;
    struct change *change;
    const char *seed = getenv("EMSA_TEST_SEED");
    dice = seed ? strtoull(seed, NULL, 10) : (uint64_t)getpid();
    print_message("seed %llu (EMSA_TEST_SEED)\n", (unsigned long long)dice);
    assert_int_equal(secret_setup(4u << 20), 0);
    assert_int_equal(identity_new(&identity), 0);
    assert_int_equal(store_create(path, identity, &author), 0);
    identity_free(identity);
    assert_int_equal(store_open(&store, &options), 0);
    assert_int_equal(snapshot_new(&snapshot, store), 0);
    assert_int_equal(change_new(&change, store), 0);
    assert_int_equal(change_environment_add(change, "dev", NULL), 0);
    commit(change);
    first = store_revision(store);
    story();
    return 0;
}

static int end(void **state)
{
    (void)state;
    snapshot_free(snapshot);
    store_close(store);
    secret_teardown();
    return 0;
}

static void what_stood_stands(void **state)
{
    (void)state;
    assert_int_equal(snapshot_begin(snapshot), 0);
    for (unsigned i = 0; i < COMMITS; i++) {
        snapshot_stand(snapshot, book[i].rev);
        const struct written again = look();
        assert_true(again.rev == book[i].rev);
        assert_memory_equal(&again, &book[i], sizeof(again));
    }
    snapshot_stand(snapshot, first);
    assert_false(look().has_environment);
    snapshot_stand(snapshot, book[COMMITS - 1].rev + 1000); /* to come */
    assert_true(look().rev == book[COMMITS - 1].rev);
    snapshot_stand(snapshot, 0);
    const struct written now = look();
    assert_memory_equal(&now, &book[COMMITS - 1], sizeof(now));
    snapshot_end(snapshot);
}

/* The mark of a node between two pages; 0: it is no difference. */
static char mark_of(const struct written *from, const struct written *upto, unsigned service,
                    unsigned key, uint64_t node)
{
    const struct seen *a = &from->keys[service][key], *b = &upto->keys[service][key];
    const bool was = a->is_there && a->node == node, is = b->is_there && b->node == node;
    return was && is ? (a->rev != b->rev ? '~' : 0) : was ? '-' : is ? '+' : 0;
}

static unsigned expect(const struct move *move, uint64_t node, char mark)
{
    unsigned found = 0;
    for (uint32_t i = 0; i < move->count; i++) {
        const struct outcome *item = &move->items[i];
        const uint64_t is = item->kind == OUTCOME_KEY
                                ? node_key(item->environment, item->name_id)
                                : node_service(item->environment, item->service, item->incarnation);
        found += is == node && item->mark == mark;
    }
    if (found != 1)
        fail_msg("%016llx has %u times '%c'", (unsigned long long)node, found, mark);
    return 1;
}

static unsigned expect_keys(const struct move *move, const struct written *from,
                            const struct written *upto, unsigned service)
{
    unsigned count = 0;
    for (unsigned key = 0; key < KEYS; key++) {
        const struct seen *a = &from->keys[service][key], *b = &upto->keys[service][key];
        const uint64_t nodes[2] = {a->is_there ? a->node : 0,
                                   b->is_there && b->node != a->node ? b->node : 0};
        for (unsigned i = 0; i < 2; i++) {
            const char mark = nodes[i] ? mark_of(from, upto, service, key, nodes[i]) : 0;
            if (mark)
                count += expect(move, nodes[i], mark);
        }
    }
    return count;
}

static void compare(const struct written *from, const struct written *upto, unsigned service,
                    bool is_environment)
{
    struct view_options options = {.extent = is_environment ? VIEW_ENVIRONMENT : VIEW_SERVICE,
                                   .environment = "prod"};
    struct scope scope;
    struct move *move;
    unsigned expected = 0;
    if (!is_environment)
        snprintf(options.service, sizeof(options.service), "%s", service_name(service));
    scope_init(&scope, &options, NULL);
    assert_int_equal(move_compare(&move, snapshot, &scope, from->rev, upto->rev, false), 0);
    for (unsigned i = 0; i < SERVICES; i++) {
        if (is_environment || i == service)
            expected += expect_keys(move, from, upto, i);
        if (is_environment && from->services[i] == upto->services[i] && from->services[i])
            expected += expect(move, from->services[i], '='); /* has another time */
        if (!is_environment || from->services[i] == upto->services[i])
            continue;
        if (from->services[i])
            expected += expect(move, from->services[i], '-');
        if (upto->services[i])
            expected += expect(move, upto->services[i], '+');
    }
    assert_int_equal(move->count, expected);
    for (size_t i = 1; i < move->names.count; i++) {
        const struct name_change *a = &move->names.items[i - 1], *b = &move->names.items[i];
        assert_true(step_position(a->node, a->made) < step_position(b->node, b->made));
    }
    move_free(move);
}

static void what_differs_is_found_and_nothing_else(void **state)
{
    (void)state;
    assert_int_equal(snapshot_begin(snapshot), 0);
    for (unsigned i = 0, pairs = trial_scaled(PAIRS); i < pairs; i++) {
        const struct written *from = &book[pick(COMMITS)], *upto = &book[pick(COMMITS)];
        compare(from, upto, pick(SERVICES), false);
        compare(from, upto, 0, true);
    }
    assert_int_equal(snapshot_as_of(snapshot), 0);
    snapshot_end(snapshot);
}

/* From the newest, a kernel may have anything that is there: it is to forget all of it. */
static void from_the_newest_all_is_forgotten(void **state)
{
    (void)state;
    const struct written *last = &book[COMMITS - 1];
    struct view_options options = {.extent = VIEW_ENVIRONMENT, .environment = "prod"};
    static struct effects effects;
    struct scope scope;
    struct move *move;
    unsigned there = 0, same = 0;
    scope_init(&scope, &options, NULL);
    assert_int_equal(snapshot_begin(snapshot), 0);
    assert_int_equal(move_compare(&move, snapshot, &scope, last->rev, last->rev, true), 0);
    for (unsigned service = 0; service < SERVICES; service++) {
        there += last->services[service] != 0;
        for (unsigned key = 0; key < KEYS; key++)
            there += last->keys[service][key].is_there;
    }
    for (uint32_t i = 0; i < move->count; i++)
        same += move->items[i].mark == '=';
    assert_int_equal(same, there);
    assert_int_equal(move->count, there);
    assert_int_equal(move->names.count, 0);
    effects.scope = &scope;
    while (move_has_events(move)) {
        assert_int_equal(move_events(move, snapshot, &effects), 0);
        assert_int_equal(effects.size, 0);
    }
    while (move_has_changes(move)) {
        assert_int_equal(move_changes(move, snapshot, &effects), 0);
        assert_true(effects.size > 0);
    }
    move_free(move);
    snapshot_end(snapshot);
}

static void it_can_only_be_held_where_it_was(void **state)
{
    (void)state;
    struct view_options options = {.extent = VIEW_SERVICE, .environment = "prod", .service = "a"};
    struct scope scope;
    scope_init(&scope, &options, NULL);
    assert_int_equal(snapshot_begin(snapshot), 0);
    for (unsigned i = 0; i < COMMITS; i++)
        assert_int_equal(move_check(snapshot, &scope, book[i].rev),
                         book[i].services[0] ? 0 : -ERR_REFUSED);
    assert_int_equal(move_check(snapshot, &scope, first), -ERR_REFUSED);
    assert_int_equal(move_check(snapshot, &scope, book[COMMITS - 1].rev + 1), -ERR_NOT_FOUND);
    assert_int_equal(snapshot_as_of(snapshot), 0);
    snapshot_end(snapshot);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_stood_stands),
        cmocka_unit_test(what_differs_is_found_and_nothing_else),
        cmocka_unit_test(from_the_newest_all_is_forgotten),
        cmocka_unit_test(it_can_only_be_held_where_it_was),
    };
    return cmocka_run_group_tests(tests, make, end);
}
