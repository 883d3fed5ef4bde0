/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Numbering: host bridges' buses, device numbers on root buses, slot numbers. */
#include <string.h>

#include "parser.h"

/* CHOICE: what the platform's address map and ACPI tables have room for. */
#define BRIDGES_MAX 8

static bool check_bridges(struct topo_parser *parser, GError **error)
{
    unsigned count = 0;

    for (unsigned i = 0; i < parser->items->len; i++) {
        struct topo_item *a = parser->items->pdata[i];
        if (a->kind != TOPO_HOST_BRIDGE) {
            continue;
        }
        if (++count > BRIDGES_MAX) {
            item_fail(parser, a, NULL, error, "more than %u host bridges", BRIDGES_MAX);
            return false;
        }
        for (unsigned j = 0; j < i; j++) {
            struct topo_item *b = parser->items->pdata[j];
            if (b->kind == TOPO_HOST_BRIDGE && a->v.segment == b->v.segment &&
                a->v.bus_first <= b->v.bus_last && b->v.bus_first <= a->v.bus_last) {
                item_fail(parser, a, "bus", error,
                          "buses %02x-%02x overlap those of %s (line %u), %02x-%02x, on segment "
                          "%u; give both their own bus= or another segment=",
                          (unsigned)a->v.bus_first, (unsigned)a->v.bus_last, b->name,
                          b->group->line, (unsigned)b->v.bus_first, (unsigned)b->v.bus_last,
                          (unsigned)a->v.segment);
                return false;
            }
        }
    }
    return true;
}

/* Every link and every switch's internal bus takes a bus number (PCIe Base 6.0, 7.3.2). */
static bool count_buses(struct topo_parser *parser, GError **error)
{
    for (unsigned i = 0; i < parser->items->len; i++) {
        struct topo_item *item = parser->items->pdata[i];
        if (item->kind == TOPO_HOST_BRIDGE || item->kind == TOPO_ROOT_PORT) {
            item->bridge->buses += 1;
        } else if (item->kind == TOPO_SWITCH) {
            item->bridge->buses += 1 + (unsigned)item->v.downstream;
        }
    }
    for (unsigned i = 0; i < parser->items->len; i++) {
        struct topo_item *item = parser->items->pdata[i];
        unsigned has = (unsigned)(item->v.bus_last - item->v.bus_first + 1);
        if (item->kind == TOPO_HOST_BRIDGE && item->buses > has) {
            item_fail(parser, item, "bus", error,
                      "%u bus numbers are needed below it and it has %u (one for the root bus, one "
                      "for each port, one more for each switch)",
                      item->buses, has);
            return false;
        }
    }
    return true;
}

static bool take_devfn(struct topo_parser *parser, struct topo_item *item, GError **error)
{
    unsigned first = (unsigned)(item->v.device * 8 + item->v.function);
    unsigned count = item->integrated ? 8 : 1;

    for (unsigned devfn = first; devfn < first + count; devfn++) {
        struct topo_item *other = item->parent->at_devfn[devfn];
        if (other) {
            item_fail(parser, item, "device", error,
                      "%02x.%u on the root bus of %s is taken by %s (line %u)", devfn / 8,
                      devfn % 8, item->parent->name, other->name, other->group->line);
            return false;
        }
        item->parent->at_devfn[devfn] = item;
    }
    return true;
}

static bool device_is_free(const struct topo_item *bridge, unsigned device)
{
    for (unsigned function = 0; function < 8; function++) {
        if (bridge->at_devfn[device * 8 + function]) {
            return false;
        }
    }
    return true;
}

static bool choose_device(struct topo_parser *parser, struct topo_item *item, GError **error)
{
    bool from_top = item->integrated &&
                    (!item->v.at || item->kind == TOPO_IOMMU); /* out of the way of the ports */

    for (unsigned i = 1; i < 32; i++) {
        unsigned device = from_top ? 32 - i : i;
        if (device_is_free(item->parent, device)) {
            item->v.device = device;
            return take_devfn(parser, item, error);
        }
    }
    item_fail(parser, item, NULL, error,
              "no device number is left on the root bus of %s (1 to 31); root ports can share one "
              "with function=",
              item->parent->name);
    return false;
}

/* Event collectors say their number, before all others, or (`last`) get what is left. */
static bool number_collectors(struct topo_parser *parser, bool last, GError **error)
{
    for (unsigned i = 0; i < parser->items->len; i++) {
        struct topo_item *item = parser->items->pdata[i];
        uint64_t device = item->v.event_collector;
        if (item->kind != TOPO_HOST_BRIDGE || !device || (device == TOPO_AUTO) != last) {
            continue;
        }
        device = last ? 31 : device;
        while (device && !device_is_free(item, (unsigned)device)) {
            device--;
        }
        if (!device) {
            item_fail(parser, item, "event-collector", error, "no device number is left for it");
            return false;
        }
        item->v.event_collector = device;
        for (unsigned function = 0; function < 8; function++) {
            item->at_devfn[device * 8 + function] = item;
        }
    }
    return true;
}

