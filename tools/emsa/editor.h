/* The editor that a person wants: $VISUAL, else $EDITOR, else vi. */
#ifndef EMSA_TOOLS_EMSA_EDITOR_H
#define EMSA_TOOLS_EMSA_EDITOR_H

/* Runs it on a file, by a shell, as git does ($EDITOR may have arguments), and waits for its end;
 * keys that end programs, and a hangup, are the editor's meanwhile. ERR_IO: it did not start, or
 * ended with a failure, and says how. */
int editor_run(const char *file);

#endif
