/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A PCI function: its header (PCI Express Base Specification 6.0, 7.5.1), how capabilities are
 * linked (7.5.3.1, 7.6.1, 7.9.3), its resets, and its INTx.
 */
#include "pcilab/pci/function.h"

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/trace/points.h"
#include "sriov.h"

#include <assert.h>
#include <glib.h>

#define CAP_FIRST     0x40
#define CAP_ALIGNMENT 4

static void command_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    (void)offset;
    if (write->old_value != write->new_value) {
        pci_func_rules_changed(func_of_space(space));
    }
}

/* clang-format off */
static const struct reg_def header_rows[] = {
    {.name = "vendor_id", .clause = "PCIe 6.0 7.5.1.1.1", .offset = PCI_VENDOR_ID, .width = 2},
    {.name = "device_id", .clause = "PCIe 6.0 7.5.1.1.2", .offset = PCI_DEVICE_ID, .width = 2},
    {.name = "command", .clause = "PCIe 6.0 7.5.1.1.3", .offset = PCI_COMMAND, .width = 2,
     .rw = PCI_COMMAND_MASTER | PCI_COMMAND_PARITY | PCI_COMMAND_SERR,
     .on_write = command_written},
    {.name = "status", .clause = "PCIe 6.0 7.5.1.1.4", .offset = PCI_STATUS, .width = 2,
     .rw1c = PCI_STATUS_RW1C},
    {.name = "revision_id", .clause = "PCIe 6.0 7.5.1.1.5", .offset = PCI_REVISION, .width = 1},
    {.name = "class_interface", .clause = "PCIe 6.0 7.5.1.1.6", .offset = PCI_PROG_IF, .width = 1},
    {.name = "class_sub", .clause = "PCIe 6.0 7.5.1.1.6", .offset = PCI_SUB_CLASS, .width = 1},
    {.name = "class_base", .clause = "PCIe 6.0 7.5.1.1.6", .offset = PCI_BASE_CLASS, .width = 1},
    {.name = "cache_line_size", .clause = "PCIe 6.0 7.5.1.1.7", .offset = PCI_CACHE_LINE,
     .width = 1, .rw = 0xff},
    {.name = "latency_timer", .clause = "PCIe 6.0 7.5.1.1.8", .offset = PCI_LATENCY, .width = 1},
    {.name = "header_type", .clause = "PCIe 6.0 7.5.1.1.9", .offset = PCI_HEADER_TYPE, .width = 1},
    {.name = "bist", .clause = "PCIe 6.0 7.5.1.1.10", .offset = PCI_BIST, .width = 1},
};

static const struct reg_def interrupt_rows[] = {
    {.name = "capabilities_pointer", .clause = "PCIe 6.0 7.5.1.1.11", .offset = PCI_CAP_POINTER,
     .width = 1},
    {.name = "interrupt_line", .clause = "PCIe 6.0 7.5.1.1.12", .offset = PCI_INTERRUPT_LINE,
     .width = 1, .rw = 0xff},
    {.name = "interrupt_pin", .clause = "PCIe 6.0 7.5.1.1.13", .offset = PCI_INTERRUPT_PIN,
     .width = 1},
};

static const struct reg_def type0_rows[] = {
    {.name = "cardbus_cis_pointer", .clause = "PCIe 6.0 7.5.1.2.2", .offset = PCI_CARDBUS_CIS,
     .width = 4},
    {.name = "subsystem_vendor_id", .clause = "PCIe 6.0 7.5.1.2.3", .offset = PCI_SUBVENDOR,
     .width = 2},
    {.name = "subsystem_id", .clause = "PCIe 6.0 7.5.1.2.3", .offset = PCI_SUBDEVICE, .width = 2},
    {.name = "min_gnt", .clause = "PCIe 6.0 7.5.1.2.5", .offset = PCI_MIN_GNT, .width = 1},
    {.name = "max_lat", .clause = "PCIe 6.0 7.5.1.2.5", .offset = PCI_MAX_LAT, .width = 1},
};

