#include "escape.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define PATIENCE 150u /* seconds that one attempt may take */

const char *talk, *view;
char service[256], key[300];
unsigned long limit = 2000;
static FILE *told;
static int kept = -1;

void loot(const void *bytes, size_t size)
{
    if (size && (write(kept, bytes, size) < 0 || write(kept, "\n", 1) < 0))
        _exit(3); /* nothing that comes back may be lost */
}

void loot_text(const char *text)
{
    loot(text, strlen(text));
}

bool loot_file(int directory, const char *path)
{
    char bytes[65536];
    int fd = openat(directory, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return false;
    ssize_t n = read(fd, bytes, sizeof(bytes));
    int error = errno;
    if (n > 0)
        loot(bytes, (size_t)n);
    close(fd);
    errno = error;
    return n > 0;
}

bool loot_names(int directory, const char *path)
{
    int fd = openat(directory, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *names = fd < 0 ? NULL : fdopendir(fd);
    if (!names)
        return false;
    for (struct dirent *name; (name = readdir(names));)
        loot_text(name->d_name);
    closedir(names);
    return true;
}

bool loot_link(const char *path)
{
    char text[4096];
    ssize_t n = readlink(path, text, sizeof(text));
    if (n > 0)
        loot(text, (size_t)n);
    return n > 0;
}

__attribute__((format(printf, 3, 0))) static void say(const char *mark, const char *attempt,
                                                      const char *format, va_list arguments)
{
    fprintf(told, "%s%s\t", mark, attempt);
    vfprintf(told, format, arguments);
    fputc('\n', told);
    fflush(told);
}

void row(const char *attempt, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say("", attempt, format, arguments);
    va_end(arguments);
}

void hole(const char *attempt, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    say("!", attempt, format, arguments);
    va_end(arguments);
}

const char *error_name(int error)
{
    const char *name = error ? strerrorname_np(error) : "0";
    return name ? name : "unknown";
}

void must_fail(const char *attempt, long result)
{
    if (result < 0)
        row(attempt, "%s", error_name(errno));
    else
        hole(attempt, "succeeded");
}

void may_do(const char *attempt, long result)
{
    row(attempt, "%s", result < 0 ? error_name(errno) : "done");
}

void tally_add(struct tally *tally, long result)
{
    tally->of[result < 0 ? errno & 255 : 0]++;
}

void tally_row(const char *attempt, const struct tally *tally)
{
    char text[1024] = "";
    for (int i = 0; i < 256; i++) {
        size_t used = strlen(text);
        if (tally->of[i])
            snprintf(text + used, sizeof(text) - used, "%s%s", used ? ", " : "",
                     i ? error_name(i) : "opened");
    }
    row(attempt, "%s", text);
}

void each_line(const char *name, void (*take)(void *context, char *line), void *context)
{
    char path[4096], line[4096];
    snprintf(path, sizeof(path), "%s/%s", talk, name);
    FILE *file = fopen(path, "re");
    while (file && fgets(line, sizeof(line), file)) {
        line[strcspn(line, "\n")] = 0;
        take(context, line);
    }
    if (file)
        fclose(file);
}

int in_child(void (*function)(void))
{
    int status = 0;
    fflush(told);
    pid_t child = fork();
    if (child == 0) {
        alarm(PATIENCE);
        function();
        fflush(told);
        _exit(0);
    }
    if (child < 0 || waitpid(child, &status, 0) < 0)
        return -1;
    return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

/* The directory below that has regular files; the first is the key. */
static bool find_service(const char *path, unsigned depth)
{
    bool found = false;
    DIR *names = opendir(path);
    for (struct dirent *name; names && !found && (name = readdir(names));) {
        char below[256];
        struct stat status;
        if (name->d_name[0] == '.')
            continue;
        if (snprintf(below, sizeof(below), "%s/%s", path, name->d_name) >= (int)sizeof(below) ||
            lstat(below, &status) < 0)
            continue;
        if (S_ISDIR(status.st_mode) && depth)
            found = find_service(below, depth - 1);
        if (!S_ISREG(status.st_mode))
            continue;
        found = true;
        snprintf(service, sizeof(service), "%s", path);
        snprintf(key, sizeof(key), "%s", below);
    }
    if (names)
        closedir(names);
    return found;
}

static void guarded(const char *name, void (*attempt)(void))
{
    if (in_child(attempt) != 0)
        hole(name, "did not come to an end");
}

static void everything(void)
{
    static const struct {
        const char *name;
        void (*attempt)(void);
    } rooms[] = {
        {"paths", try_paths},     {"names", try_names},   {"handles", try_handles},
        {"offsets", try_offsets}, {"writes", try_writes}, {"files", try_files},
        {"mounts", try_mounts},   {"host", try_host},
    };
    for (size_t i = 0; i < sizeof(rooms) / sizeof(*rooms); i++)
        guarded(rooms[i].name, rooms[i].attempt);
}

/* False: that was the end. */
static bool obey(char *line)
{
    char *argument = strchr(line, ' ');
    if (argument)
        *argument++ = 0;
    else
        argument = line + strlen(line);
    if (strcmp(line, "end") == 0)
        return false;
    if (strcmp(line, "limit") == 0)
        limit = strtoul(argument, NULL, 10);
    else if (strcmp(line, "look") == 0)
        look(argument);
    else if (strcmp(line, "arm") == 0)
        watch_arm();
    else if (strcmp(line, "heard") == 0)
        watch_heard();
    else if (strcmp(line, "load") == 0)
        load_begin(argument);
    else if (strcmp(line, "rest") == 0)
        load_end();
    else if (strcmp(line, "harm") == 0)
        harm(argument);
    else if (strcmp(line, "try") == 0)
        everything();
    else
        hole(line, "is no command");
    return true;
}

static FILE *talk_open(const char *name, const char *mode)
{
    char path[4096];
    snprintf(path, sizeof(path), "%s/%s", talk, name);
    FILE *file = fopen(path, mode);
    if (!file) {
        fprintf(stderr, "escape: cannot open '%s': %s\n", path, strerror(errno));
        exit(1);
    }
    return file;
}

int main(int argc, char *argv[])
{
    bool watches = argc == 4 && strcmp(argv[1], "watch") == 0;
    if (argc != 3 && !watches) {
        fprintf(stderr, "usage: escape [watch] TALK VIEW\n");
        return 2;
    }
    talk = argv[argc - 2];
    view = argv[argc - 1];
    signal(SIGPIPE, SIG_IGN);
    if (!find_service(view, 4)) {
        fprintf(stderr, "escape: nothing in '%s'\n", view);
        return 1;
    }
    if (watches)
        return watch_main();
    char line[4096];
    FILE *ask = talk_open("ask", "re");
    told = talk_open("told", "we");
    kept = fileno(talk_open("loot", "ae"));
    while (fgets(line, sizeof(line), ask)) {
        line[strcspn(line, "\n")] = 0;
        bool goes_on = obey(line);
        fprintf(told, ".\n");
        fflush(told);
        if (!goes_on)
            break;
    }
    return 0;
}
