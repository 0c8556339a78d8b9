#include "tools/emsad/metrics_listener.h"

#include <errno.h>
#include <netdb.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "store/error.h"
#include "tools/common/descriptor.h"
#include "tools/emsad/socket_file.h"

#define BACKLOG 64
#define UNIX "unix:"
#define LOOPBACK "127.0.0.1"
#define ADDRESS_MAX 64

static int wrong_place(const char *place)
{
    return error_set(ERR_INVALID,
                     "'%s' is no place for metrics: write PORT (of " LOOPBACK
                     "), ADDRESS:PORT, [ADDRESS]:PORT or unix:PATH",
                     place);
}

static struct socket_file made;

static int listen_at(int fd, const struct sockaddr *address, socklen_t size, const char *place)
{
    if (bind(fd, address, size) < 0)
        return errno == EADDRINUSE
                   ? error_set(ERR_REFUSED, "cannot listen for metrics at '%s': it is taken", place)
                   : error_system(errno, "cannot listen for metrics at '%s'", place);
    return listen(fd, BACKLOG) < 0 ? error_system(errno, "cannot listen at '%s'", place) : 0;
}

/* Address and port, apart. */
static int divide(char address[static ADDRESS_MAX], const char **port, const char *place)
{
    const char *colon = strrchr(place, ':');
    const char *from = colon == NULL ? LOOPBACK : place;
    size_t length = colon == NULL ? strlen(LOOPBACK) : (size_t)(colon - place);
    *port = colon == NULL ? place : colon + 1;
    if (from[0] == '[' && length > 1 && from[length - 1] == ']') {
        from++;
        length -= 2;
    } else if (memchr(from, ':', length) != NULL) {
        return wrong_place(place); /* IPv6 stands in brackets: where would its port begin? */
    }
    if (length == 0 || length >= ADDRESS_MAX)
        return wrong_place(place);
    memcpy(address, from, length);
    address[length] = '\0';
    char *end;
    unsigned long number = strtoul(*port, &end, 10);
    return **port < '0' || **port > '9' || *end != '\0' || number == 0 || number > 65535
               ? wrong_place(place)
               : 0;
}

static int make_port(int *out, const char *place)
{
    char address[ADDRESS_MAX];
    const char *port;
    struct addrinfo *found;
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
    int error = divide(address, &port, place);
    if (error < 0)
        return error;
    if (getaddrinfo(address, port, &hints, &found) != 0)
        return wrong_place(place);
    int one = 1;
    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        error = error_system(errno, "cannot make a socket for '%s'", place);
    else if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) < 0)
        error = error_system(errno, "cannot prepare a socket for '%s'", place);
    if (error == 0)
        error = listen_at(fd, found->ai_addr, found->ai_addrlen, place);
    freeaddrinfo(found);
    if (error < 0)
        descriptor_close(&fd);
    else
        *out = fd;
    return error;
}

int metrics_listen(int *out, const char *place)
{
    if (strncmp(place, UNIX, strlen(UNIX)) == 0)
        return socket_file_listen(out, &made, place + strlen(UNIX), 0666, BACKLOG, "metrics");
    return make_port(out, place);
}

void metrics_hide(const char *place)
{
    if (strncmp(place, UNIX, strlen(UNIX)) == 0)
        socket_file_hide(&made, place + strlen(UNIX));
}
