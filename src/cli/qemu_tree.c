/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Root buses, ports and switches from -device. */
#include <string.h>

#include "pcilab/base/bits.h"
#include "qemu.h"

#define SLOT_MAX 8191

/* The component that a device without an ID becomes: "nvme.1". */
static char *make_name(struct qemu *q, const char *what, const char *id)
{
    char *name = g_strdup(id);

    while (!name || machine_desc_find(q->desc, name) >= 0) {
        g_free(name);
        name = g_strdup_printf("%s.%u", what, ++q->made);
    }
    return name;
}

static struct machine_component *component(struct qemu *q, unsigned index)
{
    return &q->desc->components[index];
}

struct machine_component *qemu_add_component(struct qemu *q, enum machine_kind kind, const char *id)
{
    char *name = make_name(q, machine_kind_name(kind), id);
    struct machine_component *c = machine_desc_add(q->desc, kind, name);

    g_free(name);
    return c;
}

static bool slot_is_used(const struct qemu *q, uint32_t slot)
{
    for (unsigned i = 0; i < q->slots->len; i++) {
        if (g_array_index(q->slots, uint32_t, i) == slot) {
            return true;
        }
    }
    return false;
}

/* QEMU calls a second slot 0 of chassis 0 an error; here a slot that is not named gets a number. */
static bool read_slot(struct qemu *q, struct qemu_words *words, struct machine_port_desc *port)
{
    unsigned chassis = 0, number = 0;

    if (!qemu_words_uint(words, "chassis", 255, &chassis) ||
        !qemu_words_uint(words, "slot", SLOT_MAX, &number)) {
        return false;
    }
    while (!qemu_words_get(words, "slot") && (!number || slot_is_used(q, chassis << 16 | number))) {
        number++;
    }
    uint32_t slot = chassis << 16 | number;
    if (slot_is_used(q, slot)) {
        return qemu_refuse(words->what, "slot %u of chassis %u is taken", number, chassis);
    }
    g_array_append_val(q->slots, slot);
    port->slot = true;
    port->slot_number = (uint16_t)number;
    return true;
}

static bool read_link(struct qemu_words *words, struct machine_port_desc *port)
{
    static const char *const speeds[] = {NULL, "2_5", "5", "8", "16", "32"};
    const char *speed = qemu_words_get(words, "x-speed");
    unsigned width = port->width, code = 1;

    while (speed && code < G_N_ELEMENTS(speeds) && strcmp(speed, speeds[code]) != 0) {
        code++;
    }
    if (speed && code == G_N_ELEMENTS(speeds)) {
        return qemu_refuse(words->what,
                           "x-speed=%s cannot be honoured; it can be 2_5, 5, 8, 16 or "
                           "32",
                           speed);
    }
    if (!qemu_words_uint(words, "x-width", 16, &width) || !width || width & (width - 1)) {
        return qemu_refuse(words->what, "x-width= has to be 1, 2, 4, 8 or 16");
    }
    port->speed = speed ? (uint8_t)code : port->speed;
    port->width = (uint8_t)width;
    return true;
}

static bool read_port(struct qemu *q, struct qemu_words *words, struct machine_port_desc *port)
{
    /* Hints for a firmware that assigns addresses; `multifunction` is seen in what is plugged. */
    static const char *const no_effect[] = {"multifunction", "port",        "bus-reserve",
                                            "io-reserve",    "mem-reserve", "pref32-reserve",
                                            "pref64-reserve"};

    for (unsigned i = 0; i < G_N_ELEMENTS(no_effect); i++) {
        qemu_words_get(words, no_effect[i]);
    }
    return qemu_words_only(words, "hotplug", "off") && read_slot(q, words, port) &&
           read_link(words, port);
}

bool qemu_add_root_port(struct qemu *q, struct qemu_words *words, const char *id)
{
    struct qemu_place place;

    if (!qemu_place(q, words, BIT(QEMU_BUS_ROOT), true, &place)) {
        return false;
    }
    struct machine_component *c = qemu_add_component(q, MACHINE_ROOT_PORT, id);
    c->parent = (int)place.bus->component;
    c->device = (uint8_t)place.device;
    c->function = (uint8_t)place.function;
    qemu_bus_add(q, c->name, QEMU_BUS_PORT, q->desc->count - 1);
    return read_port(q, words, &c->port);
}

