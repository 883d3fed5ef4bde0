/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where the windows of the host bridges are. lspci does not tell; they are put around the addresses
 * that the functions of each root bus have, so that a kernel can keep all of them.
 */
#include <string.h>

#include "import.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/platform/addrmap.h"

static const struct import_range nothing = {UINT64_MAX, 0};

/* Where windows may be, those of the platform when nothing is said, and how they are aligned: as
 * bridges' windows are (PCI-to-PCI Bridge 1.2, 3.2.5.6 and 3.2.5.8). */
static const struct {
    const char *key;
    struct import_range most, usual;
    uint64_t step;
} spaces[IMPORT_SPACES] = {
    {"io", {0xd00, 0xffff}, {MAP_BRIDGE_IO_BASE, MAP_BRIDGE_IO_END - 1}, 0x1000},
    {"mem32",
     {MAP_MMIO32_BASE, MAP_IOAPIC_BASE - 1},
     {MAP_MMIO32_BASE, MAP_MMIO32_END - 1},
     1 << 20},
    /* Guests of up to 4 GiB find their RAM below. */
    {"mem64",
     {0x200000000, MAP_PHYS_END - 1},
     {MAP_MMIO64_BASE, MAP_MMIO64_BASE + MAP_MMIO64_SIZE - 1},
     1 << 20},
};

bool import_bridge_window(const struct lspci_func *bridge, enum import_space space,
                          struct import_range *range)
{
    const uint8_t *c = bridge->p.config;
    uint64_t first = 0, last = 0;

    switch (space) {
    case IMPORT_IO:
        first = (c[0x1c] & 0xf0u) << 8;
        last = (c[0x1d] & 0xf0u) << 8 | 0xfff;
        if ((c[0x1c] & 0xf) == 1) {
            first |= (uint64_t)le16_load(c + 0x30) << 16;
            last |= (uint64_t)le16_load(c + 0x32) << 16;
        }
        break;
    case IMPORT_MEM32:
        first = (uint64_t)(le16_load(c + 0x20) & 0xfff0) << 16;
        last = (uint64_t)(le16_load(c + 0x22) & 0xfff0) << 16 | 0xfffff;
        break;
    default:
        first = (uint64_t)(le16_load(c + 0x24) & 0xfff0) << 16;
        last = (uint64_t)(le16_load(c + 0x26) & 0xfff0) << 16 | 0xfffff;
        if ((c[0x24] & 0xf) == 1) {
            first |= (uint64_t)le32_load(c + 0x28) << 32;
            last |= (uint64_t)le32_load(c + 0x2c) << 32;
        }
        break;
    }
    *range = (struct import_range){first, last};
    return first && first <= last;
}

static bool is_empty(struct import_range range)
{
    return range.last < range.first;
}

static void include(struct import_root *root, enum import_space space, struct import_range range)
{
    struct import_range *hull = &root->window[space].range;

    if (range.first >= spaces[space].most.first && range.last <= spaces[space].most.last) {
        hull->first = MIN(hull->first, range.first);
        hull->last = MAX(hull->last, range.last);
    }
}

static void include_memory(struct import_root *root, struct import_range range)
{
    include(root, range.last >> 32 ? IMPORT_MEM64 : IMPORT_MEM32, range);
}

static void include_func(struct import_root *root, const struct lspci_func *func)
{
    for (unsigned bar = 0; bar < SHELL_BARS; bar++) {
        uint64_t addr;
        bool io, wide;

        if (lspci_bar(func, bar, &addr, &io, &wide) && addr && func->p.bar_bytes[bar]) {
            struct import_range range = {addr, addr + func->p.bar_bytes[bar] - 1};
            if (io) {
                include(root, IMPORT_IO, range);
            } else {
                include_memory(root, range);
            }
        }
        bar += wide;
    }
    for (unsigned space = 0; space < IMPORT_SPACES && lspci_header(func) == 1; space++) {
        struct import_range range;
        if (!import_bridge_window(func, space, &range)) {
            continue;
        }
        if (space == IMPORT_IO) {
            include(root, IMPORT_IO, range);
        } else {
            include_memory(root, range);
        }
    }
}

/* "80000000-dfffffff : PCI Bus 0000:00", not indented. What it says of a root bus goes beyond what
 * is used of it. */
static void include_iomem(const struct topo_import_params *params, GArray *roots)
{
    char *text = g_strndup(params->iomem ? params->iomem : "", params->iomem_len);
    char **lines = g_strsplit(text, "\n", -1);

    for (unsigned line = 0; lines[line]; line++) {
        struct import_range range;
        const char *name;

        g_strchomp(lines[line]);
        if (*lines[line] == ' ' ||
            !import_read_range(lines[line], &range.first, &range.last, &name)) {
            continue;
        }
        for (unsigned i = 0; i < roots->len; i++) {
            struct import_root *root = &g_array_index(roots, struct import_root, i);
            char *own = g_strdup_printf("PCI Bus %04x:%02x", root->segment, root->first);
            if (strcmp(name, own) == 0) {
                include_memory(root, range);
            }
            g_free(own);
        }
    }
    g_strfreev(lines);
    g_free(text);
}