static const struct reg_def cap_header_rows[] = {
    {.name = "capability_id", .clause = "PCIe 6.0 7.5.3.1", .offset = 0, .width = 1},
    {.name = "next_capability_pointer", .clause = "PCIe 6.0 7.5.3.1", .offset = 1, .width = 1},
};

static const struct reg_def ext_header_rows[] = {
    {.name = "extended_capability_header", .clause = "PCIe 6.0 7.6.3", .offset = 0, .width = 4},
};
/* clang-format on */

struct pci_func *pci_func_new(const char *name, enum pci_header header, const struct pci_ids *ids,
                              const struct pci_func_ops *ops, void *owner)
{
    struct pci_func *func = g_new0(struct pci_func, 1);
    struct reg_space *cfg = reg_space_new(PCI_CONFIG_BYTES, func);

    func->name = g_strdup(name);
    func->cfg = cfg;
    func->header = header;
    func->ops = ops;
    func->owner = owner;
    func->cap_free = CAP_FIRST;
    func->ext_free = PCI_EXT_START;
    reg_space_place(cfg, 0, header_rows, ARRAY_LEN(header_rows));
    reg_hwinit(cfg, PCI_VENDOR_ID, ids->vendor);
    reg_hwinit(cfg, PCI_DEVICE_ID, ids->device);
    reg_hwinit(cfg, PCI_REVISION, ids->revision);
    reg_hwinit(cfg, PCI_PROG_IF, ids->class_code & 0xff);
    reg_hwinit(cfg, PCI_SUB_CLASS, ids->class_code >> 8 & 0xff);
    reg_hwinit(cfg, PCI_BASE_CLASS, ids->class_code >> 16 & 0xff);
    reg_hwinit(cfg, PCI_HEADER_TYPE, header);
    reg_space_place(cfg, 0, interrupt_rows, ARRAY_LEN(interrupt_rows));
    if (header == PCI_HEADER_TYPE0) {
        reg_space_place(cfg, 0, type0_rows, ARRAY_LEN(type0_rows));
        reg_hwinit(cfg, PCI_SUBVENDOR, ids->subvendor);
        reg_hwinit(cfg, PCI_SUBDEVICE, ids->subdevice);
    } else {
        pci_bridge_place_header(func);
    }
    return func;
}

void pci_func_free(struct pci_func *func)
{
    if (!func) {
        return;
    }
    pci_sriov_free(func);
    reg_space_free(func->cfg);
    g_free(func->msix_table);
    g_free(func->msix_pba);
    g_free(func->aer);
    g_free(func->frs);
    g_free(func->name);
    g_free(func);
}

void pci_func_set_multifunction(struct pci_func *func, bool multi)
{
    reg_hwinit(func->cfg, PCI_HEADER_TYPE,
               (uint64_t)func->header | (multi ? PCI_HEADER_TYPE_MULTI : 0));
}

void pci_func_set_interrupt_pin(struct pci_func *func, uint8_t pin)
{
    uint64_t rw = reg_rw_mask(func->cfg, PCI_COMMAND);

    assert(pin <= 4);
    func->interrupt_pin = pin;
    reg_hwinit(func->cfg, PCI_INTERRUPT_PIN, pin);
    /* Interrupt Disable exists where there is an interrupt to disable (7.5.1.1.3). */
    rw = pin ? rw | PCI_COMMAND_INTX_OFF : rw & ~(uint64_t)PCI_COMMAND_INTX_OFF;
    reg_set_rw_mask(func->cfg, PCI_COMMAND, rw);
}

unsigned pci_func_place_cap(struct pci_func *func, uint8_t id, const struct reg_def *defs,
                            unsigned count, unsigned size_bytes)
{
    unsigned offset = func->cap_free;
    uint64_t status = reg_get(func->cfg, PCI_STATUS);

    assert(size_bytes >= 2 && offset + size_bytes <= PCI_EXT_START);
    assert(!count || defs[0].offset >= 2);
    reg_space_place(func->cfg, offset, cap_header_rows, ARRAY_LEN(cap_header_rows));
    reg_space_place(func->cfg, offset, defs, count);
    reg_hwinit(func->cfg, offset, id);
    if (func->cap_last) {
        reg_hwinit(func->cfg, func->cap_last + 1u, offset);
    } else {
        reg_hwinit(func->cfg, PCI_CAP_POINTER, offset);
        reg_hwinit(func->cfg, PCI_STATUS, status | PCI_STATUS_CAP_LIST);
    }
    func->cap_last = (uint16_t)offset;
    func->cap_free = (uint16_t)align_up(offset + size_bytes, CAP_ALIGNMENT);
    return offset;
}

