#include "tools/emsad/oom.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "tools/common/descriptor.h"

#define SCORE "/proc/self/oom_score_adj"
#define SPARED "-900" /* not -1000: a supervisor that eats all the memory is to end */

static char before[16]; /* empty: it was not changed */

static ssize_t put(const char *text)
{
    int fd DESCRIPTOR_CLEANUP = open(SCORE, O_WRONLY | O_CLOEXEC);
    return fd < 0 ? -1 : write(fd, text, strlen(text));
}

void oom_spare(void)
{
    int fd DESCRIPTOR_CLEANUP = open(SCORE, O_RDONLY | O_CLOEXEC);
    char text[sizeof before] = "";
    if (fd >= 0 && read(fd, text, sizeof text - 1) > 0 && put(SPARED) > 0)
        memcpy(before, text, sizeof before);
}

void oom_restore(void)
{
    if (before[0] != '\0')
        (void)put(before);
}
