#include "tools/emsad/people_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/service/people.h"

#define SEND_MILLISECONDS 1000 /* the supervisor has others to hear */

static int open_over(void *arg, enum people_file file)
{
    int fd = -1;
    return link_people(arg, file, &fd) == 0 ? fd : -1;
}

void people_link_begin(struct link *link)
{
    people_open_by(open_over, link);
}

int people_link_answer(const struct child *server, const struct channel_message *asked)
{
    struct channel_message answer = {.kind = CHANNEL_MOUNTED, .request = asked->request};
    const char *path = asked->view == PEOPLE_USERS ? "/etc/passwd" : "/etc/group";
    int fd DESCRIPTOR_CLEANUP = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
    if (fd < 0) {
        answer.error = -ERR_NOT_FOUND;
        (void)snprintf(answer.text, sizeof answer.text, "cannot open '%s': %s", path,
                       strerror(errno));
    }
    return channel_send(server->channel, &answer, &fd, fd < 0 ? 0 : 1, SEND_MILLISECONDS);
}
