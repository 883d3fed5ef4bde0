/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Slots with hot-plug (PCIe Base 6.0, 6.7): what a hand does to a card, a latch and a button, and
 * what the power controller does for software.
 *
 * CHOICE: the specification gives an upper bound of 1 s for a command (6.7.3.2) and none for power.
 * A command takes a millisecond here, power is good 20 ms after it was asked for, and it is gone at
 * once.
 */
#include "pcilab/fabric/bridge.h"
#include "pcilab/pci/config.h"

#include "internal.h"

#define COMMAND_PS (1 * PS_PER_MS)
#define POWER_PS   (20 * PS_PER_MS)

static struct bridge_port *bridge_of_port(struct port *port)
{
    return port->owner;
}

static void slot_command_over(void *opaque)
{
    struct bridge_port *bridge = opaque;

    if (!flaw_on(bridge->func->flaws, FLAW_SLOT_COMPLETED))
        pcie_slot_event(bridge->func, PCIE_SLTSTA_COMPLETED);
}

static bool slot_power_allowed(const struct bridge_port *bridge)
{
    return pcie_slot_power_wanted(bridge->func) && !bridge->slot.latch_open &&
           !bridge->func->slot_fault;
}

static void slot_power_good(void *opaque)
{
    struct bridge_port *bridge = opaque;

    if (slot_power_allowed(bridge))
        port_set_power(&bridge->port, true);
}

static void slot_power_off(struct bridge_port *bridge)
{
    sim_cancel(bridge->port.fabric->sim, &bridge->slot.power);
    port_set_power(&bridge->port, false);
}

void slot_init(struct bridge_port *bridge)
{
    bridge->slot.command_ps = COMMAND_PS;
    sim_event_init(&bridge->slot.command, slot_command_over, bridge);
    sim_event_init(&bridge->slot.power, slot_power_good, bridge);
}

void slot_fini(struct bridge_port *bridge)
{
    struct sim *sim = bridge->port.fabric->sim;

    sim_cancel(sim, &bridge->slot.command);
    sim_cancel(sim, &bridge->slot.power);
}

/* The port's registers were reset: power is asked for again, and no command is under way. */
void slot_reset(struct bridge_port *bridge)
{
    slot_fini(bridge);
    pcie_slot_latch_fault(bridge->func, false);
    slot_power_good(bridge);
}

void slot_control(struct pci_func *func, uint16_t old_value, uint16_t new_value)
{
    struct bridge_port *bridge = func->owner;
    struct sim *sim = bridge->port.fabric->sim;

    if (!pcie_slot_can(func, PCIE_SLTCAP_NO_COMPLETED)) {
        sim_cancel(sim, &bridge->slot.command);
        if (bridge->slot.command_ps != SIM_NEVER)
            sim_schedule_in(sim, &bridge->slot.command, bridge->slot.command_ps);
    }
    if (!pcie_slot_can(func, PCIE_SLTCAP_POWER_CONTROL))
        return;
    if (new_value & PCIE_SLTCTL_POWER_OFF)
        pcie_slot_latch_fault(func, false);
    if (new_value & PCIE_SLTCTL_POWER_OFF && !flaw_on(func->flaws, FLAW_SLOT_POWER_OFF))
        slot_power_off(bridge);
    else if (!sim_event_pending(&bridge->slot.power))
        sim_schedule_in(sim, &bridge->slot.power, POWER_PS);
}

void slot_plug(struct port *port, bool present)
{
    struct bridge_port *bridge = bridge_of_port(port);

    if (pcie_slot_interlocked(bridge->func)) {
        trace_say(port->fabric->trace, TRACE_STATE, port->name, "held by its interlock");
        return;
    }
    trace_say(port->fabric->trace, TRACE_STATE, port->name, "%s",
              present ? "plugged in" : "pulled out");
    /* Contacts of presence are the last to meet and the first to part (6.7.1). */
    if (!present)
        pcie_set_presence(bridge->func, false);
    port_set_present(port, present);
    if (present)
        pcie_set_presence(bridge->func, true);
    bridge_show_component(bridge);
}

bool slot_press(struct port *port)
{
    struct bridge_port *bridge = bridge_of_port(port);

    if (!pcie_slot_can(bridge->func, PCIE_SLTCAP_BUTTON))
        return false;
    trace_say(port->fabric->trace, TRACE_STATE, port->name, "attention button pressed");
    pcie_slot_event(bridge->func, PCIE_SLTSTA_BUTTON);
    return true;
}

bool slot_set_latch(struct port *port, bool open)
{
    struct bridge_port *bridge = bridge_of_port(port);

    if (!pcie_slot_can(bridge->func, PCIE_SLTCAP_LATCH))
        return false;
    trace_say(port->fabric->trace, TRACE_STATE, port->name, "latch %s", open ? "open" : "closed");
    bridge->slot.latch_open = open;
    /* 6.7.1.3: no power behind an open latch. It comes back when software asks for it anew. */
    if (open && !flaw_on(bridge->func->flaws, FLAW_SLOT_LATCH))
        slot_power_off(bridge);
    pcie_slot_set_latch(bridge->func, open);
    return true;
}

bool slot_set_command_time(struct port *port, uint64_t time_ps)
{
    struct bridge_port *bridge = bridge_of_port(port);

    if (!pcie_slot_can(bridge->func, PCIE_SLTCAP_HOTPLUG) ||
        pcie_slot_can(bridge->func, PCIE_SLTCAP_NO_COMPLETED))
        return false;
    bridge->slot.command_ps = time_ps;
    return true;
}

/* 6.7.1.8: the power controller takes the power away by itself; software switches it off, which
 * forgets the fault, and on. */
bool slot_power_fault(struct port *port)
{
    struct bridge_port *bridge = bridge_of_port(port);

    if (!pcie_slot_can(bridge->func, PCIE_SLTCAP_POWER_CONTROL))
        return false;
    trace_say(port->fabric->trace, TRACE_STATE, port->name, "power fault");
    pcie_slot_latch_fault(bridge->func, true);
    slot_power_off(bridge);
    return true;
}
