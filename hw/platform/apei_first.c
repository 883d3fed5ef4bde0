/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Firmware first: a root port or event collector that gets an error message asks for System
 * Management by its System Error (PCIe Base 6.0, 7.5.3.12, 6.2.6); the firmware finds out who sent
 * it, keeps what the registers say in an error record, and clears them.
 *
 * CHOICE: it is there 20 us later, and then everything takes no time; its accesses to registers are
 * no TLPs. What is behind a link that is down it does not reach.
 */
#include "apei.h"
#include "board.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/pci/config.h"
#include "pcilab/pci/error.h"
#include "pcilab/pci/sriov.h"
#include "pcilab/switch/switch.h"

#define MANAGEMENT_DELAY_PS (20 * PS_PER_US)
#define ADVISORY            (1u << (PCI_ERROR_ADVISORY - PCI_ERROR_CORRECTABLE))
#define RECEIVED            (PCI_AER_ROOT_STATUS_COR | PCI_AER_ROOT_STATUS_UNCOR)

void apei_system_error(void *opaque)
{
    struct machine *machine = opaque;
    struct apei *apei = machine->apei;

    if (apei && !sim_event_pending(&apei->look))
        sim_schedule_in(&machine->sim, &apei->look, MANAGEMENT_DELAY_PS);
}

/* The component that a port facing down belongs to. */
static const struct board_part *owner_of(const struct machine *machine, const struct port *port)
{
    for (unsigned i = 0; i < machine->part_count; i++) {
        const struct board_part *part = &machine->part[i];

        if (part->kind == MACHINE_ROOT_PORT && root_port_link(part->object) == port)
            return part;
        for (unsigned down = 0; part->kind == MACHINE_SWITCH && down < part->down_count; down++) {
            if (pcie_switch_downstream(part->object, down) == port)
                return part;
        }
    }
    return NULL;
}

/* Up to the root bus all links work. `root`, if not NULL, gets the root port. */
bool apei_is_reachable(const struct machine *machine, const struct board_part *part,
                       const struct board_part **root)
{
    bool up = true;

    while (part && part->above) {
        up = up && port_link_up(part->above);
        part = owner_of(machine, part->above);
    }
    if (root)
        *root = part;
    return up;
}

/* Looking through functions. */

struct search {
    const struct board_part *root; /* only what is below, and itself; NULL: anything */
    bool integrated;               /* or only what is on the root bus */
    uint16_t segment;
    bool any;
    struct pci_rid rid;
    void (*found)(void *opaque, struct pci_func *func);
    void *opaque;
};

static void search_one(void *opaque, uint16_t segment, struct pci_func *func)
{
    const struct search *search = opaque;

    if (search->any || func->rid.v == search->rid.v)
        search->found(search->opaque, func);
}

static void search_part(struct machine *machine, const struct board_part *part,
                        struct search *search)
{
    const struct board_part *root;

    if (!part->bridge || part->bridge->map.segment != search->segment ||
        !apei_is_reachable(machine, part, &root) || (search->root && root != search->root) ||
        (search->integrated && root->kind == MACHINE_ROOT_PORT))
        return;
    board_visit_part(part, search_one, search);
}

static void search_functions(struct machine *machine, struct search *search)
{
    for (unsigned i = 0; i < machine->part_count; i++)
        search_part(machine, &machine->part[i], search);
}

static void remember(void *opaque, struct pci_func *func)
{
    struct pci_func **found = opaque;

    if (!*found)
        *found = func;
}

struct pci_func *apei_find(struct machine *machine, uint16_t segment, struct pci_rid rid)
{
    struct pci_func *found = NULL;
    struct search search = {.segment = segment, .rid = rid, .found = remember, .opaque = &found};

    for (unsigned i = 0; i < machine->bridge_count; i++) {
        struct pci_func *collector = root_collector_func(machine->bridge[i].rc);

        if (machine->bridge[i].map.segment == segment && collector && collector->rid.v == rid.v)
            return collector;
    }
    search_functions(machine, &search);
    return found;
}

/* Records. */

static uint32_t aer(const struct pci_func *func, unsigned reg)
{
    return (uint32_t)reg_get(func->cfg, func->ext_aer + reg);
}

/* A VF's masks and severities are its PF's (PCIe Base 6.0, 9.4.2.5). */
static uint32_t setting(const struct pci_func *func, unsigned reg)
{
    return aer(func->pf ? func->pf : func, reg);
}

