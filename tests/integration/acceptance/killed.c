/*
 * kill -9 of the server, again and again, under four readers and somebody who commits: no error, no
 * hang, no wrong or old byte, no failed commit. The next kill comes when every reader has read
 * again since the last one (and now and then when there has been a commit, now and then at once).
 *
 *   killed DIRECTORY VALUE-FILE KILLS SEED
 *
 * DIRECTORY is the mounted prod/web; it has KEY1 to KEY20 with "value-N", and this makes COUNTER
 * (plain, ten digits, always of one length, so that it may be mapped) and TOKEN (secret, the same
 * digits and then as many 'x' as they say). VALUE-FILE is written for the command to read TOKEN
 * from.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define READERS 4
#define KEYS 20
#define NAMES (KEYS + 3) /* and COUNTER, TOKEN, PASSWORD */
#define DIGITS 10
#define TAIL_MAX 5000u
#define PATIENCE 60 /* seconds without a move: it hangs */

enum way { OPENED, HELD, MAPPED, LISTED, LOOKED_FOR, WAYS };
static const char *const way_names[WAYS] = {"open+read+close", "pread on a held descriptor", "mmap",
                                            "readdir", "stat, also of what is missing"};

struct shared {
    _Atomic uint64_t moves[READERS], commits, longest[WAYS], longest_commit, faults;
    _Atomic uint64_t acknowledged; /* the last counter whose commit was answered */
};
static struct shared *shared;
static const char *directory, *value_file;
static uint64_t seed;

__attribute__((format(printf, 1, 2))) static void fault(const char *format, ...)
{
    va_list arguments;
    char text[256];
    int error = errno;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    if (atomic_fetch_add(&shared->faults, 1) < 20)
        fprintf(stderr, "killed: %s (%s)\n", text, strerror(error));
}

static uint64_t now(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (uint64_t)time.tv_sec * 1000000u + (uint64_t)time.tv_nsec / 1000;
}

static void raise_to(_Atomic uint64_t *most, uint64_t value)
{
    uint64_t before = atomic_load(most);
    while (before < value && !atomic_compare_exchange_weak(most, &before, value))
        ;
}

static unsigned chance(unsigned count)
{
    seed ^= seed << 13;
    seed ^= seed >> 7;
    seed ^= seed << 17;
    return (unsigned)(seed % count);
}

static const char *place(const char *name)
{
    static char path[4096];
    snprintf(path, sizeof path, "%s/%s", directory, name);
    return path;
}

/* The number that ten digits say; -1: they are none. */
static int64_t number_of(const char *text)
{
    int64_t number = 0;
    for (unsigned i = 0; i < DIGITS; i++) {
        if (!isdigit((unsigned char)text[i]))
            return -1;
        number = number * 10 + (text[i] - '0');
    }
    return number;
}

static void check_counter(const char *how, const char *text, uint64_t least)
{
    int64_t number = number_of(text);
    if (number < 0 || (uint64_t)number < least)
        fault("%s of COUNTER: '%.10s', and %llu was acknowledged", how, text,
              (unsigned long long)least);
}

static ssize_t read_new(const char *name, char *out, size_t size)
{
    int fd = open(place(name), O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        fault("open of %s", name);
        return -1;
    }
    ssize_t n = read(fd, out, size);
    if (n < 0)
        fault("read of %s", name);
    if (close(fd) < 0)
        fault("close of %s", name);
    return n;
}

static void open_any(uint64_t least)
{
    char name[32], expected[32], data[64] = "";
    unsigned key = chance(KEYS + 1);
    if (key == KEYS) {
        if (read_new("COUNTER", data, sizeof data) == DIGITS)
            check_counter("read", data, least);
        else
            fault("read of COUNTER: not its length");
        return;
    }
    snprintf(name, sizeof name, "KEY%u", key + 1);
    snprintf(expected, sizeof expected, "value-%u", key + 1);
    ssize_t n = read_new(name, data, sizeof data);
    if (n != (ssize_t)strlen(expected) || memcmp(data, expected, (size_t)n) != 0)
        fault("read of %s: '%.*s'", name, n < 0 ? 0 : (int)n, data);
}

