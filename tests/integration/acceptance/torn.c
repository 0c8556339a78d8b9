/*
 * Readers loop over a service's keys while commits change them: to a value of the same length, a
 * longer or a shorter one, between 3 and 60,000 bytes, and some keys to none, or they are removed
 * and made again. No error, no torn read, and what is read after a commit was answered is that
 * commit's value, by a new open, by a held descriptor and by a held mapping.
 *
 * A value is wholly determined by its first two bytes, a tag of 12 bits: the tag gives the length
 * and every other byte. So each value carries its own checksum, in the strongest form that there
 * is, also one of three bytes.
 *
 *   torn SOCKET DIRECTORY PATH KEYS COMMITS READERS SEED
 *
 * DIRECTORY is the mounted service, PATH its path in the store. Makes the keys K000... itself;
 * every third is a secret, and every fourth may be emptied and removed, the others never.
 */
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#define TAGS 4096u
#define VALUE_LEAST 3u
#define VALUE_MOST 60000u
#define KEYS_MAX 1000u
#define READERS_MAX 16u
#define PAGE 4096u

static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

struct counts { /* in shared memory, one for each reader, and one for the writer */
    volatile uint64_t reads, held_reads, faults, ready;
};

enum change { SAME_LENGTH, LONGER, SHORTER, EMPTIED, REMOVED, CHANGES };
static const char *const change_names[] = {"same length", "longer", "shorter", "emptied",
                                           "removed"};

struct value { /* what a key has */
    unsigned tag;
    bool empty, gone;
};

struct torn {
    const char *directory, *path;
    unsigned keys;
    int socket;
    int held[KEYS_MAX];
    unsigned char *mapped[KEYS_MAX];
    struct value values[KEYS_MAX]; /* the writer's */
    unsigned char *buffer;         /* VALUE_MOST + 1 */
    char *message;                 /* room for one value and the rest of a call */
    struct counts *counts;
    volatile bool *stop;
};

static void die(const char *what, const char *subject)
{
    fprintf(stderr, "torn: %s '%s': %s\n", what, subject, strerror(errno));
    exit(1);
}

static uint32_t mixed(uint32_t x)
{
    x ^= x >> 16;
    x *= 0x7feb352du;
    x ^= x >> 15;
    x *= 0x846ca68bu;
    return x ^ (x >> 16);
}

static size_t length_of(unsigned tag)
{
    uint32_t m = mixed(tag + 1);
    /* A third each of tiny ones, about a page, and anything: lengths whose pages and tails differ.
     */
    size_t most = m % 3 == 0 ? 40 : m % 3 == 1 ? 5000 : VALUE_MOST;
    return VALUE_LEAST + mixed(m) % (most - VALUE_LEAST + 1);
}

static unsigned char byte_of(unsigned tag, size_t at)
{
    if (at == 0)
        return (unsigned char)letters[tag >> 6];
    if (at == 1)
        return (unsigned char)letters[tag & 63];
    return (unsigned char)letters[mixed(tag * 65536u + (uint32_t)at) & 63];
}

/* The tag that begins the bytes, or -1. */
static int tag_in(const unsigned char *bytes, size_t size)
{
    if (size < VALUE_LEAST || !bytes[0] || !bytes[1])
        return -1;
    const char *high = strchr(letters, bytes[0]), *low = strchr(letters, bytes[1]);
    return high && low ? (int)((high - letters) * 64 + (low - letters)) : -1;
}

/* Whether the first size bytes are those of the tag's value. */
static bool agrees(unsigned tag, const unsigned char *bytes, size_t size)
{
    for (size_t i = 0; i < size; i++) {
        if (bytes[i] != byte_of(tag, i))
            return false;
    }
    return true;
}

static bool is_secret(unsigned key)
{
    return key % 3 == 2;
}

/* May be emptied and removed. Of the others, no bytes and no file are faults. */
static bool is_loose(unsigned key)
{
    return key % 4 == 3;
}

static void file_name(const struct torn *t, unsigned key, char out[static 4200])
{
    snprintf(out, 4200, "%s/K%03u", t->directory, key);
}

static bool whole(struct counts *c, const unsigned char *bytes, ssize_t got, const char *how,
                  unsigned key)
{
    int tag = got < 0 ? -1 : tag_in(bytes, (size_t)got);
    if (is_loose(key) && (got == 0 || (got < 0 && errno == ENOENT)))
        return true;
    if (got >= 0 && tag >= 0 && (size_t)got == length_of((unsigned)tag) &&
        agrees((unsigned)tag, bytes, (size_t)got))
        return true;
    c->faults++;
    if (got < 0)
        fprintf(stderr, "torn: %s of K%03u: %s\n", how, key, strerror(errno));
    else
        fprintf(stderr, "torn: %s of K%03u: %zd bytes with tag %d, whose value has %zu\n", how, key,
                got, tag, tag < 0 ? 0 : length_of((unsigned)tag));
    return false;
}

