/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slot registers of the PCI Express capability (PCIe Base 6.0, 7.5.3.9 to 7.5.3.11) and their
 * events (6.7.3). What happens to a slot, and when, is decided by whoever owns the port.
 */
#include "internal.h"
#include "pcie.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"

#include <assert.h>

#define INDICATOR_OFF    3
#define SLOT_POWER_250W  0xf0 /* 7.5.3.9: above 239 W the value names steps */
#define SLOT_POWER_EXACT 239

#define STATUS_EVENTS                                                                              \
    (PCIE_SLTSTA_BUTTON | PCIE_SLTSTA_FAULT | PCIE_SLTSTA_LATCH_CHG | PCIE_SLTSTA_PRESENCE_CHG |   \
     PCIE_SLTSTA_COMPLETED | PCIE_SLTSTA_DLL_CHG)

static void slot_status_written(struct reg_space *space, unsigned offset,
                                const struct reg_write *write)
{
    struct pci_func *func = func_of_space(space);

    (void)write;
    /* 6.7.1.8: while the fault is latched, Power Fault Detected cannot be cleared for good. */
    if (func->slot_fault && !flaw_on(func->flaws, FLAW_SLOT_FAULT))
        reg_update(space, offset, PCIE_SLTSTA_FAULT, PCIE_SLTSTA_FAULT);
    pcie_port_update_events(func);
}

/* What is plugged in, the latch and the interlock stay so over resets. */
#define STATES (PCIE_SLTSTA_PRESENCE | PCIE_SLTSTA_LATCH_OPEN | PCIE_SLTSTA_INTERLOCK)

/* Turns a state bit round. */
static void slot_hwinit_state(struct pci_func *func, uint16_t state)
{
    unsigned offset = func->cap_pcie + PCIE_SLTSTA;
    uint64_t status = reg_get(func->cfg, offset), events = status & STATUS_EVENTS;

    reg_hwinit(func->cfg, offset, (status ^ state) & STATES);
    reg_update(func->cfg, offset, events, events);
}

/* Every write is a command (6.7.3.2), whatever it changes. */
static void slot_control_written(struct reg_space *space, unsigned offset,
                                 const struct reg_write *write)
{
    struct pci_func *func = func_of_space(space);

    (void)offset;
    if (write->written & PCIE_SLTCTL_INTERLOCK && pcie_slot_can(func, PCIE_SLTCAP_INTERLOCK)) {
        slot_hwinit_state(func, PCIE_SLTSTA_INTERLOCK);
    }
    if (func->ops->slot_control) {
        func->ops->slot_control(func, (uint16_t)write->old_value, (uint16_t)write->new_value);
    }
    pcie_port_update_events(func);
}

/* clang-format off */
/* Indicators that are not there may read any defined value; Off leaves nothing unknown. */
static const struct reg_def slot_rows[] = {
    {.name = "slot_capabilities", .clause = "PCIe 6.0 7.5.3.9", .offset = PCIE_SLTCAP, .width = 4},
    {.name = "slot_control", .clause = "PCIe 6.0 7.5.3.10", .offset = PCIE_SLTCTL, .width = 2,
     .reset = FIELD_PREP(PCIE_SLTCTL_ATTENTION, INDICATOR_OFF) |
              FIELD_PREP(PCIE_SLTCTL_POWER_LED, INDICATOR_OFF),
     .w1t = PCIE_SLTCTL_INTERLOCK, .on_write = slot_control_written},
    {.name = "slot_status", .clause = "PCIe 6.0 7.5.3.11", .offset = PCIE_SLTSTA, .width = 2,
     .rw1c = STATUS_EVENTS, .on_write = slot_status_written},
    {.name = "slot_capabilities_2", .clause = "PCIe 6.0 7.5.3.21", .offset = PCIE_SLTCAP2,
     .width = 4},
    {.name = "slot_control_2", .clause = "PCIe 6.0 7.5.3.22", .offset = PCIE_SLTCTL2, .width = 2},
    {.name = "slot_status_2", .clause = "PCIe 6.0 7.5.3.23", .offset = PCIE_SLTSTA2, .width = 2},
};

/* Nothing can be taken out: what is there is there. */
static const struct reg_def no_slot_row[] = {
    {.name = "slot_status", .clause = "PCIe 6.0 7.5.3.11", .offset = PCIE_SLTSTA, .width = 2,
     .reset = PCIE_SLTSTA_PRESENCE},
};
/* clang-format on */

void pcie_place_no_slot(struct pci_func *func, unsigned cap)
{
    reg_space_place(func->cfg, cap, no_slot_row, ARRAY_LEN(no_slot_row));
}

