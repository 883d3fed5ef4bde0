/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * L1 PM Substates (PCIe Base 6.0, 7.8.3).
 *
 * UNIMPL: Link Activation, which is optional.
 */
#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/link_caps.h"

#include <assert.h>

/* clang-format off */
static const struct reg_def l1ss_rows[] = {
    {.name = "l1_pm_substates_capabilities", .clause = "PCIe 6.0 7.8.3.2", .offset = PCI_L1SS_CAP,
     .width = 4},
    {.name = "l1_pm_substates_control_1", .clause = "PCIe 6.0 7.8.3.3", .offset = PCI_L1SS_CTL1,
     .width = 4, .flr_keep = 0xffffffff},
    {.name = "l1_pm_substates_control_2", .clause = "PCIe 6.0 7.8.3.4", .offset = PCI_L1SS_CTL2,
     .width = 4, .flr_keep = 0xffffffff},
};
/* clang-format on */

/* The smallest scale that has room for it, rounded up: 2, 10 or 100 us times 0 to 31. */
static uint64_t power_on_field(unsigned us)
{
    static const uint8_t unit_us[] = {2, 10, 100};
    unsigned scale = 0, value;

    while (scale < 2 && us > 31u * unit_us[scale])
        scale++;
    value = (us + unit_us[scale] - 1) / unit_us[scale];
    assert(value <= 31);
    return FIELD_PREP(PCI_L1SS_CAP_SCALE, scale) | FIELD_PREP(PCI_L1SS_CAP_VALUE, value);
}

void pci_cap_l1ss_add(struct pci_func *func)
{
    bool down = func->pcie_type == PCIE_ROOT_PORT || func->pcie_type == PCIE_DOWNSTREAM_PORT;
    unsigned cap = pci_func_place_ext_cap(func, PCI_EXT_L1SS, 1, l1ss_rows, ARRAY_LEN(l1ss_rows),
                                          PCI_L1SS_SIZE_BYTES);
    uint64_t caps = func->power.substates | PCI_L1SS_CAP_SUPPORTED, control = func->power.substates;

    assert(func->power.aspm & PCIE_ASPM_L1);
    func->ext_l1ss = (uint16_t)cap;
    if (func->power.substates & (PCI_L1SS_PCIPM_L1_2 | PCI_L1SS_ASPM_L1_2)) {
        caps |= FIELD_PREP(PCI_L1SS_CAP_COMMON, func->power.common_us) |
                power_on_field(func->power.power_on_us);
        reg_set_rw_mask(func->cfg, cap + PCI_L1SS_CTL2, PCI_L1SS_CTL2_SCALE | PCI_L1SS_CTL2_VALUE);
        control |= down ? PCI_L1SS_CTL1_COMMON : 0;
        if (func->power.substates & PCI_L1SS_ASPM_L1_2)
            control |= PCI_L1SS_CTL1_THRESHOLD | PCI_L1SS_CTL1_THRESHOLD_SCALE;
    }
    reg_hwinit(func->cfg, cap + PCI_L1SS_CAP, caps);
    /* 7.8.3.4: T_POWER_ON comes up as 10 us. */
    reg_hwinit(func->cfg, cap + PCI_L1SS_CTL2, FIELD_PREP(PCI_L1SS_CTL2_VALUE, 5));
    reg_set_rw_mask(func->cfg, cap + PCI_L1SS_CTL1, control);
}
