/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Downstream Port Containment: its registers, triggers, signals (PCIe Base 6.0, 6.2.11, 7.9.14)
 * and, in root ports, the errors of programmed I/O (6.2.11.3).
 *
 * UNIMPL: RP PIO SysError and Exception keep what is written, and nothing comes of it: nothing on
 * this machine takes a System Error, and no processor an exception for a load that failed.
 */
#include "pcilab/pci/dpc.h"

#include <assert.h>

#include "internal.h"
#include "pcie.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"

#define HEADER_DWORDS 4
#define POINTER_NONE  0x1f /* a bit that is never set (7.9.14.4) */

/* Trigger Reason, with its extension. */
#define REASON_ERROR    0x00
#define REASON_NONFATAL 0x02
#define REASON_FATAL    0x04
#define REASON_RP_PIO   0x06
#define REASON_SOFTWARE 0x26
#define CONTROL_RW                                                                                 \
    (PCI_DPC_CONTROL_TRIGGER | PCI_DPC_CONTROL_UR | PCI_DPC_CONTROL_INTERRUPT |                    \
     PCI_DPC_CONTROL_ERR_COR | PCI_DPC_CONTROL_POISON | PCI_DPC_CONTROL_DL_ACTIVE)

static uint64_t get(const struct pci_func *func, unsigned reg)
{
    return reg_get(func->cfg, func->ext_dpc + reg);
}

static void update(struct pci_func *func, unsigned reg, uint64_t mask, uint64_t bits)
{
    reg_update(func->cfg, func->ext_dpc + reg, mask, bits);
}

static bool is_root(const struct pci_func *func)
{
    return func->pcie_type == PCIE_ROOT_PORT;
}

/* 0: off; else what messages trigger. The reserved encoding is taken as off. */
static unsigned trigger_enable(const struct pci_func *func)
{
    unsigned enable = func->ext_dpc ? get(func, PCI_DPC_CONTROL) & PCI_DPC_CONTROL_TRIGGER : 0;

    return enable == PCI_DPC_CONTROL_TRIGGER ? 0 : enable;
}

static bool can_trigger(const struct pci_func *func)
{
    return trigger_enable(func) &&
           (!pci_dpc_contains(func) || flaw_on(func->flaws, FLAW_DPC_AGAIN));
}

/* 6.2.11.2: no error of its own, so Device Status shows none; and before an MSI. */
static void signal_correctable(struct pci_func *func, uint16_t enable)
{
    bool reports = reg_get(func->cfg, func->cap_pcie + PCIE_DEVCTL) & PCIE_DEVCTL_COR;

    if (reports && get(func, PCI_DPC_CONTROL) & enable && !flaw_on(func->flaws, FLAW_DPC_ERR_COR))
        pci_error_signal(func, PCI_ERROR_MSG_COR);
}

static void trigger(struct pci_func *func, unsigned reason, struct pci_rid source)
{
    bool interrupt = get(func, PCI_DPC_CONTROL) & PCI_DPC_CONTROL_INTERRUPT;

    if (flaw_on(func->flaws, FLAW_DPC_REASON))
        reason = REASON_ERROR;
    update(func, PCI_DPC_STATUS, PCI_DPC_STATUS_TRIGGER | PCI_DPC_STATUS_REASON,
           PCI_DPC_STATUS_TRIGGER | reason);
    if (!flaw_on(func->flaws, FLAW_DPC_SOURCE))
        reg_set(func->cfg, func->ext_dpc + PCI_DPC_SOURCE, source.v);
    if (func->ops->contain && !flaw_on(func->flaws, FLAW_DPC_LINK))
        func->ops->contain(func, true);
    signal_correctable(func, PCI_DPC_CONTROL_ERR_COR);
    if ((interrupt || flaw_on(func->flaws, FLAW_DPC_INTERRUPT_ENABLE)) &&
        !flaw_on(func->flaws, FLAW_DPC_INTERRUPT))
        update(func, PCI_DPC_STATUS, PCI_DPC_STATUS_INTERRUPT, PCI_DPC_STATUS_INTERRUPT);
    pcie_port_update_events(func);
}

/* 7.9.14.3: the values of this very write count. */
static void control_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct pci_func *func = func_of_space(space);

    if (write->written & PCI_DPC_CONTROL_SOFTWARE && can_trigger(func) &&
        !flaw_on(func->flaws, FLAW_DPC_SOFTWARE))
        trigger(func, REASON_SOFTWARE, (struct pci_rid){0});
    pcie_port_update_events(func);
}

static void status_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct pci_func *func = func_of_space(space);

    if (write->old_value & ~write->new_value & PCI_DPC_STATUS_TRIGGER && func->ops->contain)
        func->ops->contain(func, false);
    pcie_port_update_events(func);
}

static unsigned pio_pointer(const struct pci_func *func)
{
    return (unsigned)FIELD_GET(PCI_DPC_STATUS_PIO_POINTER, get(func, PCI_DPC_STATUS));
}

