/* A small store with every kind of operation in it: format_make FOLDER makes FOLDER/store and
 * FOLDER/store.identity, and prints what its values must be at every revision. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/expiry.h"
#include "tests/support/store/dice.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

static void commit(struct store *store, const struct sample_step steps[], size_t count)
{
    struct change_result result;
    static uint64_t request;
    MUST_DO(sample_commit(store, &result, "vectors", ++request, steps, count));
    change_result_release(&result);
}
#define COMMIT(store_, ...)                                                                        \
    commit(store_, (const struct sample_step[]){__VA_ARGS__},                                      \
           sizeof((const struct sample_step[]){__VA_ARGS__}) / sizeof(struct sample_step))

/* A value that is none of dice's: large enough to be padded in steps, or of a size that is told. */
static void set(struct store *store, const char *text, const void *value, size_t size, bool hidden)
{
    struct change *change;
    struct change_result result;
    struct secret secret = {0};
    const struct path path = sample_path(text);
    const struct change_terms terms = sample_terms("one value", 0);
    MUST_DO(change_new(&change, store));
    if (hidden) {
        MUST_DO(secret_copy(&secret, value, size));
        MUST_DO(change_set_secret(change, &path, &secret));
    } else {
        MUST_DO(change_set_plain(change, &path, value, size));
    }
    MUST_DO(change_commit(change, &terms, &result));
    change_result_release(&result);
    change_free(change);
}

#define SECOND 1000000000ll

/* A key that ends ttl seconds after now. */
static void set_for(struct store *store, const char *text, bool hidden, uint64_t ttl, int64_t now)
{
    struct change *change;
    struct change_result result;
    const struct sample_step step = {hidden ? SECRET : SET, text, ttl};
    struct change_terms terms = sample_terms("for a while", 0);
    terms.now = now;
    MUST_DO(change_new(&change, store));
    MUST_DO(sample_gather(change, &step, 1));
    MUST_DO(change_ttl(change, ttl));
    MUST_DO(change_commit(change, &terms, &result));
    change_result_release(&result);
    change_free(change);
}

static void print_value(struct snapshot *snapshot, const char *path, uint64_t rev)
{
    BYTES_CLEANUP struct bytes value = BYTES_INIT(VALUE_MAX);
    if (sample_read(snapshot, NULL, &value, path) != 0)
        return;
    printf("value %llu %s ", (unsigned long long)rev, path);
    for (size_t i = 0; i < value.size; i++)
        printf("%02x", value.data[i]);
    printf("%s\n", value.size ? "" : "-");
}

/* What stands now is what must stand at this revision for ever. */
static void print(struct store *store)
{
    static const char *const paths[] = {
        "prod/billing/PORT", "prod/billing/EMPTY", "prod/billing/PASSWORD", "prod/web/CERT",
        "prod/web/TOKEN",    "prod/web/NOTHING",   "dev/billing/PORT",      "dev/web/TOKEN",
        "prod/web/SOON",     "prod/web/SOON_TOO",  "prod/web/LATER",        "prod/web/KEPT",
        "prod/web/MOVED"};
    struct snapshot *snapshot;
    MUST_DO(snapshot_new(&snapshot, store));
    MUST_DO(snapshot_begin(snapshot));
    for (size_t i = 0; i < sizeof paths / sizeof paths[0]; i++)
        print_value(snapshot, paths[i], snapshot_revision(snapshot));
    snapshot_end(snapshot);
    snapshot_free(snapshot);
}

/* Two keys that go, one that goes on, one whose end was taken back, one that ends far away. */
static void expire(struct store *store)
{
    struct expiry_result gone;
    const int64_t now = 4000000000 * SECOND; /* 2096: none of the other commits is later */
    set_for(store, "prod/web/SOON", false, 30, now);
    set_for(store, "prod/web/SOON_TOO", true, 20, now);
    set_for(store, "prod/web/LATER", false, 86400, now);
    set_for(store, "prod/web/KEPT", false, 30, now);
    set_for(store, "prod/web/MOVED", true, 30, now);
    set_for(store, "prod/web/MOVED", true, 3600, now);
    set(store, "prod/web/KEPT", "for good", 8, false);
    print(store);
    MUST_DO(expiry_commit(store, &gone, now + 30 * SECOND));
    MUST(gone.count == 2 && gone.next == now + 3600 * SECOND, "%zu keys went", gone.count);
    print(store);
}

int main(int count, char **arguments)
{
    char path[TRIAL_PATH_MAX], large[5000];
    MUST(count == 2, "format_make FOLDER");
    memset(large, 'L', sizeof large);
    sample_create(trial_path(path, arguments[1], "store"));
    struct store *store = sample_open(path, true);
    COMMIT(store, {ADD, "prod", 0}, {ADD, "prod/web", 0});
    set(store, "prod/billing/PORT", "8080", 4, false);
    set(store, "prod/billing/PASSWORD", "s3cret", 6, true);
    print(store);
    set(store, "prod/billing/EMPTY", "", 0, false);
    set(store, "prod/web/NOTHING", "", 0, true);
    set(store, "prod/web/CERT", large, sizeof large, false);
    set(store, "prod/web/TOKEN", large, sizeof large, true);
    COMMIT(store, {ADD, "dev", 0}, {SET, "dev/billing/PORT", 8}, {SECRET, "dev/web/TOKEN", 9},
           {SET, "prod/billing/PORT", 10}, {SECRET, "prod/billing/PASSWORD", 11});
    print(store);
    COMMIT(store, {DROP, "dev/web/TOKEN", 0}, {DROP, "dev/web", 0}, {ADD, "dev/web", 0},
           {DROP, "prod/billing/PORT", 0}, {SECRET, "prod/billing/PORT", 12});
    print(store);
    COMMIT(store, {DROP, "dev/billing/PORT", 0}, {DROP, "dev/billing", 0}, {DROP, "dev/web", 0},
           {DROP, "dev", 0}, {ADD, "dev", 0}, {SECRET, "dev/web/TOKEN", 13});
    print(store);
    expire(store);
    store_close(store);
    return 0;
}
