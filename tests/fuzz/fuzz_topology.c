/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Any bytes as a topology file: either one error with a message, or a description that keeps its
 * promises; never a crash, a leak or an endless loop.
 */
#include <glib.h>
#include <stdint.h>
#include <string.h>

#include "pcilab/config/topology.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_port(const struct machine_port_desc *port)
{
    g_assert(port->speed >= 1 && port->speed <= 5);
    g_assert(port->width >= 1 && port->width <= 16 && (port->width & (port->width - 1)) == 0);
    g_assert(port->slot == (port->slot_number != 0) && port->slot_number <= 8191);
}

static void check_component(const struct machine_desc *desc, unsigned index)
{
    const struct machine_component *c = &desc->components[index];

    g_assert(c->parent < (int)index && machine_desc_find(desc, c->name) == (int)index);
    if (c->kind == MACHINE_HOST_BRIDGE) {
        g_assert(c->parent == -1 && c->bridge.bus_first <= c->bridge.bus_last);
        return;
    }
    g_assert(c->parent >= 0);
    const struct machine_component *parent = &desc->components[c->parent];
    if (c->kind == MACHINE_IOMMU) {
        g_assert(parent->kind == MACHINE_HOST_BRIDGE && c->iommu.vtd.address_bits >= 39);
        return;
    }
    if (c->kind == MACHINE_VIRTIO_IOMMU) {
        g_assert(c->integrated && parent->kind == MACHINE_HOST_BRIDGE);
        return;
    }
    check_port(&c->port);
    if (c->kind == MACHINE_ROOT_PORT || c->integrated) {
        g_assert(parent->kind == MACHINE_HOST_BRIDGE);
        g_assert(c->device >= 1 && c->device <= 31 && c->function <= 7);
    } else {
        g_assert(parent->kind == MACHINE_ROOT_PORT ||
                 (parent->kind == MACHINE_SWITCH && c->parent_port < parent->sw.down_count));
    }
    if (c->kind == MACHINE_SWITCH) {
        g_assert(c->sw.down_count >= 1 && c->sw.down_count <= MACHINE_SWITCH_PORTS_MAX);
        for (unsigned i = 0; i < c->sw.down_count; i++) {
            check_port(&c->sw.down[i]);
        }
    }
    for (unsigned i = 0; i < index; i++) {
        const struct machine_component *other = &desc->components[i];
        bool plugged = c->kind != MACHINE_ROOT_PORT && !c->integrated;
        g_assert(!plugged || other->parent != c->parent || other->parent_port != c->parent_port);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    GError *error = NULL;
    struct machine_desc *desc = topology_parse("fuzz.ini", (const char *)data, size, &error);

    g_assert((desc == NULL) == (error != NULL));
    if (!desc) {
        g_assert(g_str_has_prefix(error->message, "fuzz.ini:") && !strchr(error->message, '\n'));
        g_assert(g_utf8_validate(error->message, -1, NULL));
        g_error_free(error);
        return 0;
    }
    g_assert(desc->cpus >= 1 && desc->cpus <= CPU_MAX);
    for (unsigned i = 0; i < desc->count; i++) {
        check_component(desc, i);
    }
    machine_desc_free(desc);
    return 0;
}
