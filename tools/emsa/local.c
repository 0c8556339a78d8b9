#include "tools/emsa/local.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "store/audit_record.h"
#include "store/error.h"
#include "store/identity.h"
#include "store/identity_file.h"
#include "store/pin.h"
#include "store/rebuild.h"
#include "tools/emsa/passphrase.h"
#include "tools/service/hex.h"

struct local {
    struct store *store;
    struct dispatcher *dispatcher;
    int lock_fd;
    struct self self;
    char identity[IDENTITY_TEXT_MAX]; /* public; "": there is none */
    struct local_problems problems;
};

static int remember_groups(struct self *self)
{
    self->group_count = getgroups(0, NULL);
    if (self->group_count < 0)
        self->group_count = 0;
    self->groups = calloc((size_t)self->group_count + 1, sizeof *self->groups);
    if (self->groups == NULL)
        return error_set(ERR_NOMEM, "no memory for a list of groups");
    self->group_count = getgroups(self->group_count, self->groups);
    return 0;
}

int self_become(struct self *self, uid_t uid, gid_t gid)
{
    *self = (struct self){.uid = geteuid(), .gid = getegid()};
    if (geteuid() != 0)
        return 0;
    struct rlimit locked = {RLIM_INFINITY, RLIM_INFINITY};
    if (setrlimit(RLIMIT_MEMLOCK, &locked) < 0)
        errno = 0; /* the limit we have may do */
    if (uid == 0)
        return 0;
    int error = remember_groups(self);
    if (error < 0)
        return error;
    self->changed = true;
    if (setgroups(0, NULL) < 0 || setegid(gid) < 0 || seteuid(uid) < 0) {
        error = error_system(errno, "cannot become the store's owner, user %u", (unsigned)uid);
        self_restore(self);
        return error;
    }
    prctl(PR_SET_DUMPABLE, 0); /* a change of user may have set it again */
    return 0;
}

void self_restore(struct self *self)
{
    bool failed = false;
    if (self->changed)
        failed =
            seteuid(self->uid) < 0 || setegid(self->gid) < 0 ||
            setgroups((size_t)(self->group_count > 0 ? self->group_count : 0), self->groups) < 0;
    free(self->groups);
    *self = (struct self){0};
    if (failed) { /* going on as somebody half changed is no choice */
        fprintf(stderr, "emsa: cannot become root again: %s\n", strerror(errno));
        _exit(1);
    }
}

static void keep_problem(char problem[static LOCAL_PROBLEM_MAX])
{
    snprintf(problem, LOCAL_PROBLEM_MAX, "%s", error_text());
    error_clear();
}

/* Before this process is the store's owner, who may not write beside the store. Without a pin all
 * goes on; `emsa verify` says so. Not where something else is in its place: nothing was held
 * against a pin then, and nobody would know. */
static int open_pin(struct local_problems *problems, const char *store)
{
    char path[PATH_MAX];
    int fd = place_pin(path, store);
    if (fd == 0)
        fd = pin_open(path);
    if (fd >= 0)
        return fd;
    if (fd == -ERR_REFUSED)
        return error_add(ERR_REFUSED, "put the pin there, or name its place: EMSA_PIN");
    keep_problem(problems->pin);
    return 0;
}

static void alarm_line(void *arg, const char *text)
{
    (void)arg;
    fprintf(stderr, "emsa: alarm: %s\n", text);
}

/* What ended while nobody served the store goes before anything is looked at. Where it cannot (a
 * full disk, damage), the command does what it can, as a server does. */
static void expire(struct local *local)
{
    struct timespec now;
    int64_t next;
    clock_gettime(CLOCK_REALTIME, &now);
    if (service_expire(local->dispatcher, &next, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec) >=
        0)
        return;
    fprintf(stderr, "emsa: cannot remove what has ended: %s\n", error_text());
    error_clear();
}

static int open_store(struct local *local, const struct place_of_store *place,
                      struct identity *identity, int pin)
{
    local->lock_fd = store_lock(place->store);
    int error = local->lock_fd < 0 ? local->lock_fd : 0;
    if (error == 0) {
        struct store_options options = {.path = place->store,
                                        .lock_fd = local->lock_fd,
                                        .alarm = alarm_line,
                                        .pin_fd = pin,
                                        .accepts_head = place->accepts_head,
                                        .is_examined = place->is_examined};
        error = store_open(&local->store, &options);
    } else if (pin > 0) {
        close(pin);
    }
    if (error < 0) {
        identity_free(identity);
        return error;
    }
    if (identity != NULL && store_unlock(local->store, identity) < 0)
        keep_problem(local->problems.identity);
    error = service_new(&local->dispatcher, local->store, NULL);
    if (error < 0)
        return error;
    service_auditor(local->dispatcher, local->identity);
    if (!place->accepts_head && !place->is_examined)
        expire(local);
    return 0;
}

