/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Interrupt remapping (VT-d 5.1): requests, the remapping table and its cache. */
#include "pcilab/base/le.h"
#include "vtd.h"

/* A request in remappable format, 5.1.2.2 */
#define REQ_HANDLE_LOW  GENMASK(19, 5)
#define REQ_REMAPPABLE  BIT(4)
#define REQ_SHV         BIT(3)
#define REQ_HANDLE_HIGH BIT(2)

/* Interrupt Remapping Table Entry, 9.9 */
#define IRTE_P         BIT(0)
#define IRTE_FPD       BIT(1)
#define IRTE_DM        BIT(2)
#define IRTE_RH        BIT(3)
#define IRTE_TM        BIT(4)
#define IRTE_DLM       GENMASK(7, 5)
#define IRTE_LOW_RSVD  (GENMASK(14, 12) | GENMASK(31, 24))
#define IRTE_IM        BIT(15) /* posted */
#define IRTE_V         GENMASK(23, 16)
#define IRTE_DST       GENMASK(63, 32)
#define IRTE_DST_XAPIC 0xff00u
#define IRTE_SID       GENMASK(15, 0)
#define IRTE_SQ        GENMASK(17, 16)
#define IRTE_SVT       GENMASK(19, 18)
#define IRTE_HIGH_RSVD GENMASK(63, 20)
enum { SVT_NONE, SVT_SID, SVT_BUS };

static enum iommu_step refuse(struct iommu_lookup *lookup, uint16_t reason)
{
    lookup->code = reason;
    return IOMMU_FAULT;
}

static bool source_ok(uint64_t high, uint16_t sid)
{
    static const uint16_t compared[] = {0xffff, 0xfffb, 0xfff9, 0xfff8};
    uint16_t want = (uint16_t)FIELD_GET(IRTE_SID, high), bus = sid >> 8;

    switch (FIELD_GET(IRTE_SVT, high)) {
    case SVT_NONE: return true;
    case SVT_SID: return ((want ^ sid) & compared[FIELD_GET(IRTE_SQ, high)]) == 0;
    default: return bus >= want >> 8 && bus <= (want & 0xff);
    }
}

static bool entry_reserved(const struct vtd *vtd, uint64_t low, uint64_t high)
{
    uint32_t dest = (uint32_t)FIELD_GET(IRTE_DST, low);
    unsigned mode = (unsigned)FIELD_GET(IRTE_DLM, low);

    if (FIELD_GET(IRTE_SVT, high) > SVT_BUS)
        return true;
    if (low & IRTE_IM)
        return !vtd->params.features.posted || vtd_posted_reserved(low, high);
    return (low & IRTE_LOW_RSVD) || (high & IRTE_HIGH_RSVD) ||
           (!vtd->irt_extended && (dest & ~IRTE_DST_XAPIC)) || mode == 3 || mode == 6;
}

static enum iommu_step interrupt_post(struct vtd *vtd, struct iommu_lookup *lookup, uint64_t low,
                                      uint64_t high)
{
    uint16_t reason = vtd_post(vtd, low, high, lookup->uncached, &lookup->interrupt);

    return reason ? refuse(lookup, reason) : IOMMU_OK;
}

