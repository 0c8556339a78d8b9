/* System calls that the filters of the daemon's processes refused: the kernel's log has each, as
 * "audit: type=1326 ... comm="emsad-server" ... syscall=N ... code=0x50026". */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/common/descriptor.h"
#include "tools/emsa/doctor.h"

#define RECORD_MAX 8192 /* as /dev/kmsg gives one */
#define ROLE_MAX 12
#define KINDS_MAX 16
#define ENDED 0x80000000ul /* SECCOMP_RET_KILL_PROCESS */

struct refused {
    char role[ROLE_MAX];
    unsigned call, times;
};

struct refusals {
    struct refused kinds[KINDS_MAX];
    unsigned count, ended;
};

static void note(struct refusals *all, const char *role, unsigned call)
{
    struct refused *each = all->kinds;
    for (; each < all->kinds + all->count; each++)
        if (each->call == call && strcmp(each->role, role) == 0) {
            each->times++;
            return;
        }
    if (all->count == KINDS_MAX)
        return;
    *each = (struct refused){.call = call, .times = 1};
    (void)snprintf(each->role, sizeof each->role, "%s", role);
    all->count++;
}

static void read_record(struct refusals *all, const char *record)
{
    char role[ROLE_MAX];
    const char *comm = strstr(record, "type=1326 ");
    comm = comm == NULL ? NULL : strstr(comm, " comm=\"emsad-");
    const char *call = comm == NULL ? NULL : strstr(comm, " syscall=");
    const char *code = call == NULL ? NULL : strstr(call, " code=0x");
    if (code == NULL || sscanf(comm, " comm=\"emsad-%11[a-z]\"", role) != 1)
        return;
    if (strtoul(code + strlen(" code=0x"), NULL, 16) == ENDED)
        all->ended++;
    else
        note(all, role, (unsigned)strtoul(call + strlen(" syscall="), NULL, 10));
}

static void say(struct doctor *doctor, const struct refusals *all)
{
    char text[DOCTOR_TEXT_MAX] = "";
    size_t used = 0;
    for (unsigned i = 0; i < all->count && used < sizeof text - 64; i++) {
        const struct refused *each = &all->kinds[i];
        used += (size_t)snprintf(text + used, sizeof text - used, "%s%s %u (%u times)",
                                 i > 0 ? ", " : "", each->role, each->call, each->times);
    }
    if (all->ended > 0)
        doctor_say(doctor, DOCTOR_WARN, "calls",
                   "find out why: no version of emsa makes such a call",
                   "%u processes were ended for a call that only an attacker makes", all->ended);
    if (all->count > 0)
        doctor_say(doctor, DOCTOR_WARN, "calls",
                   "they do no harm; report the numbers, with the version of the C library",
                   "refused since the machine started, by role and number: %s", text);
    if (all->ended == 0 && all->count == 0)
        doctor_say(doctor, DOCTOR_OK, "calls", "",
                   "the kernel's log has none that a filter refused");
}

void doctor_refused(struct doctor *doctor)
{
    static char record[RECORD_MAX];
    struct refusals all = {.count = 0};
    int fd DESCRIPTOR_CLEANUP = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
    if (fd < 0) {
        doctor_hidden(doctor, "calls", "the kernel's log, which names calls that were refused,");
        return;
    }
    for (;;) {
        ssize_t size = read(fd, record, sizeof record - 1);
        if (size < 0 && (errno == EPIPE || errno == EINTR)) /* the oldest were overwritten */
            continue;
        if (size <= 0)
            break;
        record[size] = '\0';
        read_record(&all, record);
    }
    say(doctor, &all);
}
