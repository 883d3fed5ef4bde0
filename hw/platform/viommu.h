/* SPDX-License-Identifier: GPL-2.0-or-later */
/* virtio-iommus of a machine: the face, the function that has its queues, the root complexes. */
#ifndef PCILAB_HW_PLATFORM_VIOMMU_H
#define PCILAB_HW_PLATFORM_VIOMMU_H

#include <glib.h>

#include "pcilab/iommu/regs/virtio.h"

struct machine;
struct machine_component;
struct virtio_iommu;

struct board_viommu {
    struct viommu *viommu;
    struct virtio_iommu *device;
    uint16_t segment, sid;
};

/* ACPI's VIOT without its header (ACPI 6.5, 5.2.33), appended; false: the machine has no unit. */
bool board_viommu_describe(const struct machine *machine, GByteArray *out);
/* Root complexes meet the units; when all are there. */
void board_viommu_connect(struct machine *machine);
void board_viommu_free(void *unit);
void board_viommu_reset(void *unit);

#endif
