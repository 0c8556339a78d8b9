/* Every limit, with its reason. Nothing else in the tree holds a number that bounds what a user may
 * do. */
#ifndef EMSA_STORE_LIMITS_H
#define EMSA_STORE_LIMITS_H

/* Names: what a file name, a host name and an environment variable's prefix can all bear. */
#define ENVIRONMENT_NAME_MAX 63
#define SERVICE_NAME_MAX 63
#define KEY_NAME_MAX 255
/* environment/service/key and the closing NUL */
#define PATH_TEXT_MAX (ENVIRONMENT_NAME_MAX + 1 + SERVICE_NAME_MAX + 1 + KEY_NAME_MAX + 1)

/* What a revision may be called. */
#define TAG_NAME_MAX 63

/* Who holds a right: "user:" or "group:" and a name of the system. */
#define PRINCIPAL_NAME_MAX 63
#define PRINCIPAL_MAX (6 + PRINCIPAL_NAME_MAX)

/* One value. Larger things are files to ship, not configuration; a whole value fits a pipe of the
 * size that an unprivileged process may ask for. */
#define VALUE_MAX (1024u * 1024u)

/* The reason of a commit (-m) and the name of an author. */
#define REASON_MAX 4096u
#define AUTHOR_MAX 255u

/* The texts of a service in a mount (`.emsa/env`, `.emsa/json`): made anew for each piece that is
 * read, while a reader waits. No process takes more from its environment. */
#define RENDER_KEYS_MAX 16384u
#define RENDER_TEXT_MAX (4u * 1024u * 1024u)

/* One commit: bounded, so that its transaction, its messages and its invalidations are bounded. */
#define COMMIT_OPERATIONS_MAX 262144u
#define COMMIT_BYTES_MAX (256u * 1024u * 1024u)

/* A service's schema, as it is stored: thousands of keys with a sentence each. */
#define SCHEMA_SIZE_MAX (1024u * 1024u)

/* What readers may see otherwise after one commit: a value that stands beneath many environments is
 * seen in all of them. */
#define COMMIT_OUTCOMES_MAX 1048576u /* a place among them is 20 bits (fs/node.h) */

/* How long a key with an end may live: ten years. What is to stay longer than anybody remembers
 * that it will go is better set for good, and replaced by hand. */
#define TTL_MAX (3650u * 24u * 60u * 60u) /* seconds */

/* Services that one secret's data key may be wrapped for: bounds the record and the time to wrap.
 */
#define CONSUMERS_MAX 4096u

/* Schemas: written and read by people, one a service; each is looked at by every commit that
 * touches its service. As a value of the store it has VALUE_MAX bytes at most, as any. */
#define SCHEMA_KEYS_MAX 4096u
#define SCHEMA_DESCRIPTION_MAX 1024u /* bytes */
#define SCHEMA_WORDS_MAX 256u        /* values of an enum, environments or schemes of a list */
#define SCHEMA_WORD_MAX 1024u        /* bytes of one */
#define SCHEMA_PATTERN_MAX 1024u     /* bytes */

/* What one match of a pattern may take: a backtracking one that needs more would take for ever just
 * as well. A commit is judged while others wait: some hundredths of a second at worst. */
#define PATTERN_STEPS_MAX 200000u
#define PATTERN_MEMORY_MAX (16u * 1024u * 1024u) /* bytes */

/* A value that is to be a pattern itself is compiled, which takes memory and time by its size. */
#define REGEX_VALUE_MAX 65536u /* bytes */

/* Arrays and objects of a JSON value inside one another: readers of ours and of others recurse. */
#define JSON_DEPTH_MAX 512u

/* Ids: an environment's is 20 bits, a service's 24 and a name's (service and key) 40, so that a
 * place fits one 64-bit node id (fs/node.h). They are never reused. */
#define ENVIRONMENT_ID_MAX 0xfffffu
#define SERVICE_ID_MAX 0xffffffu
#define NAME_ID_MAX 0xffffffffffull

#endif
