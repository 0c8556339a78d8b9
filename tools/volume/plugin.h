/*
 * The plugin: HTTP at a unix socket on one side, the courier on the other. One thread, whose loop
 * is the caller's: plugin_poll, poll, plugin_turn.
 *
 * Every answer ends its connection. Everything has a bound: connections, the memory of each, the
 * time from connecting to a whole request, from there to the answer, and from there to the end. Who
 * connects and says nothing, or does not read, makes room for others as soon as there is none.
 */
#ifndef EMSA_TOOLS_VOLUME_PLUGIN_H
#define EMSA_TOOLS_VOLUME_PLUGIN_H

#include <poll.h>
#include <stdbool.h>
#include <stddef.h>

#include "tools/volume/courier.h"

#define PLUGIN_ENTRIES (COURIER_LINKS + 1u)

/* Milliseconds from connecting to the answer at the latest: podman waits for 5,000. */
#define PLUGIN_MILLISECONDS 4000

struct plugin;

/* Serves at the listener (taken over, also on failure). ERR_NOMEM, ERR_IO. */
int plugin_new(struct plugin **out, int listener);
void plugin_free(struct plugin *plugin); /* NULL is allowed */

/* As courier_connect, with plugin_turn to follow, and courier_is_short. */
void plugin_connect(struct plugin *plugin, int fds[], size_t count);
bool plugin_is_short(const struct plugin *plugin);

/* What to wait for; returns for how long (milliseconds, -1: as long as it takes). */
int plugin_poll(struct plugin *plugin, struct pollfd entries[static PLUGIN_ENTRIES]);

/* Does what there is to do, and waits for nothing. */
void plugin_turn(struct plugin *plugin);

#endif
