/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Readiness Notifications (PCIe Base 6.0, 6.22): DRS and FRS messages, the link registers of ports
 * that tell of DRS (7.5.3.7, 7.5.3.20), and the FRS Queueing capability (7.8.10).
 *
 * UNIMPL: FRS of integrated endpoints, which an event collector would queue; Readiness Time
 * Reporting (7.9.17).
 */
#include "pcilab/pci/readiness.h"

#include <string.h>

#include <glib.h>

#include "internal.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"

/* 2.2.8.6.1, in bytes 8 to 15 of a message's header. CHOICE: FRS Reason is the low half of byte 15;
 * the figure that says where it is could not be consulted. */
#define VDM_VENDOR      0x0000ffff00000000ull
#define VDM_SUBTYPE     0x00000000ff000000ull
#define VDM_FRS_REASON  0x000000000000000full
#define PCI_SIG         0x0001
#define SUBTYPE_DRS     0x08
#define SUBTYPE_FRS     0x09
#define MESSAGE_ID      0x0000ffffu
#define MESSAGE_REASON  0x000f0000u
#define MESSAGES_QUEUED 0xfff00000u

/* Downstream Component Presence (7.5.3.20). */
enum { DOWN_ABSENT = 1, DOWN_PRESENT = 2, UP_PRESENT = 4, UP_DRS_RECEIVED = 5 };
/* DRS Signaling Control (7.5.3.7). */
enum { DRS_QUIET, DRS_INTERRUPT, DRS_TO_FRS };

struct pci_frs {
    unsigned count;
    uint32_t message[PCI_FRS_DEPTH]; /* the oldest first, as in FRS Message Queue */
};

static struct tlp *new_vdm(struct tlp_pool *pool, struct pci_rid requester, unsigned subtype)
{
    struct tlp *tlp = tlp_new(pool, TLP_MSG, 0);

    tlp->requester = requester;
    tlp->msg_code = TLP_MSG_VENDOR_1;
    tlp->msg_bytes_8_15 = FIELD_PREP(VDM_VENDOR, PCI_SIG) | FIELD_PREP(VDM_SUBTYPE, subtype);
    return tlp;
}

struct tlp *tlp_new_drs(struct tlp_pool *pool, struct pci_rid requester)
{
    struct tlp *tlp = new_vdm(pool, requester, SUBTYPE_DRS);

    tlp->msg_routing = TLP_MSG_LOCAL;
    return tlp;
}

struct tlp *tlp_new_frs(struct tlp_pool *pool, struct pci_rid requester, enum pci_frs_reason reason)
{
    struct tlp *tlp = new_vdm(pool, requester, SUBTYPE_FRS);

    tlp->msg_routing = TLP_MSG_TO_RC;
    tlp->msg_bytes_8_15 |= FIELD_PREP(VDM_FRS_REASON, reason);
    return tlp;
}

static bool is_vdm(const struct tlp *tlp, unsigned routing, unsigned subtype)
{
    return tlp->type == TLP_MSG && tlp->msg_code == TLP_MSG_VENDOR_1 &&
           tlp->msg_routing == routing && FIELD_GET(VDM_VENDOR, tlp->msg_bytes_8_15) == PCI_SIG &&
           FIELD_GET(VDM_SUBTYPE, tlp->msg_bytes_8_15) == subtype;
}

bool tlp_is_drs(const struct tlp *tlp)
{
    return is_vdm(tlp, TLP_MSG_LOCAL, SUBTYPE_DRS);
}

bool tlp_is_frs(const struct tlp *tlp)
{
    return is_vdm(tlp, TLP_MSG_TO_RC, SUBTYPE_FRS);
}

unsigned tlp_frs_reason(const struct tlp *tlp)
{
    return (unsigned)FIELD_GET(VDM_FRS_REASON, tlp->msg_bytes_8_15);
}

static bool has_bit(const struct pci_func *func, unsigned reg, uint32_t bit)
{
    return func->cap_pcie && reg_has(func->cfg, func->cap_pcie + reg) &&
           reg_get(func->cfg, func->cap_pcie + reg) & bit;
}

bool pcie_drs_supported(const struct pci_func *func)
{
    return has_bit(func, PCIE_LNKCAP2, PCIE_LNKCAP2_DRS);
}

bool pcie_frs_supported(const struct pci_func *func)
{
    return has_bit(func, PCIE_DEVCAP2, PCIE_DEVCAP2_FRS);
}

static void frs_forget(struct pci_func *func)
{
    if (!func->frs)
        return;
    func->frs->count = 0;
    reg_set(func->cfg, func->ext_frs + PCI_FRS_STATUS, 0);
    reg_set(func->cfg, func->ext_frs + PCI_FRS_QUEUE, 0);
}

