/*
 * The second place that lines of the audit record go to: journald, by its native protocol, or
 * syslog. It is a copy for whoever watches the machine there, and holds nobody up: a datagram that
 * is not taken waits in a queue of a quarter of a megabyte, and what finds no room there is
 * counted. The record stays the truth (store/audit_record.h).
 *
 * The socket belongs to the audit process, and is made before its sandbox, in which none can be
 * made; it has no peer of its own, so that a log daemon that was started again is found again.
 */
#ifndef EMSA_TOOLS_EMSAD_LINE_SINK_H
#define EMSA_TOOLS_EMSAD_LINE_SINK_H

#include <stddef.h>
#include <stdint.h>
#include <sys/un.h>

#define LINE_SINK_QUEUE ((size_t)256 * 1024) /* bytes of datagrams that wait */

enum line_sink_kind { LINE_SINK_NONE, LINE_SINK_JOURNALD, LINE_SINK_SYSLOG };

struct line_sink_place {
    enum line_sink_kind kind;
    char socket[sizeof((struct sockaddr_un *)0)->sun_path];
};

/* "none", "journald", "syslog", the latter two also as "journald:SOCKET". ERR_INVALID. */
int line_sink_parse(struct line_sink_place *out, const char *text);

/* "journald"; "none" for a number that is none. */
const char *line_sink_word(uint32_t kind);

struct line_sink;

/* store is the folder whose record it is. Nobody needs to be at the socket yet. ERR_IO, ERR_NOMEM.
 */
int line_sink_open(struct line_sink **out, const struct line_sink_place *place, const char *store);
void line_sink_close(struct line_sink *); /* NULL is allowed */

/* Gives it a line (without its newline), or keeps it for line_sink_push. Never waits. */
void line_sink_give(struct line_sink *, const char *line, size_t size);

/* Gives what waits, as far as it is taken. Milliseconds until that is worth another try; -1:
 * nothing waits. Never waits itself. */
int line_sink_push(struct line_sink *);

struct line_sink_status {
    uint64_t unsent; /* lines that found no room */
    int failing;     /* errno of the last try; 0: it was taken */
};
void line_sink_status(const struct line_sink *, struct line_sink_status *out);

#endif
