/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reception (82576 datasheet 2.63, 7.1). Frames that the filters let through wait in the packet
 * buffer; the first is delivered to each of its pools in turn, a descriptor after the other. A
 * queue without descriptors keeps all behind it waiting, unless it is to drop (QDE, SRRCTL).
 *
 * UNIMPL: header split and replication into header buffers (7.1.10): descriptors of these types
 * work as those with one buffer, which the chip does too where it cannot split. Frames come
 * without their checksum, whether stripping it is asked for or not.
 */
#include <string.h>

#include <glib.h>

#include "igb.h"

#define FRAME_MIN 14
#define TAG_BYTES 4

static unsigned base_of(unsigned queue)
{
    return IGB_RX_QUEUE + queue * IGB_QUEUE_STRIDE;
}

/* 8.10.2; 0 is as RCTL.BSIZE says. */
static uint32_t buffer_bytes(const struct igb *nic, unsigned queue)
{
    uint32_t kib = igb_get(nic, base_of(queue) + IGB_Q_SRRCTL) & 0x7f;

    return kib ? kib * 1024 : 2048u >> (igb_get(nic, IGB_RCTL) >> 16 & 3);
}

static bool is_legacy(const struct igb *nic, unsigned queue)
{
    return !(igb_get(nic, base_of(queue) + IGB_Q_SRRCTL) >> 25 & 7);
}

static bool drops(const struct igb *nic, unsigned queue)
{
    return igb_get(nic, IGB_QDE) >> queue & 1 ||
           igb_get(nic, base_of(queue) + IGB_Q_SRRCTL) & IGB_SRRCTL_DROP;
}

static void dma(struct igb *nic)
{
    nic->rx.busy = true;
    nic->rx.owner = igb_queue_func(nic, (unsigned)nic->rx.current);
    endpoint_dma(nic->rx.owner->func, &nic->rx.op);
}

static struct igb_frame *first_frame(struct igb_rx *rx)
{
    return &rx->frames[rx->first];
}

/* The frame has been given to its pool, or is lost for it. */
static void pool_done(struct igb *nic)
{
    struct igb_rx *rx = &nic->rx;
    struct igb_frame *frame = first_frame(rx);

    rx->stage = IGB_RX_IDLE;
    rx->current = -1;
    frame->pools &= (uint8_t)(frame->pools - 1);
    if (frame->pools)
        return;
    rx->first = (rx->first + 1) % IGB_RX_FRAMES;
    rx->count--;
}

static void lose(struct igb *nic, unsigned queue)
{
    unsigned dropped = base_of(queue) + IGB_Q_DROPPED;

    igb_set(nic, dropped, igb_get(nic, dropped) + 1);
    igb_count(nic, IGB_RNBC);
    pool_done(nic);
}

static void take_out_tag(struct igb_rx *rx, const struct igb_frame *frame)
{
    rx->data = (uint8_t *)frame->data;
    rx->len = frame->len;
    if (!rx->info.strip)
        return;
    memcpy(rx->copy, frame->data, 12);
    memcpy(rx->copy + 12, frame->data + 12 + TAG_BYTES, frame->len - 12 - TAG_BYTES);
    rx->data = rx->copy;
    rx->len -= TAG_BYTES;
}

/* Begins to deliver the first frame to its first pool; false: its queue lets it wait. */
static bool begin(struct igb *nic)
{
    struct igb_rx *rx = &nic->rx;
    const struct igb_frame *frame = first_frame(rx);

    rx->pool = (unsigned)__builtin_ctz(frame->pools);
    igb_rx_look(nic, frame, rx->pool, &rx->info);
    unsigned queue = igb_rx_queue_of(nic, rx->pool, &rx->info);

    if (!rx->queue[queue].ring.enabled ||
        (rx->pool < nic->vfs && !(igb_get(nic, IGB_VFRE) >> rx->pool & 1))) {
        lose(nic, queue);
        return true;
    }
    take_out_tag(rx, frame);
    uint32_t piece = buffer_bytes(nic, queue);
    if (igb_ring_ready(nic, base_of(queue)) < (rx->len + piece - 1) / piece) {
        if (!drops(nic, queue))
            return false;
        lose(nic, queue);
        return true;
    }
    rx->current = (int)queue;
    rx->given = 0;
    rx->stage = IGB_RX_DATA;
    return true;
}

