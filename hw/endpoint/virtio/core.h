/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside the virtio core; device types do not see this. Clauses are those of VIRTIO 1.3. */
#ifndef PCILAB_HW_ENDPOINT_VIRTIO_CORE_H
#define PCILAB_HW_ENDPOINT_VIRTIO_CORE_H

#include "pcilab/base/bits.h"
#include "pcilab/endpoint/virtio.h"
#include "pcilab/reg/reg.h"
#include "pcilab/sim/sim.h"

/* Feature bits of the core: 6. */
#define VIRTIO_F_INDIRECT_DESC   BIT(28)
#define VIRTIO_F_EVENT_IDX       BIT(29)
#define VIRTIO_F_VERSION_1       BIT(32)
#define VIRTIO_F_ACCESS_PLATFORM BIT(33)
#define VIRTIO_F_RING_PACKED     BIT(34)

/* Device status: 2.1. */
#define VIRTIO_STATUS_FEATURES_OK 0x08
#define VIRTIO_STATUS_DRIVER_OK   0x04
#define VIRTIO_STATUS_NEEDS_RESET 0x40

#define VIRTIO_NO_VECTOR 0xffff /* 4.1.4.3 */

/* ISR status: 4.1.4.5. */
#define VIRTIO_ISR_QUEUE  0x01
#define VIRTIO_ISR_CONFIG 0x02

/* Descriptors: 2.7.5, 2.8.13; both kinds have 16 bytes. */
#define VIRTQ_DESC_BYTES    16
#define VIRTQ_DESC_NEXT     0x0001
#define VIRTQ_DESC_WRITE    0x0002
#define VIRTQ_DESC_INDIRECT 0x0004
#define VIRTQ_DESC_AVAIL    0x0080 /* packed */
#define VIRTQ_DESC_USED     0x8000 /* packed */

/* CHOICE: how long a device thinks about each chain that it takes. It also keeps a ring that feeds
 * itself (a guest may point buffers at the ring) from standing still in time. */
#define VIRTQ_STEP_PS (200 * PS_PER_NS)

#define VIRTQ_USED_BATCH 32 /* CHOICE: used elements that are written at once (split) */
#define VIRTQ_DMA_WINDOW 4  /* CHOICE: pieces of one chain's data that are under way at once */

struct virtq;

struct virtq_segment {
    uint64_t addr;
    uint32_t len;
};

/* A slot for one chain. */
struct virtq_request {
    struct virtio_request pub;
    struct virtq *q;
    struct virtq_request *next; /* in one of the queue's lists */
    uint16_t id;                /* head (split) or buffer ID (packed) */
    uint16_t entries;           /* of the ring, which the chain takes (packed) */

    struct virtq_segment *seg; /* room for as many as a chain may have */
    unsigned seg_in, segs;     /* the first seg_in are device-readable */
    uint64_t in_total;
    uint8_t *in_buf, *out_buf;
    uint32_t in_cap, out_cap;
    uint32_t written;

    /* Chains that are given back together: the first counts those whose data is not out yet. */
    struct virtq_request *group, *group_next;
    unsigned group_left;

    /* The transfer under way. */
    enum dma_kind kind;
    unsigned seg_at, seg_end;
    uint8_t *cursor;
    uint32_t left;
    unsigned live;
    bool ready; /* its data arrived; it waits for those before it */
    struct dma_op op[VIRTQ_DMA_WINDOW];
    uint32_t free_ops; /* bits */
};

struct virtq_list {
    struct virtq_request *first, *last;
};

/* What the two formats of rings differ in. */
struct virtq_format {
    /* Is there a chain? Ends in virtq_take_*(), virtq_idle() or virtio_fail(). */
    void (*look)(struct virtq *q);
    void (*fetch_done)(struct virtq *q);
    /* Puts q->done's first, with its group, into the used ring; then, all of them there, asks
     * whether the driver wants an interrupt. */
    void (*publish)(struct virtq *q);
    void (*used_done)(struct virtq *q);
};

enum virtq_fetch {
    FETCH_IDLE,  /* waits for a notification */
    FETCH_STEP,  /* `step` is scheduled */
    FETCH_SLOT,  /* there may be a chain, but no slot is free */
    FETCH_INDEX, /* DMA: split: available index */
    FETCH_ARM,   /* DMA: asks for a notification */
    FETCH_HEAD,  /* DMA: split: head of a chain */
    FETCH_DESC,  /* DMA: a descriptor */
    FETCH_TABLE, /* DMA: an indirect table */
};

enum virtq_used {
    USED_IDLE,
    USED_MEMBER,  /* DMA: packed: one of a group but the first */
    USED_ELEMENT, /* DMA: the entry, or several (split) */
    USED_INDEX,   /* DMA: what makes it visible */
    USED_EVENT,   /* DMA: does the driver want an interrupt? */
};

struct virtq {
    struct virtio *dev;
    unsigned index;
    struct virtio_queue_params params;
    const struct virtq_format *format;

