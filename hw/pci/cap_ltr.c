/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Latency Tolerance Reporting (PCIe Base 6.0, 6.18, 7.8.2): the capability of upstream ports, and
 * the arithmetic of latencies.
 *
 * CHOICE: maximum latencies of 0, as after a reset, limit nothing: nobody has set them.
 */
#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/link_caps.h"
#include "pcilab/sim/sim.h"

#define LATENCY (PCI_LTR_VALUE | PCI_LTR_SCALE)

/* clang-format off */
static const struct reg_def ltr_rows[] = {
    {.name = "max_snoop_latency", .clause = "PCIe 6.0 7.8.2.2", .offset = PCI_LTR_MAX_SNOOP,
     .width = 2, .rw = LATENCY},
    {.name = "max_no_snoop_latency", .clause = "PCIe 6.0 7.8.2.3", .offset = PCI_LTR_MAX_NO_SNOOP,
     .width = 2, .rw = LATENCY},
};
/* clang-format on */

void pci_cap_ltr_add(struct pci_func *func)
{
    func->ext_ltr = (uint16_t)pci_func_place_ext_cap(func, PCI_EXT_LTR, 1, ltr_rows,
                                                     ARRAY_LEN(ltr_rows), PCI_LTR_SIZE_BYTES);
}

bool pcie_ltr_enabled(const struct pci_func *func)
{
    return func->cap_pcie && reg_get(func->cfg, func->cap_pcie + PCIE_DEVCTL2) & PCIE_DEVCTL2_LTR;
}

static uint64_t latency_ps(unsigned word)
{
    return pci_latency_ps(word & PCI_LTR_VALUE, (unsigned)FIELD_GET(PCI_LTR_SCALE, word));
}

static unsigned permitted_word(unsigned word, unsigned most)
{
    most &= LATENCY;
    if (!(word & PCI_LTR_REQUIREMENT))
        return 0;
    return most && latency_ps(word) > latency_ps(most) ? most | PCI_LTR_REQUIREMENT : word;
}

uint32_t pci_ltr_permitted(const struct pci_func *func, uint32_t latencies)
{
    uint64_t snoop, no_snoop;

    if (!func->ext_ltr)
        return 0;
    snoop = reg_get(func->cfg, func->ext_ltr + PCI_LTR_MAX_SNOOP);
    no_snoop = reg_get(func->cfg, func->ext_ltr + PCI_LTR_MAX_NO_SNOOP);
    return permitted_word(latencies >> 16, (unsigned)no_snoop) << 16 |
           permitted_word(latencies & 0xffff, (unsigned)snoop);
}

static uint64_t word_tolerance_ps(unsigned word)
{
    return word & PCI_LTR_REQUIREMENT ? latency_ps(word) : SIM_NEVER;
}

static unsigned stricter_word(unsigned a, unsigned b)
{
    unsigned word = word_tolerance_ps(a) <= word_tolerance_ps(b) ? a : b;

    return word & PCI_LTR_REQUIREMENT ? word : 0;
}

uint32_t pci_ltr_stricter(uint32_t a, uint32_t b)
{
    return stricter_word(a >> 16, b >> 16) << 16 | stricter_word(a & 0xffff, b & 0xffff);
}

uint64_t pci_ltr_tolerance_ps(uint32_t latencies)
{
    uint64_t snoop = word_tolerance_ps(latencies & 0xffff);
    uint64_t no_snoop = word_tolerance_ps(latencies >> 16);

    return snoop < no_snoop ? snoop : no_snoop;
}
