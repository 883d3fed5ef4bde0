/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The registers of a shell's function: values from the dump, masks from what the header and the
 * capabilities are known to be (PCIe Base 6.0, chapter 7; PCI Local Bus 3.0, chapter 6; PCI-to-PCI
 * Bridge 1.2, 3.2). What is not known is read-only.
 */
#include <glib.h>
#include <string.h>

#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/pci/config.h"
#include "shell.h"

#define R(at, bytes, what, where) .name = what, .clause = where, .offset = at, .width = bytes

/* Bits that only a fundamental reset takes back. */
#define KEPT(kind, mask) .kind = mask, .sticky = mask

#define COMMAND_RW  0x0547
#define STATUS_RW1C 0xf900
#define SLTSTA_DONE 0x0010 /* Command Completed */
#define BAR_ROW(n)                                                                                 \
    {                                                                                              \
        R(0x10 + 4 * (n), 4, "bar" #n, "PCIe 6.0 7.5.1.2.1")                                       \
    }
#define CARDBUS_WINDOW(at)                                                                         \
    {                                                                                              \
        R(at, 4, "window", "PC Card 8.0 4.5.2"), .rw = 0xfffffffc                                  \
    }

/* clang-format off */
static const struct reg_def common_rows[] = {
    {R(0x00, 2, "vendor_id", "PCIe 6.0 7.5.1.1.1")},
    {R(0x02, 2, "device_id", "PCIe 6.0 7.5.1.1.2")},
    {R(0x04, 2, "command", "PCIe 6.0 7.5.1.1.3"), .rw = COMMAND_RW},
    {R(0x06, 2, "status", "PCIe 6.0 7.5.1.1.4"), .rw1c = STATUS_RW1C},
    {R(0x08, 4, "revision_id_class_code", "PCIe 6.0 7.5.1.1.5")},
    {R(0x0c, 1, "cache_line_size", "PCIe 6.0 7.5.1.1.7"), .rw = 0xff},
    {R(0x0d, 1, "latency_timer", "PCIe 6.0 7.5.1.1.8")},
    {R(0x0e, 1, "header_type", "PCIe 6.0 7.5.1.1.9")},
    {R(0x0f, 1, "bist", "PCIe 6.0 7.5.1.1.10")},
};

static const struct reg_def type0_rows[] = {
    BAR_ROW(0), BAR_ROW(1), BAR_ROW(2), BAR_ROW(3), BAR_ROW(4), BAR_ROW(5),
    {R(0x30, 4, "expansion_rom_base", "PCIe 6.0 7.5.1.2.4")},
    {R(0x3c, 1, "interrupt_line", "PCIe 6.0 7.5.1.1.12"), .rw = 0xff},
};

static const struct reg_def bridge_rows[] = {
    BAR_ROW(0), BAR_ROW(1),
    {R(0x18, 1, "primary_bus_number", "PCIe 6.0 7.5.1.3.2"), .rw = 0xff},
    {R(0x19, 1, "secondary_bus_number", "PCIe 6.0 7.5.1.3.3"), .rw = 0xff},
    {R(0x1a, 1, "subordinate_bus_number", "PCIe 6.0 7.5.1.3.4"), .rw = 0xff},
    {R(0x1b, 1, "secondary_latency_timer", "PCIe 6.0 7.5.1.3.5")},
    {R(0x1c, 1, "io_base", "PCIe 6.0 7.5.1.3.6")},
    {R(0x1d, 1, "io_limit", "PCIe 6.0 7.5.1.3.6")},
    {R(0x1e, 2, "secondary_status", "PCIe 6.0 7.5.1.3.7"), .rw1c = STATUS_RW1C},
    {R(0x20, 2, "memory_base", "PCIe 6.0 7.5.1.3.8"), .rw = 0xfff0},
    {R(0x22, 2, "memory_limit", "PCIe 6.0 7.5.1.3.8"), .rw = 0xfff0},
    {R(0x24, 2, "prefetchable_base", "PCIe 6.0 7.5.1.3.9")},
    {R(0x26, 2, "prefetchable_limit", "PCIe 6.0 7.5.1.3.9")},
    {R(0x28, 4, "prefetchable_base_upper", "PCIe 6.0 7.5.1.3.10")},
    {R(0x2c, 4, "prefetchable_limit_upper", "PCIe 6.0 7.5.1.3.10")},
    {R(0x30, 2, "io_base_upper", "PCIe 6.0 7.5.1.3.11")},
    {R(0x32, 2, "io_limit_upper", "PCIe 6.0 7.5.1.3.11")},
    {R(0x38, 4, "expansion_rom_base", "PCIe 6.0 7.5.1.3.12")},
    {R(0x3c, 1, "interrupt_line", "PCIe 6.0 7.5.1.1.12"), .rw = 0xff},
    {R(0x3e, 2, "bridge_control", "PCIe 6.0 7.5.1.3.13"), .rw = 0x007f,
     .on_write = shell_bridge_control_written},
};

static const struct reg_def cardbus_rows[] = {
    BAR_ROW(0),
    {R(0x16, 2, "secondary_status", "PC Card 8.0 4.5.2"), .rw1c = STATUS_RW1C},
    {R(0x18, 4, "bus_numbers", "PC Card 8.0 4.5.2"), .rw = 0xffffffff},
    CARDBUS_WINDOW(0x1c), CARDBUS_WINDOW(0x20), CARDBUS_WINDOW(0x24), CARDBUS_WINDOW(0x28),
    CARDBUS_WINDOW(0x2c), CARDBUS_WINDOW(0x30), CARDBUS_WINDOW(0x34), CARDBUS_WINDOW(0x38),
    {R(0x3c, 1, "interrupt_line", "PC Card 8.0 4.5.2"), .rw = 0xff},
    {R(0x3e, 2, "bridge_control", "PC Card 8.0 4.5.2"), .rw = 0x07ff},
};

static const struct reg_def pm_rows[] = {
    {R(4, 2, "pmcsr", "PM 1.2 3.2.4"), .rw = 0x1f03, .rw1c = 0x8000, .sticky = 0x8100,
     .on_write = shell_power_written},
};
static const struct reg_def af_rows[] = {
    {R(4, 1, "af_control", "AF ECN, 2006"), .w1t = 0x01, .on_write = shell_af_control_written},
};
static const struct reg_def msi32_rows[] = {
    {R(2, 2, "message_control", "PCIe 6.0 7.7.1.2"), .rw = 0x0071},
    {R(4, 4, "message_address", "PCIe 6.0 7.7.1.3"), .rw = 0xfffffffc},
    {R(8, 2, "message_data", "PCIe 6.0 7.7.1.5"), .rw = 0xffff},
};
static const struct reg_def msi32_mask_rows[] = {
    {R(0x0c, 4, "mask_bits", "PCIe 6.0 7.7.1.7"), .rw = 0xffffffff},
};
static const struct reg_def msi64_rows[] = {
    {R(2, 2, "message_control", "PCIe 6.0 7.7.1.2"), .rw = 0x0071},
    {R(4, 4, "message_address", "PCIe 6.0 7.7.1.3"), .rw = 0xfffffffc},
    {R(8, 4, "message_upper_address", "PCIe 6.0 7.7.1.4"), .rw = 0xffffffff},
    {R(0x0c, 2, "message_data", "PCIe 6.0 7.7.1.5"), .rw = 0xffff},
};
static const struct reg_def msi64_mask_rows[] = {
    {R(0x10, 4, "mask_bits", "PCIe 6.0 7.7.1.7"), .rw = 0xffffffff},
};
static const struct reg_def msix_rows[] = {
    {R(2, 2, "message_control", "PCIe 6.0 7.7.2.2"), .rw = 0xc000},
};

/* Slots finish commands at once; Retrain Link reads as 0. */
static void slot_control_written(struct reg_space *space, unsigned offset,
                                 const struct reg_write *write)
{
    (void)write;
    reg_update(space, offset + 2, SLTSTA_DONE, SLTSTA_DONE);
}

static const struct reg_def pcie_rows[] = {
    {R(0x08, 2, "device_control", "PCIe 6.0 7.5.3.4"), .rw = 0x7fff, .w1t = 0x8000,
     .reset = 0x2810, .flr_keep = 0x00e0, .on_write = shell_device_control_written},
    {R(0x0a, 2, "device_status", "PCIe 6.0 7.5.3.5"), .rw1c = 0x000f},
};
static const struct reg_def pcie_link_rows[] = {
    {R(0x10, 2, "link_control", "PCIe 6.0 7.5.3.7"), .rw = 0x0fdb, .w1t = 0x0020,
     .flr_keep = 0x0fdb},
    {R(0x12, 2, "link_status", "PCIe 6.0 7.5.3.8"), .rw1c = 0xc000},
};
static const struct reg_def pcie_slot_rows[] = {
    {R(0x18, 2, "slot_control", "PCIe 6.0 7.5.3.10"), .rw = 0x1fff,
     .on_write = slot_control_written},
    {R(0x1a, 2, "slot_status", "PCIe 6.0 7.5.3.11"), .rw1c = 0x011f},
};
static const struct reg_def pcie_root_rows[] = {
    {R(0x1c, 2, "root_control", "PCIe 6.0 7.5.3.12"), .rw = 0x001f},
    {R(0x20, 4, "root_status", "PCIe 6.0 7.5.3.14"), .rw1c = 0x00010000},
};
static const struct reg_def pcie_2_rows[] = {
    {R(0x28, 2, "device_control_2", "PCIe 6.0 7.5.3.16"), .rw = 0x77ff},
};
static const struct reg_def pcie_link_2_rows[] = {
    {R(0x30, 2, "link_control_2", "PCIe 6.0 7.5.3.19"), .rw = 0xffff, .sticky = 0xffff},
};

static const struct reg_def aer_rows[] = {
    {R(0x04, 4, "uncorrectable_error_status", "PCIe 6.0 7.8.4.2"), KEPT(rw1c, 0xffffffff)},
    {R(0x08, 4, "uncorrectable_error_mask", "PCIe 6.0 7.8.4.3"), KEPT(rw, 0x07fff030)},
    {R(0x0c, 4, "uncorrectable_error_severity", "PCIe 6.0 7.8.4.4"), KEPT(rw, 0x07fff030)},
    {R(0x10, 4, "correctable_error_status", "PCIe 6.0 7.8.4.5"), KEPT(rw1c, 0x0000f1c1)},
    {R(0x14, 4, "correctable_error_mask", "PCIe 6.0 7.8.4.6"), KEPT(rw, 0x0000f1c1)},
    {R(0x18, 4, "capabilities_and_control", "PCIe 6.0 7.8.4.7"), KEPT(rw, 0x00000140)},
};
static const struct reg_def aer_root_rows[] = {
    {R(0x2c, 4, "root_error_command", "PCIe 6.0 7.8.4.9"), .rw = 0x00000007},
    {R(0x30, 4, "root_error_status", "PCIe 6.0 7.8.4.10"), KEPT(rw1c, 0x0000007f)},
};
static const struct reg_def acs_rows[] = {
    {R(6, 2, "acs_control", "PCIe 6.0 7.7.11.3")},
};
static const struct reg_def ats_rows[] = {
    {R(6, 2, "ats_control", "PCIe 6.0 10.5.1.3"), .rw = 0x801f},
};
static const struct reg_def pri_rows[] = {
    {R(4, 2, "page_request_control", "PCIe 6.0 10.5.2.2"), .rw = 0x0001, .w1t = 0x0002},
};
static const struct reg_def pasid_rows[] = {
    {R(6, 2, "pasid_control", "PCIe 6.0 7.8.9.3"), .rw = 0x0007},
};
static const struct reg_def ltr_rows[] = {
    {R(4, 2, "max_snoop_latency", "PCIe 6.0 7.8.2.2"), .rw = 0x1fff},
    {R(6, 2, "max_no_snoop_latency", "PCIe 6.0 7.8.2.3"), .rw = 0x1fff},
};
static const struct reg_def l1ss_rows[] = {
    {R(8, 4, "l1_pm_control_1", "PCIe 6.0 7.8.3.3"), .rw = 0xe3ffff3f},
    {R(0x0c, 4, "l1_pm_control_2", "PCIe 6.0 7.8.3.4"), .rw = 0x000000ff},
};
static const struct reg_def dpc_rows[] = {
    {R(6, 2, "dpc_control", "PCIe 6.0 7.9.14.3"), .rw = 0x003f},
    {R(8, 2, "dpc_status", "PCIe 6.0 7.9.14.4"), .rw1c = 0x000d},
};
static const struct reg_def ptm_rows[] = {
    {R(8, 4, "ptm_control", "PCIe 6.0 7.9.15.3"), .rw = 0x0000ff03},
};

/* What nobody knows, in all sizes that can stand in a doubleword. */
static const struct reg_def unknown_dword = {R(0, 4, "unknown", "none")};
static const struct reg_def unknown_bytes[] = {
    {R(0, 1, "unknown", "none")}, {R(1, 1, "unknown", "none")}, {R(2, 1, "unknown", "none")},
    {R(3, 1, "unknown", "none")},
};
/* clang-format on */

struct plan {
    const uint8_t *config;
    unsigned bytes; /* known */
    struct {
        uint16_t base;
        const struct reg_def *def;
    } row[SHELL_CONFIG_BYTES]; /* by offset; def NULL: none starts here */
    bool taken[SHELL_CONFIG_BYTES];
};

static bool plan_row(struct plan *plan, unsigned base, const struct reg_def *def)
{
    unsigned at = base + def->offset;

    if (at + def->width > SHELL_CONFIG_BYTES || at % MIN(def->width, 4))
        return false;
    for (unsigned i = 0; i < def->width; i++) {
        if (plan->taken[at + i])
            return false;
    }
    memset(plan->taken + at, true, def->width);
    plan->row[at].base = (uint16_t)base;
    plan->row[at].def = def;
    return true;
}

/* Rows that lie where others are already (a dump can say anything) or beyond what is known are
 * left out: their bytes are read-only. */
static void plan_rows(struct plan *plan, unsigned base, const struct reg_def *defs, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        if (base + defs[i].offset + defs[i].width <= plan->bytes)
            plan_row(plan, base, &defs[i]);
    }
}

