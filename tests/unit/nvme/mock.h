/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An endpoint core without PCI Express below it, for unit tests and fuzzing of devices: DMA goes
 * to an array after a delay, interrupts are counted, configuration space is plain bytes. It stands
 * in for hw/endpoint/endpoint.c and the parts of hw/pci that devices use.
 */
#ifndef PCILAB_TESTS_MOCK_H
#define PCILAB_TESTS_MOCK_H

#include "pcilab/endpoint/devices.h"

#define MOCK_VECTORS   2048
#define MOCK_FUNCTIONS 16

struct mock {
    struct sim sim;
    struct trace trace;
    uint8_t *ram; /* host memory at address 0 */
    uint64_t ram_bytes;
    struct dma_op *first, *last; /* under way */
    struct sim_event work;
    uint64_t dma_ps; /* delay of each operation */
    uint64_t dma_reads, dma_writes, dma_bytes;
    uint32_t shuffle;   /* not 0: reads overtake each other, seeded by this */
    uint64_t bad_addr;  /* operations that touch this address get DMA_UR; 0: none */
    uint64_t deny_addr; /* what reaches this address ends there with DMA_DENIED; 0: none */
    bool bus_master, pasid, pri;
};

struct mock_irqs {
    unsigned vector[MOCK_VECTORS];
    unsigned total;
    bool intx;
    unsigned intx_edges;
};

struct mock *mock_new(uint64_t ram_bytes);
void mock_free(struct mock *mock);
struct fabric *mock_fabric(struct mock *mock);

struct endpoint_func *mock_func(struct endpoint *ep, unsigned number);
struct mock_irqs *mock_irqs(struct endpoint_func *func);
void mock_set_msix(struct endpoint_func *func, bool enabled);
void mock_set_msi(struct endpoint_func *func, bool enabled);
/* Of a Physical Function, of which so many Virtual Functions exist from now on; none before. */
void mock_set_vfs(struct endpoint_func *pf, unsigned count);
/* Drops DMA and resets the function. */
void mock_reset(struct endpoint_func *func, enum endpoint_reset kind);
void mock_run(struct mock *mock, uint64_t ps);

/* More bytes than a register has; a Deferrable Memory Write is false when it was put off. */
void mock_write_bytes(struct endpoint_func *func, unsigned bar, uint64_t offset, const void *data,
                      unsigned len);
bool mock_deferrable(struct endpoint_func *func, unsigned bar, uint64_t offset, const void *data,
                     unsigned len);
uint64_t mock_read(struct endpoint_func *func, unsigned bar, uint64_t offset, unsigned len);
void mock_write(struct endpoint_func *func, unsigned bar, uint64_t offset, unsigned len,
                uint64_t value);

#endif
