/* SPDX-License-Identifier: GPL-2.0-or-later */
/* [shell] groups: their functions come from a file that lspci could have written. */
#include <string.h>

#include "parser.h"
#include "pcilab/config/lspci.h"

static bool is_bridge_to(const struct lspci_func *func, unsigned *secondary)
{
    *secondary = func->p.config[0x19];
    return lspci_header(func) == 1 && *secondary;
}

static void take(struct machine_component *c, const struct lspci_func *func, bool *wanted)
{
    unsigned secondary;

    c->shell.funcs = g_renew(struct shell_func_params, c->shell.funcs, c->shell.count + 1);
    c->shell.funcs[c->shell.count++] = func->p;
    if (is_bridge_to(func, &secondary)) {
        wanted[secondary] = true;
    }
}

/* Those of the device, then those on the buses that their bridges lead to, until none is new. */
static void take_tree(struct machine_component *c, const struct topo_item *item, GPtrArray *dump)
{
    const struct topo_values *bridge = &item->bridge->v;
    bool wanted[256] = {false}, done[256] = {false};
    bool more = true;

    done[bridge->bus_first] = true;
    for (unsigned i = 0; i < dump->len; i++) {
        const struct lspci_func *func = dump->pdata[i];
        if (func->segment == bridge->segment && func->p.bus == bridge->bus_first &&
            func->p.devfn >> 3 == item->v.device) {
            take(c, func, wanted);
        }
    }
    while (more) {
        more = false;
        for (unsigned bus = 0; bus < 256; bus++) {
            if (!wanted[bus] || done[bus]) {
                continue;
            }
            done[bus] = more = true;
            for (unsigned i = 0; i < dump->len; i++) {
                const struct lspci_func *func = dump->pdata[i];
                if (func->segment == bridge->segment && func->p.bus == bus) {
                    take(c, func, wanted);
                }
            }
        }
    }
}

static bool load_shell(struct topo_parser *parser, struct topo_item *item, GHashTable *files,
                       struct machine_component *c, GError **error)
{
    GPtrArray *dump = g_hash_table_lookup(files, item->v.config);
    bool function_0 = false;

    if (!dump) {
        char *folder = g_path_get_dirname(parser->lines.file);
        char *path = g_build_filename(folder, item->v.config, NULL);
        GError *inner = NULL;

        dump = lspci_load(path, &inner);
        g_free(path);
        g_free(folder);
        if (!dump) {
            item_fail(parser, item, "config", error, "%s", inner->message);
            g_error_free(inner);
            return false;
        }
        g_hash_table_insert(files, g_strdup(item->v.config), dump);
    }
    c->shell.memory = item->v.bars_memory;
    take_tree(c, item, dump);
    for (unsigned i = 0; i < c->shell.count; i++) {
        function_0 = function_0 || (c->shell.funcs[i].bus == item->bridge->v.bus_first &&
                                    c->shell.funcs[i].devfn == item->v.device * 8);
    }
    if (!function_0) {
        item_fail(parser, item, "device", error, "%s has no %04x:%02x:%02x.0", item->v.config,
                  (unsigned)item->bridge->v.segment, (unsigned)item->bridge->v.bus_first,
                  (unsigned)item->v.device);
        return false;
    }
    return true;
}

bool topo_load_shells(struct topo_parser *parser, struct machine_desc *desc, GError **error)
{
    GHashTable *files =
        g_hash_table_new_full(g_str_hash, g_str_equal, g_free, (GDestroyNotify)g_ptr_array_unref);
    bool ok = true;

    for (unsigned i = 0; ok && i < parser->items->len; i++) {
        struct topo_item *item = parser->items->pdata[i];
        if (item->kind == TOPO_SHELL) {
            ok = load_shell(parser, item, files, &desc->components[item->index], error);
        }
    }
    g_hash_table_unref(files);
    return ok;
}
