/* Where a child may still write. Needed because root without a capability still owns root's files:
 * seccomp cannot tell one file from another, Landlock can. */
#ifndef EMSA_TOOLS_EMSAD_CONFINE_H
#define EMSA_TOOLS_EMSAD_CONFINE_H

/* From here on this thread, and whatever thread it starts, opens nothing for writing, makes nothing
 * and removes nothing but beneath folder (NULL: nowhere); what is open stays open. No_new_privs
 * must be set. Where the kernel has no Landlock (before Linux 5.13, or switched off) nothing is
 * confined. ERR_IO, ERR_DENIED, ERR_NOT_FOUND. */
int confine_writes(const char *folder);

/* The same, for the server: nothing is opened for reading either, but beneath the store's folder
 * and what a process must look at: the system's lists of users and groups as they are now (who
 * asks later for newer ones is given them, people_link.h), its own map of memory, the number of
 * processors, randomness. */
int confine_store(const char *folder);

/* The same, for the audit process: it reads and writes beneath that folder, and reads what /proc
 * says of others. */
int confine_audit(const char *folder);

/* From here on this process has no folder: its root is an empty file system that nobody can write
 * to, and what it does to files it does through descriptors that it is handed. (They may be mounts,
 * and Landlock would have to know those beforehand.) Positive 1: it has no right to do that; then
 * it has none to mount either. ERR_IO. */
int confine_root(void);

/* After it, in place of confine_writes: forbids what is of no use on such mounts (fs/edit.h). */
int confine_edits(void);

/* The same, and nothing is opened for reading or run either. */
int confine_all(void);

#endif
