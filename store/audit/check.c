/*
 * Checking a record from its files alone. Numbers find what is missing, doubled or moved; the chain
 * finds what was changed by who has no key; the MACs, for the auditor, what was changed by who has
 * a later key; the present key what was cut off at the end.
 */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "store/audit/files.h"
#include "store/error.h"

#define FAULTS_TOLD 100u
#define STEPS_MAX (1u << 26) /* keys to step over; more were never written */

struct check {
    const struct identity *identity;
    const struct audit_head *head;
    struct audit_verdict *verdict;
    void (*fault)(void *arg, const char *text);
    void *arg;
    bool has_head;
    bool has_key;
    bool has_opened;     /* any key at all */
    uint64_t next;       /* number of the line that must follow; 0: any may */
    struct evolving key; /* of it, where has_key */
    uint8_t chain[BLAKE_SIZE];
    struct present present;
    bool has_present;
    bool has_met; /* the line that the present key is of: what stood there is below */
    bool is_met_good;
};

__attribute__((format(printf, 2, 3))) static void wrong(struct check *check, const char *format,
                                                        ...)
{
    char text[256];
    va_list arguments;
    if (check->verdict->faults++ >= FAULTS_TOLD)
        return;
    va_start(arguments, format);
    (void)vsnprintf(text, sizeof(text), format, arguments);
    va_end(arguments);
    check->fault(check->arg, text);
}

/* The key that a line brings is that of the next line; a record's first line is of the same. */
static bool open_key(struct check *check, struct evolving *out, const char *line, size_t size)
{
    char text[2 * EVOLVING_SEALED_SIZE + 1] = "";
    uint8_t sealed[EVOLVING_SEALED_SIZE];
    (void)audit_line_field(line, size, "auditor", check->verdict->auditor,
                           sizeof(check->verdict->auditor));
    if (check->identity == NULL || !audit_line_field(line, size, "sealed", text, sizeof(text)) ||
        strlen(text) != sizeof(text) - 1 || !hex_read(sealed, sizeof(sealed), text))
        return false;
    bool is_open = evolving_open(out, sealed, check->identity) == 0;
    error_clear();
    check->has_opened = check->has_opened || is_open;
    return is_open;
}

static void begin(struct check *check, const char *line, size_t size)
{
    if (check->next > 1)
        wrong(check,
              "another record begins behind line %" PRIu64 ": the key was lost there, or "
              "somebody began anew",
              check->next - 1);
    check->next = 1;
    memset(check->chain, 0, sizeof(check->chain));
    check->has_key = open_key(check, &check->key, line, size);
}

/* Lines are missing before this one: its chain begins with what it says of the one before. */
static void skip(struct check *check, const struct parsed_line *parsed, const char *line,
                 size_t size)
{
    char text[HEX_HASH + 1] = "";
    uint64_t from = check->next == 0 ? 1 : check->next, left = parsed->number - from;
    wrong(check, "lines %" PRIu64 " to %" PRIu64 " are not there", from, parsed->number - 1);
    check->has_key = check->has_key && left <= STEPS_MAX;
    for (; check->has_key && left > 0; left--)
        evolving_step(&check->key);
    check->next = parsed->number;
    if (audit_line_field(line, size, "prev", text, sizeof(text)))
        (void)hex_read(check->chain, BLAKE_SIZE, text);
}

/* The state before a line, against that which the file "key" has of the same place. */
static void meet(struct check *check)
{
    if (!check->has_present || check->next != check->present.number)
        return;
    check->has_met = true;
    check->is_met_good =
        memcmp(check->chain, check->present.chain, BLAKE_SIZE) == 0 &&
        (!check->has_key ||
         equal_constant_time(check->key.key, check->present.key.key, EVOLVING_SIZE));
}

static void check_seal(struct check *check, const struct parsed_line *parsed, const char *line)
{
    uint8_t mac[BLAKE_SIZE];
    chain_on(check->chain, line, parsed->text_size);
    bool is_chained = memcmp(check->chain, parsed->chain, BLAKE_SIZE) == 0;
    if (!is_chained)
        wrong(check, "line %" PRIu64 " does not follow the one before: one of them was changed",
              parsed->number);
    memcpy(check->chain, parsed->chain, BLAKE_SIZE); /* what follows is judged by itself */
    if (!check->has_key)
        return;
    evolving_mac(&check->key, mac, parsed->chain);
    if (equal_constant_time(mac, parsed->mac, BLAKE_SIZE))
        check->verdict->checked += is_chained;
    else
        wrong(check, "line %" PRIu64 " is not of its key: it was written later, or by another",
              parsed->number);
}

