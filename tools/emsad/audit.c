/*
 * Lines are written as events come, as long as there are few; beyond LINES_A_SECOND what was seen
 * lately is counted in the ring's table, and told every SWEEP_MILLISECONDS. Of one user 60 denials
 * a minute have a line of their own, since strangers can have as many as they like.
 */
#include "tools/emsad/audit.h"

#include <errno.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/audit_record.h"
#include "store/audit_ring.h"
#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/common/exit_status.h"
#include "tools/common/log.h"
#include "tools/common/place.h"
#include "tools/emsad/audit_facts.h"
#include "tools/emsad/audit_look.h"
#include "tools/emsad/audit_pace.h"
#include "tools/emsad/channel.h"
#include "tools/emsad/line_sink.h"
#include "tools/emsad/sandbox.h"

#define SETUP_MILLISECONDS 5000
#define SWEEP_MILLISECONDS 10000
#define SYNC_MILLISECONDS 1000
#define AGAIN_MILLISECONDS 1000 /* after a failure of the disk */
#define BUSY_MILLISECONDS 20    /* the process before is about to end */
#define WAKE_MILLISECONDS 10
#define REST_MILLISECONDS 5 /* so that under load a reader has nobody to wake */

struct audit {
    int channel; /* borrowed */
    struct audit_ring *ring;
    struct audit_record *record; /* NULL: it could not be opened yet */
    struct line_sink *sink;
    struct line_sink_place place;
    char store[PATH_MAX];
    struct audit_pace pace;
    int64_t sweep, sync; /* moments when they are due; -1: nothing is */
    bool is_failing;     /* the last line could not be written; it was logged */
    atomic_bool is_ending, has_ended;
};

static int receive(struct audit *audit, struct channel_message *message,
                   struct channel_descriptors *descriptors)
{
    int64_t deadline = deadline_in(SETUP_MILLISECONDS);
    for (;;) {
        int outcome = channel_receive(audit->channel, message, descriptors);
        if (outcome != 2)
            return outcome == 1 ? error_set(ERR_IO, "the supervisor is gone") : outcome;
        outcome = descriptor_wait(audit->channel, POLLIN, deadline);
        if (outcome != 0)
            return outcome < 0 ? outcome : error_set(ERR_IO, "the supervisor says nothing");
    }
}

static int enter_sandbox(const char *store)
{
    struct stat status;
    char record[PATH_MAX];
    int folder DESCRIPTOR_CLEANUP = -1;
    int error = place_open_folder(&folder, store);
    if (error == 0 && fstat(folder, &status) < 0)
        error = error_system(errno, "cannot look at store '%s'", store);
    if (error == 0 && snprintf(record, sizeof record, "%s/" AUDIT_FOLDER, store) >= PATH_MAX)
        error = error_set(ERR_INVALID, "the path of store '%s' is too long", store);
    return error == 0 ? sandbox_audit(status.st_uid, status.st_gid, record, audit_look_begin)
                      : error;
}

static int prepare(struct audit *audit)
{
    struct channel_message message;
    struct channel_descriptors descriptors;
    int error = receive(audit, &message, &descriptors);
    if (error < 0)
        return error;
    if (message.kind != CHANNEL_AUDIT || descriptors.count != 1)
        error = error_set(ERR_IO, "the supervisor began with something else than AUDIT");
    if (error == 0)
        error = audit_ring_map(&audit->ring, descriptors.fd[0]);
    channel_descriptors_release(&descriptors);
    memcpy(audit->store, message.text, sizeof audit->store);
    if (error == 0)
        error = line_sink_parse(&audit->place, message.identity);
    if (error == 0)
        error = line_sink_open(&audit->sink, &audit->place, audit->store);
    if (error == 0)
        error = enter_sandbox(message.text);
    if (error < 0)
        return error;
    (void)channel_send_plain(audit->channel, CHANNEL_ENTERED, 0, 0);
    audit_ring_begin(audit->ring);
    return 0;
}