static int find_folder(struct stat *folder, const struct place_of_store *place)
{
    if (stat(place->store, folder) == 0)
        return 0;
    if (errno == ENOENT)
        return error_set(ERR_NOT_FOUND, "no store in '%s': make one with 'emsa%s%s init'",
                         place->store, place->is_default ? "" : " --store ",
                         place->is_default ? "" : place->store);
    return error_system(errno, "cannot look at the store '%s'", place->store);
}

/* Who it is stands in its file, also of one that is locked. */
static void read_public(char text[static IDENTITY_TEXT_MAX], const char *path)
{
    struct identity_file *file;
    text[0] = '\0';
    if (identity_file_load(&file, path) == 0) {
        identity_file_public(file, text);
        identity_file_free(file);
    }
    error_clear();
}

int local_open(struct local **out, const struct place_of_store *place)
{
    struct stat folder;
    int error = find_folder(&folder, place);
    if (error < 0)
        return error;
    struct local *local = calloc(1, sizeof *local);
    if (local == NULL)
        return error_set(ERR_NOMEM, "no memory for the store");
    local->lock_fd = -1;
    struct identity *identity = NULL;
    const struct passphrase_ways ways = {0};
    if (passphrase_load(&identity, place->identity, &ways) < 0)
        keep_problem(local->problems.identity);
    read_public(local->identity, place->identity);
    const int pin = open_pin(&local->problems, place->store);
    error = pin < 0 ? pin : self_become(&local->self, folder.st_uid, folder.st_gid);
    if (error == 0) {
        error = open_store(local, place, identity, pin);
    } else {
        identity_free(identity);
        if (pin > 0)
            close(pin);
    }
    if (error < 0) {
        local_close(local);
        return error;
    }
    *out = local;
    return 0;
}

/* As the store's owner. What is done is done, also where it can't be written down. */
static void note_rebuilt(struct local_problems *problems, const char *store, const char *auditor,
                         const struct rebuild_report *report)
{
    struct audit_record *record = NULL;
    struct audit_event event = {.kind = AUDIT_REBUILD,
                                .uid = getuid(),
                                .gid = getgid(),
                                .pid = getpid(),
                                .rev = report->revision};
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    event.time = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    hex_text(event.text, report->head, HASH_SIZE);
    int error = audit_record_wait(&record, store, auditor[0] != '\0' ? auditor : NULL);
    if (error == 0)
        error = audit_record_append(record, &event, NULL);
    if (error < 0)
        keep_problem(problems->audit);
    else if (error > 0)
        (void)snprintf(problems->audit, sizeof problems->audit,
                       "there is none, and no identity that it could begin for");
    audit_record_close(record);
}

int local_rebuild(struct rebuild_report *report, struct local_problems *problems,
                  const struct place_of_store *place, void (*fault)(void *arg, const char *text),
                  void *arg)
{
    struct stat folder;
    struct self self = {0};
    struct rebuild_options options = {.path = place->store, .fault = fault, .arg = arg};
    const struct passphrase_ways ways = {0};
    char auditor[IDENTITY_TEXT_MAX];
    *problems = (struct local_problems){0};
    int error = find_folder(&folder, place);
    if (error < 0)
        return error;
    if (passphrase_load(&options.identity, place->identity, &ways) < 0)
        keep_problem(problems->identity);
    read_public(auditor, place->identity);
    options.pin_fd = open_pin(problems, place->store);
    error = options.pin_fd < 0 ? options.pin_fd : self_become(&self, folder.st_uid, folder.st_gid);
    if (error == 0)
        error = store_rebuild(&options, report);
    else
        identity_free(options.identity);
    if (error == 0)
        note_rebuilt(problems, place->store, auditor, report);
    if (options.pin_fd > 0)
        close(options.pin_fd);
    self_restore(&self);
    return error;
}

/* What was done is done; but nobody finds it in the record. */
static void tell_unaudited(const struct dispatcher *dispatcher)
{
    const char *problem = dispatcher != NULL ? service_unaudited(dispatcher) : NULL;
    if (problem != NULL)
        fprintf(stderr, "emsa: alarm: the audit record has nothing of this: %s\n", problem);
}

void local_close(struct local *local)
{
    if (local == NULL)
        return;
    tell_unaudited(local->dispatcher);
    service_free(local->dispatcher);
    store_close(local->store);
    if (local->lock_fd >= 0)
        close(local->lock_fd);
    self_restore(&local->self);
    free(local);
}

struct dispatcher *local_dispatcher(struct local *local)
{
    return local->dispatcher;
}

struct store *local_store(struct local *local)
{
    return local->store;
}

const char *local_pin_problem(const struct local *local)
{
    return local->problems.pin[0] != '\0' ? local->problems.pin : NULL;
}

const char *local_identity_problem(const struct local *local)
{
    return local->problems.identity[0] != '\0' ? local->problems.identity : NULL;
}
