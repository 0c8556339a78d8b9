/*
 * The audit process: makes the audit record (store/audit_record.h) of what servers put into the
 * ring (store/audit_ring.h). It holds the ring, the record and its present key; no store, no
 * identity, no view. It runs as the owner of the store's folder, starts nothing, has one socket, if
 * any, by which copies of its lines go to journald or syslog (line_sink.h), and reads of other
 * processes what anybody may (comm, cgroup) and, by one thread that can do nothing else, which
 * program they run (audit_look.h).
 *
 * Nobody waits for it. While it is stopped, dead or the disk is full, the ring keeps and counts;
 * what the ring could not keep is told as a line of its own as soon as there is room again. It has
 * its lines on disk within a second. It ends when its channel to the supervisor is closed, with the
 * ring empty, if the disk takes it.
 */
#ifndef EMSA_TOOLS_EMSAD_AUDIT_H
#define EMSA_TOOLS_EMSAD_AUDIT_H

int audit_run(int channel);

#endif
