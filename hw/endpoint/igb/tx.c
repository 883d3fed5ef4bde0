/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Transmission (82576 datasheet 2.63, 7.2). Queues take turns, a packet each. A packet is begun
 * when all its descriptors have been read: no queue keeps the others waiting. Its data is read
 * descriptor by descriptor, it is sent, then descriptors with RS are reported.
 */
#include <string.h>

#include <glib.h>

#include "igb.h"

/* CHOICE: so much may be under way to the cable before the next packet is begun (8.3.3: 40 KB). */
#define BUFFER_PS (40 * 1024 * 8 * PS_PER_NS)

static unsigned base_of(unsigned queue)
{
    return IGB_TX_QUEUE + queue * IGB_QUEUE_STRIDE;
}

static uint32_t word(const uint8_t *desc, unsigned index)
{
    return le32_load(desc + 4 * index);
}

static bool is_context(const uint8_t *desc)
{
    return word(desc, 2) & IGB_TXD_DEXT && IGB_TXD_DTYP(word(desc, 2)) == IGB_TXD_CONTEXT;
}

static bool can_send(struct igb *nic, unsigned queue)
{
    return nic->tx.queue[queue].ring.enabled && igb_get(nic, IGB_TCTL) & IGB_TCTL_EN &&
           !(igb_get(nic, IGB_CTRL) & IGB_CTRL_MASTER_DISABLE) &&
           (queue % 8 >= nic->vfs || igb_get(nic, IGB_VFTE) & 1u << queue % 8);
}

static void dma(struct igb *nic, unsigned queue)
{
    nic->tx.busy = true;
    nic->tx.owner = igb_queue_func(nic, queue);
    endpoint_dma(nic->tx.owner->func, &nic->tx.op);
}

/* Takes context descriptors in front; the number of descriptors of the packet behind them, 0 when
 * they are not all here. */
static unsigned packet_descs(struct igb *nic, unsigned queue)
{
    struct igb_tx_queue *q = &nic->tx.queue[queue];
    struct igb_ring *ring = &q->ring;

    while (ring->first < ring->count && is_context(ring->desc[ring->first])) {
        const uint8_t *desc = ring->desc[ring->first];
        struct igb_context *context = &q->context[word(desc, 3) >> 4 & 1]; /* 7.2.2.2.10: IDX */

        for (unsigned i = 0; i < 4; i++)
            context->word[i] = word(desc, i);
        igb_ring_advance(nic, ring, base_of(queue), 1);
    }
    for (unsigned i = ring->first; i < ring->count; i++) {
        if (word(ring->desc[i], 2) & IGB_TXD_EOP)
            return i + 1 - ring->first;
    }
    return 0;
}

/* More descriptors than any driver uses for a packet: 8.12.4, MDP. */
static void drop_endless(struct igb *nic, unsigned queue)
{
    igb_rule(nic, "a packet of too many descriptors is dropped (7.2.1.1)");
    igb_ring_advance(nic, &nic->tx.queue[queue].ring, base_of(queue), IGB_DESCS);
    igb_irq_cause(nic, IGB_ICR_DOUTSYNC);
}

/* Begins something for this queue; false: it has nothing to do. */
static bool begin(struct igb *nic, unsigned queue)
{
    struct igb_tx *tx = &nic->tx;
    struct igb_ring *ring = &tx->queue[queue].ring;

    if (!can_send(nic, queue))
        return false;
    unsigned descs = packet_descs(nic, queue);
    if (!descs && ring->first == 0 && ring->count == IGB_DESCS) {
        drop_endless(nic, queue);
        return true;
    }
    if (!descs) {
        if (!igb_ring_fetch(nic, ring, base_of(queue), &tx->op))
            return false;
        tx->stage = IGB_TX_FETCH;
        tx->current = (int)queue;
        dma(nic, queue);
        return true;
    }
    tx->stage = IGB_TX_DATA;
    tx->current = (int)queue;
    tx->descs = descs;
    tx->at = 0;
    tx->len = 0;
    return true;
}

