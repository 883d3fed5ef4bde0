/* SPDX-License-Identifier: GPL-2.0-or-later */
/* From a component of a description to its model: for the wiring*.c files. */
#ifndef PCILAB_HW_PLATFORM_WIRING_H
#define PCILAB_HW_PLATFORM_WIRING_H

#include "board.h"
#include "pcilab/endpoint/devices.h"

struct wiring {
    struct machine *machine;
    const struct machine_desc *desc;
    const struct machine_options *options;
};

/* wiring.c */
struct board_part *wiring_part(struct wiring *w, const struct machine_component *c);
/* The host bridge that the component is below. */
struct board_bridge *wiring_bridge(struct wiring *w, const struct machine_component *c);
struct pcie_params wiring_endpoint_params(const struct machine_component *c);
/* Joins the endpoint that is the part's `object` to the port above it, or to bus 0. */
void wiring_connect_endpoint(struct wiring *w, const struct machine_component *c);

/* wiring_endpoint.c */
/* The disk that was given, or a scratch image. */
bool wiring_open_storage(struct wiring *w, const struct machine_component *c,
                         uint64_t scratch_bytes, struct nvme_storage *storage, GError **error);
/* The error of a model that is too large for this host; false. */
bool wiring_no_room(const struct machine_component *c, uint64_t bytes, GError **error);

/* One a kind: fills in the part's `object` and connects it. */
bool wire_bridge(struct wiring *w, const struct machine_component *c, GError **error);
bool wire_nvme(struct wiring *w, const struct machine_component *c, GError **error);
bool wire_exerciser(struct wiring *w, const struct machine_component *c, GError **error);
bool wire_virtio_rng(struct wiring *w, const struct machine_component *c, GError **error);
bool wire_virtio_blk(struct wiring *w, const struct machine_component *c, GError **error);
bool wire_virtio_console(struct wiring *w, const struct machine_component *c, GError **error);
bool wire_virtio_9p(struct wiring *w, const struct machine_component *c, GError **error);
bool wire_viommu(struct wiring *w, const struct machine_component *c, GError **error);
bool wire_virtio_net(struct wiring *w, const struct machine_component *c, GError **error);
bool wire_igb(struct wiring *w, const struct machine_component *c, GError **error);
bool wire_dsa(struct wiring *w, const struct machine_component *c, GError **error);

#endif
