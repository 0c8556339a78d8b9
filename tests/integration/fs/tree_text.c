#include "tests/integration/fs/tree_text.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "store/limits.h"
#include "tests/support/store/trial.h"

#define SECOND 1000000000
#define LINE_MAX_SIZE 1024u

/* --- what it must be --- */

static void __attribute__((format(printf, 2, 3)))
add(struct tree_text *out, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    const int size =
        vsnprintf(out->lines + out->size, sizeof out->lines - out->size, format, arguments);
    va_end(arguments);
    MUST(size > 0 && out->size + (size_t)size < sizeof out->lines, "the tree is too large");
    out->size += (size_t)size;
}

static const char *kind_word(enum naive_kind kind)
{
    static const char *const words[] = {[NAIVE_PLAIN] = "plain",
                                        [NAIVE_SECRET] = "secret",
                                        [NAIVE_LINK] = "link",
                                        [NAIVE_TEMPLATE] = "template"};
    return words[kind];
}

static const char *origin_word(enum naive_kind record)
{
    switch (record) {
    case NAIVE_AS_IN_BASE:
        return "base";
    case NAIVE_AS_IN_ALL:
        return "all";
    case NAIVE_DEFAULT:
    case NAIVE_DEFAULT_OF_BASE:
    case NAIVE_DEFAULT_OF_ALL:
        return "schema";
    default:
        return "own";
    }
}

static void add_key(struct tree_text *out, const struct naive_environment *in,
                    const struct naive_spot *at, const int64_t times[])
{
    const struct naive_seen *seen = &in->seen[at->service][at->key];
    char path[96];
    out->is_partial |= seen->is_large;
    if (!seen->kind)
        return;
    add(out, "%s %" PRId64 " rev %" PRIu64 " %s %s%s %" PRIu64 " bytes %" PRIx64 "\tK%u.%d.%d\n",
        naive_path(path, at), times[seen->rev], seen->rev, kind_word(seen->kind),
        origin_word(seen->record), seen->expires ? " ends" : "", seen->size, seen->hash, in->life,
        at->service, at->key);
}

void tree_text_of(struct tree_text *out, const struct naive *state, const int64_t times[])
{
    out->size = 0;
    out->is_partial = false;
    for (int e = 0; e < (int)NAIVE_ENVIRONMENTS; e++) {
        const struct naive_environment *in = &state->environments[e];
        if (!in->alive)
            continue;
        add(out, "%s %" PRId64 " rev %" PRIu64 " environment\tE%u\n", naive_environments[e],
            times[in->listed_rev], in->changed_rev, in->life);
        for (int s = 0; s < (int)NAIVE_SERVICES; s++) {
            const struct naive_place *place = &in->places[s];
            if (!place->present)
                continue;
            add(out, "%s/%s %" PRId64 " rev %" PRIu64 " service\tS%u.%d.%u\n",
                naive_environments[e], naive_services[s], times[place->listed_rev],
                place->changed_rev, in->life, s, place->incarnation);
            for (int k = 0; k < (int)NAIVE_KEYS; k++)
                add_key(out, in, &(struct naive_spot){e, s, k}, times);
        }
    }
}

/* --- what it is --- */

struct reading {
    const struct tree_text *text;
    const char *next; /* the line that is to come */
    const char *folder;
    struct tree_inodes *inodes;
    uint64_t numbers[1024]; /* in this tree */
    size_t number_count;
};

static bool differs(const struct reading *reading, const char *is)
{
    const char *end = reading->text->lines + reading->text->size;
    const char *tab = reading->next < end ? strchr(reading->next, '\t') : reading->next;
    fprintf(stderr, "the tree is otherwise than the model: '%s', not '%.*s'\n", is,
            (int)(tab - reading->next), reading->next);
    return false;
}

/* The number that somebody had, or has from now on. */
static uint64_t number_of(struct tree_inodes *inodes, uint64_t who, uint64_t number)
{
    for (size_t at = inodes->capacity ? who % inodes->capacity : 0; inodes->capacity;
         at = (at + 1) % inodes->capacity) {
        if (inodes->rows[at].who == who)
            return inodes->rows[at].number;
        if (!inodes->rows[at].who)
            break;
    }
    if (inodes->count * 2 >= inodes->capacity) {
        const struct tree_inodes before = *inodes;
        inodes->capacity = before.capacity ? before.capacity * 2 : 4096;
        inodes->rows = calloc(inodes->capacity, sizeof inodes->rows[0]);
        inodes->count = 0;
        MUST(inodes->rows, "no memory");
        for (size_t i = 0; i < before.capacity; i++)
            if (before.rows[i].who)
                number_of(inodes, before.rows[i].who, before.rows[i].number);
        free(before.rows);
    }
    size_t at = who % inodes->capacity;
    while (inodes->rows[at].who)
        at = (at + 1) % inodes->capacity;
    inodes->rows[at] = (struct tree_inode){who, number};
    inodes->count++;
    return number;
}

