/*
 * What the store alone costs at a size: loads keys into services in commits of many operations,
 * opens again, and reads at random. Prints one line for each thing measured; it decides nothing.
 *
 *   store_probe DIR [KEYS [SERVICES [OPERATIONS-A-COMMIT]]]     DIR must not exist
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>

#include "store/error.h"
#include "tests/support/store/dice.h"
#include "tests/support/store/sample.h"
#include "tests/support/store/trial.h"

#define READS 200000u
#define SMALL_COMMITS 500u

struct shape {
    unsigned keys, services, commit;
};

static double now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}

static struct path path_of(const struct shape *shape, unsigned i)
{
    struct path path = {.environment = "prod"};
    const unsigned a_service = shape->keys / shape->services;
    snprintf(path.service, sizeof(path.service), "service-%05u", i / a_service);
    snprintf(path.key, sizeof(path.key), "KEY_%04u", i % a_service);
    return path;
}

/* About what configuration looks like: 8 to 70 bytes. */
static size_t value_for(char out[static 80], unsigned i)
{
    const int size = snprintf(out, 80, "value %u %.*s", i, (int)(i % 50),
                              "abcdefghijklmnopqrstuvwxyzabcdefghijklmnopqrstuvwxyz");
    return (size_t)size;
}

static void load(struct store *store, const struct shape *shape)
{
    double gathering = 0, committing = 0;
    for (unsigned i = 0; i < shape->keys;) {
        struct change *change = NULL;
        struct change_result result = {0};
        const struct change_terms terms = sample_terms("load", 0);
        const double start = now();
        MUST_DO(change_new(&change, store));
        for (unsigned end = i + shape->commit; i < end && i < shape->keys; i++) {
            char value[80];
            const struct path path = path_of(shape, i);
            const size_t size = value_for(value, i);
            MUST_DO(change_set_plain(change, &path, value, size));
        }
        const double gathered = now();
        MUST_DO(change_commit(change, &terms, &result));
        change_result_release(&result);
        change_free(change);
        gathering += gathered - start;
        committing += now() - gathered;
    }
    printf("load: %.2f us a key gathered, %.2f us a key committed\n", gathering / shape->keys * 1e6,
           committing / shape->keys * 1e6);
}

static void measure_reads(struct store *store, const struct shape *shape)
{
    struct snapshot *snapshot = NULL;
    struct dice dice = dice_new(1);
    struct environment environment;
    struct service service;
    struct entry entry;
    SECRET_CLEANUP struct secret scratch = {0};
    const unsigned char *data;
    size_t size, bytes = 0;
    MUST_DO(snapshot_new(&snapshot, store));
    double start = now(), at = 0;
    for (unsigned i = 0; i < READS; i++) {
        const struct path path = path_of(shape, (unsigned)dice_roll(&dice, shape->keys));
        MUST_DO(snapshot_begin(snapshot));
        MUST_DO(snapshot_environment(snapshot, &environment, path.environment));
        MUST_DO(snapshot_service(snapshot, &service, environment.id, path.service));
        MUST_DO(snapshot_entry(snapshot, &entry, environment.id, service.id, path.key));
        MUST_DO(snapshot_value(snapshot, &data, &size, &entry, &scratch));
        bytes += size;
        if (i % 16 == 0) {
            const double before = now();
            MUST_DO(snapshot_entry_at(snapshot, &entry, environment.id, entry.name_id, entry.rev));
            at += now() - before;
        }
        snapshot_end(snapshot);
    }
    printf("read: %.2f us by path with its value (%zu bytes); %.2f us as of a revision\n",
           (now() - start - at) / READS * 1e6, bytes / READS, at / (READS / 16) * 1e6);
    start = now();
    unsigned listed = 0;
    MUST_DO(snapshot_begin(snapshot));
    service = (struct service){.name = ""};
    while (snapshot_next_service(snapshot, &service, environment.id, service.name) == 0) {
        entry = (struct entry){.key = ""};
        while (snapshot_next_entry(snapshot, &entry, environment.id, service.id, entry.key) == 0)
            listed++;
    }
    snapshot_end(snapshot);
    printf("list: %.2f us a key of %u\n", (now() - start) / listed * 1e6, listed);
    snapshot_free(snapshot);
}

static void measure_commits(struct store *store, const struct shape *shape)
{
    struct dice dice = dice_new(2);
    const double start = now();
    for (unsigned i = 0; i < SMALL_COMMITS; i++) {
        char text[PATH_TEXT_MAX];
        struct change_result result = {0};
        const struct path path = path_of(shape, (unsigned)dice_roll(&dice, shape->keys));
        path_text(&path, text);
        MUST_DO(SAMPLE_COMMIT(store, &result, "one", 0, {SET, text, 1000 + i}));
        change_result_release(&result);
    }
    printf("commit of one key: %.0f us\n", (now() - start) / SMALL_COMMITS * 1e6);
}

int main(int count, char *words[])
{
    struct shape shape = {1000000, 10000, 20000};
    if (count < 2) {
        fprintf(stderr, "usage: store_probe DIR [KEYS [SERVICES [OPERATIONS-A-COMMIT]]]\n");
        return 2;
    }
    unsigned *fields[] = {&shape.keys, &shape.services, &shape.commit};
    for (int i = 2; i < count && i < 5; i++)
        *fields[i - 2] = (unsigned)strtoul(words[i], NULL, 10);
    struct change_result result = {0};
    struct store_status status;
    struct rusage usage;
    sample_create(words[1]);
    struct store *store = sample_open(words[1], true);
    MUST_DO(SAMPLE_COMMIT(store, &result, "place", 0, {ADD, "prod", 0}));
    change_result_release(&result);
    double start = now();
    load(store, &shape);
    MUST_DO(store_status(store, &status));
    printf("in all: %.1f s, %.0f bytes a version\n", now() - start,
           (double)status.used_bytes / (double)status.entries);
    store_close(store);
    start = now();
    store = sample_open(words[1], true);
    printf("open: %.1f ms\n", (now() - start) * 1e3);
    measure_reads(store, &shape);
    measure_commits(store, &shape);
    start = now();
    MUST_DO(sample_verify(store, true));
    printf("verify: %.1f s\n", now() - start);
    store_close(store);
    getrusage(RUSAGE_SELF, &usage);
    printf("most memory: %ld MiB\n", usage.ru_maxrss / 1024);
    return 0;
}
