/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * MSI-X (PCIe Base 6.0, 7.7.2, 6.1.4): the capability, and the vector table and Pending Bit Array
 * in memory of the device. What may not be sent now - masked by vector or function, Bus Master
 * Enable clear, not in D0 - is pending and sent when it may.
 */
#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/pci/config.h"

#include <assert.h>
#include <glib.h>

static void control_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct pci_func *func = func_of_space(space);

    (void)offset;
    if (write->old_value == write->new_value) {
        return;
    }
    if (!(write->new_value & PCI_MSIX_CONTROL_ENABLE)) {
        /* CHOICE: what waited is not sent by a later owner's enable. */
        memset(func->msix_pba, 0, (func->msix_count + 63u) / 64 * 8);
    }
    pci_func_rules_changed(func);
}

/* clang-format off */
static const struct reg_def msix_rows[] = {
    {.name = "msix_message_control", .clause = "PCIe 6.0 7.7.2.2", .offset = PCI_MSIX_CONTROL,
     .width = 2, .rw = PCI_MSIX_CONTROL_MASK | PCI_MSIX_CONTROL_ENABLE,
     .on_write = control_written},
    {.name = "msix_table_offset", .clause = "PCIe 6.0 7.7.2.3", .offset = PCI_MSIX_TABLE,
     .width = 4},
    {.name = "msix_pba_offset", .clause = "PCIe 6.0 7.7.2.4", .offset = PCI_MSIX_PBA, .width = 4},
};
/* clang-format on */

static unsigned table_bytes(const struct pci_func *func)
{
    return func->msix_count * (unsigned)PCI_MSIX_ENTRY_BYTES;
}

static unsigned pba_bytes(const struct pci_func *func)
{
    return (func->msix_count + 63u) / 64 * 8;
}

void pci_cap_msix_add(struct pci_func *func, unsigned vectors, unsigned bar, uint32_t table_offset,
                      uint32_t pba_offset)
{
    unsigned offset;

    assert(vectors >= 1 && vectors <= 2048 && bar < PCI_BAR_COUNT);
    assert(table_offset % 8 == 0 && pba_offset % 8 == 0);
    assert(func->bar[bar].kind >= PCI_BAR_MEM32 && "the BAR is there and is memory");
    func->msix_count = (uint16_t)vectors;
    func->msix_bar = (uint8_t)bar;
    func->msix_table_offset = table_offset;
    func->msix_pba_offset = pba_offset;
    assert(range_inside(table_offset, table_bytes(func), 0, func->bar[bar].size));
    assert(range_inside(pba_offset, pba_bytes(func), 0, func->bar[bar].size));
    assert(table_offset + table_bytes(func) <= pba_offset ||
           pba_offset + pba_bytes(func) <= table_offset);
    func->msix_table = g_malloc0(table_bytes(func));
    func->msix_pba = g_malloc0(pba_bytes(func));
    offset = pci_func_place_cap(func, PCI_CAP_MSIX, msix_rows, ARRAY_LEN(msix_rows), 12);
    func->cap_msix = (uint16_t)offset;
    reg_hwinit(func->cfg, offset + PCI_MSIX_CONTROL, vectors - 1);
    reg_hwinit(func->cfg, offset + PCI_MSIX_TABLE, table_offset | bar);
    reg_hwinit(func->cfg, offset + PCI_MSIX_PBA, pba_offset | bar);
    pci_msix_reset(func);
}

void pci_msix_set_vectors(struct pci_func *func, unsigned vectors)
{
    assert(vectors >= 1 && func->cap_msix);
    for (unsigned i = func->msix_count; i < vectors; i++) {
        uint8_t *entry = func->msix_table + i * PCI_MSIX_ENTRY_BYTES;

        memset(entry, 0, PCI_MSIX_ENTRY_BYTES);
        entry[PCI_MSIX_ENTRY_CONTROL] = PCI_MSIX_ENTRY_MASKED;
        func->msix_pba[i / 64] &= ~BIT(i % 64);
    }
    func->msix_count = (uint16_t)vectors;
    reg_hwinit(func->cfg, func->cap_msix + PCI_MSIX_CONTROL, vectors - 1);
}

void pci_msix_reset(struct pci_func *func)
{
    if (!func->cap_msix) {
        return;
    }
    memset(func->msix_table, 0, table_bytes(func));
    memset(func->msix_pba, 0, pba_bytes(func));
    for (unsigned i = 0; i < func->msix_count; i++) {
        func->msix_table[i * PCI_MSIX_ENTRY_BYTES + PCI_MSIX_ENTRY_CONTROL] = PCI_MSIX_ENTRY_MASKED;
    }
}

static uint64_t msix_control(const struct pci_func *func)
{
    return reg_get(func->cfg, func->cap_msix + PCI_MSIX_CONTROL);
}

bool pci_msix_enabled(const struct pci_func *func)
{
    return func->cap_msix && (msix_control(func) & PCI_MSIX_CONTROL_ENABLE);
}

static const uint8_t *msix_entry(const struct pci_func *func, unsigned vector)
{
    return func->msix_table + vector * PCI_MSIX_ENTRY_BYTES;
}

