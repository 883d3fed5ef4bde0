/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Enumeration as firmware does it: find every function, number the buses depth first, size the
 * BARs, share out the windows, switch everything on. By configuration requests alone.
 *
 * UNIMPL: expansion ROM BARs, and functions above 7 (ARI forwarding is not switched on).
 */
#include "pcilab/platform/enumerate.h"

#include <assert.h>
#include <string.h>

#include "apei.h"
#include "board.h"
#include "enumerate.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"

/* Offsets of the common header (PCIe Base 6.0, 7.5.1). */
#define CFG_VENDOR      0x00
#define CFG_COMMAND     0x04
#define CFG_HEADER_TYPE 0x0e
#define CFG_BAR0        0x10
#define CFG_PRIMARY     0x18
#define CFG_SECONDARY   0x19
#define CFG_SUBORDINATE 0x1a

#define HEADER_MULTI     0x80
#define HEADER_LAYOUT    0x7f
#define COMMAND_ENABLE   0x0007 /* I/O, memory, bus master */
#define BAR_IO           0x1
#define BAR_MEM_TYPE     0x6
#define BAR_MEM_64       0x4
#define BAR_MEM_PREFETCH 0x8

struct config_wait {
    struct root_request request;
    bool done;
};

static void config_done(struct root_request *request, enum tlp_status status)
{
    struct config_wait *wait = request->opaque;

    wait->done = true;
}

static uint32_t config_access(const struct enum_bus *bus, struct config_wait *wait)
{
    struct sim *sim = &bus->bridge->machine->sim;

    wait->request.done = config_done;
    wait->request.opaque = wait;
    root_submit(bus->bridge->rc, &wait->request);
    while (!wait->done) {
        bool ran = sim_run_one(sim, SIM_NEVER);
        assert(ran && "a configuration request is answered or times out");
    }
    return le32_load(wait->request.data);
}

static uint64_t config_addr(const struct enum_bus *bus, unsigned devfn, unsigned offset)
{
    return (uint64_t)bus->number << 20 | devfn << 12 | offset;
}

uint32_t enum_read(const struct enum_bus *bus, unsigned devfn, unsigned offset, unsigned size)
{
    struct config_wait wait = {.request = {.kind = ROOT_CFG_READ,
                                           .size_bytes = size,
                                           .addr = config_addr(bus, devfn, offset)}};

    return config_access(bus, &wait) & (uint32_t)low_mask(size * 8);
}

void enum_write(const struct enum_bus *bus, unsigned devfn, unsigned offset, unsigned size,
                uint32_t value)
{
    struct config_wait wait = {.request = {.kind = ROOT_CFG_WRITE,
                                           .size_bytes = size,
                                           .addr = config_addr(bus, devfn, offset)}};

    le32_store(wait.request.data, value);
    config_access(bus, &wait);
}

/* 7.5.1.2.1: all ones written, the bits that stay 0 tell the size. */
static void size_bar(struct enum_func *func, unsigned index)
{
    unsigned offset = CFG_BAR0 + index * 4;
    struct enum_bar *bar = &func->bar[index];

    enum_write(func->bus, func->devfn, offset, 4, 0xffffffff);
    uint32_t low = enum_read(func->bus, func->devfn, offset, 4);
    enum_write(func->bus, func->devfn, offset, 4, 0);
    if (!low)
        return;
    if (low & BAR_IO) {
        uint32_t bits = low & ~3u;

        bar->window = ENUM_IO;
        bar->size = (bits & -bits) & 0xffff;
        return;
    }
    uint64_t bits = low & ~0xfu;
    bar->window = ENUM_MEM32;
    if ((low & BAR_MEM_TYPE) == BAR_MEM_64) {
        enum_write(func->bus, func->devfn, offset + 4, 4, 0xffffffff);
        bits |= (uint64_t)enum_read(func->bus, func->devfn, offset + 4, 4) << 32;
        enum_write(func->bus, func->devfn, offset + 4, 4, 0);
        bar->wide = true;
        if (low & BAR_MEM_PREFETCH)
            bar->window = ENUM_PREF64;
    } else {
        bits |= bits ? 0xffffffff00000000 : 0;
    }
    bar->size = bits & -bits;
}