static void pio_status_written(struct reg_space *space, unsigned offset,
                               const struct reg_write *write)
{
    struct pci_func *func = func_of_space(space);
    uint64_t cleared = write->old_value & ~write->new_value;

    if (cleared >> pio_pointer(func) & 1)
        update(func, PCI_DPC_STATUS, PCI_DPC_STATUS_PIO_POINTER, PCI_DPC_STATUS_PIO_POINTER);
}

#define HEADER_ROW(n)                                                                              \
    {                                                                                              \
        .name = "rp_pio_header_log_" #n, .clause = "PCIe 6.0 7.9.14.11",                           \
        .offset = PCI_DPC_PIO_HEADER + 4 * (n), .width = 4, .sticky = 0xffffffff,                  \
    }

/* clang-format off */
static const struct reg_def dpc_rows[] = {
    {.name = "dpc_capability", .clause = "PCIe 6.0 7.9.14.2", .offset = PCI_DPC_CAPS, .width = 2},
    {.name = "dpc_control", .clause = "PCIe 6.0 7.9.14.3", .offset = PCI_DPC_CONTROL, .width = 2,
     .rw = CONTROL_RW, .w1t = PCI_DPC_CONTROL_SOFTWARE, .on_write = control_written},
    {.name = "dpc_status", .clause = "PCIe 6.0 7.9.14.4", .offset = PCI_DPC_STATUS, .width = 2,
     .rw1c = PCI_DPC_STATUS_TRIGGER | PCI_DPC_STATUS_INTERRUPT,
     .sticky = PCI_DPC_STATUS_TRIGGER | PCI_DPC_STATUS_INTERRUPT | PCI_DPC_STATUS_REASON |
               PCI_DPC_STATUS_PIO_POINTER,
     .on_write = status_written},
    {.name = "dpc_error_source_id", .clause = "PCIe 6.0 7.9.14.5", .offset = PCI_DPC_SOURCE,
     .width = 2, .sticky = 0xffff},
};

static const struct reg_def dpc_root_rows[] = {
    {.name = "rp_pio_status", .clause = "PCIe 6.0 7.9.14.6", .offset = PCI_DPC_PIO_STATUS,
     .width = 4, .rw1c = PCI_DPC_PIO_ALL, .sticky = PCI_DPC_PIO_ALL,
     .on_write = pio_status_written},
    {.name = "rp_pio_mask", .clause = "PCIe 6.0 7.9.14.7", .offset = PCI_DPC_PIO_MASK,
     .width = 4, .reset = PCI_DPC_PIO_ALL, .rw = PCI_DPC_PIO_ALL, .sticky = PCI_DPC_PIO_ALL},
    {.name = "rp_pio_severity", .clause = "PCIe 6.0 7.9.14.8", .offset = PCI_DPC_PIO_SEVERITY,
     .width = 4, .rw = PCI_DPC_PIO_ALL, .sticky = PCI_DPC_PIO_ALL},
    {.name = "rp_pio_syserror", .clause = "PCIe 6.0 7.9.14.9", .offset = PCI_DPC_PIO_SYSERROR,
     .width = 4, .rw = PCI_DPC_PIO_ALL, .sticky = PCI_DPC_PIO_ALL},
    {.name = "rp_pio_exception", .clause = "PCIe 6.0 7.9.14.10", .offset = PCI_DPC_PIO_EXCEPTION,
     .width = 4, .rw = PCI_DPC_PIO_ALL, .sticky = PCI_DPC_PIO_ALL},
    HEADER_ROW(0), HEADER_ROW(1), HEADER_ROW(2), HEADER_ROW(3),
};
/* clang-format on */

void pci_cap_dpc_add(struct pci_func *func)
{
    bool root = is_root(func);
    uint64_t caps = PCI_DPC_CAPS_POISON_EGRESS | PCI_DPC_CAPS_SOFTWARE | PCI_DPC_CAPS_DL_ACTIVE;
    unsigned cap;

    assert(func->ext_aer && (root || func->pcie_type == PCIE_DOWNSTREAM_PORT));
    cap = pci_func_place_ext_cap(func, PCI_EXT_DPC, 1, dpc_rows, ARRAY_LEN(dpc_rows),
                                 root ? PCI_DPC_ROOT_SIZE_BYTES : PCI_DPC_SIZE_BYTES);
    func->ext_dpc = (uint16_t)cap;
    if (root) {
        reg_space_place(func->cfg, cap, dpc_root_rows, ARRAY_LEN(dpc_root_rows));
        caps |= PCI_DPC_CAPS_RP_EXTENSIONS | FIELD_PREP(PCI_DPC_CAPS_LOG_SIZE, HEADER_DWORDS);
        reg_hwinit(func->cfg, cap + PCI_DPC_STATUS,
                   FIELD_PREP(PCI_DPC_STATUS_PIO_POINTER, POINTER_NONE));
    }
    reg_hwinit(func->cfg, cap + PCI_DPC_CAPS, caps);
    pci_aer_allow(func, 1u << PCI_ERROR_POISON_EGRESS);
    reg_hwinit(func->cfg, func->ext_aer + PCI_AER_UNCOR_MASK, /* masked by default (7.8.4.3) */
               reg_get(func->cfg, func->ext_aer + PCI_AER_UNCOR_MASK) |
                   1u << PCI_ERROR_POISON_EGRESS);
}

