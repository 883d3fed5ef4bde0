/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The machine as a tree. */
#include <string.h>

#include "cli.h"
#include "pcilab/config/topology.h"
#include "pcilab/config/units.h"
#include "pcilab/platform/places.h"

struct tree {
    const struct machine_desc *desc;
    GString *out;
    const char *branch, *last, *line; /* the three pieces of the lines */
};

static void append_port(GString *out, const struct machine_port_desc *port, const char *what)
{
    g_string_append_printf(out, "%s, %s GT/s x%u", what, topology_speed_text(port->speed),
                           port->width);
    if (port->slot) {
        g_string_append_printf(out, ", slot %u", port->slot_number);
    }
}

/* What the link trains to: the lower speed and the smaller width of its ends. */
static void append_link(const struct tree *tree, const struct machine_component *c)
{
    const struct machine_port_desc *up = places_port_above(tree->desc, c);
    unsigned speed = MIN(up->speed, c->port.speed), width = MIN(up->width, c->port.width);

    if (c->integrated) {
        g_string_append_printf(tree->out, "integrated at %02x.0", c->device);
        return;
    }
    g_string_append_printf(tree->out, "link %s GT/s x%u", topology_speed_text(speed), width);
    if (c->port.speed != speed || c->port.width != width) {
        g_string_append_printf(tree->out, " (can %s GT/s x%u)", topology_speed_text(c->port.speed),
                               c->port.width);
    }
}

static void append_network(const struct tree *tree, const struct machine_component *c)
{
    if (c->net.wire) {
        g_string_append_printf(tree->out, ", wire %s", c->net.wire);
    }
    if (c->net.forward) {
        g_string_append_printf(tree->out, ", %s", c->net.forward);
    }
}

static void append_igb(const struct tree *tree, const struct machine_component *c)
{
    g_string_append(tree->out, "igb, ");
    append_link(tree, c);
    if (c->igb.vfs && !c->integrated) {
        g_string_append_printf(tree->out, ", %u VF%s", c->igb.vfs, c->igb.vfs == 1 ? "" : "s");
    }
    append_network(tree, c);
}

static void append_dsa(const struct tree *tree, const struct machine_component *c)
{
    g_string_append(tree->out, "dsa, ");
    append_link(tree, c);
    g_string_append_printf(tree->out, ", %u work queue%s, %u engine%s%s", c->dsa.queues,
                           c->dsa.queues == 1 ? "" : "s", c->dsa.engines,
                           c->dsa.engines == 1 ? "" : "s", c->dsa.ats ? ", ATS" : "");
}

static void append_virtio(const struct tree *tree, const struct machine_component *c)
{
    g_string_append_printf(tree->out, "%s, ", machine_kind_name(c->kind));
    append_link(tree, c);
    if (c->kind == MACHINE_VIRTIO_9P) {
        g_string_append_printf(tree->out, ", tag %s, %s%s", c->p9.tag, c->p9.path,
                               c->p9.read_only ? ", read-only" : "");
    }
    if (c->kind == MACHINE_VIRTIO_NET) {
        append_network(tree, c);
    }
    if (c->virtio.packed) {
        g_string_append(tree->out, ", packed rings");
    }
    if (c->kind == MACHINE_VIRTIO_BLK) {
        char *size = units_format_size(c->virtio.size_bytes);
        g_string_append_printf(tree->out, ", %u queue%s, scratch %s, serial %s", c->virtio.queues,
                               c->virtio.queues == 1 ? "" : "s", size, c->virtio.serial);
        g_free(size);
    }
}

