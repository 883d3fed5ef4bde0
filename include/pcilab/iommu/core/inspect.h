/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the core tells of itself, the same for every face. None of it changes anything: caches,
 * access bits and counters stay as they are. */
#ifndef PCILAB_IOMMU_CORE_INSPECT_H
#define PCILAB_IOMMU_CORE_INSPECT_H

#include "pcilab/base/inspect.h"
#include "pcilab/iommu/core/core.h"

/* "statistics", "requests" (under way) and "caches", objects in the current one. */
void iommu_inspect(const struct iommu_core *core, const struct inspect *in);

/* Into the current object: an access translated as if there were no caches, step by step, and what
 * the caches hold of it. */
void iommu_inspect_walk(struct iommu_core *core, const struct inspect *in,
                        const struct iommu_access *access);

/* What the tables say of an access now, as if there were no caches: addr, shift and perms of
 * `answer`. False: a fault. */
bool iommu_look(struct iommu_core *core, const struct iommu_access *access,
                struct iommu_request *answer);

/* Into the current object: how a context translates. */
void iommu_inspect_context(const struct inspect *in, const struct iommu_context *context);
/* "01:02.3" */
void iommu_inspect_requester(const struct inspect *in, const char *name, uint16_t sid);

/* For faces that list their tables: what they say of a requester, and with a device whose contexts
 * hang on PASIDs of one of those; memory is read, nothing else happens. False: a fault, its reason
 * in lookup->code. */
bool iommu_peek_device(struct iommu_core *core, const struct iommu_access *access,
                       struct iommu_lookup *lookup);
bool iommu_peek_process(struct iommu_core *core, uint32_t pasid, struct iommu_lookup *lookup);

#endif
