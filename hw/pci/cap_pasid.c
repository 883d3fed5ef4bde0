/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The PASID capability (PCIe Base 6.0, 7.8.9). */
#include <assert.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/ats.h"
#include "pcilab/pci/config.h"

#define PASID_WIDTH_MAX 20

/* CHOICE: the rights are fixed while PASIDs are in use (7.8.9.3 leaves what happens undefined). */
static void control_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    if (write->old_value & write->new_value & PCI_PASID_CONTROL_ENABLE)
        reg_set(space, offset, write->old_value);
}

/* clang-format off */
static const struct reg_def pasid_rows[] = {
    {.name = "pasid_capability", .clause = "PCIe 6.0 7.8.9.2", .offset = PCI_PASID_CAPS,
     .width = 2},
    {.name = "pasid_control", .clause = "PCIe 6.0 7.8.9.3", .offset = PCI_PASID_CONTROL,
     .width = 2, .rw = PCI_PASID_CONTROL_ENABLE, .on_write = control_written},
};
/* clang-format on */

void pci_cap_pasid_add(struct pci_func *func, const struct pci_pasid_params *params)
{
    unsigned cap = pci_func_place_ext_cap(func, PCI_EXT_PASID, 1, pasid_rows, ARRAY_LEN(pasid_rows),
                                          PCI_PASID_SIZE_BYTES);
    unsigned rights = (params->execute ? PCI_PASID_CAPS_EXECUTE : 0) |
                      (params->privileged ? PCI_PASID_CAPS_PRIVILEGED : 0);

    assert(func->cap_pcie && !func->ext_aer && !func->pf && params->width >= 1 &&
           params->width <= PASID_WIDTH_MAX);
    func->ext_pasid = (uint16_t)cap;
    reg_hwinit(func->cfg, cap + PCI_PASID_CAPS,
               rights | FIELD_PREP(PCI_PASID_CAPS_WIDTH, params->width));
    /* It is an end-end TLP prefix that the function then supports (7.5.3.15). */
    if (!pcie_prefixes(func)) {
        unsigned devcap2 = func->cap_pcie + PCIE_DEVCAP2;

        reg_hwinit(func->cfg, devcap2,
                   reg_get(func->cfg, devcap2) | PCIE_DEVCAP2_PREFIX |
                       FIELD_PREP(PCIE_DEVCAP2_PREFIX_MAX, 1));
    }
    /* The enables have the places of what they enable. */
    reg_set_rw_mask(func->cfg, cap + PCI_PASID_CONTROL, rights | PCI_PASID_CONTROL_ENABLE);
}

bool pci_pasid_allowed(const struct pci_func *func, const struct tlp_pasid *pasid)
{
    const struct pci_func *pf = func->pf ? func->pf : func;
    uint64_t caps, control;

    if (!pf->ext_pasid)
        return false;
    caps = reg_get(pf->cfg, pf->ext_pasid + PCI_PASID_CAPS);
    control = reg_get(pf->cfg, pf->ext_pasid + PCI_PASID_CONTROL);
    return ((control & PCI_PASID_CONTROL_ENABLE) || flaw_on(pf->flaws, FLAW_PASID_ENABLE)) &&
           (!(pasid->pasid >> FIELD_GET(PCI_PASID_CAPS_WIDTH, caps)) ||
            flaw_on(pf->flaws, FLAW_PASID_WIDTH)) &&
           (!pasid->execute || (control & PCI_PASID_CAPS_EXECUTE) ||
            flaw_on(pf->flaws, FLAW_PASID_EXECUTE)) &&
           (!pasid->privileged || (control & PCI_PASID_CAPS_PRIVILEGED) ||
            flaw_on(pf->flaws, FLAW_PASID_PRIVILEGED));
}