bool qemu_add_upstream(struct qemu *q, struct qemu_words *words, const char *id)
{
    struct qemu_place place;

    if (!qemu_place(q, words, BIT(QEMU_BUS_PORT), false, &place)) {
        return false;
    }
    struct machine_component *c = qemu_add_component(q, MACHINE_SWITCH, id);
    c->parent = (int)place.bus->component;
    c->parent_port = place.bus->port;
    qemu_bus_add(q, c->name, QEMU_BUS_SWITCH, q->desc->count - 1);
    qemu_words_get(words, "multifunction");
    return true;
}

bool qemu_add_downstream(struct qemu *q, struct qemu_words *words, const char *id)
{
    struct qemu_place place;

    if (!qemu_place(q, words, BIT(QEMU_BUS_SWITCH), false, &place)) {
        return false;
    }
    struct machine_component *c = component(q, place.bus->component);
    char *name = make_name(q, "downstream", id);
    struct qemu_bus *bus = qemu_bus_add(q, name, QEMU_BUS_PORT, place.bus->component);
    g_free(name);
    bus->port = place.device;
    c->sw.down_count = MAX(c->sw.down_count, place.device + 1);
    return read_port(q, words, &c->sw.down[place.device]);
}

/* QEMU's defaults: legacy mode with three levels. */
bool qemu_add_iommu(struct qemu *q, struct qemu_words *words, const char *id)
{
    const char *eim = qemu_words_get(words, "eim");
    unsigned bits = 39;

    for (unsigned i = 0; i < q->desc->count; i++) {
        if (component(q, i)->kind == MACHINE_IOMMU) {
            return qemu_refuse(words->what, "there is an intel-iommu already");
        }
    }
    struct machine_component *c = qemu_add_component(q, MACHINE_IOMMU, id);
    struct vtd_features *vtd = &c->iommu.vtd;
    c->parent = 0;
    vtd->scalable = vtd->snoop = false;
    vtd->x2apic = !eim || strcmp(eim, "off") != 0;
    if (!qemu_words_uint(words, "aw-bits", 64, &bits) || (bits != 39 && bits != 48)) {
        return qemu_refuse(words->what, "aw-bits= is 39 or 48");
    }
    vtd->address_bits = (uint8_t)bits;
    return qemu_words_flag(words, "intremap", &vtd->interrupt_remapping) &&
           qemu_words_flag(words, "caching-mode", &vtd->caching) &&
           qemu_words_flag(words, "x-scalable-mode", &vtd->scalable) &&
           qemu_words_flag(words, "snoop-control", &vtd->snoop) &&
           qemu_words_flag(words, "pt", &vtd->pass_through) &&
           qemu_words_only(words, "device-iotlb", "off");
}

/* A root bus of its own. In QEMU the bridge is a function of the first one too; here it only keeps
 * its place free. */
bool qemu_add_root_bus(struct qemu *q, struct qemu_words *words, const char *id)
{
    struct qemu_place place;
    unsigned first = 0;

    if (!qemu_words_uint(words, "bus_nr", 255, &first) ||
        !qemu_place(q, words, BIT(QEMU_BUS_ROOT), false, &place)) {
        return false;
    }
    if (!id || !first) {
        return qemu_refuse(words->what, "%s is missing", id ? "bus_nr=NUMBER" : "id=ID");
    }
    for (unsigned i = 0; i < q->desc->count; i++) {
        const struct machine_component *other = component(q, i);
        if (other->kind == MACHINE_HOST_BRIDGE && other->bridge.bus_first == first) {
            return qemu_refuse(words->what, "bus number %u is that of %s", first, other->name);
        }
    }
    struct machine_component *c = qemu_add_component(q, MACHINE_HOST_BRIDGE, id);
    c->bridge.bus_first = (uint8_t)first;
    qemu_bus_add(q, c->name, QEMU_BUS_ROOT, q->desc->count - 1);
    return true;
}