static bool check_number(struct reading *reading, const char *is, const char *who, size_t size,
                         uint64_t number)
{
    const uint64_t had = number_of(reading->inodes, naive_hash(who, size) | 1, number);
    if (had != number) {
        fprintf(stderr, "'%s' has inode %" PRIu64 ", it had %" PRIu64 "\n", is, number, had);
        return false;
    }
    for (size_t i = 0; i < reading->number_count; i++)
        if (reading->numbers[i] == number) {
            fprintf(stderr, "'%s' has the inode of another one\n", is);
            return false;
        }
    MUST(reading->number_count < sizeof reading->numbers / sizeof reading->numbers[0], "too many");
    reading->numbers[reading->number_count++] = number;
    return true;
}

/* The next line against what was found. */
static bool check_line(struct reading *reading, const char *is, const struct stat *st)
{
    const char *end = reading->text->lines + reading->text->size;
    if (reading->next >= end)
        return differs(reading, is);
    const char *tab = strchr(reading->next, '\t'), *line_end = strchr(tab, '\n');
    const size_t size = (size_t)(tab - reading->next);
    if (strlen(is) != size || memcmp(is, reading->next, size) != 0)
        return differs(reading, is);
    reading->next = line_end + 1;
    return check_number(reading, is, tab + 1, (size_t)(line_end - tab - 1), st->st_ino);
}

static const char *attribute(int fd, char out[static 64], const char *name)
{
    const ssize_t size = fgetxattr(fd, name, out, 63);
    out[size > 0 ? size : 0] = '\0';
    return out;
}

/* Whole, from the start, by one open. */
static bool read_file(int fd, const char *path, const struct stat *st, uint64_t *hash)
{
    static unsigned char bytes[VALUE_MAX + 1];
    size_t size = 0;
    ssize_t got;
    while ((got = read(fd, bytes + size, sizeof bytes - size)) > 0)
        size += (size_t)got;
    *hash = naive_hash(bytes, size);
    if (!got && size == (size_t)st->st_size)
        return true;
    fprintf(stderr, "'%s' has %zu bytes, and says %lld (%s)\n", path, size, (long long)st->st_size,
            got < 0 ? strerror(errno) : "no error");
    return false;
}

static int64_t time_of(const struct stat *st)
{
    return st->st_mtim.tv_sec * (int64_t)SECOND + st->st_mtim.tv_nsec;
}

static bool check_file(struct reading *reading, int fd, const char *path, const struct stat *st)
{
    char line[LINE_MAX_SIZE], rev[64], kind[64], origin[64], expires[64];
    uint64_t hash;
    if (!read_file(fd, path, st, &hash))
        return false;
    snprintf(line, sizeof line, "%s %" PRId64 " rev %s %s %s%s %lld bytes %" PRIx64, path,
             time_of(st), attribute(fd, rev, "user.emsa.rev"),
             attribute(fd, kind, "user.emsa.kind"), attribute(fd, origin, "user.emsa.origin"),
             attribute(fd, expires, "user.emsa.expires")[0] ? " ends" : "", (long long)st->st_size,
             hash);
    return check_line(reading, line, st);
}

static bool check_directory(struct reading *reading, int fd, const char *path,
                            const struct stat *st)
{
    char line[LINE_MAX_SIZE], rev[64], kind[64];
    if (!path[0])
        return true; /* the root has no line */
    snprintf(line, sizeof line, "%s %" PRId64 " rev %s %s", path, time_of(st),
             attribute(fd, rev, "user.emsa.rev"), attribute(fd, kind, "user.emsa.kind"));
    return check_line(reading, line, st);
}

static int by_name(const struct dirent **a, const struct dirent **b)
{
    return strcmp((*a)->d_name, (*b)->d_name);
}

static int is_no_dot(const struct dirent *entry)
{
    return strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0;
}

static bool check_all(struct reading *reading, const char *path);

static bool check_names(struct reading *reading, const char *path)
{
    char whole[PATH_MAX];
    struct dirent **names;
    snprintf(whole, sizeof whole, "%s/%s", reading->folder, path);
    const int count = scandir(whole, &names, is_no_dot, by_name);
    bool well = count >= 0;
    if (!well)
        fprintf(stderr, "'%s' cannot be listed: %s\n", path, strerror(errno));
    for (int i = 0; i < count; i++) {
        char below[PATH_MAX];
        snprintf(below, sizeof below, "%s%s%s", path, path[0] ? "/" : "", names[i]->d_name);
        well = well && check_all(reading, below);
        free(names[i]);
    }
    if (count >= 0)
        free(names);
    return well;
}

static bool check_all(struct reading *reading, const char *path)
{
    char whole[PATH_MAX];
    struct stat st;
    snprintf(whole, sizeof whole, "%s/%s", reading->folder, path);
    const int fd = open(whole, O_RDONLY | O_CLOEXEC);
    if (fd < 0 || fstat(fd, &st) < 0) {
        fprintf(stderr, "'%s' is listed and cannot be opened: %s\n", path, strerror(errno));
        return false;
    }
    const bool is_directory = S_ISDIR(st.st_mode);
    const bool well =
        is_directory ? check_directory(reading, fd, path, &st) : check_file(reading, fd, path, &st);
    close(fd);
    return well && (!is_directory || check_names(reading, path));
}

bool tree_text_is(const struct tree_text *text, const char *folder, struct tree_inodes *inodes)
{
    static struct reading reading;
    reading =
        (struct reading){.text = text, .next = text->lines, .folder = folder, .inodes = inodes};
    if (!check_all(&reading, ""))
        return false;
    return reading.next == text->lines + text->size ? true : differs(&reading, "nothing");
}
