#include "tools/emsad/audit_look.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "store/error.h"
#include "tools/emsad/sandbox.h"

#define PROGRAM_MAX 4096

static struct look {
    pthread_mutex_t mutex;
    pthread_cond_t changed;
    pthread_t thread;
    bool is_there;  /* the thread was started, and is to be joined */
    bool is_inside; /* it has tried to enter its sandbox: error says how that went */
    int error;
    char text[ERROR_TEXT_MAX];
    bool is_ending;
    pid_t wanted; /* 0: nothing is asked */
    char program[PROGRAM_MAX];
    ssize_t size; /* of the last answer */
} look = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

static ssize_t read_link(char *out, size_t room, pid_t pid)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
    return readlink(path, out, room);
}

static void *run(void *arg)
{
    (void)arg;
    int error = sandbox_look();
    pthread_mutex_lock(&look.mutex);
    look.error = error;
    if (error < 0)
        (void)snprintf(look.text, sizeof look.text, "%s", error_text());
    look.is_inside = true;
    pthread_cond_broadcast(&look.changed);
    while (error == 0 && !look.is_ending) {
        if (look.wanted == 0) {
            pthread_cond_wait(&look.changed, &look.mutex);
            continue;
        }
        look.size = read_link(look.program, sizeof look.program, look.wanted);
        look.wanted = 0;
        pthread_cond_broadcast(&look.changed);
    }
    pthread_mutex_unlock(&look.mutex);
    return NULL;
}

int audit_look_begin(void)
{
    if (pthread_create(&look.thread, NULL, run, NULL) != 0)
        return error_set(ERR_NOMEM, "cannot start a thread");
    look.is_there = true;
    pthread_mutex_lock(&look.mutex);
    while (!look.is_inside)
        pthread_cond_wait(&look.changed, &look.mutex);
    int error = look.error;
    pthread_mutex_unlock(&look.mutex);
    if (error < 0) {
        audit_look_end();
        return error_set((enum error_code) - error, "%s", look.text);
    }
    return 0;
}

void audit_look_end(void)
{
    if (!look.is_there)
        return;
    pthread_mutex_lock(&look.mutex);
    look.is_ending = true;
    pthread_cond_broadcast(&look.changed);
    pthread_mutex_unlock(&look.mutex);
    (void)pthread_join(look.thread, NULL);
    look.is_there = false;
}

size_t audit_look(char *out, size_t room, pid_t pid)
{
    if (!look.is_there || pid <= 0)
        return 0;
    pthread_mutex_lock(&look.mutex);
    look.wanted = pid;
    pthread_cond_broadcast(&look.changed);
    while (look.wanted != 0)
        pthread_cond_wait(&look.changed, &look.mutex);
    size_t size = look.size > 0 ? (size_t)look.size : 0;
    if (size >= room)
        size = room - 1;
    memcpy(out, look.program, size);
    out[size] = '\0';
    pthread_mutex_unlock(&look.mutex);
    return size;
}