/* Waits for the channel's end; nothing else comes. */
static void *watch_channel(void *arg)
{
    struct audit *audit = arg;
    struct pollfd entry = {.fd = audit->channel, .events = POLLIN};
    while (poll(&entry, 1, -1) < 0 && errno == EINTR)
        continue;
    atomic_store(&audit->is_ending, true);
    while (!atomic_load(&audit->has_ended)) { /* it may just be about to sleep */
        audit_ring_wake(audit->ring);
        (void)poll(NULL, 0, WAKE_MILLISECONDS);
    }
    return NULL;
}

/* Said once, until it is well again. */
static void failed(struct audit *audit, int error)
{
    audit_ring_failed(audit->ring, error == -ERR_FULL ? ENOSPC : EIO);
    if (!audit->is_failing)
        log_error("the audit record is not written: %s; what happens meanwhile is kept and counted",
                  error_text());
    audit->is_failing = true;
}

static void well(struct audit *audit)
{
    audit_ring_wrote(audit->ring, 1);
    if (audit->is_failing)
        log_info("the audit record is written again");
    audit->is_failing = false;
    if (audit->sync < 0)
        audit->sync = deadline_in(SYNC_MILLISECONDS);
}

/* auditor: NULL, or for whom it begins where there is none. 1: there is none. */
static int open_record(struct audit *audit, const char *auditor)
{
    if (audit->record != NULL)
        return 0;
    int error = audit_record_open(&audit->record, audit->store, auditor);
    if (error < 0)
        audit->record = NULL;
    return error;
}

static int write_event(struct audit *audit, const struct audit_event *event)
{
    struct audit_process_facts facts;
    audit_facts_of(&facts, event->pid);
    int error = audit_record_append(audit->record, event, &facts.facts);
    if (error < 0) {
        failed(audit, error);
        return error;
    }
    well(audit);
    size_t size;
    const char *line = audit_record_last(audit->record, &size);
    line_sink_give(audit->sink, line, size);
    return 0;
}

static int write_row(void *arg, const struct audit_event *event)
{
    return write_event(arg, event);
}

static void count(struct audit *audit, const struct audit_event *event)
{
    (void)audit_ring_count(audit->ring, event, true);
    if (audit->sweep < 0)
        audit->sweep = deadline_in(SWEEP_MILLISECONDS);
}

/* Events that found no place while the ring was full. */
static int tell_lost(struct audit *audit)
{
    uint64_t lost = audit_ring_take_lost(audit->ring);
    struct timespec now;
    if (lost == 0)
        return 0;
    clock_gettime(CLOCK_REALTIME, &now);
    struct audit_event event = {
        .time = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec, .kind = AUDIT_LOST, .count = lost};
    int error = write_event(audit, &event);
    if (error < 0)
        audit_ring_give_back(audit->ring, lost);
    return error;
}

/* One event, which stays in the ring until it is kept elsewhere. */
static int take(struct audit *audit, const struct audit_event *event)
{
    struct audit_event told = *event;
    if (event->kind == AUDIT_NONE)
        return 0;
    const char *auditor = event->kind == AUDIT_START && event->text[0] != '\0' ? event->text : NULL;
    int error = open_record(audit, auditor);
    if (error > 0)
        error = error_set(ERR_NO_KEY, "there is none, and the store has no identity at hand for "
                                      "whom one could begin");
    if (error < 0) {
        if (error != -ERR_BUSY)
            failed(audit, error);
        return error;
    }
    switch (audit_pace_judge(&audit->pace, &told)) {
    case AUDIT_PACE_MERGE:
        count(audit, &told);
        return 0;
    case AUDIT_PACE_COUNT:
        if (audit->sweep < 0)
            audit->sweep = deadline_in(SWEEP_MILLISECONDS);
        if (audit_ring_count(audit->ring, &told, false))
            return 0;
        break;
    case AUDIT_PACE_WRITE:
        break;
    }
    error = write_event(audit, &told);
    if (error == -ERR_INVALID) { /* no line can be made of it: an auditor that is none */
        log_error("an event is not audited: %s", error_text());
        return 0;
    }
    return error;
}

static int take_all(struct audit *audit)
{
    struct audit_event event;
    while (audit_ring_peek(audit->ring, &event)) {
        int error = take(audit, &event);
        if (error < 0)
            return error;
        audit_ring_drop(audit->ring);
        if (audit->sync >= 0 && deadline_left(audit->sync) == 0)
            return 0; /* others are due, too */
    }
    return 0;
}

