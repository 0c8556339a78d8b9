/* The receiving side of the control socket: whatever arrives, in whatever pieces, is a message, a
 * refusal or an end, and leaves no descriptor behind. The first byte of the input chooses the size
 * of the pieces, the second how many descriptors come with each; the rest is what the peer sends.
 */
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tests/fuzz/target.h"
#include "tools/common/descriptor.h"
#include "tools/common/varlink.h"

#define INPUT_MAX 32768 /* fits a socket's buffer: nothing here waits */

static void send_pieces(int socket, int file, const uint8_t *data, size_t size)
{
    size_t piece = data[0] == 0 ? INPUT_MAX : (size_t)data[0] * 16;
    size_t count = data[1] % (VARLINK_DESCRIPTORS_MAX + 2);
    int fds[VARLINK_DESCRIPTORS_MAX + 2];
    for (size_t i = 0; i < count; i++)
        fds[i] = file;
    for (size_t at = 2; at < size; at += piece)
        if (descriptor_send(socket, data + at, size - at < piece ? size - at : piece, fds, count) <
            0)
            break;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    int pair[2];
    struct varlink *varlink;
    if (size < 3 || size > INPUT_MAX ||
        socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
        return 0;
    int file = open("/dev/null", O_RDONLY | O_CLOEXEC);
    send_pieces(pair[1], file, data, size);
    descriptor_close(&file);
    descriptor_close(&pair[1]);
    if (varlink_new(&varlink, pair[0]) < 0)
        return 0;
    varlink_limit(varlink, INPUT_MAX / 2);
    for (;;) {
        struct varlink_message message;
        int fd = -1;
        if (varlink_receive(varlink, &message, -1) != 0)
            break;
        (void)varlink_take(&message, &fd, json_object_get(message.object, "parameters"), "values");
        descriptor_close(&fd);
        varlink_message_release(&message);
    }
    varlink_free(varlink);
    int lowest = open("/dev/null", O_RDONLY | O_CLOEXEC);
    if (lowest > 64) /* descriptors pile up */
        abort();
    descriptor_close(&lowest);
    return 0;
}
