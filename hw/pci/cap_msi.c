/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSI (PCIe Base 6.0, 7.7.1, 6.1.4): 64-bit addresses, up to 32 vectors, per-vector masking where
 * wanted. What may not be sent now - masked, Bus Master Enable clear, not in D0 - waits.
 */
#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"

#include <assert.h>

#define SIZE_PLAIN    0x10
#define SIZE_MASKABLE 0x18

static void control_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct pci_func *func = func_of_space(space);

    (void)offset;
    if (!((write->old_value ^ write->new_value) & PCI_MSI_CONTROL_ENABLE)) {
        return;
    }
    if (!(write->new_value & PCI_MSI_CONTROL_ENABLE)) {
        func->msi_pending = 0; /* CHOICE: what waited is not sent by a later owner's enable */
    }
    pci_func_rules_changed(func);
}

static void mask_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    (void)offset;
    (void)write;
    pci_msi_flush(func_of_space(space));
}

/* clang-format off */
static const struct reg_def msi_rows[] = {
    {.name = "msi_message_control", .clause = "PCIe 6.0 7.7.1.2", .offset = PCI_MSI_CONTROL,
     .width = 2, .rw = PCI_MSI_CONTROL_ENABLE | PCI_MSI_CONTROL_ENABLED,
     .on_write = control_written},
    {.name = "msi_message_address", .clause = "PCIe 6.0 7.7.1.3", .offset = PCI_MSI_ADDRESS,
     .width = 4, .rw = 0xfffffffc},
    {.name = "msi_message_upper_address", .clause = "PCIe 6.0 7.7.1.4",
     .offset = PCI_MSI_ADDRESS_UPPER, .width = 4, .rw = 0xffffffff},
    {.name = "msi_message_data", .clause = "PCIe 6.0 7.7.1.5", .offset = PCI_MSI_DATA, .width = 2,
     .rw = 0xffff},
    {.name = "msi_extended_data", .clause = "PCIe 6.0 7.7.1.6", .offset = PCI_MSI_DATA + 2,
     .width = 2},
};

static const struct reg_def mask_rows[] = {
    {.name = "msi_mask_bits", .clause = "PCIe 6.0 7.7.1.7", .offset = PCI_MSI_MASK, .width = 4,
     .on_write = mask_written},
};

static uint64_t pending_read(struct reg_space *space, unsigned offset, uint64_t value)
{
    (void)offset;
    (void)value;
    return func_of_space(space)->msi_pending;
}

static const struct reg_def pending_rows[] = {
    {.name = "msi_pending_bits", .clause = "PCIe 6.0 7.7.1.8", .offset = PCI_MSI_PENDING,
     .width = 4, .on_read = pending_read},
};
/* clang-format on */

void pci_cap_msi_add(struct pci_func *func, const struct pci_msi_params *params)
{
    unsigned log2 = (unsigned)__builtin_ctz(params->vectors);
    uint64_t control = FIELD_PREP(PCI_MSI_CONTROL_CAPABLE, log2) | PCI_MSI_CONTROL_64BIT;
    unsigned offset;

    assert(is_power_of_2(params->vectors) && params->vectors <= 32);
    offset = pci_func_place_cap(func, PCI_CAP_MSI, msi_rows, ARRAY_LEN(msi_rows),
                                params->maskable ? SIZE_MASKABLE : SIZE_PLAIN);
    func->cap_msi = (uint16_t)offset;
    if (params->maskable) {
        control |= PCI_MSI_CONTROL_MASKABLE;
        reg_space_place(func->cfg, offset, mask_rows, ARRAY_LEN(mask_rows));
        reg_space_place(func->cfg, offset, pending_rows, ARRAY_LEN(pending_rows));
        reg_set_rw_mask(func->cfg, offset + PCI_MSI_MASK, low_mask(params->vectors));
    }
    reg_hwinit(func->cfg, offset + PCI_MSI_CONTROL, control);
}

static uint64_t msi_control(const struct pci_func *func)
{
    return reg_get(func->cfg, func->cap_msi + PCI_MSI_CONTROL);
}

bool pci_msi_enabled(const struct pci_func *func)
{
    return func->cap_msi && (msi_control(func) & PCI_MSI_CONTROL_ENABLE);
}

/* CHOICE: more than what the function can is software's error and gives what it can. */
unsigned pci_msi_allocated(const struct pci_func *func)
{
    uint64_t control = msi_control(func);
    uint64_t capable = FIELD_GET(PCI_MSI_CONTROL_CAPABLE, control);
    uint64_t enabled = FIELD_GET(PCI_MSI_CONTROL_ENABLED, control);

    return 1u << (enabled < capable && !flaw_on(func->flaws, FLAW_MSI_VECTORS) ? enabled : capable);
}

static uint32_t msi_masked(const struct pci_func *func)
{
    if (!(msi_control(func) & PCI_MSI_CONTROL_MASKABLE) || flaw_on(func->flaws, FLAW_MSI_MASK)) {
        return 0;
    }
    return (uint32_t)reg_get(func->cfg, func->cap_msi + PCI_MSI_MASK);
}

static void msi_send(struct pci_func *func, unsigned vector)
{
    const struct reg_space *cfg = func->cfg;
    uint64_t addr = reg_get(cfg, func->cap_msi + PCI_MSI_ADDRESS) |
                    reg_get(cfg, func->cap_msi + PCI_MSI_ADDRESS_UPPER) << 32;
    uint32_t data = (uint32_t)reg_get(cfg, func->cap_msi + PCI_MSI_DATA);

    /* 6.1.4: the function may change the low bits that the allocated vectors need. */
    if (!flaw_on(func->flaws, FLAW_MSI_DATA))
        data = (data & ~(pci_msi_allocated(func) - 1)) | vector;
    if (func->ops->send_msi) {
        func->ops->send_msi(func, addr, data);
    }
}

void pci_msi_raise(struct pci_func *func, unsigned vector)
{
    /* CHOICE: with fewer vectors than wanted, they are shared round robin. */
    vector %= pci_msi_allocated(func);
    if (!pci_func_bus_master(func) || (msi_masked(func) & BIT(vector))) {
        if (!flaw_on(func->flaws, FLAW_MSI_PENDING))
            func->msi_pending |= (uint32_t)BIT(vector);
        return;
    }
    msi_send(func, vector);
}

void pci_msi_flush(struct pci_func *func)
{
    uint32_t ready;

    if (!func->msi_pending || flaw_on(func->flaws, FLAW_MSI_UNMASK) || !pci_msi_enabled(func) ||
        !pci_func_bus_master(func)) {
        return;
    }
    ready = func->msi_pending & ~msi_masked(func);
    func->msi_pending &= ~ready;
    while (ready) {
        unsigned vector = (unsigned)__builtin_ctz(ready);

        ready &= ready - 1;
        msi_send(func, vector % pci_msi_allocated(func));
    }
}
