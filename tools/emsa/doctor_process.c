/* The daemon's processes: that they live, and what each may still do. All that is read here is
 * what the kernel says (/proc), but for what only the process knows of itself. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <linux/capability.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tools/common/descriptor.h"
#include "tools/emsa/doctor.h"
#include "tools/emsa/output.h"

#define FILTERED 2 /* SECCOMP_MODE_FILTER */
#define BIT(capability) (UINT64_C(1) << (capability))

struct role {
    const char *name;
    uint64_t may;    /* capabilities */
    bool is_wanted;  /* missing: something is wrong */
    bool is_child;   /* in a sandbox */
    const char *why; /* what is lost without it */
};

static const struct role roles[] = {
    {"supervisor", UINT64_MAX, true, false,
     "nobody would replace the server, and nothing new can be mounted"},
    {"server", 0, true, true, "nothing is answered"},
    {"notifier", BIT(CAP_DAC_OVERRIDE) | BIT(CAP_FOWNER), true, true,
     "watchers hear of no change until it is there again"},
    {"metrics", 0, false, true, ""},
    {"volume", 0, false, true, ""},
    {"audit", 0, false, true, ""}, /* its thread that looks has one (tools/emsad/audit_look.h) */
};
#define ROLES (sizeof roles / sizeof roles[0])

struct process_facts {
    unsigned long seccomp, no_new_privileges, uid, locked_kib;
    uint64_t capabilities;
};

/* false: there is none, or it has ended and nobody has reaped it. */
static bool read_facts(struct process_facts *out, long long pid)
{
    char path[64], line[256], state = '?';
    *out = (struct process_facts){0};
    (void)snprintf(path, sizeof path, "/proc/%lld/status", pid);
    FILE *file = fopen(path, "re");
    if (file == NULL)
        return false;
    while (fgets(line, sizeof line, file) != NULL) {
        (void)sscanf(line, "State: %c", &state);
        (void)sscanf(line, "Seccomp: %lu", &out->seccomp);
        (void)sscanf(line, "NoNewPrivs: %lu", &out->no_new_privileges);
        (void)sscanf(line, "Uid: %*u %lu", &out->uid);
        (void)sscanf(line, "VmLck: %lu", &out->locked_kib);
        (void)sscanf(line, "CapEff: %" SCNx64, &out->capabilities);
    }
    (void)fclose(file);
    return state != 'Z' && state != 'X';
}

static void say_sandbox(struct doctor *doctor, const struct role *role, long long pid,
                        const struct process_facts *facts)
{
    char missing[DOCTOR_TEXT_MAX] = "";
    size_t used = 0;
    uint64_t more = facts->capabilities & ~role->may;
    if (facts->seccomp != FILTERED)
        used += (size_t)snprintf(missing, sizeof missing, " its system calls are not filtered;");
    if (facts->no_new_privileges != 1)
        used += (size_t)snprintf(missing + used, sizeof missing - used,
                                 " it can gain rights by a program;");
    if (more != 0)
        used += (size_t)snprintf(missing + used, sizeof missing - used,
                                 " it has capabilities that it should not (%" PRIx64 ");", more);
    if (used == 0) {
        doctor_say(doctor, DOCTOR_OK, role->name, "",
                   "process %lld, uid %lu: calls filtered, no new rights, capabilities %" PRIx64,
                   pid, facts->uid, facts->capabilities);
        return;
    }
    missing[used - 1] = '\0';
    doctor_say(doctor, DOCTOR_BAD, role->name,
               "start it from an emsad of this version, on a kernel with seccomp",
               "process %lld is not in its sandbox:%s", pid, missing);
}

/* Which network a process is in; false: this user may not see. */
static bool network_of(char out[static 64], const char *process)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%s/ns/net", process);
    ssize_t size = readlink(path, out, 63);
    out[size < 0 ? 0 : size] = '\0';
    return size >= 0;
}

static void say_network(struct doctor *doctor, const struct role *role, long long pid,
                        const char *above)
{
    char number[32], theirs[64];
    (void)snprintf(number, sizeof number, "%lld", pid);
    if (!network_of(theirs, number))
        doctor_hidden(doctor, role->name, "its network");
    else if (strcmp(theirs, above) != 0)
        doctor_say(doctor, DOCTOR_OK, role->name, "", "has a network of its own, which is empty");
    else
        doctor_say(doctor, DOCTOR_WARN, role->name,
                   "run emsad with CAP_SYS_ADMIN, on a kernel with network namespaces",
                   "shares the machine's network: only the filter of calls keeps it off");
}

static bool same_binary(long long one, long long other)
{
    char path[64];
    struct stat first, second;
    (void)snprintf(path, sizeof path, "/proc/%lld/exe", one);
    if (stat(path, &first) < 0)
        return true; /* not to be seen */
    (void)snprintf(path, sizeof path, "/proc/%lld/exe", other);
    return stat(path, &second) < 0 ||
           (first.st_dev == second.st_dev && first.st_ino == second.st_ino);
}

