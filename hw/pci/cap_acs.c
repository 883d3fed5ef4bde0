/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Access Control Services (PCIe Base 6.0, 7.7.11). What the bits do is in hw/fabric/acs.c.
 * The enhanced controls of memory targets are reserved, as no port has memory of its own.
 */
#include <assert.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/error.h"

#define VECTOR_BITS 32
#define SIZE_BYTES  (PCI_ACS_VECTOR + VECTOR_BITS / 8)

static void acs_control_written(struct reg_space *space, unsigned offset,
                                const struct reg_write *write)
{
    func_of_space(space)->acs = (uint16_t)write->new_value;
}

/* clang-format off */
static const struct reg_def acs_rows[] = {
    {.name = "acs_capability", .clause = "PCIe 6.0 7.7.11.2", .offset = PCI_ACS_CAPS, .width = 2},
    {.name = "acs_control", .clause = "PCIe 6.0 7.7.11.3", .offset = PCI_ACS_CONTROL, .width = 2,
     .on_write = acs_control_written},
};

static const struct reg_def acs_vector_rows[] = {
    {.name = "egress_control_vector", .clause = "PCIe 6.0 7.7.11.4", .offset = PCI_ACS_VECTOR,
     .width = 4, .rw = 0xffffffff},
};
/* clang-format on */

void pci_cap_acs_add(struct pci_func *func)
{
    bool port = func->pcie_type == PCIE_ROOT_PORT || func->pcie_type == PCIE_DOWNSTREAM_PORT;
    bool enhanced = !func->acs_basic;
    uint64_t control = PCI_ACS_ALL;
    unsigned cap;

    if (func->no_acs)
        return;
    cap = pci_func_place_ext_cap(func, PCI_EXT_ACS, 1, acs_rows, ARRAY_LEN(acs_rows),
                                 port ? SIZE_BYTES : PCI_ACS_VECTOR);
    func->ext_acs = (uint16_t)cap;
    if (!port)
        return;
    reg_space_place(func->cfg, cap, acs_vector_rows, ARRAY_LEN(acs_vector_rows));
    if (enhanced)
        control |= PCI_ACS_IO_BLOCK;
    if (enhanced && func->pcie_type == PCIE_DOWNSTREAM_PORT)
        control |= PCI_ACS_UNCLAIMED_REDIRECT;
    reg_hwinit(func->cfg, cap + PCI_ACS_CAPS,
               PCI_ACS_ALL | (enhanced ? PCI_ACS_ENHANCED : 0) |
                   FIELD_PREP(PCI_ACS_VECTOR_SIZE, VECTOR_BITS));
    reg_set_rw_mask(func->cfg, cap + PCI_ACS_CONTROL, control);
    if (pcie_port_number(func) < VECTOR_BITS) /* its own bit is hardwired (7.7.11.4) */
        reg_set_rw_mask(func->cfg, cap + PCI_ACS_VECTOR, (uint32_t)~BIT(pcie_port_number(func)));
    pci_aer_allow(func, 1u << PCI_ERROR_ACS);
}

void pci_acs_reset(struct pci_func *func)
{
    func->acs = func->ext_acs ? (uint16_t)reg_get(func->cfg, func->ext_acs + PCI_ACS_CONTROL) : 0;
}

bool pci_acs_egress_bit(const struct pci_func *func, unsigned port_number)
{
    if (!func->ext_acs || port_number >= VECTOR_BITS)
        return false;
    return reg_get(func->cfg, func->ext_acs + PCI_ACS_VECTOR) >> port_number & 1;
}
