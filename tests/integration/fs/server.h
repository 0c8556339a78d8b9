/* The serving process of a test and what it is told over a stream socket. */
#ifndef EMSA_TESTS_FS_SERVER_H
#define EMSA_TESTS_FS_SERVER_H

#include <stdint.h>

#include "tests/integration/fs/world.h"

enum command_kind {
    COMMAND_ENVIRONMENT_ADD, /* the value is its base */
    COMMAND_ENVIRONMENT_REMOVE,
    COMMAND_SERVICE_ADD,
    COMMAND_SERVICE_REMOVE,
    COMMAND_SET,
    COMMAND_SET_SECRET,
    COMMAND_SET_LINK,
    COMMAND_SET_TEMPLATE,
    COMMAND_SHARE, /* the value is the consumer */
    COMMAND_REMOVE,
    COMMAND_COMMIT,
    COMMAND_STATUS,
    COMMAND_MOVE, /* the path is "VIEW REVISION" */
};

struct command { /* then size bytes of value */
    uint32_t kind;
    uint32_t size;
    char path[400];
};

struct answer { /* to COMMIT, STATUS and MOVE */
    int32_t error;
    uint64_t rev;
    struct fs_status status;
    char text[512];
};

/* Serves until the socket ends. Never returns. notifier: its end of the channel. */
void server_run(const struct world *world, int commands, int notifier) __attribute__((noreturn));

/* Makes the store and its identity; in a process of its own. */
void server_make_store(const struct world *world) __attribute__((noreturn));

/* The notifying process: takes descriptors of servers from control. */
void notifier_run(const struct world *world, int control) __attribute__((noreturn));

void stream_write(int fd, const void *data, size_t size);
/* False at the end of the stream. */
bool stream_read(int fd, void *data, size_t size);
void descriptor_send(int socket, int fd);
/* -1 at the end. */
int descriptor_receive(int socket);

/* Prints and ends the process (exit status 99). */
void give_up(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

#endif