static bool choose(struct igb *nic)
{
    struct igb_tx *tx = &nic->tx;

    for (unsigned i = 1; i <= IGB_QUEUES; i++) {
        unsigned queue = (tx->last + i) % IGB_QUEUES;

        if (begin(nic, queue)) {
            tx->last = queue;
            return true;
        }
    }
    return false;
}

static const uint8_t *packet_desc(struct igb_tx *tx, unsigned index)
{
    struct igb_ring *ring = &tx->queue[tx->current].ring;

    return ring->desc[ring->first + index];
}

/* The cable, or what holds frames for the own receiver, has room for another packet. */
static bool room(struct igb *nic)
{
    struct igb_tx *tx = &nic->tx;

    if (tx->wire_free_ps > nic->sim->now_ps + BUFFER_PS) {
        if (!sim_event_pending(&tx->wire))
            sim_schedule_at(nic->sim, &tx->wire, tx->wire_free_ps - BUFFER_PS);
        return false;
    }
    return nic->rx.count < IGB_RX_FRAMES / 2 || igb_rx_stalled(nic);
}

static void read_data(struct igb *nic)
{
    struct igb_tx *tx = &nic->tx;

    while (tx->at < tx->descs) {
        const uint8_t *desc = packet_desc(tx, tx->at);
        uint32_t len = word(desc, 2) & 0xffff;

        if (len > IGB_TX_BYTES - tx->len) {
            igb_rule(nic, "a packet is longer than 64 KiB and its headers: cut");
            len = IGB_TX_BYTES - tx->len;
        }
        if (len) {
            tx->op.kind = DMA_READ;
            tx->op.addr = le64_load(desc);
            tx->op.len = len;
            tx->op.buf = tx->packet + tx->len;
            dma(nic, (unsigned)tx->current);
            return;
        }
        tx->at++;
    }
    igb_offload(nic, (unsigned)tx->current, packet_desc(tx, tx->descs - 1), packet_desc(tx, 0));
    tx->stage = IGB_TX_REPORT;
    tx->at = 0;
}

/* 7.2.3.2: the descriptor with DD, or the head into memory. */
static void fill_report(struct igb *nic, const uint8_t *desc)
{
    struct igb_tx *tx = &nic->tx;
    unsigned base = base_of((unsigned)tx->current);
    uint32_t wbal = igb_get(nic, base + IGB_Q_WBAL);
    unsigned head = (igb_get(nic, base + IGB_Q_HEAD) + tx->at) % igb_ring_count(nic, base);

    tx->op.kind = DMA_WRITE;
    tx->op.buf = tx->report;
    if (wbal & 1) {
        tx->op.addr = (wbal & ~3u) | (uint64_t)igb_get(nic, base + IGB_Q_WBAH) << 32;
        tx->op.len = 4;
        le32_store(tx->report, (head + 1) % igb_ring_count(nic, base));
        return;
    }
    tx->op.addr = igb_ring_addr(nic, base, head);
    tx->op.len = IGB_DESC_BYTES;
    memcpy(tx->report, desc, IGB_DESC_BYTES);
    if (word(desc, 2) & IGB_TXD_DEXT) { /* 7.2.2.3, written back */
        memset(tx->report, 0, 12);
        le32_store(tx->report + 12, 1);
    } else {
        tx->report[12] |= 1;
    }
}

static void report(struct igb *nic)
{
    struct igb_tx *tx = &nic->tx;
    unsigned queue = (unsigned)tx->current;

    for (; tx->at < tx->descs; tx->at++) {
        const uint8_t *desc = packet_desc(tx, tx->at);

        if (word(desc, 2) & IGB_TXD_RS && igb_ring_count(nic, base_of(queue))) {
            fill_report(nic, desc);
            dma(nic, queue);
            return;
        }
    }
    bool told = word(packet_desc(tx, tx->descs - 1), 2) & IGB_TXD_RS;

    igb_ring_advance(nic, &tx->queue[queue].ring, base_of(queue), tx->descs);
    tx->stage = IGB_TX_IDLE;
    tx->current = -1;
    if (told)
        igb_irq_queue(nic, queue, true);
}

