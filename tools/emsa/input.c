#include "tools/emsa/input.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include "store/error.h"
#include "store/limits.h"
#include "tools/common/descriptor.h"

#define PROMPT_LINE_MAX 4096u

void input_release(struct input *value)
{
    secret_release(&value->hidden);
    bytes_release(&value->open);
}

const unsigned char *input_data(const struct input *value)
{
    return value->secret ? value->hidden.data : value->open.data;
}

size_t input_size(const struct input *value)
{
    return value->secret ? value->hidden.size : value->open.size;
}

static int too_large(const char *name)
{
    return error_set(ERR_INVALID,
                     "the value of '%s' is over %u bytes: larger things are files, not values",
                     name, VALUE_MAX);
}

static int read_open(struct bytes *out, int fd, const char *name)
{
    *out = BYTES_INIT(VALUE_MAX + 1);
    for (;;) {
        size_t wanted = 64u * 1024u;
        if (out->size + wanted > out->limit)
            wanted = out->limit - out->size;
        if (wanted == 0)
            return too_large(name);
        unsigned char *room = bytes_reserve(out, wanted);
        if (room == NULL)
            return error_set(ERR_NOMEM, "no memory for the value of '%s'", name);
        ssize_t count = read(fd, room, wanted);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_system(errno, "cannot read the value of '%s'", name);
        if (count == 0)
            return 0;
        out->size += (size_t)count;
    }
}

static int input_read(struct input *value, int fd, const char *name)
{
    if (!value->secret)
        return read_open(&value->open, fd, name);
    int error = secret_read(&value->hidden, fd, VALUE_MAX);
    return error == -ERR_INVALID ? too_large(name) : error;
}

static int open_file(const char *path)
{
    struct stat file;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return error_system(errno, "cannot open '%s'", path);
    if (fstat(fd, &file) == 0 && S_ISDIR(file.st_mode)) {
        close(fd);
        return error_set(ERR_INVALID, "'%s' is a folder: a value is one file", path);
    }
    return fd;
}

int input_from_file(struct input *value, const char *path, const char *name)
{
    int fd DESCRIPTOR_CLEANUP = open_file(path);
    return fd < 0 ? fd : input_read(value, fd, name);
}

static void drop_last(struct input *value)
{
    if (value->secret)
        value->hidden.data[--value->hidden.size] = 0;
    else
        value->open.size--;
}

int input_from_stdin(struct input *value, bool raw, const char *name, bool *trimmed)
{
    int error = input_read(value, STDIN_FILENO, name);
    if (error < 0)
        return error;
    const unsigned char *data = input_data(value);
    size_t size = input_size(value);
    *trimmed = !raw && size > 0 && memchr(data, '\n', size) == data + size - 1;
    if (*trimmed)
        drop_last(value);
    return 0;
}

/* The terminal's state while its echo is off, so that a signal gives the echo back before it ends
 * us. */
static struct termios terminal_before;
static volatile sig_atomic_t terminal_fd = -1;

static void restore_and_die(int number)
{
    struct sigaction usual = {.sa_handler = SIG_DFL};
    if (terminal_fd >= 0)
        tcsetattr(terminal_fd, TCSAFLUSH, &terminal_before);
    sigaction(number, &usual, NULL);
    raise(number);
}

static const int caught[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
#define CAUGHT (sizeof caught / sizeof caught[0])

static int echo_off(int fd, struct sigaction before[static CAUGHT])
{
    struct termios silent;
    struct sigaction action = {.sa_handler = restore_and_die};
    if (tcgetattr(fd, &terminal_before) < 0)
        return error_set(ERR_INVALID,
                         "no terminal to ask for a secret: give it on stdin ('-') or with --file");
    terminal_fd = fd;
    for (size_t i = 0; i < CAUGHT; i++)
        sigaction(caught[i], &action, &before[i]);
    silent = terminal_before;
    silent.c_lflag &= ~(tcflag_t)ECHO;
    silent.c_lflag |= ECHONL | ICANON;
    tcsetattr(fd, TCSAFLUSH, &silent);
    return 0;
}

static void echo_on(int fd, const struct sigaction before[static CAUGHT])
{
    tcsetattr(fd, TCSAFLUSH, &terminal_before);
    for (size_t i = 0; i < CAUGHT; i++)
        sigaction(caught[i], &before[i], NULL);
    terminal_fd = -1;
}

static int read_line(struct secret *out, int fd)
{
    int error = secret_alloc(out, PROMPT_LINE_MAX);
    while (error == 0 && out->size < PROMPT_LINE_MAX) {
        ssize_t count = read(fd, out->data + out->size, 1);
        if (count < 0 && errno == EINTR)
            continue;
        if (count < 0)
            return error_system(errno, "cannot read from the terminal");
        if (count == 0 || out->data[out->size] == '\n') {
            out->data[out->size] = 0;
            return 0;
        }
        out->size++;
    }
    return error < 0 ? error
                     : error_set(ERR_INVALID, "that line is too long: give it on stdin ('-')");
}

static int ask(struct secret *out, int fd, const char *question)
{
    if (dprintf(fd, "%s: ", question) < 0)
        return error_system(errno, "cannot write to the terminal");
    return read_line(out, fd);
}

int input_ask(struct secret *out, const char *question, const char *again, const char *otherwise)
{
    struct sigaction before[CAUGHT];
    struct secret second SECRET_CLEANUP = {0};
    int fd DESCRIPTOR_CLEANUP = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
    if (fd < 0)
        return error_set(ERR_INVALID, "%s", otherwise);
    int error = echo_off(fd, before);
    if (error < 0)
        return error;
    error = ask(out, fd, question);
    if (error == 0 && again != NULL)
        error = ask(&second, fd, again);
    echo_on(fd, before);
    if (error < 0 || again == NULL)
        return error;
    if (second.size != out->size || memcmp(second.data, out->data, second.size) != 0)
        return error_set(ERR_INVALID, "the two were not the same: try again");
    return 0;
}

int input_from_prompt(struct input *value, const char *name)
{
    char question[384], again[384], otherwise[384];
    snprintf(question, sizeof question, "secret for '%s'", name);
    snprintf(again, sizeof again, "once more for '%s'", name);
    snprintf(otherwise, sizeof otherwise,
             "no value for '%s': give it on stdin ('-') or with --file", name);
    value->secret = true;
    return input_ask(&value->hidden, question, again, otherwise);
}

int read_whole(struct secret *out, const char *path, size_t maximum)
{
    if (strcmp(path, "-") == 0)
        return secret_read(out, STDIN_FILENO, maximum);
    int fd DESCRIPTOR_CLEANUP = open_file(path);
    if (fd < 0)
        return fd;
    int error = secret_read(out, fd, maximum);
    return error == -ERR_INVALID ? error_set(ERR_INVALID, "'%s' is over %zu bytes", path, maximum)
                                 : error;
}