static void copy_config(struct pci_func *func, unsigned from, uint8_t *to, unsigned len)
{
    for (unsigned i = 0; i < len; i += 4)
        le32_store(to + i, pci_func_config_read(func, from + i, 4));
}

/* Of a Virtual Function: its PF's (9.3.4.1.1, 9.3.3.11). */
static void describe_ids(struct pci_func *func, struct cper_record *record)
{
    struct pci_func *pf = func->pf ? func->pf : func;
    unsigned device = func->pf ? pf->ext_sriov + PCI_SRIOV_VF_DEVICE : PCI_DEVICE_ID;

    record->pcie.vendor = (uint16_t)pci_func_config_read(pf, PCI_VENDOR_ID, 2);
    record->pcie.device = (uint16_t)pci_func_config_read(pf, device, 2);
    record->pcie.class_code = pci_func_config_read(func, PCI_REVISION, 4) >> 8;
}

void apei_describe(struct pci_func *func, uint16_t segment, struct cper_record *record)
{
    *record = (struct cper_record){.kind = CPER_PCIE};
    g_strlcpy(record->where, func->name, sizeof(record->where));
    record->pcie.segment = segment;
    record->pcie.bus = (uint8_t)pci_rid_bus(func->rid);
    record->pcie.devfn = (uint8_t)pci_rid_devfn(func->rid);
    record->pcie.port_type = func->pcie_type;
    describe_ids(func, record);
    record->pcie.command = (uint16_t)pci_func_config_read(func, PCI_COMMAND, 2);
    record->pcie.status = (uint16_t)pci_func_config_read(func, PCI_STATUS, 2);
    if (func->header == PCI_HEADER_TYPE1) {
        record->pcie.secondary_bus = func->windows.secondary;
        record->pcie.secondary_status =
            (uint16_t)pci_func_config_read(func, PCI_SECONDARY_STATUS, 2);
        record->pcie.bridge_control = (uint16_t)pci_func_config_read(func, PCI_BRIDGE_CONTROL, 2);
    }
    if (func->cap_pcie) {
        record->pcie.has_capability = true;
        copy_config(func, func->cap_pcie, record->pcie.capability, CPER_PCIE_CAP_BYTES);
    }
    if (func->ext_aer) {
        record->pcie.has_aer = true;
        copy_config(func, func->ext_aer, record->pcie.aer, CPER_PCIE_AER_BYTES);
    }
}

/* What is being looked after: a root port's messages. */
struct care {
    struct apei *apei;
    uint16_t segment;
    bool correctable; /* these are looked for; else the others */
};

static void clear_status(struct pci_func *func, unsigned reg, uint32_t bits)
{
    pci_func_config_write(func, func->ext_aer + reg, 4, bits);
}

static void note_error(void *opaque, struct pci_func *func)
{
    const struct care *care = opaque;
    struct cper_record record;
    uint32_t bits;

    if (!func->ext_aer)
        return;
    if (care->correctable)
        bits = aer(func, PCI_AER_COR_STATUS) & ~setting(func, PCI_AER_COR_MASK);
    else
        bits = aer(func, PCI_AER_UNCOR_STATUS) & ~setting(func, PCI_AER_UNCOR_MASK);
    if (!bits)
        return;
    apei_describe(func, care->segment, &record);
    if (care->correctable) {
        record.severity = record.section = CPER_CORRECTED;
        clear_status(func, PCI_AER_COR_STATUS, bits);
        /* 6.2.3.2.4: what was advisory is in both. */
        if (bits & ADVISORY)
            clear_status(func, PCI_AER_UNCOR_STATUS,
                         aer(func, PCI_AER_UNCOR_STATUS) & ~setting(func, PCI_AER_UNCOR_SEVERITY));
    } else {
        bool fatal = bits & setting(func, PCI_AER_UNCOR_SEVERITY);

        record.section = fatal ? CPER_FATAL : CPER_RECOVERABLE;
        record.severity = fatal && care->apei->panics ? CPER_FATAL : CPER_RECOVERABLE;
        clear_status(func, PCI_AER_UNCOR_STATUS, bits);
    }
    apei_report(care->apei, &record);
}

