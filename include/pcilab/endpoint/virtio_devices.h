/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The virtio devices: what the wiring needs to create them. */
#ifndef PCILAB_ENDPOINT_VIRTIO_DEVICES_H
#define PCILAB_ENDPOINT_VIRTIO_DEVICES_H

#include "pcilab/endpoint/devices.h"

/* Entropy device (VIRTIO 1.3, 5.4): bytes of the simulation's stream "virtio-rng NAME". */
struct virtio_rng_params {
    const char *name;
    bool packed;
    struct pcie_params pcie;
};

struct endpoint *virtio_rng_new(struct fabric *fabric, const struct virtio_rng_params *params);

/* Block device (5.2). */
struct virtio_blk_params {
    const char *name;
    const char *serial; /* up to 20 characters */
    struct nvme_storage storage;
    unsigned queues; /* 1 to 64 */
    bool packed;
    struct pcie_params pcie;
};

struct endpoint *virtio_blk_new(struct fabric *fabric, const struct virtio_blk_params *params);

/*
 * Console device (5.3) with several ports. The host's side of a port is a structure of callbacks;
 * none of them is called from inside a function of this header. A port is a console (hvcN in
 * Linux, N counts consoles) or a named character device (/dev/virtio-ports/NAME). A driver that
 * does not know of ports uses the first as a console.
 */
#define VIRTIO_CONSOLE_PORTS_MAX 16

struct virtio_console_port_ops {
    /* The guest wrote; all of it is taken. */
    void (*output)(void *opaque, unsigned port, const uint8_t *data, uint32_t len);
    /* The guest opened or closed the port; a reset closes. May be NULL. */
    void (*guest_open)(void *opaque, unsigned port, bool open);
    /* There is room again after virtio_console_input() took less than all. May be NULL. */
    void (*room)(void *opaque, unsigned port);
};

struct virtio_console_port {
    const char *name; /* up to 63 characters; NULL: none */
    bool console;
    const struct virtio_console_port_ops *ops;
    void *opaque;
};

struct virtio_console_params {
    const char *name;
    const struct virtio_console_port *ports; /* copied */
    unsigned port_count;                     /* 1 to VIRTIO_CONSOLE_PORTS_MAX */
    uint16_t columns, rows;                  /* 0: not known */
    bool packed;
    struct pcie_params pcie;
};

struct virtio_console;

struct virtio_console *virtio_console_new(struct fabric *fabric,
                                          const struct virtio_console_params *params);
struct endpoint *virtio_console_endpoint(struct virtio_console *console);
/* Bytes for the guest. Returns how many were taken: 0 while the guest has given no buffers or, but
 * for consoles, has not opened the port. */
uint32_t virtio_console_input(struct virtio_console *console, unsigned port, const void *data,
                              uint32_t len);
/* The host's side of a port opens or closes; the guest sees end of file while it is closed. Ports
 * are closed at first, but for consoles. */
void virtio_console_set_open(struct virtio_console *console, unsigned port, bool open);
void virtio_console_resize(struct virtio_console *console, uint16_t columns, uint16_t rows);

/*
 * Network device (5.1) with one pair of queues: whole frames without their checksum, none longer
 * than VIRTIO_NET_FRAME_MAX; but for TCP from the guest where the other end takes it.
 */
#define VIRTIO_NET_MTU       1500
#define VIRTIO_NET_FRAME_MAX (14 + VIRTIO_NET_MTU) /* bytes */

/* Neither is called from inside a function of this header. */
struct virtio_net_ops {
    /* A frame from the guest, of 14 bytes at least. virtio_net_input() may be called. */
    void (*output)(void *opaque, const uint8_t *frame, uint32_t len);
    /* There is room again after virtio_net_input() said no. */
    void (*room)(void *opaque);
    /* The device was reset. May be NULL. */
    void (*reset)(void *opaque);
};

struct virtio_net_params {
    const char *name;
    uint8_t mac[6];
    const struct virtio_net_ops *ops;
    void *opaque;
    bool large; /* output() takes TCP that is not cut into segments, up to TCP_FRAME_MAX */
    bool packed;
    struct pcie_params pcie;
};

struct virtio_net;

struct virtio_net *virtio_net_new(struct fabric *fabric, const struct virtio_net_params *params);
struct endpoint *virtio_net_endpoint(struct virtio_net *net);
/* A frame for the guest. False: the guest has no buffer for it now. */
bool virtio_net_input(struct virtio_net *net, const uint8_t *frame, uint32_t len);
/* Plugs the cable in or out; it is in at first. */
void virtio_net_set_link(struct virtio_net *net, bool up);

/*
 * 9P transport (5.12): the file server behind it is a structure of callbacks. Messages in both
 * directions are at most msize_bytes long.
 */
#define VIRTIO_P9_TAG_MAX 255 /* bytes */

struct virtio_p9_server {
    uint32_t msize_bytes;
    /* Answers one message; the length of the reply, at most `capacity`. */
    uint32_t (*handle)(void *opaque, const uint8_t *request, uint32_t len, uint8_t *reply,
                       uint32_t capacity);
    /* The connection is gone. */
    void (*reset)(void *opaque);
    void *opaque;
};

struct virtio_p9_params {
    const char *name;
    const char *tag; /* what `mount -t 9p` names; 1 to VIRTIO_P9_TAG_MAX bytes */
    struct virtio_p9_server server;
    bool packed;
    struct pcie_params pcie;
};

struct endpoint *virtio_p9_new(struct fabric *fabric, const struct virtio_p9_params *params);

/*
 * IOMMU device (5.13): its function and queues. What the bytes mean is behind callbacks, none of
 * which is called from inside a function of this header.
 */
struct virtio_iommu_ops {
    /* A request, in the order of the queue. Returns how many bytes of `out` the answer has. */
    uint32_t (*request)(void *opaque, const uint8_t *in, uint32_t in_len, uint8_t *out,
                        uint32_t out_len);
    void (*driver_ok)(void *opaque, uint64_t features);
    void (*reset)(void *opaque);
    /* virtio_iommu_set_config() may be called. */
    void (*config_written)(void *opaque, unsigned offset, const uint8_t *data, unsigned len);
};

struct virtio_iommu_params {
    const char *name;
    uint64_t features;                                 /* of the device type */
    uint32_t request_bytes, answer_bytes, event_bytes; /* most of each; events: exactly */
    const uint8_t *config;                             /* copied */
    unsigned config_bytes;
    const struct virtio_iommu_ops *ops;
    void *opaque;
    bool packed;
    struct pcie_params pcie;
};

struct virtio_iommu;

struct virtio_iommu *virtio_iommu_new(struct fabric *fabric,
                                      const struct virtio_iommu_params *params);
struct endpoint *virtio_iommu_endpoint(struct virtio_iommu *iommu);
/* An event of event_bytes for the event queue, now or when a buffer is found there; false: too many
 * wait already, or there is no driver. */
bool virtio_iommu_event(struct virtio_iommu *iommu, const uint8_t *event);
void virtio_iommu_set_config(struct virtio_iommu *iommu, const uint8_t *config);

#endif
