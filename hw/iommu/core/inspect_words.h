/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the core's inspect*.c files. */
#ifndef PCILAB_HW_IOMMU_CORE_INSPECT_WORDS_H
#define PCILAB_HW_IOMMU_CORE_INSPECT_WORDS_H

#include "pcilab/base/inspect.h"

struct tlb_entry;

const char *inspect_kind(unsigned kind); /* enum iommu_kind */
void inspect_perms(const struct inspect *in, const char *name, uint8_t perms);
void inspect_tlb_entry(const struct inspect *in, const struct tlb_entry *entry);

#endif
