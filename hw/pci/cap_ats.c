/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Address Translation Services capability (PCIe Base 6.0, 10.5.1). */
#include <assert.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/ats.h"
#include "pcilab/pci/config.h"

#define ATS_DEPTH_MAX  32
#define ATS_PAGE_SHIFT 12

/* CHOICE: the unit cannot be changed while translations are cached by it (10.5.1.3 leaves what
 * happens then undefined). */
static void control_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    if (write->old_value & write->new_value & PCI_ATS_CONTROL_ENABLE)
        reg_set(space, offset, write->old_value);
}

/* clang-format off */
static const struct reg_def ats_rows[] = {
    {.name = "ats_capability", .clause = "PCIe 6.0 10.5.1.2", .offset = PCI_ATS_CAPS, .width = 2,
     .reset = PCI_ATS_CAPS_PAGE_ALIGNED},
    {.name = "ats_control", .clause = "PCIe 6.0 10.5.1.3", .offset = PCI_ATS_CONTROL, .width = 2,
     .rw = PCI_ATS_CONTROL_ENABLE | PCI_ATS_CONTROL_UNIT, .on_write = control_written},
};
/* clang-format on */

void pci_cap_ats_add(struct pci_func *func, const struct pci_ats_params *params)
{
    unsigned cap = pci_func_place_ext_cap(func, PCI_EXT_ATS, 1, ats_rows, ARRAY_LEN(ats_rows),
                                          PCI_ATS_SIZE_BYTES);

    assert(params->queue_depth >= 1 && params->queue_depth <= ATS_DEPTH_MAX);
    func->ext_ats = (uint16_t)cap;
    reg_hwinit(func->cfg, cap + PCI_ATS_CAPS,
               PCI_ATS_CAPS_PAGE_ALIGNED |
                   FIELD_PREP(PCI_ATS_CAPS_QUEUE_DEPTH, params->queue_depth) |
                   (params->global ? PCI_ATS_CAPS_GLOBAL : 0) |
                   (params->relaxed ? PCI_ATS_CAPS_RELAXED : 0));
    if (func->pf) /* 9.3.7.9: a VF's unit is its PF's */
        reg_set_rw_mask(func->cfg, cap + PCI_ATS_CONTROL, PCI_ATS_CONTROL_ENABLE);
}

bool pci_ats_enabled(const struct pci_func *func)
{
    return func->ext_ats &&
           (reg_get(func->cfg, func->ext_ats + PCI_ATS_CONTROL) & PCI_ATS_CONTROL_ENABLE ||
            flaw_on(func->flaws, FLAW_ATS_ENABLE));
}

bool pci_ats_relaxed(const struct pci_func *func)
{
    return reg_get(func->cfg, func->ext_ats + PCI_ATS_CAPS) & PCI_ATS_CAPS_RELAXED;
}

unsigned pci_ats_unit_shift(const struct pci_func *func)
{
    const struct pci_func *pf = func->pf ? func->pf : func;

    if (!pf->ext_ats)
        return ATS_PAGE_SHIFT;
    return ATS_PAGE_SHIFT + (unsigned)FIELD_GET(PCI_ATS_CONTROL_UNIT,
                                                reg_get(pf->cfg, pf->ext_ats + PCI_ATS_CONTROL));
}

void pci_ats_set_not_aligned(struct pci_func *func)
{
    unsigned caps = func->ext_ats + PCI_ATS_CAPS;

    reg_hwinit(func->cfg, caps, reg_get(func->cfg, caps) & ~(uint64_t)PCI_ATS_CAPS_PAGE_ALIGNED);
}
