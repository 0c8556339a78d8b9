#include <stddef.h>
#include <string.h>

#include "store/audit.h"

void audit_event_begin(struct audit_event *event, enum audit_kind kind, enum audit_door door)
{
    memset(event, 0, offsetof(struct audit_event, method));
    event->kind = (uint8_t)kind;
    event->door = (uint8_t)door;
    event->method[0] = event->identity[0] = event->text[0] = '\0';
}

static void copy_text(char *to, const char *from, size_t room)
{
    size_t size = strnlen(from, room - 1);
    memcpy(to, from, size);
    to[size] = '\0';
}

void audit_event_copy(struct audit_event *to, const struct audit_event *from)
{
    memcpy(to, from, offsetof(struct audit_event, method));
    copy_text(to->method, from->method, sizeof to->method);
    copy_text(to->identity, from->identity, sizeof to->identity);
    copy_text(to->text, from->text, sizeof to->text);
}

const char *audit_kind_word(unsigned kind)
{
    static const char *const words[AUDIT_KINDS] = {
        [AUDIT_NONE] = "none",     [AUDIT_READ] = "read",      [AUDIT_DENIED] = "denied",
        [AUDIT_START] = "start",   [AUDIT_STOP] = "stop",      [AUDIT_UNLOCK] = "unlock",
        [AUDIT_RIGHTS] = "rights", [AUDIT_COMMIT] = "commit",  [AUDIT_AUDITOR] = "auditor",
        [AUDIT_LOST] = "lost",     [AUDIT_REBUILD] = "rebuild"};
    return kind < AUDIT_KINDS ? words[kind] : "?";
}

const char *audit_door_word(unsigned door)
{
    static const char *const words[AUDIT_DOORS] = {
        [AUDIT_DOOR_NONE] = "none",     [AUDIT_DOOR_OPEN] = "open",
        [AUDIT_DOOR_JSON] = "json",     [AUDIT_DOOR_ENV] = "env",
        [AUDIT_DOOR_CALL] = "call",     [AUDIT_DOOR_GET] = "get",
        [AUDIT_DOOR_EXPORT] = "export", [AUDIT_DOOR_EXEC] = "exec",
        [AUDIT_DOOR_EDIT] = "edit",     [AUDIT_DOOR_CREDENTIAL] = "credential",
        [AUDIT_DOOR_DIFF] = "diff",     [AUDIT_DOOR_CHECK] = "check",
        [AUDIT_DOOR_INFER] = "infer",   [AUDIT_DOOR_CHANGE] = "change"};
    return door < AUDIT_DOORS ? words[door] : "?";
}
