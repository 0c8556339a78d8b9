/* Lines from threads that must not wait: kept in a small ring, and written by a thread of its own.
 */
#ifndef EMSA_TOOLS_EMSAD_ALARMS_H
#define EMSA_TOOLS_EMSAD_ALARMS_H

/* Starts the thread; once a process. ERR_NOMEM. */
int alarms_start(void);

/* Takes a copy of a line, of at most ALARM_MAX bytes; never waits for the log. What does not fit
 * the ring is counted, and the count is logged. In the form that the store and the tree want it:
 * arg is not used. */
#define ALARM_MAX 512
void alarms_raise(void *arg, const char *text);

/* Writes what is left and ends the thread. */
void alarms_stop(void);

#endif
