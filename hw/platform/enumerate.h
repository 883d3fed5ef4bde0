/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Between the two halves of the enumeration: finding (enumerate.c) and assigning (assign.c). */
#ifndef PCILAB_HW_PLATFORM_ENUMERATE_H
#define PCILAB_HW_PLATFORM_ENUMERATE_H

#include <glib.h>

#include "board.h"

enum enum_window {
    ENUM_IO,
    ENUM_MEM32,  /* 32-bit and all that is not prefetchable */
    ENUM_PREF64, /* 64-bit prefetchable */
    ENUM_WINDOWS
};

struct enum_bar {
    uint64_t size; /* 0: none */
    enum enum_window window;
    bool wide;
};

/* What a bus needs, or a bridge's window got. */
struct enum_range {
    uint64_t base, size, align;
};

struct enum_bus;

struct enum_func {
    struct enum_bus *bus;
    unsigned devfn;
    struct enum_bar bar[PCI_BAR_COUNT];
    struct enum_bus *secondary; /* bridges */
};

struct enum_bus {
    struct board_bridge *bridge;
    unsigned number;
    GPtrArray *funcs; /* struct enum_func */
    struct enum_range need[ENUM_WINDOWS];
};

struct enum_scan {
    unsigned last_bus; /* highest number in use */
    bool taken[256];
};

uint32_t enum_read(const struct enum_bus *bus, unsigned devfn, unsigned offset, unsigned size);
void enum_write(const struct enum_bus *bus, unsigned devfn, unsigned offset, unsigned size,
                uint32_t value);

struct enum_bus *enum_bus_new(struct board_bridge *bridge, unsigned number);
void enum_bus_free(struct enum_bus *bus);
/* Gives every BAR and bridge window of the tree its place. */
bool enum_assign(struct enum_bus *root, GError **error);

#endif
