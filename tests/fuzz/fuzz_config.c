/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration space under arbitrary writes: a function of any type with any mix of BARs and
 * capabilities, driven by the input. Whatever software writes, read-only bits stay, registers that
 * were not addressed stay, reads repeat, decoding agrees with the registers, and interrupts are
 * sent only where they may be.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/function.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define MAX_ROWS  256
#define BAR_BYTES 0x10000
#define TABLE     0x1000
#define PBA       0xa000

struct input {
    const uint8_t *data;
    size_t left;
};

struct snapshot {
    unsigned count;
    struct {
        const struct reg_def *def;
        unsigned offset;
        uint64_t value;
    } row[MAX_ROWS];
};

struct subject {
    struct pci_func *func;
    unsigned flrs;
    bool intx;
};

/* Bytes of the input; zeros behind its end. */
static uint32_t take(struct input *in, unsigned bytes)
{
    uint32_t v = 0;

    for (unsigned i = 0; i < bytes && in->left; i++, in->left--)
        v |= (uint32_t)*in->data++ << 8 * i;
    return v;
}

static void on_flr(struct pci_func *func)
{
    ((struct subject *)func->owner)->flrs++;
}

static void on_msi(struct pci_func *func, uint64_t addr, uint32_t data)
{
    g_assert(pci_func_msi_enabled(func));
    g_assert(pci_func_bus_master(func) && pci_func_power_state(func) == 0);
    g_assert((addr & 3) == 0);
}

static void on_intx(struct pci_func *func, bool level)
{
    struct subject *s = func->owner;

    g_assert(s->intx != level && "only changes are told");
    s->intx = level;
}

static const struct pci_func_ops ops = {.flr = on_flr, .send_msi = on_msi, .intx = on_intx};

static void add_bars(struct pci_func *func, struct input *in)
{
    uint32_t kinds = take(in, 2), sizes = take(in, 2);

    pci_func_set_bar(func, 0, PCI_BAR_MEM32, BAR_BYTES);
    if (func->header == PCI_HEADER_TYPE1)
        return;
    if (kinds & 1)
        pci_func_set_bar(func, 1, PCI_BAR_IO, 4u << (sizes & 3));
    if (kinds & 2)
        pci_func_set_bar(func, 2, kinds & 4 ? PCI_BAR_MEM64 : PCI_BAR_MEM64_PREF,
                         128ULL << (sizes >> 2 & 63) % 57);
    if (kinds & 8)
        pci_func_set_bar(func, 4, PCI_BAR_MEM32, 128ULL << (sizes >> 8 & 31) % 25);
    if (kinds & 16)
        pci_func_set_bar(func, PCI_ROM_BAR, PCI_BAR_MEM32, 0x800ULL << (sizes >> 13));
}

static struct pci_func *build(struct subject *s, struct input *in)
{
    static const enum pcie_port_type types[] = {
        PCIE_ENDPOINT,      PCIE_LEGACY_ENDPOINT, PCIE_ROOT_PORT,
        PCIE_UPSTREAM_PORT, PCIE_DOWNSTREAM_PORT, PCIE_RC_INTEGRATED_ENDPOINT,
    };
    const struct pci_ids ids = {.vendor = 0x1234, .device = 1, .class_code = 0xff0000};
    enum pcie_port_type type = types[take(in, 1) % ARRAY_LEN(types)];
    bool bridge = type >= PCIE_ROOT_PORT && type <= PCIE_DOWNSTREAM_PORT;
    uint32_t flags = take(in, 4);
    const struct pci_msi_params msi = {.vectors = 1u << (flags & 7) % 6, .maskable = flags & 8};
    const struct pcie_params pcie = {
        .type = type,
        .max_speed = (uint8_t)(1 + (flags >> 4 & 7) % 5),
        .max_width = (uint8_t)(1u << (flags >> 7 & 7) % 5),
        .max_payload_bytes = (uint16_t)(128u << (flags >> 10 & 7) % 6),
        .slot = flags >> 13 & 1,
        .slot_number = (uint16_t)(flags >> 14 & 0xff),
        .slot_power_watts = (uint8_t)(flags >> 16),
        .ari_forwarding = flags >> 24 & 1,
        .flr = flags >> 25 & 1,
        .ten_bit_tags = flags >> 26 & 1,
    };
    struct pci_func *func =
        pci_func_new("fuzz", bridge ? PCI_HEADER_TYPE1 : PCI_HEADER_TYPE0, &ids, &ops, s);

    add_bars(func, in);
    pci_func_set_interrupt_pin(func, flags >> 27 & 3);
    pci_cap_pm_add(func);
    if (flags & 1u << 29)
        pci_cap_msi_add(func, &msi);
    if (flags & 1u << 30)
        pci_cap_msix_add(func, 1 + take(in, 2) % 2048, 0, TABLE, PBA);
    pci_cap_pcie_add(func, &pcie);
    pci_cap_ssvid_add(func, 1, 2);
    pci_cap_dsn_add(func, 0x0123456789abcdefULL);
    pci_cap_ari_add(func, 0);
    return func;
}

static void remember_row(void *opaque, const struct reg_def *def, unsigned offset, uint64_t value)
{
    struct snapshot *shot = opaque;

    g_assert(shot->count < MAX_ROWS);
    shot->row[shot->count].def = def;
    shot->row[shot->count].offset = offset;
    shot->row[shot->count++].value = value;
}

/* Bits that a write elsewhere, or a write of something else, may rightly change. */
static uint64_t may_follow(const struct pci_func *func, unsigned offset)
{
    if (offset == PCI_STATUS)
        return PCI_STATUS_INTERRUPT;
    if (offset == func->cap_pcie + (unsigned)PCIE_LNKSTA)
        return PCIE_LNKSTA_BANDWIDTH;
    if (offset == func->cap_pcie + (unsigned)PCIE_ROOTSTA)
        return PCIE_ROOTSTA_REQUESTER | PCIE_ROOTSTA_PME | PCIE_ROOTSTA_PENDING;
    return 0;
}

