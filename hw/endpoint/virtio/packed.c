/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Packed virtqueues: VIRTIO 1.3, 2.8. The descriptor ring is at q->desc, what the driver says of
 * interrupts at q->driver, what the device says of notifications at q->device.
 *
 * CHOICE: a descriptor is read by one DMA of 16 bytes, which memory answers at one instant; its
 * flags and the rest are then of one time (2.8.21.1 reads the flags first).
 */
#include <string.h>

#include "core.h"
#include "pcilab/base/le.h"

#define DESC_LEN   8
#define DESC_ID    12
#define DESC_FLAGS 14

/* Event suppression: 2.8.10. */
#define EVENT_BYTES   4
#define EVENT_FLAGS   2
#define EVENT_ENABLE  0
#define EVENT_DISABLE 1
#define EVENT_DESC    2
#define EVENT_WRAP    0x8000

static uint64_t descriptor(const struct virtq *q, unsigned at)
{
    return q->desc + (uint64_t)VIRTQ_DESC_BYTES * at;
}

static void advance(const struct virtq *q, uint16_t *at, bool *wrap, unsigned by)
{
    unsigned to = *at + by;

    if (to >= q->size) {
        to -= q->size;
        *wrap = !*wrap;
    }
    *at = (uint16_t)to;
}

static void fetch_descriptor(struct virtq *q)
{
    virtq_fetch_dma(q, FETCH_DESC, DMA_READ, descriptor(q, q->chain_at), VIRTQ_DESC_BYTES);
}

static void packed_look(struct virtq *q)
{
    q->chain_at = q->avail_at;
    q->chain_wrap = q->avail_wrap;
    fetch_descriptor(q);
}

static void nothing_available(struct virtq *q)
{
    if (q->armed || !virtq_has(q, VIRTIO_F_EVENT_IDX)) {
        virtq_idle(q);
        return;
    }
    /* 2.8.10: a notification for this descriptor; then look again. */
    q->armed = true;
    le16_store(q->fetch_buf, (uint16_t)(q->avail_at | (q->avail_wrap ? EVENT_WRAP : 0)));
    le16_store(q->fetch_buf + EVENT_FLAGS, EVENT_DESC);
    virtq_fetch_dma(q, FETCH_ARM, DMA_WRITE, q->device, EVENT_BYTES);
}

static void chain_complete(struct virtq *q)
{
    unsigned entries =
        (unsigned)(q->chain_at + (q->chain_wrap != q->avail_wrap ? q->size : 0) - q->avail_at);

    q->taking->entries = (uint16_t)entries;
    q->avail_at = q->chain_at;
    q->avail_wrap = q->chain_wrap;
    q->armed = false;
    virtq_chain_complete(q);
}

static void descriptor_read(struct virtq *q)
{
    unsigned flags = le16_load(q->fetch_buf + DESC_FLAGS);
    bool avail = flags & VIRTQ_DESC_AVAIL, used = flags & VIRTQ_DESC_USED;
    bool first = !q->taking;

    /* 2.8.1: of a chain, the first descriptor says that all are there. */
    if (first && (avail != q->avail_wrap || used == q->avail_wrap)) {
        nothing_available(q);
        return;
    }
    virtq_taking(q)->id = le16_load(q->fetch_buf + DESC_ID);
    if (flags & VIRTQ_DESC_INDIRECT) {
        if (!first || (flags & VIRTQ_DESC_NEXT))
            virtio_fail(q->dev, "an indirect descriptor in a chain (2.8.19)");
        else
            virtq_fetch_table(q, le64_load(q->fetch_buf), le32_load(q->fetch_buf + DESC_LEN));
        return;
    }
    if (!virtq_add_segment(q, q->fetch_buf, flags))
        return;
    /* Ends when the chain becomes longer than the ring. */
    if (q->taking->segs > q->size) {
        virtio_fail(q->dev, "a chain is longer than its ring (2.8.19)");
        return;
    }
    advance(q, &q->chain_at, &q->chain_wrap, 1);
    if (flags & VIRTQ_DESC_NEXT)
        fetch_descriptor(q);
    else
        chain_complete(q);
}