/* The next piece into the next descriptor's buffer. */
static void write_data(struct igb *nic)
{
    struct igb_rx *rx = &nic->rx;
    unsigned queue = (unsigned)rx->current;
    struct igb_ring *ring = &rx->queue[queue].ring;

    if (ring->first == ring->count) {
        if (!igb_ring_fetch(nic, ring, base_of(queue), &rx->op)) {
            lose(nic, queue); /* software took its descriptors back */
            return;
        }
        rx->stage = IGB_RX_FETCH;
        dma(nic);
        return;
    }
    rx->op.kind = DMA_WRITE;
    rx->op.addr = le64_load(ring->desc[ring->first]);
    rx->op.buf = rx->data + rx->given;
    rx->op.len = MIN(buffer_bytes(nic, queue), rx->len - rx->given);
    dma(nic);
}

/* 7.1.4 and 7.1.5.2. */
static void fill_report(struct igb *nic, const uint8_t *desc, uint32_t len, bool last)
{
    struct igb_rx *rx = &nic->rx;
    const struct igb_rx_info *info = &rx->info;
    uint32_t status = IGB_RXD_DD | (last ? IGB_RXD_EOP | info->status : 0);

    if (is_legacy(nic, (unsigned)rx->current)) {
        memcpy(rx->report, desc, 8);
        le16_store(rx->report + 8, (uint16_t)len);
        le16_store(rx->report + 10, last ? info->checksum : 0);
        rx->report[12] = (uint8_t)status;
        rx->report[13] = (uint8_t)(status >> 24);
        le16_store(rx->report + 14, last ? info->vlan : 0);
        return;
    }
    bool hash = igb_get(nic, IGB_RXCSUM) & IGB_RXCSUM_PCSD;
    uint32_t second = hash ? info->hash : info->ip_id | (uint32_t)info->checksum << 16;

    le32_store(rx->report, last ? info->types : 0);
    le32_store(rx->report + 4, last ? second : 0);
    le32_store(rx->report + 8, status);
    le32_store(rx->report + 12, len | (last ? (uint32_t)info->vlan << 16 : 0));
}

static void report(struct igb *nic)
{
    struct igb_rx *rx = &nic->rx;
    unsigned base = base_of((unsigned)rx->current);
    struct igb_ring *ring = &rx->queue[rx->current].ring;
    uint32_t len = rx->op.len;

    rx->given += len;
    fill_report(nic, ring->desc[ring->first], len, rx->given == rx->len);
    rx->op.kind = DMA_WRITE;
    rx->op.addr = igb_ring_addr(nic, base, igb_get(nic, base + IGB_Q_HEAD));
    rx->op.len = IGB_DESC_BYTES;
    rx->op.buf = rx->report;
    rx->stage = IGB_RX_REPORT;
    dma(nic);
}

static void count_for_vf(struct igb *nic, const struct igb_frame *frame)
{
    struct reg_space *regs = nic->vf[nic->rx.pool].regs;

    reg_set(regs, IGB_VFGPRC, reg_get(regs, IGB_VFGPRC) + 1);
    reg_set(regs, IGB_VFGORC, reg_get(regs, IGB_VFGORC) + frame->len + 4);
    if (frame->looped) {
        reg_set(regs, IGB_VFGPRLBC, reg_get(regs, IGB_VFGPRLBC) + 1);
        reg_set(regs, IGB_VFGORLBC, reg_get(regs, IGB_VFGORLBC) + frame->len + 4);
    }
    if (frame->data[0] & 1)
        reg_set(regs, IGB_VFMPRC, reg_get(regs, IGB_VFMPRC) + 1);
}

/* A descriptor has been reported. */
static void reported(struct igb *nic)
{
    struct igb_rx *rx = &nic->rx;
    unsigned queue = (unsigned)rx->current;

    igb_ring_advance(nic, &rx->queue[queue].ring, base_of(queue), 1);
    rx->stage = IGB_RX_DATA;
    if (rx->given < rx->len)
        return;
    if (rx->pool < nic->vfs)
        count_for_vf(nic, first_frame(rx));
    pool_done(nic);
    igb_irq_queue(nic, queue, false);
}

static void done(struct dma_op *op, enum dma_status status)
{
    struct igb *nic = op->opaque;
    struct igb_rx *rx = &nic->rx;

    rx->busy = false;
    if (rx->aborted) {
        rx->aborted = false;
        pool_done(nic);
    } else if (status != DMA_OK) {
        rx->queue[rx->current].ring.enabled = false; /* until software starts the queue anew */
        lose(nic, (unsigned)rx->current);
    } else if (rx->stage == IGB_RX_FETCH) {
        rx->queue[rx->current].ring.count += op->len / IGB_DESC_BYTES;
        rx->stage = IGB_RX_DATA;
    } else if (rx->stage == IGB_RX_DATA) {
        report(nic);
    } else {
        reported(nic);
    }
    igb_rx_step(nic);
}

