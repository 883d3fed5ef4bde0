/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Base Address registers and the expansion ROM's (PCIe Base 6.0, 7.5.1.2.1, 7.5.1.2.4). What they
 * decode is worked out when Command, the power state or a BAR changes, so that a TLP's lookup is a
 * few comparisons.
 */
#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "sriov.h"

#include <assert.h>

#define BAR_IO_SPACE     0x1u
#define BAR_MEM_64BIT    0x4u
#define BAR_MEM_PREFETCH 0x8u
#define BAR_MEM_FLAGS    0xfu
#define BAR_IO_FLAGS     0x3u
#define ROM_ADDRESS      0xfffff800u

static void bar_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    (void)offset;
    if (write->old_value != write->new_value) {
        pci_bars_update(func_of_space(space));
    }
}

#define BAR_ROW(n)                                                                                 \
    {                                                                                              \
        .name = "bar" #n, .clause = "PCIe 6.0 7.5.1.2.1", .offset = PCI_BAR(n), .width = 4,        \
        .on_write = bar_written,                                                                   \
    }

static const struct reg_def bar_rows[PCI_BAR_COUNT] = {
    BAR_ROW(0), BAR_ROW(1), BAR_ROW(2), BAR_ROW(3), BAR_ROW(4), BAR_ROW(5),
};

/* By header type. */
static const struct reg_def rom_rows[2] = {
    {.name = "expansion_rom_base",
     .clause = "PCIe 6.0 7.5.1.2.4",
     .offset = PCI_ROM,
     .width = 4,
     .on_write = bar_written},
    {.name = "expansion_rom_base",
     .clause = "PCIe 6.0 7.5.1.3.12",
     .offset = PCI_BRIDGE_ROM,
     .width = 4,
     .on_write = bar_written},
};

static bool bar_is_64bit(const struct pci_bar *bar)
{
    return bar->kind == PCI_BAR_MEM64 || bar->kind == PCI_BAR_MEM64_PREF;
}

static void command_allow(struct pci_func *func, uint16_t bit)
{
    reg_set_rw_mask(func->cfg, PCI_COMMAND, reg_rw_mask(func->cfg, PCI_COMMAND) | bit);
}

static void rom_place(struct pci_func *func, uint64_t size)
{
    const struct reg_def *row = &rom_rows[func->header];

    assert(size >= 0x800 && size <= 1u << 24);
    reg_space_place(func->cfg, 0, row, 1);
    reg_set_rw_mask(func->cfg, row->offset,
                    (ROM_ADDRESS & (uint32_t) ~(size - 1)) | PCI_ROM_ENABLE);
    command_allow(func, PCI_COMMAND_MEMORY);
}

void pci_func_set_bar(struct pci_func *func, unsigned bar, enum pci_bar_kind kind, uint64_t size)
{
    bool wide = kind == PCI_BAR_MEM64 || kind == PCI_BAR_MEM64_PREF;
    unsigned count = func->header == PCI_HEADER_TYPE0 ? PCI_BAR_COUNT : 2;
    uint64_t mask = ~(size - 1);

    assert(kind != PCI_BAR_NONE && is_power_of_2(size));
    assert(bar == PCI_ROM_BAR || bar + wide < count);
    assert(func->bar[bar].kind == PCI_BAR_NONE);
    func->bar[bar] = (struct pci_bar){.kind = kind, .size = size};
    if (bar == PCI_ROM_BAR) {
        assert(kind == PCI_BAR_MEM32);
        rom_place(func, size);
        return;
    }
    reg_space_place(func->cfg, 0, &bar_rows[bar], 1);
    if (kind == PCI_BAR_IO) {
        assert(size >= 4 && size <= 256); /* 7.5.1.2.1: at most 256 bytes of I/O a BAR */
        reg_hwinit(func->cfg, PCI_BAR(bar), BAR_IO_SPACE);
        reg_set_rw_mask(func->cfg, PCI_BAR(bar), (uint32_t)mask & ~BAR_IO_FLAGS);
        command_allow(func, PCI_COMMAND_IO);
        return;
    }
    assert(size >= 128 && (wide || size <= 1u << 31));
    command_allow(func, PCI_COMMAND_MEMORY);
    reg_hwinit(func->cfg, PCI_BAR(bar),
               (wide ? BAR_MEM_64BIT : 0) | (kind == PCI_BAR_MEM64_PREF ? BAR_MEM_PREFETCH : 0));
    reg_set_rw_mask(func->cfg, PCI_BAR(bar), (uint32_t)mask & ~BAR_MEM_FLAGS);
    if (wide) {
        assert(func->bar[bar + 1].kind == PCI_BAR_NONE && !reg_has(func->cfg, PCI_BAR(bar + 1)));
        reg_space_place(func->cfg, 0, &bar_rows[bar + 1], 1);
        reg_set_rw_mask(func->cfg, PCI_BAR(bar + 1), mask >> 32);
    }
}

