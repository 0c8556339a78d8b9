/* The command line: which verb, its options and its arguments. */
#ifndef EMSA_TOOLS_EMSA_OPTIONS_H
#define EMSA_TOOLS_EMSA_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct command;

/* One bit an option; a verb's row says which it takes. There are more than 64. */
__extension__ typedef unsigned __int128 option_bits;
#define OPTION_BIT(n) ((option_bits)1 << (n))
#define OPTION_REASON OPTION_BIT(0)
#define OPTION_IF_REV OPTION_BIT(1)
#define OPTION_DRY_RUN OPTION_BIT(2)
#define OPTION_REVEAL OPTION_BIT(3)
#define OPTION_SECRET OPTION_BIT(4)     /* a flag: set */
#define OPTION_SECRET_KEY OPTION_BIT(5) /* --secret KEY: import */
#define OPTION_PLAIN_KEY OPTION_BIT(6)
#define OPTION_GUESS OPTION_BIT(7)
#define OPTION_RAW OPTION_BIT(8)
#define OPTION_FILE OPTION_BIT(9)
#define OPTION_SECRET_FILE OPTION_BIT(10)
#define OPTION_NEW OPTION_BIT(11)
#define OPTION_ALL OPTION_BIT(12)
#define OPTION_FORMAT OPTION_BIT(13)
#define OPTION_TREE OPTION_BIT(14)
#define OPTION_ONLY OPTION_BIT(15)
#define OPTION_PRISTINE OPTION_BIT(16)
#define OPTION_STRICT OPTION_BIT(17)
#define OPTION_CACHE OPTION_BIT(18)
#define OPTION_FOREGROUND OPTION_BIT(19)
#define OPTION_MASKED OPTION_BIT(20)
#define OPTION_NUMBER OPTION_BIT(21)
#define OPTION_VERBOSE OPTION_BIT(22)
#define OPTION_NO_SECRETS OPTION_BIT(23)
#define OPTION_TTL OPTION_BIT(24)
#define OPTION_METRICS OPTION_BIT(25)
#define OPTION_FROM OPTION_BIT(26)
#define OPTION_TEMPLATE OPTION_BIT(27)
#define OPTION_WITH OPTION_BIT(28)
#define OPTION_VALUE OPTION_BIT(29)
#define OPTION_PROTECTED OPTION_BIT(30)
#define OPTION_SIGNED OPTION_BIT(100)
#define OPTION_SEALED OPTION_BIT(106)
#define OPTION_REENCRYPT OPTION_BIT(107)
#define OPTION_BASE OPTION_BIT(31)
#define OPTION_ALLOW_EQUAL OPTION_BIT(32)
#define OPTION_APPLY OPTION_BIT(40)
#define OPTION_DOTENV OPTION_BIT(34)
#define OPTION_PRUNE OPTION_BIT(60)
#define OPTION_OVERRIDE OPTION_BIT(41)
#define OPTION_ENV OPTION_BIT(42)
#define OPTION_AGAINST OPTION_BIT(43)
#define OPTION_PARITY OPTION_BIT(44)
#define OPTION_JUNIT OPTION_BIT(45)
#define OPTION_TO OPTION_BIT(58)
#define OPTION_ACCEPT_HEAD OPTION_BIT(98)
#define OPTION_REBUILD OPTION_BIT(104)
#define OPTION_WITH_SECRETS OPTION_BIT(51)
#define OPTION_AS_OF OPTION_BIT(52) /* --from REV: diff */
#define OPTION_AUTHOR OPTION_BIT(53)
#define OPTION_SINCE OPTION_BIT(54)
#define OPTION_UNTIL OPTION_BIT(55)
#define OPTION_KEY OPTION_BIT(56) /* a pattern; of grant: a public identity */
#define OPTION_RM OPTION_BIT(57)
#define OPTION_KEEP OPTION_BIT(109)
#define OPTION_GENERATE OPTION_BIT(50) /* and what goes with it */
#define OPTION_TO_WHOM OPTION_BIT(61)
#define OPTION_FROM_WHOM OPTION_BIT(62)
#define OPTION_RIGHTS OPTION_BIT(63) /* a flag for each of them */

#define OPTION_PATH OPTION_BIT(70) /* of audit, as what follows */
#define OPTION_WHO OPTION_BIT(71)
#define OPTION_IDENTITY_FILE OPTION_BIT(72)
#define OPTION_HEAD OPTION_BIT(73)
#define OPTION_AUDITOR OPTION_BIT(112) /* of init */

#define OPTION_LAYOUT OPTION_BIT(33)
#define OPTION_UID OPTION_BIT(35)
#define OPTION_GID OPTION_BIT(36)
#define OPTION_MODE OPTION_BIT(37)
#define OPTION_HISTORY OPTION_BIT(38)
#define OPTION_PREPARE OPTION_BIT(39)
#define OPTION_PID OPTION_BIT(46)
#define OPTION_TIMEOUT OPTION_BIT(47)
#define OPTION_IDMAP OPTION_BIT(48)
#define OPTION_NO_IDMAP OPTION_BIT(49)
#define OPTION_AT OPTION_BIT(59)

