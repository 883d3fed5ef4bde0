/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions as they are numbered now, and the inside of one. */
#include "board.h"
#include "pcilab/endpoint/ats_inspect.h"
#include "pcilab/endpoint/endpoint.h"
#include "pcilab/pci/config.h"
#include "pcilab/platform/inspect.h"
#include "pcilab/switch/switch.h"

typedef void (*function_fn)(void *opaque, uint16_t segment, struct pci_func *func);

struct visit {
    function_fn fn;
    void *opaque;
    uint16_t segment;
};

static void visit_one(void *opaque, struct pci_func *func)
{
    const struct visit *visit = opaque;

    visit->fn(visit->opaque, visit->segment, func);
}

/* CHOICE: host bridges, event collectors and what stands in for real computers (shells) are not
 * among them: lspci in the guest shows all that they have. */
void board_visit_part(const struct board_part *part, function_fn fn, void *opaque)
{
    struct visit state = {fn, opaque, part->bridge ? part->bridge->map.segment : 0};
    struct visit *visit = &state;

    switch (part->kind) {
    case MACHINE_ROOT_PORT: visit_one(visit, root_port_func(part->object)); break;
    case MACHINE_SWITCH:
        for (int i = -1; i < (int)part->down_count; i++)
            visit_one(visit, pcie_switch_func(part->object, i));
        break;
    default:
        if (board_is_endpoint(part->kind))
            endpoint_visit(part->object, visit_one, visit);
    }
}

static void visit_functions(struct machine *machine, function_fn fn, void *opaque)
{
    for (unsigned i = 0; i < machine->part_count; i++)
        board_visit_part(&machine->part[i], fn, opaque);
}

static void inspect_place(const struct inspect *in, uint16_t segment, const struct pci_func *func)
{
    inspect_text(in, "function", "%04x:%02x:%02x.%x", segment, pci_rid_bus(func->rid),
                 pci_rid_device(func->rid), pci_rid_devfn(func->rid) & 7);
    inspect_text(in, "name", "%s", func->name);
}

static void command_text(const struct inspect *in, const struct pci_func *func)
{
    inspect_text(in, "command", "0x%04x:%s%s%s%s", func->command,
                 func->command & PCI_COMMAND_IO ? " I/O" : "",
                 func->command & PCI_COMMAND_MEMORY ? " memory" : "",
                 func->command & PCI_COMMAND_MASTER ? " bus-master" : "",
                 func->command & PCI_COMMAND_INTX_OFF ? " no-INTx" : "");
}

static void list_row(void *opaque, uint16_t segment, struct pci_func *func)
{
    const struct inspect *in = opaque;

    inspect_object(in, NULL);
    inspect_place(in, segment, func);
    command_text(in, func);
    inspect_text(in, "power", func->power_state ? "D3hot" : "D0");
    inspect_object_end(in);
}

void machine_inspect_functions(struct machine *machine, const struct inspect *in)
{
    inspect_list(in, "functions");
    visit_functions(machine, list_row, (void *)in);
    inspect_list_end(in);
}

/* Address Translation Services. */

struct ats_tables {
    struct board_iommu *unit;
    uint16_t requester;
};

static void look(void *opaque, const struct endpoint_ats_question *question,
                 struct ats_translation *now)
{
    const struct ats_tables *tables = opaque;
    const struct iommu_access access = {
        .addr = question->addr,
        .sid = tables->requester,
        .has_pasid = question->has_pasid,
        .pasid = question->pasid,
        .privileged = question->privileged,
        .at = IOMMU_TRANSLATION_REQUEST,
        .no_write = true,
    };
    struct iommu_request answer;

    if (!vtd_look(tables->unit->vtd, &access, &answer))
        return;
    now->addr = answer.addr;
    now->shift = answer.shift;
    now->read = answer.perms & PT_PERM_READ;
    now->write = answer.perms & PT_PERM_WRITE;
}

struct ats_row {
    struct machine *machine;
    const struct inspect *in;
};

