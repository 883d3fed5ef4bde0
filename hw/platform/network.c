/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "network.h"

#include <string.h>

#include "board.h"

struct network {
    struct sim *sim;
    struct net *host;
    struct virtio_net *device;
};

static int64_t now_ns(void *opaque)
{
    struct network *network = opaque;

    return (int64_t)(network->sim->now_ps / PS_PER_NS);
}

static bool deliver(void *opaque, const uint8_t *frame, uint32_t len)
{
    struct network *network = opaque;

    return network->device && virtio_net_input(network->device, frame, len);
}

static void output(void *opaque, const uint8_t *frame, uint32_t len)
{
    net_input(((struct network *)opaque)->host, frame, len);
}

static void room(void *opaque)
{
    net_room(((struct network *)opaque)->host);
}

static void reset(void *opaque)
{
    net_forget(((struct network *)opaque)->host);
}

struct network *network_new(struct sim *sim, const struct machine_component *c, GError **error)
{
    struct network *network = g_new0(struct network, 1);
    struct net_config config = {
        .forward = c->net.forward,
        .restricted = c->net.restricted,
        .now_ns = now_ns,
        .deliver = deliver,
        .opaque = network,
    };
    GError *cause = NULL;

    network->sim = sim;
    network->host = net_new(&config, &cause);
    if (!network->host) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT, "%s: %s", c->name, cause->message);
        g_error_free(cause);
        g_clear_pointer(&network, g_free);
    }
    return network;
}

void network_free(struct network *network)
{
    if (!network)
        return;
    network->device = NULL;
    net_free(network->host);
    g_free(network);
}

void network_fill_params(struct network *network, const struct machine_component *c, unsigned index,
                         struct virtio_net_params *params)
{
    static const struct virtio_net_ops ops = {.output = output, .room = room, .reset = reset};
    /* CHOICE: as QEMU's: the prefix is locally administered (IEEE 802, 8.4). */
    static const uint8_t first[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

    params->ops = &ops;
    params->opaque = network;
    memcpy(params->mac, first, sizeof(first));
    params->mac[5] = (uint8_t)(params->mac[5] + index);
    if (c->net.mac_given)
        memcpy(params->mac, c->net.mac, sizeof(params->mac));
}

void network_attach(struct network *network, struct virtio_net *device)
{
    network->device = device;
}

bool machine_net_fill(struct machine *machine, GArray *fds, uint32_t *timeout_ms)
{
    bool any = false;

    for (unsigned i = 0; i < machine->part_count; i++) {
        if (machine->part[i].network) {
            net_fill(machine->part[i].network->host, fds, timeout_ms);
            any = true;
        }
    }
    return any;
}

void machine_net_polled(struct machine *machine, const GArray *fds)
{
    for (unsigned i = 0; i < machine->part_count; i++) {
        if (machine->part[i].network)
            net_polled(machine->part[i].network->host, fds);
    }
}
