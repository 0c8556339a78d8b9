/*
 * A damaged file must not kill the process that serves it. LMDB reads its file through a map,
 * trusts what it finds there, and answers a page that can't be read with SIGBUS, a wild offset with
 * SIGSEGV and a broken rule with its assertion (measured: one flipped bit in eight ends that way).
 * Work that touches the map is done inside guard_call, which turns each of the three into a result.
 *
 * What the work had in its hands is lost: only LMDB calls and reading go in there, nothing of ours
 * that takes a lock or memory. A fault outside of any guard goes to the handler that was there
 * before ours.
 */
#ifndef EMSA_STORE_DB_GUARD_H
#define EMSA_STORE_DB_GUARD_H

/* Installs the handlers of the process, where they aren't there already. ERR_IO. */
int guard_install(void);

/* No LMDB code, no code of ours, no errno. */
#define GUARD_FAULT (-2000000)

/* Runs work(arg) and returns what it returns, or GUARD_FAULT. Guards don't nest. */
int guard_call(int (*work)(void *arg), void *arg);

/* Leaves the running guard_call with GUARD_FAULT; returns if there is none. For LMDB's assertion.
 */
void guard_escape(void);

#endif
