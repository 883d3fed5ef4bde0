/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtio devices over PCI Express: VIRTIO 1.3 (OASIS). The core is a PCI function with the modern
 * transport (4.1), split (2.7) and packed (2.8) virtqueues. A device says what it offers and gets
 * requests: descriptor chains whose device-readable bytes were fetched by DMA already. It answers
 * now or at any later instant; the core writes the answer and the used ring by DMA and interrupts.
 *
 * The core offers VERSION_1, ACCESS_PLATFORM, EVENT_IDX, INDIRECT_DESC and, where asked for,
 * RING_PACKED. What a driver does wrong with its rings ends in DEVICE_NEEDS_RESET (2.1.2), as does
 * DMA that fails.
 */
#ifndef PCILAB_ENDPOINT_VIRTIO_H
#define PCILAB_ENDPOINT_VIRTIO_H

#include "pcilab/endpoint/endpoint.h"

#define VIRTIO_VENDOR_ID      0x1af4 /* 4.1.2 */
#define VIRTIO_QUEUE_SIZE_MAX 1024
#define VIRTIO_QUEUES_MAX     128
#define VIRTIO_CONFIG_MAX     1024 /* bytes of device configuration */

enum virtio_type { /* 5: Device ID of the PCI function is 1040h plus this */
                   VIRTIO_TYPE_NET = 1,
                   VIRTIO_TYPE_BLOCK = 2,
                   VIRTIO_TYPE_CONSOLE = 3,
                   VIRTIO_TYPE_ENTROPY = 4,
                   VIRTIO_TYPE_9P = 9,
                   VIRTIO_TYPE_IOMMU = 23,
};

struct virtio;

/*
 * A chain in the device's hands, from ops->request() until virtio_answer() or ops->reset(). The
 * buffers belong to the core, stay where they are and are reused afterwards.
 */
struct virtio_request {
    unsigned queue;
    const uint8_t *in; /* device-readable bytes, gathered */
    uint32_t in_len;
    uint8_t *out;       /* what will be written; contents undefined at first */
    uint32_t out_len;   /* bytes that there is room for: the smaller of out_total and the queue's
                           out_max_bytes */
    uint64_t out_total; /* length of the device-writable part */
    struct virtio_request *next; /* the device's, to keep requests in a list */
    void *opaque;                /* the device's */
};

struct virtio_queue_params {
    uint16_t size;          /* most entries: a power of two up to VIRTIO_QUEUE_SIZE_MAX */
    uint16_t in_flight;     /* most requests in the device's hands at one time, 1 to size */
    uint32_t in_max_bytes;  /* a chain with more device-readable bytes is the driver's error */
    uint32_t out_max_bytes; /* see out_len */
};

/* Only request() and destroy() are required. None of them runs inside another one or inside a
 * function of this header. */
struct virtio_device_ops {
    /* A chain has arrived. Requests of one queue come in the order of its ring. */
    void (*request)(void *owner, struct virtio_request *req);
    /* The driver has set DRIVER_OK; `features` is what was negotiated. No request comes before. */
    void (*driver_ok)(void *owner, uint64_t features);
    /* The device was reset in whatever way: all requests are gone, features too. Also called when
     * nothing was set up before. */
    void (*reset)(void *owner);
    /* The driver has written to the device configuration, which is not changed by that: the device
     * stores what it accepts with virtio_set_config(). */
    void (*config_written)(void *owner, unsigned offset, const uint8_t *data, unsigned len);
    void (*destroy)(void *owner);
};

struct virtio_params {
    const char *name;
    enum virtio_type type;
    uint32_t class_code;
    uint64_t features; /* of the device type (5): bits 0 to 23 and 50 to 63 */
    bool packed;       /* offer RING_PACKED */
    const struct virtio_queue_params *queues; /* copied */
    unsigned queue_count;
    const void *config; /* device configuration (4.1.4.6), initial bytes; NULL: zeroes */
    unsigned config_bytes;
    const struct virtio_device_ops *ops;
    void *owner;
    struct pcie_params pcie;
};

/* Creates a function with its endpoint, ready. It lives until endpoint_free(), which calls
 * ops->destroy(). */
struct virtio *virtio_new(struct fabric *fabric, const struct virtio_params *params);
struct endpoint *virtio_endpoint(struct virtio *dev);
struct endpoint_func *virtio_func(struct virtio *dev); /* for endpoint_sim() and the like */

/* Gives a request back: writes out[0] to out[written - 1], then puts it into the used ring.
 * written <= out_len. The request must not be touched any more. */
void virtio_answer(struct virtio_request *req, uint32_t written);

/* Gives requests of one queue back together, which `next` links in the order of their arrival: the
 * driver sees all of them or none. The bytes fill them one after the other. */
void virtio_answer_group(struct virtio_request *first, uint32_t written);

uint64_t virtio_features(const struct virtio *dev); /* negotiated; 0 before FEATURES_OK */
bool virtio_running(const struct virtio *dev);      /* DRIVER_OK, and nothing is broken */
/* Stores bytes of the device configuration. notify: advances the generation and, with DRIVER_OK,
 * sends a configuration change interrupt. */
void virtio_set_config(struct virtio *dev, unsigned offset, const void *data, unsigned len,
                       bool notify);
const uint8_t *virtio_config(const struct virtio *dev);
/* Looks for chains as if the driver had notified of them: for devices that want a buffer now. */
void virtio_look(struct virtio *dev, unsigned queue);
/* The driver broke a rule of the device type after which nothing works: sets DEVICE_NEEDS_RESET
 * and leaves a line `why` in the trace. No request comes any more; those in the device's hands may
 * be answered, to no effect, until ops->reset(). */
void virtio_fail(struct virtio *dev, const char *why);

#endif
