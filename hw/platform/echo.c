/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "echo.h"

#include <string.h>

#include <glib.h>

#define ECHO_PORT 1
/* CHOICE: what the guest writes beyond this without reading is lost. */
#define ECHO_BYTES (1u << 20)

struct echo {
    struct virtio_console *console;
    GByteArray *waiting;
};

static void flush(struct echo *echo)
{
    uint32_t n =
        virtio_console_input(echo->console, ECHO_PORT, echo->waiting->data, echo->waiting->len);

    if (n)
        g_byte_array_remove_range(echo->waiting, 0, n);
}

static void nothing_output(void *opaque, unsigned port, const uint8_t *data, uint32_t len)
{
}

static void echo_output(void *opaque, unsigned port, const uint8_t *data, uint32_t len)
{
    struct echo *echo = opaque;

    g_byte_array_append(echo->waiting, data, MIN(len, ECHO_BYTES - echo->waiting->len));
    flush(echo);
}

static void echo_room(void *opaque, unsigned port)
{
    flush(opaque);
}

/* Who opens it anew does not get what another one left. */
static void echo_guest_open(void *opaque, unsigned port, bool open)
{
    struct echo *echo = opaque;

    g_byte_array_set_size(echo->waiting, 0);
}

struct echo *echo_new(struct virtio_console_port ports[ECHO_PORTS])
{
    static const struct virtio_console_port_ops nothing_ops = {.output = nothing_output};
    static const struct virtio_console_port_ops echo_ops = {
        .output = echo_output, .guest_open = echo_guest_open, .room = echo_room};
    struct echo *echo = g_new0(struct echo, 1);

    echo->waiting = g_byte_array_new();
    ports[0] = (struct virtio_console_port){.console = true, .ops = &nothing_ops, .opaque = echo};
    ports[ECHO_PORT] =
        (struct virtio_console_port){.name = "pcilab.echo", .ops = &echo_ops, .opaque = echo};
    return echo;
}

void echo_attach(struct echo *echo, struct virtio_console *console)
{
    echo->console = console;
    virtio_console_set_open(console, ECHO_PORT, true);
}

void echo_free(struct echo *echo)
{
    if (!echo)
        return;
    g_byte_array_unref(echo->waiting);
    g_free(echo);
}
