/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtio devices and what they reach of the host. */
#include <string.h>

#include "echo.h"
#include "pcilab/endpoint/devices.h"
#include "pcilab/endpoint/virtio_devices.h"
#include "pcilab/io/p9.h"
#include "wiring.h"

bool wire_virtio_rng(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct virtio_rng_params params = {
        .name = c->name,
        .packed = c->virtio.packed,
        .pcie = wiring_endpoint_params(c),
    };

    wiring_part(w, c)->object = virtio_rng_new(w->machine->fabric, &params);
    wiring_connect_endpoint(w, c);
    return true;
}

bool wire_virtio_blk(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct virtio_blk_params params = {
        .name = c->name,
        .serial = c->virtio.serial,
        .queues = c->virtio.queues,
        .packed = c->virtio.packed,
        .pcie = wiring_endpoint_params(c),
    };

    if (!wiring_open_storage(w, c, c->virtio.size_bytes, &params.storage, error))
        return false;
    wiring_part(w, c)->object = virtio_blk_new(w->machine->fabric, &params);
    wiring_connect_endpoint(w, c);
    return true;
}

static const struct machine_virtio_console *find_console(const struct machine_options *options,
                                                         const char *name)
{
    for (unsigned i = 0; i < options->virtio_console_count; i++) {
        if (strcmp(options->virtio_consoles[i].name, name) == 0)
            return &options->virtio_consoles[i];
    }
    return NULL;
}

bool wire_virtio_console(struct wiring *w, const struct machine_component *c, GError **error)
{
    const struct machine_virtio_console *host = find_console(w->options, c->name);
    struct board_part *part = wiring_part(w, c);
    struct virtio_console_port ports[ECHO_PORTS];
    struct virtio_console_params params = {
        .name = c->name,
        .packed = c->virtio.packed,
        .pcie = wiring_endpoint_params(c),
    };

    if (host) {
        params.ports = host->ports;
        params.port_count = host->port_count;
        params.columns = host->columns;
        params.rows = host->rows;
    } else {
        part->echo = echo_new(ports);
        params.ports = ports;
        params.port_count = ECHO_PORTS;
    }
    part->console = virtio_console_new(w->machine->fabric, &params);
    if (part->echo)
        echo_attach(part->echo, part->console);
    part->object = virtio_console_endpoint(part->console);
    wiring_connect_endpoint(w, c);
    return true;
}

/* The file server as a virtio-9p sees it. */

static uint32_t files_handle(void *opaque, const uint8_t *request, uint32_t len, uint8_t *reply,
                             uint32_t capacity)
{
    return p9_server_handle(opaque, request, len, reply, capacity);
}

static void files_reset(void *opaque)
{
    p9_server_reset(opaque);
}

bool wire_virtio_9p(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct p9_config config = {
        .path = c->p9.path,
        .writable = !c->p9.read_only,
        .rw = (const char *const *)c->p9.rw,
    };
    struct board_part *part = wiring_part(w, c);
    GError *cause = NULL;

    part->files = p9_server_new(&config, &cause);
    if (!part->files) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_FILE, "%s: %s", c->name, cause->message);
        g_error_free(cause);
        return false;
    }
    struct virtio_p9_params params = {
        .name = c->name,
        .tag = c->p9.tag,
        .server = {.msize_bytes = P9_MSIZE_MAX,
                   .handle = files_handle,
                   .reset = files_reset,
                   .opaque = part->files},
        .packed = c->virtio.packed,
        .pcie = wiring_endpoint_params(c),
    };
    part->object = virtio_p9_new(w->machine->fabric, &params);
    wiring_connect_endpoint(w, c);
    return true;
}
