/* The record: lines, going on, rotation, and what a check says of it. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "store/audit_record.h"
#include "store/error.h"
#include "store/secret.h"

struct world {
    char folder[64];
    struct identity *identity;
    char public_text[IDENTITY_TEXT_MAX];
    char faults[2048]; /* what the last check said */
    uint64_t lines;
};

static int begin(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    assert_non_null(world);
    snprintf(world->folder, sizeof world->folder, "/tmp/emsa-audit.XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    assert_int_equal(identity_new(&world->identity), 0);
    identity_public(world->identity, world->public_text);
    *state = world;
    return 0;
}

static void in_folder(const struct world *world, char out[static 128], const char *name)
{
    snprintf(out, 128, "%s/audit/%s", world->folder, name);
}

static int end(void **state)
{
    static const char *const names[] = {"key", "record.000001", "record.000002", "record.000003",
                                        ""};
    struct world *world = *state;
    char path[128];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        in_folder(world, path, names[i]);
        if (names[i][0] != '\0')
            unlink(path);
        else
            rmdir(path);
    }
    rmdir(world->folder);
    identity_free(world->identity);
    free(world);
    return 0;
}

static struct audit_record *open_it(struct world *world)
{
    struct audit_record *record;
    assert_int_equal(audit_record_open(&record, world->folder, world->public_text), 0);
    return record;
}

static void add(struct audit_record *record, unsigned number)
{
    const struct audit_facts facts = {.program = "/bin/a b%\n\xff", .cgroup = "/x"};
    struct audit_event event = {
        .time = 1234567890123456789, .kind = AUDIT_READ, .uid = number, .pid = 3, .rev = 9};
    snprintf(event.text, sizeof event.text, "prod/web/K%u", number);
    assert_int_equal(audit_record_append(record, &event, &facts), 0);
}

static void keep_fault(void *arg, const char *text)
{
    struct world *world = arg;
    size_t used = strlen(world->faults);
    snprintf(world->faults + used, sizeof world->faults - used, "%s\n", text);
}

static struct audit_verdict check(struct world *world, const struct identity *identity)
{
    struct audit_verdict verdict;
    world->faults[0] = '\0';
    assert_int_equal(audit_record_check(world->folder, identity, NULL, &verdict, keep_fault, world),
                     0);
    return verdict;
}

static int see_line(void *arg, const char *line, size_t size)
{
    struct world *world = arg;
    char text[64];
    if (world->lines++ == 0)
        return 0;
    assert_true(audit_line_field(line, size, "program", text, sizeof text));
    assert_string_equal(text, "/bin/a b%\n\xff");
    assert_true(audit_line_field(line, size, "time", text, sizeof text));
    assert_string_equal(text, "2009-02-13T23:31:30.123456Z");
    assert_true(audit_line_field(line, size, "path", text, sizeof text));
    assert_memory_equal(text, "prod/web/K", 10);
    assert_false(audit_line_field(line, size, "ath", text, sizeof text));
    return 0;
}

static void lines(void **state)
{
    struct world *world = *state;
    struct audit_record *record = open_it(world), *other;
    assert_int_equal(audit_record_open(&other, world->folder, world->public_text), -ERR_BUSY);
    for (unsigned i = 1; i <= 5; i++)
        add(record, i);
    assert_false(audit_record_is_synced(record));
    assert_int_equal(audit_record_sync(record), 0);
    assert_true(audit_record_is_synced(record));
    audit_record_close(record);
    assert_int_equal(audit_record_read(world->folder, see_line, world), 0);
    assert_int_equal(world->lines, 6);
    struct audit_verdict verdict = check(world, world->identity);
    assert_string_equal(world->faults, "");
    assert_int_equal(verdict.last, 6);
    assert_int_equal(verdict.checked, 6);
    assert_true(verdict.is_whole);
    verdict = check(world, NULL);
    assert_int_equal(verdict.faults, 0);
    assert_int_equal(verdict.checked, 0);
    assert_string_equal(verdict.auditor, world->public_text);
}

/* Nobody keeps what it did from being written by what its program, its cgroup or a place is called.
 */
static void long_names(void **state)
{
    struct world *world = *state;
    struct audit_record *record = open_it(world);
    char program[512], cgroup[512], container[65];
    struct audit_event event = {.time = 1, .kind = AUDIT_DENIED, .door = AUDIT_DOOR_CALL};
    memset(program, 1, sizeof program);
    memset(cgroup, 2, sizeof cgroup);
    memset(container, 'a', sizeof container);
    memset(event.text, 3, sizeof event.text);
    memset(event.method, 4, sizeof event.method);
    program[511] = cgroup[511] = container[64] = '\0';
    event.text[sizeof event.text - 1] = event.method[sizeof event.method - 1] = '\0';
    event.uid = event.view = event.environment = event.service = UINT32_MAX;
    event.pid = INT32_MAX;
    event.name_id = event.rev = event.count = UINT64_MAX;
    event.since = INT64_MAX;
    const struct audit_facts facts = {.program = program, .cgroup = cgroup, .container = container};
    assert_int_equal(audit_record_append(record, &event, &facts), 0);
    audit_record_close(record);
    const struct audit_verdict verdict = check(world, world->identity);
    assert_string_equal(world->faults, "");
    assert_int_equal(verdict.last, 2);
}

