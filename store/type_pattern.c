/*
 * Patterns: PCRE2, of UTF-8. A pattern matches a whole value or does not match it. What one match
 * may take is bounded (limits.h), so that (a+)+$ is a fault of a value and not the end of a commit.
 * The library looks at the value in place; what memory it takes is wiped when it gives it back,
 * since a value that is to be a pattern itself is copied into it.
 */
#define PCRE2_CODE_UNIT_WIDTH 8
#include <pcre2.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/encode.h"
#include "store/error.h"
#include "store/limits.h"
#include "store/type_parts.h"

/* --- memory that is wiped --- */

union head { /* before each piece; keeps what follows aligned for anything */
    size_t size;
    max_align_t align;
};

static void *get_memory(size_t size, void *unused)
{
    (void)unused;
    union head *head = size < SIZE_MAX - sizeof(*head) ? malloc(sizeof(*head) + size) : NULL;
    if (!head)
        return NULL;
    head->size = size;
    return head + 1;
}

static void wipe_memory(void *memory, void *unused)
{
    (void)unused;
    if (!memory)
        return;
    union head *head = (union head *)memory - 1;
    explicit_bzero(head, sizeof(*head) + head->size);
    free(head);
}

/* --- what is compiled --- */

struct program {
    pcre2_general_context *memory;
    pcre2_compile_context *rules;
    pcre2_code *code;
    int error; /* of the library */
    size_t offset;
};

static void program_release(struct program *program)
{
    pcre2_code_free(program->code);
    pcre2_compile_context_free(program->rules);
    pcre2_general_context_free(program->memory);
}

#define PROGRAM_CLEANUP __attribute__((cleanup(program_release)))

static int no_memory(void)
{
    return error_set(ERR_NOMEM, "no memory for a regular expression");
}

/* \C takes characters apart, and what is matched is whole ones. */
#define OPTIONS (PCRE2_UTF | PCRE2_ANCHORED | PCRE2_ENDANCHORED | PCRE2_NEVER_BACKSLASH_C)

/* 0; TYPE_FAULT: error and offset say what is wrong; ERR_NOMEM. */
static int compile(struct program *out, const unsigned char *pattern, size_t size)
{
    out->memory = pcre2_general_context_create(get_memory, wipe_memory, NULL);
    out->rules = out->memory ? pcre2_compile_context_create(out->memory) : NULL;
    if (!out->rules)
        return no_memory();
    out->code = pcre2_compile(pattern, size, OPTIONS, &out->error, &out->offset, out->rules);
    if (out->code)
        return 0;
    return out->error == PCRE2_ERROR_HEAP_FAILED ? no_memory() : TYPE_FAULT;
}

static int say_wrong(struct type_look *look, const struct program *program)
{
    PCRE2_UCHAR text[TYPE_TEXT_MAX / 2];
    const size_t at = program->offset < look->size ? program->offset : look->size;
    pcre2_get_error_message(program->error, text, sizeof(text));
    return type_wrong_at(look, at, (const char *)text);
}

static int look_at_pattern(struct type_look *look)
{
    PROGRAM_CLEANUP struct program program = {0};
    const int fault = compile(&program, look->data, look->size);
    return fault == TYPE_FAULT ? say_wrong(look, &program) : fault;
}

int type_look_regex(struct type_look *look)
{
    if (look->bounds->pattern)
        return type_look_string(look);
    if (look->size > REGEX_VALUE_MAX)
        return type_wrong(look, "it has more than %u bytes", REGEX_VALUE_MAX);
    return look_at_pattern(look);
}

int type_pattern(char text[static TYPE_TEXT_MAX], const char *pattern)
{
    struct type_look look = {.data = (const unsigned char *)pattern, .size = strlen(pattern)};
    const int fault = look_at_pattern(&look);
    if (fault == TYPE_FAULT)
        snprintf(text, TYPE_TEXT_MAX, "must be a regular expression: %.160s", look.detail);
    return fault;
}

/* --- what is matched --- */

static bool is_utf8(const unsigned char *data, size_t size)
{
    bool good = true;
    for (size_t at = 0; at < size && good;)
        at += utf8_next(data + at, size - at, &good);
    return good;
}

struct match {
    pcre2_match_context *rules;
    pcre2_match_data *data;
};

static void match_release(struct match *match)
{
    pcre2_match_data_free(match->data);
    pcre2_match_context_free(match->rules);
}

static int outcome_of(struct type_look *look, int result)
{
    switch (result) {
    case PCRE2_ERROR_NOMATCH:
        return TYPE_FAULT;
    case PCRE2_ERROR_NOMEMORY:
        return no_memory();
    case PCRE2_ERROR_MATCHLIMIT:
    case PCRE2_ERROR_DEPTHLIMIT:
    case PCRE2_ERROR_HEAPLIMIT:
        return type_wrong(look, "the pattern takes too long on this value");
    default: /* a recursion that goes nowhere, and the like */
        return result >= 0 ? 0 : type_wrong(look, "the pattern cannot be tried on this value");
    }
}

int type_look_pattern(struct type_look *look)
{
    PROGRAM_CLEANUP struct program program = {0};
    __attribute__((cleanup(match_release))) struct match match = {0};
    const char *pattern = look->bounds->pattern;
    if (!is_utf8(look->data, look->size))
        return type_wrong(look, "it is not UTF-8");
    const int fault = compile(&program, (const unsigned char *)pattern, strlen(pattern));
    if (fault)
        return fault == TYPE_FAULT ? say_wrong(look, &program) : fault;
    match.rules = pcre2_match_context_create(program.memory);
    match.data = match.rules ? pcre2_match_data_create(1, program.memory) : NULL;
    if (!match.data)
        return no_memory();
    pcre2_set_match_limit(match.rules, PATTERN_STEPS_MAX);
    pcre2_set_heap_limit(match.rules, PATTERN_MEMORY_MAX / 1024);
    return outcome_of(look, pcre2_match(program.code, look->data, look->size, 0, PCRE2_NO_UTF_CHECK,
                                        match.data, match.rules));
}
