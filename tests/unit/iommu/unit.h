/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A VT-d unit with a megabyte of memory and tables in it:
 *   root 0x1000, legacy context 0x2000, scalable context 0x3000, PASID directory 0x4000, PASID
 *   table 0x5000, queue 0x6000, interrupt table 0x8000; page tables, one page a level, at 0x10000
 *   (second stage, 4 levels) and 0x20000 (first stage, 4 levels). Both stages map 0 to 0x1fffff to
 *   0x40000 upwards, 16 pages of it present; requester 01:02.3.
 */
#ifndef PCILAB_TESTS_UNIT_IOMMU_UNIT_H
#define PCILAB_TESTS_UNIT_IOMMU_UNIT_H

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/iommu/regs/vtd.h"

#define UNIT_RAM 0x100000u
#define UNIT_SID 0x0113
/* A device has so long to answer an invalidation. */
#define UNIT_DEVICE_TLB_PS 1000000u
#define UNIT_ROOT          0x1000u
#define UNIT_IRT           0x8000u
/* Where the requester's entries are. */
#define UNIT_ROOT_ENTRY    (UNIT_ROOT + 16)
#define UNIT_LEGACY_ENTRY  (0x2000u + 0x13 * 16)
#define UNIT_CONTEXT_ENTRY (0x3000u + 0x13 * 32)
#define UNIT_DIRECTORY     0x4000u
#define UNIT_PASID_ENTRY   0x5000u
#define UNIT_QUEUE         0x6000u
#define UNIT_SECOND        0x10000u
#define UNIT_FIRST         0x20000u

struct unit {
    struct sim sim;
    struct trace trace;
    struct vtd *vtd;
    uint8_t ram[UNIT_RAM];
    uint8_t behind[UNIT_RAM]; /* without coherent: what the unit sees of tables */
    unsigned events;
    uint64_t event_addr;
    uint32_t event_data;
    unsigned device_tlbs; /* Invalidate Requests sent; the last one */
    struct vtd_device_tlb device_tlb;
    unsigned responses; /* to Page Requests; the last one */
    struct vtd_page_response response;
    enum iommu_status status;
    uint64_t out;
    struct iommu_interrupt interrupt;
    struct iommu_request request;
    unsigned tail; /* of the queue, in bytes */
};

void unit_open(struct unit *u, const struct vtd_features *features);
void unit_open_timed(struct unit *u, const struct vtd_features *features, uint64_t latency_ps);
void unit_close(struct unit *u);
extern const struct vtd_features unit_all;

void unit_put(struct unit *u, uint64_t addr, uint64_t value);
uint64_t unit_get(const struct unit *u, uint64_t addr);
/* The line of this address is written back. */
void unit_flush(struct unit *u, uint64_t addr);
/* Tables as above and translation on; scalable: the PASID entry says PGTT `pgtt`. */
void unit_legacy(struct unit *u);
void unit_scalable(struct unit *u, unsigned pgtt);
void unit_queue_on(struct unit *u);
void unit_queue(struct unit *u, uint64_t low, uint64_t high);
bool unit_access(struct unit *u, const struct iommu_access *access);
bool unit_read(struct unit *u, uint64_t addr);
bool unit_write(struct unit *u, uint64_t addr);
/* The oldest fault's upper half; cleared. 0: none. */
uint64_t unit_fault(struct unit *u, uint64_t *low);
/* Its reason alone, 0 for none. */
unsigned unit_reason(struct unit *u);

#endif
