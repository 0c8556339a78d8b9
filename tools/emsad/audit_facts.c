#include "tools/emsad/audit_facts.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "tools/common/descriptor.h"
#include "tools/emsad/audit_look.h"

#define CONTAINER_DIGITS 64u

/* The first bytes of a file of a process, without a newline at the end. */
static size_t read_of(char *out, size_t room, pid_t pid, const char *name)
{
    char path[64];
    (void)snprintf(path, sizeof path, "/proc/%d/%s", (int)pid, name);
    int fd DESCRIPTOR_CLEANUP = open(path, O_RDONLY | O_CLOEXEC);
    ssize_t size = fd < 0 ? 0 : read(fd, out, room - 1);
    if (size < 0)
        size = 0;
    while (size > 0 && out[size - 1] == '\n')
        size--;
    out[size] = '\0';
    return (size_t)size;
}

static void find_program(char out[static AUDIT_PROGRAM_MAX], pid_t pid)
{
    if (audit_look(out, AUDIT_PROGRAM_MAX, pid) == 0 &&
        read_of(out, AUDIT_PROGRAM_MAX, pid, "comm") == 0)
        (void)snprintf(out, AUDIT_PROGRAM_MAX, "gone");
}

/* Of the unified hierarchy: "0::/PATH", on a line of its own. */
static void find_cgroup(char out[static AUDIT_CGROUP_MAX], pid_t pid)
{
    char text[4096];
    out[0] = '\0';
    if (read_of(text, sizeof text, pid, "cgroup") == 0)
        return;
    for (char *line = text; line != NULL;) {
        char *end = strchr(line, '\n');
        if (end != NULL)
            *end = '\0';
        if (strncmp(line, "0::", 3) == 0)
            (void)snprintf(out, AUDIT_CGROUP_MAX, "%.*s", AUDIT_CGROUP_MAX - 1, line + 3);
        line = end != NULL ? end + 1 : NULL;
    }
}

void audit_facts_container(char out[static AUDIT_CONTAINER_MAX], const char *cgroup)
{
    static const char digits[] = "0123456789abcdef";
    out[0] = '\0';
    for (const char *at = cgroup; *at != '\0';) {
        size_t run = strspn(at, digits);
        if (run == CONTAINER_DIGITS) {
            memcpy(out, at, run);
            out[run] = '\0';
        }
        at += run > 0 ? run : 1;
    }
}

static const char *or_none(const char *text)
{
    return text[0] != '\0' ? text : NULL;
}

void audit_facts_of(struct audit_process_facts *out, pid_t pid)
{
    out->facts = (struct audit_facts){.program = NULL};
    if (pid <= 0)
        return;
    find_program(out->program, pid);
    find_cgroup(out->cgroup, pid);
    audit_facts_container(out->container, out->cgroup);
    out->facts = (struct audit_facts){.program = out->program,
                                      .cgroup = or_none(out->cgroup),
                                      .container = or_none(out->container)};
}