void igb_tx_step(struct igb *nic)
{
    struct igb_tx *tx = &nic->tx;

    if (tx->stepping) /* a frame that was sent has led here: the loop below goes on */
        return;
    tx->stepping = true;
    while (!tx->busy) {
        if (tx->stage == IGB_TX_IDLE && !choose(nic))
            break;
        if (tx->busy || tx->stage == IGB_TX_IDLE)
            continue;
        if (tx->stage == IGB_TX_DATA) {
            if (tx->at == 0 && tx->len == 0 && !room(nic))
                break;
            read_data(nic);
        } else if (tx->stage == IGB_TX_REPORT) {
            report(nic);
        }
    }
    tx->stepping = false;
}

static void done(struct dma_op *op, enum dma_status status)
{
    struct igb *nic = op->opaque;
    struct igb_tx *tx = &nic->tx;

    tx->busy = false;
    if (tx->aborted) {
        tx->aborted = false;
        tx->stage = IGB_TX_IDLE;
        tx->current = -1;
    } else if (tx->stage == IGB_TX_FETCH) {
        struct igb_ring *ring = &tx->queue[tx->current].ring;

        if (status == DMA_OK)
            ring->count += op->len / IGB_DESC_BYTES;
        else
            ring->enabled = false; /* until software starts the queue anew */
        tx->stage = IGB_TX_IDLE;
        tx->current = -1;
    } else if (tx->stage == IGB_TX_DATA) {
        if (status != DMA_OK)
            memset(op->buf, 0, op->len);
        tx->len += op->len;
        tx->at++;
    } else {
        tx->at++;
    }
    igb_tx_step(nic);
}

static void wire_has_room(void *opaque)
{
    igb_tx_step(opaque);
}

void igb_tx_init(struct igb *nic)
{
    nic->tx.op.done = done;
    nic->tx.op.opaque = nic;
    nic->tx.current = -1;
    nic->tx.packet = g_malloc0(IGB_TX_BYTES);
    nic->tx.segment = g_malloc0(IGB_FRAME_MAX);
    sim_event_init(&nic->tx.wire, wire_has_room, nic);
}

void igb_tx_fini(struct igb *nic)
{
    sim_cancel(nic->sim, &nic->tx.wire);
    g_free(nic->tx.packet);
    g_free(nic->tx.segment);
}

void igb_tx_reset(struct igb *nic, uint32_t queues)
{
    struct igb_tx *tx = &nic->tx;

    for (unsigned i = 0; i < IGB_QUEUES; i++) {
        if (!(queues & 1u << i))
            continue;
        memset(&tx->queue[i].context, 0, sizeof(tx->queue[i].context));
        igb_ring_clear(&tx->queue[i].ring);
        tx->queue[i].ring.enabled = igb_get(nic, base_of(i) + IGB_Q_DCTL) & IGB_DCTL_ENABLE;
    }
    if (tx->current < 0 || !(queues & 1u << tx->current))
        return;
    if (tx->busy) {
        tx->aborted = true; /* what is under way still comes back */
        return;
    }
    tx->stage = IGB_TX_IDLE;
    tx->current = -1;
}

void igb_tx_lost(struct igb *nic, const struct igb_func *func)
{
    struct igb_tx *tx = &nic->tx;

    if (!tx->busy || tx->owner != func)
        return;
    tx->busy = tx->aborted = false;
    tx->stage = IGB_TX_IDLE;
    tx->current = -1;
}

static unsigned queue_at(unsigned offset)
{
    return (offset - IGB_TX_QUEUE) / IGB_QUEUE_STRIDE;
}

void igb_tdt_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    igb_tx_step(reg_space_owner(space));
}

void igb_txdctl_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct igb *nic = reg_space_owner(space);

    if ((write->old_value ^ write->new_value) & IGB_DCTL_ENABLE)
        igb_tx_reset(nic, 1u << queue_at(offset));
    igb_tx_step(nic);
}

void igb_tctl_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    igb_tx_step(reg_space_owner(space));
}
