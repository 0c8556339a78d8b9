/* Rights as people write them: "list", "read", "set", "share", "audit", "admin". */
#ifndef EMSA_TOOLS_SERVICE_RIGHT_WORDS_H
#define EMSA_TOOLS_SERVICE_RIGHT_WORDS_H

#include <jansson.h>

#define RIGHT_WORDS_MAX 64

/* The bit (of enum grant_right) of a word; 0: there is none. word may be NULL. */
unsigned rights_of_word(const char *word);

/* "list, read", for people; returns out. */
const char *rights_text(char out[static RIGHT_WORDS_MAX], unsigned rights);

/* ["list", "read"]; NULL: no memory. */
json_t *rights_words(unsigned rights);

#endif
