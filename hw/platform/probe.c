/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A machine's parts by name. */
#include "pcilab/platform/probe.h"

#include <string.h>

#include "board.h"
#include "pcilab/endpoint/endpoint.h"
#include "pcilab/switch/switch.h"

struct fabric *machine_fabric(struct machine *machine)
{
    return machine->fabric;
}

bool board_is_endpoint(enum machine_kind kind)
{
    switch (kind) {
    case MACHINE_NVME:
    case MACHINE_EXERCISER:
    case MACHINE_VIRTIO_RNG:
    case MACHINE_VIRTIO_BLK:
    case MACHINE_VIRTIO_CONSOLE:
    case MACHINE_VIRTIO_9P:
    case MACHINE_VIRTIO_NET:
    case MACHINE_IGB:
    case MACHINE_DSA: return true;
    default: return false;
    }
}

char **machine_names(struct machine *machine)
{
    GPtrArray *names = g_ptr_array_new();

    for (unsigned i = 0; i < machine->part_count; i++) {
        const struct board_part *part = &machine->part[i];

        g_ptr_array_add(names, g_strdup(part->name));
        for (unsigned down = 0; down < part->down_count; down++)
            g_ptr_array_add(names, g_strdup_printf("%s.%u", part->name, down));
    }
    g_ptr_array_add(names, NULL);
    return (char **)g_ptr_array_free(names, FALSE);
}

/* The component, and the number behind the dot or -1. */
static struct board_part *find_part(struct machine *machine, const char *name, int *index)
{
    const char *dot = strrchr(name, '.');
    guint64 number;

    *index = -1;
    for (unsigned i = 0; i < machine->part_count; i++) {
        if (strcmp(machine->part[i].name, name) == 0)
            return &machine->part[i];
    }
    if (!dot || !g_ascii_string_to_unsigned(dot + 1, 10, 0, 65535, &number, NULL))
        return NULL;
    *index = (int)number;
    for (unsigned i = 0; i < machine->part_count; i++) {
        struct board_part *part = &machine->part[i];

        if (strncmp(part->name, name, (size_t)(dot - name)) == 0 && !part->name[dot - name])
            return part;
    }
    return NULL;
}

struct port *machine_port(struct machine *machine, const char *name)
{
    int index;
    struct board_part *part = find_part(machine, name, &index);

    if (!part)
        return NULL;
    if (part->kind == MACHINE_ROOT_PORT)
        return index < 0 ? root_port_link(part->object) : NULL;
    if (part->kind == MACHINE_SWITCH && index < 0)
        return pcie_switch_upstream(part->object);
    if (part->kind == MACHINE_SWITCH)
        return index < (int)part->down_count ? pcie_switch_downstream(part->object, (unsigned)index)
                                             : NULL;
    return board_is_endpoint(part->kind) ? endpoint_port(part->object) : NULL;
}

struct port *machine_port_above(struct machine *machine, const char *name)
{
    int index;
    struct board_part *part = find_part(machine, name, &index);
    bool faces_down =
        part && (part->kind == MACHINE_ROOT_PORT || (part->kind == MACHINE_SWITCH && index >= 0));

    return faces_down || !part ? machine_port(machine, name) : part->above;
}

struct nth {
    int left;
    struct pci_func *found;
};

static void count_function(void *opaque, struct pci_func *func)
{
    struct nth *nth = opaque;

    if (nth->left-- == 0)
        nth->found = func;
}

struct pci_func *machine_func(struct machine *machine, const char *name)
{
    struct nth nth = {0};
    int index;
    struct board_part *part = find_part(machine, name, &index);

    if (!part)
        return NULL;
    if (part->kind == MACHINE_ROOT_PORT)
        return index < 0 ? root_port_func(part->object) : NULL;
    if (part->kind == MACHINE_SWITCH)
        return index < (int)part->down_count ? pcie_switch_func(part->object, index) : NULL;
    if (part->kind == MACHINE_HOST_BRIDGE)
        return index < 0 ? root_collector_func(part->bridge->rc) : NULL;
    if (!board_is_endpoint(part->kind))
        return NULL;
    nth.left = index < 0 ? 0 : index;
    endpoint_visit(part->object, count_function, &nth);
    return nth.found;
}

struct root_complex *machine_root_of(struct machine *machine, const char *name)
{
    int index;
    struct board_part *part = find_part(machine, name, &index);

    return part && part->bridge ? part->bridge->rc : NULL;
}

bool machine_slow_invalidations(struct machine *machine, uint64_t each_ps, uint64_t stall_ps)
{
    for (unsigned i = 0; i < machine->iommu_count; i++)
        vtd_queue_slow(machine->iommu[i].vtd, each_ps, stall_ps);
    return machine->iommu_count;
}

struct root_complex *machine_root_at(struct machine *machine, uint16_t segment, unsigned bus)
{
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        const struct map_bridge *map = &machine->bridge[i].map;

        if (map->segment == segment && bus >= map->bus_first && bus <= map->bus_last)
            return machine->bridge[i].rc;
    }
    return NULL;
}

struct root_complex *machine_route(struct machine *machine, enum root_request_kind kind,
                                   uint64_t addr)
{
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        const struct map_bridge *map = &machine->bridge[i].map;
        bool io = kind == ROOT_IO_READ || kind == ROOT_IO_WRITE;

        if (io ? addr - map->io_base < map->io_size
               : addr - map->mem32_base < map->mem32_size ||
                     addr - map->mem64_base < map->mem64_size)
            return machine->bridge[i].rc;
    }
    return NULL;
}

uint64_t machine_interrupts(struct machine *machine, struct machine_interrupt *last)
{
    const struct apic_message *message = &machine->apics.last;

    *last = (struct machine_interrupt){.dest = message->dest,
                                       .logical = message->logical,
                                       .level = message->level,
                                       .mode = message->mode,
                                       .vector = message->vector};
    return machine->apics.messages;
}

bool machine_board_read(struct machine *machine, uint64_t addr, void *data, unsigned len)
{
    const void *ram = ram_ptr(&machine->ram, addr, len);
    const struct bus_range *range = ram ? NULL : bus_find(&machine->memory, addr);

    if (ram)
        memcpy(data, ram, len);
    else if (range && len && len <= 8)
        bus_read(range, addr, len, data);
    return ram || (range && len && len <= 8);
}

bool machine_board_write(struct machine *machine, uint64_t addr, const void *data, unsigned len)
{
    void *ram = ram_ptr(&machine->ram, addr, len);
    const struct bus_range *range = ram ? NULL : bus_find(&machine->memory, addr);

    if (ram) {
        memcpy(ram, data, len);
        /* A processor's store reaches whoever does not snoop sooner or later; here at once. */
        ram_write_back(&machine->ram, addr, len);
    } else if (range && len && len <= 8) {
        bus_write(range, addr, len, data);
    }
    return ram || (range && len && len <= 8);
}