static void say_role(struct doctor *doctor, const struct role *role, json_t *processes)
{
    json_t *number = json_object_get(processes, role->name);
    long long pid = (long long)json_integer_value(number);
    long long supervisor = (long long)json_integer_value(json_object_get(processes, "supervisor"));
    char above[64] = "", text[32];
    struct process_facts facts;
    if (number == NULL && !role->is_wanted)
        return; /* it was not asked for */
    if (pid <= 0 || !read_facts(&facts, pid)) {
        doctor_say(doctor, DOCTOR_BAD, role->name,
                   role->is_child ? "see the log of emsad" : "start 'emsad', which takes over",
                   "there is none: %s", role->why[0] != '\0' ? role->why : "it has ended");
        return;
    }
    if (!role->is_child) {
        const bool is_filtered = facts.seccomp == FILTERED && facts.no_new_privileges == 1;
        doctor_say(doctor, is_filtered ? DOCTOR_OK : DOCTOR_WARN, role->name,
                   is_filtered ? ""
                               : "start it from an emsad of this version, on a kernel with seccomp",
                   "process %lld, uid %lu: holds no key%s", pid, facts.uid,
                   is_filtered ? "; calls that it never makes are refused"
                               : ", but its system calls are not filtered");
        return;
    }
    say_sandbox(doctor, role, pid, &facts);
    (void)snprintf(text, sizeof text, "%lld", supervisor);
    if (supervisor > 0 && network_of(above, text))
        say_network(doctor, role, pid, above);
    if (supervisor > 0 && !same_binary(pid, supervisor))
        doctor_say(doctor, DOCTOR_WARN, role->name, "upgrade: 'emsad upgrade'",
                   "runs another binary than the supervisor");
}

static void say_audit(struct doctor *doctor, json_t *processes)
{
    if (json_object_get(processes, "audit") == NULL)
        doctor_say(doctor, DOCTOR_WARN, "audit", "",
                   "no audit process: who reads which secret, and who is refused, is not recorded");
}

/* The record itself is looked at elsewhere. */
static void say_sink(struct doctor *doctor)
{
    json_t *audit = json_object_get(doctor->status, "audit");
    const char *sink = output_member(audit, "sink");
    long long unsent = (long long)json_integer_value(json_object_get(audit, "unsent"));
    int failing = (int)json_integer_value(json_object_get(audit, "sink_failing"));
    if (audit == NULL || sink[0] == '\0' || strcmp(sink, "none") == 0)
        return;
    if (failing != 0)
        doctor_say(doctor, DOCTOR_WARN, "audit sink",
                   "see whether it runs; the record itself has every line: 'emsa audit'",
                   "%s takes no line of the audit record (%s), %lld did not get there", sink,
                   strerror(failing), unsent);
    else if (unsent > 0)
        doctor_say(doctor, DOCTOR_WARN, "audit sink", "the record has them: 'emsa audit'",
                   "%lld lines of the audit record did not get to %s", unsent, sink);
    else
        doctor_say(doctor, DOCTOR_OK, "audit sink", "",
                   "%s gets a copy of each line (but not of those that commands write while no "
                   "server runs)",
                   sink);
}

static void say_version(struct doctor *doctor)
{
    const char *theirs = output_member(doctor->status, "version");
    if (strcmp(theirs, EMSA_VERSION) == 0)
        doctor_say(doctor, DOCTOR_OK, "version", "", "%s, as this command", theirs);
    else
        doctor_say(doctor, DOCTOR_WARN, "version", "upgrade: 'emsad upgrade'",
                   "the server is of %s, this command of " EMSA_VERSION, theirs);
}

static bool has_exe(long long pid)
{
    char path[64], name[256];
    (void)snprintf(path, sizeof path, "/proc/%lld/exe", pid);
    return readlink(path, name, sizeof name) >= 0;
}

/* What the server says of its own memory, and the kernel of the same. */
static void say_memory(struct doctor *doctor, json_t *processes)
{
    json_t *memory = json_object_get(doctor->status, "memory");
    long long arena = (long long)json_integer_value(json_object_get(memory, "locked"));
    struct process_facts facts;
    if (memory == NULL ||
        !read_facts(&facts, json_integer_value(json_object_get(processes, "server"))))
        return;
    if ((long long)facts.locked_kib * 1024 >= arena && arena > 0)
        doctor_say(doctor, DOCTOR_OK, "keys' memory", "",
                   "%lld KiB for keys and secrets, %lu KiB locked, as the kernel says",
                   arena / 1024, facts.locked_kib);
    else
        doctor_say(doctor, DOCTOR_BAD, "keys' memory",
                   "raise the limit (LimitMEMLOCK= of the service); in a sandbox such as gVisor "
                   "locking does nothing",
                   "%lld KiB for keys and secrets, but the kernel says that %lu KiB are locked",
                   arena / 1024, facts.locked_kib);
    if (json_is_true(json_object_get(memory, "dumpable")))
        doctor_say(doctor, DOCTOR_BAD, "core dumps", "start the server again",
                   "the server can be dumped and traced by its user");
    else
        doctor_say(doctor, DOCTOR_OK, "core dumps", "",
                   "the server leaves none, and only root traces it");
}

void doctor_processes(struct doctor *doctor)
{
    json_t *processes = json_object_get(doctor->status, "processes");
    if (processes == NULL)
        return;
    say_version(doctor);
    for (size_t i = 0; i < ROLES; i++)
        say_role(doctor, &roles[i], processes);
    say_audit(doctor, processes);
    say_sink(doctor);
    if (!has_exe(json_integer_value(json_object_get(processes, "server"))))
        doctor_hidden(doctor, "processes", "the networks and the binaries of the processes");
    say_memory(doctor, processes);
}
