/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Buses: bus=ID and addr=DEVICE.FUNCTION. */
#include <stdio.h>
#include <string.h>

#include "pcilab/base/bits.h"
#include "qemu.h"

#define DEVICES 32

struct qemu_bus *qemu_bus_add(struct qemu *q, const char *name, enum qemu_bus_kind kind,
                              unsigned component)
{
    struct qemu_bus *bus = g_new0(struct qemu_bus, 1);

    bus->name = g_strdup(name);
    bus->kind = kind;
    bus->component = component;
    if (kind == QEMU_BUS_ROOT) {
        bus->taken[0] = 0xff; /* the host bridge */
    }
    g_ptr_array_add(q->buses, bus);
    return bus;
}

void qemu_bus_free(void *data)
{
    struct qemu_bus *bus = data;

    g_free(bus->name);
    g_free(bus);
}

/* Without bus=: the root bus, or the virtio-serial that came last, as in QEMU. */
static struct qemu_bus *default_bus(struct qemu *q, unsigned kinds)
{
    struct qemu_bus *found = NULL;

    for (unsigned i = 0; i < q->buses->len; i++) {
        struct qemu_bus *bus = q->buses->pdata[i];
        if (BIT(bus->kind) & kinds && (!found || bus->kind == QEMU_BUS_SERIAL)) {
            found = bus;
        }
    }
    return found;
}

static struct qemu_bus *find_bus(struct qemu *q, struct qemu_words *words, unsigned kinds)
{
    static const char *const names[] = {
        [QEMU_BUS_ROOT] = "a root bus",
        [QEMU_BUS_PORT] = "the bus behind a port",
        [QEMU_BUS_SWITCH] = "the inside of a switch",
        [QEMU_BUS_SERIAL] = "a virtio-serial",
    };
    const char *name = qemu_words_get(words, "bus");

    if (!name) {
        struct qemu_bus *bus = default_bus(q, kinds);
        if (!bus) {
            qemu_refuse(words->what, "there is nothing before it to plug it into");
        }
        return bus;
    }
    for (unsigned i = 0; i < q->buses->len; i++) {
        struct qemu_bus *bus = q->buses->pdata[i];
        if (strcmp(bus->name, name) != 0 &&
            !(strcmp(name, "pci.0") == 0 && strcmp(bus->name, "pcie.0") == 0)) {
            continue;
        }
        if (BIT(bus->kind) & kinds) {
            return bus;
        }
        qemu_refuse(words->what, "bus=%s is %s; this device does not fit there", name,
                    names[bus->kind]);
        return NULL;
    }
    qemu_refuse(words->what, "there is no bus \"%s\" before it", name);
    return NULL;
}

/* "5", "0x5", "5.1": hexadecimal. */
static bool parse_addr(struct qemu_words *words, struct qemu_place *place, bool *given)
{
    const char *text = qemu_words_get(words, "addr");
    unsigned device, function = 0;
    int used = 0;

    *given = text != NULL;
    if (!text) {
        return true;
    }
    if ((sscanf(text, "%x.%x%n", &device, &function, &used) < 2 || text[used]) &&
        (sscanf(text, "%x%n", &device, &used) < 1 || text[used])) {
        used = 0;
    }
    if (!used || text[0] == '-' || device >= DEVICES || function > 7) {
        return qemu_refuse(words->what,
                           "addr=%s is not allowed; it is DEVICE or DEVICE.FUNCTION "
                           "in hexadecimal, like 0x1f or 3.1",
                           text);
    }
    place->device = device;
    place->function = function;
    return true;
}

static bool lowest_free(struct qemu_words *words, struct qemu_place *place)
{
    const struct qemu_bus *bus = place->bus;
    unsigned last = bus->kind == QEMU_BUS_PORT ? 0 : DEVICES - 1;

    for (unsigned device = 0; device <= last; device++) {
        if (!bus->taken[device]) {
            place->device = device;
            return true;
        }
    }
    return qemu_refuse(words->what, "bus %s is full", bus->name);
}

bool qemu_place(struct qemu *q, struct qemu_words *words, unsigned kinds, bool port,
                struct qemu_place *place)
{
    bool given;

    *place = (struct qemu_place){.bus = find_bus(q, words, kinds)};
    if (!place->bus || !parse_addr(words, place, &given)) {
        return false;
    }
    if (!given) {
        if (!lowest_free(words, place)) {
            return false;
        }
    } else if (place->bus->kind == QEMU_BUS_PORT && place->device) {
        return qemu_refuse(words->what, "behind a port there is device 0 only");
    }
    uint8_t *taken = &place->bus->taken[place->device];
    uint8_t mine = port ? (uint8_t)(1u << place->function) : 0xff;
    if (place->function && !port) {
        return qemu_refuse(words->what, "only ports can be other functions than 0");
    }
    if (*taken & mine) {
        return qemu_refuse(words->what, "%02x.%x of bus %s is taken", place->device,
                           place->function, place->bus->name);
    }
    *taken |= mine;
    return true;
}

static bool check_root(const struct qemu_bus *bus)
{
    for (unsigned device = 0; device < DEVICES; device++) {
        if (bus->taken[device] && !(bus->taken[device] & 1)) {
            return qemu_refuse("-device pcie-root-port",
                               "%02x on bus %s has other functions but no function 0", device,
                               bus->name);
        }
    }
    return true;
}

static bool check_switch(const struct qemu *q, const struct qemu_bus *bus)
{
    unsigned count = q->desc->components[bus->component].sw.down_count;

    if (!bus->taken[0] && count <= 1) {
        return qemu_refuse("-device x3130-upstream", "%s has no downstream port", bus->name);
    }
    for (unsigned device = 0; device < count; device++) {
        if (!bus->taken[device]) {
            return qemu_refuse("-device xio3130-downstream",
                               "the ports of %s leave out device %02x; they have to be devices 0 "
                               "to %x",
                               bus->name, device, count - 1);
        }
    }
    return true;
}

/* A root bus reaches to the next one's first number. */
static void end_bridges(struct qemu *q)
{
    for (unsigned i = 0; i < q->desc->count; i++) {
        struct machine_component *c = &q->desc->components[i];
        for (unsigned j = 0; c->kind == MACHINE_HOST_BRIDGE && j < q->desc->count; j++) {
            const struct machine_component *other = &q->desc->components[j];
            if (other->kind == MACHINE_HOST_BRIDGE &&
                other->bridge.bus_first > c->bridge.bus_first) {
                c->bridge.bus_last =
                    MIN(c->bridge.bus_last, (uint8_t)(other->bridge.bus_first - 1));
            }
        }
    }
}

bool qemu_bus_finish(struct qemu *q)
{
    for (unsigned i = 0; i < q->buses->len; i++) {
        const struct qemu_bus *bus = q->buses->pdata[i];
        if ((bus->kind == QEMU_BUS_ROOT && !check_root(bus)) ||
            (bus->kind == QEMU_BUS_SWITCH && !check_switch(q, bus))) {
            return false;
        }
    }
    end_bridges(q);
    return true;
}
