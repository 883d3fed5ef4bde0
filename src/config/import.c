/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * An import: read the dump, leave out what no kernel would find, check that the bridges make a
 * tree, find the root buses, write both files.
 */
#include "import.h"

#include <string.h>

#include "lines.h"
#include "pcilab/base/bits.h"
#include "pcilab/base/le.h"
#include "pcilab/config/units.h"
#include "pcilab/platform/addrmap.h"

/* As many as the platform has room for. */
#define BRIDGES_MAX MAP_BRIDGES_MAX

struct import {
    const char *file;
    GPtrArray *funcs;
    GArray *roots; /* struct import_root, by segment and bus */
    GArray *ecams; /* struct import_ecam */
    struct topo_import *out;
};

static void note(struct import *im, const struct lspci_func *func, const char *what)
{
    char *name = lspci_name(func);

    g_ptr_array_add(im->out->notes,
                    g_strdup_printf("%s (line %u) is left out: %s", name, func->line, what));
    g_free(name);
}

static bool is_bridge(const struct lspci_func *func)
{
    return lspci_header(func) == 1 && func->p.config[0x19];
}

static struct lspci_func *find(const struct import *im, uint32_t segment, unsigned bus,
                               unsigned devfn)
{
    for (unsigned i = 0; i < im->funcs->len; i++) {
        struct lspci_func *func = im->funcs->pdata[i];
        if (func->segment == segment && func->p.bus == bus && func->p.devfn == devfn) {
            return func;
        }
    }
    return NULL;
}

/* The bridge that the bus is directly behind. */
static struct lspci_func *bridge_above(const struct import *im, uint32_t segment, unsigned bus)
{
    for (unsigned i = 0; i < im->funcs->len; i++) {
        struct lspci_func *func = im->funcs->pdata[i];
        if (is_bridge(func) && func->segment == segment && func->p.config[0x19] == bus) {
            return func;
        }
    }
    return NULL;
}

static bool passed_by_bridge(const struct import *im, const struct lspci_func *func)
{
    for (unsigned i = 0; i < im->funcs->len; i++) {
        const struct lspci_func *b = im->funcs->pdata[i];
        if ((is_bridge(b) || lspci_header(b) == 2) && b->segment == func->segment &&
            func->p.bus >= b->p.config[0x19] && func->p.bus <= b->p.config[0x1a] &&
            b->p.config[0x19]) {
            return true;
        }
    }
    return false;
}

/* PCIe Base 6.0, 9.3.4.1.1: virtual functions read all ones there; 7.5.1.1.9: functions beside
 * function 0 are looked for only if that says so. */
static const char *why_not_found(const struct import *im, const struct lspci_func *func)
{
    const struct lspci_func *first;

    if (func->segment > 0xffff) {
        return "its domain is one that a driver made up (VMD)";
    }
    if (le16_load(func->p.config) == 0xffff) {
        return "its vendor ID reads ffff (a virtual function, or nothing)";
    }
    if (lspci_header(func) > 2) {
        return "its header type is not known";
    }
    if (!bridge_above(im, func->segment, func->p.bus) && passed_by_bridge(im, func)) {
        return "no bridge of the dump leads to its bus";
    }
    first = find(im, func->segment, func->p.bus, func->p.devfn & ~7u);
    if (func->p.devfn & 7 && (!first || !(first->p.config[0x0e] & 0x80))) {
        return first ? "function 0 of the device does not say that it has more than one"
                     : "the device has no function 0";
    }
    return NULL;
}

/* What is left out may be what others hang at: again, until nothing changes. */
static void leave_out(struct import *im)
{
    bool more = true;

    while (more) {
        more = false;
        for (unsigned i = 0; i < im->funcs->len; i++) {
            struct lspci_func *func = im->funcs->pdata[i];
            const char *why = why_not_found(im, func);

            if (why) {
                note(im, func, why);
                g_ptr_array_remove_index(im->funcs, i--);
                more = true;
            }
        }
    }
}

static bool contradiction(const struct import *im, const struct lspci_func *func, GError **error,
                          const char *format, ...) G_GNUC_PRINTF(4, 5);

static bool contradiction(const struct import *im, const struct lspci_func *func, GError **error,
                          const char *format, ...)
{
    char *name = lspci_name(func), *what;
    va_list args;

    va_start(args, format);
    what = g_strdup_vprintf(format, args);
    va_end(args);
    topo_fail(error, im->file, func->line, NULL, NULL, "%s: %s", name, what);
    g_free(what);
    g_free(name);
    return false;
}

