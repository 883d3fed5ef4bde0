/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The Page Request Interface capability (PCIe Base 6.0, 10.5.2). */
#include <assert.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/ats.h"
#include "pcilab/pci/config.h"

static const struct pci_func *owner_of(const struct pci_func *func)
{
    return func->pf ? func->pf : func;
}

static void control_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct pci_func *func = func_of_space(space);
    unsigned status = func->ext_pri + PCI_PRI_STATUS;

    (void)offset;
    if (write->new_value & PCI_PRI_CONTROL_ENABLE) {
        /* Enabling it begins anew, without the flags of last time. */
        if (!(write->old_value & PCI_PRI_CONTROL_ENABLE))
            reg_update(space, status, PCI_PRI_STATUS_FAILURE | PCI_PRI_STATUS_UNEXPECTED, 0);
        reg_update(space, status, PCI_PRI_STATUS_STOPPED, 0);
    } else if (flaw_on(func->flaws, FLAW_PRI_STOPPED)) {
        return;
    } else if (!func->pri_busy || (write->written & PCI_PRI_CONTROL_RESET)) {
        reg_update(space, status, PCI_PRI_STATUS_STOPPED, PCI_PRI_STATUS_STOPPED);
    }
    if ((write->written & PCI_PRI_CONTROL_RESET) && !(write->new_value & PCI_PRI_CONTROL_ENABLE))
        func->pri_reset = true;
}

/* clang-format off */
static const struct reg_def pri_rows[] = {
    {.name = "page_request_control", .clause = "PCIe 6.0 10.5.2.2", .offset = PCI_PRI_CONTROL,
     .width = 2, .rw = PCI_PRI_CONTROL_ENABLE, .w1t = PCI_PRI_CONTROL_RESET,
     .on_write = control_written},
    {.name = "page_request_status", .clause = "PCIe 6.0 10.5.2.3", .offset = PCI_PRI_STATUS,
     .width = 2, .reset = PCI_PRI_STATUS_STOPPED | PCI_PRI_STATUS_PASID,
     .rw1c = PCI_PRI_STATUS_FAILURE | PCI_PRI_STATUS_UNEXPECTED},
    {.name = "page_request_capacity", .clause = "PCIe 6.0 10.5.2.4", .offset = PCI_PRI_CAPACITY,
     .width = 4},
    {.name = "page_request_allocation", .clause = "PCIe 6.0 10.5.2.5",
     .offset = PCI_PRI_ALLOCATION, .width = 4, .rw = 0xffffffff},
};
/* clang-format on */

void pci_cap_pri_add(struct pci_func *func, uint32_t capacity)
{
    unsigned cap = pci_func_place_ext_cap(func, PCI_EXT_PRI, 1, pri_rows, ARRAY_LEN(pri_rows),
                                          PCI_PRI_SIZE_BYTES);

    assert(!func->pf && capacity);
    func->ext_pri = (uint16_t)cap;
    reg_hwinit(func->cfg, cap + PCI_PRI_CAPACITY, capacity);
}

bool pci_pri_present(const struct pci_func *func)
{
    return owner_of(func)->ext_pri != 0;
}

bool pci_pri_enabled(const struct pci_func *func)
{
    const struct pci_func *pf = owner_of(func);

    return pf->ext_pri &&
           (reg_get(pf->cfg, pf->ext_pri + PCI_PRI_CONTROL) & PCI_PRI_CONTROL_ENABLE ||
            flaw_on(pf->flaws, FLAW_PRI_ENABLE));
}

/* More than the capacity is as good as the capacity (10.5.2.5). */
uint32_t pci_pri_allocation(const struct pci_func *func)
{
    const struct pci_func *pf = owner_of(func);
    uint64_t capacity = reg_get(pf->cfg, pf->ext_pri + PCI_PRI_CAPACITY);
    uint64_t allocation = reg_get(pf->cfg, pf->ext_pri + PCI_PRI_ALLOCATION);

    return (uint32_t)(allocation < capacity && !flaw_on(pf->flaws, FLAW_PRI_ALLOCATION) ? allocation
                                                                                        : capacity);
}

void pci_pri_note(struct pci_func *func, uint16_t bits)
{
    struct pci_func *pf = func->pf ? func->pf : func;

    reg_update(pf->cfg, pf->ext_pri + PCI_PRI_STATUS, bits, bits);
    if (bits & PCI_PRI_STATUS_FAILURE && !flaw_on(pf->flaws, FLAW_PRI_FAILURE)) {
        reg_update(pf->cfg, pf->ext_pri + PCI_PRI_CONTROL, PCI_PRI_CONTROL_ENABLE, 0);
        reg_update(pf->cfg, pf->ext_pri + PCI_PRI_STATUS, PCI_PRI_STATUS_STOPPED,
                   PCI_PRI_STATUS_STOPPED);
    }
}

bool pci_pri_take_reset(struct pci_func *func)
{
    struct pci_func *pf = func->pf ? func->pf : func;
    bool reset = pf->pri_reset;

    pf->pri_reset = false;
    return reset;
}

void pci_pri_set_busy(struct pci_func *func, bool busy)
{
    struct pci_func *pf = func->pf ? func->pf : func;

    pf->pri_busy = busy;
    if (!busy && !pci_pri_enabled(pf))
        reg_update(pf->cfg, pf->ext_pri + PCI_PRI_STATUS, PCI_PRI_STATUS_STOPPED,
                   PCI_PRI_STATUS_STOPPED);
}

bool pci_pri_response_pasid(const struct pci_func *func)
{
    const struct pci_func *pf = owner_of(func);

    return reg_get(pf->cfg, pf->ext_pri + PCI_PRI_STATUS) & PCI_PRI_STATUS_PASID;
}

void pci_pri_set_no_response_pasid(struct pci_func *func)
{
    reg_hwinit(func->cfg, func->ext_pri + PCI_PRI_STATUS, PCI_PRI_STATUS_STOPPED);
}