static void check_write(struct subject *s, const struct snapshot *before, unsigned offset,
                        unsigned len, bool reset)
{
    static struct snapshot after;
    const struct pci_func *func = s->func;

    after.count = 0;
    reg_space_visit(func->cfg, remember_row, &after);
    g_assert(after.count == before->count);
    for (unsigned i = 0; i < after.count; i++) {
        const struct reg_def *d = after.row[i].def;
        unsigned at = after.row[i].offset;
        uint64_t changed = before->row[i].value ^ after.row[i].value;
        uint64_t allowed = may_follow(func, at);

        if (reset)
            continue;
        if (at < offset + len && at + d->width > offset)
            allowed |= reg_rw_mask(func->cfg, at) | d->rw1c | d->rw1s;
        g_assert(!(changed & ~allowed));
    }
}

static void check_decode(const struct pci_func *func)
{
    for (unsigned i = 0; i <= PCI_ROM_BAR; i++) {
        const struct pci_bar *bar = &func->bar[i];
        bool io = bar->kind == PCI_BAR_IO;

        if (bar->kind == PCI_BAR_NONE || !bar->mapped)
            continue;
        g_assert((bar->addr & (bar->size - 1)) == 0);
        g_assert(io ? pci_func_io_enabled(func) : pci_func_memory_enabled(func));
        g_assert(pci_func_find_bar(func, io, bar->addr, 1) >= 0);
        g_assert(pci_func_find_bar(func, io, bar->addr + bar->size - 1, 1) >= 0);
    }
    if (func->header == PCI_HEADER_TYPE1) {
        const struct pci_bridge_windows *w = &func->windows;

        if (w->mem_base <= w->mem_limit)
            g_assert(pci_bridge_claims_mem(func, w->mem_limit));
        if (w->pref_base <= w->pref_limit)
            g_assert(pci_bridge_claims_mem(func, w->pref_base));
        g_assert(pci_bridge_claims_bus(func, w->secondary) ==
                 (w->secondary && w->secondary <= w->subordinate));
    }
    g_assert(pcie_max_payload_bytes(func) <= 4096 && pcie_max_read_request_bytes(func) <= 4096);
    g_assert(pcie_target_speed(func) <= 5);
}

static void check_reads(struct pci_func *func, unsigned offset)
{
    uint32_t whole, bytes = 0;

    offset &= ~3u;
    whole = pci_func_config_read(func, offset, 4);
    for (unsigned i = 0; i < 4; i++)
        bytes |= pci_func_config_read(func, offset + i, 1) << 8 * i;
    g_assert(whole == bytes);
    g_assert(whole == (pci_func_config_read(func, offset, 2) |
                       pci_func_config_read(func, offset + 2, 2) << 16));
}

static void config_write(struct subject *s, struct input *in)
{
    static struct snapshot before;
    uint32_t where = take(in, 2), value = take(in, 4);
    unsigned offset = where & 0xfff, len = 1 + (where >> 12 & 3), flrs = s->flrs;

    /* Most of what is interesting lies in the first 256 bytes. */
    offset = where & 0x8000 ? offset & 0xff : offset;
    len = MIN(len, 4 - (offset & 3));
    before.count = 0;
    reg_space_visit(s->func->cfg, remember_row, &before);
    pci_func_config_write(s->func, offset, len, value);
    check_write(s, &before, offset, len, s->flrs != flrs);
    check_reads(s->func, offset);
}

static void table_access(struct subject *s, struct input *in)
{
    uint8_t data[64];
    uint32_t where = take(in, 3);
    unsigned offset = where & 0xffff, len = 1 + (where >> 16) % sizeof(data);

    memset(data, (int)take(in, 1), sizeof(data));
    pci_msix_bar_write(s->func, 0, offset, data, len);
    pci_msix_bar_read(s->func, 0, offset, data, len);
}

static void model_event(struct subject *s, unsigned kind, struct input *in)
{
    uint32_t arg = take(in, 2);

    switch (kind) {
    case 0: pci_func_msi_raise(s->func, arg); break;
    case 1: pci_func_set_intx(s->func, arg & 1); break;
    case 2: pcie_set_link(s->func, 1 + arg % 5, 1 + (arg >> 8) % 32, arg >> 15); break;
    case 3: pcie_set_presence(s->func, arg & 1); break;
    case 4: pcie_root_pme(s->func, (struct pci_rid){(uint16_t)arg}); break;
    case 5: pcie_note_device_status(s->func, (uint16_t)arg); break;
    case 6: pci_func_note_status(s->func, (uint16_t)arg); break;
    default:
        pci_func_reset(s->func, arg & 1 ? REG_RESET_WARM : REG_RESET_COLD);
        s->intx = false; /* the port took it back */
        break;
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct input in = {.data = data, .left = size};
    struct subject s = {.flrs = 0};
    uint32_t id;

    s.func = build(&s, &in);
    id = pci_func_config_read(s.func, PCI_VENDOR_ID, 4);
    for (unsigned steps = 0; in.left && steps < 4096; steps++) {
        unsigned op = take(&in, 1);

        if (op < 0xc0)
            config_write(&s, &in);
        else if (op < 0xd8)
            table_access(&s, &in);
        else
            model_event(&s, op & 7, &in);
        check_decode(s.func);
        g_assert(s.func->intx_sent == s.intx);
    }
    g_assert(pci_func_config_read(s.func, PCI_VENDOR_ID, 4) == id);
    pci_func_free(s.func);
    return 0;
}
