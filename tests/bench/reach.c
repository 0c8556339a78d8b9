/*
 * How soon a change has reached many files: reads all that a list names, one after the other, again
 * and again, until every one of them has something else than it had at the beginning. Prints one
 * JSON object of moments in nanoseconds of CLOCK_MONOTONIC, which whoever makes the change has too.
 *
 *   reach FILE-OF-PATHS      says "ready" when it has read them all once
 *
 * first_new: when the first read that gave something new came back; last_old: when the last read
 * that gave something old began (0: there was none after the first new one); all_new: how long the
 * last round took, in which all were new.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define PATHS_MAX 100000u
#define VALUE_MAX 512u

struct file {
    char *path;
    char was[VALUE_MAX];
    ssize_t size;
};

static struct file files[PATHS_MAX];

static void die(const char *what, const char *subject)
{
    fprintf(stderr, "reach: %s '%s': %s\n", what, subject, strerror(errno));
    exit(1);
}

static uint64_t now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static ssize_t read_once(const char *path, char out[static VALUE_MAX])
{
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        die("cannot open", path);
    ssize_t size = read(fd, out, VALUE_MAX);
    if (size < 0)
        die("cannot read", path);
    close(fd);
    return size;
}

static size_t begin(const char *list)
{
    FILE *stream = fopen(list, "re");
    char *line = NULL;
    size_t capacity = 0, count = 0;
    if (stream == NULL)
        die("cannot open", list);
    for (ssize_t length; (length = getline(&line, &capacity, stream)) > 0 && count < PATHS_MAX;) {
        line[strcspn(line, "\n")] = '\0';
        files[count].path = strdup(line);
        if (files[count].path == NULL)
            die("no memory for", line);
        files[count].size = read_once(line, files[count].was);
        count++;
    }
    free(line);
    fclose(stream);
    return count;
}

static bool is_old(struct file *file)
{
    char is[VALUE_MAX];
    ssize_t size = read_once(file->path, is);
    return size == file->size && memcmp(is, file->was, (size_t)size) == 0;
}

int main(int argc, char **argv)
{
    uint64_t first_new = 0, last_old = 0, reads = 0;
    if (argc != 2) {
        fprintf(stderr, "usage: reach FILE-OF-PATHS\n");
        return 2;
    }
    size_t count = begin(argv[1]);
    puts("ready");
    fflush(stdout);
    for (;;) {
        uint64_t round = now();
        size_t old = 0;
        for (size_t i = 0; i < count; i++, reads++) {
            uint64_t started = now();
            if (is_old(&files[i])) {
                old++;
                last_old = started;
            } else if (first_new == 0) {
                first_new = now();
            }
        }
        if (old > 0)
            continue;
        printf("{\"files\":%zu,\"reads\":%llu,\"first_new\":%llu,\"last_old\":%llu,\"all_new\":%"
               "llu}\n",
               count, (unsigned long long)reads, (unsigned long long)first_new,
               (unsigned long long)last_old, (unsigned long long)(now() - round));
        return 0;
    }
}
