/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What there is to draw. */
#include <string.h>

#include "pcilab/base/le.h"
#include "pcilab/config/topology.h"
#include "pcilab/config/units.h"
#include "pcilab/platform/enumerate.h"
#include "pcilab/platform/places.h"
#include "pcilab/platform/probe.h"
#include "topo_svg.h"

#define FUNCTIONS_SHOWN 16

static void func_free(void *item)
{
    g_free(((struct svg_func *)item)->name);
    g_free(item);
}

static void row_free(void *item)
{
    struct svg_row *row = item;

    g_free(row->place);
    g_free(row->name);
    g_free(row->text);
    g_free(row);
}

static void node_free(void *item)
{
    struct svg_node *node = item;

    g_ptr_array_unref(node->rows);
    g_free(node->facts);
    g_free(node->functions);
    g_free(node);
}

void svg_model_free(struct svg_model *model)
{
    if (!model) {
        return;
    }
    g_ptr_array_unref(model->funcs);
    g_ptr_array_unref(model->nodes);
    g_free(model);
}

unsigned svg_group_size(const struct svg_model *model, int group)
{
    unsigned size = 0;

    for (unsigned i = 0; i < model->funcs->len; i++) {
        size += ((const struct svg_func *)model->funcs->pdata[i])->group == group;
    }
    return size;
}

/* Functions. */

static void take_function(void *opaque, uint16_t segment, struct pci_rid rid,
                          const uint8_t config[PCI_CONFIG_BYTES])
{
    struct svg_func *f = g_new0(struct svg_func, 1);

    f->segment = segment;
    f->rid = rid;
    f->unit = f->group = SVG_NONE;
    memcpy(f->config, config, sizeof(f->config));
    g_ptr_array_add(opaque, f);
}

static const struct machine_component *bridge_of(const struct machine_desc *desc,
                                                 const struct machine_component *c)
{
    while (c->parent >= 0) {
        c = &desc->components[c->parent];
    }
    return c;
}

static bool is_named(char *const *names, const char *name)
{
    return names && g_strv_contains((const char *const *)names, name);
}

/* The IOMMU of a component and, unless it is below 0, of a switch's port: a unit that names it, or
 * something above it; else the one that has all the rest of the segment. */
static int unit_of(const struct machine_desc *desc, const struct machine_component *c, int port)
{
    const struct machine_component *bridge = bridge_of(desc, c);
    int rest = SVG_NONE;

    for (unsigned i = 0; i < desc->count; i++) {
        const struct machine_component *unit = &desc->components[i];
        if ((unit->kind != MACHINE_IOMMU && unit->kind != MACHINE_VIRTIO_IOMMU) ||
            bridge_of(desc, unit)->bridge.segment != bridge->bridge.segment) {
            continue;
        }
        if (unit->kind == MACHINE_VIRTIO_IOMMU || !unit->iommu.scope) {
            rest = (int)i;
            continue;
        }
        int at_port = port;
        for (const struct machine_component *at = c;; at = &desc->components[at->parent]) {
            char *name =
                at_port < 0 ? g_strdup(at->name) : g_strdup_printf("%s.%d", at->name, at_port);
            bool named = is_named(unit->iommu.scope, name) || is_named(unit->iommu.scope, at->name);
            g_free(name);
            if (named) {
                return (int)i;
            }
            if (at->parent < 0) {
                break;
            }
            at_port =
                desc->components[at->parent].kind == MACHINE_SWITCH ? (int)at->parent_port : -1;
        }
    }
    return rest;
}

/* The function of this name among those that answer; it gets the name. */
static int find_func(struct svg_model *model, struct machine *machine,
                     const struct machine_component *c, int port, const char *name)
{
    const struct pci_func *func = machine_func(machine, name);
    uint16_t segment = bridge_of(model->desc, c)->bridge.segment;

    for (unsigned i = 0; func && i < model->funcs->len; i++) {
        struct svg_func *f = model->funcs->pdata[i];
        if (f->segment == segment && f->rid.v == func->rid.v && !f->name) {
            f->name = g_strdup(name);
            f->unit = unit_of(model->desc, c, port);
            return (int)i;
        }
    }
    return SVG_NONE;
}

/* Rows. */

static void add_row(struct svg_model *model, struct svg_node *node, int func, const char *name,
                    char *text)
{
    struct svg_row *row = g_new0(struct svg_row, 1);

    row->func = func;
    row->name = g_strdup(name);
    row->text = text;
    if (func != SVG_NONE) {
        const struct svg_func *f = model->funcs->pdata[func];
        row->place = g_strdup_printf("%02x:%02x.%x", pci_rid_bus(f->rid), pci_rid_device(f->rid),
                                     f->rid.v & 7);
    }
    g_ptr_array_add(node->rows, row);
}

