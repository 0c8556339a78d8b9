#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "store/error.h"
#include "tools/hook/state.h"

static int read_text(struct state *state, const char *text, size_t size)
{
    FILE *file = tmpfile();
    assert_non_null(file);
    assert_int_equal(fwrite(text, 1, size, file), size);
    assert_int_equal(fflush(file), 0);
    rewind(file);
    int error = state_read(state, fileno(file));
    (void)fclose(file);
    return error;
}

/* As podman 4.3.1 with runc 1.1.5 writes it. */
static const char podman[] =
    "{\"ociVersion\":\"1.0.2-dev\",\"id\":\"f\",\"status\":\"creating\",\"pid\":25997,"
    "\"bundle\":\"/b\",\"annotations\":{\"io.emsa.service\":\"mailer\"}}\n";

static void understood(void **state)
{
    (void)state;
    struct state found;
    assert_int_equal(read_text(&found, podman, strlen(podman)), 0);
    assert_int_equal(found.pid, 25997);
    assert_string_equal(found.bundle, "/b");
    assert_string_equal(json_string_value(json_object_get(found.annotations, "io.emsa.service")),
                        "mailer");
    state_release(&found);
    static const char bare[] = "{\"status\":\"created\",\"pid\":2,\"bundle\":\"/\"}";
    assert_int_equal(read_text(&found, bare, strlen(bare)), 0);
    assert_null(found.annotations);
    state_release(&found);
}

static void refused(void **state)
{
    (void)state;
    static const char *const texts[] = {
        "",
        "[]",
        "{",
        "{}",
        "null",
        "{\"status\":\"creating\",\"pid\":5}",
        "{\"pid\":5,\"bundle\":\"/b\"}",
        "{\"status\":\"creating\",\"pid\":5,\"bundle\":\"b\"}",
        "{\"status\":\"creating\",\"bundle\":\"/b\"}",
        "{\"status\":\"creating\",\"pid\":\"5\",\"bundle\":\"/b\"}",
        "{\"status\":\"creating\",\"pid\":1,\"bundle\":\"/b\"}",
        "{\"status\":\"creating\",\"pid\":0,\"bundle\":\"/b\"}",
        "{\"status\":\"creating\",\"pid\":-5,\"bundle\":\"/b\"}",
        "{\"status\":\"creating\",\"pid\":4294967297,\"bundle\":\"/b\"}",
        "{\"status\":\"running\",\"pid\":5,\"bundle\":\"/b\"}",
        "{\"status\":\"stopped\",\"pid\":5,\"bundle\":\"/b\"}",
        "{\"status\":\"creating\",\"pid\":5,\"bundle\":\"/b\",\"annotations\":[]}",
        "{\"status\":\"creating\",\"pid\":5,\"bundle\":\"/b\"} x",
    };
    struct state found;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        if (read_text(&found, texts[i], strlen(texts[i])) != -ERR_INVALID)
            fail_msg("%s was taken", texts[i]);
        state_release(&found);
    }
    size_t size = 2u * 1024 * 1024;
    char *large = malloc(size);
    assert_non_null(large);
    memset(large, ' ', size);
    assert_int_equal(read_text(&found, large, size), -ERR_INVALID);
    state_release(&found);
    free(large);
    int fd = open("/", O_RDONLY | O_DIRECTORY);
    assert_int_equal(state_read(&found, fd), -ERR_IO);
    state_release(&found);
    close(fd);
}

static int root_of(char root[static PATH_MAX], const char *bundle, const char *config)
{
    char path[128];
    struct state state = {.bundle = bundle};
    (void)snprintf(path, sizeof path, "%s/config.json", bundle);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_true(fputs(config, file) >= 0);
    assert_int_equal(fclose(file), 0);
    int error = state_root(&state, root);
    (void)unlink(path);
    return error;
}

static void roots(void **state)
{
    (void)state;
    char bundle[] = "/tmp/emsa-hook-state.XXXXXX", root[PATH_MAX], expected[128];
    struct state none = {.bundle = "/nowhere"};
    assert_non_null(mkdtemp(bundle));
    assert_int_equal(root_of(root, bundle, "{\"root\":{\"path\":\"/merged\"}}"), 0);
    assert_string_equal(root, "/merged");
    assert_int_equal(root_of(root, bundle, "{\"root\":{\"path\":\"rootfs\"}}"), 0);
    (void)snprintf(expected, sizeof expected, "%s/rootfs", bundle);
    assert_string_equal(root, expected);
    assert_int_equal(root_of(root, bundle, "{\"root\":{}}"), -ERR_INVALID);
    assert_int_equal(root_of(root, bundle, "{\"root\":{\"path\":\"\"}}"), -ERR_INVALID);
    assert_int_equal(root_of(root, bundle, "{\"root\":\"x\"}"), -ERR_INVALID);
    assert_int_equal(root_of(root, bundle, "nothing"), -ERR_INVALID);
    assert_int_equal(state_root(&none, root), -ERR_NOT_FOUND);
    (void)rmdir(bundle);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(understood), cmocka_unit_test(refused),
                                       cmocka_unit_test(roots)};
    return cmocka_run_group_tests_name("hook state", tests, NULL, NULL);
}
