/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Network cards, and the networks behind them. */
#include "network.h"
#include "pcilab/endpoint/igb.h"
#include "pcilab/endpoint/virtio_devices.h"
#include "wiring.h"

/* Its number among the cards; virtio-net and igb count alike. */
static unsigned card_index(const struct wiring *w, const struct machine_component *c)
{
    unsigned index = 0;

    for (const struct machine_component *o = w->desc->components; o < c; o++)
        index += machine_kind_is_card(o->kind);
    return index;
}

static bool virtio_input(void *device, const uint8_t *frame, uint32_t len)
{
    /* From a wire frames may come that are longer than this card's. */
    return len > VIRTIO_NET_FRAME_MAX || virtio_net_input(device, frame, len);
}

bool wire_virtio_net(struct wiring *w, const struct machine_component *c, GError **error)
{
    static const struct virtio_net_ops ops = {
        .output = network_output, .room = network_room, .reset = network_reset};
    struct board_part *part = wiring_part(w, c);
    struct virtio_net_params params = {
        .name = c->name,
        .large = !c->net.wire,
        .packed = c->virtio.packed,
        .ops = &ops,
        .pcie = wiring_endpoint_params(c),
    };

    part->network = network_new(w->machine, c, error);
    if (!part->network)
        return false;
    params.opaque = part->network;
    network_mac(c, card_index(w, c), params.mac);
    struct virtio_net *device = virtio_net_new(w->machine->fabric, &params);
    network_attach(part->network, virtio_input, device);
    part->object = virtio_net_endpoint(device);
    wiring_connect_endpoint(w, c);
    return true;
}

static bool nic_input(void *device, const uint8_t *frame, uint32_t len)
{
    return igb_input(device, frame, len);
}

bool wire_igb(struct wiring *w, const struct machine_component *c, GError **error)
{
    static const struct igb_ops ops = {
        .output = network_output, .room = network_room, .reset = network_reset};
    struct board_part *part = wiring_part(w, c);
    struct igb_params params = {
        .name = c->name,
        .ops = &ops,
        .vfs = c->integrated ? 0 : c->igb.vfs,
        .pcie = wiring_endpoint_params(c),
    };

    part->network = network_new(w->machine, c, error);
    if (!part->network)
        return false;
    params.opaque = part->network;
    network_mac(c, card_index(w, c), params.mac);
    struct igb *nic = igb_new(w->machine->fabric, &params);
    network_attach(part->network, nic_input, nic);
    part->object = igb_endpoint(nic);
    wiring_connect_endpoint(w, c);
    return true;
}
