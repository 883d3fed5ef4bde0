/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A virtqueue, whatever its format: slots for chains, the data of chains, and what comes in which
 * order (VIRTIO 1.3, 2.6). The formats are in split.c and packed.c.
 *
 * A chain goes: look -> descriptors -> data in -> the device -> data out -> used ring -> perhaps an
 * interrupt. Chains overtake each other only while the device has them.
 */
#include <assert.h>
#include <string.h>

#include <glib.h>

#include "core.h"
#include "pcilab/base/le.h"

static void list_push(struct virtq_list *list, struct virtq_request *req)
{
    req->next = NULL;
    if (list->last)
        list->last->next = req;
    else
        list->first = req;
    list->last = req;
}

static struct virtq_request *list_pop(struct virtq_list *list)
{
    struct virtq_request *req = list->first;

    list->first = req->next;
    if (!list->first)
        list->last = NULL;
    return req;
}

/* Every operation ends here first. False: nothing more may be done. */
static bool dma_over(struct virtio *dev, enum dma_status status)
{
    dev->live_dma--;
    if (dev->resetting) {
        if (!dev->live_dma)
            virtio_drained(dev);
        return false;
    }
    if (!dev->running)
        return false;
    if (status != DMA_OK) {
        virtio_fail(dev, "DMA failed");
        return false;
    }
    return true;
}

static void start_dma(struct virtio *dev, struct dma_op *op)
{
    dev->live_dma++;
    endpoint_dma(dev->func, op);
}

/* The ring. */

static void fetch_op_done(struct dma_op *op, enum dma_status status)
{
    struct virtq *q = op->opaque;

    if (dma_over(q->dev, status))
        q->format->fetch_done(q);
}

void virtq_fetch_dma(struct virtq *q, enum virtq_fetch state, enum dma_kind kind, uint64_t addr,
                     uint32_t len)
{
    assert(len <= sizeof(q->fetch_buf));
    q->fetch = state;
    q->fetch_op.kind = kind;
    q->fetch_op.addr = addr;
    q->fetch_op.len = len;
    q->fetch_op.buf = q->fetch_buf;
    start_dma(q->dev, &q->fetch_op);
}

/* Indirect tables: 2.7.5.3, 2.8.7. */
void virtq_fetch_table(struct virtq *q, uint64_t addr, uint32_t len)
{
    if (!virtq_has(q, VIRTIO_F_INDIRECT_DESC)) {
        virtio_fail(q->dev, "an indirect descriptor that was not negotiated (2.7.5.3.1)");
        return;
    }
    if (!len || len % VIRTQ_DESC_BYTES || len / VIRTQ_DESC_BYTES > q->params.size) {
        virtio_fail(q->dev, "an indirect table of an impossible length (2.7.5.3.1)");
        return;
    }
    q->fetch = FETCH_TABLE;
    q->table_entries = len / VIRTQ_DESC_BYTES;
    q->fetch_op.kind = DMA_READ;
    q->fetch_op.addr = addr;
    q->fetch_op.len = len;
    q->fetch_op.buf = q->table;
    start_dma(q->dev, &q->fetch_op);
}

static void used_op_done(struct dma_op *op, enum dma_status status)
{
    struct virtq *q = op->opaque;

    if (dma_over(q->dev, status))
        q->format->used_done(q);
}

void virtq_used_dma(struct virtq *q, enum virtq_used state, enum dma_kind kind, uint64_t addr,
                    uint32_t len)
{
    assert(len <= sizeof(q->used_buf));
    q->used = state;
    q->used_op.kind = kind;
    q->used_op.addr = addr;
    q->used_op.len = len;
    q->used_op.buf = q->used_buf;
    start_dma(q->dev, &q->used_op);
}

/* Looking for chains. */

static void schedule_step(struct virtq *q)
{
    q->fetch = FETCH_STEP;
    q->again = false;
    sim_schedule_in(q->dev->sim, &q->step, VIRTQ_STEP_PS);
}

static void step_fn(void *opaque)
{
    struct virtq *q = opaque;

    if (!q->dev->running)
        return;
    if (!q->free) {
        q->fetch = FETCH_SLOT;
        return;
    }
    q->format->look(q);
}

void virtq_notify(struct virtq *q)
{
    if (!q->dev->running || !q->enabled)
        return;
    if (q->fetch == FETCH_IDLE)
        schedule_step(q);
    else
        q->again = true;
}

void virtq_idle(struct virtq *q)
{
    q->fetch = FETCH_IDLE;
    if (q->again)
        schedule_step(q);
}

struct virtq_request *virtq_taking(struct virtq *q)
{
    struct virtq_request *req = q->taking;