static ssize_t read_newly(struct torn *t, unsigned key)
{
    char name[4200];
    file_name(t, key, name);
    int fd = open(name, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -1;
    ssize_t got = read(fd, t->buffer, VALUE_MOST + 1);
    close(fd);
    return got;
}

static void open_held(struct torn *t)
{
    char name[4200];
    for (unsigned i = 0; i < t->keys; i++) {
        file_name(t, i, name);
        t->held[i] = open(name, O_RDONLY | O_CLOEXEC);
        if (t->held[i] < 0)
            die("cannot open", name);
    }
}

static _Noreturn void reader(struct torn *t, struct counts *c, uint32_t seed)
{
    open_held(t);
    c->ready = 1;
    while (!*t->stop) {
        seed = mixed(seed + 1);
        unsigned key = seed % t->keys;
        whole(c, t->buffer, read_newly(t, key), "open and read", key);
        c->reads++;
        key = (seed >> 12) % t->keys;
        whole(c, t->buffer, pread(t->held[key], t->buffer, VALUE_MOST + 1, 0),
              "pread of a held descriptor", key);
        c->held_reads++;
    }
    _exit(0);
}

static void connect_to(struct torn *t, const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (strlen(path) >= sizeof address.sun_path)
        die("name too long", path);
    memcpy(address.sun_path, path, strlen(path));
    t->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (t->socket < 0 || connect(t->socket, (struct sockaddr *)&address, sizeof address))
        die("cannot connect to", path);
}

/* Sends size bytes of the message, the last of which is NUL, with a descriptor beside them. */
static void send_call(struct torn *t, size_t size, int fd)
{
    struct iovec part = {.iov_base = t->message, .iov_len = size};
    union {
        struct cmsghdr header;
        char room[CMSG_SPACE(sizeof(int))];
    } control = {0};
    struct msghdr m = {.msg_iov = &part,
                       .msg_iovlen = 1,
                       .msg_control = control.room,
                       .msg_controllen = sizeof control.room};
    control.header.cmsg_level = SOL_SOCKET;
    control.header.cmsg_type = SCM_RIGHTS;
    control.header.cmsg_len = CMSG_LEN(sizeof fd);
    memcpy(CMSG_DATA(&control.header), &fd, sizeof fd);
    if (sendmsg(t->socket, &m, MSG_NOSIGNAL) != (ssize_t)size)
        die("cannot send", "a call");
}

static void hear_answer(struct torn *t)
{
    size_t have = 0;
    do {
        ssize_t got = recv(t->socket, t->message + have, VALUE_MOST - have, 0);
        if (got <= 0)
            die("no answer to", "a call");
        have += (size_t)got;
    } while (t->message[have - 1] != 0);
    if (strstr(t->message, "\"error\"")) {
        fprintf(stderr, "torn: refused: %s\n", t->message);
        exit(1);
    }
}

static void commit_value(struct torn *t, unsigned key)
{
    const struct value *value = &t->values[key];
    size_t size = value->empty ? 0 : length_of(value->tag);
    for (size_t i = 0; i < size; i++)
        t->buffer[i] = byte_of(value->tag, i);
    int ends[2]; /* a pipe holds 64 KiB: a whole value */
    if (pipe2(ends, O_CLOEXEC) || write(ends[1], t->buffer, size) != (ssize_t)size)
        die("cannot make", "a pipe");
    close(ends[1]);
    int length = snprintf(
        t->message, VALUE_MOST,
        "{\"method\":\"io.emsa.Set\",\"parameters\":{\"operations\":[{\"path\":\"%s/K%03u\","
        "\"kind\":\"%s\",\"size\":%zu}],\"values\":0,\"reason\":\"torn\",\"allow_equal\":true}}",
        t->path, key, is_secret(key) ? "secret" : "plain", size);
    send_call(t, (size_t)length + 1, ends[0]);
    close(ends[0]);
    hear_answer(t);
}

static void commit_removal(struct torn *t, unsigned key)
{
    int length = snprintf(t->message, VALUE_MOST,
                          "{\"method\":\"io.emsa.Remove\",\"parameters\":{\"paths\":[\"%s/K%03u\"],"
                          "\"reason\":\"torn\"}}",
                          t->path, key);
    if (send(t->socket, t->message, (size_t)length + 1, MSG_NOSIGNAL) != length + 1)
        die("cannot send", "a call");
    hear_answer(t);
}

/* Another tag whose value has such a length; any other tag where there is none. */
static unsigned other_tag(unsigned tag, enum change change, uint32_t seed)
{
    size_t length = length_of(tag);
    for (unsigned i = 0; i < TAGS; i++) {
        unsigned other = (seed + i) % TAGS;
        size_t its = length_of(other);
        if (other != tag &&
            ((change == SAME_LENGTH && its == length) || (change == LONGER && its > length) ||
             (change == SHORTER && its < length)))
            return other;
    }
    return (tag + 1) % TAGS;
}

/* One commit. Returns what it was. */
static enum change change_key(struct torn *t, unsigned key, uint32_t seed)
{
    struct value *value = &t->values[key];
    enum change change = seed % (is_loose(key) ? CHANGES : EMPTIED);
    bool back = value->gone || value->empty;
    if (change == REMOVED && !value->gone) {
        value->gone = true;
        commit_removal(t, key);
        return change;
    }
    value->empty = change == EMPTIED && !back;
    value->gone = false;
    if (!value->empty)
        value->tag = other_tag(value->tag, change, seed >> 4);
    commit_value(t, key);
    return change;
}

static void not_new(struct counts *c, unsigned key, const char *how)
{
    c->faults++;
    fprintf(stderr, "torn: %s of K%03u: an old value after the commit was answered\n", how, key);
}

static void is_new(struct torn *t, struct counts *c, unsigned key)
{
    static const char *const hows[] = {"new open", "held descriptor"};
    const struct value *value = &t->values[key];
    ssize_t expected = value->empty ? 0 : (ssize_t)length_of(value->tag);
    for (unsigned how = 0; how < 2; how++) {
        ssize_t got =
            how == 0 ? read_newly(t, key) : pread(t->held[key], t->buffer, VALUE_MOST + 1, 0);
        /* what was removed is there for who had it open */
        ssize_t wanted = how == 0 && value->gone ? -1 : expected;
        if (!whole(c, t->buffer, got, hows[how], key))
            continue;
        if (got != wanted || (got > 0 && tag_in(t->buffer, (size_t)got) != (int)value->tag))
            not_new(c, key, hows[how]);
    }
    /* an empty file has no page, and of a secret the kernel may take the end of the file from
     * before while the page is swept (fs/DESIGN.md) */
    size_t size = length_of(value->tag);
    if (expected > 0 && !is_secret(key) &&
        !agrees(value->tag, t->mapped[key], size < PAGE ? size : PAGE))
        not_new(c, key, "mapping");
}

static void map_held(struct torn *t)
{
    for (unsigned i = 0; i < t->keys; i++) {
        t->mapped[i] = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, t->held[i], 0);
        if (t->mapped[i] == MAP_FAILED)
            die("cannot map", t->directory);
    }
}