static bool check_bridge(const struct import *im, unsigned index, GError **error)
{
    const struct lspci_func *func = im->funcs->pdata[index], *above;
    unsigned first = func->p.config[0x19], last = func->p.config[0x1a];

    if (!is_bridge(func)) {
        return true;
    }
    if (first <= func->p.bus || last < first) {
        return contradiction(im, func, error,
                             "a bridge on bus %02x cannot lead to buses %02x to %02x", func->p.bus,
                             first, last);
    }
    above = bridge_above(im, func->segment, func->p.bus);
    if (above && last > above->p.config[0x1a]) {
        return contradiction(
            im, func, error,
            "it leads to buses %02x to %02x, the bridge above it (line %u) only to "
            "%02x",
            first, last, above->line, above->p.config[0x1a]);
    }
    for (unsigned i = 0; i < index; i++) {
        const struct lspci_func *other = im->funcs->pdata[i];
        if (is_bridge(other) && other->segment == func->segment && other->p.bus == func->p.bus &&
            other->p.config[0x19] <= last && first <= other->p.config[0x1a]) {
            return contradiction(im, func, error,
                                 "its buses, %02x to %02x, overlap those of the bridge in line %u",
                                 first, last, other->line);
        }
    }
    return true;
}

static gint compare_roots(gconstpointer a, gconstpointer b)
{
    const struct import_root *x = a, *y = b;

    if (x->segment != y->segment) {
        return x->segment < y->segment ? -1 : 1;
    }
    return (gint)x->first - (gint)y->first;
}

static struct import_root *find_root(const struct import *im, uint32_t segment, unsigned bus)
{
    for (unsigned i = 0; i < im->roots->len; i++) {
        struct import_root *root = &g_array_index(im->roots, struct import_root, i);
        if (root->segment == segment && root->first == bus) {
            return root;
        }
    }
    return NULL;
}

/* The last bus that MCFG gives the segment from this one on, 0xff if it says nothing. */
static unsigned last_bus(const struct import *im, const struct import_root *root)
{
    for (unsigned i = 0; i < im->ecams->len; i++) {
        const struct import_ecam *ecam = &g_array_index(im->ecams, struct import_ecam, i);

        if (ecam->segment == root->segment && root->first >= ecam->first &&
            root->first <= ecam->last) {
            return ecam->last;
        }
    }
    return 0xff;
}

/* Buses that no bridge leads to; each one's numbers go on to the next one's. */
static bool find_roots(struct import *im, GError **error)
{
    for (unsigned i = 0; i < im->funcs->len; i++) {
        const struct lspci_func *func = im->funcs->pdata[i];
        struct import_root root = {.segment = func->segment, .first = func->p.bus};

        if (!bridge_above(im, func->segment, func->p.bus) &&
            !find_root(im, func->segment, func->p.bus)) {
            g_array_append_val(im->roots, root);
        }
    }
    g_array_sort(im->roots, compare_roots);
    for (unsigned i = 0; i < im->roots->len; i++) {
        struct import_root *root = &g_array_index(im->roots, struct import_root, i),
                           *next = root + 1;
        bool more = i + 1 < im->roots->len && next->segment == root->segment;

        root->last = MIN(more ? next->first - 1u : 0xffu, last_bus(im, root));
    }
    if (im->roots->len > BRIDGES_MAX) {
        topo_fail(error, im->file, 0, NULL, NULL,
                  "%u buses are behind no bridge, so there would be as many host bridges; a "
                  "machine has at most %u",
                  im->roots->len, BRIDGES_MAX);
        return false;
    }
    for (unsigned i = 0; i < im->funcs->len; i++) {
        const struct lspci_func *func = im->funcs->pdata[i];
        const struct import_root *root = find_root(im, func->segment, func->p.bus);
        if (root && is_bridge(func) && func->p.config[0x1a] > root->last) {
            return contradiction(im, func, error, "it leads to buses up to %02x, but %02x is %s",
                                 func->p.config[0x1a], root->last + 1,
                                 last_bus(im, root) == root->last ? "beyond what MCFG says"
                                                                  : "a root bus");
        }
    }
    return true;
}

static bool check_tree(struct import *im, GError **error)
{
    for (unsigned i = 0; i < im->funcs->len; i++) {
        if (!check_bridge(im, i, error)) {
            return false;
        }
    }
    return find_roots(im, error);
}

/* The files. */

static void write_shells(const struct import *im, const struct import_root *root, unsigned index,
                         const char *config_name, GString *out)
{
    for (unsigned device = 0; device < 32; device++) {
        const struct lspci_func *func = find(im, root->segment, root->first, device << 3);

        if (func) {
            g_string_append_printf(out,
                                   "\n# %04x:%04x, class %04x\n[shell hb%u-%02x]\nat=hb%u\n"
                                   "device=%u\nconfig=%s\n",
                                   le16_load(func->p.config), le16_load(func->p.config + 2),
                                   le16_load(func->p.config + 0x0a), index, device, index, device,
                                   config_name);
        }
    }
}

