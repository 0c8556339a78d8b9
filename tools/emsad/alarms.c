#include "tools/emsad/alarms.h"

#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>

#include "store/error.h"
#include "tools/common/log.h"

#define LINES 64

static struct {
    pthread_mutex_t mutex; /* protects all below; held for copies of a line only */
    pthread_cond_t changed;
    char lines[LINES][ALARM_MAX];
    unsigned first, count;
    unsigned long lost;
    bool ends;
    bool runs;
    pthread_t thread;
} alarms = {.mutex = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

void alarms_raise(void *arg, const char *text)
{
    (void)arg;
    pthread_mutex_lock(&alarms.mutex);
    if (alarms.count == LINES) {
        alarms.lost++;
    } else {
        unsigned at = (alarms.first + alarms.count++) % LINES;
        (void)snprintf(alarms.lines[at], ALARM_MAX, "%s", text);
    }
    pthread_cond_signal(&alarms.changed);
    pthread_mutex_unlock(&alarms.mutex);
}

/* Takes the oldest line and the number of lost ones; false at the end. */
static bool take(char line[static ALARM_MAX], unsigned long *lost)
{
    pthread_mutex_lock(&alarms.mutex);
    while (alarms.count == 0 && !alarms.ends)
        pthread_cond_wait(&alarms.changed, &alarms.mutex);
    bool found = alarms.count > 0;
    if (found) {
        (void)snprintf(line, ALARM_MAX, "%s", alarms.lines[alarms.first]);
        alarms.first = (alarms.first + 1) % LINES;
        alarms.count--;
    }
    *lost = alarms.lost;
    alarms.lost = 0;
    pthread_mutex_unlock(&alarms.mutex);
    return found;
}

static void *work(void *arg)
{
    (void)arg;
    char line[ALARM_MAX];
    unsigned long lost;
    while (take(line, &lost)) {
        log_error("%s", line);
        if (lost > 0)
            log_error("%lu more alarms were not written", lost);
    }
    return NULL;
}

int alarms_start(void)
{
    if (pthread_create(&alarms.thread, NULL, work, NULL) != 0)
        return error_set(ERR_NOMEM, "cannot start a thread");
    alarms.runs = true;
    return 0;
}

void alarms_stop(void)
{
    if (!alarms.runs)
        return;
    pthread_mutex_lock(&alarms.mutex);
    alarms.ends = true;
    pthread_cond_signal(&alarms.changed);
    pthread_mutex_unlock(&alarms.mutex);
    pthread_join(alarms.thread, NULL);
    alarms.runs = false;
}
