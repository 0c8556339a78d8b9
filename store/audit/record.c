#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/audit/files.h"
#include "store/error.h"

#define KEY_NAME "key"
#define TURNS 200u /* times 10 ms that another writer is waited for */

struct audit_record {
    int folder, key_fd, fd;
    uint64_t segment; /* 0: none yet */
    uint64_t size;    /* of it */
    struct present present;
    bool is_dirty;    /* the disk has less than was written, or an older key */
    struct line line; /* the last that was appended */
};

static void close_one(int *fd)
{
    if (*fd >= 0)
        close(*fd);
    *fd = -1;
}

static int begin_segment(struct audit_record *record)
{
    int fd;
    int error = files_open(&fd, record->folder, record->segment + 1,
                           O_WRONLY | O_CREAT | O_EXCL | O_APPEND);
    if (error < 0)
        return error;
    close_one(&record->fd);
    record->fd = fd;
    record->segment++;
    record->size = 0;
    record->is_dirty = true;
    (void)fsync(record->folder);
    return 0;
}

/* What is not there whole is taken away again. */
static int write_line(struct audit_record *record, const struct line *line)
{
    ssize_t written = write(record->fd, line->text, line->size);
    if (written == (ssize_t)line->size) {
        record->size += line->size;
        record->is_dirty = true;
        return 0;
    }
    int errno_value = written < 0 ? errno : ENOSPC;
    if (written > 0 && ftruncate(record->fd, (off_t)record->size) < 0)
        return error_system(errno, "cannot take half a line of the audit record away");
    return error_system(errno_value, "cannot write the audit record");
}

static void begin_line(const struct audit_record *record, struct line *line)
{
    *line = (struct line){.size = 0};
    line_number(line, "n", record->present.number);
    if (record->size == 0)
        line_hex(line, "prev", record->present.chain, BLAKE_SIZE);
}

/* Closes and writes it; then the key is that of the next line: the one that follows, or next. */
static int end_line(struct audit_record *record, struct line *line, const struct evolving *next)
{
    struct present *present = &record->present;
    uint8_t chain[BLAKE_SIZE];
    memcpy(chain, present->chain, sizeof(chain));
    line_close(line, chain, &present->key);
    if (line->is_cut)
        return error_set(ERR_INVALID, "a line of the audit record is too long");
    int error = write_line(record, line);
    if (error < 0)
        return error;
    memcpy(present->chain, chain, sizeof(chain));
    present->number++;
    if (next != NULL)
        present->key = *next;
    else
        evolving_step(&present->key);
    return 0;
}

int audit_record_sync(struct audit_record *record)
{
    if (!record->is_dirty)
        return 0;
    if (record->fd >= 0 && fdatasync(record->fd) < 0)
        return error_system(errno, "cannot have the audit record on disk");
    int error = present_write(record->key_fd, &record->present);
    record->is_dirty = error < 0;
    return error;
}

bool audit_record_is_synced(const struct audit_record *record)
{
    return !record->is_dirty;
}

static void line_auditor(struct line *line, const char *auditor, const uint8_t sealed[])
{
    line_text(line, "auditor", auditor);
    line_hex(line, "sealed", sealed, EVOLVING_SEALED_SIZE);
}

