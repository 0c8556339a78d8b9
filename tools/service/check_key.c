/* Check: one key. */
#include <stdio.h>
#include <string.h>

#include "store/error.h"
#include "store/template.h"
#include "tools/service/check.h"

static const char *verdict_word(enum verdict verdict)
{
    switch (verdict) {
    case VERDICT_VALID:
        return "valid";
    case VERDICT_UNCHECKED:
        return "unchecked";
    case VERDICT_MISSING:
        return "missing";
    case VERDICT_UNDECLARED:
        return "undeclared";
    case VERDICT_ELSEWHERE:
        return "elsewhere";
    case VERDICT_PLAIN:
        return "plain";
    case VERDICT_WRONG:
        return "wrong";
    }
    return "wrong";
}

static int judge(struct check *check, const struct schema *schema, struct schema_subject *subject,
                 uint64_t rev, enum verdict *verdict)
{
    char text[TYPE_TEXT_MAX];
    subject->environment = check->environment.name;
    subject->base = check->base[0] != '\0' ? check->base : NULL;
    int error = schema_judge(schema, verdict, text, subject);
    if (error < 0 || *verdict == VERDICT_VALID)
        return error;
    return check_found_key(check, *verdict == VERDICT_UNCHECKED ? SEVERITY_NOTE : SEVERITY_ERROR,
                           verdict_word(*verdict), subject->key, rev, text);
}

int check_absent(struct check *check, const struct schema *schema, const struct schema_key *key)
{
    struct schema_subject subject = {.key = key->name};
    enum verdict verdict;
    if (key->has_default) /* which is in effect wherever the schema is in force */
        return 0;
    return judge(check, schema, &subject, 0, &verdict);
}

/* A string may hold them; but hardly anybody means them. Of other types they are wrong anyway. */
static int look_at_ends(struct check *check, const struct schema_key *key,
                        const struct schema_subject *subject, uint64_t rev)
{
    const unsigned char *data = subject->value;
    if (key == NULL || key->type != TYPE_STRING || data == NULL || subject->size == 0)
        return 0;
    const unsigned char *newline = memchr(data, '\n', subject->size);
    if (memchr(data, '\r', subject->size) != NULL)
        return check_found_key(check, SEVERITY_WARNING, "carriage-return", subject->key, rev,
                               "has a carriage return, as a file from Windows has");
    if (newline == data + subject->size - 1)
        return check_found_key(check, SEVERITY_WARNING, "newline", subject->key, rev,
                               "ends in a newline, which whoever reads it gets too");
    return 0;
}

/* [A-Za-z_][A-Za-z0-9_]* */
static int look_at_name(struct check *check, const struct entry *entry)
{
    const char *name = entry->key;
    bool good = !(name[0] >= '0' && name[0] <= '9');
    for (const char *at = name; good && *at != '\0'; at++)
        good = (*at >= 'A' && *at <= 'Z') || (*at >= 'a' && *at <= 'z') ||
               (*at >= '0' && *at <= '9') || *at == '_';
    if (good)
        return 0;
    return check_found_key(check, SEVERITY_WARNING, "no-variable", name, 0,
                           "is no name of a variable: read it as a file");
}

/* Whether what a template refers to is a secret here: 1, 0 or a failure. */
static int reaches_secret(struct check *check, const struct reference *reference)
{
    struct service service = check->service;
    struct entry entry;
    int found = 0;
    if (reference->service[0] != '\0')
        found =
            snapshot_service(check->snapshot, &service, check->environment.id, reference->service);
    if (found == 0)
        found = snapshot_entry(check->snapshot, &entry, check->environment.id, service.id,
                               reference->key);
    return found < 0 ? found : found == 0 && entry.kind == ENTRY_SECRET;
}

static bool has_colon_slashes(const struct template_piece *piece)
{
    return memmem(piece->text, piece->size, "://", 3) != NULL;
}

static int tell_bare(struct check *check, const struct entry *entry,
                     const struct reference *reference)
{
    char target[REFERENCE_TEXT_MAX], text[REFERENCE_TEXT_MAX + 128];
    reference_text(target, reference, check->service.name);
    snprintf(text, sizeof text,
             "has the secret '%s' bare in a url, where '@' or '/' would break it: ${...|url}",
             target);
    return check_found_key(check, SEVERITY_WARNING, "bare-secret", entry->key, entry->rev, text);
}

/* Behind the beginning of a url a secret needs the filter. */
static int walk_pieces(struct check *check, const struct entry *entry, bool is_url,
                       struct template *template)
{
    struct template_piece piece;
    bool in_url = false;
    for (unsigned i = 0; template_next(template, &piece) == 0; i++) {
        if (piece.kind == TEMPLATE_TEXT) {
            in_url = in_url || has_colon_slashes(&piece);
            continue;
        }
        if (piece.filter != TEMPLATE_AS_IS || !(in_url || (is_url && i > 0)))
            continue;
        int secret = reaches_secret(check, &piece.reference);
        if (secret > 0)
            return tell_bare(check, entry, &piece.reference);
        if (secret < 0)
            return secret;
    }
    return 0;
}

static int look_at_template(struct check *check, const struct schema_key *key,
                            const struct entry *entry)
{
    struct secret scratch SECRET_CLEANUP = {0};
    const unsigned char *data;
    size_t size;
    if (entry->kind != ENTRY_SECRET || entry->defined.kind != ENTRY_TEMPLATE)
        return 0;
    int found = snapshot_text(check->snapshot, &data, &size, &entry->defined, &scratch);
    if (found != 0)
        return found < 0 ? found : error_set(ERR_CORRUPT, "a template has no text");
    struct template template = {.text = (const char *)data, .size = size};
    return walk_pieces(check, entry, key != NULL && key->type == TYPE_URL, &template);
}

/* The value, where it is at hand; NULL where it is not. */
static int take_value(struct check *check, const struct entry *entry, const void **value,
                      size_t *size)
{
    const unsigned char *data;
    int found = snapshot_value(check->snapshot, &data, size, entry, &check->scratch);
    *value = NULL;
    if (found == 0 && entry->kind == ENTRY_SECRET)
        check->opened++;
    if (found == -ERR_NO_KEY)
        error_clear();
    else if (found == 0)
        *value = *size > 0 ? (const void *)data : "";
    else if (found > 0)
        return error_set(ERR_CORRUPT, "the value of '%s' is not there", entry->key);
    return found == -ERR_NO_KEY ? 0 : found;
}

int check_entry(struct check *check, const struct schema *schema, const struct entry *entry)
{
    const struct schema_key *key = schema != NULL ? schema_find(schema, entry->key) : NULL;
    struct schema_subject subject = {
        .key = entry->key, .is_there = true, .is_secret = entry->kind == ENTRY_SECRET};
    enum verdict verdict = VERDICT_VALID;
    int error = 0;
    if (check->has_locks)
        error = check_left_entry(check, entry);
    if (error < 0 || check->is_all)
        return error;
    if (key != NULL)
        error = take_value(check, entry, &subject.value, &subject.size);
    if (error == 0 && schema != NULL)
        error = judge(check, schema, &subject, entry->rev, &verdict);
    if (error == 0 && verdict == VERDICT_VALID)
        error = look_at_ends(check, key, &subject, entry->rev);
    if (error == 0)
        error = look_at_name(check, entry);
    return error < 0 ? error : look_at_template(check, key, entry);
}