static void size_bars(struct enum_func *func, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        size_bar(func, i);
        if (func->bar[i].wide)
            i++;
    }
}

static struct enum_func *add_function(struct enum_bus *bus, unsigned devfn)
{
    struct enum_func *func = g_new0(struct enum_func, 1);

    func->bus = bus;
    func->devfn = devfn;
    g_ptr_array_add(bus->funcs, func);
    return func;
}

static bool scan_bus(struct enum_scan *scan, struct enum_bus *bus, GError **error);

/* Bridges that come up with bus numbers (shells do) keep them where they fit, as Linux does. */
static bool keeps_buses(const struct enum_scan *scan, const struct enum_func *func,
                        unsigned *secondary, unsigned *subordinate)
{
    unsigned primary = enum_read(func->bus, func->devfn, CFG_PRIMARY, 1);

    *secondary = enum_read(func->bus, func->devfn, CFG_SECONDARY, 1);
    *subordinate = enum_read(func->bus, func->devfn, CFG_SUBORDINATE, 1);
    if ((primary != func->bus->number && primary) || *secondary <= func->bus->number ||
        *subordinate < *secondary || *subordinate > func->bus->bridge->map.bus_last)
        return false;
    for (unsigned bus = *secondary; bus <= *subordinate; bus++) {
        if (scan->taken[bus])
            return false;
    }
    return true;
}

static bool scan_bridge(struct enum_scan *scan, struct enum_func *func, GError **error)
{
    struct board_bridge *bridge = func->bus->bridge;
    unsigned secondary, subordinate, before = scan->last_bus;
    bool keep = keeps_buses(scan, func, &secondary, &subordinate);

    if (keep) {
        scan->last_bus = secondary;
    } else {
        do
            secondary = ++scan->last_bus;
        while (secondary < ARRAY_LEN(scan->taken) && scan->taken[secondary]);
    }

    if (secondary > bridge->map.bus_last) {
        g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                    "host bridge %u has too few bus numbers (%02x-%02x) for what is below it",
                    (unsigned)(bridge - bridge->machine->bridge), bridge->map.bus_first,
                    bridge->map.bus_last);
        return false;
    }
    enum_write(func->bus, func->devfn, CFG_PRIMARY, 1, func->bus->number);
    enum_write(func->bus, func->devfn, CFG_SECONDARY, 1, secondary);
    enum_write(func->bus, func->devfn, CFG_SUBORDINATE, 1, bridge->map.bus_last);
    func->secondary = enum_bus_new(bridge, secondary);
    if (!scan_bus(scan, func->secondary, error))
        return false;
    subordinate = keep ? MAX(scan->last_bus, subordinate) : scan->last_bus;
    scan->last_bus = MAX(before, subordinate);
    memset(scan->taken + secondary, true, subordinate - secondary + 1);
    enum_write(func->bus, func->devfn, CFG_SUBORDINATE, 1, subordinate);
    return true;
}

static bool scan_function(struct enum_scan *scan, struct enum_bus *bus, unsigned devfn,
                          GError **error)
{
    struct enum_func *func = add_function(bus, devfn);
    unsigned layout = enum_read(bus, devfn, CFG_HEADER_TYPE, 1) & HEADER_LAYOUT;

    /* What decodes addresses is off while its registers are moved about. */
    enum_write(bus, devfn, CFG_COMMAND, 2, 0);
    size_bars(func, layout == PCI_HEADER_TYPE1 ? 2 : PCI_BAR_COUNT);
    return layout != PCI_HEADER_TYPE1 || scan_bridge(scan, func, error);
}

