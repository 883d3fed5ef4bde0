/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Address space for an enumerated tree: what every bus needs is added up from the leaves, largest
 * alignment first so that nothing is wasted, then handed out from the root.
 */
#include <assert.h>

#include "enumerate.h"
#include "pcilab/base/bits.h"

/* Bridge registers (PCIe Base 6.0, 7.5.1.3). */
#define CFG_BAR0          0x10
#define CFG_IO_BASE       0x1c
#define CFG_IO_LIMIT      0x1d
#define CFG_MEM_BASE      0x20
#define CFG_MEM_LIMIT     0x22
#define CFG_PREF_BASE     0x24
#define CFG_PREF_LIMIT    0x26
#define CFG_PREF_BASE_HI  0x28
#define CFG_PREF_LIMIT_HI 0x2c
#define CFG_IO_BASE_HI    0x30
#define CFG_IO_LIMIT_HI   0x32

static const uint64_t granularity[ENUM_WINDOWS] = {
    [ENUM_IO] = 0x1000, [ENUM_MEM32] = 1 << 20, [ENUM_PREF64] = 1 << 20};

static const char *const window_names[ENUM_WINDOWS] = {
    [ENUM_IO] = "I/O", [ENUM_MEM32] = "32-bit memory", [ENUM_PREF64] = "64-bit memory"};

/* One thing to place on a bus: a BAR, or the window of a bridge. */
struct item {
    struct enum_func *func;
    int bar; /* -1: the bridge's window */
    uint64_t size, align;
};

struct enum_bus *enum_bus_new(struct board_bridge *bridge, unsigned number)
{
    struct enum_bus *bus = g_new0(struct enum_bus, 1);

    bus->bridge = bridge;
    bus->number = number;
    bus->funcs = g_ptr_array_new();
    return bus;
}

void enum_bus_free(struct enum_bus *bus)
{
    for (unsigned i = 0; i < bus->funcs->len; i++) {
        struct enum_func *func = bus->funcs->pdata[i];

        if (func->secondary)
            enum_bus_free(func->secondary);
        g_free(func);
    }
    g_ptr_array_unref(bus->funcs);
    g_free(bus);
}

/* Larger alignment first; otherwise in order of function and BAR. */
static gint compare_items(gconstpointer a, gconstpointer b)
{
    const struct item *x = a, *y = b;

    if (x->align != y->align)
        return x->align > y->align ? -1 : 1;
    if (x->func->devfn != y->func->devfn)
        return (gint)x->func->devfn - (gint)y->func->devfn;
    return x->bar - y->bar;
}

static GArray *collect(struct enum_bus *bus, enum enum_window window)
{
    GArray *items = g_array_new(FALSE, FALSE, sizeof(struct item));

    for (unsigned i = 0; i < bus->funcs->len; i++) {
        struct enum_func *func = bus->funcs->pdata[i];

        for (int b = 0; b < PCI_BAR_COUNT; b++) {
            struct item item = {func, b, func->bar[b].size, func->bar[b].size};

            if (item.size && func->bar[b].window == window)
                g_array_append_val(items, item);
        }
        if (func->secondary && func->secondary->need[window].size) {
            struct enum_range *need = &func->secondary->need[window];
            struct item item = {func, -1, need->size, need->align};

            g_array_append_val(items, item);
        }
    }
    g_array_sort(items, compare_items);
    return items;
}

static void measure(struct enum_bus *bus)
{
    for (unsigned i = 0; i < bus->funcs->len; i++) {
        struct enum_func *func = bus->funcs->pdata[i];

        if (func->secondary)
            measure(func->secondary);
    }
    for (unsigned w = 0; w < ENUM_WINDOWS; w++) {
        GArray *items = collect(bus, w);
        struct enum_range *need = &bus->need[w];

        need->align = granularity[w];
        for (unsigned i = 0; i < items->len; i++) {
            const struct item *item = &g_array_index(items, struct item, i);

            need->size = align_up(need->size, item->align) + item->size;
            need->align = MAX(need->align, item->align);
        }
        need->size = align_up(need->size, granularity[w]);
        g_array_unref(items);
    }
}

