/*
 * How long a change takes to be seen from another mount namespace: a child makes one of its own,
 * binds the service's folder to a place in it, and either reads the file again and again (with 50
 * us between, so that it leaves the cores to those who make the change), or waits for inotify's
 * word. The parent commits by varlink, one key a commit, and goes on when the child has seen the
 * value. Times are from the moment the call was sent. It decides nothing.
 *
 *   changes value|event SOCKET PATH FOLDER PLACE N
 *
 * PATH is environment/service/key, FOLDER the mounted folder of the service, PLACE an empty one.
 * Prints one JSON object: acknowledged, seen (p50, p99, max in nanoseconds), and how many were
 * missed: not seen within a second. event: the first word that comes when the new value can be
 * read.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define CHANGES_MAX 100000u
#define SECOND 1000000000u

struct shared {
    int told;              /* a pipe's end: a byte for each number */
    _Atomic uint32_t seen; /* the newest number that the child has read */
    _Atomic uint64_t at[CHANGES_MAX + 1];
};

static void die(const char *what)
{
    fprintf(stderr, "changes: %s: %s\n", what, strerror(errno));
    exit(1);
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * SECOND + (uint64_t)t.tv_nsec;
}

static uint32_t read_number(const char *file)
{
    char text[64];
    int fd = open(file, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die(file);
    ssize_t size = read(fd, text, sizeof(text) - 1);
    close(fd);
    if (size < 0)
        die(file);
    text[size] = 0;
    return (uint32_t)strtoul(text, NULL, 10);
}

static void note(struct shared *shared, uint32_t number)
{
    if (number <= shared->seen || number > CHANGES_MAX)
        return;
    shared->at[number] = now();
    shared->seen = number;
    if (write(shared->told, "", 1) != 1)
        die("cannot tell");
}

static void look(struct shared *shared, const char *file)
{
    const struct timespec pause = {.tv_nsec = 50000};
    for (;;) {
        note(shared, read_number(file));
        ppoll(NULL, 0, &pause, NULL);
    }
}

static void listen_for(struct shared *shared, const char *file, int ready)
{
    char events[4096];
    int fd = inotify_init1(IN_CLOEXEC);
    if (fd < 0 || inotify_add_watch(fd, file, IN_MODIFY | IN_CLOSE_WRITE) < 0)
        die("inotify");
    close(ready);
    while (read(fd, events, sizeof(events)) > 0)
        note(shared, read_number(file));
}

/* In the child: a namespace and a bind mount of its own. */
static void watch(struct shared *shared, const char *how, char *words[], int ready)
{
    const char *key = strrchr(words[0], '/');
    char file[4096];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (unshare(CLONE_NEWNS) || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
        mount(words[1], words[2], NULL, MS_BIND, NULL))
        die("cannot make a namespace");
    snprintf(file, sizeof(file), "%s%s", words[2], key ? key : "");
    if (strcmp(how, "event") == 0)
        listen_for(shared, file, ready);
    close(ready);
    look(shared, file);
}

static int connect_to(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
    if (fd < 0 || connect(fd, (struct sockaddr *)&address, sizeof(address)))
        die(path);
    return fd;
}

static void set(int socket, const char *path, uint32_t number)
{
    char text[1024], answer[4096];
    int size = snprintf(text, sizeof(text),
                        "{\"method\":\"io.emsa.Set\",\"parameters\":{\"operations\":[{\"path\":"
                        "\"%s\",\"kind\":\"plain\",\"value\":\"%08u\"}],\"reason\":\"bench\"}}",
                        path, number);
    if (send(socket, text, (size_t)size + 1, MSG_NOSIGNAL) != size + 1)
        die("cannot send");
    ssize_t got, have = 0;
    do {
        got = recv(socket, answer + have, sizeof(answer) - (size_t)have - 1, 0);
        if (got <= 0)
            die("no answer");
        have += got;
    } while (answer[have - 1] != 0 && have < (ssize_t)sizeof(answer) - 1);
    if (strstr(answer, "\"error\"")) {
        fprintf(stderr, "changes: refused: %s\n", answer);
        exit(1);
    }
}

static int by_size(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

static void print(const char *name, uint64_t *times, size_t n)
{
    qsort(times, n, sizeof(*times), by_size);
    printf("\"%s\":{\"p50\":%llu,\"p99\":%llu,\"max\":%llu}", name,
           (unsigned long long)(n ? times[n / 2] : 0),
           (unsigned long long)(n ? times[n * 99 / 100] : 0),
           (unsigned long long)(n ? times[n - 1] : 0));
}

/* False: a second went by. */
static bool wait_for(struct shared *shared, int told, uint32_t number)
{
    struct pollfd fd = {.fd = told, .events = POLLIN};
    char byte;
    while (shared->seen < number)
        if (poll(&fd, 1, 1000) <= 0 || read(told, &byte, 1) != 1)
            return false;
    return true;
}

static void run(struct shared *shared, int told, int socket, const char *path, uint32_t count)
{
    uint64_t *acknowledged = calloc(count, sizeof(*acknowledged));
    uint64_t *seen = calloc(count, sizeof(*seen));
    size_t n = 0;
    uint32_t missed = 0;
    if (!acknowledged || !seen)
        die("memory");
    for (uint32_t i = 0; i < count && missed < 5; i++) {
        uint32_t number = i + 1;
        uint64_t start = now();
        set(socket, path, number);
        acknowledged[i] = now() - start;
        if (wait_for(shared, told, number))
            seen[n++] = shared->at[number] - start;
        else
            missed++;
    }
    printf("{\"missed\":%u,", missed);
    print("acknowledged", acknowledged, n);
    printf(",");
    print("seen", seen, n);
    printf("}\n");
    free(acknowledged);
    free(seen);
}

int main(int count, char **words)
{
    uint32_t changes = count == 7 ? (uint32_t)strtoul(words[6], NULL, 10) : 0;
    int ready[2], told[2];
    char byte;
    if (changes == 0 || changes > CHANGES_MAX) {
        fprintf(stderr, "usage: changes value|event SOCKET PATH FOLDER PLACE N\n");
        return 2;
    }
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int socket = connect_to(words[2]);
    set(socket, words[3], 0);
    if (shared == MAP_FAILED || pipe2(ready, O_CLOEXEC) || pipe2(told, O_CLOEXEC))
        die("cannot begin");
    shared->told = told[1];
    pid_t child = fork();
    if (child < 0)
        die("cannot fork");
    if (child == 0) {
        close(ready[0]);
        watch(shared, words[1], words + 3, ready[1]);
        _exit(1);
    }
    close(ready[1]);
    if (read(ready[0], &byte, 1) == 0 && waitpid(child, NULL, WNOHANG) == 0)
        run(shared, told[0], socket, words[3], changes);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    return 0;
}