static enum iommu_step interrupt_entry(struct vtd *vtd, struct iommu_lookup *lookup, uint64_t low,
                                       uint64_t high)
{
    uint32_t dest = (uint32_t)FIELD_GET(IRTE_DST, low);

    lookup->fault_disabled = low & IRTE_FPD;
    if (!(low & IRTE_P) && !vtd_flawed(vtd, FLAW_VTD_IR_PRESENT))
        return refuse(lookup, VTD_FR_IR_ABSENT);
    if (entry_reserved(vtd, low, high) && !vtd_flawed(vtd, FLAW_VTD_IR_RESERVED))
        return refuse(lookup, VTD_FR_IR_RESERVED);
    if (!source_ok(high, lookup->access->sid) && !vtd_flawed(vtd, FLAW_VTD_IR_SOURCE))
        return refuse(lookup, VTD_FR_IR_SOURCE);
    if (low & IRTE_IM)
        return interrupt_post(vtd, lookup, low, high);
    lookup->interrupt = (struct iommu_interrupt){
        .dest = vtd->irt_extended ? dest : dest >> 8,
        .wide = vtd->irt_extended,
        .logical = low & IRTE_DM,
        .level = low & IRTE_TM,
        .redirect = low & IRTE_RH,
        .mode = (uint8_t)FIELD_GET(IRTE_DLM, low),
        .vector = (uint8_t)FIELD_GET(IRTE_V, low),
    };
    return IOMMU_OK;
}

static enum iommu_step interrupt_begin(struct vtd *vtd, struct iommu_lookup *lookup)
{
    const struct iommu_access *access = lookup->access;
    uint32_t index = (uint32_t)(FIELD_GET(REQ_HANDLE_LOW, access->addr) |
                                FIELD_GET(REQ_HANDLE_HIGH, access->addr) << 15);
    const struct irte_slot *slot;

    lookup->pasid = 0;
    if (!(access->addr & REQ_REMAPPABLE)) {
        /* 5.1.4: extended mode knows no compatibility format. */
        if ((vtd->irt_extended || !vtd_is(vtd, VTD_G_CFI)) &&
            !vtd_flawed(vtd, FLAW_VTD_IR_COMPATIBLE))
            return refuse(lookup, VTD_FR_IR_COMPATIBLE);
        lookup->interrupt = (struct iommu_interrupt){.compatible = true};
        return IOMMU_OK;
    }
    if (access->addr & REQ_SHV) {
        if (access->data >> 16 && !vtd_flawed(vtd, FLAW_VTD_IR_REQUEST))
            return refuse(lookup, VTD_FR_IR_REQUEST);
        index += access->data & 0xffff;
    }
    lookup->pasid = index & 0xffff;
    if (index >= vtd->irt_entries && !vtd_flawed(vtd, FLAW_VTD_IR_INDEX))
        return refuse(lookup, VTD_FR_IR_INDEX);
    slot = &vtd->irte[index % IRTE_SLOTS];
    if (slot->valid && slot->index == index && !lookup->uncached)
        return interrupt_entry(vtd, lookup, slot->low, slot->high);
    lookup->device.format = vtd->irte_flushes;
    lookup->read_addr = vtd->irt + index * 16;
    lookup->read_bytes = 16;
    return IOMMU_READ;
}

enum iommu_step vtd_interrupt(void *face, struct iommu_lookup *lookup)
{
    struct vtd *vtd = face;
    uint64_t low, high;

    if (lookup->turn == 0)
        return interrupt_begin(vtd, lookup);
    if (!lookup->readable)
        return refuse(lookup, VTD_FR_IR_UNREADABLE);
    low = le64_load(lookup->data);
    high = le64_load(lookup->data + 8);
    if ((low & IRTE_P) && !lookup->uncached && lookup->device.format == vtd->irte_flushes)
        vtd->irte[lookup->pasid % IRTE_SLOTS] = (struct irte_slot){
            .valid = true, .index = (uint16_t)lookup->pasid, .low = low, .high = high};
    return interrupt_entry(vtd, lookup, low, high);
}

void vtd_flush_interrupts(struct vtd *vtd, unsigned index, unsigned order)
{
    unsigned mask = ~(unsigned)low_mask(order);

    if (vtd_flawed(vtd, FLAW_VTD_FLUSH_INTERRUPT))
        return;
    vtd->irte_flushes++;
    for (unsigned i = 0; i < IRTE_SLOTS; i++) {
        if (((vtd->irte[i].index ^ index) & mask) == 0)
            vtd->irte[i].valid = false;
    }
}
