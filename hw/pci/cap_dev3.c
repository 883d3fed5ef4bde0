/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The Device 3 Extended Capability (PCIe Base 6.0, 7.7.9), for Deferrable Memory Writes: whether a
 * function may request them, whether a port routes and lets them out.
 *
 * UNIMPL: 14-bit tags and L0p, which belong to Flit Mode.
 */
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/function.h"

static const struct reg_def dev3_rows[] = {
    {.name = "device_capabilities_3",
     .clause = "PCIe 6.0 7.7.9.2",
     .offset = PCI_DEV3_CAP,
     .width = 4},
    {.name = "device_control_3", .clause = "PCIe 6.0 7.7.9.3", .offset = PCI_DEV3_CTL, .width = 4},
    {.name = "device_status_3", .clause = "PCIe 6.0 7.7.9.4", .offset = PCI_DEV3_STA, .width = 4},
};

void pci_cap_dev3_add(struct pci_func *func)
{
    bool port = func->header == PCI_HEADER_TYPE1;

    func->ext_dev3 = (uint16_t)pci_func_place_ext_cap(func, PCI_EXT_DEV3, 1, dev3_rows,
                                                      ARRAY_LEN(dev3_rows), PCI_DEV3_SIZE_BYTES);
    reg_hwinit(func->cfg, func->ext_dev3 + PCI_DEV3_CAP, port ? PCI_DEV3_CAP_DMWR_ROUTE : 0);
    reg_set_rw_mask(func->cfg, func->ext_dev3 + PCI_DEV3_CTL,
                    port ? PCI_DEV3_CTL_DMWR_BLOCK : PCI_DEV3_CTL_DMWR);
}
