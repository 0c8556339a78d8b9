#include "tools/emsa/intake_marks.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "tools/emsa/hidden.h"
#include "tools/emsa/intake_text.h"
#include "tools/emsa/recognise.h"

#define SHOWN_MAX 40u /* of what is asked about */

struct marking {
    struct intake *intake;
    const struct intake_choice *choice;
    bool asks;
    size_t asked;
};

/* KEY, or SERVICE/KEY */
static bool is_named(const struct intake *intake, const struct intake_key *key, const char *name)
{
    const char *service = intake->services[key->service].name;
    const char *slash = strchr(name, '/');
    if (slash == NULL)
        return strcmp(key->name, name) == 0;
    return strlen(service) == (size_t)(slash - name) &&
           memcmp(service, name, strlen(service)) == 0 && strcmp(key->name, slash + 1) == 0;
}

static int set_marks(struct intake *intake, const struct texts *names, char mark,
                     const char *option)
{
    for (size_t i = 0; i < names->count; i++) {
        bool found = false;
        for (size_t n = 0; n < intake->key_count; n++) {
            struct intake_key *key = &intake->keys[n];
            if (!intake_has(intake, key) || !is_named(intake, key, names->list[i]))
                continue;
            found = true;
            if (key->mark != 0 && key->mark != mark)
                return error_set(ERR_INVALID, "'%s' is marked --secret and --plain: choose one",
                                 names->list[i]);
            key->mark = mark;
        }
        if (!found)
            return error_set(ERR_NOT_FOUND, "no key '%.64s' there, which %s names", names->list[i],
                             option);
    }
    return 0;
}

/* Later ones first: a link gives what its name says to what it links to. */
static void hand_on(struct intake *intake, const size_t *order)
{
    for (size_t i = intake->key_count; i > 0; i--) {
        struct intake_key *key = &intake->keys[order[i - 1]];
        if (!intake_has(intake, key) || intake_form(intake, key) != INTAKE_LINK)
            continue;
        struct intake_key *target = &intake->keys[intake->parts[key->value.first_part].key];
        if (target->mark == 0)
            target->mark = key->mark;
        if (recognise_name(key->name) != NULL && target->asked_by == INTAKE_NONE)
            target->asked_by = order[i - 1];
        else if (key->asked_by != INTAKE_NONE && target->asked_by == INTAKE_NONE)
            target->asked_by = key->asked_by;
    }
}

static bool comes_from_secret(const struct intake *intake, const struct intake_key *key)
{
    const struct intake_part *parts = intake->parts + key->value.first_part;
    for (size_t i = 0; i < key->value.part_count; i++)
        if (parts[i].key != INTAKE_NONE && intake->keys[parts[i].key].touches)
            return true;
    return false;
}

/* One question is enough: the answer decides about what is made from it, too. */
static bool comes_from_asked(const struct intake *intake, struct intake_key *key)
{
    const struct intake_part *parts = intake->parts + key->value.first_part;
    for (size_t i = 0; i < key->value.part_count; i++)
        if (parts[i].key != INTAKE_NONE && intake->keys[parts[i].key].asked)
            key->asked = true;
    return key->asked;
}

/* Why what a template's text says looks like a secret; NULL where it does not. */
static int look_at_text(const struct intake *intake, const struct intake_key *key, const char **why)
{
    struct secret text SECRET_CLEANUP = {0};
    int error = intake_template(&text, intake, key);
    if (error == 0)
        *why = recognise_value(text.data, text.size);
    return error;
}

static const char *look_at_name(const struct intake *intake, const struct intake_key *key)
{
    const char *why = recognise_name(key->name);
    return why == NULL && key->asked_by != INTAKE_NONE
               ? recognise_name(intake->keys[key->asked_by].name)
               : why;
}