static void bar_moved(struct pci_func *func, unsigned index, bool mapped, uint64_t addr)
{
    struct pci_bar *bar = &func->bar[index];

    if (mapped != bar->mapped || addr != bar->addr) {
        bool tell = mapped || bar->mapped;

        bar->mapped = mapped;
        bar->addr = addr;
        if (tell && func->ops->bar_changed) {
            func->ops->bar_changed(func, index);
        }
    }
}

static void bar_update(struct pci_func *func, unsigned index)
{
    struct pci_bar *bar = &func->bar[index];
    uint64_t addr, ones;
    bool mapped;

    if (func->pf) {
        struct pci_bar now = *bar;

        pci_vf_bar(func, index, &now);
        bar_moved(func, index, now.mapped, now.addr);
        return;
    }
    if (index == PCI_ROM_BAR) {
        uint64_t rom = reg_get(func->cfg, rom_rows[func->header].offset);

        addr = rom & ROM_ADDRESS;
        ones = (uint32_t) ~(bar->size - 1);
        mapped = pci_func_memory_enabled(func) && (rom & PCI_ROM_ENABLE);
    } else if (bar->kind == PCI_BAR_IO) {
        addr = reg_get(func->cfg, PCI_BAR(index)) & ~(uint64_t)BAR_IO_FLAGS;
        ones = (uint32_t) ~(bar->size - 1);
        mapped = pci_func_io_enabled(func);
    } else {
        addr = reg_get(func->cfg, PCI_BAR(index)) & ~(uint64_t)BAR_MEM_FLAGS;
        ones = (uint32_t) ~(bar->size - 1);
        if (bar_is_64bit(bar)) {
            addr |= reg_get(func->cfg, PCI_BAR(index + 1)) << 32;
            ones = ~(bar->size - 1);
        }
        mapped = pci_func_memory_enabled(func) || flaw_on(func->flaws, FLAW_MEMORY_ENABLE);
    }
    /* CHOICE: a BAR that holds all ones is being sized and decodes nothing, whatever Command says;
     * one that holds 0 does decode. */
    bar_moved(func, index, mapped && addr != ones, addr);
}
void pci_bars_update(struct pci_func *func)
{
    for (unsigned i = 0; i <= PCI_ROM_BAR; i++) {
        if (func->bar[i].kind != PCI_BAR_NONE) {
            bar_update(func, i);
        }
    }
}

int pci_func_find_bar(const struct pci_func *func, bool io, uint64_t addr, unsigned len)
{
    len = len ? len : 1; /* a zero-length access still needs a target */
    for (unsigned i = 0; i <= PCI_ROM_BAR; i++) {
        const struct pci_bar *bar = &func->bar[i];

        if (bar->mapped && (bar->kind == PCI_BAR_IO) == io &&
            range_inside(addr, len, bar->addr, bar->size)) {
            return (int)i;
        }
    }
    return -1;
}
