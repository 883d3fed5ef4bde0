/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a hand does to a machine that runs: cards in slots, attention buttons, latches. */
#include "board.h"
#include "pcilab/fabric/bridge.h"
#include "pcilab/pci/config.h"
#include "pcilab/platform/probe.h"

void touch_init(struct board_part *part, const struct machine_component *c, struct port *above)
{
    part->above = above;
    part->down_count = c->kind == MACHINE_SWITCH ? c->sw.down_count : 0;
    if (c->unplugged)
        slot_plug(above, false);
}

static const char *touch_refused(const struct port *port, enum machine_touch what)
{
    if (!port)
        return "no port, and nothing that is plugged into one";
    switch (what) {
    case MACHINE_PLUG:
    case MACHINE_UNPLUG: return port->link ? NULL : "nothing belongs into this port";
    case MACHINE_PRESS:
        return pcie_slot_can(port->func, PCIE_SLTCAP_BUTTON)
                   ? NULL
                   : "its port has no attention button: give it hotplug=yes";
    case MACHINE_POWER_FAULT:
        return pcie_slot_can(port->func, PCIE_SLTCAP_POWER_CONTROL)
                   ? NULL
                   : "its port has no power controller: give it hotplug=yes";
    default:
        return pcie_slot_can(port->func, PCIE_SLTCAP_LATCH)
                   ? NULL
                   : "its port has no latch: give it hotplug=yes";
    }
}

bool machine_can_touch(struct machine *machine, enum machine_touch what, const char *name,
                       GError **error)
{
    const char *why = touch_refused(machine_port_above(machine, name), what);

    if (why)
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT, "%s: %s", name, why);
    return !why;
}

void machine_touch(struct machine *machine, enum machine_touch what, const char *name)
{
    struct port *port = machine_port_above(machine, name);

    if (touch_refused(port, what))
        return;
    switch (what) {
    case MACHINE_PLUG: slot_plug(port, true); break;
    case MACHINE_UNPLUG: slot_plug(port, false); break;
    case MACHINE_PRESS: slot_press(port); break;
    case MACHINE_LATCH_OPEN: slot_set_latch(port, true); break;
    case MACHINE_LATCH_CLOSE: slot_set_latch(port, false); break;
    case MACHINE_POWER_FAULT: slot_power_fault(port); break;
    }
}
