/* Where metrics are asked for: a port, or a socket in a folder. Made by the supervisor. */
#ifndef EMSA_TOOLS_EMSAD_METRICS_LISTENER_H
#define EMSA_TOOLS_EMSAD_METRICS_LISTENER_H

/*
 * Makes a listening socket at "PORT" (of the loopback), "ADDRESS:PORT", "[ADDRESS]:PORT" (IPv6) or
 * "unix:PATH", which everybody may connect to, as to a port; a stale socket at PATH makes room.
 * Nothing is looked up: addresses are numbers. ERR_INVALID: it is none of these; ERR_REFUSED: the
 * place is taken; ERR_DENIED, ERR_NOT_FOUND, ERR_IO.
 */
int metrics_listen(int *out, const char *place);

/* Takes the name of such a socket away; nothing for a port. */
void metrics_hide(const char *place);

#endif