#define PLAN(plan, base, table) plan_rows(plan, base, table, ARRAY_LEN(table))

static uint16_t word_at(const struct plan *plan, unsigned offset)
{
    return offset + 2 <= SHELL_CONFIG_BYTES ? le16_load(plan->config + offset) : 0;
}

static void plan_msi(struct plan *plan, unsigned at)
{
    uint16_t control = word_at(plan, at + 2);
    bool wide = control & 0x80, mask = control & 0x100;

    if (wide)
        PLAN(plan, at, msi64_rows);
    else
        PLAN(plan, at, msi32_rows);
    if (mask && wide)
        PLAN(plan, at, msi64_mask_rows);
    else if (mask)
        PLAN(plan, at, msi32_mask_rows);
}

/* Which registers there are depends on the version and the kind of port (7.5.3). */
static void plan_pcie(struct plan *plan, unsigned at)
{
    uint16_t flags = word_at(plan, at + 2);
    unsigned version = flags & 0xf, type = flags >> 4 & 0xf;
    bool link = type != PCIE_RC_INTEGRATED_ENDPOINT && type != PCIE_RC_EVENT_COLLECTOR;
    bool root = type == PCIE_ROOT_PORT || type == PCIE_RC_EVENT_COLLECTOR;

    PLAN(plan, at, pcie_rows);
    if (link)
        PLAN(plan, at, pcie_link_rows);
    if (flags & 0x100 && (type == PCIE_ROOT_PORT || type == PCIE_DOWNSTREAM_PORT))
        PLAN(plan, at, pcie_slot_rows);
    if (root)
        PLAN(plan, at, pcie_root_rows);
    if (version >= 2)
        PLAN(plan, at, pcie_2_rows);
    if (version >= 2 && link)
        PLAN(plan, at, pcie_link_2_rows);
}