static bool on_root_bus(const struct topo_item *item)
{
    return item->kind == TOPO_ROOT_PORT || item->integrated;
}

/* Device 0 is left to a host bridge's own function. Those who say where they are go first. */
static bool number_devices(struct topo_parser *parser, GError **error)
{
    if (!number_collectors(parser, false, error)) {
        return false;
    }
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < parser->items->len; i++) {
            struct topo_item *item = parser->items->pdata[i];
            bool given = topo_item_has(item, "device");
            if (!on_root_bus(item) || given != (pass == 0)) {
                continue;
            }
            if (!given && item->v.function) {
                item_fail(parser, item, "function", error,
                          "needs device= beside it: the device that it is a function of");
                return false;
            }
            if (!(given ? take_devfn : choose_device)(parser, item, error)) {
                return false;
            }
        }
    }
    for (unsigned i = 0; i < parser->items->len; i++) {
        struct topo_item *item = parser->items->pdata[i];
        if (on_root_bus(item) && !item->parent->at_devfn[item->v.device * 8]) {
            /* PCIe Base 6.0, 7.5.1.1.9: software looks at function 0 first. */
            item_fail(parser, item, "function", error,
                      "device %u of %s has no function 0, so this one would not be found",
                      (unsigned)item->v.device, item->parent->name);
            return false;
        }
    }
    return number_collectors(parser, true, error);
}

#define SLOT_MAX 8191

static bool take_slot(struct topo_parser *parser, struct topo_item *port, uint64_t slot,
                      struct topo_item **taken, GError **error)
{
    if (taken[slot]) {
        item_fail(parser, port, "slot", error, "slot %u is already that of %s (line %u)",
                  (unsigned)slot, taken[slot]->name, taken[slot]->group->line);
        return false;
    }
    taken[slot] = port;
    return true;
}

/* Hot-plug happens in a slot, and an integrated endpoint cannot be taken out. */
static bool check_hotplug(struct topo_parser *parser, GError **error)
{
    for (unsigned i = 0; i < parser->items->len; i++) {
        struct topo_item *item = parser->items->pdata[i];
        if ((item->kind == TOPO_ROOT_PORT || item->kind == TOPO_SWITCH_PORT) &&
            item->v.hotplug != PCIE_HOTPLUG_NONE && !item->v.slot) {
            item_fail(parser, item, "hotplug", error, "a port without a slot has no hot-plug");
            return false;
        }
        if (item->integrated && topo_item_has(item, "plugged") && !item->v.plugged) {
            item_fail(parser, item, "plugged", error, "an integrated endpoint is always there");
            return false;
        }
    }
    return true;
}

static bool take_given_slots(struct topo_parser *parser, struct topo_item **taken, GError **error)
{
    for (unsigned i = 0; i < parser->items->len; i++) {
        struct topo_item *item = parser->items->pdata[i];
        if ((item->kind == TOPO_ROOT_PORT || item->kind == TOPO_SWITCH_PORT) && item->v.slot &&
            item->v.slot != TOPO_AUTO && !take_slot(parser, item, item->v.slot, taken, error)) {
            return false;
        }
    }
    return true;
}

/* Slot numbers are unique in the machine (PCIe Base 6.0, 7.5.3.9: in a chassis). There are fewer
 * ports than numbers: bus numbers run out first. */
static bool number_slots(struct topo_parser *parser, struct topo_item **taken, GError **error)
{
    unsigned next = 1;

    if (!take_given_slots(parser, taken, error)) {
        return false;
    }
    for (unsigned i = 0; i < parser->items->len; i++) {
        struct topo_item *item = parser->items->pdata[i];
        unsigned ports = item->kind == TOPO_ROOT_PORT ? 1
                         : item->kind == TOPO_SWITCH  ? (unsigned)item->v.downstream
                                                      : 0;
        for (unsigned p = 0; p < ports; p++) {
            struct topo_item *says = item->kind == TOPO_SWITCH ? item->port[p] : item;
            item->port_slot[p] = says ? says->v.slot : TOPO_AUTO;
            if (item->port_slot[p] == TOPO_AUTO) {
                while (taken[next]) {
                    next++;
                }
                g_assert(next <= SLOT_MAX);
                taken[next] = item;
                item->port_slot[p] = next;
            }
        }
    }
    return true;
}

bool topo_number_all(struct topo_parser *parser, GError **error)
{
    if (!check_bridges(parser, error) || !topo_check_windows(parser, error) ||
        !count_buses(parser, error) || !number_devices(parser, error) ||
        !check_hotplug(parser, error)) {
        return false;
    }
    struct topo_item **taken = g_new0(struct topo_item *, SLOT_MAX + 2);
    bool ok = number_slots(parser, taken, error);
    g_free(taken);
    return ok;
}
