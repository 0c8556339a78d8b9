/*
 * Taking in what kubernetes manifests set: "env" and "envFrom" of every workload's containers, and
 * the ConfigMaps and Secrets that stand in the same file.
 *
 * A ConfigMap or Secret becomes a service of its own name, which holds its data once; a workload
 * becomes a service whose keys are links to them, templates where "$(NAME)" is expanded, and
 * values. The containers of one pod are one service as long as they agree.
 */
#ifndef EMSA_TOOLS_EMSA_KUBE_H
#define EMSA_TOOLS_EMSA_KUBE_H

#include "store/secret.h"
#include "tools/emsa/intake.h"

/* Fills an empty intake. What cannot be taken in, and what kubernetes leaves unset, goes to its
 * note. ERR_INVALID: "FILE, line N: ..." for what kubernetes would refuse; ERR_NOMEM. */
int kube_take(struct intake *intake, const char *file, const struct secret *text);

#endif