void igb_rx_step(struct igb *nic)
{
    struct igb_rx *rx = &nic->rx;

    if (rx->stepping)
        return;
    rx->stepping = true;
    while (!rx->busy) {
        if (rx->stage == IGB_RX_IDLE && (!rx->count || !begin(nic)))
            break;
        if (rx->stage == IGB_RX_DATA)
            write_data(nic);
    }
    rx->stepping = false;
    if (rx->starved && rx->count < IGB_RX_FRAMES) {
        rx->starved = false;
        if (nic->ops->room)
            nic->ops->room(nic->opaque);
    }
    if (rx->count < IGB_RX_FRAMES / 2 || igb_rx_stalled(nic))
        igb_tx_step(nic);
}

bool igb_rx_stalled(const struct igb *nic)
{
    return nic->rx.count && !nic->rx.busy && nic->rx.stage == IGB_RX_IDLE && !nic->rx.stepping;
}

bool igb_rx_put(struct igb *nic, const uint8_t *data, uint32_t len, uint32_t pools)
{
    struct igb_rx *rx = &nic->rx;
    uint8_t wanted = (uint8_t)pools;

    if (!wanted || !(igb_get(nic, IGB_RCTL) & IGB_RCTL_EN))
        return true;
    if (rx->count == IGB_RX_FRAMES) {
        igb_count(nic, IGB_MPC);
        return false;
    }
    struct igb_frame *frame = &rx->frames[(rx->first + rx->count) % IGB_RX_FRAMES];
    frame->len = len;
    frame->pools = wanted;
    frame->looped = pools & IGB_RX_LOOPED;
    frame->copies = wanted & (wanted - 1);
    memcpy(frame->data, data, len);
    rx->count++;
    igb_count_received(nic, frame);
    igb_rx_step(nic);
    return true;
}

bool igb_input(struct igb *nic, const uint8_t *data, uint32_t len)
{
    if (len < FRAME_MIN || len > IGB_FRAME_MAX || !nic->link || igb_phy_loops(nic))
        return true; /* nobody hears it */
    if (nic->rx.count == IGB_RX_FRAMES) {
        nic->rx.starved = true;
        return false;
    }
    igb_count(nic, IGB_TPR);
    igb_rx_put(nic, data, len, igb_filter(nic, data, len));
    return true;
}

void igb_rx_init(struct igb *nic)
{
    nic->rx.op.done = done;
    nic->rx.op.opaque = nic;
    nic->rx.current = -1;
    nic->rx.frames = g_new0(struct igb_frame, IGB_RX_FRAMES);
    nic->rx.copy = g_malloc0(IGB_FRAME_MAX);
}

void igb_rx_fini(struct igb *nic)
{
    g_free(nic->rx.frames);
    g_free(nic->rx.copy);
}

void igb_rx_reset(struct igb *nic, uint32_t queues)
{
    struct igb_rx *rx = &nic->rx;

    for (unsigned i = 0; i < IGB_QUEUES; i++) {
        if (!(queues & 1u << i))
            continue;
        igb_ring_clear(&rx->queue[i].ring);
        rx->queue[i].ring.enabled = igb_get(nic, base_of(i) + IGB_Q_DCTL) & IGB_DCTL_ENABLE;
        igb_set(nic, base_of(i) + IGB_Q_HEAD, 0);
    }
    if (rx->current < 0 || !(queues & 1u << rx->current))
        return;
    if (rx->busy)
        rx->aborted = true;
    else
        pool_done(nic);
}

void igb_rx_lost(struct igb *nic, const struct igb_func *func)
{
    struct igb_rx *rx = &nic->rx;

    if (!rx->busy || rx->owner != func)
        return;
    rx->busy = rx->aborted = false;
    pool_done(nic);
}

static unsigned queue_at(unsigned offset)
{
    return (offset - IGB_RX_QUEUE) / IGB_QUEUE_STRIDE;
}

void igb_rdt_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    igb_rx_step(reg_space_owner(space));
}

void igb_rxdctl_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb *nic = reg_space_owner(space);

    if ((write->old_value ^ write->new_value) & IGB_DCTL_ENABLE)
        igb_rx_reset(nic, 1u << queue_at(offset));
    igb_rx_step(nic);
}

/* Switched off, the receiver forgets what it holds (8.10.1, RXEN). */
void igb_rctl_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb *nic = reg_space_owner(space);
    struct igb_rx *rx = &nic->rx;

    if (write->old_value & ~write->new_value & IGB_RCTL_EN)
        rx->count = rx->stage == IGB_RX_IDLE ? 0 : 1;
    igb_rx_step(nic);
}
