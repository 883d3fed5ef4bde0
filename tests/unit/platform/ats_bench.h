/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A whole machine without a guest: a VT-d unit in scalable mode with its queues, and three
 * exercisers that have ATS, PRI and PASID; EX0 below a root port, EX1 and EX2 below a switch. Tests
 * write the tables and are the driver.
 */
#ifndef PCILAB_TESTS_ATS_BENCH_H
#define PCILAB_TESTS_ATS_BENCH_H

#include "hw/platform/board.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/endpoint/exerciser.h"
#include "pcilab/pci/ats.h"
#include "pcilab/pci/config.h"

enum { EX0, EX1, EX2, ATS_BENCH_EXERCISERS };

#define ATS_BENCH_PAGE       4096u
#define ATS_BENCH_DATA       0x2000000ULL /* RAM that nothing else uses, up to the end */
#define ATS_BENCH_RAM        (64u << 20)
#define ATS_BENCH_TIMEOUT_PS (100 * PS_PER_US) /* of invalidations */
#define ATS_BENCH_RID_PASID  0u

/* Rights of first-stage entries. */
#define ATS_BENCH_READ  0x5u /* for users */
#define ATS_BENCH_WRITE 0x7u

struct ats_bench_params {
    uint64_t read_latency_ps;
    enum machine_timing timing;
    uint8_t speed, width;                 /* of all links; 0: the default */
    unsigned page_order;                  /* the Page Request queue: 4 KiB << so much */
    struct endpoint_ats_faults misbehave; /* of EX0, from the start */
    unsigned cpus;                        /* 0: 1 */
    const struct kvm_host *kvm;           /* whose processors; NULL: soft */
};

struct ats_bench {
    struct machine *machine;
    struct vtd *vtd;
    struct root_complex *rc;
    uint64_t next;                        /* memory for tables */
    uint64_t table[ATS_BENCH_EXERCISERS]; /* PASID tables, of 64 PASIDs */
    unsigned tail;                        /* of the invalidation queue */
    unsigned waits;
    uint64_t settle_ps; /* how long ats_bench_run() goes on */
};

struct ats_bench *ats_bench_new(const struct ats_bench_params *params);
void ats_bench_free(struct ats_bench *b);
void ats_bench_run(struct ats_bench *b);
uint64_t ats_bench_get(const struct ats_bench *b, uint64_t addr);
void ats_bench_put(struct ats_bench *b, uint64_t addr, uint64_t value);

/* Requester ID and PASID-table entry. */
uint16_t ats_bench_sid(unsigned ex);
uint64_t ats_bench_context(const struct ats_bench *b, unsigned ex);
uint64_t ats_bench_pasid_entry(const struct ats_bench *b, unsigned ex, uint32_t pasid);
/* BAR 4 as the bus sees it. */
uint64_t ats_bench_memory(unsigned ex);

uint32_t ats_bench_cfg_read(struct ats_bench *b, unsigned ex, unsigned offset);
void ats_bench_cfg_write(struct ats_bench *b, unsigned ex, unsigned offset, unsigned size,
                         uint32_t value);
/* Of any function: as in ECAM. */
uint32_t ats_bench_cfg(struct ats_bench *b, uint64_t addr, unsigned size, bool write,
                       uint32_t value);
uint64_t ats_bench_read(struct ats_bench *b, unsigned ex, unsigned reg, unsigned size);
void ats_bench_write(struct ats_bench *b, unsigned ex, unsigned reg, unsigned size, uint64_t value);
uint64_t ats_bench_mem(struct ats_bench *b, enum root_request_kind kind, uint64_t addr,
                       unsigned size, uint64_t value);
/* Where a capability is; 0: nowhere. */
unsigned ats_bench_cap(struct ats_bench *b, unsigned ex, unsigned id);
void ats_bench_enable_pri(struct ats_bench *b, unsigned ex, unsigned allocation);
unsigned ats_bench_pri_status(struct ats_bench *b, unsigned ex);

/* A new table, and the PASID entry that leads to it: PGTT 1 first stage, 2 second, 3 nested (on an
 * identity second stage), 4 pass-through. Returns the table's address, 0 for pass-through. */
uint64_t ats_bench_process(struct ats_bench *b, unsigned ex, uint32_t pasid, unsigned pgtt);
/* 4 KiB; rights 0: not mapped any more. No invalidation. */
void ats_bench_map(struct ats_bench *b, uint64_t root, uint64_t addr, uint64_t to, unsigned rights);

/* The invalidation queue. */
void ats_bench_queue(struct ats_bench *b, uint64_t low, uint64_t high);
/* A wait; false: it did not come to its end (within settle_ps). */
bool ats_bench_wait(struct ats_bench *b);
void ats_bench_flush(struct ats_bench *b, unsigned ex, uint32_t pasid); /* IOTLB and device TLB */
/* The next Page Request; false: none. */
bool ats_bench_take_page(struct ats_bench *b, struct vtd_page_request *page);
void ats_bench_respond(struct ats_bench *b, const struct vtd_page_request *page, unsigned code);
/* The oldest fault's reason, 0: none; *high: the record's upper half. */
unsigned ats_bench_fault(struct ats_bench *b, uint64_t *high);

struct ats_bench_dma {
    unsigned ex, channel;
    enum exerciser_command command;
    uint64_t addr, local;
    uint32_t len, attr, pasid; /* as in ch_attr, ch_pasid */
};

void ats_bench_start(struct ats_bench *b, const struct ats_bench_dma *dma);
bool ats_bench_done(struct ats_bench *b, unsigned ex, unsigned channel);
/* enum dma_status, when done. */
unsigned ats_bench_result(struct ats_bench *b, unsigned ex, unsigned channel);
/* All of it. */
unsigned ats_bench_dma(struct ats_bench *b, const struct ats_bench_dma *dma);

#endif