static int sweep(struct audit *audit, bool is_forced)
{
    bool has_rows = audit_ring_has_rows(audit->ring);
    if (!has_rows) {
        audit->sweep = -1;
        return 0;
    }
    if (audit->sweep < 0)
        audit->sweep = deadline_in(SWEEP_MILLISECONDS);
    if (audit->record == NULL || (!is_forced && deadline_left(audit->sweep) > 0))
        return 0;
    audit->sweep = deadline_in(SWEEP_MILLISECONDS);
    return audit_ring_sweep(audit->ring, write_row, audit);
}

static int sync_if_due(struct audit *audit)
{
    if (audit->sync < 0 || deadline_left(audit->sync) > 0)
        return 0;
    audit->sync = -1;
    int error = audit_record_sync(audit->record);
    if (error < 0)
        failed(audit, error);
    return error;
}

static int least(int one, int other) /* -1: never */
{
    return one < 0 || (other >= 0 && other < one) ? other : one;
}

/* What waits for the second sink is tried again, and how that fares told. Milliseconds as there. */
static int push(struct audit *audit)
{
    struct line_sink_status status;
    int again = line_sink_push(audit->sink);
    line_sink_status(audit->sink, &status);
    audit_ring_sent(audit->ring, audit->place.kind, status.unsent, status.failing);
    return again;
}

/* Milliseconds until something is due; -1: nothing is. */
static int patience(struct audit *audit)
{
    int sweep = audit->sweep < 0 ? -1 : deadline_left(audit->sweep);
    int sync = audit->sync < 0 ? -1 : deadline_left(audit->sync);
    return least(least(sweep, sync), push(audit));
}

static void pause_for(struct audit *audit, int milliseconds)
{
    struct pollfd entry = {.fd = audit->channel, .events = POLLIN};
    (void)poll(&entry, 1, milliseconds);
}

static int turn(struct audit *audit)
{
    int error = take_all(audit);
    if (error == 0 && audit->record != NULL)
        error = tell_lost(audit);
    if (error == 0)
        error = sweep(audit, false);
    return error == 0 ? sync_if_due(audit) : error;
}

/* Until there is nothing left, or the disk does not take it: then it stays for the next. */
static void finish(struct audit *audit)
{
    int error = take_all(audit);
    while (error == 0 && audit->sync >= 0 && deadline_left(audit->sync) == 0) {
        error = sync_if_due(audit);
        if (error == 0)
            error = take_all(audit);
    }
    if (error == 0)
        error = sweep(audit, true);
    if (error == 0 && audit->record != NULL)
        (void)tell_lost(audit);
    (void)push(audit);
}

static void work(struct audit *audit)
{
    while (!atomic_load(&audit->is_ending)) {
        int error = turn(audit);
        if (error < 0)
            pause_for(audit, error == -ERR_BUSY ? BUSY_MILLISECONDS : AGAIN_MILLISECONDS);
        else {
            audit_ring_wait(audit->ring, patience(audit));
            pause_for(audit, REST_MILLISECONDS);
        }
    }
    finish(audit);
}

int audit_run(int channel)
{
    static struct audit audit = {.sweep = -1, .sync = -1};
    pthread_t thread;
    log_setup("emsad audit");
    audit.channel = channel;
    int error = prepare(&audit);
    if (error == 0 && pthread_create(&thread, NULL, watch_channel, &audit) != 0)
        error = error_set(ERR_NOMEM, "cannot start a thread");
    if (error < 0) {
        log_error("%s", error_text());
        return exit_status(error);
    }
    error = open_record(&audit, NULL);
    if (error < 0 && error != -ERR_BUSY)
        failed(&audit, error);
    work(&audit);
    audit_record_close(audit.record);
    line_sink_close(audit.sink);
    atomic_store(&audit.has_ended, true);
    (void)pthread_join(thread, NULL);
    audit_look_end();
    audit_ring_unmap(audit.ring);
    return EXIT_STATUS_DONE;
}