static int run(struct torn *t, unsigned commits, unsigned readers, uint32_t seed)
{
    pid_t children[READERS_MAX];
    unsigned counted[CHANGES] = {0};
    struct counts *own = &t->counts[readers];
    for (unsigned i = 0; i < t->keys; i++) {
        t->values[i].tag = mixed(seed + i) % TAGS;
        commit_value(t, i);
    }
    open_held(t);
    map_held(t);
    for (unsigned i = 0; i < readers; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            reader(t, &t->counts[i], seed * 31 + i);
        }
    }
    for (unsigned i = 0; i < readers; i++) {
        /* every key is there until all have it open */
        while (!t->counts[i].ready && waitpid(children[i], NULL, WNOHANG) == 0)
            sched_yield();
    }
    for (unsigned i = 0; i < commits; i++) {
        seed = mixed(seed + 1);
        unsigned key = seed % t->keys;
        counted[change_key(t, key, mixed(seed))]++;
        is_new(t, own, key);
    }
    *t->stop = true;
    uint64_t reads = 0, held = 0, faults = own->faults;
    for (unsigned i = 0; i < readers; i++) {
        int status = 0;
        if (waitpid(children[i], &status, 0) != children[i] || status != 0)
            faults++;
        reads += t->counts[i].reads;
        held += t->counts[i].held_reads;
        faults += t->counts[i].faults;
    }
    for (unsigned i = 0; i < CHANGES; i++)
        printf("%u %s, ", counted[i], change_names[i]);
    printf("%u commits, %llu reads by open, %llu by held descriptors, %llu faults\n", commits,
           (unsigned long long)reads, (unsigned long long)held, (unsigned long long)faults);
    return faults != 0 || reads == 0 || held == 0;
}

static unsigned number(const char *text, unsigned most)
{
    char *end;
    unsigned long n = strtoul(text, &end, 10);
    if (*end || n == 0 || n > most) {
        fprintf(stderr, "torn: not a number from 1 to %u: '%s'\n", most, text);
        exit(2);
    }
    return (unsigned)n;
}

int main(int argc, char **argv)
{
    if (argc != 8) {
        fprintf(stderr, "usage: torn SOCKET DIRECTORY PATH KEYS COMMITS READERS SEED\n");
        return 2;
    }
    struct torn t = {.directory = argv[2], .path = argv[3]};
    t.keys = number(argv[4], KEYS_MAX);
    unsigned readers = number(argv[6], READERS_MAX);
    size_t size = sizeof(struct counts) * (readers + 1) + sizeof *t.stop;
    t.counts = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    t.buffer = malloc(VALUE_MOST + 1);
    t.message = malloc(VALUE_MOST + 1);
    if (t.counts == MAP_FAILED || !t.buffer || !t.message)
        die("no memory for", "a test");
    t.stop = (volatile bool *)(t.counts + readers + 1);
    connect_to(&t, argv[1]);
    int code = run(&t, number(argv[5], 1000000), readers, number(argv[7], UINT32_MAX));
    free(t.buffer);
    free(t.message);
    return code;
}