static char *write_topology(const struct import *im, const struct topo_import_params *params)
{
    GString *out = g_string_new("# Made by pcilab topo import (docs/import.md).\n");

    g_string_append_printf(out, "# %u functions; sizes of %u of %u BARs are guesses.\n",
                           im->out->functions, im->out->guessed, im->out->bars);
    for (unsigned i = 0; i < im->out->notes->len; i++) {
        g_string_append_printf(out, "# %s\n", (char *)im->out->notes->pdata[i]);
    }
    for (unsigned i = 0; i < im->out->remarks->len; i++) {
        g_string_append_printf(out, "# %s\n", (char *)im->out->remarks->pdata[i]);
    }
    for (unsigned i = 0; i < im->roots->len; i++) {
        const struct import_root *root = &g_array_index(im->roots, struct import_root, i);

        g_string_append_printf(out, "\n[host-bridge hb%u]\nsegment=%u\nbus=%02x-%02x\nvisible=no\n",
                               i, root->segment, root->first, root->last);
        import_write_windows(root, out);
        write_shells(im, root, i, params->config_name, out);
    }
    return g_string_free(out, FALSE);
}

static void write_size(GString *out, const struct lspci_func *func, unsigned bar)
{
    uint64_t size = func->p.bar_bytes[bar], addr;
    bool io, wide;
    char *text = size < 1024 ? g_strdup_printf("%u", (unsigned)size) : units_format_size(size);
    char *space = strchr(text, ' ');

    if (space) { /* "16 KiB" as lspci has it: "16K" */
        space[0] = space[1];
        space[1] = '\0';
    }
    lspci_bar(func, bar, &addr, &io, &wide);
    if (bar == SHELL_BARS) {
        g_string_append_printf(out, "\tExpansion ROM at %08x [size=%s]\n", (unsigned)addr, text);
    } else {
        g_string_append_printf(out, "\tRegion %u: %s at %0*" G_GINT64_MODIFIER "x [size=%s]\n", bar,
                               io ? "I/O ports" : "Memory", io ? 4 : 8, addr, text);
    }
    g_free(text);
}

static void write_func(GString *out, const struct lspci_func *func)
{
    char *name = lspci_name(func);

    g_string_append_printf(out, "%s %04x: %04x:%04x\n", name, le16_load(func->p.config + 0x0a),
                           le16_load(func->p.config), le16_load(func->p.config + 2));
    for (unsigned bar = 0; bar <= SHELL_BARS; bar++) {
        if (func->p.bar_bytes[bar]) {
            write_size(out, func, bar);
        }
    }
    for (unsigned at = 0; at < func->p.config_bytes; at += 16) {
        g_string_append_printf(out, "%02x:", at);
        for (unsigned i = 0; i < 16; i++) {
            g_string_append_printf(out, " %02x", func->p.config[at + i]);
        }
        g_string_append_c(out, '\n');
    }
    g_string_append_c(out, '\n');
    g_free(name);
}

static char *write_config(const struct import *im)
{
    GString *out = g_string_new("# Made by pcilab topo import; lspci -F reads it as well."
                                "\n\n");

    for (unsigned i = 0; i < im->funcs->len; i++) {
        write_func(out, im->funcs->pdata[i]);
    }
    return g_string_free(out, FALSE);
}

bool topo_import(const struct topo_import_params *params, struct topo_import *out, GError **error)
{
    struct import im = {.file = params->dump_file, .out = out};
    bool ok = false;

    *out = (struct topo_import){.notes = g_ptr_array_new_with_free_func(g_free),
                                .remarks = g_ptr_array_new_with_free_func(g_free)};
    im.ecams = g_array_new(FALSE, FALSE, sizeof(struct import_ecam));
    im.funcs = lspci_parse(params->dump_file, params->dump, params->dump_len, error);
    im.roots = g_array_new(FALSE, FALSE, sizeof(struct import_root));
    if (im.funcs && import_read_iomem(params, im.funcs, error) &&
        import_read_acpi(params, im.ecams, out->remarks, error)) {
        leave_out(&im);
        ok = check_tree(&im, error);
        if (ok && !im.funcs->len) {
            topo_fail(error, im.file, 0, NULL, NULL, "there is no function that could be found");
            ok = false;
        }
    }
    if (ok) {
        import_guess_sizes(im.funcs, out);
        import_find_windows(params, im.funcs, im.roots, out);
        out->functions = im.funcs->len;
        out->host_bridges = im.roots->len;
        out->topology = write_topology(&im, params);
        out->config = write_config(&im);
    } else {
        topo_import_clear(out);
    }
    if (im.funcs) {
        g_ptr_array_unref(im.funcs);
    }
    g_array_unref(im.roots);
    g_array_unref(im.ecams);
    return ok;
}

void topo_import_clear(struct topo_import *import)
{
    g_clear_pointer(&import->topology, g_free);
    g_clear_pointer(&import->config, g_free);
    g_clear_pointer(&import->notes, g_ptr_array_unref);
    g_clear_pointer(&import->remarks, g_ptr_array_unref);
}
