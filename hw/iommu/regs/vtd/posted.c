/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Posted interrupts (VT-d 5.2): an interrupt becomes a bit in a descriptor in memory, and a
 * notification when nobody has been notified yet.
 *
 * CHOICE: the descriptor is read, changed and written at one instant, as the atomic operation that
 * it is; it is snooped whatever ECAP.C says.
 */
#include "pcilab/base/le.h"
#include "vtd.h"

/* Interrupt Remapping Table Entry in posted format, 9.10 */
#define IRTE_URG       BIT(14)
#define IRTE_V         GENMASK(23, 16)
#define IRTE_LOW_RSVD  (GENMASK(7, 2) | GENMASK(13, 12) | GENMASK(37, 24))
#define IRTE_PDA_LOW   GENMASK(63, 38) /* bits 31 to 6 of the descriptor's address */
#define IRTE_PDA_HIGH  GENMASK(63, 32) /* of the upper half: bits 63 to 32 */
#define IRTE_HIGH_RSVD GENMASK(31, 20)

/* Posted Interrupt Descriptor, 9.11: 256 request bits, then */
#define PID_BYTES      64
#define PID_CONTROL    32
#define PID_ON         BIT(0)
#define PID_SN         BIT(1)
#define PID_NV         GENMASK(23, 16)
#define PID_NDST       GENMASK(63, 32)
#define PID_RSVD       (GENMASK(15, 2) | GENMASK(31, 24))
#define PID_NDST_XAPIC GENMASK(15, 8)

bool vtd_posted_reserved(uint64_t low, uint64_t high)
{
    return (low & IRTE_LOW_RSVD) || (high & IRTE_HIGH_RSVD);
}

static bool descriptor_reserved(const struct vtd *vtd, const uint8_t *pid)
{
    uint64_t control = le64_load(pid + PID_CONTROL), rest = 0;
    uint32_t dest = (uint32_t)FIELD_GET(PID_NDST, control);

    for (unsigned at = PID_CONTROL + 8; at < PID_BYTES; at += 8)
        rest |= le64_load(pid + at);
    return (control & PID_RSVD) || rest || (!vtd->irt_extended && (dest & ~PID_NDST_XAPIC));
}

uint16_t vtd_post(struct vtd *vtd, uint64_t low, uint64_t high, bool look,
                  struct iommu_interrupt *interrupt)
{
    const struct iommu_memory *memory = &vtd->params.memory;
    uint64_t addr = FIELD_GET(IRTE_PDA_HIGH, high) << 32 | FIELD_GET(IRTE_PDA_LOW, low) << 6;
    unsigned vector = (unsigned)FIELD_GET(IRTE_V, low);
    uint8_t pid[PID_BYTES];
    uint64_t control;
    uint32_t dest;

    if (!memory->read(memory->opaque, addr, pid, PID_BYTES))
        return VTD_FR_IR_PID_UNREADABLE;
    if (descriptor_reserved(vtd, pid))
        return VTD_FR_IR_PID_RESERVED;
    control = le64_load(pid + PID_CONTROL);
    dest = (uint32_t)FIELD_GET(PID_NDST, control);
    *interrupt = (struct iommu_interrupt){
        .silent = (control & PID_ON) || ((control & PID_SN) && !(low & IRTE_URG)),
        .wide = vtd->irt_extended,
        .dest = vtd->irt_extended ? dest : (uint32_t)FIELD_GET(PID_NDST_XAPIC, dest),
        .vector = (uint8_t)FIELD_GET(PID_NV, control),
    };
    if (look)
        return 0;
    pid[vector / 8] |= (uint8_t)(1 << vector % 8);
    if (!interrupt->silent)
        le64_store(pid + PID_CONTROL, control | PID_ON);
    if (!memory->write(memory->opaque, addr, pid, PID_BYTES))
        return VTD_FR_IR_PID_UNREADABLE;
    return 0;
}
