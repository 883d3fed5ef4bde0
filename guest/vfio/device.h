/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The exerciser (docs/exerciser.md) through its BARs. */
#ifndef PCILAB_GUEST_VFIO_DEVICE_H
#define PCILAB_GUEST_VFIO_DEVICE_H

#include "pcilab/endpoint/exerciser.h"
#include "vfio.h"

enum { BAR_REGS = 0, BAR_MSIX = 2, BAR_MEM = 4 };

uint32_t ex_read(const struct vfio_function *f, unsigned offset);
void ex_write(const struct vfio_function *f, unsigned offset, uint32_t value);
uint64_t ex_read64(const struct vfio_function *f, unsigned offset);
void ex_write64(const struct vfio_function *f, unsigned offset, uint64_t value);

struct dma {
    unsigned command; /* enum exerciser_command */
    uint64_t addr, local;
    uint32_t len;
    uint32_t vector; /* EXERCISER_CH_VECTOR */
};

/* Starts a command on a channel. */
void dma_start(const struct vfio_function *f, unsigned channel, const struct dma *dma);
/* Waits for it; its result. */
unsigned dma_wait(const struct vfio_function *f, unsigned channel);
/* Both, on channel 0. A write has arrived wherever it may arrive when this returns. */
unsigned dma_run(const struct vfio_function *f, const struct dma *dma);

#endif