static const struct {
    uint16_t id;
    bool extended;
    const struct reg_def *rows;
    unsigned count;
    void (*plan)(struct plan *plan, unsigned at);
} known_caps[] = {
    {0x01, false, pm_rows, ARRAY_LEN(pm_rows), NULL},
    {0x05, false, NULL, 0, plan_msi},
    {0x10, false, NULL, 0, plan_pcie},
    {0x13, false, af_rows, ARRAY_LEN(af_rows), NULL},
    {0x11, false, msix_rows, ARRAY_LEN(msix_rows), NULL},
    {0x01, true, aer_rows, ARRAY_LEN(aer_rows), NULL},
    {0x0d, true, acs_rows, ARRAY_LEN(acs_rows), NULL},
    {0x0f, true, ats_rows, ARRAY_LEN(ats_rows), NULL},
    {0x13, true, pri_rows, ARRAY_LEN(pri_rows), NULL},
    {0x18, true, ltr_rows, ARRAY_LEN(ltr_rows), NULL},
    {0x1b, true, pasid_rows, ARRAY_LEN(pasid_rows), NULL},
    {0x1d, true, dpc_rows, ARRAY_LEN(dpc_rows), NULL},
    {0x1e, true, l1ss_rows, ARRAY_LEN(l1ss_rows), NULL},
    {0x1f, true, ptm_rows, ARRAY_LEN(ptm_rows), NULL},
};

