/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Inside bench/iommu. */
#ifndef PCILAB_BENCH_IOMMU_H
#define PCILAB_BENCH_IOMMU_H

#include "pcilab/iommu/core/core.h"

#define RUNS      7
#define RAM_BYTES (512u << 20)
#define DEVICES   1024u /* as many as the core's device cache has */

struct bench {
    struct sim sim;
    struct trace trace;
    struct iommu_core *core;
    struct iommu_context context[DEVICES]; /* by requester ID */
    uint8_t *ram;
    uint64_t next;    /* free memory */
    uint64_t *record; /* where reads are noted, NULL: nowhere */
    unsigned recorded;
    uint64_t sum;
    uint64_t answers;
};

/* iommu.c */
/* Translates for a device; what comes of it is added to bench->sum. */
void bench_translate(struct bench *b, uint16_t sid, uint64_t addr);
/* Empty memory and caches. */
void bench_clear(struct bench *b);
uint64_t bench_page(struct bench *b);
/* Maps a page, tables made as needed. */
void bench_map(struct bench *b, const struct pt_config *config, uint64_t addr, uint64_t page);
uint64_t bench_now_ns(void);
/* Of RUNS. */
double bench_median(double *ns);

/* iommu_walk.c: whole walks, beside a pointer chase through the very entries that they read. */
void bench_walks(struct bench *b);

#endif
