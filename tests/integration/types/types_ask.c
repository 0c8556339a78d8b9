/*
 * Asks type_check: reads questions from standard input until its end, writes an answer for each.
 *
 *     question   u8 type; u32 size and a parameter (the words of an enum or the schemes of a url,
 * one a line; the pattern of a string or regex; nothing of others or where there is none); u32 size
 * and the value answer     u8 0 fine, 1 a fault; i64 what a duration comes to, else 0; u8 size and
 * the text
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "store/error.h"
#include "store/type.h"

static void must(bool right, const char *what)
{
    if (right)
        return;
    fprintf(stderr, "types_ask: %s: %s\n", what, error_text());
    exit(1);
}

/* Exactly so large, so that a sanitizer sees a byte too many. */
static char *take(uint32_t *size, bool ended)
{
    must(fread(size, sizeof(*size), 1, stdin) == 1, "a question without a size");
    char *data = malloc(*size + (ended || *size == 0 ? 1 : 0));
    must(data != NULL, "memory");
    must(fread(data, 1, *size, stdin) == *size, "a question that is cut");
    if (ended)
        data[*size] = '\0';
    return data;
}

#define WORDS_MAX 64

static void split(struct type_words *out, char *text)
{
    static char *list[WORDS_MAX];
    *out = (struct type_words){.words = list};
    for (char *save = NULL, *word = strtok_r(text, "\n", &save); word && out->count < WORDS_MAX;
         word = strtok_r(NULL, "\n", &save))
        list[out->count++] = word;
}

static void answer(enum value_type type, char *parameter, const char *value, uint32_t size)
{
    char text[TYPE_TEXT_MAX] = "";
    int64_t number = 0;
    struct type_words words = {0};
    struct type_bounds bounds = {.values = &words, .schemes = &words};
    if (type == TYPE_STRING || type == TYPE_REGEX)
        bounds.pattern = parameter[0] ? parameter : NULL;
    else
        split(&words, parameter);
    const int fault = type_check(text, type, &bounds, value, size);
    must(fault >= 0, "type_check failed");
    if (type == TYPE_DURATION && fault == 0)
        must(type_duration(&number, value, size) == 0, "a duration and none");
    must((fault == 0) == (text[0] == '\0'), "a fault without a text, or a text without a fault");
    must(strlen(text) < TYPE_TEXT_MAX, "a text without an end");
    putchar(fault);
    fwrite(&number, sizeof(number), 1, stdout);
    putchar((int)strlen(text));
    fwrite(text, 1, strlen(text), stdout);
}

int main(void)
{
    for (int type; (type = getchar()) != EOF;) {
        uint32_t parameter_size, size;
        char *parameter = take(&parameter_size, true);
        char *value = take(&size, false);
        answer((enum value_type)type, parameter, value, size);
        free(parameter);
        free(value);
    }
    must(fflush(stdout) == 0, "cannot write");
    return 0;
}
