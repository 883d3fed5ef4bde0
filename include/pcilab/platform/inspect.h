/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Looking into a machine that stands still. It is afterwards as it was, and the guest cannot tell.
 */
#ifndef PCILAB_PLATFORM_INSPECT_H
#define PCILAB_PLATFORM_INSPECT_H

#include "pcilab/base/inspect.h"
#include "pcilab/platform/machine.h"

/* Each adds to the current object. */

/* "iommus": what every unit tells of itself. */
void machine_inspect_iommus(struct machine *machine, const struct inspect *in);

struct machine_access {
    uint16_t segment;
    uint16_t requester;
    bool has_pasid, write;
    uint32_t pasid;
    uint64_t addr;
};
/* How an access is translated, step by step. False: it passes no IOMMU, or there is no such
 * segment. */
bool machine_inspect_walk(struct machine *machine, const struct inspect *in,
                          const struct machine_access *access, GError **error);
/* A function: BARs, interrupts, registers. False: there is none of this number now. */
bool machine_inspect_function(struct machine *machine, const struct inspect *in, uint16_t segment,
                              uint16_t requester, GError **error);
/* "functions": all there are, as numbered now. */
void machine_inspect_functions(struct machine *machine, const struct inspect *in);
/* "ats": functions with Address Translation Services, their caches beside what the tables say. */
void machine_inspect_ats(struct machine *machine, const struct inspect *in);
/* "links". */
void machine_inspect_links(struct machine *machine, const struct inspect *in);

#endif
