/* Lines to standard error, each after the program's name. Never a value. */
#ifndef EMSA_TOOLS_RUN_SAY_H
#define EMSA_TOOLS_RUN_SAY_H

/* What this program itself ends with, where it is not the command that ended: as env(1), timeout(1)
 * and container runtimes do. 126 and 127 are in program.h. */
#define RUN_REFUSED 125

/* As printf, with a line end. Returns RUN_REFUSED, so that a refusal is one line. */
__attribute__((format(printf, 1, 2))) int say(const char *format, ...);

/* Lines that belong to the one before, as they are. */
void say_lines(const char *lines);

#endif