unsigned pci_func_place_ext_cap(struct pci_func *func, uint16_t id, uint8_t version,
                                const struct reg_def *defs, unsigned count, unsigned size_bytes)
{
    unsigned offset = func->ext_free;

    assert(size_bytes >= 4 && offset + size_bytes <= PCI_CONFIG_BYTES && version <= 15);
    assert(!count || defs[0].offset >= 4);
    reg_space_place(func->cfg, offset, ext_header_rows, ARRAY_LEN(ext_header_rows));
    reg_space_place(func->cfg, offset, defs, count);
    reg_hwinit(func->cfg, offset, id | (uint64_t)version << 16);
    if (func->ext_last) {
        uint64_t last = reg_get(func->cfg, func->ext_last);

        reg_hwinit(func->cfg, func->ext_last, last | (uint64_t)offset << 20);
    }
    func->ext_last = (uint16_t)offset;
    func->ext_free = (uint16_t)align_up(offset + size_bytes, CAP_ALIGNMENT);
    return offset;
}

uint32_t pci_func_config_read(struct pci_func *func, unsigned offset, unsigned len)
{
    assert(len >= 1 && (offset & 3) + len <= 4);
    return (uint32_t)reg_read(func->cfg, offset, len);
}

void pci_func_config_write(struct pci_func *func, unsigned offset, unsigned len, uint32_t value)
{
    assert(len >= 1 && (offset & 3) + len <= 4);
    reg_write(func->cfg, offset, len, value);
    if (func->ops->config_written) {
        func->ops->config_written(func, offset, len);
    }
}

void pci_func_capture(struct pci_func *func, unsigned bus, unsigned device)
{
    if (func->pf) {
        return; /* its number follows from the PF's */
    }
    func->rid = pci_rid_make(bus & 0xff, device & 0x1f, func->rid.v & 7);
    if (func->sriov) {
        pci_sriov_renumber(func);
    }
}

void pci_func_rules_changed(struct pci_func *func)
{
    uint8_t power_state = func->power_state;

    func->command = (uint16_t)reg_get(func->cfg, PCI_COMMAND);
    func->power_state = 0;
    if (func->cap_pm) {
        func->power_state = reg_get(func->cfg, func->cap_pm + PCI_PM_CSR) & PCI_PM_CSR_STATE;
    }
    if (func->power_state != power_state) {
        trace_hit(func->trace, TRACE_POWER_STATE, func->name, func->rid.v, func->power_state);
    }
    pci_bars_update(func);
    if (func->sriov) {
        pci_sriov_update(func);
    }
    pci_func_update_intx(func);
    pci_msix_flush(func);
    pci_msi_flush(func);
}

/* The reset that it is, or that a flaw makes of it. */
static enum reg_reset_kind reset_as(const struct pci_func *func, enum reg_reset_kind kind)
{
    if (kind == REG_RESET_FLR && flaw_on(func->flaws, FLAW_FLR_KEPT)) {
        return REG_RESET_WARM;
    }
    if ((kind == REG_RESET_FLR && flaw_on(func->flaws, FLAW_FLR_STICKY)) ||
        (kind == REG_RESET_WARM && flaw_on(func->flaws, FLAW_HOT_STICKY))) {
        return REG_RESET_COLD;
    }
    return kind;
}

void pci_func_reset(struct pci_func *func, enum reg_reset_kind kind)
{
    trace_hit(func->trace, TRACE_RESET_FUNCTION, func->name, func->rid.v, kind);
    reg_space_reset(func->cfg, reset_as(func, kind));
    if (kind != REG_RESET_FLR || !flaw_on(func->flaws, FLAW_FLR_MSIX)) {
        pci_msix_reset(func);
    }
    func->msi_pending = 0;
    func->intx_wanted = false;
    if (kind != REG_RESET_FLR) {
        func->intx_sent = false;
    }
    pcie_reset(func);
    pci_aer_reset(func, kind);
    pci_acs_reset(func);
    pci_frs_reset(func);
    if (func->header == PCI_HEADER_TYPE1) {
        pci_bridge_update_windows(func);
    }
    pci_func_rules_changed(func);
}