static void append_shell(GString *out, const struct machine_component *c)
{
    const struct shell_func_params *first = &c->shell.funcs[0];
    unsigned behind = 0;

    for (unsigned i = 0; i < c->shell.count; i++) {
        behind += c->shell.funcs[i].bus != first->bus;
    }
    g_string_append_printf(out, "shell %02x, ids %02x%02x:%02x%02x", c->device, first->config[1],
                           first->config[0], first->config[3], first->config[2]);
    g_string_append_printf(out, ", %u function%s", c->shell.count - behind,
                           c->shell.count - behind == 1 ? "" : "s");
    if (behind) {
        g_string_append_printf(out, ", %u behind", behind);
    }
}

static void append_iommu(GString *out, const struct machine_component *c)
{
    const struct vtd_features *vtd = &c->iommu.vtd;

    g_string_append_printf(out, "IOMMU, VT-d, %u bits%s%s", vtd->address_bits,
                           vtd->scalable ? ", scalable" : "",
                           vtd->interrupt_remapping ? ", interrupt remapping" : "");
    if (c->iommu.read_latency_ps) {
        g_string_append_printf(out, ", %u ns a read",
                               (unsigned)(c->iommu.read_latency_ps / PS_PER_NS));
    }
    g_string_append(out, c->iommu.find_stale ? ", finds stale hits" : "");
    g_string_append(out, vtd->coherent ? "" : ", does not snoop");
    if (c->iommu.scope) {
        char *names = g_strjoinv(" ", c->iommu.scope);

        g_string_append_printf(out, ", for %s", names);
        g_free(names);
    }
}

static void append_viommu(GString *out, const struct machine_component *c)
{
    const struct viommu_features *features = &c->viommu.features;

    g_string_append_printf(out, "%02x.0 IOMMU, virtio, %u bits%s%s", c->device,
                           features->address_bits, features->bypass ? ", bypass" : "",
                           c->viommu.find_stale ? ", finds stale hits" : "");
}

static void append_component(const struct tree *tree, const struct machine_component *c)
{
    GString *out = tree->out;

    g_string_append_printf(out, "%s  ", c->name);
    switch (c->kind) {
    case MACHINE_HOST_BRIDGE:
        g_string_append_printf(out, "host bridge, segment %04x, buses %02x-%02x", c->bridge.segment,
                               c->bridge.bus_first, c->bridge.bus_last);
        if (c->bridge.event_collector) {
            g_string_append_printf(out, ", event collector %02x.0", c->bridge.event_collector);
        }
        break;
    case MACHINE_ROOT_PORT:
        g_string_append_printf(out, "%02x.%u ", c->device, c->function);
        append_port(out, &c->port, "root port");
        break;
    case MACHINE_SWITCH:
        g_string_append_printf(out, "switch, %u ports, ", c->sw.down_count);
        append_link(tree, c);
        break;
    case MACHINE_NVME: {
        char *size = units_format_size(c->nvme.size_bytes);
        g_string_append(out, "NVMe, ");
        append_link(tree, c);
        g_string_append_printf(out, ", %u queues, scratch %s, serial %s", c->nvme.queues, size,
                               c->nvme.serial);
        g_free(size);
        break;
    }
    case MACHINE_EXERCISER: {
        char *size = units_format_size(c->exerciser.mem_bytes);
        g_string_append(out, "exerciser, ");
        append_link(tree, c);
        g_string_append_printf(out, ", %u function%s, MSI-X %u, MSI %u, memory %s",
                               c->exerciser.functions, c->exerciser.functions == 1 ? "" : "s",
                               c->exerciser.msix_vectors, c->exerciser.msi_vectors, size);
        g_free(size);
        break;
    }
    case MACHINE_VIRTIO_9P:
    case MACHINE_VIRTIO_NET:
    case MACHINE_VIRTIO_RNG:
    case MACHINE_VIRTIO_BLK:
    case MACHINE_VIRTIO_CONSOLE: append_virtio(tree, c); break;
    case MACHINE_IGB: append_igb(tree, c); break;
    case MACHINE_DSA: append_dsa(tree, c); break;
    case MACHINE_SHELL: append_shell(out, c); break;
    case MACHINE_IOMMU: append_iommu(out, c); break;
    case MACHINE_VIRTIO_IOMMU: append_viommu(out, c); break;
    case MACHINE_KIND_COUNT: break;
    }
    g_string_append_c(out, '\n');
}