static char *port_text(const struct machine_port_desc *port)
{
    return port->slot ? g_strdup_printf("slot %u, x%u", port->slot_number, port->width)
                      : g_strdup_printf("x%u", port->width);
}

/* What is on a root bus, in the order of device numbers. */
static GArray *on_root_bus(const struct machine_desc *desc, unsigned bridge)
{
    GArray *all = g_array_new(FALSE, FALSE, sizeof(unsigned));

    for (unsigned i = 0; i < desc->count; i++) {
        if (desc->components[i].parent == (int)bridge &&
            desc->components[i].kind != MACHINE_IOMMU) {
            g_array_append_val(all, i);
        }
    }
    g_array_sort_with_data(all, places_compare, (void *)desc);
    return all;
}

/* Functions of the bridge itself. */
static void add_own_rows(struct svg_model *model, struct svg_node *node)
{
    static const struct {
        uint16_t class;
        const char *name;
    } kinds[] = {{0x0600, "host bridge"}, {0x0807, "event collector"}};
    const struct machine_component *c = node->component;

    for (unsigned i = 0; i < model->funcs->len; i++) {
        struct svg_func *f = model->funcs->pdata[i];
        for (unsigned k = 0; k < G_N_ELEMENTS(kinds); k++) {
            if (f->segment == c->bridge.segment && pci_rid_bus(f->rid) == c->bridge.bus_first &&
                le16_load(f->config + 0x0a) == kinds[k].class) {
                f->name = g_strdup(kinds[k].name);
                f->unit = unit_of(model->desc, c, -1);
                add_row(model, node, (int)i, kinds[k].name, NULL);
            }
        }
    }
}

static void add_bridge_rows(struct svg_model *model, struct machine *machine, struct svg_node *node)
{
    const struct machine_desc *desc = model->desc;
    GArray *all = on_root_bus(desc, (unsigned)(node->component - desc->components));

    add_own_rows(model, node);
    for (unsigned i = 0; i < all->len; i++) {
        const struct machine_component *c = &desc->components[g_array_index(all, unsigned, i)];
        bool port = c->kind == MACHINE_ROOT_PORT;
        int func = port ? find_func(model, machine, c, -1, c->name) : SVG_NONE;
        add_row(model, node, func, c->name, port ? port_text(&c->port) : g_strdup("integrated"));
    }
    g_array_unref(all);
}

static void add_switch_rows(struct svg_model *model, struct machine *machine, struct svg_node *node)
{
    const struct machine_component *c = node->component;

    add_row(model, node, find_func(model, machine, c, -1, c->name), "upstream", NULL);
    for (unsigned i = 0; i < c->sw.down_count; i++) {
        char *name = g_strdup_printf("%s.%u", c->name, i);
        add_row(model, node, find_func(model, machine, c, (int)i, name), name,
                port_text(&c->sw.down[i]));
        g_free(name);
    }
}

static void add_function_rows(struct svg_model *model, struct machine *machine,
                              struct svg_node *node)
{
    const struct machine_component *c = node->component;
    unsigned left_out = 0;

    for (unsigned i = 0; i < 256; i++) {
        char *name = i ? g_strdup_printf("%s.%u", c->name, i) : g_strdup(c->name);
        int func = find_func(model, machine, c, -1, name);
        if (func != SVG_NONE && i < FUNCTIONS_SHOWN) {
            add_row(model, node, func, name, NULL);
        }
        left_out += func != SVG_NONE && i >= FUNCTIONS_SHOWN;
        g_free(name);
        if (func == SVG_NONE) {
            break;
        }
    }
    if (left_out) {
        add_row(model, node, SVG_NONE, NULL, g_strdup_printf("and %u functions more", left_out));
    }
}

/* Words. */

static const char *plural(unsigned count)
{
    return count == 1 ? "" : "s";
}

