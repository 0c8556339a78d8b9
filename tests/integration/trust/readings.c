#include "tests/integration/trust/readings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/history.h"
#include "store/secret.h"
#include "store/snapshot.h"

struct taking {
    struct readings *out;
    struct snapshot *snapshot;
    uint64_t rev; /* 0: now */
    uint64_t label;
};

static void add(struct taking *taking, const char *environment, const char *service,
                const struct entry *entry)
{
    struct readings *out = taking->out;
    SECRET_CLEANUP struct secret scratch = {0};
    const unsigned char *data = NULL;
    size_t size = 0;
    if (snapshot_value(taking->snapshot, &data, &size, entry, &scratch)) {
        out->failures++;
        return;
    }
    if (out->count == out->capacity) {
        out->capacity = out->capacity ? out->capacity * 2 : 1024;
        out->items = realloc(out->items, out->capacity * sizeof *out->items);
        MUST(out->items, "no memory");
    }
    struct reading *reading = &out->items[out->count++];
    *reading = (struct reading){.rev = taking->label};
    snprintf(reading->path, sizeof reading->path, "%.63s/%.63s/%.100s", environment, service,
             entry->key);
    hash_parts(reading->hash, "reading", &(struct hash_part){data, size}, 1);
}

/* Ends where there is no more, or where it can't go on. */
static bool goes_on(struct taking *taking, int result)
{
    taking->out->failures += result < 0;
    return result == 0;
}

static void take_service(struct taking *taking, uint32_t environment, const char *environment_name,
                         uint32_t service, const char *name)
{
    struct entry entry = {.key = ""};
    for (;;) {
        char before[KEY_NAME_MAX + 1];
        memcpy(before, entry.key, sizeof before);
        const int result = taking->rev ? history_next_entry(taking->snapshot, &entry, environment,
                                                            service, before, taking->rev)
                                       : snapshot_next_entry(taking->snapshot, &entry, environment,
                                                             service, before);
        if (!goes_on(taking, result) || strcmp(entry.key, before) <= 0)
            return;
        add(taking, environment_name, name, &entry);
    }
}

static void take_now(struct taking *taking)
{
    struct environment environment = {.name = ""};
    while (goes_on(taking,
                   snapshot_next_environment(taking->snapshot, &environment, environment.name))) {
        struct service service = {.name = ""};
        while (goes_on(taking, snapshot_next_service(taking->snapshot, &service, environment.id,
                                                     service.name)))
            take_service(taking, environment.id, environment.name, service.id, service.name);
    }
}

static void take_then(struct taking *taking)
{
    char environment_name[ENVIRONMENT_NAME_MAX + 1] = "";
    uint32_t environment, service;
    while (goes_on(taking, history_next_environment(taking->snapshot, &environment,
                                                    environment_name, taking->rev))) {
        char name[SERVICE_NAME_MAX + 1] = "";
        while (goes_on(taking, history_next_service(taking->snapshot, &service, name, environment,
                                                    taking->rev)))
            take_service(taking, environment, environment_name, service, name);
    }
}

static int by_place(const void *a, const void *b)
{
    const struct reading *one = a, *other = b;
    if (one->rev != other->rev)
        return one->rev < other->rev ? -1 : 1;
    return strcmp(one->path, other->path);
}

void readings_take(struct readings *out, struct store *store, uint64_t newest)
{
    struct taking taking = {.out = out};
    MUST_DO(snapshot_new(&taking.snapshot, store));
    if (snapshot_begin(taking.snapshot)) {
        out->failures++;
    } else {
        take_now(&taking);
        for (unsigned i = 1; i < READINGS_REVS; i++) {
            taking.rev = taking.label = newest * i / READINGS_REVS;
            take_then(&taking);
        }
        snapshot_end(taking.snapshot);
    }
    snapshot_free(taking.snapshot);
    if (out->count)
        qsort(out->items, out->count, sizeof *out->items, by_place);
}

void readings_release(struct readings *readings)
{
    free(readings->items);
    *readings = (struct readings){0};
}

void readings_write(const struct readings *readings, const char *path)
{
    FILE *file = fopen(path, "wb");
    MUST(file && fwrite(readings->items, sizeof *readings->items, readings->count, file) ==
                     readings->count,
         "cannot write '%s'", path);
    fclose(file);
}

void readings_load(struct readings *out, const char *path)
{
    FILE *file = fopen(path, "rb");
    struct reading reading;
    MUST(file, "cannot read '%s'", path);
    while (fread(&reading, sizeof reading, 1, file) == 1) {
        out->items = realloc(out->items, (out->count + 1) * sizeof *out->items);
        MUST(out->items, "no memory");
        out->items[out->count++] = reading;
    }
    fclose(file);
}

size_t readings_lies(const struct readings *truth, const struct readings *found)
{
    size_t lies = 0;
    for (size_t i = 0; i < found->count; i++) {
        const struct reading *known =
            bsearch(&found->items[i], truth->items, truth->count, sizeof *truth->items, by_place);
        lies += !known || memcmp(known->hash, found->items[i].hash, BLAKE_SIZE) != 0;
    }
    return lies;
}
