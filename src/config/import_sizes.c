/* SPDX-License-Identifier: GPL-2.0-or-later */
/* How large BARs are: configuration space as lspci prints it does not tell. */
#include <stdlib.h>
#include <string.h>

#include "import.h"
#include "lines.h"
#include "pcilab/base/bits.h"

bool import_read_range(const char *line, uint64_t *first, uint64_t *last, const char **name)
{
    char *end;

    line += strspn(line, " ");
    if (!g_ascii_isxdigit(*line)) {
        return false;
    }
    *first = g_ascii_strtoull(line, &end, 16);
    if (*end != '-' || !g_ascii_isxdigit(end[1])) {
        return false;
    }
    *last = g_ascii_strtoull(end + 1, &end, 16);
    if (!g_str_has_prefix(end, " : ")) {
        return false;
    }
    *name = end + 3;
    return true;
}

/* The BAR of the function that starts there gets the size. */
static void use_range(GPtrArray *funcs, const char *name, uint64_t first, uint64_t size)
{
    for (unsigned i = 0; i < funcs->len; i++) {
        struct lspci_func *func = funcs->pdata[i];
        char *own = lspci_name(func);
        bool same = strcmp(own, name) == 0, io, wide;
        uint64_t addr;

        g_free(own);
        for (unsigned bar = 0; same && bar <= SHELL_BARS; bar++) {
            if (!lspci_bar(func, bar, &addr, &io, &wide)) {
                continue;
            }
            bool fits = wide || size <= 1ULL << 31;
            if (!io && addr == first && !func->sized[bar] && fits &&
                (bar < SHELL_BARS || (size >= 2048 && size <= 16 << 20))) {
                func->p.bar_bytes[bar] = size;
                func->sized[bar] = true;
                break;
            }
            bar += wide;
        }
    }
}

bool import_read_iomem(const struct topo_import_params *params, GPtrArray *funcs, GError **error)
{
    bool any = false;
    unsigned line = 0;
    char *text, **lines;

    if (!params->iomem_file) {
        return true;
    }
    if (memchr(params->iomem, '\0', params->iomem_len)) {
        topo_fail(error, params->iomem_file, 1, NULL, NULL, "not a text file");
        return false;
    }
    text = g_strndup(params->iomem, params->iomem_len);
    lines = g_strsplit(text, "\n", -1);
    for (; lines[line]; line++) {
        uint64_t first, last;
        const char *name;

        g_strchomp(lines[line]);
        if (!*lines[line]) {
            continue;
        }
        if (!import_read_range(lines[line], &first, &last, &name) || last < first) {
            topo_fail(error, params->iomem_file, line + 1, NULL, NULL,
                      "not a line of /proc/iomem, like \"f7e00000-f7e03fff : 0000:03:00.0\"");
            break;
        }
        any = any || last;
        if (last && is_power_of_2(last - first + 1) && last - first + 1 >= 16 &&
            !(first & (last - first))) {
            use_range(funcs, name, first, last - first + 1);
        }
    }
    bool ok = !lines[line];
    if (ok && !any) {
        topo_fail(error, params->iomem_file, 1, NULL, NULL,
                  "all addresses are 0: /proc/iomem shows them to root only");
        ok = false;
    }
    g_strfreev(lines);
    g_free(text);
    return ok;
}

#define WINDOW (SHELL_BARS + 1)

/* The address of a BAR, or of a bridge's window, which no BAR before it reaches into. */
struct spot {
    uint64_t addr;
    bool io;
    struct lspci_func *func;
    unsigned bar; /* or WINDOW */
};

static gint compare_spots(gconstpointer a, gconstpointer b)
{
    const struct spot *x = a, *y = b;

    if (x->io != y->io) {
        return x->io - y->io;
    }
    return x->addr < y->addr ? -1 : x->addr > y->addr;
}

static void collect_windows(GArray *spots, struct lspci_func *func)
{
    for (unsigned space = 0; space < IMPORT_SPACES && lspci_header(func) == 1; space++) {
        struct spot spot = {.func = func, .bar = WINDOW, .io = space == IMPORT_IO};
        struct import_range range;

        if (import_bridge_window(func, space, &range)) {
            spot.addr = range.first;
            g_array_append_val(spots, spot);
        }
    }
}

