/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Virtual Functions (PCIe Base 6.0, 9.3.4, 9.3.5): a function whose identifiers, BARs and most
 * controls are its Physical Function's.
 */
#include <assert.h>
#include <glib.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "sriov.h"

/* 9.3.4.1.1, 9.3.4.1.2: software takes the identifiers from the PF. */
#define VF_NO_ID 0xffff

struct pci_func *pci_vf_new(struct pci_func *pf, const char *name, const struct pci_func_ops *ops,
                            void *owner)
{
    struct pci_sriov *s = pf->sriov;
    struct pci_ids ids = {
        .vendor = VF_NO_ID,
        .device = VF_NO_ID,
        .subvendor = (uint16_t)reg_get(pf->cfg, PCI_SUBVENDOR),
        .subdevice = (uint16_t)reg_get(pf->cfg, PCI_SUBDEVICE),
        .class_code =
            (uint32_t)(reg_get(pf->cfg, PCI_PROG_IF) | reg_get(pf->cfg, PCI_SUB_CLASS) << 8 |
                       reg_get(pf->cfg, PCI_BASE_CLASS) << 16),
        .revision = (uint8_t)reg_get(pf->cfg, PCI_REVISION),
    };
    struct pci_func *vf;

    assert(s && s->count < s->total);
    vf = pci_func_new(name, PCI_HEADER_TYPE0, &ids, ops, owner);
    vf->pf = pf;
    vf->trace = pf->trace;
    vf->flaws = pf->flaws;
    vf->vf_index = (uint16_t)s->count;
    /* Table 9-12 and following: of Command only Bus Master Enable is a VF's own; there is no
     * interrupt pin, and Cache Line Size is gone. */
    reg_set_rw_mask(vf->cfg, PCI_COMMAND, PCI_COMMAND_MASTER);
    reg_set_rw_mask(vf->cfg, PCI_CACHE_LINE, 0);
    reg_set_rw_mask(vf->cfg, PCI_INTERRUPT_LINE, 0);
    for (unsigned i = 0; i < PCI_BAR_COUNT; i++)
        vf->bar[i] = (struct pci_bar){
            .kind = s->bar[i].kind, .size = s->bar[i].size, .used = s->least_bytes[i]};
    s->vf[s->count++] = vf;
    return vf;
}

/* What the PCI Express capability of a VF leaves to its PF (9.3.5): of the controls only Function
 * Level Reset is its own, and the link's state is told by the PF alone. */
void pci_vf_pcie(struct pci_func *vf)
{
    unsigned cap = vf->cap_pcie;
    uint64_t of_pf = reg_get(vf->pf->cfg, vf->pf->cap_pcie + PCIE_DEVCAP2);

    assert(reg_get(vf->cfg, cap + PCIE_DEVCAP) & PCIE_DEVCAP_FLR);
    reg_set_rw_mask(vf->cfg, cap + PCIE_DEVCTL, 0);
    reg_hwinit(vf->cfg, cap + PCIE_DEVCTL, 0);
    reg_set_rw_mask(vf->cfg, cap + PCIE_DEVCTL2, 0);
    /* PASIDs are a prefix, and a VF has its PF's (9.3.7). */
    reg_hwinit(vf->cfg, cap + PCIE_DEVCAP2,
               reg_get(vf->cfg, cap + PCIE_DEVCAP2) |
                   (of_pf & (PCIE_DEVCAP2_PREFIX | PCIE_DEVCAP2_PREFIX_MAX)));
    reg_set_rw_mask(vf->cfg, cap + PCIE_LNKCTL, 0);
    reg_hwinit(vf->cfg, cap + PCIE_LNKSTA, 0);
    reg_set_rw_mask(vf->cfg, cap + PCIE_LNKCTL2, 0);
    reg_hwinit(vf->cfg, cap + PCIE_LNKCTL2, 0);
}

void pci_vf_bar(const struct pci_func *vf, unsigned index, struct pci_bar *bar)
{
    const struct pci_sriov *s = vf->pf->sriov;
    const struct pci_bar *first = &s->bar[index];

    bar->addr = first->addr + vf->vf_index * first->size;
    bar->mapped = first->mapped && vf->vf_index < s->enabled && vf->power_state == 0;
}
