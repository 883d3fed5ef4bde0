/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Split virtqueues: VIRTIO 1.3, 2.7. The descriptor table is at q->desc, the available ring at
 * q->driver, the used ring at q->device.
 */
#include <glib.h>

#include "core.h"
#include "pcilab/base/le.h"

#define RING_INDEX    2 /* flags, idx, ring[] */
#define RING_ENTRIES  4
#define AVAIL_BYTES   2
#define USED_BYTES    8
#define NO_INTERRUPT  0x0001 /* 2.7.6 */
#define DESC_FLAGS    12
#define DESC_NEXT_IDX 14

static uint64_t avail_event(const struct virtq *q)
{
    return q->device + RING_ENTRIES + (uint64_t)USED_BYTES * q->size;
}

static uint64_t used_event(const struct virtq *q)
{
    return q->driver + RING_ENTRIES + (uint64_t)AVAIL_BYTES * q->size;
}

static void fetch_head(struct virtq *q)
{
    unsigned at = q->avail_at & (q->size - 1u);

    virtq_fetch_dma(q, FETCH_HEAD, DMA_READ, q->driver + RING_ENTRIES + AVAIL_BYTES * at,
                    AVAIL_BYTES);
}

static void fetch_index(struct virtq *q)
{
    virtq_fetch_dma(q, FETCH_INDEX, DMA_READ, q->driver + RING_INDEX, 2);
}

static void split_look(struct virtq *q)
{
    if (q->avail_known != q->avail_at)
        fetch_head(q);
    else
        fetch_index(q);
}

static void index_read(struct virtq *q)
{
    q->avail_known = le16_load(q->fetch_buf);
    if ((uint16_t)(q->avail_known - q->avail_at) > q->size) {
        virtio_fail(q->dev, "the available index ran away (2.7.6)");
    } else if (q->avail_known != q->avail_at) {
        fetch_head(q);
    } else if (virtq_has(q, VIRTIO_F_EVENT_IDX) && !q->armed) {
        /* 2.7.7.2: then look again, as the driver may not have seen it in time. The read that
         * follows does not pass the write. */
        q->armed = true;
        le16_store(q->fetch_buf, q->avail_at);
        virtq_fetch_dma(q, FETCH_ARM, DMA_WRITE, avail_event(q), 2);
    } else {
        virtq_idle(q);
    }
}

static void fetch_descriptor(struct virtq *q, unsigned index)
{
    if (index >= q->size)
        virtio_fail(q->dev, "a descriptor index outside the table (2.7.5)");
    else
        virtq_fetch_dma(q, FETCH_DESC, DMA_READ, q->desc + (uint64_t)VIRTQ_DESC_BYTES * index,
                        VIRTQ_DESC_BYTES);
}

static void chain_complete(struct virtq *q)
{
    q->avail_at++;
    q->armed = false;
    virtq_chain_complete(q);
}

static void descriptor_read(struct virtq *q)
{
    unsigned flags = le16_load(q->fetch_buf + DESC_FLAGS);

    if (flags & VIRTQ_DESC_INDIRECT) {
        /* 2.7.5.3.2: the write flag means nothing here. */
        if (flags & VIRTQ_DESC_NEXT)
            virtio_fail(q->dev, "an indirect descriptor with a next one (2.7.5.3.1)");
        else
            virtq_fetch_table(q, le64_load(q->fetch_buf), le32_load(q->fetch_buf + 8));
        return;
    }
    if (!virtq_add_segment(q, q->fetch_buf, flags))
        return;
    if (flags & VIRTQ_DESC_NEXT)
        fetch_descriptor(q, le16_load(q->fetch_buf + DESC_NEXT_IDX));
    else
        chain_complete(q);
}

/* Loops end when the chain becomes longer than the queue. */
static void table_read(struct virtq *q)
{
    unsigned index = 0, flags;

    do {
        const uint8_t *desc = q->table + index * VIRTQ_DESC_BYTES;

        flags = le16_load(desc + DESC_FLAGS);
        if (flags & VIRTQ_DESC_INDIRECT) {
            virtio_fail(q->dev, "an indirect descriptor inside a table (2.7.5.3.1)");
            return;
        }
        if (!virtq_add_segment(q, desc, flags))
            return;
        index = le16_load(desc + DESC_NEXT_IDX);
        if ((flags & VIRTQ_DESC_NEXT) && index >= q->table_entries) {
            virtio_fail(q->dev, "a next index outside an indirect table (2.7.5.3)");
            return;
        }
    } while (flags & VIRTQ_DESC_NEXT);
    chain_complete(q);
}

static void head_read(struct virtq *q)
{
    unsigned head = le16_load(q->fetch_buf);

    virtq_taking(q)->id = (uint16_t)head;
    fetch_descriptor(q, head);
}

static void split_fetch_done(struct virtq *q)
{
    switch (q->fetch) {
    case FETCH_INDEX: index_read(q); break;
    case FETCH_ARM: fetch_index(q); break;
    case FETCH_HEAD: head_read(q); break;
    case FETCH_DESC: descriptor_read(q); break;
    default: table_read(q); break;
    }
}

static void split_publish(struct virtq *q)
{
    const struct virtq_request *req = q->done.first;

    if (!req) {
        if (virtq_has(q, VIRTIO_F_EVENT_IDX))
            virtq_used_dma(q, USED_EVENT, DMA_READ, used_event(q), 2);
        else
            virtq_used_dma(q, USED_EVENT, DMA_READ, q->driver, 2);
        return;
    }
    unsigned at = q->used_at & (q->size - 1u), room = MIN(q->size - at, VIRTQ_USED_BATCH);

    for (q->used_count = 0; req && q->used_count < room; req = req->next) {
        uint8_t *element = q->used_buf + USED_BYTES * q->used_count++;

        le32_store(element, req->id);
        le32_store(element + 4, req->written);
    }
    virtq_used_dma(q, USED_ELEMENT, DMA_WRITE, q->device + RING_ENTRIES + (uint64_t)USED_BYTES * at,
                   USED_BYTES * q->used_count);
}

/* The index follows when whole groups are there. */
static void elements_written(struct virtq *q)
{
    bool more = false;

    for (; q->used_count; q->used_count--) {
        more = q->done.first->group_next;
        q->used_at++;
        virtq_published(q);
    }
    if (more) {
        split_publish(q);
        return;
    }
    le16_store(q->used_buf, q->used_at);
    virtq_used_dma(q, USED_INDEX, DMA_WRITE, q->device + RING_INDEX, 2);
}

static void split_used_done(struct virtq *q)
{
    uint16_t value = le16_load(q->used_buf);

    switch (q->used) {
    case USED_ELEMENT: elements_written(q); break;
    case USED_INDEX: split_publish(q); break;
    default:
        virtq_signalled(q, virtq_has(q, VIRTIO_F_EVENT_IDX)
                               ? virtq_need_event(value, q->used_at, q->signalled)
                               : !(value & NO_INTERRUPT));
        break;
    }
}

const struct virtq_format virtq_split = {
    .look = split_look,
    .fetch_done = split_fetch_done,
    .publish = split_publish,
    .used_done = split_used_done,
};
