/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "network.h"

#include <string.h>

#include "board.h"

struct network {
    struct sim *sim;
    struct net *host;     /* or NULL: a wire */
    struct wire_end wire; /* likewise */
    char *wire_name;
    network_input input;
    void *device;
};

static int64_t now_ns(void *opaque)
{
    struct network *network = opaque;

    return (int64_t)(network->sim->now_ps / PS_PER_NS);
}

static bool deliver(void *opaque, const uint8_t *frame, uint32_t len)
{
    struct network *network = opaque;

    return network->device && network->input(network->device, frame, len);
}

void network_output(void *opaque, const uint8_t *frame, uint32_t len)
{
    struct network *network = opaque;

    if (!network->host)
        wire_send(&network->wire, frame, len);
    else if (len <= NET_FRAME_MAX) /* the host's network carries no longer ones */
        net_input(network->host, frame, len);
}

void network_room(void *opaque)
{
    struct network *network = opaque;

    if (network->host)
        net_room(network->host);
    else
        wire_room(&network->wire);
}

void network_reset(void *opaque)
{
    struct network *network = opaque;

    if (network->host)
        net_forget(network->host);
    else
        wire_forget(&network->wire);
}

static struct wire_end *find_wire(struct machine *machine, const char *name)
{
    for (unsigned i = 0; i < machine->part_count; i++) {
        struct network *network = machine->part[i].network;

        if (network && network->wire_name && strcmp(network->wire_name, name) == 0)
            return &network->wire;
    }
    return NULL;
}

static bool join_host(struct network *network, const struct machine_component *c, GError **error)
{
    struct net_config config = {
        .forward = c->net.forward,
        .restricted = c->net.restricted,
        .now_ns = now_ns,
        .deliver = deliver,
        .opaque = network,
    };
    GError *cause = NULL;

    network->host = net_new(&config, &cause);
    if (network->host)
        return true;
    g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT, "%s: %s", c->name, cause->message);
    g_error_free(cause);
    return false;
}

struct network *network_new(struct machine *machine, const struct machine_component *c,
                            GError **error)
{
    struct network *network = g_new0(struct network, 1);

    network->sim = &machine->sim;
    if (c->net.wire) {
        network->wire.deliver = deliver;
        network->wire.opaque = network;
        wire_join(&network->wire, find_wire(machine, c->net.wire), &machine->sim);
        network->wire_name = g_strdup(c->net.wire);
    } else if (!join_host(network, c, error)) {
        g_clear_pointer(&network, g_free);
    }
    return network;
}

void network_free(struct network *network)
{
    if (!network)
        return;
    network->device = NULL;
    if (network->host)
        net_free(network->host);
    else
        wire_leave(&network->wire);
    g_free(network->wire_name);
    g_free(network);
}

void network_mac(const struct machine_component *c, unsigned index, uint8_t *mac)
{
    /* CHOICE: as QEMU's: the prefix is locally administered (IEEE 802, 8.4). */
    static const uint8_t first[] = {0x52, 0x54, 0x00, 0x12, 0x34, 0x56};

    memcpy(mac, c->net.mac_given ? c->net.mac : first, sizeof(first));
    if (!c->net.mac_given)
        mac[5] = (uint8_t)(mac[5] + index);
}

void network_attach(struct network *network, network_input input, void *device)
{
    network->input = input;
    network->device = device;
}

bool machine_net_fill(struct machine *machine, GArray *fds, uint32_t *timeout_ms)
{
    bool any = false;

    for (unsigned i = 0; i < machine->part_count; i++) {
        struct network *network = machine->part[i].network;

        if (network && network->host) {
            net_fill(network->host, fds, timeout_ms);
            any = true;
        }
    }
    return any;
}

void machine_net_polled(struct machine *machine, const GArray *fds)
{
    for (unsigned i = 0; i < machine->part_count; i++) {
        struct network *network = machine->part[i].network;

        if (network && network->host)
            net_polled(network->host, fds);
    }
}
