/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Power Management (PCIe Base 6.0, 7.5.2; PCI Bus Power Management Interface 1.2). States D0 and
 * D3hot. No_Soft_Reset is set and kept: the way through D3hot loses nothing.
 *
 * UNIMPL: PME from endpoints: none is advertised.
 */
#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/readiness.h"

#define PMC_VERSION_1_2 0x0003
/* 7.5.2.1: ports announce D0, D3hot and D3cold, as they forward PME messages. */
#define PMC_PME_OF_PORTS 0xc800

static void pmcsr_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct pci_func *func = func_of_space(space);
    uint64_t state = write->new_value & PCI_PM_CSR_STATE;

    /* 7.5.2.2: a state that is not supported is not entered; the write is otherwise done. */
    if (state == 1 || state == 2) {
        reg_update(space, offset, PCI_PM_CSR_STATE, write->old_value);
    }
    if ((write->old_value ^ reg_get(space, offset)) & PCI_PM_CSR_STATE) {
        pci_func_rules_changed(func);
        if (func->power_state == 0 && func->ops->awake && pcie_frs_supported(func))
            func->ops->awake(func);
    }
}

/* clang-format off */
#define PM_CAPS                                                                                    \
    {.name = "pm_capabilities", .clause = "PCIe 6.0 7.5.2.1", .offset = PCI_PM_CAPS, .width = 2,   \
     .reset = PMC_VERSION_1_2}
#define PM_EXTENSIONS                                                                              \
    {.name = "pm_bridge_extensions", .clause = "PCIe 6.0 7.5.2.2", .offset = 6, .width = 1},       \
    {.name = "pm_data", .clause = "PCIe 6.0 7.5.2.3", .offset = 7, .width = 1}

static const struct reg_def endpoint_rows[] = {
    PM_CAPS,
    {.name = "pm_control_status", .clause = "PCIe 6.0 7.5.2.2", .offset = PCI_PM_CSR, .width = 2,
     .reset = PCI_PM_CSR_NO_SOFT, .rw = PCI_PM_CSR_STATE, .on_write = pmcsr_written},
    PM_EXTENSIONS,
};

static const struct reg_def port_rows[] = {
    PM_CAPS,
    {.name = "pm_control_status", .clause = "PCIe 6.0 7.5.2.2", .offset = PCI_PM_CSR, .width = 2,
     .reset = PCI_PM_CSR_NO_SOFT, .rw = PCI_PM_CSR_STATE | PCI_PM_CSR_PME_EN,
     .rw1c = PCI_PM_CSR_PME, .sticky = PCI_PM_CSR_PME_EN | PCI_PM_CSR_PME,
     .on_write = pmcsr_written},
    PM_EXTENSIONS,
};
/* clang-format on */

void pci_cap_pm_add(struct pci_func *func)
{
    bool port = func->header == PCI_HEADER_TYPE1;

    func->cap_pm = (uint16_t)pci_func_place_cap(
        func, PCI_CAP_PM, port ? port_rows : endpoint_rows,
        port ? ARRAY_LEN(port_rows) : ARRAY_LEN(endpoint_rows), PCI_PM_SIZE_BYTES);
    if (port) {
        reg_hwinit(func->cfg, func->cap_pm + PCI_PM_CAPS, PMC_VERSION_1_2 | PMC_PME_OF_PORTS);
    }
}
