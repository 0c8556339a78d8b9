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

/* One value. Larger things are files to ship, not configuration; a whole value fits a pipe of the
 * size that an unprivileged process may ask for. */
#define VALUE_MAX (1024u * 1024u)

/* The reason of a commit (-m) and the name of an author. */
#define REASON_MAX 4096u
#define AUTHOR_MAX 255u

/* One commit: bounded, so that its transaction, its messages and its invalidations are bounded. */
#define COMMIT_OPERATIONS_MAX 262144u
#define COMMIT_BYTES_MAX (256u * 1024u * 1024u)

/* What readers may see otherwise after one commit: a value that stands beneath many environments is
 * seen in all of them. */
#define COMMIT_OUTCOMES_MAX 1048576u

/* How long a key with an end may live: ten years. What is to stay longer than anybody remembers
 * that it will go is better set for good, and replaced by hand. */
#define TTL_MAX (3650u * 24u * 60u * 60u) /* seconds */

/* Services that one secret's data key may be wrapped for: bounds the record and the time to wrap.
 */
#define CONSUMERS_MAX 4096u

/* Ids: an environment's is 20 bits, a service's 24 and a name's (service and key) 40, so that a
 * place fits one 64-bit node id (fs/node.h). They are never reused. */
#define ENVIRONMENT_ID_MAX 0xfffffu
#define SERVICE_ID_MAX 0xffffffu
#define NAME_ID_MAX 0xffffffffffull

#endif