void pcie_show_component(struct pci_func *func, bool present, bool active)
{
    unsigned offset = func->cap_pcie + PCIE_LNKSTA2, now;

    if (!active)
        frs_forget(func);
    if (!pcie_drs_supported(func))
        return;
    now = (unsigned)FIELD_GET(PCIE_LNKSTA2_COMPONENT, reg_get(func->cfg, offset));
    if (active)
        now = now == UP_DRS_RECEIVED ? now : UP_PRESENT;
    else
        now = present ? DOWN_PRESENT : DOWN_ABSENT;
    reg_update(func->cfg, offset, PCIE_LNKSTA2_COMPONENT, FIELD_PREP(PCIE_LNKSTA2_COMPONENT, now));
    if (!active)
        reg_update(func->cfg, offset, PCIE_LNKSTA2_DRS_RECEIVED, 0);
}

bool pcie_drs_received(struct pci_func *func)
{
    unsigned offset = func->cap_pcie + PCIE_LNKSTA2;
    bool first = !(reg_get(func->cfg, offset) & PCIE_LNKSTA2_DRS_RECEIVED);
    uint64_t signals;

    reg_update(func->cfg, offset, PCIE_LNKSTA2_COMPONENT | PCIE_LNKSTA2_DRS_RECEIVED,
               FIELD_PREP(PCIE_LNKSTA2_COMPONENT, UP_DRS_RECEIVED) | PCIE_LNKSTA2_DRS_RECEIVED);
    signals = FIELD_GET(PCIE_LNKCTL_DRS_SIGNALS, reg_get(func->cfg, func->cap_pcie + PCIE_LNKCTL));
    /* Messages only; there is no INTx of it (7.5.3.7). */
    if (first && signals == DRS_INTERRUPT)
        pci_func_msi_raise(func, 0);
    return first && signals == DRS_TO_FRS;
}

static void frs_show(struct pci_func *func)
{
    const struct pci_frs *frs = func->frs;

    reg_set(func->cfg, func->ext_frs + PCI_FRS_QUEUE,
            FIELD_PREP(MESSAGES_QUEUED, frs->count) | (frs->count ? frs->message[0] : 0));
}

/* 7.8.10.5: any write of byte 0. */
static void queue_written(struct reg_space *space, unsigned offset, const struct reg_write *write)
{
    struct pci_func *func = func_of_space(space);
    struct pci_frs *frs = func->frs;

    if (!(write->lanes & 0xff) || !frs->count)
        return;
    frs->count--;
    memmove(&frs->message[0], &frs->message[1], frs->count * sizeof(frs->message[0]));
    frs_show(func);
}

/* clang-format off */
static const struct reg_def frs_rows[] = {
    {.name = "frs_queueing_capability", .clause = "PCIe 6.0 7.8.10.2", .offset = PCI_FRS_CAP,
     .width = 4, .reset = PCI_FRS_DEPTH},
    {.name = "frs_queueing_status", .clause = "PCIe 6.0 7.8.10.3", .offset = PCI_FRS_STATUS,
     .width = 2, .rw1c = PCI_FRS_STATUS_RECEIVED | PCI_FRS_STATUS_OVERFLOW},
    {.name = "frs_queueing_control", .clause = "PCIe 6.0 7.8.10.4", .offset = PCI_FRS_CONTROL,
     .width = 2, .rw = PCI_FRS_CONTROL_INTERRUPT},
    {.name = "frs_message_queue", .clause = "PCIe 6.0 7.8.10.5", .offset = PCI_FRS_QUEUE,
     .width = 4, .on_write = queue_written},
};
/* clang-format on */

void pci_cap_frs_add(struct pci_func *func)
{
    func->ext_frs = (uint16_t)pci_func_place_ext_cap(func, PCI_EXT_FRS, 1, frs_rows,
                                                     ARRAY_LEN(frs_rows), PCI_FRS_SIZE_BYTES);
    func->frs = g_new0(struct pci_frs, 1);
}

void pci_frs_reset(struct pci_func *func)
{
    frs_forget(func);
}

void pci_frs_queue(struct pci_func *func, struct pci_rid id, unsigned reason)
{
    struct pci_frs *frs = func->frs;
    bool room;
    uint64_t bit, before;

    if (!frs)
        return;
    room = frs->count < PCI_FRS_DEPTH;
    if (room)
        frs->message[frs->count++] =
            (uint32_t)(FIELD_PREP(MESSAGE_ID, id.v) | FIELD_PREP(MESSAGE_REASON, reason));
    frs_show(func);
    bit = room ? PCI_FRS_STATUS_RECEIVED : PCI_FRS_STATUS_OVERFLOW;
    before = reg_get(func->cfg, func->ext_frs + PCI_FRS_STATUS);
    reg_update(func->cfg, func->ext_frs + PCI_FRS_STATUS, bit, bit);
    if (!(before & bit) &&
        reg_get(func->cfg, func->ext_frs + PCI_FRS_CONTROL) & PCI_FRS_CONTROL_INTERRUPT)
        pci_func_msi_raise(func, 0);
}
