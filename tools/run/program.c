#include "tools/run/program.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/run/say.h"

extern char **environ;

static void tell_size(const struct variables *variables, const char *command)
{
    const char *largest = variables->count > 0 ? variables->text + variables->largest : "";
    (void)say("cannot run '%s': its variables come to %zu bytes, more than the kernel gives a "
              "program (a quarter of its stack, 'ulimit -s'). The largest is '%.*s'; --file KEY "
              "leaves one to be read as a file",
              command, variables->size, (int)strcspn(largest, "="), largest);
}

int program_become(char **command, const struct variables *variables)
{
    char **environment = variables_environment(variables, environ);
    if (environment == NULL) {
        (void)say("cannot run '%s': no memory for its environment", command[0]);
        return PROGRAM_NOT_RUN;
    }
    char **before = environ;
    environ = environment; /* execvp looks for PATH in it */
    (void)execvp(command[0], command);
    int failed = errno;
    environ = before;
    free(environment);
    if (failed == E2BIG)
        tell_size(variables, command[0]);
    else
        (void)say("cannot run '%s': %s", command[0], strerror(failed));
    return failed == ENOENT ? PROGRAM_NOT_FOUND : PROGRAM_NOT_RUN;
}
