/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Alternative Routing-ID Interpretation (PCIe Base 6.0, 7.8.8), without function groups. */
#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"

#define ARI_NEXT_FUNCTION 0xff00

/* clang-format off */
static const struct reg_def ari_rows[] = {
    {.name = "ari_capability", .clause = "PCIe 6.0 7.8.8.2", .offset = 4, .width = 2},
    {.name = "ari_control", .clause = "PCIe 6.0 7.8.8.3", .offset = 6, .width = 2},
};
/* clang-format on */

void pci_cap_ari_add(struct pci_func *func, uint8_t next_function)
{
    unsigned offset =
        pci_func_place_ext_cap(func, PCI_EXT_ARI, 1, ari_rows, ARRAY_LEN(ari_rows), 8);

    func->ext_ari = (uint16_t)offset;
    reg_hwinit(func->cfg, offset + 4, FIELD_PREP(ARI_NEXT_FUNCTION, next_function));
}