static void ats_row(void *opaque, uint16_t segment, struct pci_func *func)
{
    const struct ats_row *row = opaque;
    const struct board_bridge *bridge = host_find_ecam(row->machine, segment, func->rid.v >> 8);
    struct ats_tables tables = {.requester = func->rid.v};
    const struct endpoint_ats_tables asked = {look, &tables};

    if (func->header == PCI_HEADER_TYPE1 || !func->ext_ats || !endpoint_has_ats(func))
        return;
    if (bridge)
        tables.unit = board_iommu_of(bridge, func->rid.v);
    inspect_object(row->in, NULL);
    inspect_place(row->in, segment, func);
    endpoint_inspect_ats(func, row->in, tables.unit ? &asked : NULL);
    inspect_object_end(row->in);
}

void machine_inspect_ats(struct machine *machine, const struct inspect *in)
{
    struct ats_row row = {machine, in};

    inspect_list(in, "ats");
    visit_functions(machine, ats_row, &row);
    inspect_list_end(in);
}

/* One function. */

static void inspect_bars(const struct inspect *in, const struct pci_func *func)
{
    static const char *const kinds[] = {
        [PCI_BAR_IO] = "I/O",
        [PCI_BAR_MEM32] = "32-bit",
        [PCI_BAR_MEM64] = "64-bit",
        [PCI_BAR_MEM64_PREF] = "64-bit prefetchable",
    };

    inspect_list(in, "bars");
    for (unsigned i = 0; i <= PCI_BAR_COUNT; i++) {
        const struct pci_bar *bar = &func->bar[i];

        if (bar->kind == PCI_BAR_NONE)
            continue;
        inspect_object(in, NULL);
        inspect_number(in, "bar", i);
        inspect_text(in, "kind", "%s", kinds[bar->kind]);
        inspect_hex(in, "bytes", bar->size);
        inspect_hex(in, "at", bar->addr);
        inspect_flag(in, "decodes", bar->mapped);
        inspect_object_end(in);
    }
    inspect_list_end(in);
}

static void inspect_windows(const struct inspect *in, const struct pci_bridge_windows *w)
{
    inspect_object(in, "windows");
    inspect_text(in, "buses", "%02x, %02x-%02x below", w->primary, w->secondary, w->subordinate);
    if (w->mem_base <= w->mem_limit)
        inspect_text(in, "memory", "0x%llx-0x%llx", (unsigned long long)w->mem_base,
                     (unsigned long long)w->mem_limit);
    if (w->pref_base <= w->pref_limit)
        inspect_text(in, "prefetchable", "0x%llx-0x%llx", (unsigned long long)w->pref_base,
                     (unsigned long long)w->pref_limit);
    if (w->io_base <= w->io_limit)
        inspect_text(in, "io", "0x%llx-0x%llx", (unsigned long long)w->io_base,
                     (unsigned long long)w->io_limit);
    inspect_object_end(in);
}

static void register_row(void *opaque, const struct reg_def *def, unsigned offset, uint64_t value)
{
    const struct inspect *in = opaque;

    inspect_object(in, NULL);
    inspect_text(in, "offset", "%03x", offset);
    inspect_text(in, "register", "%s", def->name);
    inspect_text(in, "value", "0x%0*llx", def->width * 2, (unsigned long long)value);
    inspect_text(in, "clause", "%s", def->clause);
    inspect_object_end(in);
}

struct wanted {
    uint16_t segment, requester;
    struct pci_func *found;
};

static void match(void *opaque, uint16_t segment, struct pci_func *func)
{
    struct wanted *wanted = opaque;

    if (segment == wanted->segment && func->rid.v == wanted->requester)
        wanted->found = func;
}

bool machine_inspect_function(struct machine *machine, const struct inspect *in, uint16_t segment,
                              uint16_t requester, GError **error)
{
    struct wanted wanted = {.segment = segment, .requester = requester};
    const struct pci_func *func;

    visit_functions(machine, match, &wanted);
    func = wanted.found;
    if (!func) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                    "no function has this number now; \"functions\" lists those that have one");
        return false;
    }
    inspect_place(in, segment, func);
    command_text(in, func);
    inspect_text(in, "power", func->power_state ? "D3hot" : "D0");
    inspect_text(in, "interrupts", "%s",
                 !pci_func_msi_enabled((struct pci_func *)func) ? "INTx"
                 : func->msix_count                             ? "MSI-X or MSI"
                                                                : "MSI");
    inspect_bars(in, func);
    if (func->header == PCI_HEADER_TYPE1)
        inspect_windows(in, &func->windows);
    inspect_list(in, "registers");
    reg_space_visit(func->cfg, register_row, (void *)in);
    inspect_list_end(in);
    return true;
}