static void plan_cap(struct plan *plan, unsigned id, bool extended, unsigned at)
{
    for (unsigned i = 0; i < ARRAY_LEN(known_caps); i++) {
        if (known_caps[i].id != id || known_caps[i].extended != extended)
            continue;
        if (known_caps[i].plan)
            known_caps[i].plan(plan, at);
        else
            plan_rows(plan, at, known_caps[i].rows, known_caps[i].count);
    }
}

/* Both lists may run in circles: as many steps as there is room for capabilities. */
static void plan_caps(struct plan *plan, enum shell_header header, bool root_port)
{
    unsigned at = plan->config[header == SHELL_CARDBUS ? 0x14 : 0x34] & ~3u;

    if (word_at(plan, 6) & 0x10) {
        for (unsigned steps = 0; at >= 0x40 && at + 4 <= plan->bytes && steps < 48; steps++) {
            plan_cap(plan, plan->config[at], false, at);
            at = plan->config[at + 1] & ~3u;
        }
    }
    at = 0x100;
    for (unsigned steps = 0; at >= 0x100 && at + 4 <= plan->bytes && steps < 960; steps++) {
        uint32_t head = le32_load(plan->config + at);

        if (!head || head == 0xffffffff)
            break;
        plan_cap(plan, head & 0xffff, true, at);
        if ((head & 0xffff) == 1 && root_port)
            PLAN(plan, at, aer_root_rows);
        at = head >> 20 & ~3u;
    }
}

