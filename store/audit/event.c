#include "store/audit.h"

const char *audit_kind_word(unsigned kind)
{
    static const char *const words[AUDIT_KINDS] = {
        [AUDIT_NONE] = "none",     [AUDIT_READ] = "read",     [AUDIT_DENIED] = "denied",
        [AUDIT_START] = "start",   [AUDIT_STOP] = "stop",     [AUDIT_UNLOCK] = "unlock",
        [AUDIT_RIGHTS] = "rights", [AUDIT_COMMIT] = "commit", [AUDIT_AUDITOR] = "auditor",
        [AUDIT_LOST] = "lost"};
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
