/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Descriptor rings, alike for both directions (82576 datasheet 2.63, 7.1.3 and 7.2.1). */
#include <string.h>

#include <glib.h>

#include "igb.h"

unsigned igb_ring_count(const struct igb *nic, unsigned base)
{
    return igb_get(nic, base + IGB_Q_LEN) / IGB_DESC_BYTES;
}

unsigned igb_ring_ready(const struct igb *nic, unsigned base)
{
    unsigned count = igb_ring_count(nic, base);
    unsigned head = igb_get(nic, base + IGB_Q_HEAD), tail = igb_get(nic, base + IGB_Q_TAIL);

    if (head >= count || tail >= count)
        return 0; /* what software set up makes no sense */
    return tail >= head ? tail - head : tail + count - head;
}

uint64_t igb_ring_addr(const struct igb *nic, unsigned base, unsigned index)
{
    uint64_t start = igb_get(nic, base + IGB_Q_BAL) | (uint64_t)igb_get(nic, base + IGB_Q_BAH)
                                                          << 32;

    return start + (uint64_t)index * IGB_DESC_BYTES;
}

void igb_ring_clear(struct igb_ring *ring)
{
    ring->first = ring->count = 0;
}

bool igb_ring_fetch(struct igb *nic, struct igb_ring *ring, unsigned base, struct dma_op *op)
{
    unsigned held = ring->count - ring->first;
    unsigned ready = igb_ring_ready(nic, base);

    if (ready <= held || held == IGB_DESCS)
        return false;
    memmove(ring->desc[0], ring->desc[ring->first], held * IGB_DESC_BYTES);
    ring->first = 0;
    ring->count = held;

    unsigned size = igb_ring_count(nic, base);
    unsigned from = (igb_get(nic, base + IGB_Q_HEAD) + held) % size;
    unsigned count = MIN(MIN(ready - held, IGB_DESCS - held), size - from);

    op->kind = DMA_READ;
    op->addr = igb_ring_addr(nic, base, from);
    op->len = count * IGB_DESC_BYTES;
    op->buf = ring->desc[held];
    return true;
}

void igb_ring_advance(struct igb *nic, struct igb_ring *ring, unsigned base, unsigned count)
{
    unsigned size = igb_ring_count(nic, base);

    ring->first += count;
    if (size)
        igb_set(nic, base + IGB_Q_HEAD, (igb_get(nic, base + IGB_Q_HEAD) + count) % size);
}