static unsigned pcie_cap(const struct plan *plan)
{
    unsigned at = plan->config[0x34] & ~3u;

    for (unsigned steps = 0; at >= 0x40 && at + 4 <= plan->bytes && steps < 48; steps++) {
        if (plan->config[at] == 0x10)
            return at;
        at = plan->config[at + 1] & ~3u;
    }
    return 0;
}

static void plan_unknown(struct plan *plan)
{
    for (unsigned at = 0; at < plan->bytes; at += 4) {
        if (!le32_load(plan->config + at) || plan_row(plan, at, &unknown_dword))
            continue;
        for (unsigned i = 0; i < 4; i++)
            plan_row(plan, at, &unknown_bytes[i]);
    }
}

static void place_rows(struct reg_space *space, const struct plan *plan)
{
    for (unsigned at = 0; at < SHELL_CONFIG_BYTES; at++) {
        const struct reg_def *def = plan->row[at].def;

        if (!def)
            continue;
        reg_space_place(space, plan->row[at].base, def, 1);
        reg_hwinit(space, at, le_load(plan->config + at, def->width) & ~def->w1t);
    }
}

static void allow(struct reg_space *space, unsigned offset, uint64_t rw)
{
    if (reg_has(space, offset))
        reg_set_rw_mask(space, offset, rw);
}

/* What is below the size reads as 0, whatever the dump says. */
static void allow_bar(struct reg_space *space, unsigned offset, uint64_t rw, uint64_t flags)
{
    reg_hwinit(space, offset, reg_get(space, offset) & (rw | flags));
    allow(space, offset, rw);
}