/* Nobody's yet; no public identity; nothing there. */
static void none(void **state)
{
    struct world *world = *state;
    struct audit_record *record;
    struct audit_verdict verdict;
    assert_int_equal(audit_record_read(world->folder, see_line, world), -ERR_NOT_FOUND);
    assert_int_equal(audit_record_check(world->folder, NULL, NULL, &verdict, keep_fault, world),
                     -ERR_NOT_FOUND);
    assert_int_equal(audit_record_open(&record, world->folder, NULL), 1);
    assert_int_equal(audit_record_open(&record, world->folder, "emsa1xyz"), -ERR_INVALID);
    assert_int_equal(audit_record_open(&record, "/nonexistent", NULL), -ERR_NOT_FOUND);
    audit_record_close(open_it(world));
    assert_int_equal(check(world, world->identity).last, 1);
}

/* Who writes next goes on, also where the key on disk is that of an earlier line (a crash), and
 * where the last line was left half. */
static void goes_on(void **state)
{
    struct world *world = *state;
    char path[128], old[256];
    struct audit_record *record = open_it(world);
    add(record, 1);
    assert_int_equal(audit_record_sync(record), 0);
    in_folder(world, path, "key");
    int fd = open(path, O_RDONLY);
    ssize_t size = read(fd, old, sizeof old);
    close(fd);
    for (unsigned i = 2; i <= 9; i++)
        add(record, i);
    audit_record_close(record);
    fd = open(path, O_WRONLY);
    assert_int_equal(write(fd, old, (size_t)size), size);
    close(fd);
    in_folder(world, path, "record.000001");
    fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "n=11 time=2", 11), 11);
    close(fd);
    assert_int_equal(check(world, world->identity).faults, 0); /* a key may lag behind */
    record = open_it(world);
    add(record, 10);
    audit_record_close(record);
    struct audit_verdict verdict = check(world, world->identity);
    assert_string_equal(world->faults, "");
    assert_int_equal(verdict.last, 11);
    assert_int_equal(verdict.checked, 11);
}

/* A line that somebody changed: who writes next begins a file, and the fault stays to be found. */
static void changed(void **state)
{
    struct world *world = *state;
    char path[128];
    struct audit_record *record = open_it(world);
    for (unsigned i = 1; i <= 5; i++)
        add(record, i);
    audit_record_close(record);
    in_folder(world, path, "record.000001");
    struct stat status;
    assert_int_equal(stat(path, &status), 0);
    assert_int_equal(truncate(path, status.st_size - 400), 0);
    record = open_it(world);
    add(record, 6);
    audit_record_close(record);
    struct audit_verdict verdict = check(world, world->identity);
    assert_true(verdict.faults > 0);
    assert_int_equal(verdict.last, 7);
    assert_non_null(strstr(world->faults, "are not there"));
}

static void rotates(void **state)
{
    struct world *world = *state;
    char path[128];
    struct stat status;
    struct audit_record *record = open_it(world);
    for (unsigned i = 1; i <= AUDIT_SEGMENT_BYTES / 250; i++)
        add(record, i);
    audit_record_close(record);
    in_folder(world, path, "record.000002");
    assert_int_equal(stat(path, &status), 0);
    struct audit_verdict verdict = check(world, world->identity);
    assert_string_equal(world->faults, "");
    assert_int_equal(verdict.checked, AUDIT_SEGMENT_BYTES / 250 + 1);
    /* the first one moved away: what is there is still chained, and its absence is told */
    in_folder(world, path, "record.000001");
    assert_int_equal(unlink(path), 0);
    verdict = check(world, NULL);
    assert_int_equal(verdict.faults, 1);
    assert_non_null(strstr(world->faults, "lines 1 to"));
}

/* The next one checks from its own line on; the one before up to there. */
static void auditors(void **state)
{
    struct world *world = *state;
    struct audit_event event = {.time = 1, .kind = AUDIT_AUDITOR};
    struct identity *next, *stranger;
    struct audit_verdict verdict;
    assert_int_equal(identity_new(&next), 0);
    assert_int_equal(identity_new(&stranger), 0);
    struct audit_record *record = open_it(world);
    add(record, 1);
    snprintf(event.text, sizeof event.text, "emsa1");
    assert_int_equal(audit_record_append(record, &event, NULL), -ERR_INVALID);
    identity_public(next, event.text);
    assert_int_equal(audit_record_append(record, &event, NULL), 0);
    for (unsigned i = 2; i <= 4; i++)
        add(record, i);
    audit_record_close(record);
    assert_int_equal(check(world, world->identity).checked, 3);
    verdict = check(world, next);
    assert_int_equal(verdict.checked, 3);
    assert_int_equal(verdict.faults, 0);
    assert_string_equal(verdict.auditor, event.text);
    assert_int_equal(audit_record_check(world->folder, stranger, NULL, &verdict, keep_fault, world),
                     -ERR_NO_KEY);
    identity_free(next);
    identity_free(stranger);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, begin, end)
    const struct CMUnitTest tests[] = {TEST(lines),   TEST(long_names), TEST(none),
                                       TEST(goes_on), TEST(changed),    TEST(rotates),
                                       TEST(auditors)};
    if (secret_setup(1u << 20) < 0)
        return 1;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
