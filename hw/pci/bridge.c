/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The type 1 header (PCIe Base 6.0, 7.5.1.3): bus numbers, windows, Bridge Control.
 *
 * CHOICE: base and limit registers, whose reset values are not specified, come up with every
 * window closed. VGA decoding is not implemented and its enables are hardwired to 0.
 */
#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"

#define IO_32BIT     0x1
#define IO_ADDRESS   0xf0
#define PREF_64BIT   0x1
#define MEM_ADDRESS  0xfff0
#define IO_LOW_BITS  0xfffu
#define MEM_LOW_BITS 0xfffffu

static void windows_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct pci_func *func = func_of_space(space);
    uint16_t control = (uint16_t)reg_get(space, PCI_BRIDGE_CONTROL);

    (void)offset;
    if (write->old_value == write->new_value) {
        return;
    }
    pci_bridge_update_windows(func);
    if (func->ops->bridge_control) {
        func->ops->bridge_control(func, control, control);
    }
}

static void control_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct pci_func *func = func_of_space(space);

    (void)offset;
    if (func->ops->bridge_control) {
        func->ops->bridge_control(func, (uint16_t)write->old_value, (uint16_t)write->new_value);
    }
}

/* clang-format off */
static const struct reg_def bridge_rows[] = {
    {.name = "primary_bus_number", .clause = "PCIe 6.0 7.5.1.3.2", .offset = PCI_PRIMARY_BUS,
     .width = 1, .rw = 0xff, .on_write = windows_written},
    {.name = "secondary_bus_number", .clause = "PCIe 6.0 7.5.1.3.3", .offset = PCI_SECONDARY_BUS,
     .width = 1, .rw = 0xff, .on_write = windows_written},
    {.name = "subordinate_bus_number", .clause = "PCIe 6.0 7.5.1.3.4",
     .offset = PCI_SUBORDINATE_BUS, .width = 1, .rw = 0xff, .on_write = windows_written},
    {.name = "secondary_latency_timer", .clause = "PCIe 6.0 7.5.1.3.5",
     .offset = PCI_SECONDARY_LATENCY, .width = 1},
    {.name = "io_base", .clause = "PCIe 6.0 7.5.1.3.6", .offset = PCI_IO_BASE, .width = 1,
     .reset = IO_ADDRESS | IO_32BIT, .rw = IO_ADDRESS, .on_write = windows_written},
    {.name = "io_limit", .clause = "PCIe 6.0 7.5.1.3.6", .offset = PCI_IO_LIMIT, .width = 1,
     .reset = IO_32BIT, .rw = IO_ADDRESS, .on_write = windows_written},
    {.name = "secondary_status", .clause = "PCIe 6.0 7.5.1.3.7", .offset = PCI_SECONDARY_STATUS,
     .width = 2, .rw1c = PCI_STATUS_RW1C},
    {.name = "memory_base", .clause = "PCIe 6.0 7.5.1.3.8", .offset = PCI_MEM_BASE, .width = 2,
     .reset = MEM_ADDRESS, .rw = MEM_ADDRESS, .on_write = windows_written},
    {.name = "memory_limit", .clause = "PCIe 6.0 7.5.1.3.8", .offset = PCI_MEM_LIMIT, .width = 2,
     .rw = MEM_ADDRESS, .on_write = windows_written},
    {.name = "prefetchable_base", .clause = "PCIe 6.0 7.5.1.3.9", .offset = PCI_PREF_BASE,
     .width = 2, .reset = MEM_ADDRESS | PREF_64BIT, .rw = MEM_ADDRESS,
     .on_write = windows_written},
    {.name = "prefetchable_limit", .clause = "PCIe 6.0 7.5.1.3.9", .offset = PCI_PREF_LIMIT,
     .width = 2, .reset = PREF_64BIT, .rw = MEM_ADDRESS, .on_write = windows_written},
    {.name = "prefetchable_base_upper", .clause = "PCIe 6.0 7.5.1.3.10",
     .offset = PCI_PREF_BASE_UPPER, .width = 4, .rw = 0xffffffff, .on_write = windows_written},
    {.name = "prefetchable_limit_upper", .clause = "PCIe 6.0 7.5.1.3.10",
     .offset = PCI_PREF_LIMIT_UPPER, .width = 4, .rw = 0xffffffff, .on_write = windows_written},
    {.name = "io_base_upper", .clause = "PCIe 6.0 7.5.1.3.11", .offset = PCI_IO_BASE_UPPER,
     .width = 2, .rw = 0xffff, .on_write = windows_written},
    {.name = "io_limit_upper", .clause = "PCIe 6.0 7.5.1.3.11", .offset = PCI_IO_LIMIT_UPPER,
     .width = 2, .rw = 0xffff, .on_write = windows_written},
    {.name = "bridge_control", .clause = "PCIe 6.0 7.5.1.3.13", .offset = PCI_BRIDGE_CONTROL,
     .width = 2, .rw = PCI_BRIDGE_CONTROL_PARITY | PCI_BRIDGE_CONTROL_SERR |
     PCI_BRIDGE_CONTROL_ISA | PCI_BRIDGE_CONTROL_SECONDARY_RESET, .on_write = control_written},
};
/* clang-format on */