static int next_child(const struct machine_desc *desc, unsigned parent, int port, unsigned from)
{
    for (unsigned i = from; i < desc->count; i++) {
        const struct machine_component *c = &desc->components[i];
        if (c->parent == (int)parent && (port < 0 || c->parent_port == (unsigned)port)) {
            return (int)i;
        }
    }
    return -1;
}

static void append_below(const struct tree *tree, unsigned index, GString *indent);

static void append_switch_ports(const struct tree *tree, unsigned index, GString *indent)
{
    const struct machine_component *sw = &tree->desc->components[index];

    for (unsigned i = 0; i < sw->sw.down_count; i++) {
        bool last = i + 1 == sw->sw.down_count;
        char *name = g_strdup_printf("%s.%u  %02x.0 port", sw->name, i, i);
        g_string_append_printf(tree->out, "%s%s", indent->str, last ? tree->last : tree->branch);
        append_port(tree->out, &sw->sw.down[i], name);
        g_string_append_c(tree->out, '\n');
        g_free(name);
        int child = next_child(tree->desc, index, (int)i, index + 1);
        if (child >= 0) {
            size_t len = indent->len;
            g_string_append(indent, last ? "   " : tree->line);
            g_string_append_printf(tree->out, "%s%s", indent->str, tree->last);
            append_component(tree, &tree->desc->components[child]);
            g_string_append(indent, "   ");
            append_below(tree, (unsigned)child, indent);
            g_string_truncate(indent, len);
        }
    }
}

/* The nesting is as deep as the bus numbers of one segment allow: 256 buses, two for a switch. */
static void append_below(const struct tree *tree, unsigned index, GString *indent)
{
    GArray *children = g_array_new(FALSE, FALSE, sizeof(unsigned));

    if (tree->desc->components[index].kind == MACHINE_SWITCH) {
        append_switch_ports(tree, index, indent);
    } else {
        for (int i = next_child(tree->desc, index, -1, 0); i >= 0;
             i = next_child(tree->desc, index, -1, (unsigned)i + 1)) {
            g_array_append_val(children, i);
        }
        g_array_sort_with_data(children, places_compare, (void *)tree->desc);
    }
    for (unsigned i = 0; i < children->len; i++) {
        unsigned child = g_array_index(children, unsigned, i);
        bool last = i + 1 == children->len;
        size_t len = indent->len;
        g_string_append_printf(tree->out, "%s%s", indent->str, last ? tree->last : tree->branch);
        append_component(tree, &tree->desc->components[child]);
        g_string_append(indent, last ? "   " : tree->line);
        append_below(tree, child, indent);
        g_string_truncate(indent, len);
    }
    g_array_unref(children);
}

char *cli_tree(const struct machine_desc *desc, bool utf8)
{
    struct tree tree = {.desc = desc, .out = g_string_new(NULL)};
    char *memory = units_format_size(desc->memory_bytes);
    GString *indent = g_string_new(NULL);

    tree.branch = utf8 ? "├─ " : "|- ";
    tree.last = utf8 ? "└─ " : "`- ";
    tree.line = utf8 ? "│  " : "|  ";
    g_string_append_printf(tree.out, "machine  %u processor%s, %s RAM\n", desc->cpus,
                           desc->cpus == 1 ? "" : "s", memory);
    for (unsigned i = 0; i < desc->count; i++) {
        if (desc->components[i].kind == MACHINE_HOST_BRIDGE) {
            append_component(&tree, &desc->components[i]);
            append_below(&tree, i, indent);
        }
    }
    g_string_free(indent, TRUE);
    g_free(memory);
    return g_string_free(tree.out, FALSE);
}
