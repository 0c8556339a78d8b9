/* What /proc says of a process while it lives: hints, never a ground to decide by. */
#ifndef EMSA_TOOLS_EMSAD_AUDIT_FACTS_H
#define EMSA_TOOLS_EMSAD_AUDIT_FACTS_H

#include <sys/types.h>

#include "store/audit_record.h"

#define AUDIT_PROGRAM_MAX 512
#define AUDIT_CGROUP_MAX 512
#define AUDIT_CONTAINER_MAX 65

struct audit_process_facts {
    char program[AUDIT_PROGRAM_MAX]; /* its executable; its name where that may not be seen; "gone"
                                      */
    char cgroup[AUDIT_CGROUP_MAX];
    char container[AUDIT_CONTAINER_MAX];
    struct audit_facts facts; /* of these; NULL where there is nothing to tell */
};

/* pid 0: of nobody. */
void audit_facts_of(struct audit_process_facts *out, pid_t pid);

/* The id of a container that a cgroup's path names: 64 hex digits, as docker, podman, containerd
 * and cri-o do; else "". */
void audit_facts_container(char out[static AUDIT_CONTAINER_MAX], const char *cgroup);

#endif
