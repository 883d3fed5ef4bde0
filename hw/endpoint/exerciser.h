/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The state of one function of the exerciser; exerciser.c is the function, exerciser_dma.c its
 * channels. */
#ifndef PCILAB_HW_EXERCISER_H
#define PCILAB_HW_EXERCISER_H

#include "pcilab/endpoint/devices.h"
#include "pcilab/endpoint/exerciser.h"

#define EXERCISER_CHANNEL_COUNT 4

struct exerciser;

/* While busy, exactly one of `op` and `timer` is under way. */
struct exerciser_channel {
    struct exerciser *owner;
    unsigned number;
    bool busy;
    enum exerciser_command command; /* as it began: software may write the registers meanwhile */
    uint64_t local;
    uint32_t len, pos; /* pos: how far fill or checksum have come */
    uint32_t crc;
    uint32_t vector;
    unsigned result;
    uint8_t operands[32];
    struct dma_op op;
    struct sim_event timer;
};

struct exerciser {
    struct endpoint_func *func;
    struct pci_func *pci;
    struct sim *sim;
    struct reg_space *regs;
    char *name;
    uint8_t *mem; /* BAR 4 */
    uint64_t mem_bytes;
    bool mem_used;     /* may hold something else than zeroes */
    uint8_t *bar2_mem; /* behind that of BAR 4, in the same mapping */
    struct exerciser_channel channel[EXERCISER_CHANNEL_COUNT];
    uint64_t resets; /* hot resets and FLRs since power-on */
};

/* exerciser.c */
void exerciser_interrupt(struct exerciser *ex, uint32_t vector);
void exerciser_update_intx(struct exerciser *ex);
void exerciser_count(struct exerciser *ex, unsigned reg, uint64_t n);

/* exerciser_fault.c: what the next access to memory comes to; and TLPs that are wrong, which
 * return a result of a command. */
enum tlp_status exerciser_answer(struct exerciser *ex);
unsigned exerciser_emit(struct exerciser *ex, unsigned what, uint64_t addr, uint16_t id);

/* exerciser_ats.c */
/* Address Translation Services; of a Physical Function also Page Requests and PASID. */
void exerciser_ats_add(struct exerciser *ex, bool physical);
/* ATS_FAULT or ATS_DELAY was written. */
void exerciser_ats_faults(struct exerciser *ex);
/* One of the counters. */
uint64_t exerciser_ats_count(const struct exerciser *ex, unsigned reg);

/* exerciser_dma.c */
void exerciser_channels_init(struct exerciser *ex);
/* Forgets what is under way; their dma_ops have been dropped. */
void exerciser_channels_reset(struct exerciser *ex);
void exerciser_command_written(struct reg_space *space, unsigned offset,
                               const struct reg_write *write);

#endif