static void read_held(int held, uint64_t least)
{
    static char data[DIGITS + TAIL_MAX + 100];
    ssize_t n = pread(held, data, sizeof data, 0);
    int64_t number = n < DIGITS ? -1 : number_of(data);
    bool whole = number >= 0 && (uint64_t)n == DIGITS + (uint64_t)number % TAIL_MAX;
    for (ssize_t i = DIGITS; whole && i < n; i++)
        whole = data[i] == 'x';
    if (!whole || (uint64_t)number < least)
        fault("pread of TOKEN: %zd bytes, '%.10s', and %llu was acknowledged", n, n > 0 ? data : "",
              (unsigned long long)least);
}

static void list(void)
{
    DIR *listing = opendir(directory);
    int names = 0;
    errno = 0;
    for (struct dirent *entry; listing != NULL && (entry = readdir(listing)) != NULL;)
        names += entry->d_name[0] != '.';
    if (names != NAMES || errno != 0)
        fault("readdir: %d names", names);
    if (listing != NULL)
        closedir(listing);
}

static void look_for(void)
{
    char name[32];
    struct stat status;
    snprintf(name, sizeof name, "MISSING%u", chance(1000000));
    if (stat(place(name), &status) == 0 || errno != ENOENT)
        fault("stat of %s", name);
    snprintf(name, sizeof name, "KEY%u", chance(KEYS) + 1);
    if (stat(place(name), &status) < 0 || status.st_size != (off_t)strlen(name) - 3 + 6)
        fault("stat of %s", name);
}

static void reader(unsigned number)
{
    char copy[DIGITS];
    int held = open(place("TOKEN"), O_RDONLY), counter = open(place("COUNTER"), O_RDONLY);
    const volatile char *map = mmap(NULL, DIGITS, PROT_READ, MAP_PRIVATE, counter, 0);
    if (held < 0 || map == MAP_FAILED)
        fault("cannot begin to read");
    for (;;) {
        uint64_t least = atomic_load(&shared->acknowledged), begun = now();
        enum way way = chance(WAYS);
        switch (way) {
        case OPENED:
            open_any(least);
            break;
        case HELD:
            read_held(held, least);
            break;
        case MAPPED:
            for (unsigned i = 0; i < DIGITS; i++)
                copy[i] = map[i];
            /* digits of two numbers may be mixed, as one is put in the other's place meanwhile */
            if (number_of(copy) < 0)
                fault("mmap of COUNTER: '%.10s'", copy);
            break;
        case LISTED:
            list();
            break;
        default:
            look_for();
        }
        raise_to(&shared->longest[way], now() - begun);
        atomic_fetch_add(&shared->moves[number], 1);
    }
}

/* A commit of both, by the command, as anybody makes one. */
static void commit(uint64_t number)
{
    char counter[40], token[4200], digits[16];
    snprintf(digits, sizeof digits, "%010llu", (unsigned long long)number);
    snprintf(counter, sizeof counter, "COUNTER=%s", digits);
    snprintf(token, sizeof token, "TOKEN=%s", value_file);
    FILE *file = fopen(value_file, "w");
    if (file == NULL) {
        fault("cannot write the value");
        return;
    }
    fputs(digits, file);
    for (unsigned i = 0; i < number % TAIL_MAX; i++)
        fputc('x', file);
    fclose(file);
    char name[] = "emsa", verb[] = "set", where[] = "prod/web", option[] = "--secret-file";
    char *arguments[] = {name, verb, where, counter, option, token, NULL};
    pid_t pid;
    int status = -1;
    uint64_t begun = now();
    if (posix_spawnp(&pid, name, NULL, NULL, arguments, environ) != 0 ||
        waitpid(pid, &status, 0) != pid || status != 0)
        fault("a commit ended with status %#x", (unsigned)status);
    raise_to(&shared->longest_commit, now() - begun);
    atomic_store(&shared->acknowledged, number);
    atomic_fetch_add(&shared->commits, 1);
}

static void writer(void)
{
    int nothing = open("/dev/null", O_WRONLY);
    dup2(nothing, STDOUT_FILENO);
    for (uint64_t number = 2;; number++)
        commit(number);
}

