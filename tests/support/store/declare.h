/* Schemas on one line, for tests. */
#ifndef EMSA_TESTS_DECLARE_H
#define EMSA_TESTS_DECLARE_H

#include "store/schema.h"

/*
 * Words, with a blank between each two: "strict", and keys: the name, a colon, the type's word,
 * then any of ",required", ",required@ENV", ",secret", ",deprecated", ",fixed", ",in@ENV",
 * ",min@N",
 * ",max@N", ",min_length@N", ",max_length@N", ",pattern@P", ",scheme@WORD", ",one@WORD" (a word of
 * an enum), and last "=DEFAULT":
 *
 *     strict PORT:port=8080 DATABASE_URL:url,secret,required LEVEL:enum,one@info,one@warn=info
 *
 * Owned by the caller (schema_release). Fails the test if the text is none.
 */
void declare(struct schema *out, const char *service, const char *text);
/* The same where memory may fail: ERR_NOMEM. */
int declare_try(struct schema *out, const char *service, const char *text);

#endif