    if (req)
        return req;
    req = q->taking = q->free;
    q->free = req->next;
    if (!req->seg)
        req->seg = g_new(struct virtq_segment, q->params.size);
    req->seg_in = req->segs = 0;
    req->in_total = 0;
    req->pub.out_total = 0;
    return req;
}

bool virtq_add_segment(struct virtq *q, const uint8_t *desc, unsigned flags)
{
    struct virtq_request *req = virtq_taking(q);
    struct virtq_segment seg = {le64_load(desc), le32_load(desc + 8)};

    if (req->segs == q->params.size) {
        virtio_fail(q->dev, "a chain is longer than its queue (2.7.5.3.1)");
        return false;
    }
    if (seg.len && seg.addr + (seg.len - 1) < seg.addr) {
        virtio_fail(q->dev, "a buffer reaches past the last address");
        return false;
    }
    if (flags & VIRTQ_DESC_WRITE) {
        req->pub.out_total += seg.len;
    } else if (req->segs != req->seg_in) {
        virtio_fail(q->dev, "a device-readable buffer after a device-writable one (2.7.4.2)");
        return false;
    } else {
        req->in_total += seg.len;
        req->seg_in++;
        if (req->in_total > q->params.in_max_bytes) {
            virtio_fail(q->dev, "a chain with more data than the device takes");
            return false;
        }
    }
    req->seg[req->segs++] = seg;
    return true;
}

/* The data of chains. */

static void transfer_end(struct virtq_request *req);

static void transfer_op_done(struct dma_op *op, enum dma_status status)
{
    struct virtq_request *req = op->opaque;

    req->live--;
    req->free_ops |= 1u << (op - req->op);
    if (dma_over(req->q->dev, status))
        transfer_end(req);
}

/* Starts what there is room for. */
static void transfer_pump(struct virtq_request *req)
{
    while (req->free_ops && req->left && req->seg_at < req->seg_end) {
        const struct virtq_segment *seg = &req->seg[req->seg_at++];
        struct dma_op *op = &req->op[__builtin_ctz(req->free_ops)];
        uint32_t len = MIN(seg->len, req->left);

        if (!len)
            continue;
        req->free_ops &= req->free_ops - 1;
        req->live++;
        op->kind = req->kind;
        op->addr = seg->addr;
        op->len = len;
        op->buf = req->cursor;
        req->cursor += len;
        req->left -= len;
        start_dma(req->q->dev, op);
    }
}

static void deliver_in_order(struct virtq *q)
{
    struct virtio *dev = q->dev;

    while (dev->running && q->arriving.first && q->arriving.first->ready) {
        struct virtq_request *req = list_pop(&q->arriving);

        dev->ops->request(dev->owner, &req->pub);
    }
}

/* Its data is out. */
static void push_done(struct virtq_request *req)
{
    struct virtq *q = req->q;

    if (--req->group->group_left)
        return;
    for (req = req->group; req; req = req->group_next)
        list_push(&q->done, req);
    if (q->used == USED_IDLE)
        q->format->publish(q);
}

static void transfer_end(struct virtq_request *req)
{
    transfer_pump(req);
    if (req->live)
        return;
    if (req->kind == DMA_READ) {
        req->ready = true;
        deliver_in_order(req->q);
    } else {
        push_done(req);
    }
}

static void transfer_start(struct virtq_request *req, enum dma_kind kind, uint32_t len)
{
    bool in = kind == DMA_READ;

    req->kind = kind;
    req->seg_at = in ? 0 : req->seg_in;
    req->seg_end = in ? req->seg_in : req->segs;
    req->cursor = in ? req->in_buf : req->out_buf;
    req->left = len;
    transfer_end(req);
}

/* A buffer grows to the largest chain that the slot has seen. */
static void need_room(uint8_t **buf, uint32_t *cap, uint32_t len)
{
    if (len <= *cap)
        return;
    g_free(*buf);
    *cap = (uint32_t)align_up(len, 4096);
    *buf = g_malloc0(*cap);
}

void virtq_chain_complete(struct virtq *q)
{
    struct virtq_request *req = virtq_taking(q);

    q->taking = NULL;
    req->pub.in_len = (uint32_t)req->in_total;
    req->pub.out_len = (uint32_t)MIN(req->pub.out_total, q->params.out_max_bytes);
    need_room(&req->in_buf, &req->in_cap, req->pub.in_len);
    need_room(&req->out_buf, &req->out_cap, req->pub.out_len);
    req->pub.in = req->in_buf;
    req->pub.out = req->out_buf;
    req->ready = false;
    list_push(&q->arriving, req);
    schedule_step(q);
    transfer_start(req, DMA_READ, req->pub.in_len);
}

