/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A small virtio driver on the mock of endpoints: sets a device up and keeps split or packed rings
 * in the mock's memory. For unit tests and the fuzz target; it can also be made to lie.
 */
#ifndef PCILAB_TESTS_VIRTIO_DRIVER_H
#define PCILAB_TESTS_VIRTIO_DRIVER_H

#include "mock.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/endpoint/virtio.h"

#define DRIVER_QUEUES    8
#define DRIVER_RAM_BYTES (4u << 20)
/* Of each queue: rings, then indirect tables. */
#define DRIVER_DESC(q)   (0x10000u * ((q) + 1))
#define DRIVER_AVAIL(q)  (DRIVER_DESC(q) + 0x4000)
#define DRIVER_USED(q)   (DRIVER_DESC(q) + 0x6000)
#define DRIVER_TABLES(q) (DRIVER_DESC(q) + 0x8000)
#define DRIVER_DATA      0x100000u /* from here on, for tests */

#define DRIVER_COMMON 0x0000u /* in BAR 0 */
#define DRIVER_ISR    0x1000u
#define DRIVER_CONFIG 0x2000u
#define DRIVER_NOTIFY 0x3000u

enum {
    F_INDIRECT = 28,
    F_EVENT_IDX = 29,
    F_VERSION_1 = 32,
    F_PACKED = 34,
};

enum { S_ACK = 1, S_DRIVER = 2, S_DRIVER_OK = 4, S_FEATURES_OK = 8, S_NEEDS_RESET = 0x40 };

struct driver_buffer {
    uint64_t addr;
    uint32_t len;
    bool write;
};

struct driver_ring {
    uint16_t size;
    uint16_t avail, used; /* split: free-running; packed: position */
    bool avail_wrap, used_wrap;
    uint16_t next_desc; /* split: descriptors are handed out in turn */
    uint16_t next_table;
    uint16_t entries[1024]; /* packed: by buffer ID */
};

struct driver {
    struct mock *mock;
    struct endpoint *ep;
    struct endpoint_func *func;
    uint64_t features;
    struct driver_ring ring[DRIVER_QUEUES];
};

uint64_t driver_get(struct driver *d, unsigned offset, unsigned len);
void driver_set(struct driver *d, unsigned offset, unsigned len, uint64_t value);
unsigned driver_status(struct driver *d);
uint64_t driver_offered(struct driver *d);
/* Reset to FEATURES_OK; false when the device refuses. */
bool driver_start(struct driver *d, uint64_t features);
void driver_queue(struct driver *d, unsigned q, uint16_t size);
void driver_ok(struct driver *d);
/* driver_start() with everything offered but `without`, all queues of this size, DRIVER_OK. */
void driver_setup(struct driver *d, uint64_t without, unsigned queues, uint16_t size);

/* Makes a chain available; `indirect` needs the feature. Returns its ID. */
uint16_t driver_add(struct driver *d, unsigned q, const struct driver_buffer *buf, unsigned count,
                    bool indirect);
void driver_kick(struct driver *d, unsigned q);
/* The next used entry, if there is one. */
bool driver_used(struct driver *d, unsigned q, uint16_t *id, uint32_t *len);

#endif
