/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a hand does to a machine that runs: cards in slots, attention buttons, latches. */
#include <string.h>

#include "board.h"
#include "pcilab/fabric/bridge.h"
#include "pcilab/pci/config.h"
#include "pcilab/switch/switch.h"

void touch_init(struct board_part *part, const struct machine_component *c, struct port *above)
{
    part->above = above;
    part->down_count = c->kind == MACHINE_SWITCH ? c->sw.down_count : 0;
    if (c->unplugged)
        slot_plug(above, false);
}

static struct board_part *part_named(struct machine *machine, const char *name, size_t len)
{
    for (unsigned i = 0; i < machine->part_count; i++) {
        struct board_part *part = &machine->part[i];

        if (strncmp(part->name, name, len) == 0 && !part->name[len])
            return part;
    }
    return NULL;
}

/* "sw0.3" */
static struct port *switch_port_named(struct machine *machine, const char *name)
{
    const char *dot = strrchr(name, '.');
    struct board_part *part = dot ? part_named(machine, name, (size_t)(dot - name)) : NULL;
    guint64 index;

    if (!part || part->kind != MACHINE_SWITCH ||
        !g_ascii_string_to_unsigned(dot + 1, 10, 0, part->down_count - 1, &index, NULL))
        return NULL;
    return pcie_switch_downstream(part->object, (unsigned)index);
}

/* The port that is meant: a component stands for the port that it is plugged into. */
static struct port *port_named(struct machine *machine, const char *name)
{
    struct board_part *part = part_named(machine, name, strlen(name));

    if (!part)
        return switch_port_named(machine, name);
    return part->kind == MACHINE_ROOT_PORT ? root_port_link(part->object) : part->above;
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
    const char *why = touch_refused(port_named(machine, name), what);

    if (why)
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT, "%s: %s", name, why);
    return !why;
}

void machine_touch(struct machine *machine, enum machine_touch what, const char *name)
{
    struct port *port = port_named(machine, name);

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
