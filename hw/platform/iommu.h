/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The IOMMUs of a machine. */
#ifndef PCILAB_HW_PLATFORM_IOMMU_H
#define PCILAB_HW_PLATFORM_IOMMU_H

#include <glib.h>

#include "iommu_scope.h"
#include "pcilab/iommu/regs/vtd.h"

struct machine;
struct machine_component;
struct iommu_pending;
struct root_complex;
struct tlp;

struct board_iommu {
    struct machine *machine;
    struct vtd *vtd;
    uint64_t base; /* of its registers */
    uint16_t segment;
    bool interrupt_remapping, x2apic;
    bool everything; /* of the segment that no other unit has in its scope */
    struct board_scopes scopes;
    bool ats_all, ats_required; /* said by DMAR, see struct machine_component */
    struct board_scopes ats_ports, ats_integrated;
    struct iommu_pending *free;
};

/* Memory that the firmware keeps for an endpoint (VT-d 4.1, 8.4). */
struct board_rmrr {
    uint64_t base, size;
    uint16_t segment;
    struct board_scopes scopes;
};

/* A memory request as an IOMMU sees it. */
struct iommu_access board_iommu_access(const struct tlp *tlp);

struct board_bridge;
/* The unit with the requester in its scope, else the one that has all the rest; NULL: none. */
struct board_iommu *board_iommu_of(const struct board_bridge *bridge, uint16_t sid);
/* iommu_ats.c: a Translation Request, which is answered; a message to a root complex, which is not
 * taken over; an invalidation to be sent, `opaque` is the unit. */
void board_ats_request(struct board_iommu *unit, struct root_complex *rc, struct tlp *tlp);
bool board_ats_message(struct board_iommu *unit, const struct tlp *tlp);
void board_ats_respond(void *opaque, const struct vtd_page_response *what);
void board_ats_invalidate(void *opaque, const struct vtd_device_tlb *what);

bool board_iommu_create(struct machine *machine, const struct machine_component *c,
                        uint16_t segment, GError **error);
/* Root complexes and the IOAPIC meet the units, and memory is reserved; when all is wired. */
bool board_iommu_connect(struct machine *machine, const struct machine_desc *desc, GError **error);
/* The DMAR table behind its header; false: there is nothing to tell. */
bool board_iommu_describe(const struct machine *machine, GByteArray *out);
void board_iommu_reset(struct machine *machine);
/* While the TLPs that wait in it can still be freed. */
void board_iommu_destroy(struct machine *machine);

#endif