/* Of identities. */
#define OPTION_OUT OPTION_BIT(80)
#define OPTION_PASSPHRASE OPTION_BIT(81)
#define OPTION_PASSPHRASE_FILE OPTION_BIT(82)
#define OPTION_KEY_FILE OPTION_BIT(83)
#define OPTION_CREDENTIAL OPTION_BIT(84)
#define OPTION_PUBLIC OPTION_BIT(85)
#define OPTION_SHARES OPTION_BIT(86)
#define OPTION_ADD_KEY_FILE OPTION_BIT(87)
#define OPTION_NEW_PASSPHRASE OPTION_BIT(88)
#define OPTION_RM_SLOT OPTION_BIT(89)
#define OPTION_SSH OPTION_BIT(115)
#define OPTION_RECOVERY OPTION_BIT(119)
#define OPTION_RECOVERY_SHARES OPTION_BIT(120)
#define OPTION_RECOVERY_PUBLIC OPTION_BIT(121)
#define OPTION_NO_RECOVERY OPTION_BIT(122)
/* Of the identity that is to be kept elsewhere. */
#define OPTIONS_RECOVERY                                                                           \
    (OPTION_RECOVERY | OPTION_RECOVERY_SHARES | OPTION_RECOVERY_PUBLIC | OPTION_NO_RECOVERY)
/* What opens one that is there. */
#define OPTIONS_OPENER (OPTION_PASSPHRASE_FILE | OPTION_KEY_FILE)

/* What a view shows, and how. */
#define OPTIONS_VIEW                                                                               \
    (OPTION_LAYOUT | OPTION_UID | OPTION_GID | OPTION_MODE | OPTION_HISTORY | OPTION_CACHE |       \
     OPTION_MASKED | OPTION_AT)
#define OPTIONS_CHANGE (OPTION_REASON | OPTION_IF_REV | OPTION_DRY_RUN | OPTION_OVERRIDE)
/* Of a change that brings values. */
#define OPTIONS_VALUES (OPTIONS_CHANGE | OPTION_ALLOW_EQUAL | OPTION_NEW)

struct texts { /* a list of argv's texts */
    const char **list;
    size_t count;
};

struct options {    /* texts are argv's */
    bool is_signed; /* --signed: of a new environment */
    const char
        *sign; /* the identity that signs changes: a file, ssh-agent[:KEY], "none", or NULL */
    const char *store;
    const char *host; /* NULL: this one */
    bool json;
    bool help;
    const char *reason;
    bool has_if_rev;
    uint64_t if_rev;
    bool dry_run, reveal, secret, guess_secrets, raw, allow_new, all, pristine, strict, cache,
        foreground, masked, verbose, no_secrets, metrics, template, protect, allow_equal, apply,
        with_secrets, remove, prune, history, prepare, idmap, no_idmap, has_uid, has_gid,
        has_timeout, passphrase, public, accept_head, sealed, reencrypt, rebuild, no_recovery;
    const char *file, *format, *tree, *only, *value, *base, *dotenv, *override, *environment,
        *parity, *junit;
    const char *ssh; /* a key of ssh: FILE.pub, ssh-agent[:KEY] */
    const char *out, *passphrase_file, *key_file, *credential, *shares, *add_key_file,
        *new_passphrase, *recovery, *recovery_shares, *recovery_public;
    uint64_t rm_slot;            /* 0: none */
    const char *as_of, *to, *at; /* revisions: numbers or tags */
    const char *layout;
    uint64_t uid, gid, mode, pid, timeout; /* mode 0: as usual; timeout: seconds */
    const char *author, *since, *until, *key;
    const char *keep; /* how long, or from which revision on, what was is kept */
    const char *keep_previous, *run;
    uint64_t generate; /* bytes; 0: not asked for */
    const char *path, *who, *identity, *head, *auditor;
    uint64_t number;
    bool has_from;
    uint64_t from;
    uint64_t ttl;    /* seconds; 0: for good */
    unsigned rights; /* of enum grant_right */
    struct texts secret_keys, plain_keys, secret_files, with, against, whom;
    struct texts arguments;
    bool has_dashes; /* "--" stood among the arguments */
    size_t before_dashes;
};

/* Finds the verb and reads everything after it. ERR_INVALID: with what is wrong and how to learn
 * more. options_release afterwards in any case. */
int options_parse(struct options *out, const struct command **command, int argc, char *argv[]);
void options_release(struct options *options);

/* The n-th option of the table as it is written ("--dry-run"), NULL past its end; whether a verb
 * with these bits takes it. For help, completion and tests. */
const char *options_listed(unsigned n, option_bits bits, bool *taken);

#endif
