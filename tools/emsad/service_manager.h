/* What a service manager wants to hear (sd_notify's protocol: a datagram to $NOTIFY_SOCKET). */
#ifndef EMSA_TOOLS_EMSAD_SERVICE_MANAGER_H
#define EMSA_TOOLS_EMSAD_SERVICE_MANAGER_H

/* Sends lines like "READY=1\nSTATUS=serving"; does nothing where nobody asked for it. */
void service_manager_tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