static bool scan_bus(struct enum_scan *scan, struct enum_bus *bus, GError **error)
{
    for (unsigned device = 0; device < 32; device++) {
        unsigned functions = 1;

        for (unsigned function = 0; function < functions; function++) {
            unsigned devfn = device << 3 | function;
            uint32_t vendor = enum_read(bus, devfn, CFG_VENDOR, 2);

            if (vendor == 0xffff)
                continue;
            if (function == 0 && enum_read(bus, devfn, CFG_HEADER_TYPE, 1) & HEADER_MULTI)
                functions = 8;
            if (!scan_function(scan, bus, devfn, error))
                return false;
        }
    }
    return true;
}

static void switch_on(struct enum_bus *bus)
{
    for (unsigned i = 0; i < bus->funcs->len; i++) {
        struct enum_func *func = bus->funcs->pdata[i];

        enum_write(bus, func->devfn, CFG_COMMAND, 2, COMMAND_ENABLE);
        if (func->secondary)
            switch_on(func->secondary);
    }
}

static bool enumerate_bridge(struct board_bridge *bridge, GError **error)
{
    struct enum_scan scan = {.last_bus = bridge->map.bus_first};
    struct enum_bus *root = enum_bus_new(bridge, bridge->map.bus_first);
    bool ok = scan_bus(&scan, root, error) && enum_assign(root, error);

    if (ok)
        switch_on(root);
    enum_bus_free(root);
    return ok;
}

bool machine_enumerate(struct machine *machine, GError **error)
{
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        if (!enumerate_bridge(&machine->bridge[i], error))
            return false;
    }
    apei_boot(machine);
    return true;
}

static void visit_function(const struct enum_bus *bus, unsigned devfn, machine_function_fn visit,
                           void *opaque)
{
    uint8_t config[4096];

    for (unsigned offset = 0; offset < sizeof(config); offset += 4)
        le32_store(config + offset, enum_read(bus, devfn, offset, 4));
    visit(opaque, bus->bridge->map.segment, (struct pci_rid){(uint16_t)(bus->number << 8 | devfn)},
          config);
}

/* Goes over the bus, and over as many more as its bridges lead to; returns the last one's number.
 */
static unsigned visit_bus(const struct enum_bus *bus, machine_function_fn visit, void *opaque)
{
    unsigned last = bus->number;

    for (unsigned devfn = 0; devfn < 256; devfn++) {
        if (enum_read(bus, devfn, CFG_VENDOR, 2) == 0xffff)
            continue;
        visit_function(bus, devfn, visit, opaque);
        if ((enum_read(bus, devfn, CFG_HEADER_TYPE, 1) & HEADER_LAYOUT) == PCI_HEADER_TYPE1) {
            unsigned below = enum_read(bus, devfn, CFG_SUBORDINATE, 1);
            last = MAX(last, below);
        }
    }
    return last;
}

static int compare_bridges(const void *a, const void *b)
{
    const struct map_bridge *x = &(*(struct board_bridge *const *)a)->map;
    const struct map_bridge *y = &(*(struct board_bridge *const *)b)->map;

    return x->segment != y->segment ? x->segment - y->segment : x->bus_first - y->bus_first;
}

void machine_visit_functions(struct machine *machine, machine_function_fn visit, void *opaque)
{
    struct board_bridge *order[MAP_BRIDGES_MAX];

    for (unsigned i = 0; i < machine->bridge_count; i++)
        order[i] = &machine->bridge[i];
    qsort(order, machine->bridge_count, sizeof(order[0]), compare_bridges);
    for (unsigned i = 0; i < machine->bridge_count; i++) {
        struct enum_bus bus = {.bridge = order[i]};
        unsigned last = order[i]->map.bus_first;

        for (bus.number = last; bus.number <= last; bus.number++) {
            unsigned below = visit_bus(&bus, visit, opaque); /* once: MAX() is a macro */
            last = MAX(last, below);
        }
    }
}
