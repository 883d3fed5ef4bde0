/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * IOMMU groups as Linux 6.12 makes them: drivers/iommu/iommu.c, pci_device_group();
 * drivers/pci/pci.c, pci_acs_enabled(). PCIe Base 6.0, 6.12.1 says who needs Access Control
 * Services. tests/guest/groups.py compares the kernel's with the specification.
 */
#include "pcilab/base/le.h"
#include "topo_svg.h"

#define STATUS        0x06
#define STATUS_CAPS   0x10
#define HEADER_TYPE   0x0e
#define MULTIFUNCTION 0x80
#define SECONDARY_BUS 0x19
#define CAP_POINTER   0x34
#define CAP_EXPRESS   0x10
#define EXT_CAP_ACS   0x0d

/* 7.5.3.2: Device/Port Type */
enum port_type {
    ENDPOINT = 0,
    LEGACY_ENDPOINT = 1,
    ROOT_PORT = 4,
    UPSTREAM = 5,
    DOWNSTREAM = 6,
    INTEGRATED = 9,
};

/* Offset of the PCI Express capability; 0: none. */
static unsigned find_express(const uint8_t *config)
{
    unsigned at = le16_load(config + STATUS) & STATUS_CAPS ? config[CAP_POINTER] & 0xfc : 0;

    for (unsigned i = 0; at >= 0x40 && i < 48; i++, at = config[at + 1] & 0xfc) {
        if (config[at] == CAP_EXPRESS) {
            return at;
        }
    }
    return 0;
}

static bool has_acs(const uint8_t *config)
{
    unsigned at = 0x100;

    for (unsigned i = 0; at >= 0x100 && i < 960; i++) {
        uint32_t header = le32_load(config + at);
        if ((header & 0xffff) == EXT_CAP_ACS) {
            return true;
        }
        at = header >> 20 & 0xffc;
    }
    return false;
}

static bool is_multifunction(const struct svg_func *f)
{
    return (f->config[HEADER_TYPE] & MULTIFUNCTION) || (f->rid.v & 7);
}

/* The kernel turns on what there is. */
static bool controls_peers(const struct svg_func *f)
{
    unsigned express = find_express(f->config);

    if (!express) {
        return false;
    }
    switch (f->config[express + 2] >> 4 & 0xf) {
    case ROOT_PORT:
    case DOWNSTREAM: return has_acs(f->config);
    case ENDPOINT:
    case LEGACY_ENDPOINT:
    case UPSTREAM:
    case INTEGRATED: return !is_multifunction(f) || has_acs(f->config);
    default: return false;
    }
}

static struct svg_func *bridge_above(const GPtrArray *funcs, const struct svg_func *f)
{
    for (unsigned i = 0; i < funcs->len; i++) {
        struct svg_func *b = funcs->pdata[i];
        if (b->segment == f->segment && (b->config[HEADER_TYPE] & 0x7f) == 1 &&
            b->config[SECONDARY_BUS] == pci_rid_bus(f->rid) && b != f) {
            return b;
        }
    }
    return NULL;
}

static bool path_controls_peers(const GPtrArray *funcs, const struct svg_func *f)
{
    for (; f; f = bridge_above(funcs, f)) {
        if (!controls_peers(f)) {
            return false;
        }
    }
    return true;
}

static int find_group(const GPtrArray *funcs, struct svg_func *f, int *next)
{
    const struct svg_func *alias = f;
    const struct svg_func *above = bridge_above(funcs, f);

    for (; above && !path_controls_peers(funcs, above); above = bridge_above(funcs, above)) {
        alias = above;
        if (alias->group != SVG_NONE) {
            return alias->group;
        }
    }
    if (is_multifunction(alias) && !controls_peers(alias)) {
        for (unsigned i = 0; i < funcs->len; i++) {
            const struct svg_func *o = funcs->pdata[i];
            if (o != alias && o->segment == alias->segment && o->rid.v >> 3 == alias->rid.v >> 3 &&
                o->group != SVG_NONE && !controls_peers(o)) {
                return o->group;
            }
        }
    }
    return (*next)++;
}

/* In the order in which the kernel finds them: a bus whole, then what is below its bridges. */
static void scan_bus(const GPtrArray *funcs, uint16_t segment, unsigned bus, int *next)
{
    for (unsigned pass = 0; pass < 2; pass++) {
        for (unsigned i = 0; i < funcs->len; i++) {
            struct svg_func *f = funcs->pdata[i];
            unsigned secondary = f->config[SECONDARY_BUS];
            if (f->segment != segment || pci_rid_bus(f->rid) != bus) {
                continue;
            }
            if (!pass && f->unit != SVG_NONE) {
                f->group = find_group(funcs, f, next);
            } else if (pass && (f->config[HEADER_TYPE] & 0x7f) == 1 && secondary > bus) {
                scan_bus(funcs, segment, secondary, next);
            }
        }
    }
}

void svg_find_groups(GPtrArray *funcs)
{
    int next = 0;

    for (unsigned i = 0; i < funcs->len; i++) {
        ((struct svg_func *)funcs->pdata[i])->group = SVG_NONE;
    }
    for (unsigned i = 0; i < funcs->len; i++) {
        const struct svg_func *f = funcs->pdata[i];
        if (f->group == SVG_NONE && f->unit != SVG_NONE && !bridge_above(funcs, f)) {
            scan_bus(funcs, f->segment, pci_rid_bus(f->rid), &next);
        }
    }
}
