/* A store of format 6 that was written once, kept in vectors/format-6.txt: every later version must
 * read it. The same file is checked by an implementation in Python (tests/integration/format). */
#include "tests/unit/store/model_support.h"

#include <sys/stat.h>

#include "store/db/env.h"
#include "store/db/txn.h"

#define LONGEST_LINE ((size_t)64 * 1024)
#define VALUES_MAX 4096
#define RECORD_TAIL 16 /* its hash, which is put there anew */

static const char *const names[DB_COUNT] = {
    [DB_META] = "meta",
    [DB_COMMIT] = "commit",
    [DB_LOG] = "log",
    [DB_VALUE] = "value",
    [DB_REQUEST] = "request",
    [DB_SIGNED] = "signed",
    [DB_ENVIRONMENT] = "environment",
    [DB_PLACE] = "place",
    [DB_CURRENT] = "current",
    [DB_HISTORY] = "history",
    [DB_NAME] = "name",
    [DB_KEY] = "key",
    [DB_EXPIRY] = "expiry",
    [DB_OUTCOME] = "outcome",
    [DB_REFERENCE] = "reference",
    [DB_SHARE] = "share",
    [DB_LOCK] = "lock",
    [DB_SCHEMA] = "schema",
    [DB_PRESENCE] = "presence",
    [DB_TAG] = "tag",
    [DB_GRANT] = "grant",
    [DB_LEAK] = "leak",
};

struct value_line {
    uint64_t rev;
    char path[PATH_TEXT_MAX];
    unsigned char *data;
    size_t size;
};

struct vectors {
    const char *folder;
    char path[TRIAL_PATH_MAX], identity[TRIAL_PATH_MAX];
    struct value_line values[VALUES_MAX];
    size_t value_count, record_count;
};

static size_t from_hex(unsigned char *out, const char *text)
{
    size_t size = 0;
    unsigned byte;
    for (; text[0] && text[1] && sscanf(text, "%2x", &byte) == 1; text += 2)
        out[size++] = (unsigned char)byte;
    return size;
}

static void take_record(struct txn *txn, char *rest)
{
    static unsigned char key[512], body[LONGEST_LINE];
    char *after;
    const char *name = strtok_r(rest, " ", &after);
    const size_t key_size = from_hex(key, strtok_r(NULL, " ", &after));
    const size_t body_size = from_hex(body, strtok_r(NULL, " ", &after));
    for (unsigned i = 0; i < DB_COUNT; i++)
        if (strcmp(name, names[i]) == 0) {
            txn_put(txn, (enum database)i, (struct slice){key, key_size},
                    (struct slice){body, body_size - RECORD_TAIL});
            return;
        }
    fail_msg("database '%s'", name);
}

static void take_value(struct vectors *vectors, char *rest)
{
    char *after;
    struct value_line *value = &vectors->values[vectors->value_count++];
    assert_true(vectors->value_count <= VALUES_MAX);
    value->rev = strtoull(strtok_r(rest, " ", &after), NULL, 10);
    snprintf(value->path, sizeof value->path, "%s", strtok_r(NULL, " ", &after));
    const char *hex = strtok_r(NULL, " ", &after);
    value->data = malloc(strlen(hex) / 2 + 1);
    value->size = from_hex(value->data, hex);
}

static void take_line(struct vectors *vectors, struct txn *txn, char *line)
{
    line[strcspn(line, "\n")] = '\0';
    if (strncmp(line, "record ", 7) == 0) {
        take_record(txn, line + 7);
        vectors->record_count++;
    } else if (strncmp(line, "value ", 6) == 0) {
        take_value(vectors, line + 6);
    } else if (strncmp(line, "identity ", 9) == 0) {
        FILE *file = fopen(vectors->identity, "ae");
        assert_non_null(file);
        assert_int_equal(fchmod(fileno(file), 0600), 0);
        fprintf(file, "%s\n", line + 9);
        assert_int_equal(fclose(file), 0);
    }
}