static bool msix_may_send(const struct pci_func *func, unsigned vector)
{
    return (!(msix_control(func) & PCI_MSIX_CONTROL_MASK) ||
            flaw_on(func->flaws, FLAW_MSIX_FUNCTION_MASK)) &&
           pci_func_bus_master(func) &&
           (!(msix_entry(func, vector)[PCI_MSIX_ENTRY_CONTROL] & PCI_MSIX_ENTRY_MASKED) ||
            flaw_on(func->flaws, FLAW_MSIX_MASK));
}

static void msix_send(struct pci_func *func, unsigned vector)
{
    const uint8_t *entry = msix_entry(func, vector);

    if (func->ops->send_msi) {
        func->ops->send_msi(func, le64_load(entry), le32_load(entry + PCI_MSIX_ENTRY_DATA));
    }
}

static void msix_fire_if_pending(struct pci_func *func, unsigned vector)
{
    uint64_t *word = &func->msix_pba[vector / 64];

    if ((*word & BIT(vector % 64)) && msix_may_send(func, vector) &&
        !flaw_on(func->flaws, FLAW_MSIX_UNMASK)) {
        if (!flaw_on(func->flaws, FLAW_MSIX_PENDING_STAYS))
            *word &= ~BIT(vector % 64);
        msix_send(func, vector);
    }
}

void pci_msix_raise(struct pci_func *func, unsigned vector)
{
    if (vector >= func->msix_count) {
        return;
    }
    if (msix_may_send(func, vector)) {
        msix_send(func, vector);
    } else if (!flaw_on(func->flaws, FLAW_MSIX_PENDING)) {
        func->msix_pba[vector / 64] |= BIT(vector % 64);
    }
}

void pci_msix_flush(struct pci_func *func)
{
    if (!pci_msix_enabled(func)) {
        return;
    }
    for (unsigned word = 0; word < pba_bytes(func) / 8; word++) {
        uint64_t waiting = func->msix_pba[word];

        while (waiting) {
            unsigned vector = word * 64 + (unsigned)__builtin_ctzll(waiting);

            waiting &= waiting - 1;
            msix_fire_if_pending(func, vector);
        }
    }
}

/* The part of [offset, offset + len) inside [start, start + size); false when there is none. */
static bool overlap(uint64_t offset, unsigned len, uint64_t start, unsigned size, uint64_t *from,
                    uint64_t *to)
{
    *from = MAX(offset, start);
    *to = MIN(offset + len, start + size);
    return *from < *to;
}

bool pci_msix_bar_read(struct pci_func *func, unsigned bar, uint64_t offset, void *data,
                       unsigned len)
{
    uint64_t table = func->msix_table_offset, pba = func->msix_pba_offset, from, to;
    bool in_table, in_pba;
    uint8_t *out = data;

    if (!func->cap_msix || bar != func->msix_bar) {
        return false;
    }
    in_pba = overlap(offset, len, pba, pba_bytes(func), &from, &to);
    in_table = overlap(offset, len, table, table_bytes(func), &from, &to);
    if (!in_table && !in_pba) {
        return false;
    }
    memset(out, 0, len);
    if (in_table) {
        memcpy(out + (from - offset), func->msix_table + (from - table), to - from);
    }
    if (in_pba) {
        overlap(offset, len, pba, pba_bytes(func), &from, &to);
        for (uint64_t i = from; i < to; i++) {
            out[i - offset] = (uint8_t)(func->msix_pba[(i - pba) / 8] >> (i - pba) % 8 * 8);
        }
    }
    return true;
}

/* 7.7.2.5, 7.7.2.8: the address is that of a doubleword; of Vector Control only the mask exists. */
static void msix_store(struct pci_func *func, unsigned at, uint8_t value)
{
    switch (at % PCI_MSIX_ENTRY_BYTES) {
    case 0: value &= 0xfc; break;
    case PCI_MSIX_ENTRY_CONTROL: value &= PCI_MSIX_ENTRY_MASKED; break;
    case PCI_MSIX_ENTRY_CONTROL + 1:
    case PCI_MSIX_ENTRY_CONTROL + 2:
    case PCI_MSIX_ENTRY_CONTROL + 3: return;
    default: break;
    }
    func->msix_table[at] = value;
}

bool pci_msix_bar_write(struct pci_func *func, unsigned bar, uint64_t offset, const void *data,
                        unsigned len)
{
    uint64_t table = func->msix_table_offset, pba = func->msix_pba_offset, from, to;
    const uint8_t *in = data;

    if (!func->cap_msix || bar != func->msix_bar) {
        return false;
    }
    if (!overlap(offset, len, table, table_bytes(func), &from, &to)) {
        /* 7.7.2.9: software does not write Pending Bits; it has no effect. */
        return overlap(offset, len, pba, pba_bytes(func), &from, &to);
    }
    for (uint64_t i = from; i < to; i++) {
        msix_store(func, (unsigned)(i - table), in[i - offset]);
    }
    if (pci_msix_enabled(func)) {
        for (unsigned v = (unsigned)((from - table) / PCI_MSIX_ENTRY_BYTES);
             v <= (to - 1 - table) / PCI_MSIX_ENTRY_BYTES; v++) {
            msix_fire_if_pending(func, v);
        }
    }
    return true;
}
