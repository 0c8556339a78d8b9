/*
 * An empty network: a namespace without any interface, not even a loopback that is up, made once by
 * the supervisor and entered by each child before it becomes its role. What a child speaks to are
 * sockets that it was handed, and those stay of the namespace that they were made in; so does the
 * port for metrics, which the supervisor makes. It stands beside the filter of calls (filter.h),
 * and where the kernel has none, in its place.
 */
#ifndef EMSA_TOOLS_EMSAD_NETWORK_H
#define EMSA_TOOLS_EMSAD_NETWORK_H

/* For the supervisor: makes it. Where this process may not (it has no CAP_SYS_ADMIN in its user
 * namespace) or the kernel has no such namespaces there is none, and children keep the network that
 * their calls do not reach. */
void network_begin(void);

/* For a child, between fork and exec: enters it, where there is one. */
void network_leave(void);

#endif
