#include "tools/service/right_words.h"

#include <stdio.h>
#include <string.h>

#include "store/grant.h"

static const struct {
    unsigned bit;
    const char *word;
} words[] = {
    {GRANT_LIST, "list"},   {GRANT_READ, "read"},   {GRANT_SET, "set"},
    {GRANT_SHARE, "share"}, {GRANT_AUDIT, "audit"}, {GRANT_ADMIN, "admin"},
};
#define WORDS (sizeof words / sizeof words[0])

unsigned rights_of_word(const char *word)
{
    for (size_t i = 0; word != NULL && i < WORDS; i++)
        if (strcmp(words[i].word, word) == 0)
            return words[i].bit;
    return 0;
}

const char *rights_text(char out[static RIGHT_WORDS_MAX], unsigned rights)
{
    size_t used = 0;
    out[0] = '\0';
    for (size_t i = 0; i < WORDS; i++)
        if (rights & words[i].bit)
            used += (size_t)snprintf(out + used, RIGHT_WORDS_MAX - used, "%s%s",
                                     used > 0 ? ", " : "", words[i].word);
    return out;
}

json_t *rights_words(unsigned rights)
{
    json_t *list = json_array();
    for (size_t i = 0; list != NULL && i < WORDS; i++)
        if (rights & words[i].bit)
            json_array_append_new(list, json_string(words[i].word));
    return list;
}
