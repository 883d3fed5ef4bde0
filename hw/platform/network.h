/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A network card and what is at the other end of its cable: a network of the host, or a wire. */
#ifndef PCILAB_HW_PLATFORM_NETWORK_H
#define PCILAB_HW_PLATFORM_NETWORK_H

#include "pcilab/io/net.h"
#include "pcilab/platform/machine.h"

struct network;

/* A frame for a card; false: it has no room, and will call network_room(). */
typedef bool (*network_input)(void *device, const uint8_t *frame, uint32_t len);

/* The network of one component, without its device. */
struct network *network_new(struct machine *machine, const struct machine_component *c,
                            GError **error);
void network_free(struct network *network);
/* The component is the `index`th card: its MAC address, where none is given, follows. */
void network_mac(const struct machine_component *c, unsigned index, uint8_t *mac);
void network_attach(struct network *network, network_input input, void *device);

/* What a card calls; `network` is a struct network. */
void network_output(void *network, const uint8_t *frame, uint32_t len);
void network_room(void *network);
void network_reset(void *network);

/* network_wire.c: cards that name the same wire hear each other, and nobody else. */
struct wire;

struct wire_end {
    struct wire *wire;
    /* A frame for the card at this end. */
    void (*deliver)(void *opaque, const uint8_t *frame, uint32_t len);
    void *opaque;
};

/* `other`: an end of the same wire, or NULL for the first. */
void wire_join(struct wire_end *end, struct wire_end *other, struct sim *sim);
void wire_leave(struct wire_end *end);
void wire_send(struct wire_end *from, const uint8_t *frame, uint32_t len);

#endif