static void allow_bars(struct shell_func *func, unsigned count)
{
    struct reg_space *space = func->pci.cfg;
    unsigned rom = func->header == SHELL_BRIDGE ? 0x38 : 0x30;

    for (unsigned i = 0; i < count; i++) {
        uint64_t size = func->bar_bytes[i], mask = ~(size - 1);
        uint64_t low = reg_get(space, 0x10 + 4 * i);

        if (!size)
            continue;
        allow_bar(space, 0x10 + 4 * i, (uint32_t)mask & (low & 1 ? ~3u : ~0xfu), low & 1 ? 3 : 0xf);
        if (!(low & 1) && (low & 6) == 4 && i + 1 < count)
            allow_bar(space, 0x10 + 4 * ++i, mask >> 32, 0);
    }
    if (func->bar_bytes[SHELL_BARS] && func->header != SHELL_CARDBUS)
        allow(space, rom, ((uint32_t) ~(func->bar_bytes[SHELL_BARS] - 1) & 0xfffff800) | 1);
}

/* PCI-to-PCI Bridge 1.2, 3.2.5.6 and 3.2.5.9: a window that is not implemented reads as 0, and
 * the low bits tell how wide the others are. */
static void allow_windows(struct shell_func *func)
{
    struct reg_space *space = func->pci.cfg;
    uint64_t io = reg_get(space, 0x1c), pref = reg_get(space, 0x24);

    if (io || reg_get(space, 0x1d)) {
        allow(space, 0x1c, 0xf0);
        allow(space, 0x1d, 0xf0);
        allow(space, 0x30, io & 1 ? 0xffff : 0);
        allow(space, 0x32, io & 1 ? 0xffff : 0);
    }
    if (pref || reg_get(space, 0x26)) {
        allow(space, 0x24, 0xfff0);
        allow(space, 0x26, 0xfff0);
        allow(space, 0x28, pref & 1 ? 0xffffffff : 0);
        allow(space, 0x2c, pref & 1 ? 0xffffffff : 0);
    }
}

static void plan_header(struct plan *plan, enum shell_header header)
{
    PLAN(plan, 0, common_rows);
    if (header == SHELL_TYPE0)
        PLAN(plan, 0, type0_rows);
    else if (header == SHELL_BRIDGE)
        PLAN(plan, 0, bridge_rows);
    else if (header == SHELL_CARDBUS)
        PLAN(plan, 0, cardbus_rows);
}

/* ACS Control: what ACS Capability has (7.7.11.3). */
static void allow_acs(struct reg_space *space, const struct plan *plan)
{
    for (unsigned at = 0x100; at + 8 <= plan->bytes; at += 4) {
        if (plan->row[at + 6].def == acs_rows)
            allow(space, at + 6, word_at(plan, at + 4) & 0x7f);
    }
}

/* The dump may have been taken of a function asleep. */
static void note_power(struct shell_func *func, const struct plan *plan)
{
    for (unsigned at = 0x40; at < 0x100; at++) {
        if (plan->row[at].def == pm_rows)
            func->pmcsr = (uint16_t)at;
    }
    shell_note_power(func);
}

void shell_regs_create(struct shell_func *func, const struct shell_func_params *params)
{
    static const enum shell_header headers[] = {SHELL_TYPE0, SHELL_BRIDGE, SHELL_CARDBUS};
    static const unsigned bars[] = {6, 2, 1, 0};
    struct plan *plan = g_new0(struct plan, 1);
    uint8_t *config = g_memdup2(params->config, SHELL_CONFIG_BYTES);
    unsigned layout = params->config[0x0e] & 0x7f, pcie;

    func->header = layout < ARRAY_LEN(headers) ? headers[layout] : SHELL_OTHER;
    plan->config = config;
    plan->bytes = params->config_bytes;
    /* A list that was not dumped is not there. */
    if (plan->bytes <= 128 && func->header != SHELL_CARDBUS) {
        config[0x06] &= (uint8_t)~0x10;
        config[0x34] = 0;
    }
    pcie = pcie_cap(plan);
    plan_header(plan, func->header);
    plan_caps(plan, func->header, pcie && (config[pcie + 2] >> 4) == PCIE_ROOT_PORT);
    plan_unknown(plan);
    /* CHOICE: conventional functions have 256 bytes; the next doubleword, by which software looks
     * for more (Linux does), reads as nobody's. PCI Express functions whose extended space was not
     * dumped have an empty one. */
    if (!pcie && plan->bytes <= 256) {
        memset(config + 0x100, 0xff, 4);
        plan_row(plan, 0x100, &unknown_dword);
    }
    func->pci.cfg = reg_space_new(SHELL_CONFIG_BYTES, func);
    place_rows(func->pci.cfg, plan);
    note_power(func, plan);
    allow_bars(func, bars[func->header]);
    if (func->header == SHELL_BRIDGE)
        allow_windows(func);
    allow_acs(func->pci.cfg, plan);
    g_free(config);
    g_free(plan);
}

