/* Whom the kernel ends when memory is short: a server can be replaced, the supervisor replaces. */
#ifndef EMSA_TOOLS_EMSAD_OOM_H
#define EMSA_TOOLS_EMSAD_OOM_H

/* Asks the kernel to spare this process; where that is not permitted, nothing changes. Once. */
void oom_spare(void);

/* As it was before oom_spare: for a child, and for what takes this process's place. Safe after a
 * fork. */
void oom_restore(void);

#endif