/* 2.8.8: all of a table, in order; of the flags only "write" counts. */
static void table_read(struct virtq *q)
{
    for (unsigned i = 0; i < q->table_entries; i++) {
        const uint8_t *desc = q->table + i * VIRTQ_DESC_BYTES;

        if (!virtq_add_segment(q, desc, le16_load(desc + DESC_FLAGS)))
            return;
    }
    advance(q, &q->chain_at, &q->chain_wrap, 1);
    chain_complete(q);
}

static void packed_fetch_done(struct virtq *q)
{
    switch (q->fetch) {
    case FETCH_ARM: packed_look(q); break;
    case FETCH_DESC: descriptor_read(q); break;
    default: table_read(q); break;
    }
}

static void put_entry(struct virtq *q, const struct virtq_request *req, bool wrap)
{
    unsigned flags =
        (wrap ? VIRTQ_DESC_AVAIL | VIRTQ_DESC_USED : 0) | (req->written ? VIRTQ_DESC_WRITE : 0);

    le32_store(q->used_buf, req->written);
    le16_store(q->used_buf + 4, req->id);
    le16_store(q->used_buf + 6, (uint16_t)flags);
}

/* Of a group all others go before the first, whose flags make them visible. */
static void publish_member(struct virtq *q)
{
    const struct virtq_request *first = q->done.first;

    advance(q, &q->member_at, &q->member_wrap, q->member->entries);
    q->member = q->member->group_next;
    if (q->member) {
        put_entry(q, q->member, q->member_wrap);
        virtq_used_dma(q, USED_MEMBER, DMA_WRITE, descriptor(q, q->member_at) + DESC_LEN, 8);
    } else {
        put_entry(q, first, q->used_wrap);
        virtq_used_dma(q, USED_ELEMENT, DMA_WRITE, descriptor(q, q->used_at) + DESC_LEN, 6);
    }
}

static void packed_publish(struct virtq *q)
{
    q->member = q->done.first;
    q->member_at = q->used_at;
    q->member_wrap = q->used_wrap;
    if (q->member)
        publish_member(q);
    else
        virtq_used_dma(q, USED_EVENT, DMA_READ, q->driver, EVENT_BYTES);
}

static void publish_flags(struct virtq *q)
{
    memmove(q->used_buf, q->used_buf + 6, 2);
    virtq_used_dma(q, USED_INDEX, DMA_WRITE, descriptor(q, q->used_at) + DESC_FLAGS, 2);
}

static void flags_published(struct virtq *q)
{
    bool more;

    do {
        bool wrap = q->used_wrap;

        more = q->done.first->group_next;
        advance(q, &q->used_at, &q->used_wrap, q->done.first->entries);
        if (wrap != q->used_wrap)
            q->signalled = (uint16_t)(q->signalled - q->size); /* stays as far behind */
        virtq_published(q);
    } while (more);
    packed_publish(q);
}

static bool wants_interrupt(const struct virtq *q)
{
    uint16_t event = le16_load(q->used_buf);
    unsigned flags = le16_load(q->used_buf + EVENT_FLAGS) & 3;
    uint16_t at = event & (EVENT_WRAP - 1);

    if (flags != EVENT_DESC || !virtq_has(q, VIRTIO_F_EVENT_IDX))
        return flags != EVENT_DISABLE;
    if (!!(event & EVENT_WRAP) != q->used_wrap)
        at = (uint16_t)(at - q->size);
    return virtq_need_event(at, q->used_at, q->signalled);
}

static void packed_used_done(struct virtq *q)
{
    switch (q->used) {
    case USED_MEMBER: publish_member(q); break;
    case USED_ELEMENT: publish_flags(q); break;
    case USED_INDEX: flags_published(q); break;
    default: virtq_signalled(q, wants_interrupt(q)); break;
    }
}

const struct virtq_format virtq_packed = {
    .look = packed_look,
    .fetch_done = packed_fetch_done,
    .publish = packed_publish,
    .used_done = packed_used_done,
};
