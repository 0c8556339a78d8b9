/*
 * Which program a process runs, as the audit process sees it.
 *
 * The kernel shows that of another's process to nobody without CAP_SYS_PTRACE; and who has that may
 * open /proc/PID/mem of the server as well, with every key in it. So no process of ours has it that
 * can open a file. One thread of the audit process has it, and can do nothing with it but that: it
 * is in no Landlock domain (there no other process could be seen), and its list of calls has
 * readlink, and neither open nor any that takes a process by its number. It shares memory with the
 * rest of the audit process, so whoever has taken that over may have this thread call what it
 * likes: what it gains are the names of programs, and where links below /proc/PID lead. The memory
 * of a process is checked when it is opened, by the rights of the thread that opens it, and the
 * thread that can open has none.
 */
#ifndef EMSA_TOOLS_EMSAD_AUDIT_LOOK_H
#define EMSA_TOOLS_EMSAD_AUDIT_LOOK_H

#include <stddef.h>
#include <sys/types.h>

/* Starts the thread, which limits itself (sandbox_look), while the caller has its capabilities yet;
 * it is in its sandbox on return. ERR_NOMEM, ERR_DENIED, ERR_IO: there is none. */
int audit_look_begin(void);
void audit_look_end(void);

/* The executable's path, ended by NUL; its size, 0: it may not be seen, or there is none. One
 * thread at a time. */
size_t audit_look(char *out, size_t room, pid_t pid);

#endif
