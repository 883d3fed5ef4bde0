/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Link and root registers of the PCI Express capability, and the interrupts of ports: PME (PCIe
 * Base 6.0, 6.1.6), link bandwidth (7.5.3.8), hot-plug (6.7.3.4). All use Interrupt Message Number
 * 0.
 */
#include "internal.h"
#include "pcie.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/dpc.h"

#include <string.h>

#define EVENT_PME       0x1
#define EVENT_BANDWIDTH 0x2
#define EVENT_ERROR     0x4 /* Advanced Error Reporting, 6.2.4.1.2 */
#define EVENT_HOTPLUG   0x8
#define EVENT_DPC       0x10 /* 6.2.11.1 */
#define SPEED_8GT       3

static bool has(const struct pci_func *func, unsigned reg)
{
    return func->cap_pcie && reg_has(func->cfg, func->cap_pcie + reg);
}

static uint64_t get(const struct pci_func *func, unsigned reg)
{
    return reg_get(func->cfg, func->cap_pcie + reg);
}

static void update(struct pci_func *func, unsigned reg, uint64_t mask, uint64_t bits)
{
    reg_update(func->cfg, func->cap_pcie + reg, mask, bits);
}

static bool faces_down(const struct pci_func *func)
{
    return func->cap_pcie &&
           (func->pcie_type == PCIE_ROOT_PORT || func->pcie_type == PCIE_DOWNSTREAM_PORT);
}

void pcie_port_update_events(struct pci_func *func)
{
    uint8_t events = 0;
    uint8_t begun;

    if (has(func, PCIE_ROOTSTA) && (get(func, PCIE_ROOTCTL) & PCIE_ROOTCTL_PME_IE) &&
        (get(func, PCIE_ROOTSTA) & PCIE_ROOTSTA_PME) && !flaw_on(func->flaws, FLAW_PME_INTERRUPT)) {
        events |= EVENT_PME;
    }
    if (faces_down(func)) {
        uint64_t control = get(func, PCIE_LNKCTL), status = get(func, PCIE_LNKSTA);

        if ((control & PCIE_LNKCTL_BANDWIDTH_IE && status & PCIE_LNKSTA_BANDWIDTH) ||
            (control & PCIE_LNKCTL_AUTONOMOUS_IE && status & PCIE_LNKSTA_AUTONOMOUS)) {
            events |= EVENT_BANDWIDTH;
        }
    }
    if (pci_aer_root_interrupt(func)) {
        events |= EVENT_ERROR;
    }
    if (pcie_slot_interrupts(func)) {
        events |= EVENT_HOTPLUG;
    }
    if (pci_dpc_interrupt(func)) {
        events |= EVENT_DPC;
    }
    begun = events & (uint8_t)~func->port_events;
    func->port_events = events;
    pci_func_set_intx(func, events != 0);
    /* A message each time a condition goes from false to true; one vector serves all. */
    if (begun) {
        pci_func_msi_raise(func, 0);
    }
}

void pcie_reset(struct pci_func *func)
{
    func->port_events = 0;
    func->pme_count = 0;
}

void pcie_set_link(struct pci_func *func, unsigned speed, unsigned width, bool active)
{
    uint64_t bits, old;

    if (!has(func, PCIE_LNKSTA)) {
        return;
    }
    /* CHOICE: the fields of a link that is down, which are undefined, read 2.5 GT/s and x0. */
    bits = FIELD_PREP(PCIE_LNKSTA_SPEED, active ? speed : 1) |
           FIELD_PREP(PCIE_LNKSTA_WIDTH, active ? width : 0);
    old = get(func, PCIE_LNKSTA);
    if (!faces_down(func)) {
        update(func, PCIE_LNKSTA, PCIE_LNKSTA_SPEED | PCIE_LNKSTA_WIDTH, bits);
    } else {
        bits |= active || flaw_on(func->flaws, FLAW_LINK_ACTIVE) ? PCIE_LNKSTA_DLL_ACTIVE : 0;
        update(func, PCIE_LNKSTA, PCIE_LNKSTA_SPEED | PCIE_LNKSTA_WIDTH | PCIE_LNKSTA_DLL_ACTIVE,
               bits);
        if (bits & ~old & PCIE_LNKSTA_DLL_ACTIVE) {
            pci_dpc_link_active(func);
        }
        if (has(func, PCIE_SLTCAP) && ((old ^ bits) & PCIE_LNKSTA_DLL_ACTIVE) &&
            !flaw_on(func->flaws, FLAW_SLOT_DLL_CHANGED)) {
            pcie_slot_event(func, PCIE_SLTSTA_DLL_CHG);
        }
    }
    /* A link that runs at 8.0 GT/s or more has been through equalization. */
    if (active && speed >= SPEED_8GT) {
        update(func, PCIE_LNKSTA2, PCIE_LNKSTA2_EQUALIZED, PCIE_LNKSTA2_EQUALIZED);
    }
}

