/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Protected Memory Regions (VT-d 4.1, 11.4.8): no DMA reaches them but by the page tables. While
 * translation is off every request to them is blocked, with translation on those in pass-through;
 * neither is recorded as a fault.
 *
 * CHOICE: requests that page tables translate may reach the regions, which is left to the hardware.
 * The bounds are taken over when protection is switched on.
 */
#include "vtd.h"

static struct vtd_region region(const struct vtd *vtd, unsigned base, unsigned limit)
{
    return (struct vtd_region){
        .first = reg_get(vtd->regs, base),
        .last = reg_get(vtd->regs, limit) | low_mask(VTD_PROTECT_SHIFT),
    };
}

void vtd_protect_drained(void *opaque)
{
    struct vtd *vtd = opaque;

    if (vtd->protect_again) {
        vtd->protect_again = false;
        iommu_drain(vtd->core, &vtd->protect_drain);
        return;
    }
    reg_update(vtd->regs, VTD_PMEN, VTD_PMEN_PRS, vtd->protecting ? VTD_PMEN_PRS : 0);
}

void vtd_protect_written(struct vtd *vtd)
{
    bool protect = reg_get(vtd->regs, VTD_PMEN) & VTD_PMEN_EPM;

    if (protect == vtd->protecting)
        return;
    vtd->protecting = protect;
    vtd->region[0] = region(vtd, VTD_PLMBASE, VTD_PLMLIMIT);
    vtd->region[1] = region(vtd, VTD_PHMBASE, VTD_PHMLIMIT);
    if (vtd->protect_drain.pending)
        vtd->protect_again = true;
    else
        iommu_drain(vtd->core, &vtd->protect_drain);
}

bool vtd_unprotected(void *face, uint64_t addr)
{
    const struct vtd *vtd = face;

    for (unsigned i = 0; vtd->protecting && i < ARRAY_LEN(vtd->region); i++) {
        if (addr >= vtd->region[i].first && addr <= vtd->region[i].last &&
            !vtd_flawed(vtd, FLAW_VTD_PROTECTED))
            return false;
    }
    return true;
}

void vtd_say_protected(struct vtd *vtd, uint64_t addr)
{
    trace_say(vtd->params.trace, TRACE_RULE, vtd->name,
              "0x%llx is in a protected memory region (VT-d 11.4.8.1)", (unsigned long long)addr);
}