void pci_bridge_place_header(struct pci_func *func)
{
    reg_space_place(func->cfg, 0, bridge_rows, ARRAY_LEN(bridge_rows));
    reg_set_rw_mask(func->cfg, PCI_COMMAND,
                    reg_rw_mask(func->cfg, PCI_COMMAND) | PCI_COMMAND_IO | PCI_COMMAND_MEMORY);
    pci_bridge_update_windows(func);
}

void pci_bridge_update_windows(struct pci_func *func)
{
    const struct reg_space *cfg = func->cfg;
    struct pci_bridge_windows *w = &func->windows;

    w->primary = (uint8_t)reg_get(cfg, PCI_PRIMARY_BUS);
    w->secondary = (uint8_t)reg_get(cfg, PCI_SECONDARY_BUS);
    w->subordinate = (uint8_t)reg_get(cfg, PCI_SUBORDINATE_BUS);
    w->io_base = (reg_get(cfg, PCI_IO_BASE) & IO_ADDRESS) << 8 | reg_get(cfg, PCI_IO_BASE_UPPER)
                                                                     << 16;
    w->io_limit = (reg_get(cfg, PCI_IO_LIMIT) & IO_ADDRESS) << 8 |
                  reg_get(cfg, PCI_IO_LIMIT_UPPER) << 16 | IO_LOW_BITS;
    w->mem_base = (reg_get(cfg, PCI_MEM_BASE) & MEM_ADDRESS) << 16;
    w->mem_limit = (reg_get(cfg, PCI_MEM_LIMIT) & MEM_ADDRESS) << 16 | MEM_LOW_BITS;
    w->pref_base =
        (reg_get(cfg, PCI_PREF_BASE) & MEM_ADDRESS) << 16 | reg_get(cfg, PCI_PREF_BASE_UPPER) << 32;
    w->pref_limit = (reg_get(cfg, PCI_PREF_LIMIT) & MEM_ADDRESS) << 16 |
                    reg_get(cfg, PCI_PREF_LIMIT_UPPER) << 32 | MEM_LOW_BITS;
}

void pci_bridge_note_secondary_status(struct pci_func *func, uint16_t bits)
{
    reg_update(func->cfg, PCI_SECONDARY_STATUS, PCI_STATUS_RW1C,
               reg_get(func->cfg, PCI_SECONDARY_STATUS) | bits);
}

bool pci_bridge_claims_mem(const struct pci_func *func, uint64_t addr)
{
    const struct pci_bridge_windows *w = &func->windows;

    return (addr >= w->mem_base &&
            (addr <= w->mem_limit || (addr - w->mem_limit <= MEM_LOW_BITS &&
                                      flaw_on(func->flaws, FLAW_BRIDGE_WINDOW_LIMIT)))) ||
           (addr >= w->pref_base && addr <= w->pref_limit &&
            !flaw_on(func->flaws, FLAW_BRIDGE_PREFETCHABLE));
}

bool pci_bridge_claims_io(const struct pci_func *func, uint64_t addr)
{
    const struct pci_bridge_windows *w = &func->windows;

    if (addr < w->io_base || addr > w->io_limit) {
        return false;
    }
    /* ISA Enable: of each KiB of the first 64 only the first 256 bytes are forwarded. */
    if (reg_get(func->cfg, PCI_BRIDGE_CONTROL) & PCI_BRIDGE_CONTROL_ISA &&
        !flaw_on(func->flaws, FLAW_BRIDGE_ISA)) {
        return addr >= 0x10000 || (addr & 0x300) == 0;
    }
    return true;
}

bool pci_bridge_claims_bus(const struct pci_func *func, unsigned bus)
{
    const struct pci_bridge_windows *w = &func->windows;

    /* Secondary bus 0 is a bridge that nobody has configured yet. */
    return w->secondary && bus >= w->secondary &&
           (bus <= w->subordinate || flaw_on(func->flaws, FLAW_BRIDGE_SUBORDINATE));
}