void pcie_set_link_training(struct pci_func *func, bool training)
{
    if (has(func, PCIE_LNKSTA) && faces_down(func)) {
        update(func, PCIE_LNKSTA, PCIE_LNKSTA_TRAINING, training ? PCIE_LNKSTA_TRAINING : 0);
    }
}

void pcie_link_control(struct pci_func *func, const struct reg_write *write)
{
    bool retrain = write->written & PCIE_LNKCTL_RETRAIN;

    if (func->ops->link_control) {
        func->ops->link_control(func, (uint16_t)write->old_value, (uint16_t)write->new_value,
                                retrain);
    } else if (retrain) {
        pcie_link_retrained(func);
    }
    pcie_port_update_events(func);
}

void pcie_link_retrained(struct pci_func *func)
{
    if (!faces_down(func) || !(get(func, PCIE_LNKSTA) & PCIE_LNKSTA_DLL_ACTIVE)) {
        return;
    }
    /* 7.5.3.8: the bit belongs to the notification capability. */
    if (get(func, PCIE_LNKCAP) & PCIE_LNKCAP_BANDWIDTH &&
        !flaw_on(func->flaws, FLAW_LINK_BANDWIDTH)) {
        update(func, PCIE_LNKSTA, PCIE_LNKSTA_BANDWIDTH, PCIE_LNKSTA_BANDWIDTH);
        pcie_port_update_events(func);
    }
}

unsigned pcie_target_speed(const struct pci_func *func)
{
    unsigned target, most;

    if (!has(func, PCIE_LNKCTL2)) {
        return 0;
    }
    target = (unsigned)FIELD_GET(PCIE_LNKCTL2_TARGET, get(func, PCIE_LNKCTL2));
    most = (unsigned)FIELD_GET(PCIE_LNKCAP_SPEED, get(func, PCIE_LNKCAP));
    return target >= 1 && target <= most && !flaw_on(func->flaws, FLAW_LINK_TARGET_SPEED) ? target
                                                                                          : most;
}

static void root_status_show(struct pci_func *func, struct pci_rid requester)
{
    update(func, PCIE_ROOTSTA, PCIE_ROOTSTA_REQUESTER | PCIE_ROOTSTA_PME,
           (flaw_on(func->flaws, FLAW_PME_REQUESTER) ? 0u : requester.v) | PCIE_ROOTSTA_PME);
}

void pcie_root_pme(struct pci_func *func, struct pci_rid requester)
{
    if (!has(func, PCIE_ROOTSTA) || flaw_on(func->flaws, FLAW_PME_LOST)) {
        return;
    }
    if (!(get(func, PCIE_ROOTSTA) & PCIE_ROOTSTA_PME)) {
        root_status_show(func, requester);
    } else if (func->pme_count < PCIE_PME_QUEUE && !flaw_on(func->flaws, FLAW_PME_SECOND)) {
        func->pme_queue[func->pme_count++] = requester;
        update(func, PCIE_ROOTSTA, PCIE_ROOTSTA_PENDING, PCIE_ROOTSTA_PENDING);
    }
    pcie_port_update_events(func);
}

void pcie_root_status_written(struct pci_func *func, const struct reg_write *write)
{
    bool cleared = write->old_value & ~write->new_value & PCIE_ROOTSTA_PME;

    pcie_port_update_events(func);
    if (!cleared || !func->pme_count) {
        return;
    }
    /* 7.5.3.14: the next PME takes the place of the one that was cleared. */
    root_status_show(func, func->pme_queue[0]);
    func->pme_count--;
    memmove(&func->pme_queue[0], &func->pme_queue[1], func->pme_count * sizeof(func->pme_queue[0]));
    update(func, PCIE_ROOTSTA, PCIE_ROOTSTA_PENDING, func->pme_count ? PCIE_ROOTSTA_PENDING : 0);
    pcie_port_update_events(func);
}
