/*
 * How a daemon tells whoever started it that it is ready, or why it is not: through a pipe, whose
 * end the reader waits for. What is written is "ready\n", or "error STATUS WORD MESSAGE\n" (the
 * exit status, the word of error_word, and the message, which may have further lines).
 */
#ifndef EMSA_TOOLS_COMMON_READY_H
#define EMSA_TOOLS_COMMON_READY_H

/* The daemon's side: writes, closes *fd and makes it -1; negative does nothing. error 0: ready;
 * else the failure, with its text. */
void ready_tell(int *fd, int error, const char *text);

/* The other side: waits for the pipe's end, at most deadline milliseconds (-1: none). 0: ready.
 * Negative: the daemon's failure with its text, or ERR_IO when it ended, or did not answer, without
 * a word. fd stays the caller's. */
int ready_wait(int fd, int deadline);

#endif
