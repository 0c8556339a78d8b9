/* Lines to stderr, for people and for journald. Never a value, plain or secret: only names and
 * numbers. */
#ifndef EMSA_TOOLS_COMMON_LOG_H
#define EMSA_TOOLS_COMMON_LOG_H

/* As syslog counts them: journald reads the number before a line. */
enum log_level { LOG_LEVEL_ERROR = 3, LOG_LEVEL_WARNING = 4, LOG_LEVEL_INFO = 6 };

/* Before the first line, while the process has one thread: who writes ("emsad", "emsad server");
 * kept, not copied. */
void log_setup(const char *who);

/* One line each, or several where the text has several; each is one write, so that those of several
 * processes do not mix. What is longer than LOG_LINE_MAX is cut. */
#define LOG_LINE_MAX 1024
void log_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_warning(const char *format, ...) __attribute__((format(printf, 1, 2)));
void log_info(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* The form of a line, without writing it: for tests. Returns its size. */
int log_format(char out[static LOG_LINE_MAX + 1], enum log_level level, int for_journal,
               const char *text, int length);

#endif
