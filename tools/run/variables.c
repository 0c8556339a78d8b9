#include "tools/run/variables.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#define TEXT_PAGES 32 /* the kernel's MAX_ARG_STRLEN */

size_t variables_text_max(void)
{
    return (size_t)sysconf(_SC_PAGESIZE) * TEXT_PAGES;
}

bool variables_name_fits(const char *key)
{
    if (key[0] == '\0' || (key[0] >= '0' && key[0] <= '9'))
        return false;
    for (; *key != '\0'; key++)
        if (!((*key >= 'a' && *key <= 'z') || (*key >= 'A' && *key <= 'Z') ||
              (*key >= '0' && *key <= '9') || *key == '_'))
            return false;
    return true;
}

/* Pages that are not touched cost nothing: the most is reserved at once, and nothing ever moves. */
static bool reserve(struct variables *variables)
{
    if (variables->text != NULL)
        return true;
    void *memory = mmap(NULL, VARIABLES_MAX, PROT_READ | PROT_WRITE,
                        MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED)
        return false;
    (void)madvise(memory, VARIABLES_MAX, MADV_DONTDUMP);
    (void)mlock2(memory, VARIABLES_MAX,
                 MLOCK_ONFAULT); /* containers often may not: then unlocked */
    variables->text = memory;
    return true;
}

void variables_fault(struct variables *variables, const char *key, const char *why)
{
    size_t size = strlen(key) + strlen(why) + sizeof "  '' \n";
    char *faults = realloc(variables->faults, variables->faults_size + size);
    variables->fault_count++;
    if (faults == NULL)
        return; /* it is counted all the same */
    variables->faults = faults;
    variables->faults_size +=
        (size_t)snprintf(faults + variables->faults_size, size, "  '%s' %s\n", key, why);
}

char *variables_room(struct variables *variables, const char *key, size_t size)
{
    char why[128];
    size_t head = strlen(key) + 1, whole = head + size + 1;
    if (!variables_name_fits(key)) {
        variables_fault(variables, key, "cannot be the name of a variable");
        return NULL;
    }
    if (whole > variables_text_max()) {
        (void)snprintf(why, sizeof why, "has %zu bytes, and a variable takes no more than %zu",
                       size, variables_text_max() - head - 1);
        variables_fault(variables, key, why);
        return NULL;
    }
    if (!reserve(variables)) {
        variables_fault(variables, key, "does not fit into memory");
        return NULL;
    }
    if (whole > VARIABLES_MAX - variables->size) {
        variables_fault(variables, key,
                        "does not fit any more: an environment takes 6 MiB at most");
        return NULL;
    }
    char *text = variables->text + variables->size;
    memcpy(text, key, head - 1);
    text[head - 1] = '=';
    return text + head;
}

void variables_take(struct variables *variables, const char *key, size_t size)
{
    size_t head = strlen(key) + 1;
    char *text = variables->text + variables->size;
    if (memchr(text + head, '\0', size) != NULL) {
        explicit_bzero(text, head + size);
        variables_fault(variables, key, "holds a NUL byte, which no variable can");
        return;
    }
    text[head + size] = '\0';
    if (head + size > variables->largest_size) {
        variables->largest = variables->size;
        variables->largest_size = head + size;
    }
    variables->size += head + size + 1;
    variables->count++;
}

/* Whether "NAME=..." is set anew. */
static bool is_set(const struct variables *variables, const char *inherited)
{
    size_t length = strcspn(inherited, "=") + 1;
    for (size_t at = 0; at < variables->size; at += strlen(variables->text + at) + 1)
        if (strncmp(variables->text + at, inherited, length) == 0)
            return true;
    return false;
}

char **variables_environment(const struct variables *variables, char **inherited)
{
    size_t count = 0, kept = 0;
    while (inherited[count] != NULL)
        count++;
    char **out = calloc(count + variables->count + 1, sizeof *out);
    if (out == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++)
        if (!is_set(variables, inherited[i]))
            out[kept++] = inherited[i];
    for (size_t at = 0; at < variables->size; at += strlen(variables->text + at) + 1)
        out[kept++] = variables->text + at;
    return out;
}

void variables_clear(struct variables *variables)
{
    if (variables->text != NULL) {
        explicit_bzero(variables->text, variables->size);
        (void)madvise(variables->text, VARIABLES_MAX, MADV_DONTNEED);
    }
    free(variables->faults);
    *variables = (struct variables){.text = variables->text};
}

void variables_release(struct variables *variables)
{
    variables_clear(variables);
    if (variables->text != NULL)
        (void)munmap(variables->text, VARIABLES_MAX);
    variables->text = NULL;
}