static void place_bar(const struct item *item, uint64_t addr)
{
    unsigned offset = CFG_BAR0 + (unsigned)item->bar * 4;

    enum_write(item->func->bus, item->func->devfn, offset, 4, (uint32_t)addr);
    if (item->func->bar[item->bar].wide)
        enum_write(item->func->bus, item->func->devfn, offset + 4, 4, (uint32_t)(addr >> 32));
}

/* A window that nobody needs is closed: its base lies above its limit. */
static void program_windows(struct enum_func *func)
{
    const struct enum_range *need = func->secondary->need;
    uint64_t first[ENUM_WINDOWS], last[ENUM_WINDOWS];

    for (unsigned w = 0; w < ENUM_WINDOWS; w++) {
        bool open = need[w].size != 0;

        first[w] = open ? need[w].base : granularity[w];
        last[w] = open ? need[w].base + need[w].size - 1 : 0;
    }
    const struct {
        uint8_t offset, size;
        uint64_t value;
    } writes[] = {
        {CFG_IO_BASE, 1, first[ENUM_IO] >> 8 & 0xf0},
        {CFG_IO_LIMIT, 1, last[ENUM_IO] >> 8 & 0xf0},
        {CFG_IO_BASE_HI, 2, first[ENUM_IO] >> 16},
        {CFG_IO_LIMIT_HI, 2, last[ENUM_IO] >> 16},
        {CFG_MEM_BASE, 2, first[ENUM_MEM32] >> 16 & 0xfff0},
        {CFG_MEM_LIMIT, 2, last[ENUM_MEM32] >> 16 & 0xfff0},
        {CFG_PREF_BASE, 2, first[ENUM_PREF64] >> 16 & 0xfff0},
        {CFG_PREF_LIMIT, 2, last[ENUM_PREF64] >> 16 & 0xfff0},
        {CFG_PREF_BASE_HI, 4, first[ENUM_PREF64] >> 32},
        {CFG_PREF_LIMIT_HI, 4, last[ENUM_PREF64] >> 32},
    };
    for (unsigned i = 0; i < ARRAY_LEN(writes); i++)
        enum_write(func->bus, func->devfn, writes[i].offset, writes[i].size,
                   (uint32_t)writes[i].value);
}

static void place(struct enum_bus *bus)
{
    for (unsigned w = 0; w < ENUM_WINDOWS; w++) {
        GArray *items = collect(bus, w);
        uint64_t next = bus->need[w].base;

        for (unsigned i = 0; i < items->len; i++) {
            const struct item *item = &g_array_index(items, struct item, i);

            next = align_up(next, item->align);
            if (item->bar >= 0)
                place_bar(item, next);
            else
                item->func->secondary->need[w].base = next;
            next += item->size;
        }
        g_array_unref(items);
    }
    for (unsigned i = 0; i < bus->funcs->len; i++) {
        struct enum_func *func = bus->funcs->pdata[i];

        if (!func->secondary)
            continue;
        program_windows(func);
        place(func->secondary);
    }
}

bool enum_assign(struct enum_bus *root, GError **error)
{
    const struct map_bridge *map = &root->bridge->map;
    const struct enum_range room[ENUM_WINDOWS] = {
        [ENUM_IO] = {.base = map->io_base, .size = map->io_size},
        [ENUM_MEM32] = {.base = map->mem32_base, .size = map->mem32_size},
        [ENUM_PREF64] = {.base = map->mem64_base, .size = map->mem64_size},
    };

    measure(root);
    for (unsigned w = 0; w < ENUM_WINDOWS; w++) {
        uint64_t base = align_up(room[w].base, root->need[w].align);

        if (!range_inside(base, root->need[w].size, room[w].base, room[w].size)) {
            g_set_error(error, MACHINE_ERROR, MACHINE_ERROR_INPUT,
                        "the BARs need %" G_GUINT64_FORMAT
                        " KiB of %s space, the host bridge has %" G_GUINT64_FORMAT " KiB",
                        root->need[w].size >> 10, window_names[w], room[w].size >> 10);
            return false;
        }
        root->need[w].base = base;
    }
    place(root);
    return true;
}