static bool overlap(struct import_range a, struct import_range b)
{
    return !is_empty(a) && !is_empty(b) && a.first <= b.last && b.first <= a.last;
}

/* Whether the ranges can be the windows as they are. */
static bool can_be(const GArray *roots, enum import_space space)
{
    const struct import_range ecam = {MAP_ECAM_HIGH_BASE, MAP_ECAM_HIGH_END - 1};

    for (unsigned i = 0; i < roots->len; i++) {
        struct import_range a = g_array_index(roots, struct import_root, i).window[space].range;

        if (overlap(a, ecam)) {
            return false;
        }
        for (unsigned j = 0; j < i; j++) {
            if (overlap(a, g_array_index(roots, struct import_root, j).window[space].range)) {
                return false;
            }
        }
    }
    return true;
}

/* Two windows may not meet in one step: then the exact addresses are theirs. */
static void align_ranges(GArray *roots, enum import_space space)
{
    for (unsigned i = 0; i < roots->len; i++) {
        struct import_range *r = &g_array_index(roots, struct import_root, i).window[space].range;
        struct import_range wide = {align_down(r->first, spaces[space].step),
                                    align_up(r->last + 1, spaces[space].step) - 1};
        bool alone = !is_empty(*r);

        for (unsigned j = 0; j < roots->len; j++) {
            alone =
                alone &&
                (j == i ||
                 !overlap(wide, g_array_index(roots, struct import_root, j).window[space].range));
        }
        if (alone) {
            r->first = MAX(wide.first, spaces[space].most.first);
            r->last = MIN(wide.last, spaces[space].most.last);
        } else if (!is_empty(*r)) {
            uint64_t step = space == IMPORT_IO ? 0x10 : 0x1000;
            r->first = align_down(r->first, step);
            r->last = align_up(r->last + 1, step) - 1;
        }
    }
}

/* A bridge alone gets all that there is. */
static void widen(struct import_root *root, enum import_space space)
{
    struct import_range *r = &root->window[space].range;
    struct import_range usual = spaces[space].usual;

    if (space == IMPORT_MEM64) {
        root->window[space].given = !is_empty(*r);
    } else if (!is_empty(*r) && (r->first < usual.first || r->last > usual.last)) {
        root->window[space].given = true;
        *r = spaces[space].most;
    }
}

static bool any_used(const GArray *roots, enum import_space space)
{
    bool any = false;

    for (unsigned i = 0; i < roots->len; i++) {
        any = any || !is_empty(g_array_index(roots, struct import_root, i).window[space].range);
    }
    return any;
}

void import_find_windows(const struct topo_import_params *params, GPtrArray *funcs, GArray *roots,
                         struct topo_import *out)
{
    for (unsigned i = 0; i < roots->len; i++) {
        struct import_root *root = &g_array_index(roots, struct import_root, i);

        for (unsigned space = 0; space < IMPORT_SPACES; space++) {
            root->window[space].given = false;
            root->window[space].range = nothing;
        }
        for (unsigned k = 0; k < funcs->len; k++) {
            const struct lspci_func *func = funcs->pdata[k];
            if (func->segment == root->segment && func->p.bus >= root->first &&
                func->p.bus <= root->last) {
                include_func(root, func);
            }
        }
    }
    include_iomem(params, roots);
    for (unsigned space = 0; space < IMPORT_SPACES; space++) {
        if (!can_be(roots, space)) {
            g_ptr_array_add(out->notes,
                            g_strdup_printf("%s windows of the root buses, as the addresses tell "
                                            "them, overlap each other or the platform's ECAM: not "
                                            "all addresses can be kept",
                                            spaces[space].key));
            continue;
        }
        align_ranges(roots, space);
        if (roots->len == 1) {
            widen(&g_array_index(roots, struct import_root, 0), space);
        }
        for (unsigned i = 0; i < roots->len && roots->len > 1; i++) {
            g_array_index(roots, struct import_root, i).window[space].given =
                any_used(roots, space);
        }
    }
}

void import_write_windows(const struct import_root *root, GString *out)
{
    for (unsigned space = 0; space < IMPORT_SPACES; space++) {
        struct import_range r = root->window[space].range;

        if (!root->window[space].given) {
            continue;
        }
        if (is_empty(r)) {
            g_string_append_printf(out, "%s=none\n", spaces[space].key);
        } else {
            g_string_append_printf(out, "%s=%" G_GINT64_MODIFIER "x-%" G_GINT64_MODIFIER "x\n",
                                   spaces[space].key, r.first, r.last);
        }
    }
}
