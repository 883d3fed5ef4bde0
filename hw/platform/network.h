/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A virtio-net and the network behind it. */
#ifndef PCILAB_HW_PLATFORM_NETWORK_H
#define PCILAB_HW_PLATFORM_NETWORK_H

#include "pcilab/endpoint/virtio_devices.h"
#include "pcilab/io/net.h"
#include "pcilab/platform/machine.h"

struct network;

/* The network of one component, without its device. */
struct network *network_new(struct sim *sim, const struct machine_component *c, GError **error);
void network_free(struct network *network);
/* The component is the `index`th of its kind: its MAC address, where none is given, follows. */
void network_fill_params(struct network *network, const struct machine_component *c, unsigned index,
                         struct virtio_net_params *params);
void network_attach(struct network *network, struct virtio_net *device);

#endif
