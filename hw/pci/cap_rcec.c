/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Root Complex Event Collector Endpoint Association, version 2 (PCIe Base 6.0, 7.9.10): the
 * integrated endpoints of its own bus whose events an event collector takes.
 */
#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"

#define VERSION 2
/* 7.9.10.3: next bus number above last bus number is no other bus. */
#define BUS_NUMBERS_NONE 0x0000ff00u

static const struct reg_def rcec_rows[] = {
    {.name = "association_bitmap",
     .clause = "PCIe 6.0 7.9.10.2",
     .offset = PCI_RCEC_BITMAP,
     .width = 4},
    {.name = "associated_bus_numbers",
     .clause = "PCIe 6.0 7.9.10.3",
     .offset = PCI_RCEC_BUSES,
     .width = 4,
     .reset = BUS_NUMBERS_NONE},
};

void pci_cap_rcec_add(struct pci_func *func)
{
    func->ext_rcec = (uint16_t)pci_func_place_ext_cap(func, PCI_EXT_RCEC, VERSION, rcec_rows,
                                                      ARRAY_LEN(rcec_rows), PCI_RCEC_SIZE_BYTES);
}

void pci_rcec_associate(struct pci_func *func, unsigned device)
{
    unsigned offset = func->ext_rcec + PCI_RCEC_BITMAP;

    reg_hwinit(func->cfg, offset, reg_get(func->cfg, offset) | BIT(device));
}