    /* Set up by the driver; 4.1.4.3. */
    uint16_t size, vector;
    bool enabled;
    uint64_t desc, driver, device;

    struct virtq_request *slot; /* params.in_flight of them */
    struct virtq_request *free; /* through next */
    struct virtq_list arriving; /* data is on its way; in order of the ring */
    struct virtq_list done;     /* answered, to be put into the used ring */

    enum virtq_fetch fetch;
    struct virtq_request *taking; /* the chain that is being fetched */
    bool again;                   /* a notification came while a fetch was under way */
    bool armed;                   /* a notification was asked for at avail_at */
    struct sim_event step;
    struct dma_op fetch_op;
    uint8_t fetch_buf[VIRTQ_DESC_BYTES];
    uint8_t *table; /* room for an indirect table */
    uint32_t table_entries;
    uint16_t avail_at;    /* split: free-running; packed: position */
    uint16_t avail_known; /* split: the available index as last read */
    bool avail_wrap;      /* packed */
    uint16_t chain_at;    /* packed: position of the next descriptor of the chain */
    bool chain_wrap;

    enum virtq_used used;
    struct dma_op used_op;
    uint8_t used_buf[8 * VIRTQ_USED_BATCH];
    unsigned used_count;          /* split: entries that are being written */
    uint16_t used_at;             /* split: free-running; packed: position */
    bool used_wrap;               /* packed */
    struct virtq_request *member; /* packed: of the group, and where it goes */
    uint16_t member_at;
    bool member_wrap;
    uint16_t signalled; /* used_at when an interrupt was last thought about */
};

struct virtio {
    char *name;
    struct endpoint *ep;
    struct endpoint_func *func;
    struct pci_func *pci;
    struct sim *sim;
    const struct virtio_device_ops *ops;
    void *owner;

    struct reg_space *common;
    uint64_t offered, accepted, features; /* features: 0 before FEATURES_OK */
    uint8_t isr;
    uint8_t generation;
    uint8_t *config;
    unsigned config_bytes;
    unsigned cfg_cap; /* offset of the PCI configuration access capability */

    struct virtq *queue;
    unsigned queue_count;
    unsigned live_dma;
    bool running;   /* DRIVER_OK, not broken, not being reset */
    bool resetting; /* waits for DMA to end */
};

/* common.c */
void virtio_common_init(struct virtio *dev);
unsigned virtio_status(const struct virtio *dev);
/* dma_gone: nothing is under way any more; otherwise the reset ends when that is so. */
void virtio_reset(struct virtio *dev, bool dma_gone);
/* The last DMA of a device that is being reset has ended. */
void virtio_drained(struct virtio *dev);
void virtio_interrupt_queue(struct virtq *q);
void virtio_interrupt_config(struct virtio *dev);

/* transport.c */
void virtio_transport_init(struct virtio *dev, const struct pcie_params *pcie);
extern const struct endpoint_func_ops virtio_func_ops;

/* queue.c */
void virtq_init(struct virtq *q, struct virtio *dev, const struct virtio_queue_params *params);
void virtq_fini(struct virtq *q);
/* No DMA of ours is under way. */
void virtq_reset(struct virtq *q);
/* Takes the ring into use; NULL, or what is wrong with it. */
const char *virtq_enable(struct virtq *q);
void virtq_notify(struct virtq *q);

/* For the formats. A piece of the ring, at fetch_buf or used_buf. */
void virtq_fetch_dma(struct virtq *q, enum virtq_fetch state, enum dma_kind kind, uint64_t addr,
                     uint32_t len);
void virtq_used_dma(struct virtq *q, enum virtq_used state, enum dma_kind kind, uint64_t addr,
                    uint32_t len);
void virtq_fetch_table(struct virtq *q, uint64_t addr, uint32_t len);
/* The slot of the chain that is being looked at, from here on: others may become free before it is
 * complete. */
struct virtq_request *virtq_taking(struct virtq *q);
/* False: the chain is malformed, and the device broken. */
bool virtq_add_segment(struct virtq *q, const uint8_t *desc, unsigned flags);
/* The chain is complete; its data is fetched and the next one looked for. */
void virtq_chain_complete(struct virtq *q);
/* Nothing is available. */
void virtq_idle(struct virtq *q);
/* The first of q->done is in the used ring; it is the caller's to publish the next. */
void virtq_published(struct virtq *q);
/* The question for an interrupt is answered. */
void virtq_signalled(struct virtq *q, bool interrupt);
static inline bool virtq_has(const struct virtq *q, uint64_t feature)
{
    return q->dev->features & feature;
}
/* 2.7.7.2: did the step from `old` to `new` pass `event`? */
static inline bool virtq_need_event(uint16_t event, uint16_t new_at, uint16_t old)
{
    return (uint16_t)(new_at - event - 1) < (uint16_t)(new_at - old);
}

extern const struct virtq_format virtq_split;
extern const struct virtq_format virtq_packed;

#endif
