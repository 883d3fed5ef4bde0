/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "device.h"

#include <unistd.h>

#define PATIENCE 1000000

uint32_t ex_read(const struct vfio_function *f, unsigned offset)
{
    return *(volatile uint32_t *)(f->bar[BAR_REGS].mem + offset);
}

void ex_write(const struct vfio_function *f, unsigned offset, uint32_t value)
{
    *(volatile uint32_t *)(f->bar[BAR_REGS].mem + offset) = value;
}

uint64_t ex_read64(const struct vfio_function *f, unsigned offset)
{
    return *(volatile uint64_t *)(f->bar[BAR_REGS].mem + offset);
}

void ex_write64(const struct vfio_function *f, unsigned offset, uint64_t value)
{
    *(volatile uint64_t *)(f->bar[BAR_REGS].mem + offset) = value;
}

void dma_start(const struct vfio_function *f, unsigned channel, const struct dma *dma)
{
    unsigned base = EXERCISER_CHANNEL(channel);

    ex_write64(f, base + EXERCISER_CH_ADDR, dma->addr);
    ex_write64(f, base + EXERCISER_CH_LOCAL, dma->local);
    ex_write(f, base + EXERCISER_CH_LEN, dma->len);
    ex_write(f, base + EXERCISER_CH_VECTOR, dma->vector);
    ex_write(f, base + EXERCISER_CH_COMMAND, dma->command);
}

unsigned dma_wait(const struct vfio_function *f, unsigned channel)
{
    unsigned status_at = EXERCISER_CHANNEL(channel) + EXERCISER_CH_STATUS;
    uint32_t status = 0;

    for (unsigned i = 0; i < PATIENCE; i++) {
        status = ex_read(f, status_at);
        if (status & EXERCISER_STATUS_DONE)
            break;
    }
    if (!(status & EXERCISER_STATUS_DONE))
        die("channel %u: status %#x, never done", channel, status);
    ex_write(f, status_at, EXERCISER_STATUS_DONE);
    return (status & EXERCISER_STATUS_RESULT) >> 8;
}

unsigned dma_run(const struct vfio_function *f, const struct dma *dma)
{
    unsigned result;

    dma_start(f, 0, dma);
    result = dma_wait(f, 0);
    /* The answer to a read of no bytes comes behind the writes (PCIe Base 6.0, 2.4.1); where it may
     * not read, it is refused there. */
    if (dma->command == EXERCISER_WRITE && result == 0) {
        dma_start(f, 0, &(struct dma){.command = EXERCISER_READ, .addr = dma->addr});
        dma_wait(f, 0);
    }
    return result;
}
