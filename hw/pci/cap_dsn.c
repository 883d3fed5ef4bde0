/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Device Serial Number (PCIe Base 6.0, 7.9.3): an EUI-64. */
#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"

/* clang-format off */
static const struct reg_def dsn_rows[] = {
    {.name = "serial_number_lower", .clause = "PCIe 6.0 7.9.3.2", .offset = 4, .width = 4},
    {.name = "serial_number_upper", .clause = "PCIe 6.0 7.9.3.2", .offset = 8, .width = 4},
};
/* clang-format on */

void pci_cap_dsn_add(struct pci_func *func, uint64_t serial)
{
    unsigned offset =
        pci_func_place_ext_cap(func, PCI_EXT_DSN, 1, dsn_rows, ARRAY_LEN(dsn_rows), 12);

    func->ext_dsn = (uint16_t)offset;
    reg_hwinit(func->cfg, offset + 4, serial & 0xffffffff);
    reg_hwinit(func->cfg, offset + 8, serial >> 32);
}
