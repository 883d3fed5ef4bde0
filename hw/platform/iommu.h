/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IOMMUs of a machine. */
#ifndef PCILAB_HW_PLATFORM_IOMMU_H
#define PCILAB_HW_PLATFORM_IOMMU_H

#include <glib.h>

#include "pcilab/iommu/regs/vtd.h"

struct machine;
struct machine_component;
struct iommu_pending;

struct board_iommu {
    struct machine *machine;
    struct vtd *vtd;
    uint64_t base; /* of its registers */
    uint16_t segment;
    bool interrupt_remapping, x2apic;
    struct iommu_pending *free;
};

/* A segment has one unit at most. */
bool board_iommu_create(struct machine *machine, const struct machine_component *c,
                        uint16_t segment, GError **error);
/* Root complexes and the IOAPIC meet the units; when all are there. */
void board_iommu_connect(struct machine *machine);
void board_iommu_reset(struct machine *machine);
/* While the TLPs that wait in it can still be freed. */
void board_iommu_destroy(struct machine *machine);

#endif