static int load(void **state, const char *which)
{
    static char line[LONGEST_LINE];
    struct vectors *vectors = calloc(1, sizeof *vectors);
    struct env *env;
    struct txn *txn;
    char name[512];
    snprintf(name, sizeof name, "%.*svectors/%s", (int)(strrchr(__FILE__, '/') - __FILE__ + 1),
             __FILE__, which);
    FILE *file = fopen(name, "re");
    assert_non_null(file);
    vectors->folder = trial_folder();
    trial_path(vectors->path, vectors->folder, "store");
    trial_path(vectors->identity, vectors->folder, "store.identity");
    assert_int_equal(mkdir(vectors->path, 0700), 0);
    assert_int_equal(env_create(vectors->path), 0);
    assert_int_equal(env_open(&env, vectors->path, NULL, NULL), 0);
    assert_int_equal(txn_write_begin(&txn, env), 0);
    while (fgets(line, sizeof line, file))
        take_line(vectors, txn, line);
    fclose(file);
    assert_int_equal(txn_commit(txn), 0);
    env_close(env);
    assert_true(vectors->record_count > 50 && vectors->value_count > 20);
    *state = vectors;
    return 0;
}

static int setup(void **state)
{
    return load(state, "format-6.txt");
}

static int setup_of_before(void **state)
{
    return load(state, "format-4.txt");
}

static int teardown(void **state)
{
    struct vectors *vectors = *state;
    for (size_t i = 0; i < vectors->value_count; i++)
        free(vectors->values[i].data);
    trial_remove(vectors->folder);
    free(vectors);
    return 0;
}

/* The entry as of a revision: by the names of today, whose ids are for ever; environments by their
 * life. */
static int find_at(struct snapshot *snapshot, struct entry *out, const struct value_line *value)
{
    const struct path path = sample_path(value->path);
    uint64_t name_id;
    char key[KEY_NAME_MAX + 1], service[SERVICE_NAME_MAX + 1], name[ENVIRONMENT_NAME_MAX + 1];
    uint32_t owner;
    for (name_id = 1; !snapshot_name(snapshot, &owner, key, name_id); name_id++) {
        assert_int_equal(snapshot_service_name(snapshot, service, owner), 0);
        if (strcmp(key, path.key) != 0 || strcmp(service, path.service) != 0)
            continue;
        for (uint32_t id = 1; !snapshot_environment_name(snapshot, name, id); id++)
            if (strcmp(name, path.environment) == 0 &&
                snapshot_entry_at(snapshot, out, id, name_id, value->rev) == 0)
                return 0;
    }
    return NOT_THERE;
}

static void test_every_value_at_every_revision(void **state)
{
    struct vectors *vectors = *state;
    struct store *store = sample_open(vectors->path, true);
    struct snapshot *snapshot;
    assert_int_equal(snapshot_new(&snapshot, store), 0);
    assert_int_equal(snapshot_begin(snapshot), 0);
    for (size_t i = 0; i < vectors->value_count; i++) {
        SECRET_CLEANUP struct secret scratch = {0};
        struct entry entry;
        const unsigned char *data;
        size_t size, length;
        assert_int_equal(find_at(snapshot, &entry, &vectors->values[i]), 0);
        assert_int_equal(snapshot_size(snapshot, &length, &entry), 0);
        assert_int_equal(snapshot_value(snapshot, &data, &size, &entry, &scratch), 0);
        assert_int_equal(size, vectors->values[i].size);
        assert_int_equal(length, size);
        if (size)
            assert_memory_equal(data, vectors->values[i].data, size);
    }
    snapshot_end(snapshot);
    snapshot_free(snapshot);
    assert_int_equal(sample_verify(store, true), 0);
    store_close(store);
}

/* A store of the version before is refused, and says so; nothing is guessed of it. */
static void test_the_version_before_is_refused(void **state)
{
    struct vectors *vectors = *state;
    struct store *store = NULL;
    assert_int_equal(sample_try_open(&store, vectors->path, false), ERR(ERR_FORMAT));
    assert_null(store);
    assert_non_null(strstr(error_text(), "format 4"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_the_version_before_is_refused, setup_of_before,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_every_value_at_every_revision, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
