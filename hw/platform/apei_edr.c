/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Error Disconnect Recover (ACPI 6.5, 5.6.6; PCI Firmware 3.3, 4.6.12 and 4.6.13): Downstream Port
 * Containment of which the firmware keeps control. Ports tell of it by ERR_COR (PCIe Base 6.0,
 * 6.2.11.2), which makes the root port ask for System Management; AML then notifies the root port,
 * _DSM function 0Dh says which port contains, and _OST how it went.
 */
#include "apei.h"
#include "board.h"
#include "pcilab/base/bits.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/dpc.h"
#include "pcilab/switch/switch.h"

/* CHOICE: what triggers is what Linux has trigger when it has control: ERR_FATAL. */
#define CONTROL_ON (1u | PCI_DPC_CONTROL_ERR_COR)

#define OST_SUCCESS 0x80u

static struct apei_port *port_at(const struct apei *apei, uint32_t index)
{
    return index < apei->port_count ? (struct apei_port *)&apei->port[index] : NULL;
}

typedef void (*port_fn)(void *opaque, struct pci_func *func);

struct below {
    const struct machine *machine;
    const struct board_part *root;
    port_fn fn;
    void *opaque;
};

/* The root port, and the downstream ports of every switch below it, that can contain. */
static void visit_switch(const struct below *below, const struct board_part *part)
{
    const struct board_part *root;

    if (part->kind != MACHINE_SWITCH || !apei_is_reachable(below->machine, part, &root) ||
        root != below->root)
        return;
    for (unsigned i = 0; i < part->down_count; i++) {
        struct pci_func *func = pcie_switch_func(part->object, (int)i);

        if (func->ext_dpc)
            below->fn(below->opaque, func);
    }
}

static void visit_ports(const struct apei *apei, const struct apei_port *port, port_fn fn,
                        void *opaque)
{
    const struct machine *machine = apei->machine;
    const struct below below = {machine, port->part, fn, opaque};
    struct pci_func *root = root_port_func(port->part->object);

    if (root->ext_dpc)
        fn(opaque, root);
    for (unsigned i = 0; i < machine->part_count; i++)
        visit_switch(&below, &machine->part[i]);
}

static void control_port(void *opaque, struct pci_func *func)
{
    const bool *enable = opaque;
    unsigned reg = func->ext_dpc + PCI_DPC_CONTROL;
    uint32_t old = pci_func_config_read(func, reg, 2) & ~(uint32_t)PCI_DPC_CONTROL_TRIGGER;

    pci_func_config_write(func, reg, 2,
                          *enable ? old | CONTROL_ON : old & ~(uint32_t)PCI_DPC_CONTROL_ERR_COR);
}

void apei_edr_enable(struct apei *apei, uint32_t index, bool enable)
{
    struct apei_port *port = port_at(apei, index);

    if (!port)
        return;
    port->edr_enabled = enable;
    visit_ports(apei, port, control_port, &enable);
}

static void find_contained(void *opaque, struct pci_func *func)
{
    struct pci_func **found = opaque;

    if (!*found && pci_dpc_contains(func))
        *found = func;
}

void apei_edr_look(struct apei *apei)
{
    for (unsigned i = 0; i < apei->port_count; i++) {
        struct apei_port *port = &apei->port[i];

        if (!port->edr_enabled || port->edr != APEI_EDR_IDLE)
            continue;
        port->contained = NULL;
        visit_ports(apei, port, find_contained, &port->contained);
        if (!port->contained)
            continue;
        port->edr = APEI_EDR_DUE;
        trace_say(&apei->machine->trace, TRACE_STATE, "firmware", "tells %s of containment at %s",
                  port->part->name, port->contained->name);
        apei_raise(apei, APEI_EVENT_EDR);
    }
}

uint32_t apei_edr_first(const struct apei *apei)
{
    for (unsigned i = 0; i < apei->port_count; i++) {
        if (apei->port[i].edr == APEI_EDR_DUE)
            return i;
    }
    return APEI_EDR_NONE;
}

void apei_edr_take(struct apei *apei, uint32_t index)
{
    struct apei_port *port = port_at(apei, index);

    if (port && port->edr == APEI_EDR_DUE)
        port->edr = APEI_EDR_TOLD;
}

uint32_t apei_edr_locate(const struct apei *apei, uint32_t index)
{
    const struct apei_port *port = port_at(apei, index);

    return port && port->contained ? port->contained->rid.v : APEI_EDR_NONE;
}

/* The next event at this port, if one has come meanwhile, is looked for. */
void apei_edr_over(struct apei *apei, uint32_t index, uint32_t status)
{
    struct apei_port *port = port_at(apei, index);

    if (!port || port->edr != APEI_EDR_TOLD)
        return;
    trace_say(&apei->machine->trace, TRACE_STATE, "firmware", "is told by %s of %04x: %s",
              port->part->name, status >> 16,
              (status & 0xffff) == OST_SUCCESS ? "recovered" : "not recovered");
    port->edr = APEI_EDR_IDLE;
    port->contained = NULL;
    if ((status & 0xffff) == OST_SUCCESS)
        apei_system_error(apei->machine);
}