void pci_func_level_reset(struct pci_func *func)
{
    if (flaw_on(func->flaws, FLAW_FLR_NOTHING)) {
        return;
    }
    pci_func_reset(func, REG_RESET_FLR);
    if (func->ops->flr && !flaw_on(func->flaws, FLAW_FLR_DEVICE)) {
        func->ops->flr(func);
    }
}

void pci_func_set_ready_at_once(struct pci_func *func)
{
    unsigned pm = func->cap_pm + PCI_PM_CAPS;

    reg_hwinit(func->cfg, PCI_STATUS, reg_get(func->cfg, PCI_STATUS) | PCI_STATUS_READY);
    if (func->cap_pm)
        reg_hwinit(func->cfg, pm, reg_get(func->cfg, pm) | PCI_PM_CAPS_READY);
}

void pci_func_note_status(struct pci_func *func, uint16_t bits)
{
    reg_update(func->cfg, PCI_STATUS, PCI_STATUS_RW1C, reg_get(func->cfg, PCI_STATUS) | bits);
}

bool pci_func_memory_enabled(const struct pci_func *func)
{
    return func->command & PCI_COMMAND_MEMORY &&
           (func->power_state == 0 || flaw_on(func->flaws, FLAW_D3_MEMORY));
}

bool pci_func_io_enabled(const struct pci_func *func)
{
    return func->command & PCI_COMMAND_IO && func->power_state == 0;
}

bool pci_func_bus_master(const struct pci_func *func)
{
    /* A VF is in no higher a power state than its PF (9.6.1). */
    return (func->command & PCI_COMMAND_MASTER || flaw_on(func->flaws, FLAW_BUS_MASTER) ||
            (func->pf && flaw_on(func->flaws, FLAW_VF_BUS_MASTER))) &&
           func->power_state == 0 && (!func->pf || func->pf->power_state == 0);
}

unsigned pci_func_power_state(const struct pci_func *func)
{
    return func->power_state;
}

void pci_func_update_intx(struct pci_func *func)
{
    bool pending = func->intx_wanted && func->interrupt_pin &&
                   (!pci_func_msi_enabled(func) || flaw_on(func->flaws, FLAW_INTX_WITH_MSI));
    bool off = func->command & PCI_COMMAND_INTX_OFF && !flaw_on(func->flaws, FLAW_INTX_DISABLE);
    bool level = pending && !off && func->power_state == 0;

    /* Interrupt Status tells of the device's wish; Interrupt Disable does not hide it. */
    reg_update(func->cfg, PCI_STATUS, PCI_STATUS_INTERRUPT,
               pending && (level || !flaw_on(func->flaws, FLAW_INTX_STATUS)) ? PCI_STATUS_INTERRUPT
                                                                             : 0);
    if (level != func->intx_sent) {
        func->intx_sent = level;
        if (func->ops->intx && (level || !flaw_on(func->flaws, FLAW_INTX_DEASSERT))) {
            func->ops->intx(func, level);
        }
    }
}

void pci_func_set_intx(struct pci_func *func, bool level)
{
    if (func->intx_wanted != level) {
        func->intx_wanted = level;
        pci_func_update_intx(func);
    }
}

void pci_func_msi_raise(struct pci_func *func, unsigned vector)
{
    if (pci_msix_enabled(func)) {
        pci_msix_raise(func, vector);
    } else if (pci_msi_enabled(func)) {
        pci_msi_raise(func, vector);
    }
}

bool pci_func_msi_enabled(const struct pci_func *func)
{
    return pci_msix_enabled(func) || pci_msi_enabled(func);
}

unsigned pci_func_msi_vectors(const struct pci_func *func)
{
    if (pci_msix_enabled(func)) {
        return func->msix_count;
    }
    return pci_msi_enabled(func) ? pci_msi_allocated(func) : 0;
}