static pid_t start(void (*function)(unsigned), unsigned number)
{
    pid_t parent = getpid(), pid = fork();
    if (pid != 0)
        return pid;
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    seed += 1000 * (number + 1);
    if (getppid() == parent)
        function(number);
    _exit(1);
}

static void write_on(unsigned number)
{
    (void)number;
    writer();
}

/* Whether this process is a server that lives. */
static bool is_server(const char *pid)
{
    char path[300], text[128] = "";
    snprintf(path, sizeof path, "/proc/%s/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t n = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
    if (fd >= 0)
        close(fd);
    return n > 0 && strstr(text, "(emsad-server) ") != NULL &&
           strstr(text, "(emsad-server) Z") == NULL;
}

static pid_t find_server(void)
{
    DIR *processes = opendir("/proc");
    pid_t found = 0;
    for (struct dirent *entry; processes != NULL && (entry = readdir(processes)) != NULL;)
        if (isdigit((unsigned char)entry->d_name[0]) && is_server(entry->d_name))
            found = (pid_t)strtol(entry->d_name, NULL, 10);
    if (processes != NULL)
        closedir(processes);
    return found;
}

/* Until everybody has moved twice since: so at least one turn began after. */
static bool all_move(bool commits_too)
{
    uint64_t marks[READERS], commits = atomic_load(&shared->commits), begun = now();
    for (unsigned i = 0; i < READERS; i++)
        marks[i] = atomic_load(&shared->moves[i]);
    for (unsigned i = 0; i < READERS;) {
        if (atomic_load(&shared->moves[i]) >= marks[i] + 2 &&
            (!commits_too || atomic_load(&shared->commits) > commits)) {
            i++;
        } else if (now() - begun > PATIENCE * 1000000ull) {
            fault("reader %u hangs, or the one who commits", i);
            return false;
        } else {
            sched_yield();
        }
    }
    return true;
}

static bool kill_one(void)
{
    uint64_t begun = now();
    pid_t pid;
    while ((pid = find_server()) == 0) {
        if (now() - begun > PATIENCE * 1000000ull) {
            fault("there is no server");
            return false;
        }
        sched_yield();
    }
    return kill(pid, SIGKILL) == 0;
}

static void report(unsigned kills, uint64_t begun)
{
    uint64_t reads = 0;
    for (unsigned i = 0; i < READERS; i++)
        reads += atomic_load(&shared->moves[i]);
    printf("%u kills in %.1f s, %llu reads, %llu commits, %llu faults\n", kills,
           (double)(now() - begun) / 1e6, (unsigned long long)reads,
           (unsigned long long)atomic_load(&shared->commits),
           (unsigned long long)atomic_load(&shared->faults));
    for (unsigned i = 0; i < WAYS; i++)
        printf("longest %s: %.1f ms\n", way_names[i],
               (double)atomic_load(&shared->longest[i]) / 1000);
    printf("longest commit, with the command: %.1f ms\n",
           (double)atomic_load(&shared->longest_commit) / 1000);
}

int main(int argc, char *argv[])
{
    if (argc != 5)
        return 2;
    directory = argv[1];
    value_file = argv[2];
    unsigned kills = (unsigned)strtoul(argv[3], NULL, 10), done = 0;
    seed = strtoull(argv[4], NULL, 10) | 1;
    shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (shared == MAP_FAILED)
        return 1;
    commit(1);
    pid_t children[READERS + 1];
    for (unsigned i = 0; i < READERS; i++)
        children[i] = start(reader, i);
    children[READERS] = start(write_on, READERS);
    uint64_t begun = now();
    while (done < kills && all_move(chance(16) == 0)) {
        done += kill_one();
        if (chance(50) == 0) /* while it is born */
            done += kill_one();
    }
    all_move(true);
    for (unsigned i = 0; i <= READERS; i++) {
        kill(children[i], SIGKILL);
        waitpid(children[i], NULL, 0);
    }
    report(done, begun);
    return done < kills || atomic_load(&shared->faults) != 0;
}
