/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Subsystem ID and Subsystem Vendor ID of bridges (PCI-to-PCI Bridge Architecture 1.2, 3.2.5.13).
 */
#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"

/* clang-format off */
static const struct reg_def ssvid_rows[] = {
    {.name = "subsystem_vendor_id", .clause = "PCI-PCI Bridge 1.2 3.2.5.13", .offset = 4,
     .width = 2},
    {.name = "subsystem_id", .clause = "PCI-PCI Bridge 1.2 3.2.5.13", .offset = 6, .width = 2},
};
/* clang-format on */

void pci_cap_ssvid_add(struct pci_func *func, uint16_t subvendor, uint16_t subdevice)
{
    unsigned offset = pci_func_place_cap(func, PCI_CAP_SSVID, ssvid_rows, ARRAY_LEN(ssvid_rows), 8);

    func->cap_ssvid = (uint16_t)offset;
    reg_hwinit(func->cfg, offset + 4, subvendor);
    reg_hwinit(func->cfg, offset + 6, subdevice);
}