void pcie_place_slot(struct pci_func *func, const struct pcie_params *p, unsigned cap)
{
    unsigned watts = p->slot_power_watts;
    uint64_t power = watts > SLOT_POWER_EXACT ? SLOT_POWER_250W : watts;
    uint64_t caps =
        FIELD_PREP(PCIE_SLTCAP_POWER, power) | FIELD_PREP(PCIE_SLTCAP_NUMBER, p->slot_number);
    uint64_t control = PCIE_SLTCTL_ATTENTION | PCIE_SLTCTL_POWER_LED;

    assert(p->slot_number < 8192);
    switch (p->hotplug) {
    case PCIE_HOTPLUG_NONE: caps |= PCIE_SLTCAP_NO_COMPLETED; break;
    case PCIE_HOTPLUG_FULL:
        caps |= PCIE_SLTCAP_HOTPLUG | PCIE_SLTCAP_BUTTON | PCIE_SLTCAP_POWER_CONTROL |
                PCIE_SLTCAP_LATCH | PCIE_SLTCAP_ATTENTION | PCIE_SLTCAP_POWER_LED |
                PCIE_SLTCAP_INTERLOCK;
        control |= PCIE_SLTCTL_BUTTON_IE | PCIE_SLTCTL_FAULT_IE | PCIE_SLTCTL_LATCH_IE |
                   PCIE_SLTCTL_COMPLETED_IE | PCIE_SLTCTL_POWER_OFF;
        break;
    case PCIE_HOTPLUG_SURPRISE:
        caps |= PCIE_SLTCAP_HOTPLUG | PCIE_SLTCAP_SURPRISE | PCIE_SLTCAP_NO_COMPLETED;
        break;
    }
    if (p->hotplug != PCIE_HOTPLUG_NONE) {
        control |= PCIE_SLTCTL_PRESENCE_IE | PCIE_SLTCTL_HOTPLUG_IE | PCIE_SLTCTL_DLL_IE;
    }
    reg_space_place(func->cfg, cap, slot_rows, ARRAY_LEN(slot_rows));
    reg_hwinit(func->cfg, cap + PCIE_SLTCAP, caps);
    reg_set_rw_mask(func->cfg, cap + PCIE_SLTCTL, control);
}

static bool has_slot(const struct pci_func *func)
{
    return func->cap_pcie && reg_has(func->cfg, func->cap_pcie + PCIE_SLTCAP);
}

static uint64_t slot_get(const struct pci_func *func, unsigned reg)
{
    return reg_get(func->cfg, func->cap_pcie + reg);
}

bool pcie_slot_can(const struct pci_func *func, uint32_t capability)
{
    return has_slot(func) && (slot_get(func, PCIE_SLTCAP) & capability);
}

bool pcie_slot_power_wanted(const struct pci_func *func)
{
    return !has_slot(func) || !(slot_get(func, PCIE_SLTCTL) & PCIE_SLTCTL_POWER_OFF);
}

/* Each event and the bit of Slot Control that lets it interrupt (7.5.3.10). */
bool pcie_slot_interrupts(const struct pci_func *func)
{
    static const struct {
        uint16_t status, enable;
    } events[] = {
        {PCIE_SLTSTA_BUTTON, PCIE_SLTCTL_BUTTON_IE},
        {PCIE_SLTSTA_FAULT, PCIE_SLTCTL_FAULT_IE},
        {PCIE_SLTSTA_LATCH_CHG, PCIE_SLTCTL_LATCH_IE},
        {PCIE_SLTSTA_PRESENCE_CHG, PCIE_SLTCTL_PRESENCE_IE},
        {PCIE_SLTSTA_COMPLETED, PCIE_SLTCTL_COMPLETED_IE},
        {PCIE_SLTSTA_DLL_CHG, PCIE_SLTCTL_DLL_IE},
    };
    uint64_t status, control;

    if (!has_slot(func)) {
        return false;
    }
    control = slot_get(func, PCIE_SLTCTL);
    if (!(control & PCIE_SLTCTL_HOTPLUG_IE) && !flaw_on(func->flaws, FLAW_SLOT_INTERRUPT)) {
        return false;
    }
    status = slot_get(func, PCIE_SLTSTA);
    for (unsigned i = 0; i < ARRAY_LEN(events); i++) {
        if ((status & events[i].status) &&
            (control & events[i].enable || flaw_on(func->flaws, FLAW_SLOT_EVENT_ENABLE))) {
            return true;
        }
    }
    return false;
}

/* UNIMPL: events send no PME while the port is in D3hot (6.7.3.4), which its PM capability says it
 * can; the kernel finds them when it wakes the port. */
void pcie_slot_event(struct pci_func *func, uint16_t events)
{
    if (has_slot(func)) {
        reg_update(func->cfg, func->cap_pcie + PCIE_SLTSTA, events, events);
        pcie_port_update_events(func);
    }
}

void pcie_slot_latch_fault(struct pci_func *func, bool fault)
{
    func->slot_fault = fault;
    if (fault)
        pcie_slot_event(func, PCIE_SLTSTA_FAULT);
}

/* A state bit and its change bit. */
static void slot_set_state(struct pci_func *func, uint16_t state, uint16_t change, bool set)
{
    uint64_t status;

    if (!has_slot(func)) {
        return;
    }
    status = slot_get(func, PCIE_SLTSTA);
    if (set == !!(status & state)) {
        return;
    }
    slot_hwinit_state(func, state);
    if (change == PCIE_SLTSTA_PRESENCE_CHG && flaw_on(func->flaws, FLAW_SLOT_PRESENCE)) {
        return;
    }
    pcie_slot_event(func, change);
}

void pcie_set_presence(struct pci_func *func, bool present)
{
    slot_set_state(func, PCIE_SLTSTA_PRESENCE, PCIE_SLTSTA_PRESENCE_CHG, present);
}

bool pcie_slot_interlocked(const struct pci_func *func)
{
    return has_slot(func) && (slot_get(func, PCIE_SLTSTA) & PCIE_SLTSTA_INTERLOCK);
}

void pcie_slot_set_latch(struct pci_func *func, bool open)
{
    if (pcie_slot_can(func, PCIE_SLTCAP_LATCH)) {
        slot_set_state(func, PCIE_SLTSTA_LATCH_OPEN, PCIE_SLTSTA_LATCH_CHG, open);
    }
}

uint32_t pcie_slot_power_limit(const struct pci_func *func)
{
    return has_slot(func) ? (uint32_t)FIELD_GET(PCIE_SLTCAP_POWER, slot_get(func, PCIE_SLTCAP)) : 0;
}