/* Every BAR that there is, in order of address. */
static GArray *collect_spots(GPtrArray *funcs)
{
    GArray *spots = g_array_new(FALSE, FALSE, sizeof(struct spot));

    for (unsigned i = 0; i < funcs->len; i++) {
        struct lspci_func *func = funcs->pdata[i];

        for (unsigned bar = 0; bar <= SHELL_BARS; bar++) {
            struct spot spot = {.func = func, .bar = bar};
            bool wide;

            if (!lspci_bar(func, bar, &spot.addr, &spot.io, &wide)) {
                continue;
            }
            g_array_append_val(spots, spot);
            bar += wide;
        }
        collect_windows(spots, func);
    }
    g_array_sort(spots, compare_spots);
    return spots;
}

/* The last address of the window that the BAR lies in: that of the bridge above it. */
static uint64_t end_of_window(GPtrArray *funcs, const struct spot *spot)
{
    for (unsigned i = 0; i < funcs->len; i++) {
        const struct lspci_func *bridge = funcs->pdata[i];

        if (lspci_header(bridge) != 1 || bridge->segment != spot->func->segment ||
            bridge->p.config[0x19] != spot->func->p.bus || !spot->func->p.bus) {
            continue;
        }
        for (unsigned space = 0; space < IMPORT_SPACES; space++) {
            struct import_range range;
            if (import_bridge_window(bridge, space, &range) && (space == IMPORT_IO) == spot->io &&
                spot->addr >= range.first && spot->addr <= range.last) {
                return range.last;
            }
        }
    }
    return UINT64_MAX;
}

/*
 * CHOICE: a BAR whose size nobody says is as large as its address is aligned, and as the distance
 * to the next BAR and to the end of the bridge's window allow, up to what such devices mostly have:
 * 256 MiB for prefetchable memory of displays, 1 MiB for other prefetchable memory, 64 KiB for
 * ROMs, 16 KiB for other memory, 32 bytes for I/O. One that was not assigned gets 4 KiB or 32
 * bytes.
 */
static uint64_t guess(const struct spot *spot, const struct spot *next, uint64_t end)
{
    const uint8_t *config = spot->func->p.config;
    bool pref = spot->bar < SHELL_BARS && config[0x10 + 4 * spot->bar] & 8;
    uint64_t least = spot->io ? 4 : spot->bar == SHELL_BARS ? 2048 : 16;
    uint64_t most = spot->io                   ? 32
                    : spot->bar == SHELL_BARS  ? 64 << 10
                    : pref && config[0xb] == 3 ? 256 << 20
                    : pref                     ? 1 << 20
                                               : 16 << 10;

    if (!spot->addr) {
        return spot->io ? 32 : 4096;
    }
    most = MIN(most, spot->addr & -spot->addr);
    while (next && next->io == spot->io && next->addr > spot->addr &&
           next->addr - spot->addr < most && most > least) {
        most >>= 1;
    }
    while (end - spot->addr < most - 1 && most > least) {
        most >>= 1;
    }
    return MAX(most, least);
}

void import_guess_sizes(GPtrArray *funcs, struct topo_import *out)
{
    GArray *spots = collect_spots(funcs);

    for (unsigned i = 0; i < spots->len; i++) {
        const struct spot *spot = &g_array_index(spots, struct spot, i), *next = NULL;

        if (spot->bar == WINDOW) {
            continue;
        }
        for (unsigned j = i + 1; j < spots->len && !next; j++) {
            const struct spot *other = &g_array_index(spots, struct spot, j);
            next = other->addr != spot->addr ? other : NULL;
        }
        out->bars++;
        if (!spot->func->sized[spot->bar]) {
            spot->func->p.bar_bytes[spot->bar] = guess(spot, next, end_of_window(funcs, spot));
            out->guessed++;
        }
    }
    g_array_unref(spots);
}
