#include "tests/integration/trust/mutate.h"

#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/integration/trust/records.h"
#include "tests/support/store/trial.h"

#define PAGE 4096u

const char *const mutation_families[MUTATION_FAMILIES] = {"bytes", "records", "older", "files"};

struct mutation {
    char *what;
    struct dice *dice;
    const char *folder, *old;
};

static void say(struct mutation *mutation, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static void say(struct mutation *mutation, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(mutation->what, MUTATION_TEXT_MAX, format, arguments);
    va_end(arguments);
}

/* --- bytes of the file --- */

static int open_data(const char *folder)
{
    char path[TRIAL_PATH_MAX];
    const int fd = open(trial_path(path, folder, "data.mdb"), O_RDWR | O_CLOEXEC);
    MUST(fd >= 0, "cannot open '%s'", path);
    return fd;
}

/* As far as LMDB has used it: the file is allocated ahead, with zeros. */
static uint64_t used_of(int fd)
{
    uint64_t last[2];
    for (unsigned i = 0; i < 2; i++)
        MUST(pread(fd, &last[i], 8, (off_t)(i * PAGE + 136)) == 8, "no meta page");
    return ((last[0] > last[1] ? last[0] : last[1]) + 1) * PAGE;
}

static void read_at(int fd, void *out, size_t size, uint64_t at)
{
    MUST(pread(fd, out, size, (off_t)at) == (ssize_t)size, "cannot read");
}

static void write_at(int fd, const void *data, size_t size, uint64_t at)
{
    MUST(pwrite(fd, data, size, (off_t)at) == (ssize_t)size, "cannot write");
}

static void flip(struct mutation *mutation, int fd, uint64_t at)
{
    unsigned char byte;
    const unsigned bit = (unsigned)dice_roll(mutation->dice, 8);
    read_at(fd, &byte, 1, at);
    byte = (unsigned char)(byte ^ 1u << bit);
    write_at(fd, &byte, 1, at);
    say(mutation, "bit %u of byte %llu", bit, (unsigned long long)at);
}

static void overwrite(struct mutation *mutation, int fd, uint64_t at, uint64_t used)
{
    unsigned char bytes[PAGE];
    size_t size = 1 + dice_roll(mutation->dice, dice_once_in(mutation->dice, 3) ? PAGE : 32);
    size = at + size > used ? (size_t)(used - at) : size;
    const bool zeros = dice_once_in(mutation->dice, 2);
    for (size_t i = 0; i < size; i++)
        bytes[i] = zeros ? 0 : (unsigned char)dice_next(mutation->dice);
    write_at(fd, bytes, size, at);
    say(mutation, "%zu bytes at %llu%s", size, (unsigned long long)at, zeros ? ": zeros" : "");
}

static void put_page(struct mutation *mutation, int fd, uint64_t at, uint64_t used)
{
    unsigned char page[PAGE];
    const bool is_old = dice_once_in(mutation->dice, 2);
    const int from = is_old ? open_data(mutation->old) : fd;
    uint64_t other = is_old ? at / PAGE : dice_roll(mutation->dice, used / PAGE);
    if (is_old && (other + 1) * PAGE > used_of(from))
        other = dice_roll(mutation->dice, used_of(from) / PAGE);
    read_at(from, page, PAGE, other * PAGE);
    write_at(fd, page, PAGE, at / PAGE * PAGE);
    if (is_old)
        close(from);
    say(mutation, "page %llu is page %llu%s", (unsigned long long)(at / PAGE),
        (unsigned long long)other, is_old ? " of the older copy" : "");
}

static enum mutation_family mutate_bytes(struct mutation *mutation)
{
    const int fd = open_data(mutation->folder);
    const uint64_t used = used_of(fd), at = dice_roll(mutation->dice, used);
    const uint64_t kind = dice_roll(mutation->dice, 22);
    if (kind < 11)
        flip(mutation, fd, at);
    else if (kind < 13) /* the heads */
        flip(mutation, fd, dice_roll(mutation->dice, 2) * PAGE + dice_roll(mutation->dice, 160));
    else if (kind < 17)
        overwrite(mutation, fd, at, used);
    else
        put_page(mutation, fd, at, used);
    close(fd);
    /* A page from before, also one that lies free in the file, has the records of before, each
     * whole. */
    return kind < 17 ? MUTATE_BYTES : MUTATE_OLDER;
}

/* --- records, through LMDB --- */

static enum database some_database(struct mutation *mutation, struct records *records)
{
    for (;;) {
        const enum database database = (enum database)dice_roll(mutation->dice, DB_COUNT);
        if (records_count(records, database))
            return database;
    }
}

static void some_record(struct mutation *mutation, struct records *records, MDB_val *key,
                        MDB_val *record, enum database database)
{
    const size_t count = records_count(records, database);
    MUST(records_at(records, key, record, database, dice_roll(mutation->dice, count)),
         "a database has fewer records than it says");
}

static void edit(struct mutation *mutation, MDB_val *record, size_t size)
{
    unsigned char *bytes = record->mv_data;
    if (size)
        bytes[dice_roll(mutation->dice, size)] ^=
            (unsigned char)(1u << dice_roll(mutation->dice, 8));
}

/* Cuts bytes off a record's body, or adds some. */
static void resize(struct mutation *mutation, MDB_val *record, bool longer)
{
    const size_t body = record->mv_size - RECORD_HASH_SIZE;
    const size_t by = 1 + dice_roll(mutation->dice, longer ? 16 : body ? body : 1);
    if (longer) {
        record->mv_data = realloc(record->mv_data, record->mv_size + by);
        MUST(record->mv_data, "no memory");
        memset((unsigned char *)record->mv_data + record->mv_size, (int)by, by);
        record->mv_size += by;
    } else if (body) {
        record->mv_size -= by;
    }
}

/* What stood at the key in the older copy; where that is the same or nothing, another record. */
static void replay(struct mutation *mutation, MDB_val *record, enum database database,
                   const MDB_val *key)
{
    struct records old;
    MDB_val found = {0}, other_key;
    records_open(&old, mutation->old);
    bool is_there = records_get(&old, &found, database, key);
    if (is_there && found.mv_size == record->mv_size &&
        memcmp(found.mv_data, record->mv_data, found.mv_size) == 0)
        is_there = false;
    if (!is_there && records_count(&old, database))
        some_record(mutation, &old, &other_key, &found, database);
    mdb_txn_abort(old.txn);
    mdb_env_close(old.env);
    if (found.mv_data)
        *record = found;
}

static void mutate_records(struct mutation *mutation)
{
    struct records records;
    MDB_val key, record, other_key, other;
    records_open(&records, mutation->folder);
    const enum database database = some_database(mutation, &records);
    const char *name = database_name(database);
    const char *verb = "";
    some_record(mutation, &records, &key, &record, database);
    some_record(mutation, &records, &other_key, &other, database);
    switch (dice_roll(mutation->dice, 10)) {
    case 0:
        edit(mutation, &record, record.mv_size);
        records_put(&records, database, &key, &record);
        say(mutation, "%s: edited, its hash left as it was", name);
        records_close(&records);
        return;
    case 1:
    case 2:
        verb = "edited";
        edit(mutation, &record, record.mv_size - RECORD_HASH_SIZE);
        break;
    case 3:
        verb = "swapped";
        records_rehash(&record, database, &other_key);
        records_put(&records, database, &other_key, &record);
        record = other;
        break;
    case 4:
        verb = "moved";
        records_drop(&records, database, &key);
        edit(mutation, &key, key.mv_size);
        break;
    case 5:
        verb = "doubled";
        edit(mutation, &key, key.mv_size);
        break;
    case 6:
        records_drop(&records, database, &key);
        say(mutation, "%s: dropped", name);
        records_close(&records);
        return;
    case 7:
        verb = "cut";
        resize(mutation, &record, false);
        break;
    case 8:
        verb = "longer";
        resize(mutation, &record, true);
        break;
    default:
        verb = "replayed";
        replay(mutation, &record, database, &key);
        break;
    }
    records_rehash(&record, database, &key);
    records_put(&records, database, &key, &record);
    say(mutation, "%s: %s, its hash made right", name, verb);
    records_close(&records);
}

static void mutate_tables(struct mutation *mutation)
{
    struct records records, old;
    records_open(&records, mutation->folder);
    const enum database database = some_database(mutation, &records);
    const bool is_emptied = dice_once_in(mutation->dice, 3);
    records_empty(&records, database);
    if (!is_emptied) {
        records_open(&old, mutation->old);
        records_fill(&records, &old, database);
        mdb_txn_abort(old.txn);
        mdb_env_close(old.env);
    }
    records_close(&records);
    say(mutation, "%s: %s", database_name(database),
        is_emptied ? "emptied" : "all of it that of the older copy");
}

/* --- whole files --- */

static void mutate_file(struct mutation *mutation)
{
    if (dice_once_in(mutation->dice, 3)) {
        trial_copy_folder(mutation->folder, mutation->old);
        say(mutation, "the older copy");
        return;
    }
    const int fd = open_data(mutation->folder);
    struct stat info;
    MUST(fstat(fd, &info) == 0, "no file");
    const uint64_t used = used_of(fd);
    const uint64_t size =
        dice_roll(mutation->dice, dice_once_in(mutation->dice, 2) ? used : (uint64_t)info.st_size);
    MUST(ftruncate(fd, (off_t)size) == 0, "cannot cut");
    close(fd);
    say(mutation, "cut at %llu of %llu", (unsigned long long)size, (unsigned long long)used);
}

enum mutation_family mutate(char what[static MUTATION_TEXT_MAX], struct dice *dice,
                            const char *folder, const char *old)
{
    struct mutation mutation = {.what = what, .dice = dice, .folder = folder, .old = old};
    const uint64_t kind = dice_roll(dice, 100);
    if (kind < 42)
        return mutate_bytes(&mutation);
    if (kind < 90) {
        mutate_records(&mutation);
        return MUTATE_RECORDS;
    }
    if (kind < 96) {
        mutate_tables(&mutation);
        return MUTATE_OLDER;
    }
    mutate_file(&mutation);
    return MUTATE_FILE;
}