static void note(struct check *check, const char *line, size_t size, const char *event)
{
    struct audit_verdict *verdict = check->verdict;
    char number[24];
    (void)audit_line_field(line, size, "time", verdict->last_time, sizeof(verdict->last_time));
    if (audit_line_field(line, size, "rev", number, sizeof(number)) &&
        (strcmp(event, "commit") == 0 || strcmp(event, "rights") == 0 ||
         strcmp(event, "start") == 0))
        verdict->rev = strtoull(number, NULL, 10);
    if (strcmp(event, "lost") == 0 && audit_line_field(line, size, "count", number, sizeof(number)))
        verdict->lost += strtoull(number, NULL, 10);
}

static void check_head(struct check *check, const struct parsed_line *parsed)
{
    char chain[HEX_HASH + 1];
    if (check->head == NULL || parsed->number != check->head->number)
        return;
    hex_write(chain, parsed->chain, BLAKE_SIZE);
    check->has_head = true;
    if (strcmp(chain, check->head->chain) != 0)
        wrong(check, "line %" PRIu64 " is another than it was: the record was made anew",
              parsed->number);
}

static int check_line(void *arg, const char *line, size_t size)
{
    struct check *check = arg;
    struct parsed_line parsed;
    char event[16] = "";
    if (!line_parse(&parsed, line, size)) {
        wrong(check, "behind line %" PRIu64 " stands something that is no line",
              check->next > 0 ? check->next - 1 : 0);
        return 0;
    }
    (void)audit_line_field(line, size, "event", event, sizeof(event));
    if (parsed.number == 1 && strcmp(event, "begin") == 0 && check->next != 1)
        begin(check, line, size);
    else if (parsed.number > check->next)
        skip(check, &parsed, line, size);
    if (parsed.number < check->next) {
        wrong(check, "line %" PRIu64 " stands behind line %" PRIu64, parsed.number,
              check->next - 1);
        return 0;
    }
    meet(check);
    check_seal(check, &parsed, line);
    check_head(check, &parsed);
    note(check, line, size, event);
    if (check->verdict->first == 0)
        check->verdict->first = parsed.number;
    check->next = parsed.number + 1;
    if (strcmp(event, audit_kind_word(AUDIT_AUDITOR)) == 0)
        check->has_key = open_key(check, &check->key, line, size);
    else if (check->has_key)
        evolving_step(&check->key);
    return 0;
}

static int read_present(struct check *check, const char *store)
{
    int folder;
    int error = files_folder(&folder, store, false);
    if (error < 0)
        return error;
    int fd = openat(folder, "key", O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
    close(folder);
    if (fd < 0)
        return errno == ENOENT ? 0 : error_system(errno, "cannot open the key of the audit record");
    check->has_present = present_read(&check->present, fd) == 0;
    close(fd);
    return 0;
}

static void check_end(struct check *check)
{
    uint64_t last = check->next > 0 ? check->next - 1 : 0;
    uint64_t faults = check->verdict->faults;
    meet(check); /* behind the last line */
    if (!check->has_present)
        wrong(check, "the present key is gone: nobody can say whether lines were cut off at the "
                     "end");
    else if (check->present.number > check->next)
        wrong(check,
              "lines %" PRIu64 " to %" PRIu64 " were cut off at the end: the present key is that "
              "of the next one",
              last + 1, check->present.number - 1);
    else if (!check->has_met || !check->is_met_good)
        wrong(check,
              "the present key is not that of line %" PRIu64 ": the end of the record was "
              "changed",
              check->present.number);
    check->verdict->is_whole = check->verdict->faults == faults;
    if (check->head != NULL && check->head->number != 0 && !check->has_head)
        wrong(check, "line %" PRIu64 ", which was there before, is not", check->head->number);
    check->verdict->last = last;
    hex_write(check->verdict->chain, check->chain, BLAKE_SIZE);
}

int audit_record_check(const char *store, const struct identity *identity,
                       const struct audit_head *head, struct audit_verdict *out,
                       void (*fault)(void *arg, const char *text), void *arg)
{
    struct audit_verdict verdict = {.first = 0};
    struct check check = {
        .identity = identity, .head = head, .verdict = &verdict, .fault = fault, .arg = arg};
    /* the key first: lines that are written meanwhile are behind it */
    int error = crypto_setup();
    if (error == 0)
        error = read_present(&check, store);
    if (error == 0)
        error = audit_record_read(store, check_line, &check);
    if (error == 0)
        check_end(&check);
    evolving_wipe(&check.key);
    present_wipe(&check.present);
    if (error < 0)
        return error;
    if (identity != NULL && !check.has_opened)
        return error_set(ERR_NO_KEY, "the audit record is sealed for %s, not for this identity",
                         verdict.auditor[0] != '\0' ? verdict.auditor : "nobody that it names");
    *out = verdict;
    return 0;
}
