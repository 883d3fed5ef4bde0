/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Host bridges: their memory, windows and root complexes. */
#include <assert.h>
#include <string.h>

#include "apei.h"
#include "pcilab/base/bits.h"
#include "wiring.h"

/* Memory as the root complexes see it. */

static bool dma_read(void *opaque, uint64_t gpa, void *data, unsigned len)
{
    struct board_bridge *bridge = opaque;
    const void *from = ram_ptr(&bridge->machine->ram, gpa, len);

    if (from)
        memcpy(data, from, len);
    return from != NULL;
}

static bool dma_write(void *opaque, uint64_t gpa, const void *data, unsigned len)
{
    struct board_bridge *bridge = opaque;
    void *to = ram_ptr(&bridge->machine->ram, gpa, len);

    if (!to)
        return false;
    memcpy(to, data, len);
    ram_write_back(&bridge->machine->ram, gpa, len);
    cpu_group_ram_written(bridge->machine->cpus, gpa, len);
    return true;
}

static void dma_msi(void *opaque, uint64_t addr, uint32_t data)
{
    struct board_bridge *bridge = opaque;

    apic_deliver_msi(&bridge->machine->apics, addr, data);
}

/* Bridges with the same GSIs share the wires. */
static void dma_intx(void *opaque, unsigned line, bool level)
{
    struct board_bridge *bridge = opaque;
    struct machine *machine = bridge->machine;
    bool any = false;

    bridge->intx = (uint8_t)((bridge->intx & ~(1u << line)) | (unsigned)level << line);
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        if (machine->bridge[i].map.intx_gsi == bridge->map.intx_gsi)
            any = any || (machine->bridge[i].intx >> line & 1);
    }
    ioapic_set_line(&machine->ioapic, bridge->map.intx_gsi + line, any);
}

static void dma_system_error(void *opaque)
{
    struct board_bridge *bridge = opaque;

    apei_system_error(bridge->machine);
}

static const struct root_host_ops host_ops = {.mem_read = dma_read,
                                              .mem_write = dma_write,
                                              .msi = dma_msi,
                                              .intx = dma_intx,
                                              .system_error = dma_system_error};

/* Address windows. */

/* A window that the description asks for is where the first segment's ECAM would be. */
static bool low_ecam_is_taken(const struct machine_desc *desc)
{
    bool taken = false;

    for (unsigned i = 0; i < desc->count; i++) {
        const struct machine_window *w = &desc->components[i].bridge.mem32;

        taken = taken || (desc->components[i].kind == MACHINE_HOST_BRIDGE && w->given && w->size &&
                          w->base + w->size > MAP_ECAM_BASE);
    }
    return taken;
}

/* ECAM of a segment: the first segment met lies below 4 GiB, the others above. */
static uint64_t ecam_base(const struct machine *machine, const struct machine_desc *desc,
                          uint16_t segment)
{
    unsigned segments = 0;

    for (unsigned i = 0; i < machine->bridge_count; i++) {
        const struct map_bridge *map = &machine->bridge[i].map;
        bool is_new = true;

        if (map->segment == segment)
            return map->ecam_base;
        for (unsigned j = 0; j < i; j++)
            is_new = is_new && machine->bridge[j].map.segment != map->segment;
        segments += is_new;
    }
    if (segments == 0)
        return low_ecam_is_taken(desc) ? MAP_ECAM_HIGH_END - MAP_ECAM_SIZE : MAP_ECAM_BASE;
    return MAP_ECAM_HIGH_BASE + (segments - 1) * MAP_ECAM_SIZE;
}

static void assign_windows(struct map_bridge *map, unsigned index, unsigned count)
{
    uint64_t mem32 = align_down((MAP_MMIO32_END - MAP_MMIO32_BASE) / count, 16 << 20);
    uint64_t io = align_down((MAP_BRIDGE_IO_END - MAP_BRIDGE_IO_BASE) / count, 0x1000);

    map->mem32_base = MAP_MMIO32_BASE + index * mem32;
    map->mem32_size = mem32;
    map->mem64_base = MAP_MMIO64_BASE + index * MAP_MMIO64_SIZE;
    map->mem64_size = MAP_MMIO64_SIZE;
    map->io_base = (uint32_t)(MAP_BRIDGE_IO_BASE + index * io);
    map->io_size = (uint32_t)io;
    map->intx_gsi = index % 2 ? MAP_INTX_GSI_ODD : MAP_INTX_GSI_EVEN;
}

/* What the description says goes first. */
static bool take_windows(const struct machine *machine, struct map_bridge *map,
                         const struct machine_component *c, GError **error)
{
    const struct machine_window *mem64 = &c->bridge.mem64;

    if (c->bridge.io.given) {
        map->io_base = (uint32_t)c->bridge.io.base;
        map->io_size = (uint32_t)c->bridge.io.size;
    }
    if (c->bridge.mem32.given) {
        map->mem32_base = c->bridge.mem32.base;
        map->mem32_size = c->bridge.mem32.size;
    }
    if (mem64->given) {
        map->mem64_base = mem64->base;
        map->mem64_size = mem64->size;
        /* As on most computers: Linux puts both kinds there. */
        map->mem64_all = true;
    }
    if (mem64->given && mem64->size && mem64->base < machine->ram.high_end) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                    "%s: mem64 begins at %" G_GINT64_MODIFIER
                    "x, and RAM ends at %" G_GINT64_MODIFIER "x",
                    c->name, mem64->base, machine->ram.high_end);
        return false;
    }
    return true;
}

static unsigned count_bridges(const struct machine_desc *desc)
{
    unsigned n = 0;

    for (unsigned i = 0; i < desc->count; i++)
        n += desc->components[i].kind == MACHINE_HOST_BRIDGE;
    return n;
}

bool wire_bridge(struct wiring *w, const struct machine_component *c, GError **error)
{
    struct machine *machine = w->machine;
    unsigned index = machine->bridge_count;

    if (index == MAP_BRIDGES_MAX) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                    "%s: a machine has at most %u host bridges", c->name, MAP_BRIDGES_MAX);
        return false;
    }
    struct board_bridge *bridge = &machine->bridge[index];
    bridge->machine = machine;
    bridge->firmware_first = c->bridge.firmware_first;
    bridge->map.segment = c->bridge.segment;
    bridge->map.bus_first = c->bridge.bus_first;
    bridge->map.bus_last = c->bridge.bus_last;
    bridge->map.ecam_base = ecam_base(machine, w->desc, c->bridge.segment);
    assign_windows(&bridge->map, index, count_bridges(w->desc));
    if (!take_windows(machine, &bridge->map, c, error))
        return false;
    machine->bridge_count++;
    struct root_params params = {
        .name = c->name,
        .segment = c->bridge.segment,
        .bus_first = c->bridge.bus_first,
        .bus_last = c->bridge.bus_last,
        .hidden = c->bridge.hidden,
        .host = &host_ops,
        .opaque = bridge,
    };
    bridge->rc = root_complex_new(machine->fabric, &params);
    if (c->bridge.event_collector)
        root_collector_add(bridge->rc, c->bridge.event_collector);
    wiring_part(w, c)->object = bridge;
    return true;
}
