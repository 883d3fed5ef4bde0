/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Page tables as a reader of the specification would walk them by hand: slow and plain. */
#ifndef PCILAB_TESTS_UNIT_IOMMU_PT_ORACLE_H
#define PCILAB_TESTS_UNIT_IOMMU_PT_ORACLE_H

#include "pcilab/iommu/pt/pt.h"

struct oracle_update {
    uint64_t addr, value; /* the entry with its bits set */
};

struct oracle_result {
    enum pt_cause cause;
    unsigned level;
    uint64_t output, page_bytes;
    bool read, write, exec, user; /* granted */
    struct oracle_update update[PT_LEVELS_MAX];
    unsigned update_count;
};

void oracle_walk(const struct pt_config *config, uint64_t addr, struct pt_access access,
                 pt_read_fn read, void *opaque, struct oracle_result *out);

/* A memory that is full of random entries: what is at an address follows from the seed alone. */
struct random_memory {
    uint64_t seed;
    uint64_t end; /* there is no memory at and beyond */
    bool second;  /* second-stage entries */
    bool wild;    /* more nonsense in them */
};

bool random_memory_read(void *opaque, uint64_t addr, uint64_t *value);
/* Does the walk by both, compares everything. */
void oracle_compare(const struct pt_config *config, uint64_t addr, struct pt_access access,
                    struct random_memory *memory, struct oracle_result *out);

#endif