static char *facts_of(const struct machine_component *c)
{
    char *size, *text;

    switch (c->kind) {
    case MACHINE_NVME:
        size = units_format_size(c->nvme.size_bytes);
        text = g_strdup_printf("NVMe, %u queue%s, %s%s", c->nvme.queues, plural(c->nvme.queues),
                               size, c->nvme.ats ? ", ATS" : "");
        g_free(size);
        return text;
    case MACHINE_EXERCISER:
        size = units_format_size(c->exerciser.mem_bytes);
        text = g_strdup_printf("exerciser, %s%s", size, c->exerciser.ats ? ", ATS" : "");
        g_free(size);
        return text;
    case MACHINE_VIRTIO_BLK:
        size = units_format_size(c->virtio.size_bytes);
        text = g_strdup_printf("virtio-blk, %s", size);
        g_free(size);
        return text;
    case MACHINE_VIRTIO_9P: return g_strdup_printf("virtio-9p, tag %s", c->p9.tag);
    case MACHINE_IGB:
        return g_strdup_printf("82576%s%s", c->net.wire ? ", wire " : "",
                               c->net.wire ? c->net.wire : "");
    case MACHINE_DSA:
        return g_strdup_printf("DSA, %u queue%s, %u engine%s%s", c->dsa.queues,
                               plural(c->dsa.queues), c->dsa.engines, plural(c->dsa.engines),
                               c->dsa.ats ? ", ATS" : "");
    case MACHINE_SHELL: return g_strdup_printf("shell %02x", c->device);
    case MACHINE_SWITCH:
        return g_strdup_printf("switch, %u port%s", c->sw.down_count, plural(c->sw.down_count));
    case MACHINE_HOST_BRIDGE:
        return g_strdup_printf("root complex, segment %04x, buses %02x-%02x", c->bridge.segment,
                               c->bridge.bus_first, c->bridge.bus_last);
    default: return g_strdup(machine_kind_name(c->kind));
    }
}

static char *vfs_of(const struct machine_component *c)
{
    unsigned vfs = c->kind == MACHINE_NVME        ? c->nvme.vfs
                   : c->kind == MACHINE_EXERCISER ? c->exerciser.vfs * c->exerciser.functions
                   : c->kind == MACHINE_IGB && !c->integrated ? c->igb.vfs
                                                              : 0;

    return vfs ? g_strdup_printf("up to %u VF%s", vfs, plural(vfs)) : NULL;
}

/* Nodes. */

/* Of the row of the parent that a component hangs at. */
static int row_at(const struct svg_node *parent, const struct machine_component *c)
{
    if (parent->component->kind == MACHINE_SWITCH) {
        return (int)c->parent_port + 1;
    }
    for (unsigned i = 0; i < parent->rows->len; i++) {
        const struct svg_row *row = parent->rows->pdata[i];
        if (row->name && strcmp(row->name, c->name) == 0) {
            return (int)i;
        }
    }
    return 0;
}

static int node_of(const struct svg_model *model, const struct machine_component *c)
{
    for (unsigned i = 0; i < model->nodes->len; i++) {
        if (((const struct svg_node *)model->nodes->pdata[i])->component == c) {
            return (int)i;
        }
    }
    return SVG_NONE;
}

static void add_node(struct svg_model *model, struct machine *machine,
                     const struct machine_component *c)
{
    const struct machine_desc *desc = model->desc;
    struct svg_node *node = g_new0(struct svg_node, 1);

    node->component = c;
    node->rows = g_ptr_array_new_with_free_func(row_free);
    node->facts = facts_of(c);
    node->functions = vfs_of(c);
    node->parent = node->parent_row = SVG_NONE;
    if (c->parent >= 0) {
        const struct machine_component *above = &desc->components[c->parent];
        bool port = above->kind == MACHINE_ROOT_PORT;
        node->parent = node_of(model, port ? &desc->components[above->parent] : above);
        if (node->parent != SVG_NONE) {
            node->parent_row = row_at(model->nodes->pdata[node->parent], port ? above : c);
        }
    }
    if (c->kind == MACHINE_HOST_BRIDGE) {
        add_bridge_rows(model, machine, node);
    } else if (c->kind == MACHINE_SWITCH) {
        add_switch_rows(model, machine, node);
    } else {
        add_function_rows(model, machine, node);
    }
    g_ptr_array_add(model->nodes, node);
}

static void ignore_output(void *opaque, uint8_t byte)
{
}

struct svg_model *svg_model_new(const struct machine_desc *desc, GError **error)
{
    struct machine_options options = {.console = {.output = ignore_output}};
    struct machine *machine = machine_new(desc, &options, error);
    struct svg_model *model = NULL;

    if (machine && machine_enumerate(machine, error)) {
        model = g_new0(struct svg_model, 1);
        model->desc = desc;
        model->funcs = g_ptr_array_new_with_free_func(func_free);
        model->nodes = g_ptr_array_new_with_free_func(node_free);
        machine_visit_functions(machine, take_function, model->funcs);
        for (unsigned i = 0; i < desc->count; i++) {
            const struct machine_component *c = &desc->components[i];
            if (c->kind != MACHINE_ROOT_PORT && c->kind != MACHINE_IOMMU) {
                add_node(model, machine, c);
            }
        }
        svg_find_groups(model->funcs);
    }
    machine_free(machine);
    return model;
}