static struct virtq_request *slot_of(struct virtio_request *pub)
{
    return CONTAINER_OF(pub, struct virtq_request, pub);
}

void virtio_answer(struct virtio_request *pub, uint32_t written)
{
    pub->next = NULL;
    virtio_answer_group(pub, written);
}

void virtio_answer_group(struct virtio_request *pub, uint32_t written)
{
    struct virtq_request *first = slot_of(pub), *req, *next;

    if (!first->q->dev->running)
        return; /* broken: the slots come back with the reset */
    first->group_left = 0;
    for (; pub; pub = pub->next) {
        req = slot_of(pub);
        req->group = first;
        req->group_next = pub->next ? slot_of(pub->next) : NULL;
        req->written = MIN(written, pub->out_len);
        written -= req->written;
        first->group_left++;
    }
    assert(!written);
    for (req = first; req; req = next) {
        next = req->group_next;
        transfer_start(req, DMA_WRITE, req->written);
    }
}

/* The used ring. */

void virtq_published(struct virtq *q)
{
    struct virtq_request *req = list_pop(&q->done);

    req->next = q->free;
    q->free = req;
    if (q->fetch == FETCH_SLOT)
        schedule_step(q);
}

void virtq_signalled(struct virtq *q, bool interrupt)
{
    q->used = USED_IDLE;
    q->signalled = q->used_at;
    if (interrupt)
        virtio_interrupt_queue(q);
    if (q->done.first)
        q->format->publish(q);
}

/* Life. */

void virtq_init(struct virtq *q, struct virtio *dev, const struct virtio_queue_params *params)
{
    assert(is_power_of_2(params->size) && params->size <= VIRTIO_QUEUE_SIZE_MAX);
    assert(params->in_flight >= 1 && params->in_flight <= params->size);
    q->dev = dev;
    q->index = (unsigned)(q - dev->queue);
    q->params = *params;
    q->slot = g_new0(struct virtq_request, params->in_flight);
    q->table = g_malloc0(params->size * VIRTQ_DESC_BYTES);
    q->fetch_op.done = fetch_op_done;
    q->used_op.done = used_op_done;
    q->fetch_op.opaque = q->used_op.opaque = q;
    sim_event_init(&q->step, step_fn, q);
    for (unsigned i = 0; i < params->in_flight; i++) {
        struct virtq_request *req = &q->slot[i];

        req->q = q;
        req->pub.queue = q->index;
        for (unsigned j = 0; j < VIRTQ_DMA_WINDOW; j++) {
            req->op[j].done = transfer_op_done;
            req->op[j].opaque = req;
        }
    }
    virtq_reset(q);
}

void virtq_fini(struct virtq *q)
{
    sim_cancel(q->dev->sim, &q->step);
    for (unsigned i = 0; i < q->params.in_flight; i++) {
        g_free(q->slot[i].seg);
        g_free(q->slot[i].in_buf);
        g_free(q->slot[i].out_buf);
    }
    g_free(q->slot);
    g_free(q->table);
}

void virtq_reset(struct virtq *q)
{
    sim_cancel(q->dev->sim, &q->step);
    q->size = q->params.size;
    q->vector = VIRTIO_NO_VECTOR;
    q->enabled = false;
    q->desc = q->driver = q->device = 0;
    q->arriving = q->done = (struct virtq_list){0};
    q->taking = NULL;
    q->free = NULL;
    for (unsigned i = q->params.in_flight; i-- > 0;) {
        struct virtq_request *req = &q->slot[i];

        req->live = 0;
        req->free_ops = (1u << VIRTQ_DMA_WINDOW) - 1;
        req->next = q->free;
        q->free = req;
    }
    q->fetch = FETCH_IDLE;
    q->used = USED_IDLE;
    q->again = q->armed = false;
    q->avail_at = q->avail_known = q->used_at = q->signalled = 0;
    q->avail_wrap = q->used_wrap = true; /* 2.8.1 */
}

const char *virtq_enable(struct virtq *q)
{
    bool packed = virtq_has(q, VIRTIO_F_RING_PACKED);

    q->format = packed ? &virtq_packed : &virtq_split;
    if (!q->size || q->size > q->params.size || (!packed && !is_power_of_2(q->size)))
        return "a queue of an impossible size (2.7, 4.1.5.1.3)";
    /* 2.7.1, 2.8.10.1 */
    if (q->desc % 16 || q->driver % (packed ? 4 : 2) || q->device % 4)
        return "a ring that is not aligned (2.7)";
    q->enabled = true;
    return NULL;
}