void shell_note_power(struct shell_func *func)
{
    func->power_state = func->pmcsr ? reg_get(func->pci.cfg, func->pmcsr) & 3 : 0;
}

/* What is programmed now. */

static bool command_has(const struct shell_func *func, uint64_t bit)
{
    return reg_get(func->pci.cfg, 0x04) & bit;
}

static bool rom_decodes(const struct shell_func *func, uint64_t addr)
{
    unsigned at = func->header == SHELL_BRIDGE ? 0x38 : 0x30;
    uint64_t rom, size = func->bar_bytes[SHELL_BARS];

    if (!size || !command_has(func, 2) ||
        (func->header != SHELL_TYPE0 && func->header != SHELL_BRIDGE))
        return false;
    rom = reg_get(func->pci.cfg, at);
    return rom & 1 && addr - (rom & 0xfffff800) < size;
}

int shell_find_bar(const struct shell_func *func, bool io, uint64_t addr, uint64_t *offset)
{
    static const unsigned bars[] = {6, 2, 1, 0};
    unsigned count = bars[func->header], rom = func->header == SHELL_BRIDGE ? 0x38 : 0x30;

    if (func->power_state || !command_has(func, io ? 1 : 2))
        return -1;
    for (unsigned i = 0; i < count; i++) {
        uint64_t size = func->bar_bytes[i], value = reg_get(func->pci.cfg, 0x10 + 4 * i);
        bool wide = !(value & 1) && (value & 6) == 4 && i + 1 < count;
        uint64_t base = value & (value & 1 ? ~3ULL : ~0xfULL);

        if (wide)
            base |= reg_get(func->pci.cfg, 0x10 + 4 * (i + 1)) << 32;
        *offset = addr - base;
        if (size && (value & 1) == io && *offset < size)
            return (int)i;
        i += wide;
    }
    if (io || !rom_decodes(func, addr))
        return -1;
    *offset = addr - (reg_get(func->pci.cfg, rom) & 0xfffff800);
    return SHELL_BARS;
}

bool shell_passes(const struct shell_func *func)
{
    return func->header == SHELL_BRIDGE && !func->power_state &&
           !(reg_get(func->pci.cfg, 0x3e) & PCI_BRIDGE_CONTROL_SECONDARY_RESET);
}

bool shell_forwards(const struct shell_func *func, bool io, uint64_t addr)
{
    const struct reg_space *cfg = func->pci.cfg;
    uint64_t base, limit;

    if (!shell_passes(func) || !command_has(func, io ? 1 : 2))
        return false;
    if (io) {
        base = (reg_get(cfg, 0x1c) & 0xf0) << 8 | reg_get(cfg, 0x30) << 16;
        limit = (reg_get(cfg, 0x1d) & 0xf0) << 8 | reg_get(cfg, 0x32) << 16 | 0xfff;
        return reg_rw_mask(cfg, 0x1c) && addr >= base && addr <= limit;
    }
    base = (reg_get(cfg, 0x20) & 0xfff0) << 16;
    limit = (reg_get(cfg, 0x22) & 0xfff0) << 16 | 0xfffff;
    if (addr >= base && addr <= limit)
        return true;
    base = (reg_get(cfg, 0x24) & 0xfff0) << 16 | reg_get(cfg, 0x28) << 32;
    limit = (reg_get(cfg, 0x26) & 0xfff0) << 16 | reg_get(cfg, 0x2c) << 32 | 0xfffff;
    return reg_rw_mask(cfg, 0x24) && addr >= base && addr <= limit;
}

bool shell_buses(const struct shell_func *func, unsigned *secondary, unsigned *subordinate)
{
    if (func->header != SHELL_BRIDGE)
        return false;
    *secondary = (unsigned)reg_get(func->pci.cfg, 0x19);
    *subordinate = (unsigned)reg_get(func->pci.cfg, 0x1a);
    return *secondary != 0;
}