/* A record that begins: its first line says for whom its first key is sealed. */
static int begin_record(struct audit_record *record, const char *auditor)
{
    uint8_t public_key[EVOLVING_SIZE], sealed[EVOLVING_SEALED_SIZE];
    struct timespec now;
    struct line line;
    if (!public_read(public_key, auditor))
        return error_set(ERR_INVALID, "'%s' is no public identity", auditor);
    record->present = (struct present){.number = 1};
    int error = evolving_new(&record->present.key, sealed, public_key);
    if (error == 0)
        error = begin_segment(record);
    if (error < 0)
        return error;
    clock_gettime(CLOCK_REALTIME, &now);
    begin_line(record, &line);
    line_time(&line, "time", (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
    line_text(&line, "event", "begin");
    line_auditor(&line, auditor, sealed);
    error = end_line(record, &line, NULL);
    return error == 0 ? audit_record_sync(record) : error;
}

struct walk { /* from the key on disk to the end of what is written */
    struct audit_record *record;
    uint64_t good; /* bytes of whole lines that are ours */
    bool is_other; /* there is one that is not */
};

static int walk_line(void *arg, const char *line, size_t size)
{
    struct walk *walk = arg;
    struct present *present = &walk->record->present;
    struct parsed_line parsed;
    uint8_t chain[BLAKE_SIZE], mac[BLAKE_SIZE];
    char event[16] = "";
    bool is_line = line_parse(&parsed, line, size);
    if (is_line && parsed.number < present->number) {
        walk->good += size + 1;
        return 0;
    }
    memcpy(chain, present->chain, sizeof(chain));
    chain_on(chain, line, is_line ? parsed.text_size : 0);
    evolving_mac(&present->key, mac, chain);
    if (!is_line || parsed.number != present->number ||
        !equal_constant_time(mac, parsed.mac, BLAKE_SIZE)) {
        walk->is_other = true;
        return 1;
    }
    (void)audit_line_field(line, size, "event", event, sizeof(event));
    if (strcmp(event, audit_kind_word(AUDIT_AUDITOR)) == 0)
        return 1; /* the key behind it was not kept: as if it had not been written */
    memcpy(present->chain, chain, sizeof(chain));
    present->number++;
    evolving_step(&present->key);
    walk->good += size + 1;
    walk->record->is_dirty = true;
    return 0;
}

/* Goes on with the last file: what was begun and is not whole is cut off; where somebody changed it
 * the next one begins a file of its own. */
static int resume(struct audit_record *record)
{
    struct walk walk = {.record = record};
    int fd;
    uint64_t lines;
    int error = files_open(&fd, record->folder, record->segment, O_RDWR | O_APPEND);
    if (error < 0)
        return error;
    record->fd = fd;
    error = files_lines(fd, &lines, walk_line, &walk);
    if (error < 0)
        return error;
    if (walk.is_other)
        return begin_segment(record);
    record->size = walk.good;
    if (ftruncate(fd, (off_t)walk.good) < 0)
        return error_system(errno, "cannot mend the audit record");
    return 0;
}

static int lock_key(struct audit_record *record)
{
    record->key_fd = openat(record->folder, KEY_NAME,
                            O_RDWR | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC, 0600);
    if (record->key_fd < 0)
        return error_system(errno, "cannot open the key of the audit record");
    if (flock(record->key_fd, LOCK_EX | LOCK_NB) < 0)
        return errno == EWOULDBLOCK ? error_set(ERR_BUSY, "another process writes the audit record")
                                    : error_system(errno, "cannot lock the audit record");
    return 0;
}

static int open_record(struct audit_record *record, const char *store, const char *auditor)
{
    uint64_t first;
    int error = files_folder(&record->folder, store, true);
    if (error == 0)
        error = lock_key(record);
    if (error == 0)
        error = files_range(&first, &record->segment, record->folder);
    if (error < 0)
        return error;
    int found = present_read(&record->present, record->key_fd);
    if (found < 0)
        return found;
    if (found == 0 && record->segment > 0)
        return resume(record);
    return auditor != NULL ? begin_record(record, auditor) : 1;
}

int audit_record_open(struct audit_record **out, const char *store, const char *auditor)
{
    struct audit_record *record = calloc(1, sizeof(*record));
    if (record == NULL)
        return error_set(ERR_NOMEM, "no memory for the audit record");
    record->folder = record->key_fd = record->fd = -1;
    int error = crypto_setup();
    if (error == 0)
        error = open_record(record, store, auditor);
    if (error == 0) {
        *out = record;
        return 0;
    }
    record->is_dirty = false;
    audit_record_close(record);
    return error;
}

void audit_record_close(struct audit_record *record)
{
    if (record == NULL)
        return;
    (void)audit_record_sync(record);
    present_wipe(&record->present);
    close_one(&record->fd);
    close_one(&record->key_fd);
    close_one(&record->folder);
    free(record);
}

static int name_auditor(struct audit_record *record, struct line *line,
                        const struct audit_event *event)
{
    uint8_t public_key[EVOLVING_SIZE], sealed[EVOLVING_SEALED_SIZE];
    struct evolving next;
    if (!public_read(public_key, event->text))
        return error_set(ERR_INVALID, "'%s' is no public identity", event->text);
    int error = evolving_new(&next, sealed, public_key);
    if (error < 0)
        return error;
    line_auditor(line, event->text, sealed);
    error = end_line(record, line, &next);
    evolving_wipe(&next);
    return error == 0 ? audit_record_sync(record) : error;
}

int audit_record_append(struct audit_record *record, const struct audit_event *event,
                        const struct audit_facts *facts)
{
    struct line *line = &record->line;
    int error = 0;
    line->size = 0;
    if (record->size >= AUDIT_SEGMENT_BYTES)
        error = audit_record_sync(record);
    if (error == 0 && record->size >= AUDIT_SEGMENT_BYTES)
        error = begin_segment(record);
    if (error < 0)
        return error;
    begin_line(record, line);
    line_event(line, event, facts);
    error = event->kind == AUDIT_AUDITOR ? name_auditor(record, line, event)
                                         : end_line(record, line, NULL);
    if (error < 0)
        line->size = 0;
    return error;
}

const char *audit_record_last(const struct audit_record *record, size_t *size)
{
    *size = record->line.size > 0 ? record->line.size - 1 : 0;
    return record->line.text;
}

int audit_record_wait(struct audit_record **out, const char *store, const char *auditor)
{
    int error = audit_record_open(out, store, auditor);
    for (unsigned turn = 0; error == -ERR_BUSY && turn < TURNS; turn++) {
        (void)poll(NULL, 0, 10);
        error = audit_record_open(out, store, auditor);
    }
    return error;
}

int audit_record_read(const char *store, int (*each)(void *arg, const char *line, size_t size),
                      void *arg)
{
    int folder;
    uint64_t first, last, good;
    int outcome = files_folder(&folder, store, false);
    if (outcome < 0)
        return outcome;
    outcome = files_range(&first, &last, folder);
    if (outcome == 0 && first == 0)
        outcome = error_set(ERR_NOT_FOUND, "there is no audit record in '%s'", store);
    for (uint64_t number = first; outcome == 0 && number <= last; number++) {
        int fd;
        if (files_open(&fd, folder, number, O_RDONLY) < 0)
            continue; /* moved away: 'verify' tells */
        outcome = files_lines(fd, &good, each, arg);
        close(fd);
    }
    close(folder);
    return outcome;
}