bool pci_dpc_contains(const struct pci_func *func)
{
    return func->ext_dpc && get(func, PCI_DPC_STATUS) & PCI_DPC_STATUS_TRIGGER;
}

bool pci_dpc_interrupt(const struct pci_func *func)
{
    return func->ext_dpc &&
           (get(func, PCI_DPC_CONTROL) & PCI_DPC_CONTROL_INTERRUPT ||
            flaw_on(func->flaws, FLAW_DPC_INTERRUPT_ENABLE)) &&
           get(func, PCI_DPC_STATUS) & PCI_DPC_STATUS_INTERRUPT;
}

enum tlp_status pci_dpc_completion(const struct pci_func *func)
{
    return pci_dpc_contains(func) && !(get(func, PCI_DPC_CONTROL) & PCI_DPC_CONTROL_UR) ==
                                         !flaw_on(func->flaws, FLAW_DPC_COMPLETION)
               ? TLP_CA
               : TLP_UR;
}

bool pci_dpc_blocks_poison(const struct pci_func *func)
{
    return func->ext_dpc && get(func, PCI_DPC_CONTROL) & PCI_DPC_CONTROL_POISON;
}

bool pci_dpc_error(struct pci_func *func)
{
    if (!can_trigger(func) || flaw_on(func->flaws, FLAW_DPC_ERROR))
        return false;
    trigger(func, REASON_ERROR, (struct pci_rid){0});
    return true;
}

bool pci_dpc_message(struct pci_func *func, const struct tlp *tlp)
{
    bool fatal = tlp->msg_code == TLP_MSG_ERR_FATAL;

    if (tlp->msg_code == TLP_MSG_ERR_COR || !can_trigger(func) ||
        (!fatal && trigger_enable(func) == 1 && !flaw_on(func->flaws, FLAW_DPC_NONFATAL)))
        return false;
    trigger(func, fatal ? REASON_FATAL : REASON_NONFATAL, tlp->requester);
    return !flaw_on(func->flaws, FLAW_DPC_MESSAGE);
}

void pci_dpc_link_active(struct pci_func *func)
{
    if (func->ext_dpc && !flaw_on(func->flaws, FLAW_DPC_DL_ACTIVE))
        signal_correctable(func, PCI_DPC_CONTROL_DL_ACTIVE);
}

void pci_dpc_set_busy(struct pci_func *func, bool busy)
{
    update(func, PCI_DPC_STATUS, PCI_DPC_STATUS_BUSY,
           busy && !flaw_on(func->flaws, FLAW_DPC_BUSY) ? PCI_DPC_STATUS_BUSY : 0);
}

static unsigned space_of(const uint8_t header[TLP_HEADER_MAX])
{
    switch (header[0] & 0x1f) { /* Type (2.2.1) */
    case 0x04:
    case 0x05: return 0; /* configuration */
    case 0x02: return 8; /* I/O */
    default: return 16;
    }
}

static void pio_record(struct pci_func *func, unsigned bit, const uint8_t header[TLP_HEADER_MAX])
{
    if (get(func, PCI_DPC_PIO_STATUS) >> pio_pointer(func) & 1 ||
        flaw_on(func->flaws, FLAW_DPC_PIO_LOG))
        return;
    update(func, PCI_DPC_STATUS, PCI_DPC_STATUS_PIO_POINTER,
           FIELD_PREP(PCI_DPC_STATUS_PIO_POINTER, bit));
    for (unsigned i = 0; i < HEADER_DWORDS; i++) {
        const uint8_t *dw = header + 4 * i;

        reg_set(func->cfg, func->ext_dpc + PCI_DPC_PIO_HEADER + 4 * i,
                (uint32_t)dw[0] << 24 | (uint32_t)dw[1] << 16 | dw[2] << 8 | dw[3]);
    }
}

void pci_dpc_pio(struct pci_func *func, enum pci_dpc_pio error,
                 const uint8_t header[TLP_HEADER_MAX])
{
    unsigned bit = space_of(header) + error;

    if (error == PCI_DPC_PIO_CA && flaw_on(func->flaws, FLAW_DPC_PIO_STATUS))
        bit = space_of(header) + PCI_DPC_PIO_UR;

    if (!func->ext_dpc || !is_root(func))
        return;
    if (get(func, PCI_DPC_PIO_MASK) >> bit & 1 && !flaw_on(func->flaws, FLAW_DPC_PIO_MASK)) {
        update(func, PCI_DPC_PIO_STATUS, 1u << bit, 1u << bit);
        return;
    }
    pio_record(func, bit, header);
    update(func, PCI_DPC_PIO_STATUS, 1u << bit, 1u << bit);
    if (!(get(func, PCI_DPC_PIO_SEVERITY) >> bit & 1) &&
        !flaw_on(func->flaws, FLAW_DPC_PIO_SEVERITY))
        signal_correctable(func, PCI_DPC_CONTROL_ERR_COR); /* handled as an advisory one */
    else if (can_trigger(func))
        trigger(func, REASON_RP_PIO, (struct pci_rid){0});
}