/* One kind of message: of who is named, or of all when there were several. */
static void care_for(struct care *care, const struct board_part *root, struct pci_func *port,
                     bool several, uint32_t source)
{
    struct search search = {
        .root = root,
        .integrated = !root,
        .segment = care->segment,
        .any = several,
        .rid = {(uint16_t)source},
        .found = note_error,
        .opaque = care,
    };

    /* A root port is among the components; a collector is not. */
    if (!root && (several || port->rid.v == search.rid.v))
        note_error(care, port);
    search_functions(care->apei->machine, &search);
}

/* `root`: the component of a root port; NULL for an event collector. */
static void look_at(struct apei *apei, uint16_t segment, const struct board_part *root,
                    struct pci_func *port)
{
    struct care care = {.apei = apei, .segment = segment};
    uint32_t status = aer(port, PCI_AER_ROOT_STATUS), source = aer(port, PCI_AER_ROOT_SOURCE);

    if (!(status & RECEIVED))
        return;
    clear_status(port, PCI_AER_ROOT_STATUS, status);
    if (status & PCI_AER_ROOT_STATUS_COR) {
        care.correctable = true;
        care_for(&care, root, port, status & PCI_AER_ROOT_STATUS_MULTI_COR, source & 0xffff);
    }
    if (status & PCI_AER_ROOT_STATUS_UNCOR) {
        care.correctable = false;
        care_for(&care, root, port, status & PCI_AER_ROOT_STATUS_MULTI_UNCOR, source >> 16);
    }
}

void apei_look(void *opaque)
{
    struct apei *apei = opaque;
    struct machine *machine = apei->machine;

    for (unsigned i = 0; i < apei->port_count; i++) {
        const struct board_part *part = apei->port[i].part;

        look_at(apei, part->bridge->map.segment, part, root_port_func(part->object));
    }
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        struct board_bridge *bridge = &machine->bridge[i];
        struct pci_func *collector = root_collector_func(bridge->rc);

        if (bridge->firmware_first && collector)
            look_at(apei, bridge->map.segment, NULL, collector);
    }
    apei_edr_look(apei);
}

/* What firmware programs before a kernel runs: functions report, root ports ask for help, and what
 * its own search has left in status registers is gone. What is
 * plugged in later gets the same by _HPX. */

static void set_bits(struct pci_func *func, unsigned reg, uint16_t bits)
{
    if (reg_has(func->cfg, func->cap_pcie + reg))
        pci_func_config_write(func, func->cap_pcie + reg, 2,
                              pci_func_config_read(func, func->cap_pcie + reg, 2) | bits);
}

static void program(void *opaque, uint16_t segment, struct pci_func *func)
{
    if (!func->cap_pcie || func->pf)
        return;
    set_bits(func, PCIE_DEVCTL,
             PCIE_DEVCTL_COR | PCIE_DEVCTL_NONFATAL | PCIE_DEVCTL_FATAL | PCIE_DEVCTL_UR);
    set_bits(func, PCIE_DEVSTA, 0); /* all that is set is cleared */
    if (func->ext_aer) {
        clear_status(func, PCI_AER_UNCOR_STATUS, ~0u);
        clear_status(func, PCI_AER_COR_STATUS, ~0u);
        if (reg_has(func->cfg, func->ext_aer + PCI_AER_ROOT_STATUS))
            clear_status(func, PCI_AER_ROOT_STATUS, ~0u);
    }
    if (func->pcie_type == PCIE_ROOT_PORT || func->pcie_type == PCIE_RC_EVENT_COLLECTOR)
        set_bits(func, PCIE_ROOTCTL, PCIE_ROOTCTL_SYSTEM_ERROR);
    if (func->header == PCI_HEADER_TYPE1)
        pci_func_config_write(func, PCI_BRIDGE_CONTROL, 2,
                              pci_func_config_read(func, PCI_BRIDGE_CONTROL, 2) |
                                  PCI_BRIDGE_CONTROL_SERR);
}

void apei_first_boot(struct apei *apei)
{
    struct machine *machine = apei->machine;

    for (unsigned i = 0; i < machine->part_count; i++) {
        const struct board_part *part = &machine->part[i];

        if (part->bridge && part->bridge->firmware_first && apei_is_reachable(machine, part, NULL))
            board_visit_part(part, program, NULL);
    }
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        struct pci_func *collector = root_collector_func(machine->bridge[i].rc);

        if (machine->bridge[i].firmware_first && collector)
            program(NULL, 0, collector);
    }
}
