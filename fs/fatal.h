/*
 * Whose fault it is: a thread in which a signal that ends the process is raised says so in its slot
 * of the memory that outlives servers (fs/replay.h), and then it ends as it would have.
 *
 * These handlers stand behind store/db/guard's, which turns faults of the store's map into errors
 * and hands on what is not its own: so fatal_catch comes before the store is opened.
 */
#ifndef EMSA_FS_FATAL_H
#define EMSA_FS_FATAL_H

#include "fs/state.h"

/* Installs the handlers (SIGSEGV, SIGBUS, SIGABRT, SIGILL, SIGFPE); what was there before is called
 * after the mark was made. Once a process. ERR_IO. */
int fatal_catch(void);

/* Whose memory says that a death is explained. Before the threads; NULL: no more. */
void fatal_state(struct state *state);

/* The slot of this very thread; NULL: it has none any more. */
void fatal_attach(struct request_slot *slot);

#endif
