/* Where a child may still write. Needed because root without a capability still owns root's files:
 * seccomp cannot tell one file from another, Landlock can. */
#ifndef EMSA_TOOLS_EMSAD_CONFINE_H
#define EMSA_TOOLS_EMSAD_CONFINE_H

/* From here on this thread, and whatever thread it starts, opens nothing for writing, makes nothing
 * and removes nothing but beneath folder (NULL: nowhere); what is open stays open. No_new_privs
 * must be set. Where the kernel has no Landlock (before Linux 5.13, or switched off) nothing is
 * confined. ERR_IO, ERR_DENIED, ERR_NOT_FOUND. */
int confine_writes(const char *folder);

#endif