static void ask(struct marking *marking, struct intake_key *key, const char *why)
{
    const struct intake *intake = marking->intake;
    char by[SERVICE_NAME_MAX + KEY_NAME_MAX + 32] = "";
    key->asked = true;
    if (marking->asked++ == 0)
        error_set(ERR_REFUSED,
                  "some keys look like secrets: mark each with --secret KEY or --plain "
                  "KEY (or SERVICE/KEY), or say --guess-secrets");
    if (recognise_name(key->name) == NULL && key->asked_by != INTAKE_NONE) {
        const struct intake_key *other = &intake->keys[key->asked_by];
        snprintf(by, sizeof by, "'%s/%s' is all of it: ", intake->services[other->service].name,
                 other->name);
    }
    if (marking->asked <= SHOWN_MAX)
        error_add(ERR_REFUSED, "%s/%s (%s, line %u): %s%s", intake->services[key->service].name,
                  key->name, key->file, key->line, by, why);
}

/* A value of its own. */
static void mark_value(struct marking *marking, struct intake_key *key)
{
    const struct intake *intake = marking->intake;
    if (key->secret || key->mark == 's') {
        key->secret = key->mark != 'p';
        return;
    }
    if (key->mark == 'p')
        return;
    if (comes_from_secret(intake, key)) {
        key->secret = true;
        return;
    }
    const char *why = look_at_name(intake, key);
    if (why == NULL)
        why = recognise_value(intake_bytes(intake, key), key->value.size);
    if (why == NULL)
        return;
    key->secret = marking->choice->guess;
    if (!key->secret && marking->asks)
        ask(marking, key, why);
}

static int mark_template(struct marking *marking, struct intake_key *key)
{
    const char *why = NULL;
    bool touches = comes_from_secret(marking->intake, key);
    int error = look_at_text(marking->intake, key, &why);
    if (error < 0 || key->mark == 'p')
        return error;
    if (why == NULL && !touches && !comes_from_asked(marking->intake, key))
        why = look_at_name(marking->intake, key);
    if (key->mark == 's' && (why != NULL || !touches))
        key->flat = key->secret = true;
    else if (why != NULL && marking->choice->guess)
        key->flat = key->secret = true;
    else if (why != NULL)
        ask(marking, key, why);
    if (key->flat)
        intake_note_at(marking->intake, key->file, key->line,
                       "'%s/%s' is set as a secret of its own, which follows nothing: a template's "
                       "text is no secret",
                       marking->intake->services[key->service].name, key->name);
    return 0;
}

static int mark_key(struct marking *marking, struct intake_key *key)
{
    int error = 0;
    if (!intake_has(marking->intake, key))
        return 0;
    if (intake_form(marking->intake, key) == INTAKE_VALUE)
        mark_value(marking, key);
    else if (intake_form(marking->intake, key) == INTAKE_TEMPLATE)
        error = mark_template(marking, key);
    else
        comes_from_asked(marking->intake, key);
    key->touches = key->secret || (!key->flat && comes_from_secret(marking->intake, key));
    return error;
}

int intake_mark(struct intake *intake, const struct intake_choice *choice)
{
    struct marking marking = {.intake = intake, .choice = choice};
    size_t *order = NULL;
    int error = set_marks(intake, choice->secret_keys, 's', "--secret");
    if (error == 0)
        error = set_marks(intake, choice->plain_keys, 'p', "--plain");
    if (error == 0)
        error = intake_order(intake, &order);
    if (error == 0)
        hand_on(intake, order);
    /* values first and in silence: what is no reference any more may have been made from a later
     * one */
    for (size_t i = 0; i < intake->key_count && error == 0; i++)
        if (intake_form(intake, &intake->keys[order[i]]) == INTAKE_VALUE)
            error = mark_key(&marking, &intake->keys[order[i]]);
    marking.asks = true;
    for (size_t i = 0; i < intake->key_count && error == 0; i++)
        error = mark_key(&marking, &intake->keys[order[i]]);
    free(order);
    if (error < 0)
        return error;
    if (marking.asked > SHOWN_MAX)
        error_add(ERR_REFUSED, "and %zu more", marking.asked - SHOWN_MAX);
    return marking.asked > 0 ? -ERR_REFUSED : 0;
}
